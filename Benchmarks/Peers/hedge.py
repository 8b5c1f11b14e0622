"""Other solvers on the hedge problems of a file, one row each: hedge.py FILE.json [ticks]

With `ticks` DAQP alone, from tick to tick, those without a solution included.

The same problems: bought and sold amounts and the excesses of soft bands as variables, everything in units of its
limit, rows of largest entry 1. Times are those that the solvers report of themselves, set-up included where they
are cold; answers are compared with DAQP's or, where it is missing, among each other.
"""
import json
import os
import sys

import numpy as np


def form(p):
    instruments, bands = p["instruments"], p["bands"]
    n = len(instruments)
    soft = [r for r, b in enumerate(bands) if not b["hard"]]
    m = 2 * n + 2 * len(soft)
    limit = np.array([d["maxBuy"] for d in instruments] + [d["maxSell"] for d in instruments])
    unit = np.concatenate([limit, np.ones(2 * len(soft))])
    c, h = np.zeros(m), np.zeros(m)
    c[: 2 * n] = [d["costBuy"] for d in instruments] + [d["costSell"] for d in instruments]
    h[: 2 * n] = [2 * d["impact"] for d in instruments] * 2
    rows, low, high = [], [], []
    for r, b in enumerate(bands):
        a = np.zeros(m)
        for i, x in zip(b["idx"], b["coef"]):
            a[i] += x
            a[n + i] -= x
        a *= unit
        scale = np.abs(a).max()
        a /= scale
        if not b["hard"]:
            k = 2 * n + 2 * soft.index(r)
            a[k], a[k + 1] = 1, -1
            c[k] = c[k + 1] = b["penalty"] * scale
            h[k] = h[k + 1] = b["penaltyQuad"] * scale * scale
        rows.append(a)
        low.append((b["lo"] - b["current"]) / scale)
        high.append((b["hi"] - b["current"]) / scale)
    for values, bound in (
        ([d["margin"] for d in instruments] * 2, p["marginLimit"]),
        ([d["cash"] + d["costBuy"] for d in instruments] + [d["costSell"] - d["cash"] for d in instruments], p["budget"]),
    ):
        if bound is None:
            continue
        a = np.zeros(m)
        a[: 2 * n] = np.array(values) * limit
        scale = np.abs(a).max()
        rows.append(a / scale)
        low.append(-1e20)
        high.append(bound / scale)
    c[: 2 * n] *= limit
    h[: 2 * n] *= limit * limit
    scale = np.abs(c[: 2 * n]).mean()
    upper = np.concatenate([np.ones(2 * n), np.full(2 * len(soft), 1e20)])
    return h / scale, c / scale, np.array(rows), np.array(low), np.array(high), upper


def daqp(problems, warm):
    import daqp as library

    for h, c, A, low, high, upper in problems:
        _, value, _, info = library.solve(*daqp_form(h, c, A, low, high, upper))
        yield (info["solve_time"] + info["setup_time"]) * 1e6, value


def daqp_form(h, c, A, low, high, upper):
    upper, lower = np.concatenate([upper, high]), np.concatenate([np.zeros(len(c)), low])
    return np.diag(h), c, A, upper, lower, np.zeros(len(upper), dtype=np.int32)


def daqp_ticks(problems, counts_update):
    """From tick to tick in C (daqp.c): Python's calls would take longer than the solver."""
    import ctypes

    if "POISE_DAQP" not in os.environ:
        raise ImportError("scripts/bench-peers builds it from DAQP's sources")
    run = ctypes.CDLL(os.environ["POISE_DAQP"]).ticks
    forms = [daqp_form(*p)[:5] for p in problems]
    columns = [np.ascontiguousarray(np.stack(parts)) for parts in zip(*forms)]
    times = [np.zeros(len(problems)) for _ in range(3)]
    pointer = lambda a: a.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
    n, rows = columns[1].shape[1], columns[2].shape[1]
    flag = run(len(problems), n, rows, *map(pointer, columns + times))
    if flag and not all_ticks:
        print(f"    DAQP: flag {flag} on the way")
    update, solve, values = times
    for k, value in enumerate(values):
        yield (solve[k] + counts_update * update[k]) if k else None, value


def daqp_iterations(problems, warm):
    return daqp_ticks(problems, False)


