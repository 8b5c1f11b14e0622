"""Where partitions are computed: here, or on Ray."""
from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any, Dict, Optional

from .._errors import InputError
from ._partitions import Partition, recompute


def local(partitions: Sequence[Partition]) -> Iterator[Dict[str, Any]]:
    """In this process, one after another."""
    for partition in partitions:
        yield recompute(partition)


def _on_worker(row: Dict[str, Any]) -> Dict[str, Any]:
    """One row of Ray's dataset: input errors come back as data, so that Ray repeats only what a lost worker left."""
    partition = Partition.from_json(row["partition"])
    try:
        return {"rows": (partition.report() or recompute(partition))["rows_in"], "error": ""}
    except InputError as error:
        return {"rows": 0, "error": str(error)}


@contextlib.contextmanager
def cluster(workers: Optional[int], address: Optional[str]) -> Iterator[None]:
    """Ray, at an address; without one, started on this machine with `workers` cores (default: all) for the while."""
    # Ray warns of many things that are no concern of one who recomputes books.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray as engine

    started = not engine.is_initialized()
    if started:
        own: Dict[str, Any] = {} if address else {"num_cpus": workers, "include_dashboard": False, "object_store_memory": 128 << 20}
        engine.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **own)
    try:
        yield
    finally:
        if started:
            engine.shutdown()


def ray(partitions: Sequence[Partition], workers: Optional[int]) -> Iterator[Dict[str, Any]]:
    """On Ray Data, tasks of some partitions, one core each; what lost workers left is computed again by others."""
    import ray as engine

    context = engine.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = [{"partition": partition.to_json()} for partition in partitions]
    # Between tasks a worker waits for the next: a few partitions each, and few enough that all end together.
    cores = workers or int(engine.cluster_resources().get("CPU", 1))
    dataset = engine.data.from_items(rows, override_num_blocks=min(len(rows), 5 * cores))
    done = dataset.map(_on_worker, num_cpus=1, concurrency=workers)
    for row in done.iter_rows():
        if row["error"]:
            raise InputError(row["error"])
        yield {"rows_in": row["rows"]}
