import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import types

import numpy as np
import poise
import pytest
from conftest import ROOT

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402
from poise import bulk  # noqa: E402
from poise.bulk import _partitions  # noqa: E402
from poise.bulk.__main__ import main  # noqa: E402

GRID = {"vol_rules": {"up": {"relative": 0.5}, "same": {}}, "scenarios": [{"spot": [-0.1, 0, 0.1], "vol": ["up", "same"]}]}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("legs")
    subprocess.run([sys.executable, ROOT / "scripts/generate-legs", folder, "--legs", "20000", "--dates", "2", "--books", "7",
                    "--strikes", "6"], check=True)
    (folder / "grid.json").write_text(json.dumps(GRID))
    return folder


@pytest.fixture
def run(made, tmp_path):
    def call(by="book", positions=made / "positions", chain=made / "chain.parquet", out=tmp_path / "out", more=()):
        code = main(["--positions", str(positions), "--chain", str(chain), "--scenarios", str(made / "grid.json"),
                     "--out", str(out), "--by", by, *more])
        return code, out

    return call


def market_of(made, date="2026-03-02"):
    rows = pq.read_table(made / "chain.parquet", filters=[("date", "=", date)]).drop_columns(["date"])
    return bulk.Market(rows, poise.Grid(GRID))


def first_legs(made):
    return pq.read_table(made / "positions/date=2026-03-02/underlying=BTC/part-0.parquet").combine_chunks().to_batches()[0]


def test_legs_sum_to_books(run, made, tmp_path, capsys):
    code, legs = run("leg", out=tmp_path / "legs")
    assert code == 0 and "4 partitions, 20,000 legs, 6 scenarios" in capsys.readouterr().out
    code, books = run("book", out=tmp_path / "books")
    manifests = [json.loads((folder / "_manifest.json").read_text()) for folder in (legs, books)]
    assert [m["rows_in"] for m in manifests] == [20_000, 20_000] and [m["rows_out"] for m in manifests] == [20_000, 28]
    assert manifests[0]["inputs"]["scenarios"]["titles"][0] == "-10%, vol up"
    for name, total in manifests[0]["totals"].items():
        assert manifests[1]["totals"][name] == pytest.approx(total, rel=1e-9, abs=1e-6), name
    for path in books.rglob("*.parquet"):
        own, each = pq.ParquetFile(path).read(), pq.ParquetFile(legs / path.relative_to(books)).read()
        each = each.set_column(0, "book", pa.array(each["book"].to_pylist()))
        summed = each.group_by("book").aggregate([(name, "sum") for name in own.column_names[1:]]).sort_by("book")
        for name in own.column_names[1:]:
            np.testing.assert_allclose(own[name], summed[f"{name}_sum"], rtol=1e-9, atol=1e-3)
    # Each date has its own chain.
    for date in ("2026-03-02", "2026-03-03"):
        own = pq.ParquetFile(books / f"date={date}/underlying=BTC/part-0.parquet").read()
        legs_then = pq.read_table(made / f"positions/date={date}/underlying=BTC/part-0.parquet").combine_chunks().to_batches()
        assert own.to_batches()[0].equals(bulk.net(legs_then, market_of(made, date)))
    assert pq.read_schema(path).field("pnl_usd_01").metadata == {b"scenario": b"-10%, vol up"}
    # The whole is a dataset by date and underlying.
    assert pq.read_table(books, partitioning="hive").num_rows == 28


def test_rows_are_those_of_exposures_and_scenarios(made):
    market, legs = market_of(made), first_legs(made)
    result = bulk.revalue(legs, market)
    assert result.column("book").to_pylist() == legs.column("book").to_pylist()
    row = 123
    leg = {name: [legs.column(name)[row].as_py()] for name in legs.schema.names}
    exposures = poise.exposures(market.chain, poise.Positions(leg), by=("book",))
    profits = poise.scenarios(market.chain, poise.Positions(leg), market.grid, by=("book",))
    for name in list(exposures)[1:]:
        assert result.column(name)[row].as_py() == pytest.approx(exposures[name][0], rel=1e-12, abs=1e-12)
    for number, title in enumerate(market.grid.titles, 1):
        assert result.column(f"pnl_usd_{number:02}")[row].as_py() == pytest.approx(profits[title][0], rel=1e-12, abs=1e-12)


