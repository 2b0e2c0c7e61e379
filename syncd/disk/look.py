"""Reading a document's bytes when they are whole. What stands in the way is a value, not an exception.

May import the standard library and syncd's errors, exchange, folders and walk.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from functools import cached_property
from pathlib import Path
from typing import overload

from msgspec import Struct

from schema.digests import text_digest
from syncd.disk.exchange import Writers, leased, writers
from syncd.disk.folders import open_file, open_folder, split
from syncd.disk.walk import Stat, require_root
from syncd.errors import from_os

_SECOND_LOOK_S = 0.01  # between two reads where nobody can say whether the file is open for writing


class Content(Struct, frozen=True, dict=True):
    """The bytes of a file that nobody had open for writing, with the stat values that go with just these bytes.

    ``sure`` is False where the system cannot tell writers (another user's file, a network file system): then it was
    read twice and had not moved.
    """

    data: bytes
    stat: Stat
    sure: bool = True

    def __repr__(self) -> str:  # an error that shows one must not show what somebody wrote
        return f"Content({len(self.data)} bytes, {self.stat!r}, sure={self.sure})"

    @cached_property
    def digest(self) -> str:
        """`digest` of the bytes."""
        return digest(self.data)


class Missing(Struct, frozen=True):
    """There is no file of that name at this moment. Editors do that for a moment while they save."""


class Busy(Struct, frozen=True):
    """Somebody has the file open for writing, or it moved while it was read: look again later."""

    reason: str


class Unreadable(Struct, frozen=True):
    """The file cannot be read, or is none that may be read (a link, a folder, a FIFO)."""

    reason: str


class Same(Struct, frozen=True):
    """The file has the stat values that it had when it was read."""


Read = Content | Missing | Busy | Unreadable


def digest(data: bytes) -> str:
    """What identifies a text: 32 hex digits of blake2b."""
    return text_digest(data)


def read_stable(root: Path, path: str, limit: int | None = None) -> Read:
    """The document ``path`` (relative to the bank's folder ``root``); not read where it has over ``limit`` bytes.

    Raises `walk.BankGone` where ``root`` is not there, `folders.WriteFailed` where ``path`` leads out
    of the bank.
    """
    folders, name = split(path)
    try:
        with open_folder(root, folders) as folder:
            return read_at(folder, name, limit)
    except FileNotFoundError:
        require_root(root)
        return Missing()
    except OSError as error:
        return _refused(error, "its folder is a link or no folder")


@overload
def read_at(folder: int, name: str, limit: int | None = None, *, unless: None = None) -> Read: ...
@overload
def read_at(folder: int, name: str, limit: int | None = None, *, unless: Stat | None) -> Read | Same: ...
def read_at(folder: int, name: str, limit: int | None = None, *, unless: Stat | None = None) -> Read | Same:
    """The file ``name`` in the directory that the descriptor ``folder`` stands for.

    It is not read, and `Same` is the answer, while nobody writes and its stat values are ``unless`` (the mode does not
    count: changing it changes ctime).
    """
    try:
        with open_file(folder, name) as descriptor:
            if unless is not None and writers(descriptor) is Writers.NONE:
                now = Stat.of(os.fstat(descriptor))
                if stat.S_ISREG(now.mode) and now.content == unless.content:
                    return Same()
            return _read_whole(descriptor, limit)
    except FileNotFoundError:
        return Missing()
    except BlockingIOError:
        return Busy("another program holds a lease on it")
    except OSError as error:
        return _refused(error, "a link is not followed")


def _read_whole(descriptor: int, limit: int | None) -> Read:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        return Unreadable("a folder, not a file" if stat.S_ISDIR(before.st_mode) else "not a regular file")
    if limit is not None and before.st_size > limit:
        return Unreadable(f"{before.st_size:,} bytes, over the limit of {limit:,}")
    with leased(descriptor) as answer:
        if answer is Writers.SOME:
            return Busy("open for writing")
        before = os.fstat(descriptor)
        data = _read_all(descriptor, before.st_size)
        after = os.fstat(descriptor)
    if Stat.of(before) != Stat.of(after) or len(data) != after.st_size:
        return Busy("changed while it was read")
    if answer is Writers.UNKNOWN:
        time.sleep(_SECOND_LOOK_S)
        os.lseek(descriptor, 0, os.SEEK_SET)
        if _read_all(descriptor, before.st_size) != data or Stat.of(os.fstat(descriptor)) != Stat.of(before):
            return Busy("changed while it was read")
    return Content(data, Stat.of(after), answer is Writers.NONE)


def _read_all(descriptor: int, size: int) -> bytes:
    """Everything from here to the end; ``size`` is what the file is believed to have."""
    first = os.read(descriptor, size + 1)
    if len(first) <= size and not (more := os.read(descriptor, size + 1)):
        return first
    parts = [first, more] if len(first) <= size else [first]
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _refused(error: OSError, link: str) -> Unreadable:
    """Why a file or its folder could not be opened. A link that is not followed gives ``ELOOP`` or ``ENOTDIR``."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return Unreadable(link)
    if error.errno == errno.ENXIO:
        return Unreadable("not a regular file")
    return Unreadable(from_os(error).what)
