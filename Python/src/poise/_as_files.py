"""Tables as the files that the command line reads: for whatever has other columns than the library's own, so that one reader
says what they mean, whoever holds them."""
from __future__ import annotations

import csv
import importlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any, Collection, List, Optional

import numpy as np

from ._columns import is_null, is_offsets
from ._errors import InputError


def records(table: Any) -> Any:
    """Rows that are dicts, in a list, a tuple or from a generator, as columns; all else as it is."""
    if isinstance(table, Mapping) and any(isinstance(column, Iterator) for column in table.values()):
        return {name: list(column) if isinstance(column, Iterator) else column for name, column in table.items()}
    rows = list(table) if isinstance(table, Iterator) and not hasattr(table, "__arrow_c_stream__") else table
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, Mapping) for row in rows):
        return rows
    names = dict.fromkeys(chain.from_iterable(rows))
    return {name: [row.get(name) for row in rows] for name in names}


def named_index(table: Any) -> Any:
    """A pandas frame with what its index calls by name as columns, as it would write them to a file; all else as it is."""
    if not type(table).__module__.startswith("pandas") and not hasattr(table, "reset_index"):
        return table
    names = [name for name in getattr(getattr(table, "index", None), "names", ()) if name is not None]
    names = [name for name in names if name not in table.columns] if hasattr(table, "columns") else []
    return table.reset_index(level=names) if names else table


def folded(name: str) -> str:
    """A name without what spellings of it differ in."""
    return name.lower().replace(" ", "_")


def as_file(table: Any, own: Collection[str], infinity: str = "inf") -> Optional[str]:
    """A table as a file of comma-separated values; None where all of its columns are `own`, or where it is none.

    infinity : what stands for an infinite number
    """
    names = names_of(table)
    if names is None or all(name in own for name in names):
        return None
    if isinstance(table, Mapping) and any(is_offsets(column) for column in table.values()):
        return None
    columns = [
        None if _is_scalar(column) else _cells(column, name, infinity) for name, column in zip(names, _columns(table, names))
    ]
    rows = next((len(column) for column in columns if column is not None), 1)
    for place, column in enumerate(columns):
        if column is None:
            columns[place] = [_cell(_columns(table, names)[place], infinity)] * rows
        elif len(column) != rows:
            raise InputError(f"{len(column)} values where {rows} are needed", field=names[place])
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(names)
    writer.writerows(zip(*(column or () for column in columns)))
    return file.getvalue()


def of_rows(error: InputError, text: str, table: str) -> InputError:
    """An error about a file that was made of a table, as one about the table's rows."""
    if error.line is not None and error.line > 1:
        # Fields in quotes may hold ends of lines.
        lines = 1
        for row, fields in enumerate(csv.reader(io.StringIO(text, newline=""))):
            if lines >= error.line:
                error.row = row - 1
                break
            lines += 1 + sum(field.count("\n") for field in fields)
    earlier = re.match(r"line (\d+)( of the same .*)", error.reason, re.S)
    if earlier:
        error.reason, error.earlier_row = "an earlier row" + earlier[2], int(earlier[1]) - 2
    error.line, error.file, error.table = None, "", table
    return error


def names_of(table: Any) -> Optional[List[str]]:
    if isinstance(table, Mapping):
        return [str(name) for name in table]
    if type(table).__name__ == "LazyFrame":
        return None
    fields = getattr(getattr(table, "dtype", None), "names", None)
    for found in (fields, getattr(table, "column_names", None), getattr(table, "columns", None),
                  getattr(getattr(table, "schema", None), "names", None)):
        if found is not None and not callable(found):
            return [name if isinstance(name, str) else " ".join(map(str, name)) if isinstance(name, tuple) else str(name)
                    for name in found]
    return None


def _is_scalar(values: Any) -> bool:
    """Whether this is one value for all rows."""
    has_no_length = not hasattr(values, "__len__") or isinstance(values, np.ndarray) and values.ndim == 0
    return isinstance(values, (str, bytes)) or has_no_length


