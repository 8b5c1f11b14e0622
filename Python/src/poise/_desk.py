"""Chains, positions, limits, exposures, and the answers of hedges."""
from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple, Union

import numpy as np

from . import _native
from ._as_files import as_file, folded, is_nearly, listed, named_index, names_of, of_rows, records
from ._columns import Columns, is_null, is_offsets, numbers, texts, times
from ._errors import HostError, InputError, error_of_file
from ._tables import single

if TYPE_CHECKING:
    from typing_extensions import Self

Time = Union[int, datetime, np.datetime64]
Path = Union[str, "os.PathLike[str]"]

_GROUPINGS = {"book": 0, "underlying": 1, "expiry": 2, "instrument": 3}
# What needs buckets: of exposures alone.
_BUCKETS = {"desk": 4, "tenor": 5, "moneyness": 6}
_UNITS = {
    "gamma": "_per_percent", "vega": "_per_point", "theta": "_per_day", "rho": "_per_percent", "vanna": "_per_point",
    "volga": "_per_point_squared", "charm": "_per_day",
}
OUTCOMES = ("optimal", "infeasible", "budget", "uncertified", "within-limits")

# What exchanges call the columns of a chain, and the kernel; volatilities in percent are told apart by their name.
_TICKERS = {
    "timestamp": "i", "underlying_price": "f", "forward": "f", "vol": "f", "mark_iv": "f", "mark_price": "f", "rate": "f",
    "interest_rate": "f", "index_price": "f", "bid_price": "f", "best_bid_price": "f", "bid_amount": "f",
    "best_bid_amount": "f", "ask_price": "f", "best_ask_price": "f", "ask_amount": "f", "best_ask_amount": "f",
    "open_interest": "f", "exchange_delta": "f", "exchange_gamma": "f", "exchange_vega": "f", "exchange_theta": "f",
    "exchange_rho": "f", "instrument": "s", "instrument_name": "s", "underlying_index": "o", "exchange": "o", "bids": "o", "asks": "o",
}
_ALIASES = {
    "instrument_name": "instrument", "forward": "underlying_price", "interest_rate": "rate", "best_bid_price": "bid_price",
    "best_bid_amount": "bid_amount", "best_ask_price": "ask_price", "best_ask_amount": "ask_amount", "mark_iv": "vol",
    "mark_volatility": "vol",
}


# What a chain's table has, in the order of the C extension.
_KINDS = ("option", "future", "perpetual", "spot")
_PUBLISHED = ("exchange_delta", "exchange_gamma", "exchange_vega", "exchange_theta", "exchange_rho")
_TICKER_FIGURES = (
    "strike", "forward", "years", "vol", "rate", "mark_price", "index_price", "bid_price", "bid_amount", "ask_price",
    "ask_amount", "open_interest", *_PUBLISHED,
)


# What positions are made of: the names of each column, the first that is there counting, and its kind.
_POSITIONS: Dict[str, Tuple[Tuple[str, ...], str]] = {
    "book": (("book",), "s"), "instrument": (("instrument", "instrument_name"), "s"),
    "quantity": (("quantity", "size", "amount"), "f"), "direction": (("direction", "side"), "o"),
}


#: What errors call tables of each kind.
_TABLES = {"Chain": "tickers", "Positions": "positions", "Limits": "limits", "Trades": "trades"}


def only_book(table: Any, book: Optional[str]) -> Tuple[str, ...]:
    """The name under which a table is read as a file: that of its one book, where it has no column of them."""
    if book is not None:
        return (book,)
    names = names_of(table)
    if names is not None and not any(is_nearly("book", name) for name in names):
        raise InputError("the table has no such column", field="book")
    return ()