def test_how_legs_are_cut_does_not_matter(made):
    legs = first_legs(made)
    whole = bulk.revalue(legs, market_of(made))
    market = market_of(made)
    parts = [bulk.revalue(legs.slice(a, 700), market, a) for a in reversed(range(0, legs.num_rows, 700))][::-1]
    joined = pa.Table.from_batches(parts).combine_chunks()
    for name in whole.schema.names:
        assert joined[name].combine_chunks().to_pylist() == whole.column(name).to_pylist(), name
    plain = pa.record_batch({"book": legs.column("book").cast(pa.string()), "instrument": legs.column("instrument").cast(
        pa.large_string()), "quantity": legs.column("quantity")})
    assert bulk.revalue(plain, market).to_pydict() == whole.to_pydict()
    assert bulk.net([legs], market_of(made)).equals(bulk.net([plain], market))


def test_what_is_done_is_not_done_again(run, made, tmp_path, capsys):
    code, out = run()
    manifest = (out / "_manifest.json").read_bytes()
    files = sorted(out.rglob("*.parquet"))
    written = [part["output"] for part in json.loads(manifest)["partitions"]]
    assert [part["sha256"] for part in written] == [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    assert [part["bytes"] for part in written] == [path.stat().st_size for path in files]
    stamps = {path: path.stat().st_mtime_ns for path in files}
    os.unlink(files[1])
    (out / "date=2026-03-02/underlying=BTC/.part-0.parquet.1.tmp").write_bytes(b"left by one that was killed")
    files[2].write_bytes(files[2].read_bytes()[:-100])  # no footer
    assert run()[0] == 0 and "2 partitions" in capsys.readouterr().out.splitlines()[-1]
    assert (out / "_manifest.json").read_bytes() == manifest
    assert [path for path in files if path.stat().st_mtime_ns != stamps[path]] == files[1:3]
    assert not list(out.rglob("*.tmp"))
    run("leg")
    assert "4 partitions" in capsys.readouterr().out  # another question
    chain = pq.read_table(made / "chain.parquet")
    pq.write_table(chain.slice(0, chain.num_rows), tmp_path / "chain.parquet", compression="none")
    run("leg", chain=tmp_path / "chain.parquet")
    assert "4 partitions" in capsys.readouterr().out  # another chain


def test_nothing_half_done_is_left(run, monkeypatch, capsys):
    calls = []

    def failing(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise poise.InputError("row 1: quantity is odd", 1, "quantity")
        return bulk.net(*arguments)

    monkeypatch.setattr(_partitions, "net", failing)
    code, out = run()
    assert code == 1 and "underlying=BTC/part-0.parquet: row 1: quantity: " in capsys.readouterr().err
    assert len(list(out.rglob("part-0.parquet"))) == 2 and not list(out.rglob("*.tmp")) and not (out / "_manifest.json").exists()


@pytest.mark.parametrize(("column", "value", "message"), [
    ("quantity", None, "row 4321: quantity: is null"), ("quantity", float("nan"), "row 4321: quantity: nan: must be finite"),
    ("instrument", "BTC-1JAN30-5-C", "row 4321: .*BTC-1JAN30-5-C"), ("instrument", "X", 'row 4321: instrument: "X"'),
    ("book", None, "row 4321: book: is null")])
def test_bad_legs_are_named(made, tmp_path, run, capsys, column, value, message):
    legs = pa.Table.from_batches([first_legs(made)]).to_pydict()
    legs[column][4321] = value
    folder = tmp_path / "positions/date=2026-03-02/underlying=BTC"
    folder.mkdir(parents=True)
    pq.write_table(pa.table(legs), folder / "part-0.parquet", row_group_size=1000)
    code, out = run(positions=tmp_path / "positions")
    error = capsys.readouterr().err
    assert code == 1 and not list(out.rglob("*.parquet"))
    assert re.search("part-0.parquet: " + message, error), error


def test_missing_inputs_are_named(run, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run(positions=tmp_path / "empty")[0] == 1 and "no Parquet files" in capsys.readouterr().err
    assert run(positions=tmp_path / "none")[0] == 1 and "no such folder" in capsys.readouterr().err
    assert run(chain=tmp_path / "none.parquet")[0] == 1 and "none.parquet" in capsys.readouterr().err


def test_books_whose_legs_cancel_out(made):
    legs = first_legs(made).slice(0, 1)
    row = {name: legs.column(name)[0].as_py() for name in ("book", "instrument", "quantity")}
    other = pa.RecordBatch.from_pylist([row, {**row, "book": "flat"}, {**row, "book": "flat", "quantity": -row["quantity"]}])
    books = bulk.net([other], market_of(made))
    assert sorted(books.column("book").to_pylist()) == sorted([row["book"], "flat"])
    flat = books.column("book").to_pylist().index("flat")
    assert all(column[flat].as_py() == 0 for column in books.columns[1:])
    assert books.column("delta_usd")[1 - flat].as_py() != 0


def test_flat_folders_and_no_legs(made, run, tmp_path, capsys):
    folder = tmp_path / "positions"
    folder.mkdir()
    legs = pa.Table.from_batches([first_legs(made)])
    pq.write_table(legs.slice(0, 0), folder / "a.parquet")
    one_date = pq.read_table(made / "chain.parquet", filters=[("date", "=", "2026-03-02")]).drop_columns(["date"])
    pq.write_table(one_date, tmp_path / "chain.parquet")
    for count in (0, 100):
        pq.write_table(legs.slice(0, count), folder / "b.parquet")
        code, out = run(positions=folder, chain=tmp_path / "chain.parquet")
        assert code == 0
        assert json.loads((out / "_manifest.json").read_text())["rows_in"] == count


PARTITION = "date=2026-03-02/underlying=BTC"


def write_legs(root, *files, partition=PARTITION):
    """A folder of positions with these tables in it."""
    folder = root / "positions" / partition
    folder.mkdir(parents=True)
    for number, legs in enumerate(files):
        pq.write_table(pa.table(legs), folder / f"part-{number}.parquet", row_group_size=1000)
    return root / "positions"


def changed(legs, column, row, value):
    columns = legs.to_pydict()
    columns[column][row] = value
    return columns


def test_out_is_apart_from_positions(made, tmp_path, run, capsys):
    positions = tmp_path / "all/positions"
    shutil.copytree(made / "positions", positions)
    before = {path: path.read_bytes() for path in positions.rglob("*.parquet")}
    (tmp_path / "link").symlink_to(positions)
    for out in (positions, positions / "out", tmp_path / "all", tmp_path / "link"):
        assert run(positions=positions, out=out)[0] == 1
        error = capsys.readouterr().err
        assert f"out: \"{out.resolve()}\"" in error and f"positions, {positions}" in error
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == before
    assert run(positions=positions, out=tmp_path / "all/positions-of-books")[0] == 0


def test_damage_is_found(run, capsys):
    code, out = run()
    manifest, files = (out / "_manifest.json").read_bytes(), sorted(out.rglob("*.parquet"))
    whole = {path: path.read_bytes() for path in files}
    damaged = bytearray(whole[files[1]])
    damaged[100] ^= 1
    files[1].write_bytes(damaged)
    capsys.readouterr()
    assert run()[0] == 0
    shown = capsys.readouterr()
    assert "1 partitions, " in shown.out and "3 were there" in shown.out and shown.err.count(str(files[1])) == 1
    assert {path: path.read_bytes() for path in files} == whole and (out / "_manifest.json").read_bytes() == manifest
    # Of a run that was killed there is no manifest: its files count by their footers.
    for text in ("", None):
        (out / "_manifest.json").unlink() if text is None else (out / "_manifest.json").write_text(text)
        assert run()[0] == 0 and "4 were there" in capsys.readouterr().out
        assert (out / "_manifest.json").read_bytes() == manifest


def test_outputs_are_read_once(run, made, monkeypatch):
    code, out = run()
    taken = []
    monkeypatch.setattr(_partitions, "_stamp", lambda path, own=_partitions._stamp: taken.append(path) or own(path))
    assert run()[0] == 0 and sorted(taken) == sorted(out.rglob("*.parquet"))


def test_hidden_files_are_left_out(made, tmp_path, run):
    legs = pa.Table.from_batches([first_legs(made)])
    positions = write_legs(tmp_path / ".hidden", legs)
    for name in ("_temporary/0/part-1.parquet", f"{PARTITION}/_part-2.parquet", f"{PARTITION}/.part-3.parquet",
                 ".cache/part-4.parquet"):
        (positions / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(legs, positions / name)
    (positions / "folder.parquet").mkdir()
    code, out = run(positions=positions)
    manifest = json.loads((out / "_manifest.json").read_text())
    assert [part["partition"] for part in manifest["partitions"]] == [PARTITION] and manifest["rows_in"] == legs.num_rows


def test_outputs_of_gone_positions_are_named(made, tmp_path, run, capsys):
    shutil.copytree(made / "positions", tmp_path / "positions")
    run(positions=tmp_path / "positions")
    shutil.rmtree(tmp_path / "positions" / PARTITION)
    capsys.readouterr()
    code, out = run(positions=tmp_path / "positions")
    error = capsys.readouterr().err
    assert code == 0 and error.count("\n") == 1 and f"{out / PARTITION}/part-0.parquet" in error and "_manifest.json" in error
    assert (out / PARTITION / "part-0.parquet").exists()
    assert PARTITION not in (out / "_manifest.json").read_text()


def test_chains_of_many_dates_need_dates(made, tmp_path, run, capsys):
    legs = pa.Table.from_batches([first_legs(made)])
    positions = write_legs(tmp_path, legs, partition="underlying=BTC")
    assert run(positions=positions)[0] == 1
    assert re.search("chain.parquet: date: 2 dates, and positions of none", capsys.readouterr().err)
    pq.write_table(pq.read_table(made / "chain.parquet", filters=[("date", "=", "2026-03-02")]), tmp_path / "one.parquet")
    assert run(positions=positions, chain=tmp_path / "one.parquet")[0] == 0


@pytest.mark.parametrize("by", ["book", "leg"])
@pytest.mark.parametrize(("column", "value", "message"), [
    ("quantity", None, "row 3: quantity: is null"), ("instrument", "X", 'row 3: instrument: "X"'),
    ("book", "", "row 3: book: is empty")])
def test_rows_are_those_of_the_file(made, tmp_path, run, capsys, by, column, value, message):
    legs = pa.Table.from_batches([first_legs(made).slice(0, 1500)])
    code, out = run(by, positions=write_legs(tmp_path, legs, changed(legs, column, 3, value)))
    error = capsys.readouterr().err
    assert code == 1 and f"{PARTITION}/part-1.parquet: {message}" in error, error


def test_unreadable_files_are_named_once(made, tmp_path, run, capsys):
    legs = pa.Table.from_batches([first_legs(made)])
    positions = write_legs(tmp_path, legs, legs)
    (positions / PARTITION / "part-1.parquet").write_bytes(b"PAR1")
    assert run(positions=positions)[0] == 1
    error = capsys.readouterr().err
    assert "part-1.parquet: " in error and "part-0" not in error


def test_sums_that_are_too_large_are_named(made):
    legs = {name: column[:1] * 2 for name, column in first_legs(made).to_pydict().items()}
    legs["quantity"] = [1e308, 1e308]
    with pytest.raises(poise.InputError, match=f"^book {legs['book'][0]}, {legs['instrument'][0]}: quantity") as caught:
        bulk.net([pa.record_batch(legs)], market_of(made))
    assert caught.value.row is None


def test_nulls_in_dictionaries_are_nulls(made):
    legs = first_legs(made).slice(0, 2)
    instruments = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array([legs.column("instrument")[0].as_py(), None]))
    legs = pa.record_batch({"book": legs.column("book"), "instrument": instruments, "quantity": legs.column("quantity")})
    with pytest.raises(poise.InputError, match="row 1: instrument: is null"):
        bulk.revalue(legs, market_of(made))


@pytest.mark.parametrize(("name", "value", "message"), [
    ("mark_iv", None, "mark_iv: is missing"), ("mark_iv", -5.0, "mark_iv: -5.0: must be at least 0"),
    ("instrument_name", "X-1", 'instrument_name: "X-1"'), ("underlying_price", -1.0, "underlying_price: -1.0")])
def test_bad_tickers_are_named(made, tmp_path, run, capsys, name, value, message):
    table = pq.read_table(made / "chain.parquet")
    rows = table.to_pydict()
    row = max(row for row in range(table.num_rows) if rows["instrument_name"][row].endswith("-C"))  # of the last date
    assert rows["date"].index(rows["date"][row]) > 0
    pq.write_table(pa.table(changed(table, name, row, value)), tmp_path / "chain.parquet")
    assert run(chain=tmp_path / "chain.parquet")[0] == 1
    error = capsys.readouterr().err
    assert f"{tmp_path}/chain.parquet: row {row}: {message}" in error, error


def test_tickers_that_contradict_each_other_are_named(made, tmp_path, run, capsys):
    table = pq.read_table(made / "chain.parquet")
    last = table.num_rows - 1
    double = table.slice(last).set_column(table.column_names.index("interest_rate"), "interest_rate", [[0.5]])
    pq.write_table(pa.concat_tables([table, double]), tmp_path / "chain.parquet")
    assert run(chain=tmp_path / "chain.parquet")[0] == 1
    error = capsys.readouterr().err
    assert f"chain.parquet: row {last + 1}: interest_rate: 0.5: an earlier row of the same instrument" in error, error
    assert f"(row {last})" in error, error


def test_chains_of_other_kinds_are_refused(made, tmp_path, run, capsys):
    table = pq.read_table(made / "chain.parquet")
    place = table.column_names.index("mark_iv")
    pq.write_table(table.set_column(place, "mark_iv", pa.array(["many"] * len(table))), tmp_path / "chain.parquet")
    assert run(chain=tmp_path / "chain.parquet")[0] == 1 and "mark_iv: \"many\": is not a number" in capsys.readouterr().err
    pq.write_table(table.drop_columns(["mark_iv"]), tmp_path / "chain.parquet")
    assert run(chain=tmp_path / "chain.parquet")[0] == 1 and ": is missing" in capsys.readouterr().err


@pytest.mark.parametrize("by", ["book", "leg"])
@pytest.mark.parametrize(("values", "kind"), [
    (["abc", "1"], "string"), (["0", "1"], "string"), ([True, False], "bool"), ([[1.0], [2.0]], "list<")])
def test_quantities_are_numbers(made, tmp_path, run, capsys, by, values, kind):
    legs = first_legs(made).slice(0, 2).to_pydict()
    assert run(by, positions=write_legs(tmp_path, {**legs, "quantity": values}))[0] == 1
    assert f"part-0.parquet: quantity: expected numbers, got {kind}" in capsys.readouterr().err


def test_numbers_of_all_kinds_are_quantities(made):
    legs = first_legs(made).slice(0, 2).to_pydict()
    for kind in (pa.int8(), pa.uint64(), pa.float32(), pa.decimal128(30, 2)):
        batch = pa.record_batch({**legs, "quantity": pa.array([1, 2]).cast(kind)})
        assert bulk.revalue(batch, market_of(made)).column("quantity").to_pylist() == [1, 2]
    large = pa.record_batch({**legs, "quantity": pa.array([2**53 + 1, 1])})
    assert bulk.revalue(large, market_of(made)).column("quantity").to_pylist() == [2**53, 1]


def test_no_folder_to_write_to(made, tmp_path, run, capsys):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file/out", "/proc/x"):
        assert run(out=out)[0] == 1 and f"poise.bulk: --out {out}: " in capsys.readouterr().err
    (tmp_path / "out").mkdir()
    (tmp_path / "out/date=2026-03-02").write_text("")
    assert run()[0] == 1 and "date=2026-03-02/underlying=BTC/part-0.parquet: " in capsys.readouterr().err


def test_options_of_ray_need_ray(run, capsys):
    for more in (("--workers", "2"), ("--address", "auto")):
        with pytest.raises(SystemExit) as caught:
            run(more=more)
        assert caught.value.code == 2 and f"{more[0]}: only with --engine ray" in capsys.readouterr().err


class Unconnected:
    """Ray, where there is no cluster."""

    @staticmethod
    def is_initialized():
        return False

    @staticmethod
    def init(address, **options):
        assert os.environ["RAY_NUM_REDIS_GET_RETRIES"] == "1"
        raise ConnectionError("Could not find a cluster") if address == "auto" else ValueError("Invalid address")


def test_clusters_that_are_not_there(run, monkeypatch, capsys):
    data = types.ModuleType("ray.data")
    Unconnected.data = data
    monkeypatch.setitem(sys.modules, "ray", Unconnected)
    monkeypatch.setitem(sys.modules, "ray.data", data)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
        for address, message in (("auto", "Could not find"), ("foo", "Invalid"), (nobody, "refused"),
                                 ("ray://" + nobody, "refused"), ("localhost:99999", "")):
            assert run(more=("--engine", "ray", "--address", address))[0] == 1
            assert re.match(f"poise.bulk: --address {address}: .*{message}", capsys.readouterr().err)


@pytest.mark.parametrize(("missing", "command", "message"), [
    ("pyarrow", ("-m", "poise.bulk", "--help"), "poise.bulk: No module named 'pyarrow': pip install pyarrow"),
    ("pyarrow", (ROOT / "scripts/generate-legs", "-h"), "generate-legs: No module named 'pyarrow': pip install numpy pyarrow"),
    ("ray", (), "poise.bulk: No module named 'ray': pip install 'ray[data]'")])
def test_what_is_not_installed_is_named(made, tmp_path, missing, command, message):
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{missing}'\", name='{missing}')")
    command = command or ("-m", "poise.bulk", "--positions", made / "positions", "--chain", made / "chain.parquet",
                          "--scenarios", made / "grid.json", "--out", tmp_path / "out", "--engine", "ray")
    done = subprocess.run([sys.executable, *command], env={**os.environ, "PYTHONPATH": str(tmp_path)}, stderr=subprocess.PIPE,
                          text=True)
    assert done.returncode == 1 and done.stderr == message + "\n"
