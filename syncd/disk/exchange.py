"""Renames that lose nothing, and the question whether anybody has a file open for writing.

The only module that calls the C library by hand. May import the standard library only.

Linux: ``renameat2`` and read leases. macOS: ``renameatx_np``; it has no leases. Elsewhere, and on file systems that
refuse these, the functions say so by `Unsupported` or `Writers.UNKNOWN` and the caller takes the longer way.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import cache

_REFUSED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})

_Rename = Callable[[int, bytes, int, bytes, int], int]


class Unsupported(OSError):
    """This system or file system has no such operation. Nothing was changed."""


class Writers(Enum):
    """Whether any process has a file open for writing at this moment."""

    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"  # another user's file, a network file system, or no leases on this system


def exchange(folder: int, one: str, other: str) -> None:
    """Let two names in the directory ``folder`` trade their files in one step.

    Raises `Unsupported`, or `OSError` as rename does; FileNotFoundError where either name is missing.
    """
    call = _rename_call()
    if call is None:
        raise Unsupported(errno.ENOSYS, os.strerror(errno.ENOSYS), other)
    function, swap, _ = call
    _rename(function, folder, one, folder, other, swap)


def move_new(source: int, name: str, target: int, new: str) -> None:
    """Rename ``name`` in directory ``source`` to ``new`` in directory ``target``, never onto a file that is there.

    Raises FileExistsError, FileNotFoundError, or `OSError` as rename does.
    """
    call = _rename_call()
    if call is not None:
        function, _, exclusive = call
        try:
            _rename(function, source, name, target, new, exclusive)
        except Unsupported:
            _link_new(source, name, target, new)
        return
    _link_new(source, name, target, new)


def _link_new(source: int, name: str, target: int, new: str) -> None:
    """`move_new` by a second name that is given before the first is taken: both exist for a moment."""
    try:
        os.link(name, new, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno not in _REFUSED | {errno.EPERM, errno.EMLINK}:
            raise
        # RACE: no exclusive rename and no links here (FAT). A file that appears under `new` between these two
        # lines is replaced; worst outcome: a text saved in these microseconds is lost.
        if os.access(new, os.F_OK, dir_fd=target, follow_symlinks=False):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from None
        os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)
        return
    os.unlink(name, dir_fd=source)


def _rename(function: _Rename, source: int, name: str, target: int, new: str, flags: int) -> None:
    import ctypes

    if function(source, os.fsencode(name), target, os.fsencode(new), flags) == 0:
        return
    code = ctypes.get_errno()
    if code in _REFUSED:
        raise Unsupported(code, os.strerror(code), new)
    raise OSError(code, os.strerror(code), name, None, new)


@cache
def _rename_call() -> tuple[_Rename, int, int] | None:
    """The C function, its flags for an exchange and for "never onto an existing file"; None where there is none."""
    import ctypes

    name, swap, exclusive = ("renameatx_np", 2, 4) if sys.platform == "darwin" else ("renameat2", 2, 1)
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    function.restype = ctypes.c_int
    return function, swap, exclusive


@contextmanager
def leased(descriptor: int) -> Iterator[Writers]:
    """Hold a read lease while the block runs, if no one writes: inside, `Writers.NONE` stays true.

    ``descriptor`` is open for reading only. Whoever opens the file for writing meanwhile is made to wait, so the block
    takes milliseconds at most. The kernel tells a holder about that by a signal, SIGIO unless asked otherwise, which
    would kill the process; it is asked for SIGURG, which is ignored by default.
    """
    if sys.platform != "linux":
        yield Writers.UNKNOWN
        return
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        yield Writers.SOME if error.errno == errno.EAGAIN else Writers.UNKNOWN
        return
    try:
        yield Writers.NONE
    finally:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def writers(descriptor: int) -> Writers:
    """Whether anybody has the file open for writing now; says nothing about who opens it next."""
    with leased(descriptor) as answer:
        return answer
