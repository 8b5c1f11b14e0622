"""The command line tool that the wheel brings: as a script on the PATH, and as calls that return what it answers."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Dict, List, NoReturn, Optional, Tuple, Union

import numpy as np

from ._columns import Columns
from ._errors import HostError, InputError

#: Exit statuses that are answers: done, limits that cannot be met, not proved, limits breached.
_ANSWERS = (0, 3, 4, 5)


def main() -> NoReturn:
    """Becomes the tool, with this process's arguments."""
    tool = Path(__file__).with_name("bin") / "poise"
    if not tool.exists():
        sys.exit("poise: this installation has the Python package alone; wheels made by scripts/wheel have the tool, too")
    os.execv(tool, ["poise", *sys.argv[1:]])


def tool() -> str:
    """The path of the tool: POISE_TOOL's, the wheel's own, or the PATH's."""
    own = Path(__file__).with_name("bin") / "poise"
    found = os.environ.get("POISE_TOOL") or (str(own) if own.exists() else shutil.which("poise"))
    if not found:
        raise HostError("there is no command line tool here: install the wheel of scripts/wheel, or set POISE_TOOL")
    return found


class Answer(Dict[str, Any]):
    """What a command answered, as its JSON has it.

    Attributes
    ----------
    status : int
        The exit status: 0 done, 3 limits that cannot be met, 4 not proved, 5 limits breached.
    remarks : str
        What it wrote on standard error.
    """

    status: int = 0
    remarks: str = ""


def command(name: str, *arguments: Any, progress: bool = False, **options: Any) -> Answer:
    """Runs a command of the tool in a process of its own, and returns its JSON: what the command line can do, Python can.

        poise.command("hedge", chain="chain.csv", positions="positions.csv", limits="limits.csv", lots=True)["attribution"]

    Parameters
    ----------
    name : "risk", "hedge", "simulate", …; `poise --help` has all
    arguments : further arguments as on the command line
    options : its options by name, `_` for `-`: text, numbers and paths; True for a flag; a list repeats the option; None and
        False leave it out
    progress : whether its progress is shown: as a bar of tqdm where that is installed, else on this process's standard error

    Ctrl-C ends the command, too, and raises KeyboardInterrupt.

    Raises
    ------
    InputError
        For what the command refuses, with its sentence as reason.
    """
    words = [str(name), *map(str, arguments)]
    for option, value in options.items():
        flag = "--" + option.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(flag)
            continue
        for one in value if isinstance(value, (list, tuple)) else [value]:
            words += [flag, os.fspath(one) if isinstance(one, os.PathLike) else repr(one) if isinstance(one, float) else str(one)]
    status, text, remarks = _run([*words, "--format", "json"], progress)
    if status not in _ANSWERS:
        raise InputError(_reason(remarks) or f"exit status {status}", name=f"poise {name}")
    parsed = json.loads(text)
    answer = Answer(parsed if isinstance(parsed, dict) else {"rows": parsed})
    answer.status, answer.remarks = status, remarks
    return answer


def _reason(remarks: str) -> str:
    """What a command says of why it ended, without how it is used."""
    lines: List[str] = []
    for line in remarks.splitlines():
        if line.startswith(("Usage:", "  See ")):
            break
        if line.strip():
            lines.append(line[7:] if line.startswith(("Error: ", "poise: ")) else line)
    return "; ".join(lines)


