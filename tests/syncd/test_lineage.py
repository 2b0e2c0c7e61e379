"""A database that is lost, older, damaged or another one is noticed, told, and never harms the files."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schema.db import Database, Params, copy_database
from schema.errors import CorruptDatabase, DatabaseFailed, ForeignDatabase, NewerSchema, SyncdError
from syncd import lineage, requests, restore
from syncd.bank import database_of
from syncd.config import Config
from syncd.daemon.bankloop import BankLoop
from syncd.errors import HaltedError
from syncd.model import State
from tests.syncd.conftest import Live
from tests.syncd.test_backups import Log, loop_of

Syncd = Callable[..., Any]


def taken_yesterday(live: Live, folder: Path) -> Path:
    """A copy of the database as it is now, of which it will be said that it is from yesterday."""
    copy = folder / "yesterday.db"
    live.engine.close()
    copy_database(database_of(live.bank), copy)
    live.reopen()
    return copy


def lose(bank: Path) -> None:
    for file in (bank / ".syncd").glob("memory_bank.db*"):
        file.unlink()


def first_error(live: Live) -> str:
    """The section of an error that was in the log from the beginning."""
    text = live.read("errorLog.md")
    start = text.index("## 2026-03-06 17:20: T3 - Curve jumps")
    end = text.find("\n## ", start) + 1
    return text[start : end or len(text)]


def held(live: Live) -> list[str]:
    return [str(reason) for (reason,) in live.sql("SELECT reason FROM holds WHERE state = 'open'")]


@pytest.fixture
def loop(live: Live) -> Iterator[Callable[[], tuple[BankLoop, Log]]]:
    """Starts the daemon's loop on the bank, its engine closed; steps are the test's."""
    started: list[BankLoop] = []

    def start() -> tuple[BankLoop, Log]:
        live.engine.close()
        log = Log()
        started.append(loop_of(live.bank, log, follow_after=-1.0))
        return started[-1], log

    yield start
    for each in started:
        each.close()
    live.reopen()


def step(loop: BankLoop, times: int = 3) -> None:
    for _ in range(times):
        loop._scan_at = loop._not_before = 0.0
        loop.step()


def change_files(live: Live) -> dict[str, bytes]:
    """An edit, an edit in prose, a new document, a new entry, a deleted document; the files then."""
    live.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    live.write("progress.md", live.read("progress.md") + "\nToday.\n")
    live.write("tasks/T90.md", live.read("tasks/T4.md").replace("T4", "T90", 1))
    live.edit("errorLog.md", "\n## ", "\n## 2026-03-07 09:00: T4 - A new one\n**File:** `a.py`\n**Cause:** x\n\n## ")
    live.sync()
    return live.tree()


def test_a_lost_database_is_made_anew_and_told_with_what_went_with_it(live: Live) -> None:
    """The history and the open conflicts; it is told until somebody said that he saw it."""
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET priority = 'MEDIUM' WHERE id = 'T6'")
    live.sync()
    files = live.tree()
    live.engine.close()
    lose(live.bank)
    live.reopen()
    report = live.sync()
    assert report.state is State.ATTENTION
    (told,) = held(live)
    assert told.startswith("the database was lost and made anew from the files: the history up to transaction 2 at ")
    assert told.endswith(" is not in it, and 1 open conflicts")
    assert live.tree() == files
    requests.answer(live.engine, "accept", {"all": True})
    assert held(live) == []
    live.assert_at_rest()


def test_a_database_of_no_bytes_is_a_lost_one(live: Live) -> None:
    """As a copy that failed leaves it."""
    live.engine.close()
    lose(live.bank)
    database_of(live.bank).touch()
    live.reopen()
    live.sync()
    assert held(live)[0].startswith("the database was lost")
    assert live.value("SELECT count(*) FROM tasks") == 8


def test_an_older_database_meets_the_files_as_a_union(live: Live, tmp_path: Path) -> None:
    """What the files say stands and is absorbed; what only the database knows comes back; nothing is reverted."""
    copy = taken_yesterday(live, tmp_path)
    files = change_files(live)
    (live.bank / "techContext.md").unlink()
    live.write("errorLog.md", live.read("errorLog.md").replace(first_error(live), ""))
    live.sync()
    errors = live.value("SELECT count(*) FROM error_logs")
    live.engine.close()
    lose(live.bank)
    shutil.copy(copy, database_of(live.bank))
    live.reopen()
    report = live.sync()
    assert report.state is State.ATTENTION
    (told,) = held(live)
    assert told.startswith("the database was replaced by an older one: it ends with ")
    assert "came back" in told
    now = live.tree()
    assert now["techContext.md"] == files["techContext.md"]
    assert live.value("SELECT count(*) FROM error_logs") == errors + 1
    assert "differs from the height at 00:00 of the next day" in live.read("errorLog.md")
    for path in ("tasks/T4.md", "progress.md", "tasks/T90.md"):
        assert now[path] == files[path], path
    assert live.value("SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH"
    assert live.value("SELECT count(*) FROM tasks WHERE id IN ('T6', 'T90')") == 2
    assert live.read("errorLog.md").count("A new one") == 1
    assert live.value("SELECT count(*) FROM error_logs WHERE error_message LIKE '%A new one%'") == 1
    requests.answer(live.engine, "accept", {"all": True})
    live.assert_at_rest()


def test_what_an_older_database_was_about_to_do_is_not_done(live: Live, tmp_path: Path) -> None:
    """A text on its way, and a yes that was given."""
    expected = live.engine.state.rows["projectbrief.md"].hash
    live.engine.db.run("INSERT INTO outbox VALUES ('projectbrief.md', ?, 'old', 1)", (expected,))
    live.engine.db.run("INSERT INTO holds(path, kind, reason, state) VALUES ('tasks.md', 'deletion', '', 'accepted')")
    copy = tmp_path / "yesterday.db"
    copy_database(database_of(live.bank), copy)
    live.engine.db.run("DELETE FROM outbox")
    live.engine.db.run("DELETE FROM holds")
    files = change_files(live)
    live.engine.close()
    lose(live.bank)
    shutil.copy(copy, database_of(live.bank))
    live.reopen()
    (live.bank / "tasks.md").write_bytes(b"")
    live.sync()
    assert live.tree() == files | {"tasks.md": b""}
    assert any(reason.startswith("was emptied") for reason in held(live))


def test_the_mode_is_the_banks_and_not_that_of_an_older_database(live: Live, tmp_path: Path) -> None:
    """A cutover is not undone by yesterday's database, and the newer files are not put back either."""
    copy = taken_yesterday(live, tmp_path)
    live.engine.config = Config(settle_seconds=0.0, cutover_days=0, cutover_edits=0)
    requests.answer(live.engine, "cutover", {})
    live.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T4'")
    live.sync()
    files = live.tree()
    live.engine.close()
    lose(live.bank)
    shutil.copy(copy, database_of(live.bank))
    live.reopen()
    live.sync()
    assert live.engine.chosen_mode.value == "database-first"
    assert live.tree() == files
    assert live.value("SELECT priority FROM tasks WHERE id = 'T4'") == "CRITICAL"


