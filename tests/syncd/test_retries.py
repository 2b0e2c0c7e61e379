"""How often the daemon tries again what the system refuses: more and more rarely, and never in a tight loop."""

from __future__ import annotations

import errno
import itertools
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from schema.db import open_database
from syncd import publish
from syncd.bank import database_of
from syncd.daemon import bankloop
from syncd.daemon.bankloop import BankLoop
from syncd.disk.folders import write_failed


class Clock:
    """The module `time` with a clock that stands still until it is put on."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Nothing waits."""


class Log:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def bind(self, **_: Any) -> Log:
        return self

    def __getattr__(self, level: str) -> Any:
        return lambda event, **_: self.events.append(event)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO])
def test_what_is_refused_is_tried_more_and_more_rarely(
    synced: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Ten simulated minutes: some twenty tries, not thousands; then it can be written, and is within half a minute."""
    clock, log, tries = Clock(), Log(), []
    real = publish.prepare

    def refuse(root: Path, path: str, data: bytes | None) -> Any:
        tries.append(clock.now)
        raise write_failed(OSError(code, os.strerror(code)), path)

    monkeypatch.setattr(bankloop, "time", clock)
    (synced / ".syncd" / "config.toml").write_text("scan_seconds = 1000000\ndaily_backups = 0\nweekly_backups = 0\n")
    loop = BankLoop(synced, threading.Event(), log)
    loop.open()
    try:
        with monkeypatch.context() as refusing:
            refusing.setattr(publish, "prepare", refuse)
            client = open_database(database_of(synced), create=False)
            client.run("UPDATE tasks SET title = 'Another' WHERE id = 'T6'")
            client.close()
            loop._rows_due, loop._scan_at = True, clock.now
            steps, end = 0, clock.now + 600
            while clock.now < end:
                loop.step()
                steps += 1
                clock.now = max(clock.now, loop.deadline()) + 0.001
        assert 10 < len(set(tries)) < 60
        assert steps < 200
        gaps = [b - a for a, b in itertools.pairwise(tries) if b > a]
        assert max(gaps) > 20
        end = clock.now + 40
        while clock.now < end:
            loop.step()
            clock.now = max(clock.now, loop.deadline()) + 0.001
        assert "# T6: Another" in (synced / "tasks" / "T6.md").read_text()
        assert publish.prepare is real
        told = ["not written", "written"] if code == errno.EACCES else ["bank.failed", "bank.recovered"]
        assert [event for event in log.events if event in told][:1] + log.events[-1:] == [told[0], log.events[-1]]
        assert told[1] in log.events
        assert len(log.events) < 30
    finally:
        loop.close()
