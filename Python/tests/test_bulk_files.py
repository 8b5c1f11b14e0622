"""Bulk runs leave nothing out in silence, stand beside each other on one folder, and name what they refuse."""
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import poise
import pytest
from conftest import ROOT

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402
from poise.bulk import _files  # noqa: E402
from poise.bulk.__main__ import main  # noqa: E402

GRID = {"scenarios": [{"spot": [-0.1, 0.1]}]}
DAY = "date=2026-03-02"


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night")
    subprocess.run([sys.executable, ROOT / "scripts/generate-legs", folder, "--legs", "4000", "--dates", "2", "--books", "5",
                    "--strikes", "6"], check=True)
    (folder / "grid.json").write_text(json.dumps(GRID))
    return folder


@pytest.fixture
def run(night, tmp_path, capsys):
    def call(positions, *more):
        out = tmp_path / "out"
        code = main(["--positions", str(positions), "--chain", str(night / "chain.parquet"), "--scenarios",
                     str(night / "grid.json"), "--out", str(out), *more])
        printed = capsys.readouterr()
        return code, out, printed.out, printed.err

    return call


@pytest.fixture
def held(night, tmp_path):
    """A copy of a partition's legs, with names as plain texts."""
    legs = pq.read_table(next((night / "positions" / DAY).rglob("*.parquet")))
    legs = pa.table({name: legs[name].cast(pa.string()) if name != "quantity" else legs[name] for name in legs.column_names})
    folder = tmp_path / "held" / DAY
    folder.mkdir(parents=True)

    def write(table=legs, name="part-0.parquet"):
        pq.write_table(table, folder / name)
        return tmp_path / "held"

    return legs, write


def test_folders_behind_links_are_partitions(night, tmp_path, run):
    linked = tmp_path / "linked"
    linked.mkdir()
    for day in (DAY, "date=2026-03-03"):
        (linked / day).symlink_to(night / "positions" / day)
    code, out, printed, _ = run(linked)
    assert code == 0 and "4 partitions, 4,000 legs" in printed
    assert len(list(out.glob("date=*/*/part-0.parquet"))) == 4
    file = tmp_path / "file"
    file.mkdir()
    (file / "part-0.parquet").symlink_to(next((night / "positions" / DAY).rglob("*.parquet")))
    (file / "part-0.parquet").resolve(strict=True)
    files, others = _files.data_set(file, "positions")
    assert [path.name for path in files] == ["part-0.parquet"] and others == []


def test_links_that_lead_nowhere_or_around_are_refused(night, tmp_path, run):
    for name, target, reason in (("gone", "nowhere", "is a link to nothing"), ("round", ".", "is a link to a folder that it is in")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / DAY).symlink_to(night / "positions" / DAY)
        (folder / "date=2026-03-09").symlink_to(target)
        code, out, _, errors = run(folder)
        assert code == 1 and reason in errors and "date=2026-03-09" in errors
        assert not list(out.rglob("*.parquet"))


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_may_not_be_read_is_refused(night, tmp_path, held, what, run):
    # Root may read all: the call that asks is made to fail as for others.
    _, write = held
    root = write()
    place = root / DAY if what == "folder" else root / DAY / "part-0.parquet"
    place.chmod(0)
    try:
        if os.geteuid() == 0:
            command = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
            if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode:
                pytest.skip("no way to be without root's rights")
        else:
            command = []
        done = subprocess.run(
            [*command, sys.executable, "-m", "poise.bulk", "--positions", root, "--chain", night / "chain.parquet", "--scenarios",
             night / "grid.json", "--out", tmp_path / "out"], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and f"{place}: positions: Permission denied" in done.stderr, done.stderr
    finally:
        place.chmod(0o755)


def test_files_are_parquet_by_what_is_in_them(held, run):
    legs, write = held
    root = write()
    for name in ("part-1.PARQUET", "part-2.parq", "part-3.pq", "part-4.snappy"):
        write(legs, name)
    (root / DAY / "README.txt").write_text("legs")
    (root / DAY / "_SUCCESS").write_text("")
    code, _, printed, errors = run(root)
    assert code == 0 and f"{5 * legs.num_rows:,} legs" in printed
    assert "1 files are no Parquet and left out: README.txt" in errors
    for name, content, reason in (("a.parquet.gz", b"\x1f\x8b\0\0", "is packed"), ("b.parquet", b"", "is no Parquet file"),
                                  ("c.PARQUET", b"book,instrument", "is no Parquet file")):
        (root / DAY / name).write_bytes(content)
        code, _, _, errors = run(root)
        assert code == 1 and reason in errors and name in errors
        (root / DAY / name).unlink()


@pytest.mark.parametrize("by", ["book", "leg"])
@pytest.mark.parametrize("column", ["book", "instrument", "quantity"])
def test_a_column_that_is_missing_is_named(held, run, column, by):
    legs, write = held
    code, _, _, errors = run(write(legs.drop_columns([column])), "--by", by)
    assert code == 1 and f"part-0.parquet: {column}: the legs have no such column\n" in errors
    names = [name.capitalize() if name == column else name for name in legs.column_names]
    code, _, _, errors = run(write(legs.rename_columns(names)), "--by", by)
    assert code == 1 and f"it has {column.capitalize()}, and capitals count" in errors
    write()
    code, _, _, errors = run(write(legs.drop_columns([column]), "part-1.parquet"), "--by", by)
    assert code == 1 and f"part-1.parquet: {column}: the legs have no such column" in errors


@pytest.mark.parametrize("by", ["book", "leg"])
@pytest.mark.parametrize("column", ["book", "instrument"])
@pytest.mark.parametrize("encoded", [False, True])
def test_names_that_are_no_utf8_are_refused_with_their_row(held, run, column, by, encoded):
    legs, write = held
    names = legs[column].to_pylist()[:3]
    raw = [name.encode() for name in names[:2]] + [names[2].encode()[:2] + b"\xe9"]
    offsets = np.cumsum([0, *map(len, raw)]).astype(np.int32)
    bad = pa.Array.from_buffers(pa.string(), 3, [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(raw))])
    three = legs.slice(0, 3)
    three = three.set_column(three.column_names.index(column), column, bad.dictionary_encode() if encoded else bad)
    write()
    code, _, _, errors = run(write(three, "part-1.parquet"), "--by", by)
    assert code == 1 and f"part-1.parquet: row 2: {column}: is no UTF-8" in errors


