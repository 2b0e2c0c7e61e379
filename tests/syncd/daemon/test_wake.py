"""What wakes the main loop can be told by a signal at any moment, also while the loop itself is at it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from syncd.daemon.wake import Wake
from tests.syncd.daemons import ROOT

_STORM = """
import os, signal, sys, threading, time
from syncd.daemon.signals import Told
from syncd.daemon.wake import Wake
wake = Wake()
told = Told(wake)
told.listen()
print("ready", flush=True)
rounds = 0
while not told.stop:
    wake.wait(0.0005)
    rounds += told.dump
    told.dump = told.reload = False
print(rounds)
"""


def test_it_is_set_before_or_while_somebody_waits() -> None:
    """Once for any number of times; and forgotten behind that."""
    wake = Wake()
    wake.set()
    wake.set()
    began = time.monotonic()
    wake.wait(5.0)
    assert time.monotonic() - began < 1.0
    wake.wait(0.05)
    assert 0.04 < time.monotonic() - began < 1.0
    threading.Timer(0.05, wake.set).start()
    wake.wait()


def test_nothing_that_was_told_is_slept_through() -> None:
    """Who tells sets it behind what there is to tell: the loop sees all of it, however the two meet."""
    wake, told, seen = Wake(), [0], 0

    def tell() -> None:
        for _ in range(20_000):
            told[0] += 1
            wake.set()

    teller = threading.Thread(target=tell)
    teller.start()
    until = time.monotonic() + 20
    while seen < 20_000:
        wake.wait(5.0)
        assert time.monotonic() < until
        seen = told[0]
    teller.join()


def test_signals_at_any_moment_stop_nothing() -> None:
    """A handler that waited for a lock of the thread that it interrupts would wait for ever."""
    loop = subprocess.Popen([sys.executable, "-c", _STORM], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert loop.stdout is not None
    assert loop.stdout.readline() == "ready\n"
    until = time.monotonic() + 3
    while time.monotonic() < until:
        os.kill(loop.pid, signal.SIGUSR1)
        os.kill(loop.pid, signal.SIGHUP)
    os.kill(loop.pid, signal.SIGTERM)
    try:
        rounds, _ = loop.communicate(timeout=10)
    finally:
        loop.kill()
    assert int(rounds) > 100
