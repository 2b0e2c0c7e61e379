"""The least that is needed to wait for file events on Linux: three functions of the C library."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from pathlib import Path

CLOSE_WRITE, MODIFY, MOVED_TO = 0x8, 0x2, 0x80
_BUFFER = 1 << 16
_EVENT = struct.Struct("iIII")
_C = ctypes.CDLL(None, use_errno=True)


class Inotify:
    """One folder, one mask."""

    def __init__(self, folder: Path, mask: int) -> None:
        self._descriptor = _C.inotify_init1(os.O_CLOEXEC)
        if self._descriptor < 0 or _C.inotify_add_watch(self._descriptor, os.fsencode(folder), mask) < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), os.fspath(folder))

    def names(self) -> list[str]:
        """Wait; then the names of all that happened, each once, in order."""
        data, position = os.read(self._descriptor, _BUFFER), 0
        found: dict[str, None] = {}
        while position < len(data):
            _, _, _, length = _EVENT.unpack_from(data, position)
            position += _EVENT.size
            found[os.fsdecode(data[position : position + length].rstrip(b"\0"))] = None
            position += length
        return list(found)

    def forget(self) -> None:
        """Drop what happened up to now."""
        while select.select([self._descriptor], [], [], 0)[0]:
            os.read(self._descriptor, _BUFFER)
