"""Volatility surfaces: raw SVI fitted to quotes, asked at any strike and time."""
from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np

from . import _native
from ._columns import Columns, is_table, numbers, times
from ._errors import InputError
from ._tables import single

#: What a slice's `status` may be.
FIT_STATUS = ("ok", "fallback", "too-few-quotes", "butterfly", "calendar", "unsolved", "bad-quotes")
_REPAIR = ("none", "refit", "essvi", "jump-wings", "zoom")
_LOSS = ("band", "mid", "spread")
_ARBITRAGE = ("full", "butterfly", "none")
_QUANTITIES = ("vol", "slope", "curvature", "variance", "density", "local_variance", "forward")
_FIGURES = (
    "years", "forward", "a", "b", "rho", "m", "sigma", "least_g", "least_g_at", "rms", "rms_half_spreads",
    "largest_error", "inside", "status", "repair", "quotes", "dropped", "least_gap", "least_gap_at")
_MILLISECONDS_PER_YEAR = 365 * 86_400_000.0


class Surface:
    """The volatility surface of one underlying: raw SVI for each expiry, free of arbitrage unless told otherwise.

    Parameters
    ----------
    table : pandas, Polars or Arrow table, or dict
        Columns as the parameters below, in place of them.
    strike, forward : (n,) float64, or a number
        Of each quote; rows of one expiry have the same forward.
    bid, ask : (n,) float64
        Implied volatilities, 0.6 is 60%; NaN for a side that nobody quotes. `poise.implied_vol` makes them of prices.
    years : (n,) float64, or a number
        To expiry, ACT/365. Rows of the same years are a slice.
    expiry : (n,) datetimes or ISO 8601 texts, in place of years; `now` is one, too.
    weight : (n,) float64
        How much a quote counts; 0 is not at all.
    spot : float
        The price now, for forwards before the first expiry.
    loss : "band" (distance outside of bid and ask, in half spreads), "mid" or "spread" (distance from the middle, in
        volatility or in half spreads)
    arbitrage : "full", "butterfly" or "none"
        What is excluded, at all strikes.

    Raises
    ------
    poise.InputError
        For a number that may not be, with its row. A slice that cannot be fitted is none: see `slices`.
    """

    def __init__(
        self, table: Any = None, *, strike: Any = None, bid: Any = None, ask: Any = None, forward: Any = None,
        years: Any = None, expiry: Any = None, now: Any = None, weight: Any = None, spot: float = 0.0,
        loss: str = "band", arbitrage: str = "full",
    ) -> None:
        columns = {
            "strike": strike, "bid": bid, "ask": ask, "forward": forward, "years": years, "expiry": expiry,
            "weight": weight}
        if table is not None:
            if not is_table(table):
                raise TypeError(f"expected a table or columns, got {type(table).__name__}")
            given = [name for name, values in columns.items() if values is not None]
            if given:
                raise TypeError(f"{given[0]} stands beside a table")
            # Of Arrow's times milliseconds are made.
            kinds = dict.fromkeys(("strike", "bid", "ask", "forward", "years", "weight"), "f")
            columns = single(table, {**kinds, "expiry": "i"}, ("years", "weight", "expiry"), nulls_as_nan=True)
        for name in ("strike", "bid", "ask", "forward"):
            if columns.get(name) is None:
                raise InputError("is missing", field=name)
        if loss not in _LOSS:
            raise ValueError(f"loss: {loss!r} is none of {', '.join(_LOSS)}")
        if arbitrage not in _ARBITRAGE:
            raise ValueError(f"arbitrage: {arbitrage!r} is none of {', '.join(_ARBITRAGE)}")
        quotes: Tuple[Any, ...] = (
            _years(columns.get("years"), columns.get("expiry"), now), columns["forward"], columns["strike"],
            columns["bid"], columns["ask"], columns.get("weight"))
        settings: Tuple[Any, ...] = (float(spot), _LOSS.index(loss), _ARBITRAGE.index(arbitrage))
        # Copies: the caller's memory may change.
        self._quotes: Tuple[Any, ...] = (*(None if column is None else np.array(column) for column in quotes), *settings)
        self._handle = _native.surface_fit(*quotes, *settings)

    def __reduce__(self) -> Tuple[Any, ...]:
        return _fitted, (self._quotes,)

    @property
    def slices(self) -> Columns:
        """A row for each slice, in order of time.

        `years`, `forward`; `a`, `b`, `rho`, `m`, `sigma` of total variance a + b (rho (k − m) + √((k − m)² + sigma²)),
        k = ln(strike/forward); `least_g` and where, below 0 is a butterfly; `rms`, `largest_error` against the middle, in
        volatility, `rms_half_spreads`; `inside`, the share of quotes met; `status` (`poise.FIT_STATUS`) and `repair`, what
        it took; `quotes` used and `dropped`; `least_gap`, of total variance to the next slice, and where. NaN where there is
        no curve, or a next one with a flatter wing.
        """
        columns = Columns(zip(_FIGURES, _native.surface_slices(self._handle)))
        for name, words in (("status", FIT_STATUS), ("repair", _REPAIR)):
            columns[name] = np.array(words)[columns[name].astype(np.int64)]
        for name in ("quotes", "dropped"):
            columns[name] = columns[name].astype(np.int64)
        return columns

    def plot(self, width: float = 0.5, ax: Any = None) -> Any:
        """The curves over ln(strike/forward) from −width to width, with matplotlib; returns the axes."""
        from . import _plots

        return _plots.curves(self, width, ax)

    def __len__(self) -> int:
        """How many slices."""
        return len(self.slices["years"])

    def query(
        self, strike: Any, years: Any, quantities: Union[str, Sequence[str]] = _QUANTITIES, *, invalid: str = "raise"
    ) -> Columns:
        """What the surface says of strikes and times, which are broadcast against each other.

        Between expiries total variance is linear in time at equal ln(strike/forward); before the first it is the first's by the
        share of time; beyond the last the slice rises by the last forward variance.

        Parameters
        ----------
        strike, years : float64 of any shape, or numbers
        quantities : some of "vol" (σ), "slope" (∂σ/∂k), "curvature" (∂²σ/∂k²), "variance" (σ²T), "density" (of
            ln(price/forward)), "local_variance" (Dupire's, per year), "forward"; k = ln(strike/forward)
        invalid : "raise", or "nan" for a strike or time that is not above 0 and finite

        Returns
        -------
        Columns
            float64 of the common shape.
        """
        chosen = (quantities,) if isinstance(quantities, str) else tuple(quantities)
        for name in chosen:
            if name not in _QUANTITIES:
                raise ValueError(f"quantities: {name!r} is none of {', '.join(_QUANTITIES)}")
        if invalid not in ("raise", "nan"):
            raise ValueError(f"invalid: {invalid!r} is neither 'raise' nor 'nan'")
        names = [name for name in _QUANTITIES if name in chosen]
        bits = sum(1 << _QUANTITIES.index(name) for name in names)
        strikes, times_ = numbers(strike, "strike"), numbers(years, "years")
        shape = np.broadcast_shapes(strikes.shape, times_.shape)
        flat: Tuple[Any, Any] = tuple(
            value.ravel() if value.shape == shape and shape else
            value.item() if value.ndim == 0 else np.broadcast_to(value, shape).ravel()
            for value in (strikes, times_))  # type: ignore[assignment]
        made = _native.surface_query(self._handle, *flat, bits, invalid == "nan")
        return Columns((name, array.reshape(shape) if shape else float(array[0])) for name, array in zip(names, made))

    def vol(self, strike: Any, years: Any) -> Any:
        """Implied volatility, 0.6 is 60%."""
        return self.query(strike, years, "vol")["vol"]

    def slope(self, strike: Any, years: Any) -> Any:
        """∂σ/∂k, k = ln(strike/forward)."""
        return self.query(strike, years, "slope")["slope"]

    def curvature(self, strike: Any, years: Any) -> Any:
        """∂²σ/∂k²."""
        return self.query(strike, years, "curvature")["curvature"]

    def density(self, strike: Any, years: Any) -> Any:
        """The density of ln(price/forward) at k = ln(strike/forward)."""
        return self.query(strike, years, "density")["density"]

    def local_variance(self, strike: Any, years: Any) -> Any:
        """Dupire's local variance, per year."""
        return self.query(strike, years, "local_variance")["local_variance"]

    def forward(self, years: Any) -> Any:
        """The forward for a time."""
        return self.query(1.0, years, "forward")["forward"]


def _fitted(quotes: Tuple[Any, ...]) -> Surface:
    made = Surface.__new__(Surface)
    made._quotes, made._handle = quotes, _native.surface_fit(*quotes)
    return made


def _years(years: Any, expiry: Any, now: Any) -> Any:
    """Years to expiry, as they are or from times."""
    if (years is None) == (expiry is None):
        raise InputError("either years or expiry is needed", field="years")
    if expiry is None:
        if now is not None:
            raise InputError("goes with expiry", field="now")
        return years
    if now is None:
        raise InputError("is missing beside expiry", field="now")
    begin: Optional[Any] = times([now], "now")[0]
    return (times(expiry, "expiry") - begin) / _MILLISECONDS_PER_YEAR
