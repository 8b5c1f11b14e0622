"""From a folder of Parquet to another, partition by partition: each is one piece of work, written at once or not at all.

What a finished partition was made of stands in its own file, so that there is no moment at which the two disagree: a run
that finds the file with the fingerprint it would write itself has nothing to do.
"""
from __future__ import annotations

import functools
import hashlib
import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .. import _native
from .._desk import Chain
from .._errors import HostError, InputError
from .._scenarios import Grid
from ._files import data_set, replacing
from ._market import Market, move, net, revalue, schema

#: Legs that are in memory at a time, and rows of an output's row groups.
BATCH_ROWS = 131_072
_FOOTER = b"poise"
#: Readers of data sets leave out what begins with an underscore.
MANIFEST = "_manifest.json"


@dataclass(frozen=True)
class Job:
    """What a run is asked for."""

    positions: str
    chain: str
    scenarios: str
    out: str
    #: "book": a row per book of each partition; "leg": a row per leg.
    by: str = "book"


@dataclass(frozen=True)
class Partition:
    """A folder of legs, `date=2026-03-02/underlying=BTC`, and the file it becomes."""

    key: str
    files: Tuple[str, ...]
    fingerprint: str
    job: Job

    @property
    def output(self) -> Path:
        return Path(self.job.out, self.key, "part-0.parquet")

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Partition:
        fields = json.loads(text)
        return cls(fields["key"], tuple(fields["files"]), fields["fingerprint"], Job(**fields["job"]))

    def report(self) -> Optional[Dict[str, Any]]:
        """What stands in the finished file; None where it is not there, or was made of something else."""
        try:
            footer = pq.read_metadata(self.output).metadata or {}
            report: Dict[str, Any] = json.loads(footer.get(_FOOTER, b"{}"))
        except (OSError, pa.ArrowInvalid, ValueError):
            return None
        return report if report.get("fingerprint") == self.fingerprint else None


def plan(job: Job) -> Tuple[List[Partition], List[Path]]:
    """The partitions of a job, sorted: every folder under `positions` that has Parquet files in it; and the files there that
    are none.

    Refuses an `out` that is `positions`, is in it or has it inside.
    """
    root = Path(job.positions)
    if not root.is_dir():
        raise InputError("no such folder", field="positions", file=str(root))
    into, own = Path(job.out).resolve(), root.resolve()
    if into == own or into in own.parents or own in into.parents:
        raise InputError(f"must not be the folder of the positions, {own}, nor one inside the other", field="out", value=str(into))
    folders: Dict[Path, List[Path]] = {}
    files, others = data_set(root, "positions")
    for path in files:
        folders.setdefault(path.parent, []).append(path)
    if not folders:
        raise InputError("no Parquet files in it", field="positions", file=str(root))
    same = [_native.version, job.by, _digest(Path(job.chain), "chain"), _digest(Path(job.scenarios), "scenarios")]
    partitions = []
    for folder, files in sorted(folders.items()):
        stamps = [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in files]
        fingerprint = hashlib.sha256(json.dumps([same, stamps]).encode()).hexdigest()
        key = folder.relative_to(root).as_posix()
        partitions.append(Partition("" if key == "." else key, tuple(map(str, files)), fingerprint, job))
    return partitions, others


def finished(job: Job, partitions: List[Partition]) -> Tuple[Dict[str, Any], List[Path]]:
    """By key the `output` of partitions that need not be computed, and the damaged files, which are removed.

    Damaged is a file that is not the one that the manifest lists under the same fingerprint. Where no manifest does, since
    the run that wrote the file was killed, its footer is all there is to go by.
    """
    try:
        entries = json.loads(Path(job.out, MANIFEST).read_text())["partitions"]
        listed = {(entry["partition"], entry["fingerprint"]): entry["output"] for entry in entries}
    except (OSError, ValueError, KeyError, TypeError):
        listed = {}
    stamps, damaged = {}, []
    for partition in partitions:
        if partition.report() is None:
            continue
        stamp = _stamp(partition.output)
        if listed.get((partition.key, partition.fingerprint), stamp) == stamp:
            stamps[partition.key] = stamp
        else:
            partition.output.unlink()
            damaged.append(partition.output)
    return stamps, damaged


def strays(job: Job, partitions: List[Partition]) -> List[Path]:
    """Parquet files in `out` that belong to none of the partitions: of positions that are gone, say."""
    own = {partition.output for partition in partitions}
    root = Path(job.out)
    return sorted(
        path for path in root.rglob("*.parquet")
        if path not in own and not any(part[0] in "_." for part in path.relative_to(root).parts)
    )