def test_the_database_of_another_bank_is_refused(live: Live, tmp_path: Path, open_live: Callable[..., Live]) -> None:
    """Nothing is done with it, neither to it nor to the files."""
    shutil.copytree(live.bank, tmp_path / "other", ignore=shutil.ignore_patterns(".syncd"))
    other = open_live(tmp_path / "other")
    other.sync()
    other.engine.close()
    files = live.tree()
    live.engine.close()
    lose(live.bank)
    shutil.copy(database_of(other.bank), database_of(live.bank))
    for _ in range(2):
        with pytest.raises(HaltedError, match="belongs to another bank"):
            live.reopen()
    assert live.tree() == files
    shutil.copy(database_of(other.bank), tmp_path / "theirs.db")
    lose(live.bank)
    live.reopen()


@pytest.mark.parametrize("content", [b"garbage" * 2000, None], ids=["not a database", "damaged pages"])
def test_a_damaged_database_is_kept_aside(live: Live, syncd: Syncd, content: bytes | None) -> None:
    """It is renamed and never deleted; the line says what to do; `init` makes it anew."""
    files = live.tree()
    live.engine.close()
    file = database_of(live.bank)
    bad = content or file.read_bytes()[:4096] + b"\xff" * (file.stat().st_size - 4096)
    lose(live.bank)
    file.write_bytes(bad)
    ran = syncd("sync", live.bank)
    assert ran.code == 3
    assert len(ran.err.splitlines()) == 1
    (aside,) = live.bank.glob(".syncd/memory_bank.db.damaged-*")
    assert aside.read_bytes() == bad
    assert f"it is kept as {aside.name}" in ran.err
    assert "syncd restore FILE" in ran.err
    for command in ("sync", "status"):
        again = syncd(command, live.bank)
        assert again.code == 3
        assert "`syncd init` makes it anew from the files" in again.err
    assert syncd("init", live.bank).code == 1
    assert syncd("accept", "--all", "--bank", live.bank).code == 0
    assert live.tree() == files
    assert aside.exists()
    live.reopen()