def _run(words: List[str], progress: bool) -> Tuple[int, str, str]:
    bars = find_spec("tqdm") is not None if progress else False
    shown: Optional[IO[str]] = None if progress and not bars else subprocess.PIPE  # type: ignore[assignment]
    with _Bars(bars) as numbers:
        return _ended(subprocess.Popen(
            [tool(), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=shown, text=True, **numbers))


class _Bars:
    """The numbers of progress that the tool writes (POISE_PROGRESS) as bars of tqdm, in a notebook as in a terminal."""

    def __init__(self, is_on: bool) -> None:
        self._ends = os.pipe() if is_on else None

    def __enter__(self) -> Dict[str, Any]:
        if self._ends is None:
            return {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return {"env": {**os.environ, "POISE_PROGRESS": str(self._ends[1])}, "pass_fds": (self._ends[1],)}

    def __exit__(self, *error: object) -> None:
        if self._ends is not None:
            os.close(self._ends[1])
            self._reader.join()

    def _read(self) -> None:
        bar: Any = None
        with os.fdopen(self._ends[0]) as lines:  # type: ignore[index]
            for line in lines:
                done, count, what = line.rstrip("\n").split(" ", 2)
                if bar is None or bar.desc != what:
                    bar = importlib.import_module("tqdm.auto").tqdm(total=int(count), desc=what)
                bar.update(int(done) - bar.n)
        if bar is not None:
            bar.close()


def _ended(process: subprocess.Popen[str]) -> Tuple[int, str, str]:
    try:
        text, remarks = process.communicate()
    except BaseException:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    return process.returncode, text, remarks or ""


class Simulation:
    """What `simulate` found.

    Attributes
    ----------
    policies : Columns, one row per policy
        policy, family : text; paths, on_frontier and the figures of `poise simulate --format csv` as float64, each with its
        `…_standard_error`: `mean_cost_usd`, `shortfall95_usd`, …
    complete : bool
        Whether all paths were simulated.
    answer : Answer
        All of the command's JSON.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer, self.complete = answer, bool(answer["complete"])
        rows: List[Dict[str, Any]] = answer["policies"]
        names = list(dict.fromkeys(name for row in rows for name in row))
        self.policies = Columns(
            (name, np.array([row.get(name) for row in rows], dtype=object) if isinstance(rows[0].get(name), str)
             else np.array([np.nan if row.get(name) is None else row[name] for row in rows], float)) for name in names)

    def plot(self, ax: Any = None) -> Any:
        """Cost against expected shortfall of the policies, with matplotlib; returns the axes."""
        from . import _plots

        return _plots.frontier(self.policies, ax)

    def __repr__(self) -> str:
        return f"Simulation({len(self.policies['policy'])} policies, {int(self.policies['paths'][0])} paths)"


def simulate(
    config: Union[str, os.PathLike[str], Mapping[str, Any]], *, paths: Optional[int] = None, seed: Optional[int] = None,
    threads: int = 1, resume: Union[str, os.PathLike[str], None] = None, report: Union[str, os.PathLike[str], None] = None,
    against: Optional[int] = None, progress: bool = False,
) -> Simulation:
    """What rebalancing policies cost and what risk they leave, on common paths: `poise simulate`, in a process of its own.

    Parameters
    ----------
    config : a file (TOML), or a dict with its keys (docs/simulation-keys.md)
    paths, seed : in place of the configuration's
    threads : the figures are the same bits for any number
    resume : a file that keeps figures, from which a later call goes on
    report : a file that gets a page with charts
    against : the policy that the others are compared with, from 1
    progress : as of `command`
    """
    options = dict(paths=paths, seed=seed, threads=threads, resume=resume, report=report, against=against)
    if not isinstance(config, Mapping):
        return Simulation(command("simulate", config=config, progress=progress, **options))
    import tempfile

    with tempfile.TemporaryDirectory(prefix="poise-") as folder:
        file = Path(folder, "config.toml")
        file.write_text("".join(f"{_key(name)} = {_toml(value, name)}\n" for name, value in config.items()))
        return Simulation(command("simulate", config=file, progress=progress, **options))


def _key(name: Any) -> str:
    return json.dumps(str(name))


def _toml(value: Any, field: str) -> str:
    """A value as TOML has it; tables stand on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(name)} = {_toml(one, f'{field}.{name}')}" for name, one in value.items()) + "}"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (str, os.PathLike)):
        return json.dumps(os.fspath(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    if isinstance(value, (Sequence, np.ndarray)):
        return "[" + ", ".join(_toml(one, f"{field}[{k}]") for k, one in enumerate(value)) + "]"
    raise InputError(f"a {type(value).__name__} stands in no configuration", field=field)
