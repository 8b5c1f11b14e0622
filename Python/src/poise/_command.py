"""The command line tool that the wheel brings, as a script on the PATH."""

import os
import sys
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """Becomes the tool, with this process's arguments."""
    tool = Path(__file__).with_name("bin") / "poise"
    if not tool.exists():
        sys.exit("poise: this installation has the Python package alone; wheels made by scripts/wheel have the tool, too")
    os.execv(tool, ["poise", *sys.argv[1:]])