def test_a_newer_schema_and_another_programs_database_are_refused_and_left_alone(live: Live) -> None:
    """With one line each."""
    live.engine.close()
    file = database_of(live.bank)
    db = sqlite3.connect(file)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(NewerSchema, match="update syncd"):
        live.reopen()
    lose(live.bank)
    db = sqlite3.connect(file)
    db.execute("CREATE TABLE theirs (x)")
    db.commit()
    db.close()
    before = file.read_bytes()
    with pytest.raises(ForeignDatabase):
        live.reopen()
    assert file.read_bytes() == before
    lose(live.bank)
    live.reopen()


def test_status_tells_of_a_database_that_is_not_the_one_known(live: Live, syncd: Syncd, tmp_path: Path) -> None:
    """Before anything was done about it."""
    copy = taken_yesterday(live, tmp_path)
    change_files(live)
    live.engine.close()
    lose(live.bank)
    gone = syncd("status", live.bank)
    assert (gone.code, "the database is gone" in gone.err) == (3, True)
    shutil.copy(copy, database_of(live.bank))
    told = syncd("status", live.bank, "--json").json["banks"][0]
    assert told["state"] == "attention"
    assert told["reason"].startswith("the database is older than the files")
    assert syncd("sync", live.bank).code == 1
    live.reopen()