def daqp_with_update(problems, warm):
    return daqp_ticks(problems, True)


def clarabel(problems, warm):
    import clarabel as library
    import scipy.sparse as sparse

    settings = library.DefaultSettings()
    settings.verbose = False
    for h, c, A, low, high, upper in problems:
        left, right = np.vstack([A, -A, np.eye(len(c)), -np.eye(len(c))]), np.concatenate([high, -low, upper, np.zeros(len(c))])
        kept = right < 1e19
        solver = library.DefaultSolver(
            sparse.diags(h).tocsc(), c, sparse.csc_matrix(left[kept]), right[kept],
            [library.NonnegativeConeT(int(kept.sum()))], settings)
        answer = solver.solve()
        yield answer.solve_time * 1e6, answer.obj_val


def osqp(problems, warm):
    import osqp as library
    import scipy.sparse as sparse

    for h, c, A, low, high, upper in problems:
        left = sparse.csc_matrix(np.vstack([A, np.eye(len(c))]))
        solver = library.OSQP()
        solver.setup(
            sparse.diags(h).tocsc(), c, left, np.concatenate([low, np.zeros(len(c))]), np.concatenate([high, upper]),
            verbose=False, eps_abs=1e-8, eps_rel=1e-8, max_iter=100000)
        info = solver.solve().info
        yield (info.setup_time + info.solve_time) * 1e6, info.obj_val


def highs(problems, warm):
    import time

    import highspy as library

    for h, c, A, low, high, upper in problems:
        solver = quietly(library.Highs)
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("time_limit", 5.0)
        lp = library.HighsLp()
        lp.num_col_, lp.num_row_, lp.col_cost_ = len(c), len(A), c
        lp.col_lower_, lp.col_upper_, lp.row_lower_, lp.row_upper_ = np.zeros(len(c)), upper, low, high
        lp.a_matrix_.format_ = library.MatrixFormat.kRowwise
        used = [np.nonzero(row)[0] for row in A]
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(u) for u in used])]).astype(np.int32)
        lp.a_matrix_.index_ = np.concatenate(used).astype(np.int32)
        lp.a_matrix_.value_ = np.concatenate([row[u] for row, u in zip(A, used)])
        hessian = library.HighsHessian()
        hessian.dim_, hessian.format_ = len(c), library.HessianFormat.kTriangular
        hessian.start_, hessian.index_, hessian.value_ = np.arange(len(c) + 1), np.arange(len(c)), h
        model = library.HighsModel()
        model.lp_, model.hessian_ = lp, hessian
        solver.passModel(model)
        start = time.perf_counter()
        solver.run()
        yield (time.perf_counter() - start) * 1e6, solver.getInfo().objective_function_value


def quietly(make):
    """HiGHS greets on standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        return make()
    finally:
        os.dup2(kept, 1)
        os.close(kept)


problems = [form(p) for p in json.load(open(sys.argv[1]))]
all_ticks = sys.argv[2:] == ["ticks"]
reference = None
for name, solver, warm in (
    ("DAQP cold", daqp, False), ("DAQP warm, iterations alone", daqp_iterations, True),
    ("DAQP warm, with its update", daqp_with_update, True), ("Clarabel cold", clarabel, False),
    ("OSQP cold", osqp, False), ("HiGHS cold", highs, False),
):
    if all_ticks and not warm:
        continue
    name = f"  {name}, all {len(problems)}" if all_ticks else "  " + name
    try:
        times, values = [], []
        for _ in range(3 if len(problems[0][1]) < 500 else 1):
            values = []
            for time, value in solver(problems, warm):
                if time is not None:
                    times.append(time)
                values.append(value)
    except ImportError as error:
        print(f"{name}: skipped: {error}")
        continue
    note = ""
    if all_ticks:
        pass
    elif reference is None:
        reference = values
    else:
        wrong = sum(
            1 for a, b in zip(values, reference) if a is not None and abs(a - b) > 1e-4 * max(abs(b), 1e-3))
        if wrong:
            note = f"  {wrong} of {len(values)} answers off by more than 1e-4"
    at = lambda share: np.percentile(times, share)
    print(f"{name:42s}{at(50):9.1f}{at(99):9.1f}{max(times):9.1f}{note}", flush=True)
