"""`syncd init --new`: a bank to start with, on which everything works at once."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from parser.document import parse
from parser.kinds import kind_of
from syncd import newbank
from syncd.bank import database_of
from syncd.errors import BankError
from syncd.mb.cli import main as mb
from syncd.plan.stamps import present

Command = Callable[..., Any]
DOCUMENTS = [
    "activeContext.md", "changelog.md", "edit_history.md", "errorLog.md", "progress.md", "projectbrief.md",
    "session_cache.md", "systemPatterns.md", "tasks.md", "techContext.md",
]  # fmt: skip
NOW = datetime(2026, 3, 6, 18, 42, 5, tzinfo=UTC)


@pytest.fixture
def fresh(tmp_path: Path, syncd: Command) -> Path:
    """A bank just started."""
    folder = tmp_path / "tides" / "memory-bank"
    ran = syncd("init", "--new", folder)
    assert (ran.code, ran.err) == (0, "")
    return folder


def _sql(bank: Path, *statements: str) -> list[Any]:
    client = sqlite3.connect(database_of(bank))
    try:
        with client:
            return [row for statement in statements for row in client.execute(statement)]
    finally:
        client.close()


def _rows(bank: Path) -> list[Any]:
    """Everything that files show."""
    return _sql(
        bank,
        "SELECT id, title, status, priority, started, completed, details, description FROM tasks ORDER BY id",
        "SELECT * FROM task_dependencies ORDER BY 1, 2",
        "SELECT task_id, section, text, status FROM task_subtasks ORDER BY 1, 3",
        "SELECT date, time, timezone, task_id, task_description FROM edit_entries ORDER BY date, time",
        "SELECT action, file_path, description FROM file_modifications ORDER BY file_path",
        "SELECT session_date, session_period, focus_task, start_time, end_time, status, path FROM sessions ORDER BY 7",
        "SELECT current_session_id, current_focus_task, active_count, completed_count FROM session_cache",
        "SELECT timestamp, task_id, file_path, error_message, cause, fix_applied FROM error_logs ORDER BY timestamp",
    )


def _rebuilt(bank: Path, syncd: Command) -> list[Any]:
    """The rows of a database made anew from the files."""
    for file in database_of(bank).parent.glob("memory_bank.db*"):
        file.unlink()
    assert syncd("sync", bank).code == 1  # its history is gone, and that is told
    return _rows(bank)


def test_a_new_bank_has_all_its_documents(fresh: Path) -> None:
    """Each with a title; templates beside them; no placeholder left but in templates."""
    assert sorted(p.name for p in fresh.glob("*.md")) == DOCUMENTS
    assert len(list((fresh / "templates").glob("*.md"))) == 4
    for path in fresh.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert text.endswith("\n")
        assert "{{" not in text
        if path.parent == fresh:
            assert text.startswith("# ")
            assert not list(parse(path.name, text).problems())
    assert "# Project Brief: tides\n" in (fresh / "projectbrief.md").read_text(encoding="utf-8")


def test_stamps_are_of_the_moment_and_name_no_other(fresh: Path) -> None:
    """The only dates in a new bank are those of its creation, and the next change brings them along."""
    moments = set()
    for path in fresh.glob("*.md"):
        moments |= set(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+(?=\*)", path.read_text(encoding="utf-8")))
    assert len(moments) == 1
    written = datetime.strptime(next(iter(moments))[:19], "%Y-%m-%d %H:%M:%S")
    assert abs((datetime.now().astimezone().replace(tzinfo=None) - written).total_seconds()) < 120


@pytest.mark.parametrize(
    ("zone", "label"),
    [
        (UTC, "UTC"),
        (timezone(timedelta(hours=5, minutes=30), "IST"), "IST"),
        (timezone(timedelta(hours=2), "IST"), "UTC+02:00"),
        (timezone(timedelta(hours=-3, minutes=-30), "NDT"), "UTC-03:30"),
    ],
)
def test_a_zone_is_named_so_that_stamps_can_follow(zone: timezone, label: str) -> None:
    """By its name where that is known to be this offset, else by the offset."""
    now = NOW.astimezone(zone)
    assert present(now) == f"{now:%Y-%m-%d %H:%M:%S} {label}"


def test_a_folder_with_documents_is_refused(tmp_path: Path, syncd: Command) -> None:
    """One line, exit code 3, nothing written."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("# Mine\n")
    ran = syncd("init", "--new", tmp_path)
    assert (ran.code, ran.err.count("\n")) == (3, 1)
    assert "there are documents already" in ran.err
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.md", "notes"]


