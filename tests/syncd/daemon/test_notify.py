"""What the service manager hears, and that nothing depends on it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from syncd.daemon.notify import Notifier

Told = Callable[[dict[str, str]], Notifier]


class Manager:
    """The socket of a service manager."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """All lines that came since the last call."""
        lines = []
        while True:
            try:
                lines += self.socket.recv(65536).decode().split("\n")
            except BlockingIOError:
                return lines


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "n"))
    yield made
    made.socket.close()


@pytest.fixture
def told() -> Iterator[Told]:
    """Makes notifiers and closes them."""
    with ExitStack() as stack:
        yield lambda environ: stack.enter_context(closing(Notifier(environ)))


def test_each_event_is_told_in_the_words_of_sd_notify(told: Told, manager: Manager) -> None:
    """READY with a status, a status only when it changed, RELOADING with the clock, STOPPING."""
    notifier = told({"NOTIFY_SOCKET": manager.address})
    notifier.starting(30.0, "reading a bank")
    assert manager.heard() == ["EXTEND_TIMEOUT_USEC=30000000", "STATUS=reading a bank"]
    notifier.ready("1 bank")
    assert manager.heard() == ["READY=1", "STATUS=1 bank"]
    notifier.status("1 bank")
    assert manager.heard() == []
    notifier.status("1 bank\nfails")
    assert manager.heard() == ["STATUS=1 bank fails"]
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    reloading, clock = manager.heard()
    assert reloading == "RELOADING=1"
    assert before <= int(clock.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    notifier.stopping()
    assert manager.heard()[0] == "STOPPING=1"
    notifier.close()
    notifier.status("later")
    assert manager.heard() == []


def test_an_abstract_socket_will_do(told: Told) -> None:
    """Its name begins with an @."""
    if not hasattr(socket, "SO_PASSCRED"):
        pytest.skip("abstract sockets are Linux's")
    manager = Manager(f"@syncd-test-{os.getpid()}")
    told({"NOTIFY_SOCKET": manager.address}).status("well")
    assert manager.heard() == ["STATUS=well"]
    manager.socket.close()


def test_the_watchdog_is_fed_twice_in_half_its_period_at_most(told: Told, manager: Manager) -> None:
    """Progress may be told as often as one likes."""
    watched = {"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid())}
    notifier = told({"NOTIFY_SOCKET": manager.address, **watched})
    assert notifier.every == 10.0
    for moment in (100.0, 101.0, 104.9, 105.0, 106.0, 115.0):
        notifier.progress(moment)
    assert manager.heard() == ["WATCHDOG=1"] * 3


@pytest.mark.parametrize(
    "environ", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "much"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}]
)
def test_a_watchdog_of_nobody_or_of_another_is_not_fed(told: Told, manager: Manager, environ: dict[str, str]) -> None:
    """A child of a service has its parent's environment."""
    notifier = told({"NOTIFY_SOCKET": manager.address, **environ})
    assert notifier.every is None
    notifier.progress(1.0)
    assert manager.heard() == []


def test_without_a_manager_or_with_one_that_is_gone_nothing_happens(told: Told, tmp_path: Path) -> None:
    """The daemon runs on a terminal too."""
    told({}).ready("well")
    told({"NOTIFY_SOCKET": str(tmp_path / "none"), "WATCHDOG_USEC": "9"}).ready("well")


def test_a_manager_that_does_not_read_stops_nobody(told: Told, manager: Manager) -> None:
    """Its queue is full after some messages; sending returns."""
    notifier = told({"NOTIFY_SOCKET": manager.address})
    for number in range(5000):
        notifier.status(f"{number}")
    assert manager.heard()[0] == "STATUS=0"
