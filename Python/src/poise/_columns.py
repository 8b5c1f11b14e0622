"""Columns by name: what functions return, and how they take what others call a table."""
from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from numbers import Real
from typing import Any, Dict, Iterable, Tuple

import numpy as np

from ._errors import InputError


class Columns(Dict[str, Any]):
    """Arrays of one length by name, in order: a dict of NumPy arrays that is also an Arrow table.

    `pyarrow.table(columns)`, `polars.DataFrame(columns)`, `duckdb.sql("from columns")` and everything else that knows
    Arrow's PyCapsule interface take the arrays where they are; `pandas.DataFrame(columns)` takes them as a dict.
    Where all inputs of a call were numbers, so are the values, which these don't take as a table: give one of the inputs
    as an array of one.
    """

    def __arrow_c_array__(self, requested_schema: object = None) -> Tuple[object, object]:
        from . import _native

        return _native.export_array(_exportable(self))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        from . import _native

        return _native.export_stream(_exportable(self))

    def to_pandas(self) -> Any:
        """A pandas DataFrame."""
        import pandas

        return pandas.DataFrame(dict(self))

    def __repr__(self) -> str:
        rows = next((len(array) for array in self.values() if np.ndim(array)), None)
        if rows is None:
            return f"Columns({dict(self)})"
        return f"Columns({rows} rows: {', '.join(self)})"


def _exportable(columns: Columns) -> Dict[str, Any]:
    """Arrays as the C data interface has them; texts as offsets and bytes."""
    arrays: Dict[str, Any] = {}
    for name, values in columns.items():
        array = np.atleast_1d(np.asarray(values))
        if array.dtype.kind == "M":
            there = ~np.isnat(array)
            bits = np.packbits(there, bitorder="little")
            arrays[name] = (array.astype("M8[ms]").astype(np.int64), bits, int(np.count_nonzero(~there)))
        elif array.dtype.kind in "UOT":
            arrays[name] = texts(array.tolist(), name)
        elif array.dtype.kind == "b":
            arrays[name] = np.ascontiguousarray(array, np.uint8)
        elif array.dtype in (np.float64, np.uint8, np.int64):
            arrays[name] = np.ascontiguousarray(array)
        else:
            arrays[name] = np.ascontiguousarray(array, np.int64 if array.dtype.kind in "iu" else np.float64)
    return arrays


def is_null(value: Any) -> bool:
    """None, NaN, NaT, or what pandas has for them."""
    pandas = sys.modules.get("pandas")
    return value is None or isinstance(value, (float, datetime)) and value != value or value is getattr(pandas, "NA", None)


def texts(values: Iterable[Any], field: str, nulls_as_empty: bool = False) -> Tuple[Any, Any]:
    """Texts as Arrow has them: (n + 1,) int64 offsets into (bytes,) uint8."""
    encoded = []
    for row, value in enumerate(values):
        if nulls_as_empty and is_null(value):
            value = ""
        if isinstance(value, bytes):
            value = value.decode()
        if not isinstance(value, str):
            raise InputError("must be a text", row, field, value)
        encoded.append(value.encode())
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return offsets, np.frombuffer(b"".join(encoded), np.uint8)


def is_offsets(values: Any) -> bool:
    """Whether these are texts as `texts` makes them."""
    return isinstance(values, tuple) and len(values) == 2 and all(isinstance(part, np.ndarray) for part in values)


def is_table(values: Any) -> bool:
    """Whether these are columns by name rather than one column."""
    # Polars warns where a LazyFrame is asked for its columns.
    return isinstance(values, Mapping) or type(values).__name__ == "LazyFrame" or hasattr(values, "columns") or (
        hasattr(values, "__arrow_c_stream__") and not hasattr(values, "__array__")
    )