def test_a_bank_is_not_started_twice(fresh: Path, syncd: Command) -> None:
    """Nor over a database whose documents are gone."""
    before = {p: p.read_bytes() for p in fresh.rglob("*.md")}
    assert syncd("init", "--new", fresh).code == 3
    assert {p: p.read_bytes() for p in fresh.rglob("*.md")} == before
    for path in before:
        path.unlink()
    assert syncd("init", "--new", fresh).code == 3
    assert not list(fresh.rglob("*.md"))


def test_a_file_is_no_folder(tmp_path: Path, syncd: Command) -> None:
    """Said in one line."""
    (tmp_path / "bank").write_text("x")
    ran = syncd("init", "--new", tmp_path / "bank")
    assert (ran.code, ran.err.count("\n")) == (3, 1)
    assert "not a folder" in ran.err


def test_other_files_in_the_folder_stay(tmp_path: Path, syncd: Command) -> None:
    """A folder with files of other kinds may become a bank."""
    (tmp_path / "logo.png").write_bytes(b"png")
    assert syncd("init", "--new", tmp_path).code == 0
    assert (tmp_path / "logo.png").read_bytes() == b"png"


def test_all_documents_are_written_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full half-way leaves nothing behind."""
    real, calls = os.fsync, []

    def failing(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 7:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="No space"):
        newbank.create(tmp_path / "a" / "b", NOW)
    assert not list(tmp_path.iterdir())


def test_the_default_is_a_memory_bank_here(tmp_path: Path, syncd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name."""
    monkeypatch.chdir(tmp_path)
    assert syncd("init", "--new").code == 0
    assert (tmp_path / "memory-bank" / "tasks.md").exists()


def test_two_names_are_refused(tmp_path: Path, syncd: Command) -> None:
    """As an argument and as an option."""
    assert syncd("init", "--new", tmp_path / "a", "--bank", tmp_path / "b").code == 2


def test_every_command_works_on_it_at_once(fresh: Path, syncd: Command, tmp_path: Path) -> None:
    """Nothing to absorb, nothing to find."""
    for words in (["sync"], ["status"], ["check"], ["log"], ["conflicts"], ["holds"], ["init"]):
        ran = syncd(*words, "--bank", fresh)
        assert (ran.code, ran.err) == (0, ""), words
    assert syncd("export", tmp_path / "out", "--bank", fresh).code == 0
    assert syncd("sync", fresh, "--json").json["transaction"] is None


def test_rows_written_into_it_show_in_its_files(fresh: Path, syncd: Command) -> None:
    """A day of rows, each in the plain form; a database made anew from the files is equal."""
    _sql(
        fresh,
        "INSERT INTO tasks(id, title, status, priority, started, description) "
        "VALUES ('T1', 'Tide engine', 'in_progress', 'HIGH', '2026-03-06', 'Heights for a day')",
        "INSERT INTO tasks(id, title, status) VALUES ('T2', 'Stations | list', 'pending')",
        "INSERT INTO task_dependencies VALUES ('T2', 'T1')",
        "INSERT INTO task_subtasks(task_id, section, text, status) VALUES ('T1', 'Criteria', 'It rises', 'pending')",
        "INSERT INTO edit_entries(date, time, timezone, task_id, task_description) "
        "VALUES ('2026-03-06', '18:42:05', 'UTC', 'T1', 'First version')",
        "INSERT INTO file_modifications(edit_entry_id, action, file_path, description) "
        "VALUES (1, 'Created', 'a.ts', 'It')",
        "INSERT INTO sessions(session_date, session_period, focus_task, start_time, status, content) "
        "VALUES ('2026-03-06', 'evening', 'T1: Tide engine', '2026-03-06 18:00', 'in_progress', "
        "'## Notes' || char(10) || '- x')",
        "UPDATE session_cache SET current_session_id = 'sessions/2026-03-06-evening.md', current_focus_task = 'T1'",
        "INSERT INTO error_logs(timestamp, task_id, file_path, error_message, cause, fix_applied) "
        "VALUES ('2026-03-06 18:10', 'T1', 'a.ts', 'Boom', 'Because', 'Fixed')",
    )
    ran = syncd("sync", fresh, "--json")
    assert (ran.code, ran.json["problems"]) == (0, [])
    tasks, history = ((fresh / name).read_text(encoding="utf-8") for name in ("tasks.md", "edit_history.md"))
    assert "| T1 | Tide engine | 🔄 IN PROGRESS | HIGH | 2026-03-06 | - | [Details](tasks/T1.md) |" in tasks
    assert "| T2 | Stations \\| list | ⬜ PENDING | - | - | T1 | [Details](tasks/T2.md) |" in tasks
    assert "### 2026-03-06\n\n#### 18:42:05 UTC - T1: First version\n- Created `a.ts` - It\n" in history
    assert "**Status**: 🔄 IN PROGRESS\n**Priority**: HIGH\n" in (fresh / "tasks/T1.md").read_text(encoding="utf-8")
    session = (fresh / "sessions/2026-03-06-evening.md").read_text(encoding="utf-8")
    assert session.startswith("# Session 2026-03-06 - Evening\n\n**Started**: 2026-03-06 18:00\n")
    assert "- x" in session
    cache = (fresh / "session_cache.md").read_text(encoding="utf-8")
    assert "**Focus Task**: T1\n" in cache
    assert "- Active: 1 | Paused: 0 | Completed: 0\n" in cache
    assert "## 2026-03-06 18:10: T1 - Boom\n" in (fresh / "errorLog.md").read_text(encoding="utf-8")
    assert syncd("sync", fresh, "--json").json["transaction"] is None
    before = _rows(fresh)
    assert _rebuilt(fresh, syncd) == before