def held(columns: Dict[str, Any], book: Optional[str]) -> Dict[str, Any]:
    """Book, instrument and signed quantity of the rows of a table (see `_POSITIONS`); `book`: that of all, where it has none."""
    rows = columns[""]
    found = {}
    for field, (names, _) in _POSITIONS.items():
        name = next((name for name in names if name in columns), None)
        if name is not None:
            found[field] = columns[name]
        elif field == "book" and book is not None:
            found[field] = texts([book] * rows, field)
        elif field != "direction":
            raise InputError("the table has no such column", field=field)
    quantity = np.array(numbers(found["quantity"], "quantity"))
    if "direction" in found:
        quantity = _directed(quantity, *found.pop("direction"))
    found["quantity"] = np.ascontiguousarray(np.broadcast_to(quantity, rows))
    return found


def _as_json(levels: Any) -> str:
    """A side of an order book as the text that tables have."""
    if is_null(levels):
        return ""
    return levels if isinstance(levels, str) else json.dumps([[float(number) for number in level] for level in levels])


def ticker_columns(tickers: Any, exchange: Optional[str]) -> Tuple[Dict[str, Any], int, Dict[str, str], Dict[str, Any]]:
    """The columns of a table of tickers as the library names them, its rows, the caller's name of each, and its columns."""
    optional = [name for name in _TICKERS if name != "timestamp"]
    if isinstance(tickers, Mapping) or type(tickers).__module__.startswith("pandas"):
        # Of objects, order books are lists as JSON has them, or their texts.
        books = {
            side: [_as_json(levels) for levels in listed(tickers[side])] for side in ("bids", "asks")
            if side in tickers and not is_offsets(tickers[side]) and not hasattr(tickers[side], "columns")
        }
        if books:
            tickers = {**{name: tickers[name] for name in _TICKERS if name in tickers}, **books}
    columns = single(tickers, _TICKERS, optional, nulls_as_nan=True)
    rows = columns[""]
    if exchange is not None and "exchange" not in columns:
        columns["exchange"] = texts([exchange] * rows, "exchange")
    given = _contiguous(columns, _TICKERS)
    names = {name: alias for alias, name in _ALIASES.items() if alias in given}
    names.update((name, name) for name in given if name not in _ALIASES)
    if "instrument" not in names:
        raise InputError("the table has no such column, nor instrument_name", field="instrument")
    columns = {name: given[own] / 100 if own == "mark_iv" else given[own] for name, own in names.items()}
    return columns, rows, names, given


def name_as_given(error: InputError, names: Mapping[str, str], given: Mapping[str, Any]) -> None:
    """Gives an error about tickers the caller's names and units."""
    name = _ALIASES.get(error.field, error.field)
    error.field = names.get(name, name)
    if error.field == "mark_iv" and error.row is not None and error.value is not None:
        error.value = float(given["mark_iv"][error.row])
        if error.earlier_row is not None:
            earlier = float(given["mark_iv"][error.earlier_row])
            error.reason = f'an earlier row of the same instrument and time has "{earlier}"'


def _directed(quantity: Any, offsets: Any, data: Any) -> Any:
    """Quantities with the sign that directions give them, as the library's tables have them."""
    signs = {"": 0, "buy": 1, "long": 1, "bid": 1, "sell": -1, "short": -1, "ask": -1, "zero": 1}
    content = np.asarray(data).tobytes()
    for row in range(len(quantity)):
        direction = content[offsets[row] : offsets[row + 1]].decode()
        sign = signs.get(direction.lower())
        if sign is None:
            raise InputError("is neither buy nor sell", row, "direction", direction)
        if sign > 0 and quantity[row] < 0 or direction == "zero" and quantity[row] != 0:
            raise InputError(f"contradicts {direction}", row, "quantity", float(quantity[row]))
        quantity[row] = -abs(quantity[row]) if sign < 0 else quantity[row]
    return quantity


def exposure_columns(numeraire: str) -> Tuple[str, ...]:
    """The names of exposures with their units, `vega_usd_per_point`, in the order of poise.EXPOSURES."""
    return tuple(f"{name}_{numeraire}{_UNITS.get(name, '')}" for name in _native.EXPOSURES)


