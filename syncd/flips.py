"""Documents that another program rewrites each time they were written: the two would go on for ever."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

MOST = 8
"""How often within `WITHIN_S` a document is written in answer to a save; then it is left to a person."""

WITHIN_S = 30.0


class Flips:
    """Counts, by document, how often it was written in answer to a save. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}

    def note(self, paths: Iterable[str], now: float) -> None:
        """These documents were written because somebody had saved them."""
        for path in paths:
            self._times.setdefault(path, deque(maxlen=MOST)).append(now)

    def forget(self, path: str) -> None:
        """A person looked at it."""
        self._times.pop(path, None)

    def reasons(self, paths: Iterable[str], now: float) -> dict[str, str]:
        """The sentence for each of ``paths`` that was written too often lately."""
        found = {}
        for path in paths:
            times = self._times.get(path)
            if not times:
                continue
            if len(times) == MOST and now - times[0] <= WITHIN_S:
                found[path] = f"was rewritten by another program {MOST} times within {now - times[0]:.0f} seconds"
            elif now - times[-1] > WITHIN_S:
                del self._times[path]
        return found
