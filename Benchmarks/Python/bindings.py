"""What a call from Python costs before any work is done, by way of binding.

Seven NumPy columns in, nine out by `out=`, all keywords, through ctypes, cffi (API mode), nanobind and a C extension;
all call the same C function, which does nothing. Nanoseconds per call, median and least of 15 interleaved rounds.
"""
import ctypes
import importlib
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import cffi
import nanobind
import numpy as np

here = Path(__file__).resolve().parent
work = Path(tempfile.mkdtemp())
include = ["-I", sysconfig.get_paths()["include"], "-I", str(here)]


def compile(compiler, output, *arguments):
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(work / output), *include, *arguments], check=True)


compile("cc", "libtarget.so", str(here / "target_library.c"))
compile("cc", "target_module.abi3.so", "-I", np.get_include(), str(here / "target_module.c"))
nb = Path(nanobind.include_dir())
compile("c++", "target_nanobind.so", "-std=c++17", "-fvisibility=hidden", "-DNDEBUG", "-I", str(nb),
        "-I", str(nb.parent / "ext/robin_map/include"), str(nb.parent / "src/nb_combined.cpp"), str(here / "target_nanobind.cpp"))
builder = cffi.FFI()
builder.cdef("""typedef struct { const uint8_t *type; const double *spot, *strike, *years, *volatility, *rate, *dividend; }
target_columns; int target(const target_columns *in, size_t count, double **out);""")
builder.set_source("target_cffi", """#include "target.h"
static int target(const target_columns *in, size_t count, double **out) { return target_greeks(in, count, out); }""",
                   include_dirs=[str(here)], extra_compile_args=["-O2"])
builder.compile(tmpdir=str(work))
sys.path.insert(0, str(work))
module, nano, cff = (importlib.import_module(name) for name in ("target_module", "target_nanobind", "target_cffi"))


class Columns(ctypes.Structure):
    _fields_ = [(n, ctypes.c_void_p) for n in "type spot strike years volatility rate dividend".split()]


library = ctypes.CDLL(str(work / "libtarget.so"))
Nine = ctypes.c_void_p * 9


def by_ctypes(type, spot, strike, years, vol, rate, dividend, out):
    # The checks that the others make: kind, layout.
    for a in (spot, strike, years, vol, rate, dividend, *out):
        if a.dtype != np.float64 or not a.flags.c_contiguous:
            raise TypeError
    given = Columns(*(a.ctypes.data for a in (type, spot, strike, years, vol, rate, dividend)))
    return library.target(ctypes.byref(given), ctypes.c_size_t(len(type)), Nine(*(a.ctypes.data for a in out)))


ffi, lib = cff.ffi, cff.lib


def by_cffi(type, spot, strike, years, vol, rate, dividend, out):
    # from_buffer checks layout and, by the item's size, the kind.
    hold = ffi.from_buffer("double[]", spot), ffi.from_buffer("double[]", strike), ffi.from_buffer("double[]", years), \
        ffi.from_buffer("double[]", vol), ffi.from_buffer("double[]", rate), ffi.from_buffer("double[]", dividend)
    given = ffi.new("target_columns *", [ffi.from_buffer("uint8_t[]", type), *hold])
    return lib.target(given, len(type), ffi.new("double*[]", [ffi.from_buffer("double[]", a) for a in out]))


types, spots, strikes, times_left, vols, rates, dividends = np.zeros(8, np.uint8), *np.ones((6, 8))
columns = tuple(np.zeros(8) for _ in range(9))
ways = {"C extension, NumPy's accessors": module.greeks, "nanobind": nano.greeks, "cffi, API mode": by_cffi, "ctypes": by_ctypes}
times = {way: [] for way in ways}
for _ in range(15):
    for way, call in ways.items():
        rounds = 20_000
        start = time.perf_counter_ns()
        for _ in range(rounds):
            call(type=types, spot=spots, strike=strikes, years=times_left, vol=vols, rate=rates, dividend=dividends,
                 out=columns)
        times[way].append((time.perf_counter_ns() - start) / rounds)
print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}")
for way, taken in times.items():
    print(f"{way:32} {statistics.median(taken):8.0f} {min(taken):8.0f}")
