"""Columns by name: what functions return, and how they take what others call a table."""
from __future__ import annotations

from typing import Any, Dict, Iterable, Tuple

import numpy as np

from ._errors import InputError


class Columns(Dict[str, Any]):
    """Arrays of one length by name, in order: a dict of NumPy arrays that is also an Arrow table.

    `pyarrow.table(columns)`, `polars.DataFrame(columns)`, `duckdb.sql("from columns")` and everything else that knows
    Arrow's PyCapsule interface take the arrays where they are; `pandas.DataFrame(columns)` takes them as a dict.
    Where all inputs of a call were numbers, so are the values.
    """

    def __arrow_c_array__(self, requested_schema: object = None) -> Tuple[object, object]:
        from . import _native

        return _native.export_array(_exportable(self))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        from . import _native

        return _native.export_stream(_exportable(self))

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
        if array.dtype.kind in "UOT":
            arrays[name] = texts(array.tolist(), name)
        elif array.dtype.kind == "b":
            arrays[name] = np.ascontiguousarray(array, np.uint8)
        elif array.dtype in (np.float64, np.uint8, np.int64):
            arrays[name] = np.ascontiguousarray(array)
        else:
            arrays[name] = np.ascontiguousarray(array, np.int64 if array.dtype.kind in "iu" else np.float64)
    return arrays


def texts(values: Iterable[Any], field: str) -> Tuple[Any, Any]:
    """Texts as Arrow has them: (n + 1,) int64 offsets into (bytes,) uint8."""
    encoded = []
    for row, value in enumerate(values):
        if not isinstance(value, str):
            raise InputError(f"row {row}: {field} must be a text, not {value!r}", row, field)
        encoded.append(value.encode())
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return offsets, np.frombuffer(b"".join(encoded), np.uint8)


_CODES = {"c": 0, "call": 0, "p": 1, "put": 1}


def type_codes(types: Any) -> Any:
    """Option types as the kernel has them: 0 for a call, 1 for a put, as uint8 of the same shape."""
    array = np.asarray(types)
    if array.size == 0:
        return array.astype(np.uint8)
    if array.dtype.kind in "ui":
        outside = (array < 0) | (array > 1)
        if outside.any():
            row = int(np.flatnonzero(outside)[0])
            raise InputError(f"row {row}: type must be 0 (call) or 1 (put)", row, "type", float(array.flat[row]))
        return array.astype(np.uint8)
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind == "S":
        array = array.astype(str)
    if array.dtype.kind not in "UOT":
        raise TypeError(f"type: expected codes or texts, got {array.dtype}")
    codes = np.empty(array.shape, np.uint8)
    known: Dict[Any, int] = {}
    for row, value in enumerate(array.ravel().tolist()):
        code = known.get(value)
        if code is None:
            code = value if value in (0, 1) else _CODES.get(value.lower()) if isinstance(value, str) else None
            if code is None:
                raise InputError(f"row {row}: type must be C or P, not {value!r}", row, "type")
            known[value] = code
        codes.flat[row] = code
    return codes
