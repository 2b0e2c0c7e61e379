"""What signals tell the daemon. Handlers only set events; the main loop does the work."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from msgspec import Struct, field


class Told(Struct, frozen=True):
    """``stop`` by SIGTERM and SIGINT, ``reload`` by SIGHUP, ``dump`` by SIGUSR1; each sets ``wake`` too."""

    wake: threading.Event
    stop: threading.Event = field(default_factory=threading.Event)
    reload: threading.Event = field(default_factory=threading.Event)
    dump: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        """Install the handlers. Only the main thread may."""
        events = {
            signal.SIGTERM: self.stop, signal.SIGINT: self.stop, signal.SIGHUP: self.reload, signal.SIGUSR1: self.dump,
        }  # fmt: skip

        def told(number: int, frame: FrameType | None) -> None:
            events[signal.Signals(number)].set()
            self.wake.set()

        for number in events:
            signal.signal(number, told)