def _columns(table: Any, names: List[str]) -> List[Any]:
    """The columns by their places: names may stand there twice."""
    if isinstance(table, Mapping):
        return list(table.values())
    if getattr(getattr(table, "dtype", None), "names", None):
        return [table[name] for name in names]
    if hasattr(table, "iloc"):
        return [table.iloc[:, place] for place in range(len(names))]
    if hasattr(table, "get_columns"):
        return list(table.get_columns())
    if hasattr(table, "read_all"):
        table = table.read_all()
    if not hasattr(table, "to_pydict"):
        table = _arrow_table(table)
    return [table.column(place) for place in range(len(names))]


def _arrow_table(table: Any) -> Any:
    """A table of pyarrow, or of Polars where only that is installed."""
    try:
        return importlib.import_module("pyarrow").table(table)
    except ImportError:
        pass
    try:
        frame = importlib.import_module("polars").DataFrame(table)
    except ImportError:
        raise TypeError("a table with columns other than the library's own needs pyarrow or Polars to be read") from None
    return _ByPlace(frame.get_columns())


class _ByPlace:
    def __init__(self, columns: List[Any]) -> None:
        self.column = columns.__getitem__


def listed(column: Any) -> List[Any]:
    for way in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, way) and not isinstance(column, np.ndarray) and getattr(column, "dtype", None) != "datetime64[ns]":
            return list(getattr(column, way)())
    array = np.asanyarray(column) if hasattr(column, "dtype") or hasattr(column, "__array__") else None
    if array is None:
        return list(column)
    if array.dtype.kind == "M":
        # Of nanoseconds NumPy makes numbers.
        texts = np.datetime_as_string(np.asarray(array))
        missing = np.isnat(np.asarray(array)) | np.ma.getmaskarray(array)
        return list(np.where(missing, "", texts).tolist())
    values: List[Any] = array.tolist()
    return values


def _cells(column: Any, name: str, infinity: str) -> List[str]:
    values = listed(column)
    if any(isinstance(value, (complex, np.complexfloating)) for value in values):
        raise TypeError(f"{name}: expected numbers, got complex ones")
    return [_cell(value, infinity) for value in values]


def _cell(value: Any, infinity: str) -> str:
    if is_null(value):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return repr(number) if abs(number) != np.inf else infinity if number > 0 or not infinity else "-" + infinity
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, np.ndarray) or hasattr(value, "to_list") or isinstance(value, (list, tuple, Mapping)):
        return json.dumps(value, default=_in_json)
    return str(value)


def _in_json(value: Any) -> Any:
    if isinstance(value, (Decimal, np.floating)):
        return float(value)
    if isinstance(value, np.integer):
        return int(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return value.to_list() if hasattr(value, "to_list") else str(value)


def refuse_misspelt(names: Iterable[str], optional: Iterable[str], own: Collection[str]) -> None:
    """Raises for a column whose name is nearly that of one which may be left out and is: it would be ignored, and the table
    read as if it said nothing. The rule is that of files (`Spelling` of the room Market)."""
    given = list(names)
    there = {folded(name) for name in given}
    for column in optional:
        if folded(column) in there:
            continue
        for name in given:
            if folded(name) not in own and _is_misspelt(name, column):
                raise InputError(f'is missing, and a column "{name}" would be ignored', field=column)


def is_nearly(name: str, found: str) -> bool:
    """Whether a column's name is another, spelt otherwise or wrongly."""
    return folded(found) == folded(name) or _is_misspelt(found, name)


def _is_misspelt(found: str, name: str) -> bool:
    return found[:1].lower() == name[:1].lower() and _distance(found, name) <= (1 if len(name.encode()) < 8 else 2)


def _distance(a: str, b: str) -> int:
    """Letters that are missing, too many, wrong or swapped with the next one."""
    one, other = a.lower().encode()[:64], b.lower().encode()[:64]
    before: List[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one):
        row = [i + 1]
        for j, wanted in enumerate(other):
            least = min(last[j + 1] + 1, row[j] + 1, last[j] + (letter != wanted))
            if i > 0 and j > 0 and letter == other[j - 1] and one[i - 1] == wanted:
                least = min(least, before[j - 1] + 1)
            row.append(least)
        before, last = last, row
    return last[-1]
