"""A million options from NumPy and Arrow beside the C function on the same memory, in one process, interleaved.

Price and eight Greeks, full form, one thread, results into given memory. Prints medians of 15 rounds in nanoseconds per
option, the ratio to C of each round's times (median), and where the columns lie, for the caller and for the kernel.
Then what single calls cost.
"""
import ctypes
import glob
import os
import statistics
import time

import numpy as np
import poise
import pyarrow as pa
from poise import _native

folder = os.path.dirname(poise.__file__)
bundled = glob.glob(f"{folder}.libs/libpoise*") or glob.glob(f"{folder}/../poise.libs/libpoise*") or [os.environ.get("POISE_LIBRARY", "")]
library = ctypes.CDLL(bundled[0])
N, BROADCAST = 1_000_000, -(1 << 63)


class Column(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("stride", ctypes.c_ssize_t)]


class FullForm(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("count", ctypes.c_size_t), ("model", ctypes.c_int)] + [
        (name, Column) for name in "type spot strike years volatility rate dividend".split()]


rng = np.random.default_rng(1)
columns = dict(type=rng.integers(0, 2, N).astype(np.uint8), spot=rng.uniform(50, 150, N), strike=rng.uniform(50, 150, N),
               years=rng.uniform(0.01, 3, N), vol=rng.uniform(0.05, 1.5, N), rate=rng.uniform(0, 0.1, N),
               dividend=rng.uniform(0, 0.1, N))
out = poise.greeks(**columns)
engine = ctypes.c_void_p()
assert library.poise_engine_create(None, ctypes.byref(engine)) == 0
form = FullForm(ctypes.sizeof(FullForm), N, 0, *(Column(array.ctypes.data, 0) for array in columns.values()))
results = (Column * 9)(*(Column(array.ctypes.data, 0) for array in out.values()))
table = pa.table(columns)


def by_c():
    assert library.poise_greeks(engine, ctypes.byref(form), 0x3BF, results, ctypes.c_size_t(9), None) == 0


ways = {"C": by_c, "NumPy": lambda: poise.greeks(**columns, out=out), "Arrow": lambda: poise.greeks(table, out=out)}
try:
    import polars

    frame = polars.from_arrow(table)
    ways["Polars"] = lambda: poise.greeks(frame, out=out)
except ImportError:
    pass
for call in ways.values():
    call()
times = {way: [] for way in ways}
for _ in range(15):
    for way, call in ways.items():
        start = time.perf_counter_ns()
        call()
        times[way].append((time.perf_counter_ns() - start) / N)
print(f"{_native.instruction_set()}, NumPy {np.__version__}, pyarrow {pa.__version__}; a million options, 9 outputs")
for way, taken in times.items():
    ratio = statistics.median(own / c for own, c in zip(taken, times["C"]))
    print(f"{way:8} {statistics.median(taken):7.2f} ns, least {min(taken):6.2f}, {ratio:6.3f} × C")
seen = _native.import_arrow(table, {"spot": ord("f")}, False)[0]["spot"].ctypes.data
print(f"spot of the Arrow table at {table['spot'].chunk(0).buffers()[1].address:#x}, read at {seen:#x}")
print(f"delta written at {out['delta'].ctypes.data:#x}, in pyarrow.table(out) at {pa.table(out)['delta'].chunk(0).buffers()[1].address:#x}")

eight = {name: array[:8].copy() for name, array in columns.items()}
small = poise.greeks(**eight)
chain = dict(type=0, spot=100.0, strike=100.0, years=1.0, vol=0.2)
for what, call in {
    "8 options, out=": lambda: poise.greeks(**eight, out=small), "8 options": lambda: poise.greeks(**eight),
    "1 option, numbers": lambda: poise.greeks(**chain), "1 option, delta": lambda: poise.greeks(**chain, greeks="delta"),
    "implied_vol, 8": lambda: poise.implied_vol(*(eight[k] for k in ("type", "spot", "strike", "years")), small["price"]),
}.items():
    taken = []
    for _ in range(9):
        start = time.perf_counter_ns()
        for _ in range(20_000):
            call()
        taken.append((time.perf_counter_ns() - start) / 20_000)
    print(f"{what:20} {statistics.median(taken):6.0f} ns a call, least {min(taken):6.0f}")
