"""Opening what lies below a bank without ever following a link out of it.

May import the standard library, ``schema.errors`` and ``syncd.errors``. Every path here is relative to the bank,
with ``/``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from schema.errors import SyncdError
from syncd.errors import from_os

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


_OF_ALL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class WriteFailed(SyncdError):
    """A document could not be written. It is as it was before; nothing is left behind.

    ``alone`` says that the reason lies with this document or its folder, so that others can be written.
    """

    alone: bool = False


def write_failed(error: OSError, path: str) -> WriteFailed:
    """What the system refused, with the document's name instead of a temporary one."""
    refusal = from_os(error)
    failed = WriteFailed(f"not written, {refusal.what}", path, refusal.hint)
    failed.alone = error.errno not in _OF_ALL
    return failed


def split(path: str) -> tuple[tuple[str, ...], str]:
    """The folders and the name of ``path``. Raises `WriteFailed` where it would lead out of the bank."""
    *folders, name = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in (*folders, name)):
        raise WriteFailed("not a path inside the bank", path, "give a path such as tasks/T1.md")
    return tuple(folders), name


@contextmanager
def open_folder(root: Path, folders: tuple[str, ...], *, create: bool = False, mode: int = 0o777) -> Iterator[int]:
    """A descriptor of the folder ``folders`` below ``root``; ``create`` makes those that are missing.

    Raises OSError: ENOENT where it is missing, ENOTDIR or ELOOP where a part of it is a link or a file.
    """
    descriptor = os.open(root, _FOLDER)
    try:
        for name in folders:
            below = _open_below(descriptor, name, create, mode)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _open_below(folder: int, name: str, create: bool, mode: int) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):  # somebody else made it just now
        os.mkdir(name, mode, dir_fd=folder)
        os.fsync(folder)
    return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)


@contextmanager
def open_file(folder: int, name: str) -> Iterator[int]:
    """A descriptor for reading of ``name`` in directory ``folder``; a FIFO does not block.

    Raises OSError: ENOENT, ELOOP for a link, EACCES, EAGAIN where another process holds a lease on it.
    """
    descriptor = os.open(name, _FILE, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def remove(folder: int, name: str) -> None:
    """Unlink ``name`` in directory ``folder`` if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
