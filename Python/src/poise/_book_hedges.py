"""The hedges of books: what they may trade, at which costs, within which limits."""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np

from . import _native
from ._columns import Columns, numbers
from ._desk import Chain, Diagnosis, Hedge, Limits, Path, Time, _time, diagnosis_of, hedge_of
from ._errors import InputError, UnknownNameError
from ._live_margin import LiveMargin

_CLASSES = ("option", "future", "perpetual", "spot")
_COSTS = "cost_buy cost_sell impact fixed_cost lot maximum_buy maximum_sell margin cash".split()


class BookHedges:
    """The part of a `Book` that hedges."""

    _handle: object
    contracts: List[str]
    _hedges: Dict[str, Tuple[int, List[int], List[str]]]

    def _follow(self) -> None:
        raise NotImplementedError

    @staticmethod
    def _place(places: Dict[str, int], name: str, kind: str) -> int:
        try:
            return places[name]
        except KeyError:
            raise UnknownNameError("is not there", field=kind, value=name) from None

    @property
    def hedges(self) -> List[str]:
        """What can be hedged: "" for all books together, and books with limits of their own."""
        return list(self._hedges)

    def _hedge(self, book: str) -> Tuple[int, List[int], List[str]]:
        if book not in self._hedges:
            raise UnknownNameError("has no limits", field="book", value=book)
        return self._hedges[book]

    def _candidate(self, contract: str, book: str) -> Tuple[int, int]:
        place, candidates, _ = self._hedge(book)
        for number, own in enumerate(candidates):
            if self.contracts[own] == contract:
                return place, number
        raise UnknownNameError("is no candidate of the hedge", field="contract", value=contract)

    # ---- Limits ----

    def set_limits(
        self, limits: Limits, *, holding_days: float = 0.0, funding_rate: float = 0.0, cash_budget: float = 0.0,
        lots: bool = False,
    ) -> None:
        """Hedges of a table of limits in place of all that are there, without candidates: see `add_candidates`.

        For books in dollars, grouped by what limits name. Parameters as of `Book`.
        """
        _native.live_set_limits(self._handle, limits._handle, holding_days, funding_rate, cash_budget, lots)
        self._follow()
        for place, _, _ in self._hedges.values():
            _native.live_set_search(self._handle, place, 0, 0.0, 0.0)

    def set_limit(self, band: str, low: Optional[float] = None, high: Optional[float] = None, *, book: str = "") -> None:
        """New edges of a band, by its name in `Hedge.bands`; None: no such edge."""
        _native.live_set_limit(
            self._handle, self._hedge(book)[0], band, -np.inf if low is None else low, np.inf if high is None else high)
        self._follow()

    def remove_limit(self, band: str, *, book: str = "") -> None:
        """Takes a band away."""
        _native.live_remove_limit(self._handle, self._hedge(book)[0], band)
        self._follow()

    # ---- Candidates ----

    def candidates(self, book: str = "") -> List[str]:
        """The contracts that a hedge may trade."""
        return [self.contracts[place] for place in self._hedge(book)[1]]

    def add_candidates(self, chain: Chain, book: str = "") -> int:
        """Lets a hedge trade the contracts of a chain that are listed here, with their order books; how many those are.

        What it knows already takes the chain's order book over.
        """
        added = _native.live_add_candidates(self._handle, self._hedge(book)[0], chain._handle)
        self._follow()
        return added

    def choose(
        self, *, classes: Iterable[str] = (), underlyings: Iterable[str] = (), first_expiry: Optional[Time] = None,
        last_expiry: Optional[Time] = None, deltas: Optional[Tuple[float, float]] = None, least_depth: float = 0.0,
        most_half_spread: float = 0.0, names: Optional[Iterable[str]] = None, excluded: Iterable[str] = (), book: str = "",
    ) -> List[str]:
        """Chooses candidates by what they are, show and cost now, and returns them; what is not asked for does not matter.

        Parameters
        ----------
        classes : of "option", "future", "perpetual", "spot"
        underlyings : coins
        first_expiry, last_expiry : of what expires; the rest passes
        deltas : (least, most), magnitudes in coins per coin, of options; the rest passes
        least_depth : dollars of the underlying on offer on either side
        most_half_spread : as a share of the underlying's price
        names : the only contracts that pass; excluded : those that never do
        """
        bits = 0
        for name in classes:
            if name not in _CLASSES:
                raise InputError(f"must be one of {', '.join(_CLASSES)}", field="classes", value=name)
            bits |= 1 << _CLASSES.index(name)
        least, most = deltas or (0.0, 0.0)
        _native.live_choose(
            self._handle, self._hedge(book)[0], bits, names is not None, _time(first_expiry), _time(last_expiry), least, most,
            least_depth, most_half_spread, _encoded(underlyings), _encoded(names or ()), _encoded(excluded),
        )
        self._follow()
        return self.candidates(book)

    # ---- Costs ----

    def set_book(self, contract: str, bids: Any, asks: Any, *, book: str = "") -> None:
        """The order book of a candidate as its exchange quotes it; its costs follow it and the price.

        bids, asks : (n, 2) of price and amount, best first: in coin for inverse options, else in quote currency; amounts in
        units of its quantity. A book that is crossed or out of order is refused, and the one before stays.
        """
        place, candidate = self._candidate(contract, book)
        _native.live_set_book(self._handle, place, candidate, _levels(bids, "bids"), _levels(asks, "asks"))

    def set_candidate(
        self, contract: str, *, cost_buy: float, cost_sell: float, maximum_buy: float, maximum_sell: float, impact: float = 0.0,
        fixed_cost: float = 0.0, lot: float = 0.0, minimum_trade: float = 0.0, margin: float = 0.0, cash: float = 0.0,
        book: str = "",
    ) -> None:
        """New costs and depth of a contract that a hedge may trade, for the hedges to come; per unit, in dollars, whatever
        prices do, until the next `set_book`.

        impact: coefficient of the square of the amount. lot: trades are whole multiples; 0: any amount. minimum_trade: the
        smallest amount bought or sold; 0: any. What makes no problem raises when it is hedged.
        """
        place, candidate = self._candidate(contract, book)
        _native.live_set_candidate(
            self._handle, place, candidate, cost_buy, cost_sell, impact, fixed_cost, lot, maximum_buy, maximum_sell, margin,
            cash, minimum_trade,
        )

    def costs(self, book: str = "") -> Columns:
        """What candidates cost per unit in dollars, as the last `hedge` had it, one row each (n,).

        instrument : text. cost_buy, cost_sell, impact, fixed_cost, lot, maximum_buy, maximum_sell, margin, cash : float64,
        see `set_candidate`.
        """
        rows = _native.live_costs(self._handle, self._hedge(book)[0])
        return Columns(
            instrument=np.array(self.candidates(book), dtype=object),
            **{name: np.ascontiguousarray(rows[:, k]) for k, name in enumerate(_COSTS)},
        )

    def set_fees(self, fees: Union[str, bytes, None] = None, *, path: Optional[Path] = None, book: str = "") -> None:
        """The schedule of fees: a table (CSV text, or a file) with the columns of `poise hedge --fees`."""
        name = "fees"
        if path is not None:
            name = os.fsdecode(path)
            with open(path, "rb") as file:
                fees = file.read()
        if fees is None:
            raise InputError("expected a table, or the path of one", field="fees")
        _native.live_set_fees(self._handle, self._hedge(book)[0], fees, name)

    def set_holding(self, days: float, funding_rate: float = 0.0, *, book: str = "") -> None:
        """For how many days positions are held, and what perpetuals pay per eight hours: see `Book`."""
        _native.live_set_holding(self._handle, self._hedge(book)[0], days, funding_rate)

    def set_cash_budget(self, budget: Optional[float], *, book: str = "") -> None:
        """Most that trades may spend, in dollars; None: no limit; 0 is one, and below 0 trades must raise cash."""
        _native.live_set_cash_budget(self._handle, self._hedge(book)[0], np.inf if budget is None else budget)

    def walk_levels(self, walks: bool = True, *, book: str = "") -> None:
        """Whether trades cost what they take of the displayed order books level by level, in place of half the spread and one
        impact for both sides; `Hedge.impact_cost` has it then.
        """
        _native.live_set_walks_levels(self._handle, self._hedge(book)[0], walks)
        self._follow()

    # ---- Variance and margin ----

    def set_variance(
        self, underlyings: Optional[Iterable[str]], covariance: Any = None, risk_aversion: float = 0.0, *, net: bool = False,
        book: str = "",
    ) -> None:
        """A price on the variance of what stays unhedged, for the hedges to come; None: no such price.

        underlyings : coins, each once; what is on others counts for no variance. covariance : (n, n) of their returns over
        some horizon. risk_aversion : dollars per squared dollar of variance over that horizon. net: dollars that move with a
        coin are net deltas, less what premiums in coin move. Bands still say when to trade, see `hedge(always=True)`.
        """
        place = self._hedge(book)[0]
        if underlyings is None:
            _native.live_set_variance(self._handle, place, 0.0, None, None, False)
        else:
            coins = _encoded(underlyings)
            matrix = np.ascontiguousarray(numbers(covariance, "covariance"))
            if matrix.shape != (len(coins), len(coins)):
                raise InputError(f"expected {len(coins)} × {len(coins)}, got an array of shape {matrix.shape}", field="covariance")
            _native.live_set_variance(self._handle, place, risk_aversion, coins, matrix, net)
        self._follow()

    def set_margin_limit(self, limit: Optional[float], *, book: str = "") -> None:
        """Most margin that trades may take up, by `set_margin`, in dollars; None: no limit."""
        _native.live_set_margin_limit(self._handle, self._hedge(book)[0], np.inf if limit is None else limit)

    def set_margin(self, contract: str, per_unit: float, *, book: str = "") -> None:
        """The margin that a unit of a candidate takes up, bought or sold, in dollars."""
        place, candidate = self._candidate(contract, book)
        _native.live_set_margin(self._handle, place, candidate, per_unit)

    def set_requirement(
        self, margin: Optional[LiveMargin], *, buffer: Optional[float] = None, price: float = 0.0, book: str = "",
    ) -> None:
        """A venue's margin for the hedges to come, beside their bands: the initial margin of an account that is kept live, as of
        its last `update`; None: no such requirement.

        buffer : what is left over it after the trades at least, in the account's currency; None: nothing must. price : cost of
        a unit of it over the time that the trades are held.
        """
        place = self._hedge(book)[0]
        least = -np.inf if buffer is None else buffer
        _native.live_set_requirement(self._handle, place, None if margin is None else margin._handle, least, price)

    def requirement(self, *, book: str = "") -> Dict[str, float]:
        """What `set_requirement` came to in the last hedge that had to trade: `required`, `margin_cost`, `headroom_price`,
        `largest_headroom` (where none leave the buffer) and `gap`, as of `MarginHedge`; NaN where it was not asked.
        """
        return _native.live_requirement(self._handle, self._hedge(book)[0])

    def set_search(self, *, node_limit: int = 0, gap: float = 0.0, seconds: float = 0.0, book: str = "") -> None:
        """When searches end: over lots at so many nodes or such a gap, of all kinds after so many seconds; 0: the library's
        own, and no limit. Ctrl-C ends any.
        """
        _native.live_set_search(self._handle, self._hedge(book)[0], node_limit, gap, seconds)

    # ---- Hedges ----

    def hedge(self, book: str = "", *, always: bool = False) -> Hedge:
        """Updates, looks at every band, and where one is left finds the cheapest trades, from the last answer on; always: also
        where none is, as a variance that is priced may be worth trades.
        """
        self._follow()
        place, candidates, names = self._hedge(book)
        result, trades, before, prices, low, high, after = _native.live_decide(self._handle, place, always)
        return hedge_of(
            result,
            Columns(instrument=np.array([self.contracts[k] for k in candidates], dtype=object), quantity=trades),
            Columns(band=np.array(names, dtype=object), exposure=before, shadow_price=prices, low=low, high=high, after=after),
        )

    def diagnose(self, book: str = "") -> Diagnosis:
        """Why the last `hedge` was infeasible, and how near one can get."""
        place, _, names = self._hedge(book)
        found, trades, violations, prices = _native.live_diagnose(self._handle, place)
        return diagnosis_of(found, self.candidates(book), trades, names, violations, prices)

    def book_trades(self, hedge: str = "", book: str = "") -> None:
        """Books the trades of the last hedge in `book` (that of the hedge itself, if it has one), as if all were filled."""
        _native.live_book_trades(self._handle, self._hedge(hedge)[0], book or hedge)


def _encoded(names: Iterable[str]) -> Tuple[bytes, ...]:
    return tuple(name.encode() for name in ((names,) if isinstance(names, str) else names))


def _levels(levels: Any, side: str) -> Any:
    if isinstance(levels, Sequence) and not len(levels):
        return np.empty((0, 2))
    found = np.ascontiguousarray(numbers(levels, side))
    if found.ndim != 2 or found.shape[1] != 2:
        raise InputError(f"expected rows of price and amount, got an array of shape {found.shape}", field=side)
    return found
