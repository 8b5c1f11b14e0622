"""Grids of scenarios, and what legs and books gain in them."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, List, Optional, Union

import numpy as np

from . import _native
from ._columns import Columns, is_table
from ._desk import Chain, Positions, _groupings, _is_coin, _names, _Readable
from ._tables import legs


class Grid(_Readable):
    """By how much prices, volatilities, rates and time move; never changes, and threads may share it.

    Parameters
    ----------
    grid : dict with the fields of `poise scenarios --grid` (JSON), or its text
        `{"vol_rules": {"up": {"relative": 0.5}}, "scenarios": [{"spot": [-0.1, 0, 0.1], "vol": ["up"], "days": 1}]}`:
        each entry stands for all combinations of what it lists; spot −0.1 is a fall by 10%.
    """

    _from_file = staticmethod(_native.grid_read)
    _from_text = staticmethod(_native.grid_parse)

    def __init__(self, grid: Union[Mapping[str, Any], str, bytes]) -> None:
        text = grid if isinstance(grid, (str, bytes)) else json.dumps(grid)
        self._handle = _native.grid_parse(text, "grid")

    @property
    def titles(self) -> List[str]:
        """What each scenario is: "-16%, vol up, 1 day"."""
        return _native.grid_titles(self._handle)

    def __len__(self) -> int:
        return len(self.titles)

    def __repr__(self) -> str:
        return f"Grid({len(self)} scenarios)"


def scenarios(
    chain: Chain, positions: Positions, grid: Grid, by: Sequence[str] = ("book", "underlying"), numeraire: str = "usd"
) -> Columns:
    """What groups of positions gain in every scenario, by full revaluation off the latest ticker of each contract.

    Parameters
    ----------
    by : of "book", "underlying", "expiry", "instrument"
        What groups are made of.
    numeraire : "usd" or "coin"

    Returns
    -------
    Columns
        A label (text) for each of `by`, then (groups,) float64 by scenario, named by its title; equal titles are
        numbered. The columns are views of one (groups, scenarios) matrix.

    Raises
    ------
    UnknownNameError
        For a position whose contract the chain has no price for.
    """
    names = _names(by)
    labels, matrix = _native.scenario_profits(
        chain._handle, positions._handle, grid._handle, _is_coin(numeraire), _groupings(names)
    )
    columns = Columns(zip(names, (np.array(label, dtype=object) for label in labels)))
    for number, title in enumerate(grid.titles):
        copy, name = 1, title
        while name in columns:
            copy += 1
            name = f"{title} ({copy})"
        columns[name] = matrix[:, number]
    return columns


def leg_scenarios(
    grid: Grid, type: Any, spot: Any = None, strike: Any = None, years: Any = None, vol: Any = None, rate: Any = None,
    dividend: Any = None, *, numeraire: str = "usd", out: Optional[Any] = None,
) -> Any:
    """What a long unit of each leg gains in every scenario, each leg with its own market.

    Parameters
    ----------
    type, spot, strike, years, vol, rate, dividend : (n,) arrays or numbers; or one table that has them
        As of `greeks`; rate and dividend are 0 unless given. A forward or a coin is a call struck at 0.
    numeraire : "usd" or "coin"
        V' − V in the currency of spot; or V'/S' − V/S.
    out : (n, scenarios) float64 by rows, optional
        Memory to write to.

    Returns
    -------
    (n, scenarios) float64
    """
    needed = {"spot": spot, "strike": strike, "years": years, "vol": vol}
    if is_table(type):
        if any(column is not None for column in (*needed.values(), rate, dividend)):
            raise TypeError("expected a table or columns, not both")
        type, spot, strike, years, vol, rate, dividend = legs(type)
    else:
        for name, column in needed.items():
            if column is None:
                raise TypeError(f"leg_scenarios() needs {name}")
        rate, dividend = 0.0 if rate is None else rate, 0.0 if dividend is None else dividend
    return _native.scenario_legs(grid._handle, _is_coin(numeraire), type, spot, strike, years, vol, rate, dividend, out)