def _contiguous(columns: Dict[str, Any], kinds: Mapping[str, str]) -> Dict[str, Any]:
    """As the C library reads them."""
    contiguous: Dict[str, Callable[[Any, str], Any]] = {
        "f": lambda column, name: np.ascontiguousarray(numbers(column, name)),
        "i": lambda column, name: np.ascontiguousarray(column, np.int64),
    }
    return {
        name: column if kinds[name] in "so" else contiguous[kinds[name]](column, name)
        for name, column in columns.items()
        if name
    }


def _time(time: Optional[Time]) -> int:
    """Milliseconds since 1970, UTC; 0 for None. Naive datetimes are UTC."""
    return 0 if time is None else int(times(time, "time"))


def _is_coin(numeraire: str) -> bool:
    if numeraire not in ("usd", "coin"):
        raise ValueError(f"numeraire: expected usd or coin, got {numeraire!r}")
    return numeraire == "coin"


def _names(by: Iterable[str]) -> Tuple[str, ...]:
    return (by,) if isinstance(by, str) else tuple(by)


def _groupings(names: Tuple[str, ...], known: Mapping[str, int] = _GROUPINGS) -> Tuple[int, ...]:
    if not names:
        raise InputError(f"expected at least one of {', '.join(known)}; a total is the sum of any", field="by")
    for name in names:
        if name not in known:
            raise InputError(f"must be one of {', '.join(known)}", field="by", value=name)
    return tuple(known[name] for name in names)


def buckets_of(
    desks: Optional[Mapping[str, str]], tenor_days: Optional[Sequence[float]], moneyness: Optional[Sequence[float]]
) -> Tuple[Dict[str, Any], int]:
    """Desks and edges as the library has them, and how many desks."""
    buckets: Dict[str, Any] = {}
    for name, edges in (("tenor_days", tenor_days), ("moneyness", moneyness)):
        if edges is not None:
            buckets[name] = np.array(edges, float)
    if desks:
        buckets["book"], buckets["desk"] = texts(desks, "desks"), texts(desks.values(), "desks")
    return buckets, len(desks or ())


def _stamp(path: Path) -> Tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def _content(path: Path, stamp: Tuple[int, int]) -> bytes:
    """A file's bytes, if it is still the one that was read."""
    if _stamp(path) != stamp:
        raise pickle.PicklingError(f"{os.fspath(path)}: has changed since it was read")
    with open(path, "rb") as file:
        return file.read()


def _again(kind: Any, origin: Tuple[Any, ...]) -> Any:
    """One made of what another was made of."""
    made = kind._of(kind._from_origin(*origin))
    made._origin = origin
    return made


