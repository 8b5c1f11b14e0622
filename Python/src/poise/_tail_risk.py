"""Value at risk and expected shortfall of books."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, List, Optional, Tuple, Union

import numpy as np

from . import _native
from ._columns import Columns, is_table, numbers, times
from ._desk import _BUCKETS, _GROUPINGS, Chain, Path, Positions, _groupings, _is_coin, _names, buckets_of
from ._errors import HostError, InputError, error_of_file

METHODS = ("historical", "delta-gamma-vega", "monte-carlo")
_VOLATILITY = ("realised", "none")
_COVARIANCE = ("ewma", "ledoit-wolf", "sample")
_MEASURES = ("var", "component_var", "es", "component_es")
#: The candles of a coin: a file, several, or a table with timestamp and close.
Candles = Union[Path, Sequence[Path], Any]


class TailRisk:
    """What `value_at_risk` found. Losses are above 0.

    Attributes
    ----------
    levels : tuple of float
    books : Columns, one row per group
        A label (text) for each of `by`; then for each level float64 `var_95_usd` (the group alone), `component_var_95_usd`
        (its part of the total's), `es_95_usd` and `component_es_95_usd`: expected shortfall. Components add up.
    totals : Columns, one row per total
        total : text, "total"; in coin of several underlyings one for each, "total BTC". Then `var_95_usd` and `es_95_usd`; of
        scenarios that were drawn `var_standard_error_95_usd` and `es_standard_error_95_usd` too.
    starts : (scenarios,) datetime64[ms]
        When each scenario of a history began; empty where they were drawn.
    """

    def __init__(self, handle: object, by: Tuple[str, ...], numeraire: str, levels: Sequence[float], is_drawn: bool) -> None:
        self._handle, self._numeraire, self._is_drawn = handle, numeraire, is_drawn
        labels, names, starts = _native.tail_risk_labels(handle, len(by))
        self.levels = tuple(float(level) for level in levels)
        self.starts = np.zeros(0, "M8[ms]") if is_drawn else starts.astype("M8[ms]")
        self.books = Columns(zip(by, (np.array(label, dtype=object) for label in labels)))
        self.totals = Columns(total=np.array(names, dtype=object))
        for level in self.levels:
            books, totals = self.at(level)
            self.books.update(books)
            self.totals.update(totals)

    def at(self, level: float) -> Tuple[Columns, Columns]:
        """The figures at another level, 0.5 to below 1: columns of groups, and of totals, without their labels."""
        *columns, totals = _native.tail_risk_measures(self._handle, level)
        # 0.975 is 97.5.
        percent = round(level * 1e12) / 1e10
        end = f"{int(percent) if percent == int(percent) else percent}_{self._numeraire}"
        value, component, shortfall, shortfall_component = columns
        groups = Columns(zip((f"{name}_{end}" for name in _MEASURES), (value, component, shortfall, shortfall_component)))
        sums = Columns({f"var_{end}": totals[:, 0].copy(), f"es_{end}": totals[:, 1].copy()})
        if self._is_drawn:
            sums[f"var_standard_error_{end}"], sums[f"es_standard_error_{end}"] = totals[:, 2].copy(), totals[:, 3].copy()
        return groups, sums

    @property
    def gains(self) -> Any:
        """(groups, scenarios) float64: what each group gains in each scenario."""
        return _native.tail_risk_gains(self._handle)

    def __repr__(self) -> str:
        rows = len(next(iter(self.books.values())))
        figures = ", ".join(f"{name} {self.totals[name][0]:,.0f}" for name in list(self.totals)[1:3])
        return f"TailRisk({rows} groups; total {figures})"


def value_at_risk(
    chain: Chain, positions: Positions, history: Mapping[str, Candles], by: Sequence[str] = ("book",), numeraire: str = "usd",
    *, levels: Sequence[float] = (0.95, 0.99), method: str = "historical", horizon: float = 24.0, volatility: str = "realised",
    volatility_history: Optional[Mapping[str, Candles]] = None, term_power: float = 0.5, time_passes: bool = False,
    stride: int = 1, covariance: str = "ewma", decay: float = 0.94, shrinkage: float = 0.0, scenarios: int = 100_000,
    seed: int = 1, desks: Optional[Mapping[str, str]] = None, tenor_days: Optional[Sequence[float]] = None,
    moneyness: Optional[Sequence[float]] = None,
) -> TailRisk:
    """Value at risk and expected shortfall of groups of positions and of all of them, and who contributes what.

    The same figures as `poise var`; parameters have the names of its options.

    Parameters
    ----------
    history : dict
        The candles of each coin, timestamp,open,high,low,close: a file, several that are joined, or a table with timestamp
        and close (Arrow, pandas, Polars, a dict). Moves are those of the close.
    by : as of `exposures`
    numeraire : "usd" or "coin"
    levels : 0.5 to below 1 each; 0.99 for the loss that one scenario in a hundred exceeds
    method : "historical": moves as they happened, every contract valued anew; "delta-gamma-vega": moves drawn from their
        covariance, through the Greeks; "monte-carlo": the same, every contract valued anew
    horizon : hours that a scenario takes
    volatility : "realised": volatilities move with the coin's own, exponentially weighted; "none"
    volatility_history : dict
        Candles of each coin's volatility index, with whose close volatilities move.
    term_power : options of T days beyond 30 take part in moves of volatility by (30/T)^power
    time_passes : whether the horizon passes, so that options decay
    stride : historical: candles from one scenario to the next
    covariance : "ewma", "ledoit-wolf" or "sample", of moves that are drawn
    decay : the weight left after a day, of "ewma" and of realised volatility
    shrinkage : by how much more the covariance is shrunk, 0 to 1
    scenarios, seed : how many are drawn, and from what: the same ones on every machine
    desks, tenor_days, moneyness : as of `exposures`

    Raises
    ------
    InputError
        For a coin that is held and has no history, candles that do not go together, and options out of range.
    """
    names = _names(by)
    places: List[Any] = []
    for field, value, known in (("method", method, METHODS), ("volatility", volatility, _VOLATILITY),
                                ("covariance", covariance, _COVARIANCE)):
        if value not in known:
            raise InputError(f"must be one of {', '.join(known)}", field=field, value=str(value))
        places.append(known.index(value))
    for field, number in (("horizon", horizon), ("decay", decay), ("stride", stride), ("scenarios", scenarios)):
        # 0 would stand for the default.
        if not number > 0:
            raise InputError("must be above 0", field=field, value=float(number))
    indices = volatility_history or {}
    for coin in indices:
        if coin not in history:
            raise InputError("has a history of volatility alone", field="volatility_history", value=coin)
    given = [(coin, _sources(candles, coin), _sources(indices.get(coin, ()), coin)) for coin, candles in history.items()]
    buckets, count = buckets_of(desks, tenor_days, moneyness)
    try:
        handle = _native.tail_risk_create(
            chain._handle, positions._handle, given, _is_coin(numeraire), _groupings(names, {**_GROUPINGS, **_BUCKETS}),
            buckets, count, places[0], places[1], places[2], time_passes, horizon, term_power, decay, shrinkage, stride, scenarios, seed)
    except HostError as error:
        raise error_of_file(error, error.file) from None
    return TailRisk(handle, names, numeraire, levels, method != "historical")


def _sources(candles: Candles, coin: str) -> Tuple[Any, ...]:
    """Paths as they are, and tables as the texts of files."""
    if isinstance(candles, (str, os.PathLike)):
        return (candles,)
    if is_table(candles) or hasattr(candles, "__arrow_c_stream__"):
        return (_text_of(candles, coin),)
    return tuple(candles)


def _text_of(table: Any, coin: str) -> bytes:
    from ._tables import single

    columns = single(table, {"timestamp": "i", "close": "f"}, (), nulls_as_nan=True)
    moments, closes = times(columns["timestamp"], "timestamp"), numbers(columns["close"], "close")
    rows: List[str] = ["timestamp,close"]
    rows += [f"{moment},{close!r}" for moment, close in zip(moments.tolist(), closes.tolist())]
    return "\n".join(rows).encode()

