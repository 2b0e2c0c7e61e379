"""Backups are whole, checked, private, rotated, and a failed one is told."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schema.backups import Backup, listing, target
from schema.db import open_database
from schema.errors import CorruptDatabase, DatabaseFailed
from syncd import backups
from syncd.backups import Why
from syncd.bank import database_of
from syncd.config import Config
from syncd.daemon import bankloop, daily
from tests.syncd.conftest import Live

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
Syncd = Callable[..., Any]


class Log:
    """Collects the events of a daemon's log."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def bind(self, **_: object) -> Log:
        return self

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda event, **values: self.events.append((event, values))


def loop_of(bank: Path, log: Log, **settings: object) -> bankloop.BankLoop:
    """The daemon's loop on one bank, open; its steps are the test's to make, and it is the test's to close."""
    (bank / ".syncd").mkdir(exist_ok=True, mode=0o700)
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in {"settle_seconds": 0.0, **settings}.items()]
    (bank / ".syncd" / "config.toml").write_text("".join(lines))
    loop = bankloop.BankLoop(bank, threading.Event(), log)
    loop.open()
    return loop


def test_a_backup_is_one_private_file_whose_name_says_when_and_why(live: Live) -> None:
    """It opens by itself and holds every row."""
    made = backups.make(live.engine.db, live.bank, Why.CUTOVER, Config(), NOON)
    assert made == live.bank / ".syncd" / "backups" / "20260304-120000-before-cutover.db"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert [p.name for p in made.parent.iterdir()] == [made.name]
    copy = open_database(made, readonly=True)
    assert copy.rows("SELECT * FROM tasks") == live.sql("SELECT * FROM tasks")
    assert copy.rows("SELECT * FROM sections") == live.sql("SELECT * FROM sections")
    copy.close()
    again = backups.make(live.engine.db, live.bank, Why.CUTOVER, Config(), NOON)
    assert again.name == "20260304-120000-before-cutover.2.db"


def test_a_backup_that_fails_leaves_nothing_that_looks_whole(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the disk refuses the sync or the copy does not pass the check."""
    def refuse(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(DatabaseFailed, match="no backup was made"):
            backups.make(live.engine.db, live.bank, Why.RESTORE, Config(), NOON)
    assert list((live.bank / ".syncd" / "backups").iterdir()) == []
    live.engine.db.run("PRAGMA foreign_keys = OFF")
    live.engine.db.run("INSERT INTO readings VALUES (4711, 0, 'tasks', 'T1', 'own')")
    with pytest.raises(CorruptDatabase, match=r"row of readings belongs to a row of sections.*syncd restore FILE"):
        backups.make(live.engine.db, live.bank, Why.RESTORE, Config(), NOON)
    assert list((live.bank / ".syncd" / "backups").iterdir()) == []


def test_rotation_keeps_days_weeks_steps_and_what_was_asked_for() -> None:
    """Of 60 days with three backups each."""
    made = []
    for day in range(60):
        for hour, why in ((3, "daily"), (9, "before-restore" if day % 10 == 0 else "daily"), (12, "asked")):
            moment = NOON.replace(hour=hour) - timedelta(days=day)
            made.append(Backup(Path(f"{moment:%m%d%H}"), moment, why, 1))
    made.sort(key=lambda backup: backup.made, reverse=True)
    left = [b for b in made if b not in backups.superfluous(made, 7, 4)]
    assert sum(b.why == "asked" for b in left) == 60
    assert sum(b.why == "before-restore" for b in left) == 6
    automatic = [b for b in left if b.why != "asked"]
    assert {b.made.date() for b in automatic} >= {(NOON - timedelta(days=n)).date() for n in range(7)}
    assert len({b.made.isocalendar()[:2] for b in automatic}) >= 4
    assert sum(b.why == "daily" for b in automatic) <= 7 + 4


def test_rotation_removes_files_of_its_own_only(live: Live) -> None:
    """A file that somebody put beside them stays."""
    folder = target(database_of(live.bank), "daily", NOON).parent
    (folder / "mine.db").write_text("mine")
    for day in range(12):
        backups.make(live.engine.db, live.bank, Why.DAILY, Config(daily_backups=2, weekly_backups=1),
                     NOON + timedelta(days=day))  # fmt: skip
    assert (folder / "mine.db").exists()
    assert [b.made.day for b in listing(database_of(live.bank))] == [15, 14]


def test_what_a_copy_that_was_broken_off_left_is_swept_up_a_day_later(live: Live) -> None:
    """Not before: somebody may be at work on it."""
    folder = target(database_of(live.bank), "daily", NOON).parent
    old, young = folder / "20260301-000000-daily.db.partial", folder / "20260302-000000-daily.db.partial"
    for left in (old, young):
        left.write_text("half")
    os.utime(old, (1.0, 1.0))
    backups.make(live.engine.db, live.bank, Why.DAILY, Config(), NOON)
    assert (old.exists(), young.exists()) == (False, True)
    assert len(listing(database_of(live.bank))) == 1


def test_the_daemon_makes_the_daily_backup_when_it_is_due(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a quiet moment; status knows the next one; what fails is told there, in the log, and tried again."""
    monkeypatch.setattr(daily, "_SOON", 0.0)
    log = Log()
    loop = loop_of(bank, log)
    try:
        loop.step()
        (made,) = listing(database_of(bank))
        assert made.why == "daily"
        loop.step()
        assert listing(database_of(bank)) == [made]
        made.path.unlink()
        made.path.parent.chmod(0o700)
        monkeypatch.setattr(backups, "target", lambda *_: bank / ".syncd" / "nowhere" / "x.db")
        loop.reload()
        loop.step()  # the scan that reload asks for
        loop.step()
        assert [event for event, _ in log.events if event.startswith("backup.")] == ["backup.made", "backup.failed"]
    finally:
        loop.close()
    from syncd import inspect

    told = inspect.status(bank)
    assert told["state"] == "attention"
    assert "no backup was made" in told["backup"]["failure"]


def test_backup_writes_a_file_once_and_lists_those_of_the_bank(syncd: Syncd, synced: Path, tmp_path: Path) -> None:
    """A file that is there is not overwritten."""
    wanted = tmp_path / "copy.db"
    told = syncd("backup", wanted, "--bank", synced, "--json").json
    assert told["file"] == str(wanted)
    assert told["records"]["tasks"] == 8
    before = wanted.read_bytes()
    refused = syncd("backup", wanted, "--bank", synced)
    assert refused.code == 3
    assert "there is a file already" in refused.err
    assert wanted.read_bytes() == before
    assert syncd("backup", "--list", "--bank", synced).out == "no backups yet\n"
    assert syncd("backup", "--bank", synced).code == 0
    (one,) = syncd("backup", "--list", "--bank", synced, "--json").json
    assert one["why"] == "asked"
    assert Path(one["file"]).parent == synced / ".syncd" / "backups"
    status = json.loads(syncd("status", synced, "--json").out)["banks"][0]
    assert status["backup"]["last"] == one["made"]
