"""Trades, and what books have gained between two chains, explained by their Greeks."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from . import _native
from ._as_files import named_index, records
from ._columns import Columns, numbers, texts
from ._desk import (
    _GROUPINGS,
    _POSITIONS,
    Chain,
    Positions,
    _groupings,
    _is_coin,
    _names,
    _Readable,
    buckets_of,
    held,
    only_book,
)
from ._tables import single

#: What a profit consists of; the first is the sum of the others.
PROFIT_PARTS = (
    "profit", "carry", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm", "trades", "fees", "unexplained")
_VEGA_PARTS = ("vega_level", "vega_skew", "vega_wings", "vega_rest")


class Trades(_Readable):
    """Trades of books between two chains; never change, and threads may share them.

    Parameters
    ----------
    table : Arrow table, pandas or Polars DataFrame, or dict, one row per trade (n,)
        book, instrument : text.
        quantity : float64, above 0 where the book bought; an exchange's `size` or `amount` with a `direction` do too.
        price : float64 as the exchange quotes it: in coin for inverse options, else in quote currency.
        fee_usd : float64, dollars, optional; above 0 where the book paid it. NaN or null: none.
    book : the one book of a table that has no column of them.
    """

    _from_file = staticmethod(_native.trades_read)
    _from_text = staticmethod(_native.trades_parse)

    def __init__(self, table: Any, book: Optional[str] = None) -> None:
        kinds = {name: kind for names, kind in _POSITIONS.values() for name in names}
        kinds.update(price="f", fee_usd="f")
        table = named_index(records(table))
        if self._read_as_file(table, kinds, *only_book(table, book)):
            return
        columns = single(table, kinds, [name for name in kinds if name != "price"], nulls_as_nan=True)
        rows = columns[""]
        found = held(columns, book)
        found["price"] = np.ascontiguousarray(numbers(columns["price"], "price"))
        if "fee_usd" in columns:
            fees = numbers(columns["fee_usd"], "fee_usd")
            found["fee"] = np.ascontiguousarray(np.where(np.isnan(fees), 0.0, fees))
        self._keep_columns(found, rows)
        self._handle = _native.trades_create(found, rows)

    def __len__(self) -> int:
        return _native.trades_count(self._handle)

    def __repr__(self) -> str:
        return f"Trades({len(self)})"


@dataclass(frozen=True)
class Explanation:
    """What `explain` found.

    Attributes
    ----------
    profits : Columns, one row per group
        A label (text) for each of `by`, then float64 `profit_usd` and what it consists of: `carry_usd`, `delta_usd`,
        `gamma_usd`, `vega_usd`, `theta_usd`, `rho_usd`, `vanna_usd`, `volga_usd`, `charm_usd`, `trades_usd`, `fees_usd` and the
        exact rest, `unexplained_usd`. With `smile_parts` also `vega_level_usd`, `vega_skew_usd`, `vega_wings_usd`,
        `vega_rest_usd`, which add up to the vega.
    settlements : Columns, one row per contract that expired on the way
        instrument : text. price : float64, in quote currency. given : bool, whether it is one of `delivery`, else the second
        chain's index.
    """

    profits: Columns
    settlements: Columns


def explain(
    start: Chain, end: Chain, positions: Positions, trades: Optional[Trades] = None,
    by: Sequence[str] = ("book", "underlying"), numeraire: str = "usd", *, delivery: Optional[Mapping[str, float]] = None,
    funding: float = 0.0, smile_parts: bool = False, desks: Optional[Mapping[str, str]] = None,
) -> Explanation:
    """What positions held at the time of one chain have gained by that of another, and which Greek explains how much of it.

    The same figures as `poise explain`. Each contract goes from its latest row in the first chain to its latest in the second,
    with the Greeks of the start.

    Parameters
    ----------
    trades : made between the chains; they count from their price to the end
    by : of "book", "underlying", "expiry", "instrument", "desk"
    numeraire : "usd" or "coin"
    delivery : dict
        Prices at which what expired was settled, by name up to the strike, {"BTC-12FEB21": 47_512.3}; else the second chain's
        index.
    funding : what long perpetuals pay per eight hours, as a share of their value
    smile_parts : whether vega is split into what the level, the skew and the wings of each expiry's curve moved
    desks : the desk of each book

    Raises
    ------
    UnknownNameError
        For a contract without a price in either chain, and a delivery price of what was not held or has not expired.
    """
    names = _names(by)
    buckets, count = buckets_of(desks, None, None)
    given = delivery or {}
    deliveries = {"name": texts(given, "delivery"), "price": np.array([float(price) for price in given.values()])}
    labels, parts, settlements = _native.explanation(
        start._handle, end._handle, positions._handle, trades._handle if trades is not None else None, _is_coin(numeraire),
        _groupings(names, {**_GROUPINGS, "desk": 4}), buckets, count, deliveries, len(given), funding, smile_parts)
    profits = Columns(zip(names, (np.array(label, dtype=object) for label in labels)))
    profits.update((f"{name}_{numeraire}", part) for name, part in zip((*PROFIT_PARTS, *_VEGA_PARTS), parts))
    return Explanation(profits, Columns(
        instrument=np.array([name for name, _, _ in settlements], dtype=object),
        price=np.array([price for _, price, _ in settlements], float),
        given=np.array([bool(is_given) for _, _, is_given in settlements], bool)))