class _Readable:
    """What can be made of a file or text too; it is pickled as what it was made of."""

    _handle: object
    _origin: Tuple[Any, ...] = ()
    _from_file: Callable[[Path], object]
    _from_text: Callable[[Union[str, bytes], Optional[str]], object]

    @classmethod
    def read(cls, path: Path) -> Self:
        """One of a file, as the command line takes it: CSV; chains and grids also JSON."""
        try:
            made = cls._of(cls._from_file(path))
            made._origin = ("file", os.path.abspath(path), _stamp(path))
            return made
        except HostError as error:
            raise error_of_file(error, path) from None

    @classmethod
    def parse(cls, text: Union[str, bytes], name: str = "text") -> Self:
        """One of such a text; `name` is what errors call it."""
        made = cls._of(cls._from_text(text, name))
        made._origin = ("text", text, name)
        return made

    def _keep_columns(self, columns: Mapping[str, Any], rows: int) -> None:
        """Keeps copies: the caller's memory may change."""
        kept = {
            name: tuple(np.array(part) for part in column) if isinstance(column, tuple) else np.array(column)
            for name, column in columns.items()
        }
        self._origin = ("columns", kept, rows)

    def _read_as_file(self, table: Any, own: Collection[str], *more: Any, infinity: str = "inf") -> bool:
        """Makes it of a table with columns beside the library's own, which the reader of files knows, or refuses; false where
        there are none: they are read where they are.
        """
        text = as_file(table, own, infinity)
        if text is None:
            return False
        name = f"{type(self).__name__.lower()}" if not more else str(more[0])
        try:
            self._handle = type(self)._from_origin("rows", text, name, *more[1:])
        except InputError as error:
            raise of_rows(error, text, _TABLES[type(self).__name__]) from None
        self._origin = ("rows", text, name, *more[1:])
        return True

    @classmethod
    def _from_origin(cls, kind: str, *parts: Any) -> object:
        if kind == "columns":
            create: Callable[[Any, int], object] = getattr(_native, f"{cls.__name__.lower()}_create")
            return create(*parts)
        return cls._from_text(*parts)

    def __reduce__(self) -> Tuple[Any, ...]:
        origin = self._origin
        if origin and origin[0] == "file":
            origin = ("text", _content(origin[1], origin[2]), origin[1])
        return _again, (type(self), origin)

    @classmethod
    def _of(cls, handle: object) -> Self:
        made = cls.__new__(cls)
        made._handle = handle
        return made