def test_what_follows_is_written_like_what_is_there(fresh: Path, syncd: Command) -> None:
    """A second day: a status, the end of a session, another entry, another error."""
    _sql(
        fresh,
        "INSERT INTO tasks(id, title, status) VALUES ('T1', 'Tide engine', 'in_progress')",
        "INSERT INTO sessions(session_date, session_period, status) VALUES ('2026-03-06', 'evening', 'in_progress')",
        "INSERT INTO edit_entries(date, time, task_id, task_description) VALUES ('2026-03-06', '18:42', 'T1', 'First')",
        "INSERT INTO error_logs(timestamp, error_message, cause) VALUES ('2026-03-06 18:10', 'Boom', 'x')",
    )
    assert syncd("sync", fresh).code == 0
    _sql(
        fresh,
        "UPDATE tasks SET status = 'completed', completed = '2026-03-07' WHERE id = 'T1'",
        "UPDATE sessions SET status = 'completed', start_time = '18:00', end_time = '21:00', focus_task = 'T1'",
        "INSERT INTO edit_entries(date, time, task_id, task_description)  "
        "VALUES ('2026-03-07', '09:00', 'T1', 'Second')",
        "INSERT INTO error_logs(timestamp, error_message, cause) VALUES ('2026-03-07 18:10', 'Boom again', 'y')",
    )
    ran = syncd("sync", fresh, "--json")
    assert (ran.code, ran.json["problems"]) == (0, [])
    session = (fresh / "sessions/2026-03-06-evening.md").read_text(encoding="utf-8")
    assert sorted(session.splitlines()[2:]) == [
        "**Ended**: 21:00", "**Focus Task**: T1", "**Started**: 18:00", "**Status**: ✅ COMPLETED",
    ]  # fmt: skip
    history = (fresh / "edit_history.md").read_text(encoding="utf-8")
    assert "### 2026-03-07\n\n#### 09:00 - T1: Second\n\n### 2026-03-06\n\n#### 18:42 - T1: First\n" in history
    assert "**Completed**: 2026-03-07" in (fresh / "tasks/T1.md").read_text(encoding="utf-8")
    assert syncd("sync", fresh, "--json").json["transaction"] is None
    before = _rows(fresh)
    assert _rebuilt(fresh, syncd) == before


def test_the_forms_are_documents_of_their_kinds() -> None:
    """What lies in the package is what is written."""
    texts = newbank.documents("Tides", NOW)
    kinds = {kind_of(path) for path in texts}
    assert {"registry", "edit_history", "error_log", "session_cache", "active_context", "changelog", "prose"} == kinds
    assert texts["tasks.md"].count("2026-03-06 18:42:05 UTC") == 2


def test_the_project_is_named_by_its_folder(tmp_path: Path) -> None:
    """By the bank's own, unless that only says that it is one."""
    assert newbank.project_of(tmp_path / "Tides App" / ".memory-bank") == "Tides App"
    assert newbank.project_of(tmp_path / "notes") == "notes"


def test_a_bank_with_only_a_database_is_refused(tmp_path: Path) -> None:
    """Its documents may come back."""
    database_of(tmp_path).parent.mkdir()
    database_of(tmp_path).touch()
    with pytest.raises(BankError):
        newbank.create(tmp_path, NOW)


def test_the_totals_of_the_session_cache_follow_what_mb_records(fresh: Path) -> None:
    """Although the plain cache names no task: nothing else of it changes with a status."""

    def totals() -> str:
        return next(line for line in (fresh / "session_cache.md").read_text("utf-8").splitlines() if "Paused:" in line)

    for asked in (
        ["task", "add", "T1", "Beds"],
        ["workflow", "log-work", "--task", "T1", "--summary", "Dug", "--status", "in_progress"],
    ):
        assert mb([*asked, "--bank", str(fresh)]) == 0
    assert totals() == "- Active: 1 | Paused: 0 | Completed: 0"
    assert mb(["workflow", "complete-task", "T1", "--bank", str(fresh)]) == 0
    assert totals() == "- Active: 0 | Paused: 0 | Completed: 1"
