"""What wakes the daemon's main loop: from any thread, and from signal handlers."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Protocol


class Wakes(Protocol):
    """What can be told that there is something to do: `Wake`, or a `threading.Event`."""

    def set(self) -> object: ...


class Wake:
    """Set behind whatever there is to tell; the main loop waits for it, and then looks everywhere.

    A `threading.Event` takes a lock: a signal handler that runs while the main loop itself holds it would wait for
    ever. Into a `queue.SimpleQueue` may be put at any moment (its documentation: reentrant).
    """

    def __init__(self) -> None:
        self._told: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """End this or the next `wait`."""
        if self._told.empty():
            self._told.put(None)

    def wait(self, seconds: float | None = None) -> None:
        """Until it is set, for ``seconds`` at most. What was set by then is forgotten."""
        with suppress(Empty):
            self._told.get(timeout=seconds)
            while True:
                self._told.get_nowait()
