"""Value at risk of books by a million draws: `poise var` beside numpy on the same kind of problem, in turn.

    POISE=.build/release/poise python3 Benchmarks/Peers/value_at_risk.py

Both draw four factors (two coins, price and volatility), put them through the delta-gamma-vega expansion of twenty
books, and take VaR and expected shortfall at two levels of every book and of all; one thread. Poise also computes the
components. Its times are those that it prints: draws, books through them, tails.
"""
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "Examples/sample"
DRAWS, BOOKS, LEVELS, ROUNDS = 1_000_000, 20, (0.95, 0.99), 7


def poise():
    """Milliseconds by step."""
    command = [
        os.environ.get("POISE", ROOT / ".build/release/poise"), "var", "--chain", SAMPLE / "chain.csv",
        "--positions", SAMPLE / "positions.csv", "--history", f"BTC={SAMPLE / 'btc-1d.csv'}",
        "--history", f"ETH={SAMPLE / 'eth-1d.csv'}", "--method", "delta-gamma-vega", "--scenarios", str(DRAWS),
        "--by", "book", "--format", "json"]
    report = json.loads(subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE).stdout)
    return report["milliseconds"], np.array(report["covariance"]["per_step"])


def figures(gains):
    """VaR and shortfall of rows of gains."""
    count = gains.shape[1]
    for level in LEVELS:
        tail = int(np.ceil(count * (1 - level)))
        lowest = np.partition(gains, (tail, tail + 1), axis=1)
        yield -lowest[:, tail], -lowest[:, :tail].mean(axis=1)


def numpy(rng, factor, coefficients):
    marks = [time.perf_counter()]
    moves = rng.standard_normal((DRAWS, 4)) @ factor.T
    marks.append(time.perf_counter())
    gains = np.zeros((BOOKS + 1, DRAWS))
    for coin in range(2):
        r, v = moves[:, 2 * coin], moves[:, 2 * coin + 1]
        gains[:BOOKS] += coefficients[coin] @ np.stack([r, r * r / 2, v, v * v / 2, r * v])
    gains[BOOKS] = gains[:BOOKS].sum(axis=0)
    marks.append(time.perf_counter())
    list(figures(gains))
    marks.append(time.perf_counter())
    return [1000 * (b - a) for a, b in zip(marks, marks[1:])]


def main():
    rng = np.random.default_rng(1)
    _, covariance = poise()
    factor = np.linalg.cholesky(covariance + 1e-12 * np.trace(covariance) * np.eye(4))
    coefficients = rng.standard_normal((2, BOOKS, 5))
    own, others = [], []
    for _ in range(ROUNDS):
        steps, _ = poise()
        own.append([steps["scenarios"], steps["value"], steps["sort"]])
        others.append(numpy(rng, factor, coefficients))
    rows = [[statistics.median(row[step] for row in rounds) for step in range(3)] for rounds in (own, others)]
    print(f"{DRAWS:,} draws, {BOOKS} books, milliseconds".ljust(44) + "   draw   value   tails     all")
    for name, row in zip(("Poise", f"numpy {np.__version__}"), rows):
        print(name.ljust(44) + "".join(f"{value:8.1f}" for value in row + [sum(row)]))
    print(f"numpy takes {sum(rows[1]) / sum(rows[0]):.2f} of the time of Poise")


if __name__ == "__main__":
    sys.exit(main())
