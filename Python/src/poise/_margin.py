"""Margins: what a venue asks of an account, how far it is from liquidation, and what trades do to it."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np

from . import _native
from ._columns import Columns
from ._desk import Chain, Limits, Positions, _contiguous, _Readable
from ._errors import UnknownNameError
from ._margin_hedge import MarginHedge
from ._margin_inputs import ExactMargin, MarginAccount, MarginFigures, MarginModel, exact_of, figures_of
from ._tables import single

AFTER = ("initial_margin", "maintenance_margin", "initial_balance", "maintenance_balance")
_TRADES = {"instrument": "s", "quantity": "f"}
# In the order of poise_margin_step, behind the labels, and of poise_margin_bid.
_STEPS = (
    "cause", "underlying", "expiry", "seconds", "initial_before", "initial_after", "initial_day_later", "maintenance_before",
    "maintenance_after", "maintenance_balance_after")
_BIDS = (
    "buffer_balance", "largest_share", "share", "bid", "payout", "mark_to_market_after", "maintenance_balance_after")
# Of poise_margin_label and poise_margin_amount.
_NAME, _TITLE, _UNDERLYING, _EXPIRY = range(4)
_MAINTENANCE, _INITIAL, _AMOUNT, _QUANTITY = range(4)
# The columns of each of poise_margin_table, with their labels' and amounts' numbers.
_TABLES: Tuple[Tuple[Dict[str, int], Dict[str, int]], ...] = (
    ({"part": _NAME}, {"maintenance": _MAINTENANCE, "initial": _INITIAL}),
    ({"scenario": _NAME, "title": _TITLE}, {"loss": _AMOUNT}),
    ({"underlying": _UNDERLYING, "expiry": _EXPIRY}, {"maintenance": _MAINTENANCE, "initial": _INITIAL}),
    (
        {"underlying": _UNDERLYING, "expiry": _EXPIRY, "contract": _NAME},
        {"quantity": _QUANTITY, "maintenance": _MAINTENANCE, "initial": _INITIAL},
    ),
    ({"name": _NAME}, {"value": _AMOUNT}),
    ({"name": _NAME, "title": _TITLE}, {"value": _AMOUNT}),
    ({"contract": _NAME, "title": _TITLE}, {"value": _AMOUNT}),
)


def _trades(trades: Any) -> Tuple[Dict[str, Any], int]:
    """Instruments and quantities as the C library reads them, and how many."""
    columns = single(trades, _TRADES)
    rows = columns[""]
    made = _contiguous(columns, _TRADES)
    made["quantity"] = np.ascontiguousarray(np.broadcast_to(made["quantity"], rows))
    return made, rows


class Margin:
    """What a venue asks of positions, all of them one account; never changes, and threads may share it.

    Parameters
    ----------
    chain : Chain
    positions : Positions
    account : MarginAccount
    model : MarginModel
    underlying : str
        The positions in this coin alone, "BTC": models in coin and grids of scenarios take one.

    Amounts are in the account's currency; what is required and what is lost is positive.

    Raises
    ------
    poise.InputError
        For a contract or coin that the model has no rule for, a coin without a price or haircut, another currency than the
        model's. What is missing is never taken for 0.
    """

    _handle: object

    def __init__(
        self, chain: Chain, positions: Positions, account: MarginAccount, model: MarginModel,
        underlying: Optional[str] = None,
    ) -> None:
        self._handle = _native.margin_create(
            chain._handle, positions._handle, account._handle, model._handle, underlying)
        self._read()

    @classmethod
    def _of(cls, handle: object) -> Margin:
        made = cls.__new__(cls)
        made._handle = handle
        made._read()
        return made

    def _read(self) -> None:
        self._figures, self._worst = figures_of(_native.margin_totals(self._handle))

    @property
    def figures(self) -> MarginFigures:
        """What is required and what is left."""
        return self._figures

    @property
    def initial_margin(self) -> float:
        """What is required to trade."""
        return self._figures.initial_margin

    @property
    def maintenance_margin(self) -> float:
        """What is required to hold."""
        return self._figures.maintenance_margin

    @property
    def mark_to_market(self) -> float:
        """The account's worth now, cash included."""
        return self._figures.mark_to_market

    @property
    def initial_balance(self) -> float:
        """What is left over initial margin."""
        return self._figures.initial_balance

    @property
    def maintenance_balance(self) -> float:
        """What is left over maintenance margin: below 0 the venue liquidates."""
        return self._figures.maintenance_balance

    def _table(self, number: int) -> Columns:
        labels, amounts = _TABLES[number]
        found = _native.margin_table(self._handle, number, tuple(labels.values()), tuple(amounts.values()))
        columns = Columns((name, np.array(texts, dtype=object)) for name, texts in zip(labels, found))
        columns.update(zip(amounts, found[len(labels) :]))
        return columns

    @property
    def parts(self) -> Columns:
        """Terms of the requirement, which add up to it: `part`, `maintenance`, `initial`."""
        return self._table(0)

    @property
    def scenarios(self) -> Columns:
        """All scenarios: `scenario`, the venue's key, `title` and `loss`; no rows for rules without scenarios."""
        return self._table(1)

    @property
    def worst_scenario(self) -> Optional[str]:
        """The venue's key of the scenario that decides; None for rules without scenarios, and where nothing is lost."""
        return None if self._worst < 0 else str(self.scenarios["scenario"][self._worst])

    @property
    def by_expiry(self) -> Columns:
        """What each expiry adds, below 0 where it relieves: `underlying`, `expiry`, `maintenance`, `initial`."""
        return self._table(2)

    @property
    def by_contract(self) -> Columns:
        """What each contract adds: `underlying`, `expiry`, `contract`, `quantity`, `maintenance`, `initial`."""
        return self._table(3)

    @property
    def other_figures(self) -> Dict[str, float]:
        """Further figures under the names that the venue has for them."""
        columns = self._table(4)
        return dict(zip(columns["name"].tolist(), columns["value"].tolist()))

    @property
    def vectors(self) -> Columns:
        """Profits of a grid of moves before they are aggregated, as the venue's own reply has them: `name`, `title`
        ("standard" or "extended"), `value`.
        """
        return self._table(5)

    @property
    def contract_vectors(self) -> Columns:
        """The same of each contract: `contract`, `title`, `value`."""
        return self._table(6)

    @property
    def underlyings(self) -> Dict[str, float]:
        """Indices by underlying, in dollars."""
        names, indices = _native.margin_underlyings(self._handle)
        return dict(zip(names, indices.tolist()))

    @property
    def without_effect(self) -> List[str]:
        """Fields of the account that the model does not look at: "confidence.ETH". Amounts without a term are refused."""
        return _native.margin_without_effect(self._handle)

    def liquidation(self, underlying: Optional[str] = None, within: Optional[Tuple[float, float]] = None) -> Any:
        """All prices at which nothing is left of maintenance, ascending: those below the index are where a fall ends.

        Parameters
        ----------
        underlying : str
            The coin that moves; None: all of them together.
        within : (float, float)
            Multiples of the index between which to look, below 1 and above it. Else 0.1 and 10, or a case's own range.

        Volatilities stay with their contracts, time stands still. There may be none, or several.

        Returns
        -------
        (n,) float64
            Dollars; for all together, multiples of today's prices.
        """
        place = -1
        if underlying is not None:
            names = _native.margin_underlyings(self._handle)[0]
            if underlying not in names:
                raise UnknownNameError("is none of the account", field="underlying", value=underlying)
            place = names.index(underlying)
        low, high = (0.0, 0.0) if within is None else within
        return _native.margin_liquidation(self._handle, place, low, high)

    def ahead(self, days: float) -> Columns:
        """The times within `days` (0 to 3650) at which the rule itself jumps or bends, while prices and volatilities stand still.

        Returns
        -------
        Columns, one row per step, earliest first (n,)
            cause : text, "expiry" settles, its price is "averaging", the "power" of its volatility shock changes. underlying,
            expiry : text. seconds : from now. initial_before, initial_after, initial_day_later, maintenance_before,
            maintenance_after : what is required a second before, a second after, and a day after. maintenance_balance_after.
        """
        found = _native.margin_ahead(self._handle, days)
        columns = Columns((name, np.array(texts, dtype=object)) for name, texts in zip(_STEPS, found[:3]))
        columns.update(zip(_STEPS[3:], found[3:]))
        return columns

    def exact(self) -> ExactMargin:
        """The same margin in whole numbers, with a transcript of how; of models that are a grid of scenarios.

        Raises
        ------
        poise.InputError
            For other models, and for amounts beyond those for which no step overflows (docs/margin.md).
        """
        return exact_of(_native.margin_exact(self._handle))

    def what_if(self, trades: Any) -> Columns:
        """Margins after each of some trades, done one by one and each at its mark.

        Parameters
        ----------
        trades : Arrow table, pandas DataFrame or dict, one row per trade (n,)
            instrument : text. quantity : float64, above 0 is bought, in units of positions.

        Thousands at once are meant: where the model is a grid of scenarios, a trade costs some operations per scenario.
        `LiveMargin.what_if` does the same tick by tick.

        Returns
        -------
        Columns
            initial_margin, maintenance_margin, initial_balance, maintenance_balance : (n,) float64
        """
        columns, rows = _trades(trades)
        return Columns(zip(AFTER, _native.margin_what_if(self._handle, columns, rows)))

    def hedge(
        self, limits: Limits, *, buffer: Optional[float] = None, price: float = 0.0, book: str = "",
        holding_days: float = 0.0, funding_rate: float = 0.0, cash_budget: float = 0.0, lots: bool = False,
        seconds: float = 0.0, gap: float = 0.0, node_limit: int = 0,
    ) -> MarginHedge:
        """The cheapest trades that bring exposures into their bands, under the margin.

        Parameters
        ----------
        limits : Limits
        buffer : float, the account's currency
            What is left over initial margin after the trades at least; None: nothing must.
        price : float
            Cost of a unit of initial margin per day, for `holding_days`, or one day.
        book : str
            Whose limits are meant; "": those without a book. The account has all positions.
        holding_days, funding_rate, cash_budget, lots : as of `Book`
        seconds, gap, node_limit
            Of the search over lots: at most so long (0: 10), the gap that ends it (0: 1e-4), nodes at most.

        With neither buffer nor price the margin is reported alone. That there are no such trades is an answer: see
        `MarginHedge.hedge.outcome` and `largest_headroom`.
        """
        return MarginHedge.of(_native.margin_hedge_create(
            self._handle, limits._handle, book, buffer, price, holding_days, funding_rate, cash_budget, lots, seconds,
            gap, node_limit))

    def __repr__(self) -> str:
        return f"Margin(initial {self.initial_margin:.6g}, maintenance {self.maintenance_margin:.6g})"


