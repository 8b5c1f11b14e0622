"""Functions on whole tables: Arrow streams, pandas frames, dicts."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from ._as_files import folded, named_index, names_of, records, refuse_misspelt
from ._columns import Columns, is_offsets, is_table, texts, times, type_codes
from ._errors import InputError

_OPTIONS = {"type": "t", "spot": "f", "strike": "f", "years": "f", "rate": "f", "dividend": "f"}
_WITH_VOL = {**_OPTIONS, "vol": "f"}
_OPTIONAL = ("rate", "dividend")


def batches(
    table: Any, kinds: Mapping[str, str], optional: Sequence[str] = (), nulls_as_nan: bool = False
) -> List[Dict[str, Any]]:
    """The wanted columns of a table, batch by batch; "" is the number of rows of each.

    Kinds: f (n,) float64, t (n,) uint8 option types, i (n,) int64 counts since 1970 (times as milliseconds), s texts as offsets and
    bytes, o the same with nulls as empty texts. With `nulls_as_nan`, what is no option type is 255 too. Arrow's memory is
    read where it is. Columns are found in any case, as the command line's readers find them.
    """
    from . import _native

    if type(table).__name__ == "LazyFrame":
        raise TypeError("expected a table or columns, got a LazyFrame: collect() first")
    table = named_index(records(table))
    names = names_of(table)
    if names is not None:
        refuse_misspelt(names, optional, {folded(name) for name in kinds})
    spelt = _as_the_table_has_them(names or (), kinds)
    own = {spelt.get(name, name): kind for name, kind in kinds.items()}
    if _is_arrow(table):
        found, names = _native.import_arrow(table, {name: ord(kind) for name, kind in own.items()}, nulls_as_nan)
    else:
        found = [_of_mapping(table, own, nulls_as_nan)]
        names = list(found[0])
    for name, other in spelt.items():
        names = [name if known == other else known for known in names]
        for part in found:
            if other in part:
                part[name] = part.pop(other)
    for name in kinds:
        if name not in names and name not in optional:
            raise InputError("the table has no such column", field=name)
    # A table without rows may be without batches.
    return found or [_of_mapping({name: () for name in names}, kinds, nulls_as_nan)]


def single(
    table: Any, kinds: Mapping[str, str], optional: Sequence[str] = (), nulls_as_nan: bool = False
) -> Dict[str, Any]:
    """The wanted columns in one piece; tables of several batches are copied together."""
    parts = batches(table, kinds, optional, nulls_as_nan)
    if len(parts) == 1:
        return parts[0]
    joined: Dict[str, Any] = {"": sum(part[""] for part in parts)}
    for name, kind in kinds.items():
        if name in parts[0]:
            columns = [part[name] for part in parts]
            joined[name] = _joined_texts(columns) if kind in "so" else np.concatenate(columns)
    return joined


def _as_the_table_has_them(names: Sequence[str], kinds: Mapping[str, str]) -> Dict[str, str]:
    """The table's own name of each wanted column that it spells otherwise: in other letters, with blanks for underscores."""
    places: Dict[str, List[str]] = {}
    for name in names:
        places.setdefault(folded(name), []).append(name)
    found = {name: places.get(folded(name), []) for name in kinds if name not in names}
    for name, others in found.items():
        if len(others) > 1:
            raise _repeated(name)
    return {name: others[0] for name, others in found.items() if others and others[0] not in kinds}


def _is_arrow(table: Any) -> bool:
    # pandas would convert by way of pyarrow, where it is installed, and turn NaN into null.
    return not type(table).__module__.startswith("pandas") and (
        hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__")
    ) and not isinstance(table, Columns)


