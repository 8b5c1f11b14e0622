"""The slice form of Greeks: what options of one underlying and expiry have in common is computed once."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Dict, Optional, Union

import numpy as np

from . import _native
from ._columns import Columns
from ._errors import InputError


class Slices:
    """Options in slices: those of one underlying and expiry share spot, years, rate and dividend.

    Takes 0.6 of the time of `poise.greeks`. Black-Scholes-Merton. Spot starts at 1, all else at 0. One thread at a time.

    Parameters
    ----------
    offsets : (slices + 1,) integers, ascending from 0
        Options `offsets[s]` to `offsets[s + 1] − 1` are those of slice s.
    type : (n,) uint8, or texts
        0 or "C": call; 1 or "P": put.
    strike : (n,) float64

    Raises
    ------
    poise.InputError
        For a type or strike, with its row.
    """

    def __init__(self, offsets: Any, type: Any, strike: Any) -> None:
        places = np.asarray(offsets)
        if places.ndim != 1 or places.dtype.kind not in "iu" or len(places) == 0:
            raise InputError("expected whole numbers, one more than there are slices", field="offsets")
        self.offsets = places.astype(np.int64)
        self._handle = _native.slices_create(self.offsets, type, strike)

    def __len__(self) -> int:
        """How many slices."""
        return len(self.offsets) - 1

    def set_market(self, spot: Any, years: Any, rate: Any = 0.0, dividend: Any = 0.0, *, first: int = 0) -> None:
        """The market of slices from `first` on: (slices,) float64 each, or a number for all of them.

        years: ACT/365. rate, dividend: continuously compounded; with dividend = rate, spot is the forward (Black-76).
        InputError with the row, counted from `first`; nothing has changed then.
        """
        _native.slices_set_market(self._handle, first, max(len(self) - first, 0), spot, years, rate, dividend)

    def set_vol(self, vol: Any, *, first: int = 0) -> None:
        """The volatilities of options from `first` on: (options,) float64, 0.6 is 60%, or a number for all of them."""
        _native.slices_set_vol(self._handle, first, max(int(self.offsets[-1]) - first, 0), vol)

    def greeks(
        self, greeks: Union[str, Sequence[str]] = "book", *, first: int = 0, count: Optional[int] = None,
        out: Optional[Dict[str, Any]] = None,
    ) -> Columns:
        """Greeks of the options of `count` slices from `first` on: all that follow, unless told.

        Parameters
        ----------
        greeks : "book", "all", a name or names: see `poise.greeks`.
        out : dict of (options,) float64: memory to write to, such as an earlier result; it is returned.

        Returns
        -------
        Columns
            (options,) float64 by Greek, of the slices asked for alone; natural units, as of `poise.greeks`.
        """
        named = {"book": _native.BOOK_GREEKS, "all": _native.GREEKS}
        chosen = named.get(greeks, (greeks,)) if isinstance(greeks, str) else tuple(greeks)
        for name in chosen:
            if name not in _native.GREEKS:
                raise ValueError(f"greeks: {name!r} is no Greek; see poise.GREEKS")
        names = tuple(name for name in _native.GREEKS if name in chosen)
        bits = sum(1 << _native.GREEKS.index(name) for name in names)
        count = max(len(self) - first, 0) if count is None else count
        if first < 0 or count < 0 or first + count > len(self):
            raise IndexError(f"slices {first} to {first + count - 1}: there are {len(self)}")
        rows = int(self.offsets[first + count] - self.offsets[first])
        given = None
        if out is not None:
            missing = next((name for name in names if name not in out), None)
            if missing is not None:
                raise ValueError(f"out: has no column {missing!r}")
            given = tuple(out[name] for name in names)
        made = _native.slices_greeks(self._handle, first, count, bits, names, rows, given)
        return Columns(zip(names, made)) if out is None else out  # type: ignore[return-value]
