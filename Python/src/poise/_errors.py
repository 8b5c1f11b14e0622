"""What the library refuses, as exceptions."""
from __future__ import annotations

import math
from typing import Any


class PoiseError(Exception):
    """Anything that the library refuses.

    `status` is the name of the C library's status, "" where an error arose in Python.
    """

    status: str = ""


class InputError(PoiseError, ValueError):
    """A number or text among the data that is not accepted.

    Attributes: `row` (from 0; of a text its line, from 1; None where it is about none), `field` (the column's name),
    `value` (the number, or None).
    """

    def __init__(self, message: str, row: int = -1, field: str = "", value: float = math.nan) -> None:
        super().__init__(message)
        self.row: int | None = row if row >= 0 else None
        self.field = field
        self.value: float | None = None if math.isnan(value) else value


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
        found.status = error.status
        return found
    return error


_KINDS: dict[str, type[PoiseError]] = {
    "POISE_ERROR_UNKNOWN_NAME": UnknownNameError,
    "POISE_ERROR_UNSUPPORTED": UnsupportedError,
    "POISE_ERROR_SYSTEM": HostError,
}
# The kernel's word for a column that tables call otherwise.
_FIELDS = {"volatility": "vol"}


def error_of_status(status: int, name: str, message: str, row: int, field: str, value: float) -> PoiseError:
    kind = _KINDS.get(name, InputError)
    error = kind(message, row, _FIELDS.get(field, field), value) if issubclass(kind, InputError) else kind(message)
    error.status = name
    return error
