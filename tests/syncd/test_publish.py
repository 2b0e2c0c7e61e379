"""Between the commit and the files: crashes, saves that come in between, and disks that refuse."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from schema.errors import SyncdError
from syncd import apply, files, publish
from syncd.model import Report

LiveBank = Any
Patch = pytest.MonkeyPatch

TASK = "tasks/T6.md"


class Crash(BaseException):
    """The process dies here: nothing behind this point runs, and no handler for errors helps."""


def leftovers(live: LiveBank) -> list[str]:
    """Files in the bank that are no documents."""
    return [path for path in live.tree() if not path.endswith(".md") or path.rsplit("/")[-1].startswith(".")]


def crash(*_: object, **__: object) -> None:
    raise Crash


def crash_before_files(live: LiveBank, patch: Patch) -> None:
    """Converge, and die when the transaction is durable and no file is written."""
    with patch.context() as during:
        during.setattr(publish.PreparedFiles, "publish", crash)
        with pytest.raises(Crash):
            live.sync()
    assert live.value("SELECT count(*) FROM outbox") > 0
    live.reopen()


def test_a_crash_behind_the_commit_is_finished_by_the_next_run(live: LiveBank, monkeypatch: Patch) -> None:
    """Files are old with an outbox, then new without."""
    before = live.read(TASK)
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    crash_before_files(live, monkeypatch)
    assert live.read(TASK) == before
    live.sync()
    assert "✅ COMPLETED" in live.read(TASK)
    live.assert_at_rest()
    assert leftovers(live) == []


def test_a_save_behind_the_crash_is_merged(live: LiveBank, monkeypatch: Patch) -> None:
    """The text that was committed never was on disk, so what is saved next knows nothing of it: both are kept."""
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    crash_before_files(live, monkeypatch)
    live.edit(TASK, "**Priority**: LOW", "**Priority**: HIGH")
    live.write(TASK, live.read(TASK) + "\nA new last line.\n")
    report = live.sync()
    assert report.conflicts == ()
    text = live.read(TASK)
    assert ["✅ COMPLETED" in text, "**Priority**: HIGH" in text, "A new last line." in text] == [True, True, True]
    assert live.sql("SELECT status, priority FROM tasks WHERE id = 'T6'") == [("completed", "HIGH")]
    live.assert_at_rest()


def test_a_stale_save_behind_the_crash_reverts_nothing(live: LiveBank, monkeypatch: Patch) -> None:
    """Made from a text two changes of the row ago, of which the second never reached the disk: both stand."""
    read = live.read(TASK)
    live.sql("UPDATE tasks SET title = 'Second', priority = 'HIGH' WHERE id = 'T6'")
    live.sync()
    live.sql("UPDATE tasks SET title = 'Third' WHERE id = 'T6'")
    crash_before_files(live, monkeypatch)
    live.write(TASK, read + "\nA new last line.\n")
    live.sync()
    assert live.sql("SELECT title, priority FROM tasks WHERE id = 'T6'") == [("Third", "HIGH")]
    assert all(part in live.read(TASK) for part in ("# T6: Third", "**Priority**: HIGH", "A new last line."))
    live.assert_at_rest()


def test_a_conflicting_save_behind_the_crash_is_told(live: LiveBank, monkeypatch: Patch) -> None:
    """The same field: the file wins, both values are kept."""
    live.sql("UPDATE tasks SET priority = 'MEDIUM' WHERE id = 'T6'")
    crash_before_files(live, monkeypatch)
    live.edit(TASK, "**Priority**: LOW", "**Priority**: HIGH")
    report = live.sync()
    told = [(c["field"], c["base"], c["file"], c["db"]) for c in report.conflicts]
    assert told == [("priority", "LOW", "HIGH", "MEDIUM")]
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "HIGH"
    assert "**Priority**: HIGH" in live.read(TASK)
    live.assert_at_rest()


def test_a_removal_that_crashed_is_finished(live: LiveBank, monkeypatch: Patch) -> None:
    """The document goes in the next run."""
    live.sql("DELETE FROM tasks WHERE id = 'T6'")
    live.sync()
    live.sql("UPDATE holds SET state = 'accepted'")
    crash_before_files(live, monkeypatch)
    assert (live.bank / TASK).exists()
    live.sync()
    assert not (live.bank / TASK).exists()
    live.assert_at_rest()
    assert leftovers(live) == []


def test_a_save_behind_a_removal_that_crashed_is_kept(live: LiveBank, monkeypatch: Patch) -> None:
    """Somebody still writes it, so it is not removed: an edit beats a delete."""
    live.sql("DELETE FROM tasks WHERE id = 'T6'")
    live.sync()
    live.sql("UPDATE holds SET state = 'accepted'")
    crash_before_files(live, monkeypatch)
    live.write(TASK, live.read(TASK) + "\nStill at it.\n")
    live.sync()
    assert "Still at it." in live.read(TASK)
    assert live.value("SELECT count(*) FROM tasks WHERE id = 'T6'") == 1
    live.assert_at_rest()


def test_a_new_document_that_crashed_is_made(live: LiveBank, monkeypatch: Patch) -> None:
    """Where none was, and not over one that appeared."""
    live.sql("INSERT INTO sessions(session_date, session_period, focus_task) VALUES ('2026-03-07', 'morning', 'T4')")
    crash_before_files(live, monkeypatch)
    path = "sessions/2026-03-07-morning.md"
    live.write(path, "# Session 2026-03-07 - Morning\n\nWritten by hand.\n")
    live.sync()
    assert "Written by hand." in live.read(path)
    live.assert_at_rest()


def test_a_commit_that_fails_leaves_everything_as_it_was(live: LiveBank, monkeypatch: Patch) -> None:
    """Rows, files, base; and no temporary file."""
    live.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    files_before, log = live.tree(), live.sql("SELECT * FROM transaction_log")
    with monkeypatch.context() as during:
        during.setattr(apply, "_note_follows", crash)
        with pytest.raises(Crash):
            live.sync()
    assert live.tree() == files_before
    assert live.sql("SELECT * FROM transaction_log") == log
    assert live.value("SELECT priority FROM tasks WHERE id = 'T4'") == "MEDIUM"
    live.sync()
    assert "✅ COMPLETED" in live.read(TASK)
    assert live.value("SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH"
    live.assert_at_rest()


def between(live: LiveBank, patch: Patch, act: Callable[[], object]) -> Report:
    """Converge while ``act`` happens once, behind the commit and before the files."""
    real, todo = publish.PreparedFiles.publish, [act]

    def publish_late(self: publish.PreparedFiles, *args: Any, **kwargs: Any) -> Any:
        if todo:
            todo.pop()()
        return real(self, *args, **kwargs)

    with patch.context() as during:
        during.setattr(publish.PreparedFiles, "publish", publish_late)
        report: Report = live.sync()
    return report


def test_a_save_between_read_and_write_is_merged_at_once(live: LiveBank, monkeypatch: Patch) -> None:
    """In the same converge: both edits are in the file and in the rows."""
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    between(live, monkeypatch, lambda: live.edit(TASK, "**Priority**: LOW", "**Priority**: HIGH"))
    text = live.read(TASK)
    assert ("✅ COMPLETED" in text, "**Priority**: HIGH" in text) == (True, True)
    assert live.sql("SELECT status, priority FROM tasks WHERE id = 'T6'") == [("completed", "HIGH")]
    live.assert_at_rest()


def test_a_file_that_vanishes_between_read_and_write_is_not_made_again(live: LiveBank, monkeypatch: Patch) -> None:
    """Its deletion is a file side like any other: held, for its records stood nowhere else."""
    live.sql("UPDATE tasks SET title = 'A Sheet' WHERE id = 'T6'")
    between(live, monkeypatch, (live.bank / TASK).unlink)
    assert not (live.bank / TASK).exists()
    assert live.value("SELECT title FROM tasks WHERE id = 'T6'") == "A Sheet"
    assert live.value("SELECT count(*) FROM task_subtasks WHERE task_id = 'T6'") == 3
    assert "| A Sheet" in live.read("tasks.md")


def test_a_row_written_while_planning_is_planned_again(live: LiveBank, monkeypatch: Patch) -> None:
    """Both changes arrive, in one converge; nothing prepared is left."""
    real, todo = publish.prepare_all, [True]

    def prepare(*args: Any, **kwargs: Any) -> Any:
        if todo:
            todo.pop()
            live.sql("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
        return real(*args, **kwargs)

    monkeypatch.setattr(publish, "prepare_all", prepare)
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    live.sync()
    text = live.read(TASK)
    assert ("✅ COMPLETED" in text, "**Priority**: HIGH" in text) == (True, True)
    assert leftovers(live) == []
    live.assert_at_rest()


def test_a_follow_is_not_forgotten_when_it_is_planned_again(live: LiveBank, monkeypatch: Patch) -> None:
    """A row came in between: the other places are brought along all the same."""
    live.edit(TASK, "**Status**: ⬜ NOT STARTED", "**Status**: 🔄 IN PROGRESS")
    live.sync()
    real, todo = publish.prepare_all, [True]

    def prepare(*args: Any, **kwargs: Any) -> Any:
        if todo:
            todo.pop()
            live.sql("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T5'")
        return real(*args, **kwargs)

    monkeypatch.setattr(publish, "prepare_all", prepare)
    live.sync(follow=True)
    assert "- T6: Printable Month Sheet - 🔄" in live.read("session_cache.md")
    live.assert_at_rest()


def test_a_text_saved_into_the_file_that_was_replaced_is_merged(live: LiveBank) -> None:
    """A program had opened the old file: what it writes there stands in no document, until it is found."""
    saving = os.open(live.bank / TASK, os.O_RDONLY)
    old = live.read(TASK)
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    live.sync()
    late = f"/proc/self/fd/{saving}"
    if not os.path.exists(late):
        pytest.skip("needs a way to open a file that has no name here")
    with open(late, "w") as file:
        file.write(old.replace("**Priority**: LOW", "**Priority**: HIGH"))
    os.close(saving)
    live.engine.held._clock = lambda: float("inf")
    live.edit(TASK, "# T6: Printable Month Sheet", "# T6: A Sheet")  # and another save of the same document
    live.sync()
    text = live.read(TASK)
    assert ["# T6: A Sheet" in text, "**Priority**: HIGH" in text, "✅ COMPLETED" in text] == [True, True, True]
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "HIGH"
    live.assert_at_rest()
    assert list((live.bank / ".syncd/held").iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_the_text_is_one_clear_error(live: LiveBank, monkeypatch: Patch, code: int) -> None:
    """Nothing is committed, nothing is lost, no temporary file stays; the next run does it."""
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    live.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    before, log = live.tree(), live.value("SELECT count(*) FROM transaction_log")

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as during:
        during.setattr(files, "_write_all", refuse)
        with pytest.raises(SyncdError) as told:
            live.sync()
    assert told.value.path
    assert "\n" not in str(told.value)
    assert live.tree() == before
    assert live.value("SELECT count(*) FROM transaction_log") == log
    assert live.sql("SELECT status, priority FROM tasks WHERE id IN ('T4', 'T6') ORDER BY id") == [
        ("in_progress", "MEDIUM"), ("completed", "LOW"),
    ]  # fmt: skip
    live.sync()
    assert "✅ COMPLETED" in live.read(TASK)
    assert live.value("SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH"
    live.assert_at_rest()


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_a_disk_that_refuses_behind_the_commit_leaves_an_outbox(live: LiveBank, monkeypatch: Patch, code: int) -> None:
    """The change is durable, one file could not be put in place: told, nothing lies about, the next run finishes."""
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    real = files.exchange

    def refuse(folder: int, one: str, other: str) -> None:
        if other == "T6.md":
            raise OSError(code, os.strerror(code), other)
        real(folder, one, other)

    with monkeypatch.context() as during:
        during.setattr(files, "exchange", refuse)
        with pytest.raises(SyncdError):
            live.sync()
        assert leftovers(live) == []
        assert live.sql("SELECT path FROM outbox") == [(TASK,)]
    live.sync()
    assert "✅ COMPLETED" in live.read(TASK)
    live.assert_at_rest()
    assert leftovers(live) == []


def test_a_file_that_is_open_for_writing_is_written_later(live: LiveBank) -> None:
    """Busy: named as pending, done as soon as its writer is."""
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    with (live.bank / TASK).open("ab"):
        report = live.sync(settle=False)
        assert TASK in report.pending
        assert "✅ COMPLETED" not in live.read(TASK)
    live.sync()
    assert "✅ COMPLETED" in live.read(TASK)
    live.assert_at_rest()