def _of_mapping(table: Any, kinds: Mapping[str, str], keeps_unknown: bool) -> Dict[str, Any]:
    if not is_table(table):
        raise TypeError(f"expected a table or columns, got {type(table).__name__}")
    columns: Dict[str, Any] = {}
    for name, kind in kinds.items():
        if name not in table:
            continue
        values = table[name]
        if hasattr(values, "columns"):
            raise _repeated(name)
        if kind in "so":
            if not is_offsets(values):
                values = texts(np.asanyarray(values, dtype=object).tolist(), name, nulls_as_empty=kind == "o")
        elif kind == "t" and keeps_unknown:
            values = type_codes(values, keeps_unknown)
        elif kind == "i":
            values = times(values, name)
        elif hasattr(values, "to_numpy"):
            values = values.to_numpy()
        columns[name] = values
        rows = len(values[0]) - 1 if kind in "so" else np.shape(values)[0] if np.ndim(values) else None
        if rows is not None:
            if columns.setdefault("", rows) != rows:
                raise InputError(f"{rows} values where {columns['']} are needed", field=name)
    columns.setdefault("", 0)
    return columns


def _repeated(name: str) -> InputError:
    return InputError("the table has more than one such column", field=name)


def _joined_texts(parts: Sequence[Any]) -> Any:
    offsets, data, size = [np.zeros(1, np.int64)], [], 0
    for places, content in parts:
        first, last = (int(places[0]), int(places[-1])) if len(places) else (0, 0)
        data.append(content[first:last])
        offsets.append(places[1:].astype(np.int64) - first + size)
        size += last - first
    return np.concatenate(offsets), np.concatenate(data)


def _computed(
    table: Any, kinds: Mapping[str, str], results: Sequence[str], out: Optional[Dict[str, Any]], nulls_as_nan: bool,
    compute: Any, with_status: bool,
) -> Dict[str, Any]:
    """Runs a function batch by batch, into one array for each result."""
    parts = batches(table, kinds, _OPTIONAL, nulls_as_nan)
    for part in parts:
        for name in _OPTIONAL:
            part.setdefault(name, 0.0)
    if len(parts) == 1:
        whole: Dict[str, Any] = compute({name: part for name, part in parts[0].items() if name}, out)
        return whole
    rows = sum(part[""] for part in parts)
    if out is None:
        stride = (rows + 7) // 8 * 8 + 8
        block = np.empty(stride * len(results))
        out = Columns((name, block[i * stride : i * stride + rows]) for i, name in enumerate(results))
        if with_status:
            out["status"] = np.empty(rows, np.uint8)
    first = 0
    for part in parts:
        last = first + part.pop("")
        try:
            compute(part, {name: array[first:last] for name, array in out.items()})
        except InputError as error:
            if error.row is not None:
                error.row += first
            raise
        first = last
    return out


def greeks(table: Any, selection: Any, model: Any, out: Any, invalid: Any, threads: Any) -> Dict[str, Any]:
    from . import _native

    keeps_status = invalid == "status"
    names = _native.BOOK_GREEKS if selection in (None, "book") else _native.GREEKS if selection == "all" else selection
    names = [names] if isinstance(names, str) else [name for name in _native.GREEKS if name in names]

    def compute(columns: Dict[str, Any], to: Any) -> Dict[str, Any]:
        return _native.greeks(**columns, greeks=selection, model=model, out=to, invalid=invalid, threads=threads)

    return _computed(table, _WITH_VOL, names, out, keeps_status, compute, keeps_status)


def legs(table: Any) -> List[Any]:
    """Type, spot, strike, years, vol, rate and dividend of options, in one piece."""
    columns = single(table, _WITH_VOL, _OPTIONAL)
    return [columns.get(name, 0.0) for name in ("type", "spot", "strike", "years", "vol", "rate", "dividend")]


def implied_vol(table: Any, model: Any, out: Any, threads: Any) -> Dict[str, Any]:
    from . import _native

    def compute(columns: Dict[str, Any], to: Any) -> Dict[str, Any]:
        return _native.implied_vol(**columns, model=model, out=to, threads=threads)

    return _computed(table, {**_OPTIONS, "price": "f"}, ["vol"], out, True, compute, True)
