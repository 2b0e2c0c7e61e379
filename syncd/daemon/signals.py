"""What signals tell the daemon. Handlers only note it; the main loop does the work."""

from __future__ import annotations

import signal
from types import FrameType

from syncd.daemon.wake import Wakes


class Told:
    """``stop`` by SIGTERM and SIGINT, ``reload`` by SIGHUP, ``dump`` by SIGUSR1; each sets ``wake`` too.

    Plain values: what takes a lock (`threading.Event`) may be held by the very thread that the handler interrupts.
    """

    def __init__(self, wake: Wakes) -> None:
        self.stop = False
        self.reload = False
        self.dump = False
        self._wake = wake

    def listen(self) -> None:
        """Install the handlers. Only the main thread may."""
        names = {signal.SIGTERM: "stop", signal.SIGINT: "stop", signal.SIGHUP: "reload", signal.SIGUSR1: "dump"}

        def told(number: int, frame: FrameType | None) -> None:
            setattr(self, names[signal.Signals(number)], True)
            self._wake.set()

        for number in names:
            signal.signal(number, told)
