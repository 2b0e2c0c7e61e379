"""One document, or one record, as it once stood."""

from __future__ import annotations

from typing import Any

import pytest

from syncd import requests
from syncd.errors import InTheWay, UsageError
from syncd.history.bringback import restore_file, restore_record
from syncd.history.undo import undo
from tests.laws.banks import stored

LiveBank = Any


def test_a_document_that_is_gone_comes_back(live: LiveBank) -> None:
    """To the byte, with its records."""
    before = live.tree()
    (live.bank / "tasks" / "T6.md").unlink()
    assert live.sync().holds
    with pytest.raises(InTheWay, match="something else"):
        restore_file(live.engine, "tasks/T6.md", "1")
    requests.answer(live.engine, "accept", {"all": True})
    report = restore_file(live.engine, "tasks/T6.md", "1")
    assert report.emitted == ("tasks/T6.md",)
    assert live.tree() == before
    assert live.value("SELECT count(*) FROM tasks WHERE id = 'T6'") == 1
    live.assert_at_rest()
    undo(live.engine, [str(report.number)])
    assert not (live.bank / "tasks" / "T6.md").exists()


def test_rows_and_other_places_follow_a_document(live: LiveBank) -> None:
    """As they follow a save by hand."""
    live.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T6'")
    live.sync()
    restore_file(live.engine, "tasks/T6.md", "1")
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "LOW"
    (line,) = [line for line in live.read("tasks.md").split("\n") if line.startswith("| T6 ")]
    assert "LOW" in line
    live.assert_at_rest()


def test_nothing_of_it_is_held(live: LiveBank) -> None:
    """It was asked for, however many records go with it."""
    for number in range(12):
        live.sql("INSERT INTO error_logs(timestamp, error_message) VALUES ('2026-03-07 10:00', ?)", f"Error {number}")
    live.sync()
    then = live.engine.db.value("SELECT count(*) FROM error_logs")
    restore_file(live.engine, "errorLog.md", "1")
    assert live.engine.db.value("SELECT count(*) FROM error_logs") == then - 12
    live.assert_at_rest()


def test_bytes_that_are_no_text_come_back(live: LiveBank) -> None:
    """And text in their place."""
    live.write("notes.md", b"\xff\xfe odd")
    number = live.sync().number
    live.write("notes.md", "# Notes\n")
    later = live.sync().number
    restore_file(live.engine, "notes.md", str(number))
    assert (live.bank / "notes.md").read_bytes() == b"\xff\xfe odd"
    live.assert_at_rest()
    restore_file(live.engine, "notes.md", str(later))
    assert live.read("notes.md") == "# Notes\n"
    live.assert_at_rest()


def test_a_record_gets_its_values_back(live: LiveBank) -> None:
    """Its fields and what it needs; other records stay as they are."""
    needs = live.sql("SELECT depends_on FROM task_dependencies WHERE task_id = 'T3' ORDER BY 1")
    live.sql("UPDATE tasks SET status = 'blocked', title = 'Other' WHERE id IN ('T3', 'T4')")
    live.sql("DELETE FROM task_dependencies WHERE task_id = 'T3'")
    live.sql("INSERT INTO task_dependencies VALUES ('T3', 'T6')")
    live.sync()
    restore_record(live.engine, "tasks", "T3", "1")
    assert live.sql("SELECT status FROM tasks WHERE id IN ('T3', 'T4') ORDER BY id") == [("in_progress",), ("blocked",)]
    assert live.sql("SELECT depends_on FROM task_dependencies WHERE task_id = 'T3' ORDER BY 1") == needs
    assert "Tide Curve View" in live.read("tasks/T3.md")
    live.assert_at_rest()


def test_the_place_of_an_item_stays_what_the_text_says(live: LiveBank) -> None:
    """Its position is counted in its document; a restore of the item is not one of its place."""
    live.edit("tasks/T6.md", "- ", "- [ ] before all others\n- ")
    live.sync()
    number, position = live.sql("SELECT id, position FROM task_subtasks WHERE task_id = 'T6' ORDER BY position")[1]
    assert position == 2
    assert "as it was" in str(restore_record(live.engine, "task_subtasks", str(number), "1").reason)
    assert live.value("SELECT position FROM task_subtasks WHERE id = ?", number) == position
    live.assert_at_rest()


def test_an_entry_comes_back_with_its_files(live: LiveBank) -> None:
    """Under its number where that is free."""
    key = live.value("SELECT id FROM edit_entries WHERE time LIKE '19:08%'")
    lines = live.sql("SELECT * FROM file_modifications WHERE edit_entry_id = ? ORDER BY id", key)
    text = live.read("edit_history.md")
    live.sql("DELETE FROM edit_entries WHERE id = ?", key)
    live.sync()
    restore_record(live.engine, "edit_entries", str(key), "1")
    assert live.sql("SELECT * FROM file_modifications WHERE edit_entry_id = ? ORDER BY id", key) == lines
    lost = set(text.split("\n")) - set(live.read("edit_history.md").split("\n"))
    assert all("Last Updated" in line for line in lost)
    live.assert_at_rest()


