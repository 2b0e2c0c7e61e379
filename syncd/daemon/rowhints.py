"""Whether another process committed to the database: a hint of its log, confirmed by SQLite's own counter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

_CONFIRM = (0.0, 0.0005, 0.001, 0.002)  # the log is written before the commit can be seen: seconds between two looks
_CONFIRM_LATER = (0.004, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # and behind those, for a disk that takes its time


class RowHints:
    """Follows the counter that ``version`` reads.

    The log's event comes before the commit can be seen: by microseconds, or by as long as the disk takes to sync.
    One event may stand for several commits. So after each there are more looks, later and later; ``at`` is the
    monotonic time of the next one, ``told_at`` that of the last event. ``own`` counts what this connection wrote: an
    event behind that is most likely its own, and nothing is waited for.
    """

    def __init__(self, version: Callable[[], int], own: Callable[[], int] = lambda: 0) -> None:
        self.at: float | None = None
        self.told_at: float | None = None
        self._version = version
        self._own = own
        self._last = version()
        self._wrote = own()
        self._looks = 0

    def changed(self, told: bool, now: float, *, hurry: bool = False) -> bool:
        """Whether others committed since the last call. ``told`` says that the log was written to.

        It waits a moment for a commit that was told, but not in a ``hurry``: then there is other work to do first.
        """
        if told:
            self._looks, self.at, self.told_at = 0, now + _CONFIRM_LATER[0], now
            wrote, self._wrote = self._wrote, self._own()
            return self._look(_CONFIRM[:1] if hurry or wrote != self._wrote else _CONFIRM)
        if self.at is None or now < self.at:
            return False
        self._looks += 1
        self.at = now + _CONFIRM_LATER[self._looks] if self._looks < len(_CONFIRM_LATER) else None
        return self._look((0.0,))

    def _look(self, pauses: Sequence[float]) -> bool:
        for pause in pauses:
            if pause:
                time.sleep(pause)
            version = self._version()
            if version != self._last:
                self._last = version
                return True
        return False
