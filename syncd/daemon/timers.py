"""When to try again: after a failure, and for documents that were not ready. Times are given, never asked for."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct, field

SHARE = 12_000
"""Scans of all banks that find nothing take less than one part in so many of the time."""

POLLING = 2.0
"""Seconds between two scans where the system cannot tell of changes."""

_RAREST = 3600.0  # seconds between two scans of one of many banks, unless it is so large itself
_FIRST = 1.0  # seconds until something that failed is tried again, doubling
_SOON = 0.02  # seconds until a file that was missing or open for writing is looked at again, doubling
_LATEST = 1.0


class BackOff(Struct):
    """Something that failed is left alone for longer each time, up to a cap, and told more rarely each time."""

    failures: int = 0
    reason: str | None = None
    telling: bool = False

    def failed(self, reason: str, cap: float) -> float:
        """Note a failure; the seconds to wait. ``telling`` is then whether it is news.

        It is the first, second, fourth, eighth … time in a row, or another reason than the last time.
        """
        self.failures += 1
        self.telling = reason != self.reason or self.failures & (self.failures - 1) == 0
        self.reason = reason
        return cap if self.failures > 30 else min(_FIRST * 2.0 ** (self.failures - 1), cap)

    def worked(self) -> int:
        """Note that it works; how often it had failed in a row."""
        failures, self.failures, self.reason, self.telling = self.failures, 0, None, False
        return failures


class Again(Struct):
    """Documents to be looked at again at the monotonic time ``at``: ``soon`` at first, then later and later, ``latest``
    seconds apart in the end."""

    soon: float = _SOON
    latest: float = _LATEST
    paths: set[str] = field(default_factory=set)
    at: float | None = None
    _after: float = 0.0

    def due(self, now: float) -> set[str]:
        """The documents whose time has come, at most once for each plan."""
        if self.at is None or now < self.at:
            return set()
        self.at = None
        return set(self.paths)

    def plan(self, waiting: Collection[str], looked_at: Collection[str] | None, now: float) -> None:
        """``waiting`` were not ready when ``looked_at`` (None: all) were looked at."""
        self.paths = set(waiting) | (set() if looked_at is None else self.paths - set(looked_at))
        if self.paths:
            self._after = min(2 * self._after, self.latest) if self._after else self.soon
            self.at = now + self._after
        else:
            self.at, self._after = None, 0.0

    def put_off(self, paths: Collection[str], at: float) -> None:
        """These too, and all of them not before ``at``."""
        self.paths |= set(paths)
        self.at = at


def scan_interval(least: float, took: float, banks: int, *, polling: bool) -> float:
    """Seconds until the next scan of one of so many ``banks``: ``least``, and rarely enough for what it ``took``."""
    if polling:
        return max(POLLING, 100 * took * banks)
    return max(least, SHARE * took, min(_RAREST, SHARE * took * banks))