def _digest(path: Path, field: str) -> str:
    """SHA-256 of a file."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
            return digest.hexdigest()
    except OSError as error:
        raise InputError(str(error.strerror), field=field, file=str(path)) from None


@functools.lru_cache(maxsize=2)
def _market(chain: str, grid: str, date: Optional[str], stamps: Tuple[int, ...]) -> Market:
    """Kept for the next partition of the same date; files that have changed since are read anew."""
    try:
        table = pq.read_table(chain, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise InputError(str(error), field="chain", file=chain) from None
    rows = None
    if table.column_names.count("date") > 1:
        raise InputError("the table has more than one such column", field="date", file=chain)
    if "date" in table.column_names:
        if date is not None:
            try:
                chosen = pc.equal(table["date"].cast(pa.string()), date)
            except pa.ArrowException:
                raise InputError(f"expected dates, got {table['date'].type}", field="date", file=chain) from None
            rows, table = pc.indices_nonzero(chosen), table.filter(chosen)
            if not table.num_rows:
                raise InputError("no rows of that date", field="date", value=date, file=chain)
        elif (count := len(pc.unique(table["date"]))) > 1:
            raise InputError(f"{count} dates, and positions of none: expected them in folders date=…", field="date", file=chain)
        table = table.drop_columns(["date"])
    try:
        tickers = Chain(table)
    except TypeError as error:  # a column of another kind
        raise InputError(str(error), field="chain", file=chain) from None
    except InputError as error:
        _place(error, chain, rows)
        raise
    return Market(tickers, Grid.read(grid))


def _place(error: InputError, chain: str, rows: Optional[pa.Array]) -> None:
    """Makes an error about a chain of `rows` of a file (None: all) one about the file and its rows."""
    error.file, error.table = chain, ""
    if rows is not None:
        error.row = None if error.row is None else rows[error.row].as_py()
        error.earlier_row = None if error.earlier_row is None else rows[error.earlier_row].as_py()


_COLUMNS = ("book", "instrument", "quantity")


def _batches(path: str) -> Iterator[pa.RecordBatch]:
    """A file's legs, in order; texts are checked to be UTF-8."""
    try:
        with open(path, "rb") as stream:
            columns = pq.read_schema(stream)
            for name in _COLUMNS:
                count = columns.names.count(name)
                if count == 1:
                    continue
                others = [other for other in columns.names if other.lower() == name and other != name]
                hint = f"; it has {others[0]}, and capitals count" if others else ""
                reason = "the legs have no such column" + hint if count == 0 else "the legs have more than one such column"
                raise InputError(reason, field=name, file=path)
            texts = [name for name in _COLUMNS[:2] if _is_text(columns.field(name).type)]
            with pq.ParquetFile(stream, read_dictionary=texts) as file:
                row = 0
                for batch in file.iter_batches(BATCH_ROWS, columns=list(_COLUMNS), use_threads=False):
                    _require_texts(batch, row)
                    row += batch.num_rows
                    yield batch
    except (OSError, pa.ArrowException) as error:
        raise InputError(str(error), file=path) from None


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _require_texts(batch: pa.RecordBatch, first_row: int) -> None:
    """Refuses names that are no UTF-8, which Arrow takes from a file as they are."""
    for name in _COLUMNS[:2]:
        column = batch.column(name)
        is_dictionary = pa.types.is_dictionary(column.type)
        values = column.dictionary if is_dictionary else column
        try:
            values.validate(full=True)
        except pa.ArrowInvalid:
            bad = next(place for place in range(len(values)) if not _is_valid(values, place))
            rows = (column.indices.to_pylist().index(bad) if is_dictionary else bad)
            raise InputError("is no UTF-8", first_row + rows, name) from None


def _is_valid(values: Any, place: int) -> bool:
    try:
        values[place].as_py()
    except UnicodeDecodeError:
        return False
    return True


