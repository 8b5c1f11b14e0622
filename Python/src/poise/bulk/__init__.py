"""A night's books from Parquet, in bulk: every leg or book with its exposures and its profit in every scenario.

    python -m poise.bulk --positions DIR --chain FILE --scenarios GRID --out DIR [--by leg] [--engine ray]

`revalue` is the whole computation of a batch, a pure function from Arrow to Arrow: the same one runs in this process, on
Ray, under Spark's mapInArrow, and on Polars or DuckDB data (docs/bulk.md).
"""
import sys

try:
    from ._market import Market, net, revalue
    from ._partitions import Job, Partition, collect, finished, plan, recompute, strays
except ModuleNotFoundError as error:
    if error.name != "pyarrow":
        raise
    error.msg = f"poise.bulk: {error}: pip install pyarrow"
    if sys.argv[:1] == ["-m"]:  # python -m poise.bulk
        sys.exit(error.msg)
    raise

__all__ = ["Job", "Market", "Partition", "collect", "finished", "net", "plan", "recompute", "revalue", "strays"]