class Chain(_Readable):
    """Tickers of many instruments; never changes, and threads may share it.

    Parameters
    ----------
    tickers : Arrow table, pandas or Polars DataFrame, dict or list of dicts, one row per ticker (n,)
        instrument : text: BTC-27JUN25-60000-C, BTC-27JUN25, BTC-PERPETUAL, BTC_USDC-27JUN25-60000-C, BTC_USDC.
        timestamp : datetimes, ISO 8601 (UTC unless they say otherwise), or numbers since 1970 of 10, 13, 16 or 19 digits:
            seconds, milli-, micro- or nanoseconds.
        underlying_price : float64, options: the future of the expiry, in quote currency.
        vol : float64 per square root of a year, 0.6 is 60%; or mark_iv, as exchanges have it, in percent.
        mark_price : float64 as quoted: in coin for inverse options, else in quote currency; all but options need it.
        rate, index_price, bid_price, bid_amount, ask_price, ask_amount : float64, and underlying_index, exchange, text:
            optional.
        bids, asks : order books, best first, as JSON texts "[[price, amount], …]", or lists of pairs in objects; optional, and
            in place of the best prices.
        The exchange's names for these (instrument_name, interest_rate, best_bid_price …) do too, and so do tables in the layout of
        any reply that files may have (a book summary, other exchanges' tickers), and lists of dicts. NaN or null: not known.

    exchange : "deribit", "okx" or "bybit"
        Whose contracts they are, where names that several exchanges have don't say.

    Of an instrument that stands there more than once, the latest counts.
    """

    @classmethod
    def read(cls, path: Union[Path, Sequence[Path]], exchange: Optional[str] = None) -> Self:
        """One of a file, or of several together, as the command line takes them: CSV or JSON."""
        paths = (path,) if isinstance(path, (str, os.PathLike)) else tuple(path)
        if not paths:
            raise InputError("expected at least one file", field="path")
        try:
            made = cls._of(_native.chain_load(paths, None, None, exchange))
            made._origin = ("files", tuple((os.path.abspath(one), _stamp(one)) for one in paths), exchange)
            return made
        except HostError as error:
            raise error_of_file(error, error.file or paths[0]) from None

    @classmethod
    def parse(cls, text: Union[str, bytes], name: str = "text", exchange: Optional[str] = None) -> Self:
        """One of such a text; `name` is what errors call it."""
        made = cls._of(_native.chain_load((), text, name, exchange))
        made._origin = ("text", text, name, exchange)
        return made

    def with_instruments(self, path: Optional[Path] = None, *, text: Union[str, bytes, None] = None) -> Chain:
        """The same with an exchange's list of instruments (JSON, a file or its text), from which hedges take lots."""
        try:
            made = Chain._of(_native.chain_with_instruments(self._handle, path, text))
            given = text if path is None else ("file", os.path.abspath(path), _stamp(path))
            made._origin = ("instruments", self, given)
            return made
        except HostError as error:
            raise error_of_file(error, path) from None

    def with_own_volatilities(self) -> Chain:
        """The same with the volatilities of a surface fitted to its own quotes, as `--surface own` of the commands.

        What keeps the exchange's, and why, is in `remarks`.
        """
        made = Chain._of(_native.chain_with_own_volatilities(self._handle))
        made._origin = ("own", self)
        return made

    @classmethod
    def _from_origin(cls, kind: str, *parts: Any) -> object:
        if kind in ("text", "rows"):
            return _native.chain_load((), *parts)
        if kind == "files":
            return _native.chain_load(parts[0], None, None, parts[1])
        if kind == "instruments":
            return _native.chain_with_instruments(parts[0]._handle, None, parts[1])
        if kind == "own":
            return _native.chain_with_own_volatilities(parts[0]._handle)
        return _native.chain_create(*parts)

    def __reduce__(self) -> Tuple[Any, ...]:
        origin = self._origin
        if origin[0] == "files":
            origin = ("files", tuple(_content(*one) if isinstance(one, tuple) else one for one in origin[1]), origin[2])
        elif origin[0] == "instruments" and isinstance(origin[2], tuple):
            origin = (*origin[:2], _content(*origin[2][1:]))
        return _again, (type(self), origin)

    def __init__(self, tickers: Any, exchange: Optional[str] = None) -> None:
        tickers = named_index(records(tickers))
        spelt = {folded(name) for name in names_of(tickers) or ()}
        if {"vol", "mark_iv"} <= spelt:
            raise InputError("stands beside mark_iv: one of them says what the volatility is", field="vol")
        # A volatility in percent is an exchange's, and so are errors and remarks about it.
        if self._read_as_file(tickers, set(_TICKERS) - {"mark_iv"}, "tickers", exchange):
            return
        columns, rows, names, given = ticker_columns(tickers, exchange)
        self._keep_columns(columns, rows)
        try:
            self._handle = _native.chain_create(columns, rows)
        except InputError as error:
            name_as_given(error, names, given)
            raise

    @property
    def instruments(self) -> List[str]:
        """Each once, in the order of the rows."""
        return _native.chain_instruments(self._handle)

    def table(self, greeks: Union[str, Sequence[str]] = "book") -> Columns:
        """The latest ticker of each instrument with its Greeks, a row each in the order of `instruments`.

        Parameters
        ----------
        greeks : of poise.GREEKS, "book", "all", or () for none

        Returns
        -------
        Columns
            instrument, underlying, kind ("option", "future", "perpetual", "spot") and type ("C", "P" or ""), text; timestamp and
            expiry, datetime64[ms], NaT where there is none. Then float64, NaN where it is not known: strike, forward (of
            options the future of their expiry, of others the mark price), years, vol, rate, mark_price, index_price,
            bid_price, bid_amount, ask_price, ask_amount, open_interest; the natural Greeks of a unit in quote currency, of
            options Black-76 on `forward` (all others have a price and a delta of 1); and what the exchange published in its
            own units: exchange_delta, exchange_gamma, exchange_vega, exchange_theta, exchange_rho.
        """
        underlyings, kinds, types, times_, expiries, numbers_ = _native.chain_table(self._handle)
        is_option = kinds == 0
        table = Columns(
            instrument=np.array(self.instruments, dtype=object), underlying=np.array(underlyings, dtype=object),
            kind=np.array(_KINDS, dtype=object)[kinds], type=np.array(["C", "P"] + [""] * 254, dtype=object)[types],
            timestamp=times_.astype("M8[ms]"),
            expiry=np.where(expiries == 0, np.datetime64("NaT", "ms"), expiries.astype("M8[ms]")))
        figures = dict(zip(_TICKER_FIGURES, numbers_))
        published = {name: figures.pop(name) for name in _PUBLISHED}
        table.update(figures)
        if not isinstance(greeks, str) and not len(greeks):
            return Columns({**table, **published})
        option = {name: np.where(is_option, figures[name], 0.0) for name in ("strike", "years", "vol", "rate")}
        found = _native.greeks(
            np.where(is_option, types, 0).astype(np.uint8), figures["forward"], option["strike"], option["years"], option["vol"],
            option["rate"], option["rate"], greeks=greeks, invalid="status")
        found.pop("status")
        return Columns({**table, **found, **published})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> Any:
        """`table()` as a pandas DataFrame."""
        return self.table().to_pandas()

    def plot(self, underlying: Optional[str] = None, ax: Any = None) -> Any:
        """The volatilities of each expiry over the strike, with matplotlib; returns the axes.

        underlying : the coin; needed where the chain has options of several
        """
        from . import _plots

        return _plots.smiles(self.table(greeks=()), underlying, ax)

    @property
    def remarks(self) -> List[str]:
        """What a reader of results should know of the rows, a sentence each: kinds that were left out, volatilities found from
        marks, facts that contradict each other.
        """
        remarks = _native.chain_remarks(self._handle)
        if self._origin[:1] != ("rows",):
            return remarks
        # Of a table's rows, not of the lines of a file.
        place = re.compile(r"^tickers:(\d+):")
        return [place.sub(lambda found: f"tickers: row {int(found[1]) - 2}:", remark) for remark in remarks]

    @property
    def left_out(self) -> int:
        """How many rows and messages were left out, being no tickers of kinds that are known."""
        return _native.chain_left_out(self._handle)

    def __len__(self) -> int:
        return len(self.instruments)

    def __repr__(self) -> str:
        return f"Chain({len(self)} instruments)"


