"""The user's list of banks as a running daemon follows it."""

from __future__ import annotations

import os
from pathlib import Path

from syncd import userbanks
from syncd.daemon.inotify import FileHints, Hub
from syncd.daemon.wake import Wakes

_POLL = 5.0  # seconds between two looks where the system cannot tell of a change


class Listing:
    """Notices that the user's settings in ``file`` were changed, and reads the list in them."""

    def __init__(self, file: Path, wake: Wakes, hub: Hub) -> None:
        self._file = file
        self._wake = wake
        self._hub = hub
        self._hints = FileHints(file, wake, hub)
        self._seen = self._identity()

    @property
    def every(self) -> float | None:
        """Seconds after which `changed` is to be asked at the latest; None where ``wake`` is set in time."""
        return _POLL if self._hints.polling else None

    def start(self) -> None:
        """Begin to watch the file."""
        self._hints.start()

    def stop(self) -> None:
        """End it."""
        self._hints.stop()

    def changed(self) -> bool:
        """Whether the file is another than at the last call."""
        now = self._identity()
        if now == self._seen:
            return False
        self._seen = now
        self._hints.stop()  # a link may lead elsewhere by now, and a folder may be a new one
        self._hints = FileHints(self._file, self._wake, self._hub)
        self._hints.start()
        return True

    def banks(self) -> list[Path] | None:
        """The banks of the list; None where there is none, as while the file is being saved. Raises `SyncdError`."""
        return userbanks.listed()

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
