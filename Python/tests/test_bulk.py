import hashlib
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

import poise

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
    def call(by="book", positions=made / "positions", chain=made / "chain.parquet", out=tmp_path / "out"):
        code = main(["--positions", str(positions), "--chain", str(chain), "--scenarios", str(made / "grid.json"),
                     "--out", str(out), "--by", by])
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
    assert code == 1 and "underlying=BTC/part-0.parquet: row 1: quantity is odd" in capsys.readouterr().err
    assert len(list(out.rglob("part-0.parquet"))) == 2 and not list(out.rglob("*.tmp")) and not (out / "_manifest.json").exists()


@pytest.mark.parametrize(("column", "value", "message"), [
    ("quantity", None, "row 4321: quantity is null"), ("quantity", float("nan"), "row 4321: quantity: nan is not finite"),
    ("instrument", "BTC-1JAN30-5-C", "row 4321: .*BTC-1JAN30-5-C"), ("instrument", "X", 'row 4321: instrument: "X"'),
    ("book", None, "row 4321: book is null")])
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
