"""Where the text of a new row goes, in banks with and without a place for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncd.api import open_bank

LiveBank = Any
Small = Callable[..., Any]

BRIEF = {"projectbrief.md": "# Brief\n\nWhat it is for.\n"}
TASK = "# T1: First\n\n**Status**: 🔄 IN PROGRESS\n\n## Checklist\n\n- [ ] one\n"


def settled(live: LiveBank) -> None:
    """At rest, also for a new process and for a database made from the files alone."""
    live.assert_at_rest()
    live.reopen()
    live.assert_at_rest()


def test_the_first_task_of_a_bank_gets_a_document(small: Small) -> None:
    """There is no registry: a document of its own."""
    live = small(BRIEF)
    live.sql("INSERT INTO tasks(id, title, status, priority) VALUES ('T1', 'First', 'in_progress', 'HIGH')")
    assert live.sync().problems == ()
    text = live.read("tasks/T1.md")
    assert ["T1" in text, "First" in text, "IN PROGRESS" in text, "HIGH" in text] == [True] * 4
    assert live.sql("SELECT title, status, priority FROM tasks") == [("First", "in_progress", "HIGH")]
    settled(live)


def test_a_task_and_its_checklist_come_together(small: Small) -> None:
    """In one document, in one converge."""
    live = small(BRIEF)
    live.sql("INSERT INTO tasks(id, title, status) VALUES ('T1', 'First', 'in_progress')")
    live.sql("INSERT INTO task_dependencies VALUES ('T1', 'T7')")
    live.sql("INSERT INTO task_subtasks(task_id, section, text, status) VALUES ('T1', 'Checklist', 'one', 'pending')")
    report = live.sync()
    assert report.problems == ()
    assert "one" in live.read("tasks/T1.md")
    assert "T7" in live.read("tasks/T1.md")
    assert live.sql("SELECT task_id, text FROM task_subtasks") == [("T1", "one")]
    settled(live)


def test_the_first_entry_makes_an_edit_history(small: Small) -> None:
    """With its lines; the second goes into the same document."""
    live = small(BRIEF)
    insert = "INSERT INTO edit_entries(date, time, timezone, task_id, task_description) VALUES (?, ?, 'UTC', 'T1', ?)"
    live.sql(insert, "2026-03-06", "18:40:00", "First entry")
    live.sql(
        "INSERT INTO file_modifications(edit_entry_id, action, file_path, description) VALUES (1, 'Created', 'a', 'b')"
    )
    assert live.sync().problems == ()
    live.sql(insert, "2026-03-07", "09:00:00", "Second entry")
    assert live.sync().problems == ()
    text = live.read("edit_history.md")
    assert text.index("Second entry") < text.index("First entry") < text.index("`a`")
    assert live.value("SELECT count(*) FROM edit_entries") == 2
    settled(live)


def test_the_first_error_makes_an_error_log(small: Small) -> None:
    """With all that the row has."""
    live = small(BRIEF)
    live.sql(
        "INSERT INTO error_logs(timestamp, task_id, file_path, error_message, cause, fix_applied) "
        "VALUES ('2026-03-07 10:00', 'T4', 'src/x.ts', 'Boom', 'Because', 'Fixed')"
    )
    assert live.sync().problems == ()
    text = live.read("errorLog.md")
    assert all(word in text for word in ("T4", "src/x.ts", "Boom", "Because", "Fixed"))
    row = "SELECT timestamp, task_id, file_path, error_message, cause, fix_applied FROM error_logs"
    assert live.sql(row) == [("2026-03-07 10:00", "T4", "src/x.ts", "Boom", "Because", "Fixed")]
    settled(live)


def test_a_subtask_of_a_task_without_a_document_is_told(small: Small) -> None:
    """There is nowhere to show it: said, and the row stays."""
    live = small({"tasks.md": "# Tasks\n\n| ID | Title | Status |\n|---|---|---|\n| T1 | First | 🔄 |\n"})
    live.sql("INSERT INTO task_subtasks(task_id, text, status) VALUES ('T1', 'one', 'pending')")
    report = live.sync()
    assert any("tasks/T1.md" in problem for problem in report.problems)
    assert live.value("SELECT count(*) FROM task_subtasks") == 1
    assert live.tree().keys() == {"tasks.md"}


def test_two_sessions_of_one_period_do_not_overwrite_each_other(small: Small) -> None:
    """Each has a document of its own; both rows stay."""
    live = small(BRIEF)
    insert = "INSERT INTO sessions(session_date, session_period, focus_task) VALUES ('2026-03-07', 'evening', ?)"
    for focus in ("T1", "T2"):
        live.sql(insert, focus)
    live.sync()
    documents = sorted(path for path in live.tree() if path.startswith("sessions/"))
    assert [["T1" in live.read(path), "T2" in live.read(path)] for path in documents].count([True, True]) == 0
    assert sorted(live.sql("SELECT focus_task FROM sessions")) == [("T1",), ("T2",)]
    assert "T1" in live.read("sessions/2026-03-07-evening.md")
    settled(live)


def test_sessions_without_a_period_are_numbered(small: Small) -> None:
    """Each gets a document of its own."""
    live = small(BRIEF)
    for focus in ("T1", "T2"):
        live.sql("INSERT INTO sessions(session_date, focus_task) VALUES ('2026-03-07', ?)", focus)
    live.sync()
    assert sorted(path for path in live.tree() if path.startswith("sessions/")) == [
        "sessions/2026-03-07-1.md", "sessions/2026-03-07-2.md",
    ]  # fmt: skip
    assert live.value("SELECT count(*) FROM sessions") == 2
    settled(live)


def test_a_session_without_a_date_is_told(small: Small) -> None:
    """Its document could not be named."""
    live = small(BRIEF)
    live.sql("INSERT INTO sessions(focus_task) VALUES ('T1')")
    assert any("session_date" in problem for problem in live.sync().problems)
    assert live.tree().keys() == BRIEF.keys()
    assert live.value("SELECT count(*) FROM sessions") == 1


def test_a_row_that_no_text_can_show_stays_and_loses_nothing(small: Small) -> None:
    """A value with a line break in a place of one line is refused by the writer, told, and the file is as it was."""
    live = small({"tasks/T1.md": TASK})
    live.sql("UPDATE tasks SET title = 'First' || char(10) || '# T2: Second' WHERE id = 'T1'")
    report = live.sync()
    assert report.problems
    assert live.read("tasks/T1.md") == TASK
    assert live.value("SELECT count(*) FROM tasks") == 1
    again = live.sync()
    assert live.read("tasks/T1.md") == TASK
    assert again.conflicts == ()


def test_a_deleted_task_without_a_document_goes_at_once(small: Small) -> None:
    """Only its row of the registry: nothing to ask."""
    text = "# Tasks\n\n| ID | Title | Status |\n|---|---|---|\n| T1 | First | 🔄 |\n| T2 | Second | ⏸️ |\n"
    live = small({"tasks.md": text})
    live.sql("DELETE FROM tasks WHERE id = 'T1'")
    assert live.sync().holds == ()
    assert live.read("tasks.md") == text.replace("| T1 | First | 🔄 |\n", "")
    settled(live)


def test_an_empty_document_gets_its_title(small: Small) -> None:
    """As one that is made does."""
    live = small({**BRIEF, "errorLog.md": ""})
    live.sql("INSERT INTO error_logs(timestamp, error_message) VALUES ('2026-03-07 10:00', 'It broke')")
    assert live.sync().problems == ()
    assert live.read("errorLog.md").startswith("# Error Log\n")
    assert "## 2026-03-07 10:00: It broke" in live.read("errorLog.md")
    settled(live)


ROW = "| {0} | Task {0} | 🔄 | {1} | - |\n"
REGISTRY = (
    "# Tasks\n\n- **Active Tasks:** 2\n- **Latest Task ID:** T2\n\n## Active Tasks\n\n"
    "| ID | Title | Status | Started | Completed |\n|----|-------|--------|---------|-----------|\n"
)
FILE = "# {0}: Task {0}\n\n**Status**: {2}\n**Priority**: LOW\n**Started**: {1}\n"
ADDED = "INSERT INTO tasks(id, title, status) VALUES ('{0}', 'New', 'pending')"


def _bank(**files: str) -> dict[str, str]:
    rows = ROW.format("T1", "2026-03-01") + ROW.format("T2", "2026-03-02")
    return {"tasks.md": REGISTRY + rows, **{f"tasks/{task}.md": text for task, text in files.items()}}


def test_the_newest_id_follows_a_new_task(small: Small) -> None:
    """One of another series, and one below it, does not move it."""
    live = small(_bank())
    for task in ("META-9", "T1a"):
        live.sql(ADDED.format(task))
        live.sync()
        assert "- **Latest Task ID:** T2\n" in live.read("tasks.md")
    live.sql(ADDED.format("T11"))
    assert live.sync().problems == ()
    assert "- **Latest Task ID:** T11\n" in live.read("tasks.md")
    settled(live)


def test_a_date_stands_where_the_files_of_tasks_have_it(small: Small) -> None:
    """Begun, completed, and opened again: the line that came with the completion goes with it."""
    one, two = FILE.format("T1", "2026-03-01", "🔄 ACTIVE"), FILE.format("T2", "2026-03-02", "⬜ TODO")
    two, three = two.replace("**Started**: 2026-03-02\n", ""), FILE.format("T3", "2026-03-03", "✅ DONE")
    live = small(_bank(T1=one, T2=two, T3=three + "**Completed**: 2026-03-05\n"))
    live.sql("UPDATE tasks SET status = 'in_progress', started = '2026-03-07' WHERE id = 'T2'")
    assert live.sync().problems == ()
    assert live.read("tasks/T2.md") == FILE.format("T2", "2026-03-07", "🔄 ACTIVE").replace("ACTIVE", "IN PROGRESS")
    live.sql("UPDATE tasks SET status = 'completed', completed = '2026-03-08' WHERE id = 'T1'")
    live.sync()
    assert live.read("tasks/T1.md") == FILE.format("T1", "2026-03-01", "✅ COMPLETED") + "**Completed**: 2026-03-08\n"
    live.sql("UPDATE tasks SET status = 'in_progress', completed = NULL WHERE id = 'T1'")
    live.sync()
    assert live.read("tasks/T1.md") == FILE.format("T1", "2026-03-01", "🔄 IN PROGRESS")
    settled(live)


@pytest.mark.parametrize("kept", [True, False])
def test_a_new_file_has_the_dates_that_are_not_known_yet_as_another_has_them(small: Small, kept: bool) -> None:
    """With the dash of the one that is missing there; without one, no line."""
    one = FILE.format("T1", "2026-03-01", "🔄 ACTIVE") + ("**Completed**: -\n" if kept else "")
    live = small(_bank(T1=one, T2=one.replace("T1", "T2")))
    live.sql(ADDED.format("T3"))
    assert live.sync().problems == ()
    assert ("\n**Started**: -\n**Completed**: -\n" in live.read("tasks/T3.md")) is kept
    assert ("Started" in live.read("tasks/T3.md")) is kept


def test_a_bank_that_keeps_the_label_keeps_it(small: Small) -> None:
    """With a dash, as its other files have it."""
    done = FILE.format("T1", "2026-03-01", "✅ DONE") + "**Completed**: 2026-03-05\n"
    open_ = FILE.format("T2", "2026-03-02", "🔄 ACTIVE") + "**Completed**: -\n"
    live = small(_bank(T1=done, T2=open_))
    live.sql("UPDATE tasks SET status = 'in_progress', completed = NULL WHERE id = 'T1'")
    assert live.sync().problems == ()
    assert live.read("tasks/T1.md").endswith("**Started**: 2026-03-01\n**Completed**: -\n")


CACHE = (
    "# Session Cache\n\n## Active Tasks\n\n### T1: Task T1\n**Status:** 🔄 **IN PROGRESS**\n**Started:** 2026-03-01\n"
    "**Context**: Long.\n"
)


def test_recorded_work_begins_a_section_of_a_task_and_a_row_that_some_program_changed_does_not(small: Small) -> None:
    """The row moves only lines that are about it; whoever records work is told of as its owner would tell."""
    one, two = FILE.format("T1", "2026-03-01", "🔄 ACTIVE"), FILE.format("T2", "2026-03-02", "⬜ TODO")
    live = small({**_bank(T1=one, T2=two), "session_cache.md": CACHE})
    live.sql("UPDATE tasks SET status = 'pending' WHERE id = 'T2'")
    live.sync()
    live.sql("UPDATE tasks SET status = 'in_progress' WHERE id = 'T2'")
    live.sync()
    assert live.read("session_cache.md") == CACHE
    live.sql("UPDATE tasks SET status = 'pending' WHERE id = 'T2'")
    live.sync()
    live.engine.close()
    with open_bank(live.bank).transaction() as tx:
        tx.update_task_status("T2", "in_progress")
    section = "\n### T2: Task T2\n**Status:** 🔄 **IN PROGRESS**\n**Started:** 2026-03-02\n"
    assert live.read("session_cache.md") == CACHE + section