class MarginCases(_Readable, Mapping[str, Margin]):
    """Self-contained accounts, each with its market and model: margins by the name of the case.

    `MarginCases.read(path)` and `MarginCases.parse(text)` take the JSON of `poise margin --cases` (docs/margin.md). A margin is
    computed when it is asked for; of a case with a hedge it is that before the trades. Auctions have none: see `auction`.
    """

    _from_file = staticmethod(_native.margin_cases_read)
    _from_text = staticmethod(_native.margin_cases_parse)

    def __init__(self, cases: Union[str, bytes]) -> None:
        self._handle = _native.margin_cases_parse(cases, "cases")

    def _place(self, name: str) -> int:
        names = _native.margin_cases_names(self._handle)
        if name not in names:
            raise KeyError(name)
        return names.index(name)

    def __getitem__(self, name: str) -> Margin:
        return Margin._of(_native.margin_of_case(self._handle, self._place(name)))

    def __iter__(self) -> Iterator[str]:
        return iter(_native.margin_cases_names(self._handle))

    def __len__(self) -> int:
        return len(_native.margin_cases_names(self._handle))

    def hedge(self, name: str) -> MarginHedge:
        """The answer to a case with a hedge, as of `poise hedge --margin-cases`: costs in the case's currency."""
        return MarginHedge.of(_native.margin_hedge_of_case(self._handle, self._place(name)))

    def auction(self, name: str) -> Columns:
        """The auction of a case, bid by bid.

        Returns
        -------
        Columns, one row per bid (n,) float64
            buffer_balance : what is left over maintenance and the auction's buffer before it. largest_share, share : of the
            account, that may be and that is bought. bid : what is paid for it; payout : what the bidder of an insolvent account
            is paid; each NaN where it is the other. mark_to_market_after, maintenance_balance_after.
        """
        return Columns(zip(_BIDS, _native.margin_auction(self._handle, self._place(name))))