def recompute(partition: Partition) -> Dict[str, Any]:
    """Computes a partition and puts its file in place; reports what stands in the file's footer, and what `_stamp` says."""
    job = partition.job
    date = next((part[5:] for part in partition.key.split("/") if part.startswith("date=")), None)
    stamps = tuple(os.stat(path).st_mtime_ns for path in (job.chain, job.scenarios))
    market = _market(job.chain, job.scenarios, date, stamps)
    report: Dict[str, Any] = {
        "fingerprint": partition.fingerprint, "rows_in": 0, "rows_out": 0, "poise": _native.version,
        "instruction_set": _native.instruction_set(), "totals": dict.fromkeys(market.names, 0.0),
    }
    where, before = partition.files[0], 0

    def legs() -> Iterator[Tuple[int, pa.RecordBatch]]:
        """With the rows before each batch, in all files."""
        nonlocal where, before
        for where in partition.files:
            before = report["rows_in"]
            try:
                for batch in _batches(where):
                    row = report["rows_in"]
                    report["rows_in"] += batch.num_rows
                    yield row, batch
            except InputError as error:  # of this file's own rows
                if error.row is not None:
                    error.row += before
                raise
        where = str(Path(where).parent)

    output = partition.output
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        texts = ["book", "instrument"]
        columns = schema(market, job.by)
        # Profits are next to random in their last bits: compression takes a tenth off them for half of the time.
        codecs = {name: "none" if name in market.names else "zstd" for name in columns.names}
        with replacing(output) as file:
            with pq.ParquetWriter(file, columns, compression=codecs, use_dictionary=texts) as writer:
                results = (
                    (revalue(batch, market, row) for row, batch in legs()) if job.by == "leg"
                    else iter([net((batch for _, batch in legs()), market)])
                )
                for result in results:
                    _add(report, result, market.names)
                    writer.write_batch(result, row_group_size=BATCH_ROWS)
                writer.add_key_value_metadata({_FOOTER: json.dumps(report)})
            file.flush()
            stamp = _stamp_of(file.fileno())  # while the file is in memory, and by all workers at a time
    except InputError as error:
        if error.row is not None:
            move(error, error.row - before)
        error.file = error.file or where
        raise
    except OSError as error:
        raise HostError(f"{output}: {error.strerror or error}") from None
    return {**report, "output": stamp}


def _add(report: Dict[str, Any], result: pa.RecordBatch, names: List[str]) -> None:
    """Counts rows, and adds them to the totals; what no double holds is refused, by leg with its row."""
    first_row = report["rows_out"]
    report["rows_out"] += result.num_rows
    for name in names:
        column = result.column(name).to_numpy()
        if not np.isfinite(column).all():
            row = int(np.argmin(np.isfinite(column)))
            is_leg = "quantity" in result.schema.names
            who = "" if is_leg else f"book {result.column('book')[row].as_py()}"
            raise InputError("is too large for a number", first_row + row if is_leg else None, name, name=who)
        report["totals"][name] += float(column.sum())
        if not math.isfinite(report["totals"][name]):
            raise InputError("is too large to be added", field=name)


def _stamp_of(descriptor: int) -> Dict[str, Any]:
    """Digest and size of a file that is open for reading, too."""
    digest, place = hashlib.sha256(), 0
    while block := os.pread(descriptor, 1 << 20, place):
        digest.update(block)
        place += len(block)
    return {"sha256": digest.hexdigest(), "bytes": place}


def _stamp(output: Path) -> Dict[str, Any]:
    """Digest and size of a finished file."""
    return {"sha256": _digest(output, "out"), "bytes": output.stat().st_size}


def collect(job: Job, partitions: List[Partition], stamps: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
    """Writes the manifest of finished partitions: the same for the same inputs, whoever computed them in whatever order.

    A partition of 0 legs counts; one that is not finished is an error. `stamps` has, by key, the `output` of what
    `recompute` reported and `finished` found; the files of other partitions are read for it.
    """
    grid = Grid.read(job.scenarios)
    entries: List[Dict[str, Any]] = []
    totals: Dict[str, float] = {}
    rows = {"rows_in": 0, "rows_out": 0}
    for partition in partitions:
        report = partition.report()
        if report is None:
            raise InputError("is not finished", file=str(partition.output))
        files = [{"file": Path(path).name, "bytes": Path(path).stat().st_size} for path in partition.files]
        output = (stamps or {}).get(partition.key) or _stamp(partition.output)
        entries.append({"partition": partition.key, "inputs": files, "output": output, **report})
        for name in rows:
            rows[name] += report[name]
        for name, value in report["totals"].items():
            totals[name] = totals.get(name, 0.0) + value
    manifest = {
        "poise": _native.version,
        "by": job.by,
        "inputs": {
            "chain": {"file": Path(job.chain).name, "sha256": _digest(Path(job.chain), "chain")},
            "scenarios": {
                "file": Path(job.scenarios).name, "sha256": _digest(Path(job.scenarios), "scenarios"),
                "titles": grid.titles,
            },
        },
        **rows,
        "totals": totals,
        "partitions": entries,
    }
    with replacing(Path(job.out, MANIFEST)) as file:
        file.write((json.dumps(manifest, indent=1, allow_nan=False) + "\n").encode())
    return manifest
