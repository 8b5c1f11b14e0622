"""A night's books from Parquet, in bulk: every leg or book with its exposures and its profit in every scenario.

    python -m poise.bulk --positions DIR --chain FILE --scenarios GRID --out DIR [--by leg] [--engine ray]

`revalue` is the whole computation of a batch, a pure function from Arrow to Arrow: the same one runs in this process, on
Ray, under Spark's mapInArrow, and on Polars or DuckDB data (docs/bulk.md).
"""
from ._market import Market, net, revalue
from ._partitions import Job, Partition, collect, plan, recompute

__all__ = ["Job", "Market", "Partition", "collect", "net", "plan", "recompute", "revalue"]
