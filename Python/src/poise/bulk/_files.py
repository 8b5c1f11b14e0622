"""Files of a data set, found without leaving any out in silence, and files that are written at once or not at all."""
from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, List, Tuple

from .._errors import InputError

_MAGIC = (b"PAR1", b"PARE")
_TEMPORARY = ".poise-"


def data_set(root: Path, field: str) -> Tuple[List[Path], List[Path]]:
    """The Parquet files under a folder, sorted, and the files that are none: by what they begin with, whatever their names are.

    What begins with _ or . is none of a data set, files and folders. Links are followed. What cannot be listed or read, and
    links that lead nowhere or around, raise.
    """
    found: List[Path] = []
    others: List[Path] = []
    folders: List[Tuple[Path, Tuple[Path, ...]]] = [(root, ())]
    while folders:
        folder, above = folders.pop()
        real = folder.resolve()
        if real in above:
            raise InputError("is a link to a folder that it is in", field=field, file=str(folder))
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise InputError(str(error.strerror), field=field, file=str(folder)) from None
        for entry in entries:
            path = folder / entry.name
            if entry.name[0] in "_.":
                continue
            if entry.is_dir():
                folders.append((path, (*above, real)))
            elif entry.is_file():
                (found if _is_parquet(path, field) else others).append(path)
            else:
                reason = "is a link to nothing" if entry.is_symlink() else "is neither a file nor a folder"
                raise InputError(reason, field=field, file=str(path))
    return sorted(found), sorted(others)


def _is_parquet(path: Path, field: str) -> bool:
    try:
        with open(path, "rb") as file:
            begin = file.read(4)
    except OSError as error:
        raise InputError(str(error.strerror), field=field, file=str(path)) from None
    named = ".parquet" in path.name.lower() or path.name.lower().endswith((".parq", ".pq"))
    # What calls itself so and is packed, or cut off, is no file to be passed over.
    if named and begin not in _MAGIC:
        is_packed = begin[:2] == b"\x1f\x8b" or begin == b"(\xb5/\xfd"
        reason = "is packed: Parquet packs its columns itself" if is_packed else "is no Parquet file"
        raise InputError(reason, field=field, file=str(path))
    return begin in _MAGIC


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the name `path` when the block ends well, and is gone when it does not.

    Its own name is one that nobody else has, whichever machine they are on; it is locked while it is written, by which
    `sweep` tells it from those that killed runs have left. No link that stands there is followed.
    """
    descriptor, temporary = _create(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(temporary, path)
        _sync(path.parent)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _create(path: Path) -> Tuple[int, Path]:
    while True:
        temporary = path.with_name(f"{_TEMPORARY}{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            continue
        _lock(descriptor)
        if _is_there(temporary, descriptor):
            return descriptor, temporary
        os.close(descriptor)  # swept between the two calls


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return False
    return True


def _is_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def sweep(root: Path) -> None:
    """Removes what killed runs have left, and nothing that another run is writing."""
    # Earlier versions called them .part-0.parquet.PID.tmp.
    for pattern in (f"{_TEMPORARY}*.tmp", ".part-0.parquet.*.tmp"):
        for path in root.rglob(pattern):
            with contextlib.suppress(OSError):
                descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    if _lock(descriptor) and _is_there(path, descriptor):
                        os.unlink(path)
                finally:
                    os.close(descriptor)


def _sync(folder: Path) -> None:
    """Makes a name in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