class Positions(_Readable):
    """What books hold; never changes, and threads may share it.

    Parameters
    ----------
    table : Arrow table, pandas DataFrame or dict, one row per position (n,)
        book, instrument : text.
        quantity : float64, above 0 is long: in coins, or in dollars of inverse futures and perpetuals.
        An exchange's names do too: instrument_name, and size or amount, with a direction (buy, sell) where it has no sign.
    book : the one book of a table that has no column of them, such as an exchange's positions.
    """

    _from_file = staticmethod(_native.positions_read)
    _from_text = staticmethod(_native.positions_parse)

    def __init__(self, table: Any, book: Optional[str] = None) -> None:
        kinds = {name: kind for names, kind in _POSITIONS.values() for name in names}
        table = named_index(records(table))
        if self._read_as_file(table, kinds, *only_book(table, book)):
            return
        columns = single(table, kinds, list(kinds), nulls_as_nan=False)
        rows = columns[""]
        found = held(columns, book)
        self._keep_columns(found, rows)
        self._handle = _native.positions_create(found, rows)

    def __len__(self) -> int:
        return _native.positions_count(self._handle)

    def __repr__(self) -> str:
        return f"Positions({len(self)})"


class Limits(_Readable):
    """The bands in which exposures are to stay, in dollars and the units of `exposures`.

    Parameters
    ----------
    table : Arrow table, pandas DataFrame or dict, one row per limit (n,)
        greek : text, one of poise.EXPOSURES.
        low, high : float64; NaN or null: no such limit.
        book, underlying, expiry : text, optional: "", "*" or null for all together; expiry as "2026-03-27".
        penalty, penalty_quadratic : float64, optional: cost of s units outside is penalty s + penalty_quadratic s²/2;
            NaN: the band must hold.
    """

    _from_file = staticmethod(_native.limits_read)
    _from_text = staticmethod(_native.limits_parse)

    def __init__(self, table: Any) -> None:
        kinds = {
            "book": "o", "underlying": "o", "expiry": "o", "greek": "s", "low": "f", "high": "f", "penalty": "f",
            "penalty_quadratic": "f",
        }
        optional = ("book", "underlying", "expiry", "low", "high", "penalty", "penalty_quadratic")
        table = named_index(records(table))
        if self._read_as_file(table, kinds, infinity=""):
            return
        columns = single(table, kinds, optional, nulls_as_nan=True)
        rows = columns[""]
        offsets, data = columns.pop("greek")
        columns = _contiguous(columns, kinds)
        columns["exposure"] = np.empty(rows, np.uint8)
        for row in range(rows):
            name = bytes(data[offsets[row] : offsets[row + 1]]).decode()
            if name not in _native.EXPOSURES:
                known = ", ".join(_native.EXPOSURES)
                raise InputError(f"must be one of {known}", row, "greek", name)
            columns["exposure"][row] = _native.EXPOSURES.index(name)
        for name, missing in (("low", -np.inf), ("high", np.inf)):
            values = columns.get(name, np.full(rows, np.nan))
            columns[name] = np.where(np.isnan(values), missing, values)
        columns.pop("", None)
        self._keep_columns(columns, rows)
        self._handle = _native.limits_create(columns, rows)