@pytest.mark.parametrize("by", ["book", "leg"])
def test_what_no_number_holds_is_refused(held, run, by):
    legs, write = held
    huge = legs.slice(0, 2).set_column(2, "quantity", pa.array([1.0, 1.7e308]))
    code, out, _, errors = run(write(huge), "--by", by)
    assert code == 1 and ("is too large" in errors or "too large" in errors), errors
    assert not (out / "_manifest.json").exists() and not list(out.rglob("*.parquet"))


def test_books_in_two_unicode_forms_are_one(held, run):
    legs, write = held
    two = legs.slice(0, 2).set_column(0, "book", pa.array(["\u00e9", "e\u0301"]))
    for by, rows in (("leg", 2), ("book", 1)):
        code, out, _, _ = run(write(two), "--by", by)
        made = pq.read_table(next(out.rglob("part-0.parquet")))
        assert code == 0 and made.num_rows == rows and set(made["book"].to_pylist()) == {"\u00e9"}


def test_a_name_with_a_nul_in_it_is_refused(chain):
    name = chain.instruments[0]
    with pytest.raises(poise.InputError, match="row 1: book: "):
        poise.Positions({"book": ["a", "a\0b"], "instrument": [name, name], "quantity": [1.0, 1.0]})
    with pytest.raises(poise.InputError):
        poise.Positions.parse(f"book,instrument,quantity\na\0b,{name},1\n")


def test_two_runs_on_one_folder_stand_beside_each_other(night, tmp_path):
    command = [sys.executable, "-m", "poise.bulk", "--positions", night / "positions", "--chain", night / "chain.parquet",
               "--scenarios", night / "grid.json", "--out", tmp_path / "out", "--by", "leg"]
    for _ in range(3):
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        for one in runs:
            _, errors = one.communicate()
            assert one.returncode == 0, errors
        manifest = json.loads((tmp_path / "out/_manifest.json").read_text())
        for entry in manifest["partitions"]:
            content = (tmp_path / "out" / entry["partition"] / "part-0.parquet").read_bytes()
            assert entry["output"] == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        assert not [path for path in (tmp_path / "out").rglob("*") if path.name.endswith(".tmp")]
        for path in (tmp_path / "out").rglob("*.parquet"):
            path.unlink()


def test_temporary_files_are_ones_own(tmp_path):
    """What another run is writing stays, what a killed one left goes, and no link is followed."""
    path = tmp_path / "part-0.parquet"
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f".part-0.parquet.{os.getpid()}.tmp").symlink_to(victim)
    path.symlink_to(victim)
    with _files.replacing(path) as file:
        file.write(b"new")
        stale = tmp_path / ".poise-part-0.parquet.0.tmp"
        stale.write_bytes(b"left")
        _files.sweep(tmp_path)
        assert not stale.exists() and len(list(tmp_path.glob(".poise-*.tmp"))) == 1
    assert victim.read_text() == "precious" and path.read_bytes() == b"new" and not path.is_symlink()
    with pytest.raises(ZeroDivisionError):
        with _files.replacing(path) as file:
            raise ZeroDivisionError
    assert path.read_bytes() == b"new" and not list(tmp_path.glob(".poise-*"))
