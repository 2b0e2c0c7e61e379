"""Documents that another program rewrites each time they were written: the two would go on for ever."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from msgspec import Struct

SAME = 10
"""How often within `WITHIN_S` the same save is put back; then the document is left to a person."""

ANY = 40
"""How often saves of any text are put back, or the same save is merged (mode coexist): more than a person makes."""

WITHIN_S = 30.0


class _Flip(Struct, frozen=True):
    time: float
    saved: str | None
    put_back: bool


class Flips:
    """Counts, by document, how often it was written in answer to a save. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._flips: dict[str, deque[_Flip]] = {}

    def note(self, saves: Iterable[tuple[str, str | None, bool]], now: float) -> None:
        """These documents were written because somebody had saved them.

        By path, with the digest of what was saved, and whether that was put back (else it was merged).
        """
        for path, digest, put_back in saves:
            self._flips.setdefault(path, deque(maxlen=ANY)).append(_Flip(now, digest, put_back))

    def forget(self, path: str) -> None:
        """A person looked at it."""
        self._flips.pop(path, None)

    def reasons(self, paths: Iterable[str], now: float) -> dict[str, str]:
        """The sentence for each of ``paths`` that was written too often lately."""
        found = {}
        for path in paths:
            lately = [flip for flip in self._flips.get(path, ()) if now - flip.time <= WITHIN_S]
            if not lately:
                self.forget(path)
                continue
            back = all(flip.put_back for flip in lately)
            most = max(Counter(flip.saved for flip in lately).values())
            if most >= (SAME if back else ANY) or (back and len(lately) >= ANY):
                seconds = max(1, round(now - lately[0].time))
                found[path] = f"was rewritten by another program {len(lately)} times within {seconds} seconds"
        return found