def exposures(
    chain: Chain, positions: Positions, by: Sequence[str] = ("book", "underlying"), numeraire: str = "usd", *,
    desks: Optional[Mapping[str, str]] = None, tenor_days: Optional[Sequence[float]] = None,
    moneyness: Optional[Sequence[float]] = None,
) -> Columns:
    """Exposures of groups of positions, off the latest ticker of each contract, each at its own time.

    Parameters
    ----------
    by : of "book", "underlying", "expiry", "instrument", "desk", "tenor", "moneyness"
        What groups are made of.
    numeraire : "usd" or "coin"
    desks : dict
        The desk of each book; others are of desk "none".
    tenor_days : (edges,) float64
        Upper edges of tenors in days to expiry, ascending; the last bucket is open. Else 7, 30, 90, 180, 365.
    moneyness : (edges,) float64
        Edges of strike over future, ascending; the first and the last bucket are open. Else 0.8, 0.95, 1.05, 1.25.

    Returns
    -------
    Columns
        A label (text) for each of `by`, then (groups,) float64 named with their units: `value_usd`, `delta_usd`,
        `net_delta_usd`, `gamma_usd_per_percent`, `vega_usd_per_point`, `theta_usd_per_day`, `rho_usd_per_percent`,
        `vanna_usd_per_point`, `volga_usd_per_point_squared`, `charm_usd_per_day`. Signed from the book's side.

    Raises
    ------
    UnknownNameError
        For a position whose contract the chain has no price for.
    """
    names = _names(by)
    buckets, count = buckets_of(desks, tenor_days, moneyness)
    groupings = _groupings(names, {**_GROUPINGS, **_BUCKETS})
    labels, figures = _native.exposures(
        chain._handle, positions._handle, _is_coin(numeraire), groupings, buckets, count)
    columns = Columns(zip(names, (np.array(label, dtype=object) for label in labels)))
    columns.update(zip(exposure_columns(numeraire), figures))
    return columns


