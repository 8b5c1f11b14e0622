"""Books that are kept current tick by tick, while contracts and books come and go."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple, Union

import numpy as np

from . import _native
from ._book_hedges import BookHedges
from ._columns import Columns, numbers
from ._desk import (
    _GROUPINGS,
    Chain,
    Limits,
    Positions,
    Time,
    _groupings,
    _is_coin,
    _names,
    _time,
    exposure_columns,
    name_as_given,
    ticker_columns,
)
from ._errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Self

_NAMES_OF_GROUPINGS = {number: name for name, number in _GROUPINGS.items()}


@dataclass(frozen=True)
class Settlement:
    """What a contract paid that has come to its end.

    Attributes
    ----------
    contract : str
    delivery_price : float, in quote currency
    last_price : float
        The price of its future up to which the desk had counted: what a future pays is the way from there.
    cash_per_unit : float, in `currency`
    currency : str
        The coin of inverse contracts, else the quote currency.
    payments : Columns, one row per book that held it (n,)
        book : text. quantity : float64, what it held. cash : float64.
    """

    contract: str
    delivery_price: float
    last_price: float
    cash_per_unit: float
    currency: str
    payments: Columns


@dataclass(frozen=True)
class BookView:
    """What a book showed at one moment: arrays that cannot be written, for other threads to read while the book goes on.

    Attributes
    ----------
    exposures : Columns, as of `Book.exposures`
    slices : Columns, as of `Book.slice_states`
    contracts : tuple of str; listed : (n,) bool
    positions : Columns, as of `Book.positions`
    cash : dict, as of `Book.cash`
    """

    exposures: Columns
    slices: Columns
    contracts: Tuple[str, ...]
    listed: Any
    positions: Columns
    cash: Dict[Tuple[str, str], float]


class Book(BookHedges):
    """Books over a chain, kept current tick by tick at a cost in proportion to what a tick changes.

    Changes mark what `update` computes. Contracts, books and limits come and go without a new Book: docs/live.md has a day
    of it. One thread at a time; `view` is for others.

    Parameters
    ----------
    by : of "book", "expiry", "instrument"
        What groups are made of, beside the underlying, which always comes first. Not with limits.
    numeraire : "usd" or "coin"; "usd" with limits.
    limits : Limits, optional
        Makes `hedge` answer for all books together, and for each book with limits of its own.
    holding_days, funding_rate : float
        Hedges: how many days positions are held; what perpetuals pay per eight hours, as a part of their value: 0.0001 is
        0.01%, above 0 longs pay.
    cash_budget : float
        Hedges: dollars that trades may spend at most; 0 is no limit.
    lots : bool
        Hedges: whether trades are whole contract sizes.
    """

    def __init__(
        self, chain: Chain, positions: Positions, *, by: Sequence[str] = ("book",), numeraire: str = "usd",
        limits: Optional[Limits] = None, holding_days: float = 0.0, funding_rate: float = 0.0, cash_budget: float = 0.0,
        lots: bool = False,
    ) -> None:
        by = _names(by)
        if limits is not None and by != ("book",):
            raise InputError("limits say how books are grouped", field="by")
        self._take(_native.live_create(
            chain._handle, positions._handle, limits._handle if limits else None, _is_coin(numeraire),
            () if limits else _groupings(by or ("underlying",)), holding_days, funding_rate, cash_budget, lots,
        ), numeraire)

    @classmethod
    def restore(cls, saved: bytes, numeraire: str = "usd") -> Self:
        """The book that `save` has written, which goes on with the same bits; without hedges, for which see `set_limits` and
        `add_candidates`. `numeraire`: the one that it had.
        """
        book = cls.__new__(cls)
        _is_coin(numeraire)
        book._take(_native.live_restore(saved), numeraire)
        return book

    def _take(self, handle: object, numeraire: str) -> None:
        self._handle = handle
        self.numeraire = numeraire
        self._versions: List[int] = []
        self._follow()
        for place in range(len(self._versions) - 1):
            _native.live_set_search(self._handle, place, 0, 0.0, 0.0)

    def _follow(self) -> None:
        """Reads names and numbers again where the layout has changed."""
        versions = _native.live_versions(self._handle)
        if versions == self._versions:
            return
        self._versions = versions
        #: Coins; slices (what is priced off one price: an expiry, a perpetual, a coin); contracts.
        self.underlyings, self.slices, self.contracts = _native.live_names(self._handle)
        self._underlying = {name: place for place, name in enumerate(self.underlyings)}
        self._slice = {name: place for place, name in enumerate(self.slices)}
        self._contract = {name: place for place, name in enumerate(self.contracts)}
        labels = _native.live_labels(self._handle)
        names = [_NAMES_OF_GROUPINGS[number] for number in _native.live_groupings(self._handle)]
        self._labels = {name: np.array([own[k] for own in labels], dtype=object) for k, name in enumerate(names)}
        self._hedges = {own[0]: (place, own[1], own[2]) for place, own in enumerate(_native.live_hedges(self._handle))}

    # ---- The market ----

    def tick(self, underlying: str, price: float, time: Optional[Time] = None) -> None:
        """The underlying trades at a new price (in quote currency); all its slices move in proportion.

        It is a price of the slice that comes last by expiry, then by name (a coin or perpetual where there is one), which then
        stands at it: what `set_price` or `quote` have moved there is not moved again.

        `time`: milliseconds since 1970, or a datetime (UTC if naive); None leaves the time as it is.
        """
        _native.live_tick(self._handle, self._place(self._underlying, underlying, "underlying"), price, _time(time))

    def set_price(self, slice: str, price: float, time: Optional[Time] = None) -> None:
        """A slice's own price: of its future, perpetual or coin."""
        _native.live_set_price(self._handle, self._place(self._slice, slice, "slice"), price, _time(time))

    def set_prices(self, prices: Mapping[str, float], time: Optional[Time] = None) -> List[InputError]:
        """Prices of many slices, by name. What is refused leaves the rest alone, and comes back as errors."""
        names, places, values, unknown = self._many(prices, self._slice, "slice")
        refused = _native.live_set_prices(self._handle, places, values, _time(time))
        return unknown + [_named(error, names[row]) for row, error in refused]

    def set_rate(self, slice: str, rate: float) -> None:
        """A slice's interest rate, continuously compounded, −1 to 1."""
        _native.live_set_rate(self._handle, self._place(self._slice, slice, "slice"), rate)

    def set_vol(self, contract: str, vol: float) -> None:
        """An option's volatility, 0.6 for 60%. Does nothing to other contracts."""
        _native.live_set_vol(self._handle, self._place(self._contract, contract, "contract"), vol)

    def set_vols(self, vols: Mapping[str, float]) -> List[InputError]:
        """Volatilities of many options, by name. What is refused leaves the rest alone, and comes back as errors."""
        names, places, values, unknown = self._many(vols, self._contract, "contract")
        refused = _native.live_set_vols(self._handle, places, values)
        return unknown + [_named(error, names[row]) for row, error in refused]

    def _many(self, values: Mapping[str, float], known: Dict[str, int], kind: str) -> Tuple[Any, Any, Any, List[InputError]]:
        unknown: List[InputError] = []
        names = []
        for name in values:
            try:
                self._place(known, name, kind)
                names.append(name)
            except InputError as error:
                unknown.append(error)
        places = np.array([known[name] for name in names], np.uintp)
        return names, places, np.ascontiguousarray(numbers([values[name] for name in names], kind)), unknown

    def quote(self, tickers: Any, exchange: Optional[str] = None) -> List[InputError]:
        """Tickers of listed contracts, as `Chain` takes them: price, rate and time of their slices, volatilities of options.

        One that is older than its slice brings its volatility alone. What is refused leaves the rest alone, and comes back as
        errors with their rows: contracts that are not listed, times that run back, volatilities that contradict the mark.
        """
        columns, rows, names, given = ticker_columns(tickers, exchange)
        errors = []
        for row, error in _native.live_quote(self._handle, columns, rows):
            error.row, error.table = row, "tickers"
            name_as_given(error, names, given)
            errors.append(error)
        return errors

    def advance(self, time: Time) -> None:
        """Time passes for all slices; it does not run back."""
        _native.live_advance(self._handle, _time(time))

    def update(self) -> int:
        """Computes what changes have made stale; how many slices that were."""
        return _native.live_update(self._handle)

    # ---- What there is ----

    def exposures(self) -> Columns:
        """Exposures of the groups, as of the last `update`; columns as of `poise.exposures`."""
        columns = Columns(self._labels)
        columns.update(zip(exposure_columns(self.numeraire), _native.live_exposures(self._handle)))
        return columns

    def figure(self, contract: str, exposure: str) -> float:
        """One of poise.EXPOSURES of one contract per unit of quantity, as of the last `update`."""
        if exposure not in _native.EXPOSURES:
            raise ValueError(f"exposure: {exposure!r} is none of {', '.join(_native.EXPOSURES)}")
        place = self._place(self._contract, contract, "contract")
        return _native.live_figure(self._handle, place, _native.EXPOSURES.index(exposure))

    def vol(self, contract: str) -> float:
        """The volatility of an option that is listed; NaN of all else."""
        return _native.live_vol(self._handle, self._place(self._contract, contract, "contract"))

    def slice_states(self) -> Columns:
        """Slices as they stand, one row each (n,).

        slice, underlying : text. price, rate : float64, in quote currency; per year. time, expiry : datetime64, at which
        contracts are valued; NaT where there is none.
        """
        prices, rates, times, expiries, underlyings = _native.live_slices(self._handle)
        expires = expiries.astype("datetime64[ms]")
        expires[expiries == 0] = np.datetime64("NaT")
        return Columns(
            slice=np.array(self.slices, dtype=object),
            underlying=np.array([self.underlyings[k] for k in underlyings], dtype=object), price=prices, rate=rates,
            time=times.astype("datetime64[ms]"), expiry=expires,
        )

    def is_listed(self, contract: str) -> bool:
        """Whether a contract is there: listed, and neither delisted nor settled since."""
        return contract in self._contract and bool(_native.live_listed(self._handle)[self._contract[contract]])

    @property
    def expired(self) -> List[str]:
        """Contracts that have come to their expiry and wait for a delivery price."""
        return [self.contracts[place] for place in _native.live_expired(self._handle)]

    @property
    def books(self) -> List[str]:
        """Books, in the order in which they came."""
        return _native.live_books(self._handle)

    def position(self, book: str, contract: str) -> float:
        """What a book holds of a contract; 0 for what it never held."""
        return _native.live_position(self._handle, book, self._place(self._contract, contract, "contract"))

    def positions(self) -> Columns:
        """What books hold: book, contract : text; quantity : float64, none of them 0 (n,)."""
        rows = _native.live_positions(self._handle)
        return Columns(
            book=np.array([row[0] for row in rows], dtype=object), contract=np.array([row[1] for row in rows], dtype=object),
            quantity=np.array([row[2] for row in rows], np.float64),
        )

    @property
    def cash(self) -> Dict[Tuple[str, str], float]:
        """What settlements have paid, and what has been added, by book and currency."""
        return _native.live_cash(self._handle)

    def view(self) -> BookView:
        """What the book shows now, as of the last `update`: a copy for other threads."""
        exposures, slices, positions = self.exposures(), self.slice_states(), self.positions()
        listed = _native.live_listed(self._handle)
        for columns in (exposures, slices, positions):
            for name in columns:
                # Labels are shared with the book's own.
                columns[name] = np.array(columns[name])
                columns[name].flags.writeable = False
        listed.flags.writeable = False
        return BookView(exposures, slices, tuple(self.contracts), listed, positions, self.cash)

    # ---- What comes and goes ----

    def fill(self, book: str, contract: str, quantity: float) -> None:
        """A trade: adds to what a book holds."""
        _native.live_fill(self._handle, book, self._place(self._contract, contract, "contract"), quantity)

    def set_position(self, book: str, contract: str, quantity: float) -> None:
        """Sets what a book holds of a contract, whatever it was."""
        _native.live_set_position(self._handle, book, self._place(self._contract, contract, "contract"), quantity)

    def add_book(self, book: str, desk: Optional[str] = None) -> None:
        """A book from now on, for which there are groups."""
        _native.live_add_book(self._handle, book, desk)
        self._follow()

    def add_cash(self, book: str, currency: str, amount: float) -> None:
        """Adds to a book's cash: what it was paid or has paid out."""
        _native.live_add_cash(self._handle, book, currency, amount)

    def list(self, contract: str, price: float, time: Time, *, vol: float = 0.0, rate: float = 0.0) -> None:
        """Lists a contract by its exchange's name. Nobody holds it, and `update` computes it.

        price : of an option its future's price, else its own; with time and rate used where its slice is new to the desk.
        vol : of an option, 0.6 for 60%.
        """
        _native.live_list(self._handle, contract, _time(time), price, vol, rate)
        self._follow()

    def delist(self, contract: str) -> None:
        """Takes a contract off the list that nobody holds."""
        _native.live_delist(self._handle, self._place(self._contract, contract, "contract"))
        self._follow()

    def settle(self, contract: str, delivery_price: float) -> Settlement:
        """Settles a contract that has come to its expiry: what books hold becomes cash, and it is listed no more.

        delivery_price : in quote currency.
        """
        place = self._place(self._contract, contract, "contract")
        last, per_unit, currency, books, quantities, cash = _native.live_settle(self._handle, place, delivery_price)
        self._follow()
        payments = Columns(book=np.array(books, dtype=object), quantity=quantities, cash=cash)
        return Settlement(contract, delivery_price, last, per_unit, currency, payments)

    def roll_off(self) -> None:
        """Forgets contracts that are listed no more, and positions of 0; it takes as long as making a book."""
        _native.live_roll_off(self._handle)
        self._follow()

    def group(self, by: Union[str, Sequence[str]]) -> None:
        """Groups positions by something else, of "book", "expiry", "instrument", beside the underlying."""
        _native.live_group(self._handle, _is_coin(self.numeraire), _groupings(_names(by) or ("underlying",)))
        self._follow()

    def save(self) -> bytes:
        """Everything but the hedges, as a file from which `restore` goes on."""
        return _native.live_save(self._handle)


def _named(error: InputError, name: str) -> InputError:
    error.row, error.name = None, error.name or name
    return error
