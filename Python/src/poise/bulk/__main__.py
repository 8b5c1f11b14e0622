"""python -m poise.bulk: recomputes a night's books."""
from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import List, Optional

from .._errors import HostError, PoiseError
from . import _engines
from ._files import sweep
from ._partitions import MANIFEST, Job, collect, finished, plan, strays


class Progress:
    """A line on a terminal; nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.legs, self.start = total, 0, 0, time.monotonic()
        self.shown = sys.stderr.isatty()

    def add(self, legs: int) -> None:
        self.done += 1
        self.legs += legs
        if not self.shown:
            return
        passed = max(time.monotonic() - self.start, 1e-9)
        filled = 30 * self.done // self.total
        left = passed / self.done * (self.total - self.done)
        sys.stderr.write(
            f"\r{'█' * filled}{'░' * (30 - filled)} {self.done}/{self.total} partitions, {self.legs:,} legs, "
            f"{self.legs / passed / 1e6:.2f} M/s, {left:.0f} s left \x1b[K"
        )
        sys.stderr.flush()

    def end(self) -> None:
        if self.shown and self.done:
            sys.stderr.write("\n")


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m poise.bulk",
        description="Exposures and scenario profits of all books or legs, from Parquet to Parquet, partition by partition. "
        "What a run before has finished with the same inputs is not computed again.",
    )
    parser.add_argument("--positions", required=True, metavar="DIR", help="book, instrument, quantity; date=…/underlying=…")
    parser.add_argument("--chain", required=True, metavar="FILE", help="tickers, as poise.Chain takes; with dates, a column date")
    parser.add_argument("--scenarios", required=True, metavar="GRID", help="JSON, as `poise scenarios --grid` takes")
    parser.add_argument("--out", required=True, metavar="DIR", help="gets a file per partition, and " + MANIFEST)
    parser.add_argument("--by", choices=("book", "leg"), default="book", help="a row per book of each partition, or per leg")
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument("--workers", type=int, metavar="N", help="ray: tasks at a time (default: all cores)")
    parser.add_argument("--address", help="ray: of a running cluster; default: one is started here")
    options = parser.parse_args(arguments)
    if options.workers is not None and options.workers < 1:
        parser.error("--workers: expected at least 1")
    for name, value in (("--workers", options.workers), ("--address", options.address)):
        if value is not None and options.engine != "ray":
            parser.error(f"{name}: only with --engine ray")
    given = (options.positions, options.chain, options.scenarios, options.out)
    positions, chain, grid, out = (str(Path(path).resolve()) for path in given)
    job = Job(positions, chain, grid, out, options.by)
    try:
        partitions, others = plan(job)
        if others:
            some = ", ".join(path.name for path in others[:3]) + (", …" if len(others) > 3 else "")
            print(f"poise.bulk: {job.positions}: {len(others)} files are no Parquet and left out: {some}", file=sys.stderr)
        try:
            Path(job.out).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HostError(f"--out {job.out}: {error.strerror}") from None
        stamps, damaged = finished(job, partitions)
        for path in damaged:
            print(f"poise.bulk: {path}: is not what {MANIFEST} says; computed again", file=sys.stderr)
        skipped = len(stamps)
        open_ones = [partition for partition in partitions if partition.key not in stamps]
        progress = Progress(len(open_ones))
        uses_ray = options.engine == "ray" and bool(open_ones)
        with _engines.cluster(options.workers, options.address) if uses_ray else contextlib.nullcontext():
            start = time.monotonic()
            reports = _engines.ray(open_ones, options.workers) if uses_ray else _engines.local(open_ones)
            for report in reports:
                progress.add(report["rows_in"])
                stamps[report["partition"]] = report["output"]
            passed = time.monotonic() - start
        progress.end()
        manifest = collect(job, partitions, stamps)
        sweep(Path(job.out))
        for path in strays(job, partitions):
            print(f"poise.bulk: {path}: is not of these positions, nor in {MANIFEST}", file=sys.stderr)
    except (PoiseError, OSError) as error:
        print(f"poise.bulk: {error}", file=sys.stderr)
        return 1
    except ImportError as error:
        print(f"poise.bulk: {error}: pip install 'ray[data]'", file=sys.stderr)
        return 1
    print(
        f"{progress.done} partitions, {progress.legs:,} legs, {len(manifest['inputs']['scenarios']['titles'])} scenarios "
        f"in {passed:.1f} s; {skipped} were there"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