@dataclass(frozen=True)
class Hedge:
    """An answer: what to trade, at what cost, and what bounds it.

    Costs are in dollars, of a `Hedger`'s problem in the currency of its costs; exposures in the units of their bands.

    Attributes
    ----------
    outcome : str
        "optimal"; "infeasible": no trades bring every band that must hold within its limits, and all quantities are 0, see
        `diagnose`; "budget": a search over lots and fixed costs was stopped, these are the best found; "uncertified": they
        are not proven to be the cheapest; "within-limits": of a `Book`, nothing is to be traded.
    trades : Columns, one row per instrument that may be traded (n,)
        instrument : text. quantity : float64, above 0 buys, in units of the instrument.
    bands : Columns, one row per band (m,)
        band : text. exposure : float64, before the trades. shadow_price : float64, currency per unit of exposure: what the
        least cost changes by when the limit that holds the exposure rises by one; 0 where none does. Of a `Book` and a
        `Hedger` also low, high : float64, the limits, infinite where there is none, and after : float64, the exposure after
        the trades.
    linear_cost, impact_cost, fixed_cost, penalty_cost, risk_cost : float
        The cost by cause; `cost` is their sum.
    gap : float
        No trades are cheaper than (1 − gap) of these.
    violation : float
        The largest violation of a band that must hold, relative to its width, or to a thousandth of what its exposure is
        made of where that is more.
    margin_price, cash_price : float
        What the least cost changes by when the margin limit or the cash budget rises by one.
    interior_steps, pivots, nodes : int
        Steps of the interior point method (0: the last answer's limits were enough), of the active set, and of a search.
    """

    outcome: str
    trades: Columns
    bands: Columns
    linear_cost: float
    impact_cost: float
    fixed_cost: float
    penalty_cost: float
    risk_cost: float
    gap: float
    violation: float
    margin_price: float
    cash_price: float
    interior_steps: int
    pivots: int
    nodes: int

    def plot(self, ax: Any = None) -> Any:
        """Exposures before and after the trades against their bands, each in widths of its band, with matplotlib; returns the
        axes.
        """
        from . import _plots

        return _plots.bands(self.bands, ax)

    @property
    def cost(self) -> float:
        """All costs together."""
        return self.linear_cost + self.impact_cost + self.fixed_cost + self.penalty_cost + self.risk_cost


def hedge_of(result: Dict[str, Any], trades: Columns, bands: Columns) -> Hedge:
    return Hedge(OUTCOMES[result.pop("outcome")], trades, bands, **result)


@dataclass(frozen=True)
class Diagnosis:
    """Why no trades bring every band that must hold within its limits, and how near one can get.

    Violations are counted in widths of their band, high − low (a band of width 0 or infinity counts in its own unit); lots,
    smallest trades and fixed costs are left out.

    Attributes
    ----------
    is_infeasible : bool
        False: all bands can be met, so that only lots or smallest trades stand in the way, if anything; all else is 0 then.
    trades : Columns, one row per instrument that may be traded (n,)
        instrument : text. quantity : float64, above 0 buys: the cheapest trades that reach the least sum of violations.
    bands : Columns, one row per band (m,)
        band : text. violation : float64 in widths, how far it stays outside, below 0 where below its low limit.
        shadow_price : float64, what the least sum changes by when the limit that is in the way rises by a width.
    total_violation, worst_violation : float, in widths
        The least sum of violations, and the least possible largest one; infinity where the cash budget cannot be kept.
    first_band : str or None
        The band whose limit to loosen first, each width of which takes most off the sum; None: none helps.
    first_price : float
        Its shadow price, which says which limit: above 0 the low one, below 0 the high one.
    margin_price, cash_price : float
        What the least sum changes by when the margin limit or the cash budget rises by one of its currency.
    least_cash : float
        Where the cash budget cannot be kept by any trades: the least that any spend, in its currency; else NaN.
    gap : float
        Relative primal-dual gap of the sum.
    """

    is_infeasible: bool
    trades: Columns
    bands: Columns
    total_violation: float
    worst_violation: float
    first_band: Optional[str]
    first_price: float
    margin_price: float
    cash_price: float
    least_cash: float
    gap: float


def diagnosis_of(
    found: Dict[str, Any], instruments: List[str], trades: Any, labels: List[str], violations: Any, prices: Any
) -> Diagnosis:
    first = found.pop("first_band")
    return Diagnosis(
        trades=Columns(instrument=np.array(instruments, dtype=object), quantity=trades),
        bands=Columns(band=np.array(labels, dtype=object), violation=violations, shadow_price=prices),
        first_band=labels[first] if first >= 0 else None, **found,
    )
