"""What tests share. The command-line tool (POISE_TOOL) answers the same questions through Swift."""
import csv
import os
import subprocess
from pathlib import Path

import numpy as np
import poise
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "Examples/sample"
SHARED = Path(os.environ.get("POISE_SHARED", ROOT.parent / "shared"))
settings.register_profile("quick", max_examples=60, deadline=None)
settings.load_profile("quick")


def read_csv(text):
    """Columns of a table: numbers where all are."""
    rows = list(csv.DictReader(text.splitlines()))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for name, values in columns.items():
        try:
            columns[name] = np.array([float(value) for value in values])
        except ValueError:
            pass
    return columns


@pytest.fixture
def tool():
    path = os.environ.get("POISE_TOOL")
    if not path:
        pytest.skip("POISE_TOOL names no command-line tool to compare with")
    return lambda *arguments, statuses=(0,): run_tool(path, arguments, statuses)


def run_tool(path, arguments, statuses):
    done = subprocess.run([path, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    assert done.returncode in statuses, done.returncode
    return done.stdout


@pytest.fixture
def reference():
    """Options with Greeks that were computed in 60 digits."""
    return read_csv((ROOT / "Tests/GreeksTests/Fixtures/european.csv").read_text())


@pytest.fixture(scope="session")
def chain():
    return poise.Chain.read(SAMPLE / "chain.csv")


@pytest.fixture(scope="session")
def positions():
    return poise.Positions.read(SAMPLE / "positions.csv")


INPUTS = ("type", "spot", "strike", "years", "vol", "rate", "dividend")


def random_options(count, seed=1):
    rng = np.random.default_rng(seed)
    return {
        "type": rng.integers(0, 2, count).astype(np.uint8), "spot": rng.uniform(50, 150, count),
        "strike": rng.uniform(50, 150, count), "years": rng.uniform(0.01, 3, count), "vol": rng.uniform(0.05, 1.5, count),
        "rate": rng.uniform(-0.02, 0.1, count), "dividend": rng.uniform(-0.02, 0.1, count)}


def same_bits(one, other):
    return all(np.asarray(one[name]).tobytes() == np.asarray(other[name]).tobytes() for name in other)
