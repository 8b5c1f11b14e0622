"""What the library refuses, as exceptions."""
from __future__ import annotations

import math
from typing import Any, Dict, Optional, Type, Union


class PoiseError(Exception):
    """Anything that the library refuses.

    Its parts are data, from which the sentence `str(error)` is made:

    Attributes
    ----------
    reason : str
        Why, without place, field and value: "must be at least 0 and finite".
    row : int or None
        The row of columns, from 0.
    earlier_row : int or None
        The row that it contradicts, where it is not wrong by itself.
    line : int or None
        The line of a file or text, from 1.
    field : str
        The column, parameter or key; "" where there is none.
    value : float, str or None
        What was refused, as the caller gave it.
    file : str
        The name of the file or text; "" where there is none.
    table : str
        Which of several tables the row is of: "tickers", "positions", "limits".
    name : str
        The contract, book or instrument that it is about.
    status : str
        The name of the C library's status; "" where the error arose in Python.
    """

    reason: str = ""
    row: Optional[int] = None
    earlier_row: Optional[int] = None
    line: Optional[int] = None
    field: str = ""
    value: Union[float, str, None] = None
    file: str = ""
    table: str = ""
    name: str = ""
    status: str = ""


class InputError(PoiseError, ValueError):
    """A number or text among the data that is not accepted."""

    def __init__(
        self, reason: str, row: Optional[int] = None, field: str = "", value: Any = None, *, line: Optional[int] = None,
        file: str = "", table: str = "", name: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.row = None if row is None or row < 0 else int(row)
        self.field, self.value, self.line, self.file, self.table, self.name = field, value, line, file, table, name

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        row = "" if self.row is None else f"row {self.row}"
        value = f'"{self.value}"' if isinstance(self.value, str) else "" if self.value is None else repr(self.value)
        parts = (place, self.name, self.table if row else "", row, self.field, value, self.reason)
        earlier = "" if self.earlier_row is None else f" (row {self.earlier_row})"
        return ": ".join(part for part in parts if part) + earlier


class UnknownNameError(InputError, LookupError):
    """A book, contract or underlying that is not there."""


class UnsupportedError(PoiseError):
    """This processor does not run the instruction set that was asked for."""


class HostError(PoiseError, OSError):
    """The operating system refused: no such file, no more threads.

    Of files it has `errno`, `strerror` and `filename`, and is a FileNotFoundError, PermissionError or IsADirectoryError too
    where it is about that.
    """


class MissingFileError(HostError, FileNotFoundError):
    """There is no such file."""


class ForbiddenFileError(HostError, PermissionError):
    """A file that may not be read."""


class DirectoryError(HostError, IsADirectoryError):
    """A directory where a file is needed."""


def error_of_file(error: HostError, path: Any) -> HostError:
    """The same with what Python says of opening the file, if it cannot open it either."""
    try:
        open(path, "rb").close()
    except OSError as reason:
        kinds = (MissingFileError, ForbiddenFileError, DirectoryError)
        kind = next((kind for kind in kinds if isinstance(reason, kind.__bases__[1])), HostError)
        found = kind(reason.errno, reason.strerror, reason.filename)
        found.__dict__.update(error.__dict__)
        return found
    return error


_KINDS: Dict[str, Type[PoiseError]] = {
    "POISE_ERROR_UNKNOWN_NAME": UnknownNameError,
    "POISE_ERROR_UNSUPPORTED": UnsupportedError,
    "POISE_ERROR_SYSTEM": HostError,
}
# The kernel's word for a column that Python calls otherwise.
_FIELDS = {"volatility": "vol"}
# Of poise_place_kind.
_FILE, _LINE, _ROW, _NAME = range(1, 5)


def error_of_status(
    status: str, sentence: str, reason: str, kind: int, place: str, row: int, earlier_row: int, field: str, value: float,
    text: str,
) -> PoiseError:
    """The exception for what the C library's last error says."""
    parts = {
        "field": _FIELDS.get(field, field),
        "value": text or None if math.isnan(value) else value,
        "file": place if kind in (_FILE, _LINE) else "",
        "line": row if kind == _LINE else None,
        "row": row if kind == _ROW else None,
        "table": place if kind == _ROW else "",
        "name": place if kind == _NAME else "",
    }
    found = _KINDS.get(status, InputError)
    if issubclass(found, InputError):
        error: PoiseError = found(reason, **parts)  # type: ignore[arg-type]
    else:
        error = found(sentence)
        error.reason = reason
        for name, part in parts.items():
            setattr(error, name, part)
    error.status = status
    error.earlier_row = None if earlier_row < 0 else earlier_row
    return error
