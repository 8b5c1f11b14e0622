"""Margins kept current tick by tick."""
from __future__ import annotations

from typing import Any, List, Optional

import numpy as np

from . import _native
from ._columns import Columns, numbers
from ._desk import Time, _time
from ._errors import UnknownNameError
from ._margin import AFTER, Margin
from ._margin_inputs import MarginFigures, figures_of


class LiveMargin:
    """An account's margin kept current through ticks and fills, and what any of many trades would do to it. One thread at a time.

    Parameters
    ----------
    margin : Margin
        Its model is a grid of scenarios without a charge on delta, whose scenarios move prices and volatilities alone; its
        account is in one underlying. What the chain lists of that may be traded.

    Changes of prices count from the next `update`.
    """

    def __init__(self, margin: Margin) -> None:
        self._handle = _native.live_margin_create(margin._handle)
        self.contracts: List[str]
        self.expiries: List[str]
        self.contracts, self.expiries = _native.live_margin_names(self._handle)
        self._contract = {name: place for place, name in enumerate(self.contracts)}
        self._expiry = {name: place for place, name in enumerate(self.expiries)}

    def place(self, contract: str) -> int:
        """The place of a contract in `contracts`, for `what_if`."""
        if contract not in self._contract:
            raise UnknownNameError("is not listed", field="contract", value=contract)
        return self._contract[contract]

    def tick(self, price: float, time: Optional[Time] = None) -> None:
        """The index is at a new price, in dollars; forwards, perpetuals and coins move in proportion. Time passes, if given."""
        _native.live_margin_tick(self._handle, price, _time(time))

    def set_index(self, price: float) -> None:
        """The index alone, in dollars."""
        _native.live_margin_set_index(self._handle, price)

    def set_perpetual(self, contract: str, price: float) -> None:
        """The price of a perpetual, in dollars."""
        _native.live_margin_set_perpetual(self._handle, self.place(contract), price)

    def set_forward(self, expiry: str, price: float) -> None:
        """The forward of an expiry, in dollars."""
        if expiry not in self._expiry:
            raise UnknownNameError("is not listed", field="expiry", value=expiry)
        _native.live_margin_set_forward(self._handle, self._expiry[expiry], price)

    def set_vol(self, contract: str, vol: float) -> None:
        """An option's volatility, 0.6 is 60%."""
        _native.live_margin_set_vol(self._handle, self.place(contract), vol)

    def update(self) -> None:
        """Values all contracts in all scenarios anew, and the account."""
        _native.live_margin_update(self._handle)

    def fill(self, contract: str, quantity: float, amount: float) -> None:
        """A fill: the position changes by `quantity`, in units of positions, and `amount` of the account's currency leaves the
        cash. It counts at once, at the values of the last `update`.
        """
        _native.live_margin_fill(self._handle, self.place(contract), quantity, amount)

    @property
    def figures(self) -> MarginFigures:
        """What is required and what is left, as of the last `update` and fill."""
        return figures_of(_native.live_margin_totals(self._handle))[0]

    def what_if(self, contract: Any, quantity: Any) -> Columns:
        """Margins after each of some trades, done one by one and each at its mark.

        Parameters
        ----------
        contract : (n,) integers, places in `contracts`; or a name, or (n,) names
        quantity : (n,) float64, or a number; above 0 is bought, in units of positions

        Returns
        -------
        Columns
            initial_margin, maintenance_margin, initial_balance, maintenance_balance : (n,) float64
        """
        places = np.atleast_1d(np.asarray(contract))
        if places.dtype.kind in "UOT":
            places = np.array([self.place(str(name)) for name in places.tolist()], np.int64)
        elif places.dtype.kind not in "iu":
            raise TypeError(f"contract: expected places or names, got {places.dtype}")
        amounts = np.broadcast_to(numbers(quantity, "quantity"), places.shape)
        made = _native.live_margin_what_if(self._handle, np.ascontiguousarray(places, np.int64), amounts)
        return Columns(zip(AFTER, made))

    def __repr__(self) -> str:
        return f"LiveMargin({len(self.contracts)} contracts)"
