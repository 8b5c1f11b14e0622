"""Grids of scenarios, and what legs and books gain in them."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, List, Optional, Tuple, Union

import numpy as np

from . import _native
from ._columns import Columns, is_table
from ._desk import Chain, Positions, _groupings, _is_coin, _names, _Readable
from ._tables import legs

_STICKINESS = ("strike", "moneyness", "delta")
#: Of `Grid.axes`: what results are addressed by.
_AXES = ("spot", "vol", "days", "rate")


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
        self._origin = ("text", text, "grid")
        self._handle = _native.grid_parse(text, "grid")

    @property
    def axes(self) -> Columns:
        """The moves of each scenario as numbers, a row each.

        spot : float64, relative: −0.1 is a fall by 10%. vol : text, the rule's name. days : float64. rate : float64, added
        per year. dampening : float64, by which profits are multiplied. stickiness : text, "strike", "moneyness" or "delta".
        """
        rules, rows = _native.grid_scenarios(self._handle)
        return Columns(
            spot=rows[:, 0].copy(), vol=np.array(rules, dtype=object)[rows[:, 4].astype(np.int64)], days=rows[:, 1].copy(),
            rate=rows[:, 2].copy(), dampening=rows[:, 3].copy(),
            stickiness=np.array(_STICKINESS, dtype=object)[rows[:, 5].astype(np.int64)])

    @property
    def titles(self) -> List[str]:
        """What each scenario is: "-16%, vol up, 1 day"."""
        return _native.grid_titles(self._handle)

    def __len__(self) -> int:
        return len(self.titles)

    def __repr__(self) -> str:
        return f"Grid({len(self)} scenarios)"


class ScenarioProfits(Columns):
    """What groups gain in every scenario: Columns of labels, then a column per scenario by its title; with numbers for axes.

    Attributes
    ----------
    by : tuple of str
        What groups are made of: the names of the labels.
    axes : Columns
        `Grid.axes`, one row per scenario.
    profits : (groups, scenarios) float64, of which the columns are views
    """

    by: Tuple[str, ...]
    axes: Columns
    profits: Any

    def __reduce__(self) -> Tuple[Any, ...]:
        return _profits, (dict(self), self.by, self.axes, self.profits)

    def to_pandas(self, numeric: bool = False) -> Any:
        """A pandas DataFrame; with `numeric` the labels are its index, and the columns are addressed by spot, vol, days and
        rate, of which those are left out that are the same throughout.
        """
        import pandas

        if not numeric:
            return super().to_pandas()
        def index(table: Columns, names: Sequence[str]) -> Any:
            if len(names) == 1:
                return pandas.Index(table[names[0]], name=names[0])
            return pandas.MultiIndex.from_arrays([table[name] for name in names], names=names)

        return pandas.DataFrame(self.profits, index=index(self, self.by), columns=index(self.axes, self._moving()))

    def to_xarray(self) -> Any:
        """An xarray DataArray: groups by their labels, and where the scenarios are all combinations of their moves, a dimension
        for each of spot, vol, days and rate that moves; else one dimension, scenario, with these as coordinates.
        """
        import xarray

        labels = [" ".join(map(str, row)) for row in zip(*(self[name] for name in self.by))]
        names = self._moving()
        values = {name: list(dict.fromkeys(self.axes[name].tolist())) for name in names}
        sizes = [len(values[name]) for name in names]
        places = [tuple(values[name].index(self.axes[name][k]) for name in names) for k in range(self.profits.shape[1])]
        own = {name: ("group", self[name]) for name in self.by}
        if len(set(places)) == len(places) == int(np.prod(sizes)):
            cube: Any = np.empty((len(labels), *sizes))
            for k, place in enumerate(places):
                cube[(slice(None), *place)] = self.profits[:, k]
            return xarray.DataArray(cube, dims=("group", *names), coords={"group": labels, **own, **values}, name="profit")
        along = {name: ("scenario", self.axes[name]) for name in _AXES}
        return xarray.DataArray(
            self.profits, dims=("group", "scenario"), coords={"group": labels, **own, **along}, name="profit")

    def plot(self, row: int = 0, ax: Any = None) -> Any:
        """A group's profit over the moves of price, a line for each rule of volatility, with matplotlib; returns the axes."""
        from . import _plots

        return _plots.ladder(self, row, ax)

    def _moving(self) -> List[str]:
        return [name for name in _AXES if len(set(self.axes[name].tolist())) > 1] or ["spot"]


def _profits(columns: Mapping[str, Any], by: Tuple[str, ...], axes: Columns, profits: Any) -> ScenarioProfits:
    made = ScenarioProfits(columns)
    made.by, made.axes, made.profits = by, axes, profits
    return made


def scenarios(
    chain: Chain, positions: Positions, grid: Grid, by: Sequence[str] = ("book", "underlying"), numeraire: str = "usd"
) -> ScenarioProfits:
    """What groups of positions gain in every scenario, by full revaluation off the latest ticker of each contract.

    Parameters
    ----------
    by : of "book", "underlying", "expiry", "instrument"
        What groups are made of.
    numeraire : "usd" or "coin"

    Returns
    -------
    ScenarioProfits
        A label (text) for each of `by`, then (groups,) float64 by scenario, named by its title; equal titles are
        numbered. The columns are views of one (groups, scenarios) matrix, `profits`; `axes` has the moves as numbers.

    Raises
    ------
    UnknownNameError
        For a position whose contract the chain has no price for.
    """
    names = _names(by)
    labels, matrix = _native.scenario_profits(
        chain._handle, positions._handle, grid._handle, _is_coin(numeraire), _groupings(names)
    )
    labelled = zip(names, (np.array(label, dtype=object) for label in labels))
    columns = _profits(dict(labelled), names, grid.axes, matrix)
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
