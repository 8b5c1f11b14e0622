"""The wheel brings the command line tool."""
import subprocess
import sys
from pathlib import Path

import poise
import pytest
from conftest import SAMPLE


def test_the_wheel_has_the_tool(tool):
    script = Path(sys.executable).with_name("poise")
    if not (Path(poise.__file__).parent / "bin/poise").exists():
        pytest.skip("the package alone is installed, without the wheel's tool")
    arguments = ["risk", "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--format", "csv"]
    printed = subprocess.run([script, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert printed == tool(*arguments)
    assert subprocess.run([script, "risk", "--chain"], stderr=subprocess.DEVNULL).returncode == 2