def numbers(values: Any, field: str) -> Any:
    """Numbers as float64 of the same shape, whatever holds them: integers, floats, decimals, masked arrays (NaN where
    masked), objects. Booleans, times, durations and texts are none, although NumPy would convert them.
    """
    array = np.asanyarray(values)
    if array.dtype.kind == "c":
        raise TypeError(f"{field}: expected numbers, got complex ones")
    if array.dtype.kind == "O":
        items = array.ravel().tolist()
        for row, value in enumerate(items):
            if isinstance(value, (bool, np.bool_)) or not (isinstance(value, (Real, Decimal)) or is_null(value)):
                raise TypeError(f"{field}: expected numbers, got {type(value).__name__} in row {row}")
        array = np.reshape([np.nan if is_null(value) else float(value) for value in items], array.shape)
    elif array.dtype.kind not in "iuf":
        raise TypeError(f"{field}: expected numbers, got {array.dtype}")
    if isinstance(array, np.ma.MaskedArray):
        masked: Any = array.astype(np.float64)
        array = masked.filled(np.nan)
    return np.asarray(array, np.float64)


def times(values: Any, field: str) -> Any:
    """Times as int64 of the same shape: datetimes (UTC if naive), datetime64 and texts (ISO 8601) as milliseconds since
    1970, numbers as the counts that they are (seconds, milli-, micro-, nanoseconds). One that is missing raises.
    """
    from . import _native

    has_zone = getattr(getattr(values, "dtype", None), "tz", None) is not None
    array = values.to_numpy("datetime64[ms]") if has_zone else np.asanyarray(values)
    if array.dtype.kind == "M":
        found = np.asarray(array.astype("datetime64[ms]").astype(np.int64))
        gaps = np.isnat(np.asarray(array)) | np.ma.getmaskarray(array)
    elif array.dtype.kind in "iu":
        found, gaps = np.asarray(array, np.int64, order="C"), np.ma.getmaskarray(array)
    elif array.dtype.kind in "fOUST" or array.size == 0:
        written = [value.decode() if isinstance(value, bytes) else value for value in array.ravel().tolist()]
        gaps = np.reshape([is_null(value) for value in written], array.shape)
        found = np.zeros(array.shape, np.int64)
        for row, value in enumerate(written):
            if is_null(value):
                continue
            if isinstance(value, datetime):
                value = (value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value).isoformat()
            elif isinstance(value, np.datetime64):
                value = str(value)
            whole = isinstance(value, (int, float)) and value == value // 1
            time = int(value) if whole and not isinstance(value, bool) else _native.time(str(value))
            if time is None or abs(time) >= 2**63:
                raise InputError("is no time", row, field, value)
            found.flat[row] = time
    else:
        raise InputError(f"expected times, got {array.dtype}", field=field)
    if gaps.any():
        row = int(np.flatnonzero(gaps)[0])
        raise InputError("is missing", row, field)
    return found


_CODES = {"c": 0, "call": 0, "p": 1, "put": 1}
# What is neither a call nor a put, as a code that the kernel refuses.
_NEITHER = 255


def type_codes(types: Any, keeps_unknown: bool = False) -> Any:
    """Option types as the kernel has them: 0 for a call, 1 for a put, as uint8 of the same shape.

    Others raise, or with `keeps_unknown` are 255.
    """
    if is_table(types):
        raise TypeError("expected a table or columns, not both")
    array = np.asarray(types)
    if isinstance(types, np.ma.MaskedArray):
        array = array.astype(object)
        array[np.ma.getmaskarray(types)] = None
    if array.size == 0:
        return array.astype(np.uint8)
    if array.dtype.kind in "ui":
        outside = (array < 0) | (array > 1)
        if outside.any() and not keeps_unknown:
            row = int(np.flatnonzero(outside)[0])
            raise InputError("must be 0 (call) or 1 (put)", row, "type", float(array.flat[row]))
        return np.where(outside, _NEITHER, array).astype(np.uint8)
    if array.dtype.kind == "S":
        array = array.astype(str)
    if array.dtype.kind not in "UOT":
        raise TypeError(f"type: expected codes or texts, got {array.dtype}")
    codes = np.empty(array.shape, np.uint8)
    known: Dict[Any, int] = {}
    for row, value in enumerate(array.ravel().tolist()):
        if isinstance(value, (bool, np.bool_)):
            raise TypeError("type: expected codes or texts, got bool")
        code = known.get(value)
        if code is None:
            if isinstance(value, str):
                code = _CODES.get(value.lower())
            elif not is_null(value) and value in (0, 1):
                code = int(value)
            if code is None and not keeps_unknown:
                raise InputError("must be C or P", row, "type", value)
            code = _NEITHER if code is None else code
            known[value] = code
        codes.flat[row] = code
    return codes