@pytest.mark.parametrize("way", ["copied over", "moved over", "deleted"])
def test_the_daemon_notices_while_it_runs(
    live: Live, tmp_path: Path, loop: Callable[[], tuple[BankLoop, Log]], way: str
) -> None:
    """Whether the file was replaced by name or overwritten in place; the union is made, and the log says why."""
    copy = taken_yesterday(live, tmp_path)
    files = change_files(live)
    running, log = loop()
    running._drift_at = 0.0
    for _ in range(5):  # the events of its own start come first; then the log is folded into the file
        running.step()
    assert running._drift_at is None
    if way == "copied over":
        with database_of(live.bank).open("r+b") as out:  # as cp does
            out.truncate()
            out.write(copy.read_bytes())
    elif way == "moved over":
        shutil.copy(copy, tmp_path / "again.db")
        lose(live.bank)
        os.rename(tmp_path / "again.db", database_of(live.bank))
    else:
        lose(live.bank)
    step(running)
    (event,) = [values for event, values in log.events if event == "database.replaced"]
    assert event["reason"].startswith("the database was lost" if way == "deleted" else "the database was replaced by")
    assert live.tree() == files
    assert live.value("SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH"
    assert live.value("SELECT count(*) FROM tasks WHERE id = 'T90'") == 1
    assert len(held(live)) == 1


@pytest.mark.parametrize("way", ["overwritten", "moved over"])
def test_the_daemon_halts_on_a_damaged_database_until_somebody_looked(
    live: Live, syncd: Syncd, tmp_path: Path, loop: Callable[[], tuple[BankLoop, Log]], way: str
) -> None:
    """It is kept aside; when it was made anew, the daemon goes on."""
    files = live.tree()
    running, log = loop()
    if way == "overwritten":
        with database_of(live.bank).open("r+b") as out:
            out.truncate()
            out.write(b"garbage" * 3000)
    else:
        (tmp_path / "bad.db").write_bytes(b"garbage" * 3000)
        os.rename(tmp_path / "bad.db", database_of(live.bank))
    step(running)
    assert [event for event, _ in log.events if event == "bank.halted"]
    assert not database_of(live.bank).exists()
    assert len(list(live.bank.glob(".syncd/memory_bank.db.damaged-*"))) >= 1
    assert syncd("init", live.bank).code == 1
    step(running)
    assert [event for event, _ in log.events][-1] == "bank.recovered"
    assert live.tree() == files


UNREAD = "Tree 3 page 18: unable to get the page. error code=266"
"""What SQLite's check says of a page that the disk did not give (SQLITE_IOERR_READ)."""


def unreadable(monkeypatch: pytest.MonkeyPatch, *, opening: bool = False) -> None:
    """From now on the check cannot read a page, or (``opening``) no connection can read the first one."""
    rows = Database.rows

    def failing(self: Database, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        if opening and sql == "PRAGMA application_id":
            raise DatabaseFailed("the database failed: disk I/O error", str(self.path))
        return [(UNREAD,)] if sql == "PRAGMA integrity_check" else rows(self, sql, params)

    monkeypatch.setattr(Database, "rows", failing)


@pytest.mark.parametrize("opening", [False, True], ids=["a page of the check", "the first page"])
def test_a_disk_that_fails_is_no_damage_and_the_daemon_tries_again(
    live: Live, loop: Callable[[], tuple[BankLoop, Log]], monkeypatch: pytest.MonkeyPatch, opening: bool
) -> None:
    """Nothing is moved; when the disk can be read again, the daemon goes on with the same database."""
    files, number = live.tree(), live.value("SELECT count(*) FROM transaction_log")
    running, log = loop()
    step(running)
    with monkeypatch.context() as patch:
        unreadable(patch, opening=opening)
        running._file._written = None  # another program wrote the file: it is looked at
        step(running)
    failed = [told for event, told in log.events if event == "bank.failed"]
    assert failed
    assert "could not be read" in str(failed[0]) or "disk I/O error" in str(failed[0])
    assert not [event for event, _ in log.events if event == "bank.halted"]
    assert not list(live.bank.glob(".syncd/*damaged*"))
    step(running)
    assert [event for event, _ in log.events][-1] == "bank.recovered"
    assert live.tree() == files
    running.close()
    live.reopen()
    assert live.value("SELECT count(*) FROM transaction_log") == number


def test_damage_that_a_second_look_does_not_find_moves_nothing(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection met it, a fresh one does not, or cannot read: the error stays, and so does the database."""
    live.engine.close()
    met = CorruptDatabase("the database is damaged")
    assert lineage.examined(live.bank, met) is met
    with monkeypatch.context() as patch:
        unreadable(patch)
        assert isinstance(lineage.examined(live.bank, met), DatabaseFailed)
    with pytest.raises(CorruptDatabase):
        lineage.enter(live.bank, lambda: raising(met), rebuild=False)
    assert database_of(live.bank).exists()
    assert not list(live.bank.glob(".syncd/*damaged*"))
    live.reopen()
    live.assert_at_rest()


def raising(error: Exception) -> Database:
    raise error


def test_what_could_not_be_read_now_is_not_taken_for_nothing(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The note beside the database, while too many files are open."""

    def refuse(self: Path, *_: object, **__: object) -> str:
        raise OSError(errno.EMFILE, "Too many open files", str(self))

    live.engine.close()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        with pytest.raises(SyncdError, match="too many open files"):
            lineage.read(live.bank)
    assert lineage.read(live.bank) is not None
    live.reopen()


def test_a_restore_does_not_take_a_disk_that_fails_for_a_damaged_database(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, and the database stays where it is."""
    copy = taken_yesterday(live, tmp_path)
    live.engine.close()
    with monkeypatch.context() as patch:
        unreadable(patch, opening=True)
        with pytest.raises(DatabaseFailed):
            restore.put_in_place(live.bank, copy)
    assert database_of(live.bank).exists()
    assert not list(live.bank.glob(".syncd/*damaged*"))
    live.reopen()


def test_what_is_known_is_private_and_a_broken_note_is_no_harm(live: Live) -> None:
    """It is written anew when the bank is left."""
    live.engine.close()
    file = live.bank / ".syncd" / lineage.NAME
    assert file.stat().st_mode & 0o777 == 0o600
    before = lineage.read(live.bank)
    file.write_text("{")
    live.reopen()
    live.assert_at_rest()
    live.engine.close()
    assert lineage.read(live.bank) == before
    live.reopen()
