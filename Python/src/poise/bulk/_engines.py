"""Where partitions are computed: here, or on Ray."""
from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import socket
from collections.abc import Iterator, Sequence
from typing import Any, Dict, Optional

from .._errors import HostError, PoiseError
from ._partitions import Partition, recompute


def local(partitions: Sequence[Partition]) -> Iterator[Dict[str, Any]]:
    """In this process, one after another."""
    for partition in partitions:
        yield _outcome(partition, recompute(partition))


def _outcome(partition: Partition, report: Dict[str, Any]) -> Dict[str, Any]:
    return {"partition": partition.key, "rows_in": report["rows_in"], "output": report.get("output")}


class _Worker:
    """On Ray, a process that stays for the whole run: it keeps the market of its last dates."""

    def __call__(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """One row of Ray's dataset: errors come back as data, so that Ray repeats only what a lost worker left."""
        partition = Partition.from_json(row["partition"])
        try:
            outcome = _outcome(partition, partition.report() or recompute(partition))
            return {"outcome": json.dumps(outcome), "error": ""}
        except PoiseError as error:
            return {"outcome": "", "error": str(error)}


def _require_answer(address: str) -> None:
    """Refuses a host:port where nobody listens: Ray itself would try for minutes."""
    place = re.fullmatch(r"(?:ray://)?\[?(.+?)\]?:(\d+)", address)
    if place:
        try:
            socket.create_connection((place[1], int(place[2])), timeout=10).close()
        except (OSError, OverflowError) as error:
            raise HostError(f"--address {address}: {error}") from None


@contextlib.contextmanager
def cluster(workers: Optional[int], address: Optional[str]) -> Iterator[None]:
    """Ray, at an address; without one, started on this machine with `workers` cores (default: all) for the while."""
    # Ray warns of many things that are no concern of one who recomputes books.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if address:
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")  # a try alone takes 40 s where something else listens
    import ray as engine
    import ray.data  # noqa: F401

    started = not engine.is_initialized()
    if started:
        own: Dict[str, Any] = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": 128 << 20}
        if address:
            own = {}
            _require_answer(address)
        try:
            engine.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **own)
        except (OSError, ValueError, RuntimeError) as error:
            raise HostError(f"--address {address}: {error}" if address else f"Ray: {error}") from None
    context = engine.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if started and not address:
        list(engine.data.from_items([0]).map(lambda row: row).iter_rows())  # Ray Data's own services start with its first work
    try:
        yield
    finally:
        if started:
            engine.shutdown()


def ray(partitions: Sequence[Partition], workers: Optional[int]) -> Iterator[Dict[str, Any]]:
    """On Ray Data, by workers of one core each; what a lost one left is computed again by others."""
    import ray as engine

    rows = [{"partition": partition.to_json()} for partition in partitions]
    cores = workers or int(engine.cluster_resources().get("CPU", 1))
    dataset = engine.data.from_items(rows, override_num_blocks=min(len(rows), 100 * cores))
    # The next task waits at the worker, not the worker for the next task.
    pool = engine.data.ActorPoolStrategy(size=min(cores, len(rows)), max_tasks_in_flight_per_actor=2)
    for row in dataset.map(_Worker, num_cpus=1, compute=pool).iter_rows():
        if row["error"]:
            raise PoiseError(row["error"])
        yield json.loads(row["outcome"])