def test_a_task_comes_back_with_its_document_and_its_line(live: LiveBank) -> None:
    """Its own prose, the row of the registry, the checklist, what it needs."""
    text = live.read("tasks/T3.md")
    items = live.sql("SELECT text, status FROM task_subtasks WHERE task_id = 'T3' ORDER BY position")
    live.sql("DELETE FROM tasks WHERE id = 'T3'")
    live.sync()
    requests.answer(live.engine, "accept", {"all": True})
    assert not (live.bank / "tasks" / "T3.md").exists()
    assert "\n| T3 " not in live.read("tasks.md")
    restore_record(live.engine, "tasks", "T3", "1")
    assert live.read("tasks/T3.md") == text
    assert "\n| T3 " in live.read("tasks.md")
    assert live.sql("SELECT text, status FROM task_subtasks WHERE task_id = 'T3' ORDER BY position") == items
    assert live.value("SELECT count(*) FROM task_dependencies WHERE task_id = 'T3'") == 2
    live.assert_at_rest()


def test_what_is_as_it_was_is_left_alone(live: LiveBank) -> None:
    """It says so, and makes no transaction."""
    kept = stored(live.engine.db)
    assert "as it was" in str(restore_file(live.engine, "tasks.md", "1").reason)
    assert "as it was" in str(restore_record(live.engine, "tasks", "T3", "1").reason)
    assert stored(live.engine.db) == kept


def test_what_never_was_is_refused(live: LiveBank) -> None:
    """With the command that shows when there was one."""
    with pytest.raises(UsageError, match="no such document") as caught:
        restore_file(live.engine, "nothing.md", "1")
    assert "syncd log --file nothing.md" in str(caught.value.hint)
    with pytest.raises(UsageError, match="no such record"):
        restore_record(live.engine, "tasks", "T99", "1")
    with pytest.raises(UsageError, match="the tables are"):
        restore_record(live.engine, "documents", "1", "1")


def test_what_is_held_is_not_written_over(live: LiveBank) -> None:
    """The document itself, and one that would have to follow."""
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sync(follow=True)
    live.write("tasks.md", "")
    assert live.sync().holds
    for path in ("tasks.md", "tasks/T6.md"):
        with pytest.raises(InTheWay, match="something else"):
            restore_file(live.engine, path, "1")
    assert live.read("tasks.md") == ""
    assert "**Priority**: HIGH" in live.read("tasks/T6.md")


def test_a_document_that_shows_what_waits_to_be_deleted_is_refused(live: LiveBank) -> None:
    """Its row would come back behind the deletion, which still waits: first a yes or a no."""
    live.edit("session_cache.md", "### T3: Tide Curve View", "### T3: Tide Curve")
    live.sync()
    live.sql("DELETE FROM tasks WHERE id = 'T3'")
    (hold,) = live.sync().holds
    before = live.tree()
    with pytest.raises(InTheWay, match=r"tasks:T3, whose deletion waits"):
        restore_file(live.engine, "session_cache.md", "1")
    assert live.tree() == before
    assert live.value("SELECT count(*) FROM tasks WHERE id = 'T3'") == 0
    requests.answer(live.engine, "reject", {"ids": [hold["id"]]})
    restore_file(live.engine, "session_cache.md", "1")
    assert live.value("SELECT title FROM tasks WHERE id = 'T3'") == "Tide Curve View"
    live.assert_at_rest()


def test_a_row_that_came_back_behind_a_deletion_that_waits_ends_in_no_error(live: LiveBank) -> None:
    """As a restore of an earlier version could leave it: the row stands, and goes on being written."""
    row = live.engine.db.row("SELECT id, title, status, priority FROM tasks WHERE id = 'T6'")
    live.sql("DELETE FROM tasks WHERE id = 'T6'")
    assert live.sync().holds
    live.sql("INSERT INTO tasks(id, title, status, priority) VALUES (?, ?, ?, ?)", *row)
    live.sql("""UPDATE row_changes SET "transaction" = 1 WHERE operation = 'insert' AND key = 'T6'""")
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sync(follow=True)
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "HIGH"
    assert "| HIGH " in next(line for line in live.read("tasks.md").split("\n") if line.startswith("| T6 "))
    live.assert_at_rest()


def test_a_dry_run_shows_and_changes_nothing(live: LiveBank) -> None:
    """Of a document, of a record."""
    live.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T6'")
    live.sync()
    kept, files = stored(live.engine.db), live.tree()
    by_file = restore_file(live.engine, "tasks/T6.md", "1", dry_run=True)
    by_row = restore_record(live.engine, "tasks", "T6", "1", dry_run=True)
    for report in (by_file, by_row):
        assert {"tasks.md", "tasks/T6.md"} <= set(report.emitted)
        assert "tasks T6: priority 'CRITICAL' -> 'LOW'" in report.row_diffs
    assert (stored(live.engine.db), live.tree()) == (kept, files)
