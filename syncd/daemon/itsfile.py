"""Whether a bank's database is still the file that was opened, and whether others wrote into it.

It is only looked at by stat: opened here, its closing would drop SQLite's locks.
"""

from __future__ import annotations

import os
from pathlib import Path


class ItsFile:
    """The database's own file. Only checkpoints write it, mostly our own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._identity: tuple[int, int] | None = None
        self._written: int | None = None
        self._seen: int | None = None

    def opened(self) -> None:
        """This is the one that was opened."""
        self._identity = self._which()

    def is_another(self) -> bool:
        """Whether it is gone, or another one stands in its place: what we wrote would be nowhere."""
        return self._which() != self._identity

    def is_gone(self) -> bool:
        """Whether there is none."""
        return self._which() is None

    def known(self) -> None:
        """All that was written into it by now was written by us."""
        self._written = self._when()

    def was_written(self) -> bool:
        """Whether it was written since `known`, or `harmless`, was said."""
        self._seen = self._when()
        return self._seen != self._written

    def harmless(self) -> None:
        """What `was_written` saw is of no harm."""
        self._written = self._seen

    def _which(self) -> tuple[int, int] | None:
        found = self._stat()
        return None if found is None else (found.st_dev, found.st_ino)

    def _when(self) -> int | None:
        found = self._stat()
        return None if found is None else found.st_mtime_ns

    def _stat(self) -> os.stat_result | None:
        try:
            return os.stat(self._file)
        except OSError:
            return None
