"""Both ways through one converge: an edit in a file reaches the row, a change of a row reaches the files."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from schema.errors import RowRefused
from syncd.engine import Engine
from syncd.model import State

LiveBank = Any
Small = Callable[..., Any]

TASK = """# T1: Short title

**Status**: 🔄 IN PROGRESS
**Priority**: HIGH
**Dependencies**: None

## Description

First line of the description.
Second line of the description.
Third line of the description.

## Checklist

- [ ] one thing
- [x] another thing
"""


def task(live: LiveBank, key: str, column: str) -> Any:
    return live.value(f"SELECT {column} FROM tasks WHERE id = ?", key)


def needs(live: LiveBank, key: str) -> set[str]:
    return {n for (n,) in live.sql("SELECT depends_on FROM task_dependencies WHERE task_id = ?", key)}


def counts(live: LiveBank) -> list[Any]:
    return [live.value(f"SELECT count(*) FROM {t}") for t in ("tasks", "edit_entries", "sessions", "error_logs")]


def changed_lines(before: str, after: str) -> int:
    """Lines of ``after`` that ``before`` has not."""
    old = before.split("\n")
    return sum(line not in old for line in after.split("\n"))


def test_the_first_sync_writes_no_file(live: LiveBank) -> None:
    """Stat values included: not even the same bytes are written again."""
    assert live.sync().transaction is None
    live.assert_at_rest()
    assert task(live, "T3", "status") == "in_progress"


# -- file to row -----------------------------------------------------------------------------------------------------

EDITS = [
    ("tasks.md", "| Printable Month Sheet   |", "| Printable Month Sheets  |",
     "SELECT title FROM tasks WHERE id = 'T6'", "Printable Month Sheets"),
    ("tasks.md", "| MEDIUM   | 2026-02-24 |", "| HIGH     | 2026-02-24 |",
     "SELECT priority FROM tasks WHERE id = 'T5'", "HIGH"),
    ("tasks/T4.md", "**Status**: 🔄 IN PROGRESS", "**Status**: ✅ COMPLETED",
     "SELECT status FROM tasks WHERE id = 'T4'", "completed"),
    ("tasks/T4.md", "**Started**: 2026-03-04", "**Started**: 2026-03-03",
     "SELECT started FROM tasks WHERE id = 'T4'", "2026-03-03"),
    ("tasks/T4.md", "**Dependencies**: T2", "**Dependencies**: T2, T1",
     "SELECT group_concat(depends_on) FROM task_dependencies WHERE task_id = 'T4'", "T1,T2"),
    ("tasks/T4.md", "- ⬜ A pack that was cut off", "- ✅ A pack that was cut off",
     "SELECT status FROM task_subtasks WHERE text LIKE 'A pack that was cut off%'", "completed"),
    ("session_cache.md",
     "### T4: Offline Station Packs\n**Status:** 🔄", "### T4: Offline Station Packs\n**Status:** ⏸️",
     "SELECT status FROM tasks WHERE id = 'T4'", "paused"),
    ("session_cache.md", "**Focus Task**: T3 (Tide Curve View)", "**Focus Task**: T4",
     "SELECT current_focus_task FROM session_cache", "T4"),
    ("activeContext.md", "   - Status: ⏸️ PAUSED", "   - Status: 🔄 IN PROGRESS",
     "SELECT status FROM tasks WHERE id = 'T5'", "in_progress"),
    ("edit_history.md", "T3: Canvas in place of SVG", "T3: A canvas in the place of SVG",
     "SELECT task_description FROM edit_entries WHERE time LIKE '19:08%'", "A canvas in the place of SVG"),
    ("edit_history.md", "One path for the curve, one for the marks", "Two paths",
     "SELECT description FROM file_modifications WHERE action = 'Rewrote'", "Two paths"),
    ("edits/2026-03-06/183510-T3-hover-line.md", "Pointer position to moment", "Position to moment",
     "SELECT count(*) FROM file_modifications WHERE description LIKE 'Position to moment%'", 1),
    ("sessions/2026-03-04-evening.md", "**Status**: ✅ COMPLETED", "**Status**: ⏸️ PAUSED",
     "SELECT status FROM sessions WHERE session_date = '2026-03-04'", "paused"),
    ("errorLog.md", "**Fix:** They are named in the report", "**Fix:** Now named in the report",
     "SELECT fix_applied LIKE 'Now named%' FROM error_logs WHERE task_id = 'T2'", 1),
]  # fmt: skip


@pytest.mark.parametrize(("path", "old", "new", "query", "expected"), EDITS, ids=[f"{e[0]}:{e[2][:20]}" for e in EDITS])
def test_an_edit_in_a_file_changes_the_row_and_no_file(
    live: LiveBank, path: str, old: str, new: str, query: str, expected: Any
) -> None:
    """The only file that differs is the one that was edited, and it holds what was saved."""
    before_counts = counts(live)
    live.edit(path, old, new)
    before = live.tree()
    report = live.sync()
    assert report.absorbed == (path,)
    assert live.value(query) == expected
    assert live.tree() == before
    assert counts(live) == before_counts
    live.assert_at_rest()


# -- row to file -----------------------------------------------------------------------------------------------------

ROWS = [
    ("UPDATE tasks SET status = 'completed' WHERE id = 'T6'",
     {"tasks.md", "tasks/T6.md", "session_cache.md"}, "tasks/T6.md", "**Status**: ✅ COMPLETED"),
    ("UPDATE tasks SET title = 'A Sheet' WHERE id = 'T6'",
     {"tasks.md", "tasks/T6.md", "session_cache.md"}, "tasks/T6.md", "# T6: A Sheet"),
    ("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T6'",
     {"tasks.md", "tasks/T6.md"}, "tasks/T6.md", "**Priority**: CRITICAL"),
    ("UPDATE tasks SET started = '2026-04-01' WHERE id = 'T4'",
     {"tasks.md", "tasks/T4.md", "session_cache.md"}, "tasks/T4.md", "**Started**: 2026-04-01"),
    ("UPDATE tasks SET completed = '2026-02-20' WHERE id = 'T2'",
     {"tasks.md", "tasks/T2.md"}, "tasks/T2.md", "**Completed**: 2026-02-20"),
    ("INSERT INTO task_dependencies VALUES ('T4', 'T1')",
     {"tasks.md", "tasks/T4.md"}, "tasks/T4.md", "**Dependencies**: T2, T1"),
    ("DELETE FROM task_dependencies WHERE task_id = 'T3' AND depends_on = 'T1'",
     {"tasks.md", "tasks/T3.md"}, "tasks/T3.md", "**Dependencies**: T2"),
    ("UPDATE task_subtasks SET status = 'completed' WHERE text LIKE 'Hours with am%'",
     {"tasks/T3a.md"}, "tasks/T3a.md", "- [x] Hours with am and pm"),
    ("UPDATE edit_entries SET task_description = 'Canvas' WHERE time LIKE '19:08%'",
     {"edit_history.md"}, "edit_history.md", "#### 19:08:51 UTC - T3: Canvas\n"),
    ("UPDATE edit_entries SET time = '19:09:00' WHERE time LIKE '19:08%'",
     {"edit_history.md"}, "edit_history.md", "#### 19:09:00 UTC - T3: Canvas in place of SVG\n"),
    ("UPDATE edit_entries SET task_id = 'T3, T4' WHERE time LIKE '19:08%'",
     {"edit_history.md"}, "edit_history.md", "#### 19:08:51 UTC - T3, T4: Canvas"),
    ("UPDATE file_modifications SET description = 'Short' WHERE action = 'Rewrote'",
     {"edit_history.md"}, "edit_history.md", "- Rewrote `src/views/curve.ts` - Short\n"),
    ("UPDATE sessions SET status = 'paused' WHERE session_date = '2026-03-04'",
     {"sessions/2026-03-04-evening.md"}, "sessions/2026-03-04-evening.md", "**Status**: ⏸️ PAUSED"),
    ("UPDATE error_logs SET cause = 'No datum' WHERE task_id = 'T2'",
     {"errorLog.md"}, "errorLog.md", "**Cause:** No datum\n"),
    ("UPDATE session_cache SET current_focus_task = 'T4'",
     {"session_cache.md"}, "session_cache.md", "**Focus Task**: T4"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "paths", "path", "text"), ROWS, ids=[r[0][:60] for r in ROWS])
def test_a_changed_row_reaches_its_files_and_nothing_else_moves(
    live: LiveBank, statement: str, paths: set[str], path: str, text: str
) -> None:
    """A few lines of the documents that show it; all other bytes stay."""
    before = live.tree()
    live.sql(statement)
    report = live.sync()
    assert report.problems == ()
    assert text in live.read(path)
    after = live.tree()
    assert {p for p in after if after[p] != before.get(p)} == paths
    assert all(changed_lines(before[p].decode(), after[p].decode()) <= 4 for p in paths)
    live.assert_at_rest()


def test_a_change_of_a_task_spares_its_history(live: LiveBank) -> None:
    """Sessions, entries and chunks say what was so then."""
    history = {p: b for p, b in live.tree().items() if p.startswith(("sessions/", "edits/")) or p == "edit_history.md"}
    live.sql("UPDATE tasks SET title = 'Renamed', status = 'completed' WHERE id = 'T3'")
    live.sync()
    assert {p: b for p, b in live.tree().items() if p in history} == history


def test_a_new_task_gets_its_row_in_the_registry(live: LiveBank) -> None:
    """In the table of its status, with the columns of that table."""
    live.sql("INSERT INTO tasks(id, title, status, priority) VALUES ('T9', 'Night mode', 'pending', 'LOW')")
    assert "tasks.md" in live.sync().emitted
    row = next(line for line in live.read("tasks.md").split("\n") if line.startswith("| T9 "))
    cells = [cell.strip() for cell in row.split("|")]
    assert (cells[1], cells[2], cells[4]) == ("T9", "Night mode", "LOW")
    live.assert_at_rest()
    live.reopen()
    live.assert_at_rest()


def test_a_new_entry_with_its_files_stands_at_its_place(live: LiveBank) -> None:
    """One entry with two lines: below the heading of its date, by its time."""
    live.sql(
        "INSERT INTO edit_entries(date, time, timezone, task_id, task_description) "
        "VALUES ('2026-03-06', '18:40:00', 'UTC', 'T3', 'Between two others')"
    )
    key = live.value("SELECT id FROM edit_entries WHERE time = '18:40:00'")
    for name in ("one", "two"):
        live.sql(
            "INSERT INTO file_modifications(edit_entry_id, action, file_path, description) "
            "VALUES (?, 'Created', ?, 'x')",
            key, f"src/{name}.ts",
        )  # fmt: skip
    assert live.sync().problems == ()
    text = live.read("edit_history.md")
    assert text.index("18:42:05") < text.index("18:40:00 UTC - T3: Between two others") < text.index("18:35:10")
    assert "- Created `src/one.ts` - x\n- Created `src/two.ts` - x\n" in text
    live.assert_at_rest()


def test_a_line_added_to_an_entry_stands_below_it(live: LiveBank) -> None:
    """In the one document that is the entry's first place."""
    key = live.value("SELECT id FROM edit_entries WHERE time LIKE '19:08%'")
    live.sql("INSERT INTO file_modifications(edit_entry_id, action, file_path) VALUES (?, 'Created', 'a.ts')", key)
    live.sync()
    assert "- Modified `package.json` - Removed the SVG library\n- Created `a.ts`\n" in live.read("edit_history.md")
    live.assert_at_rest()


def test_a_new_session_gets_a_document(live: LiveBank) -> None:
    """Named by its date and period."""
    live.sql("INSERT INTO sessions(session_date, session_period, focus_task) VALUES ('2026-03-07', 'morning', 'T4')")
    assert live.sync().emitted == ("sessions/2026-03-07-morning.md",)
    assert "T4" in live.read("sessions/2026-03-07-morning.md")
    assert live.value("SELECT count(*) FROM sessions") == 4
    live.assert_at_rest()


def test_a_new_error_stands_in_the_log(live: LiveBank) -> None:
    """With the labels that the log already uses."""
    live.sql(
        "INSERT INTO error_logs(timestamp, task_id, file_path, error_message, cause, fix_applied) "
        "VALUES ('2026-03-07 10:00', 'T4', 'src/x.ts', 'Boom', 'Because', 'Fixed')"
    )
    assert live.sync().emitted == ("errorLog.md",)
    assert "**Cause:** Because" in live.read("errorLog.md")
    live.assert_at_rest()


def test_a_new_subtask_stands_in_the_checklist(live: LiveBank) -> None:
    """In the style of the list."""
    live.sql("INSERT INTO task_subtasks(task_id, section, text, status) VALUES ('T3a', 'Subtasks', 'Knots', 'pending')")
    live.sync()
    assert "- [ ] Knots\n" in live.read("tasks/T3a.md")
    live.assert_at_rest()


def test_a_deleted_row_takes_its_text_along(live: LiveBank) -> None:
    """An entry with its lines, an error, a subtask: only their own lines go."""
    before = live.tree()
    live.sql("DELETE FROM edit_entries WHERE time LIKE '19:08%'")
    live.sql("DELETE FROM error_logs WHERE task_id = 'T2'")
    live.sql("DELETE FROM task_subtasks WHERE text LIKE 'Hours with%'")
    assert set(live.sync().emitted) == {"edit_history.md", "errorLog.md", "tasks/T3a.md"}
    after = live.tree()
    gone = {"edit_history.md": b"Canvas in place", "errorLog.md": b"datum", "tasks/T3a.md": b"am and pm"}
    for path, word in gone.items():
        assert word not in after[path]
        lines = after[path].split(b"\n")
        assert changed_lines(before[path].decode(), after[path].decode()) <= 1, lines
    live.assert_at_rest()


def test_text_deleted_from_a_file_takes_its_rows_along(live: LiveBank) -> None:
    """One entry of thirteen: no hold."""
    text = live.read("edit_history.md")
    cut = re.sub(r"#### 19:08:51.*?\n\n", "", text, flags=re.S)
    live.write("edit_history.md", cut)
    live.sync()
    assert live.value("SELECT count(*) FROM edit_entries WHERE time LIKE '19:08%'") == 0
    assert live.read("edit_history.md") == cut
    live.assert_at_rest()


# -- prose -----------------------------------------------------------------------------------------------------------


def test_prose_edited_by_sql_reaches_the_file(live: LiveBank) -> None:
    """The text of a section is a part of the database like any other."""
    live.sql("UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'")
    assert live.sync().emitted == ("projectbrief.md",)
    assert "thick gloves" in live.read("projectbrief.md")
    live.assert_at_rest()


def test_prose_edited_on_both_sides_is_merged_by_lines(live: LiveBank) -> None:
    """Different lines of one section: both edits stand, no conflict."""
    live.edit("projectbrief.md", "within one second", "within half a second")
    live.sql("UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'")
    report = live.sync()
    assert report.conflicts == ()
    assert "within half a second" in live.read("projectbrief.md")
    assert "thick gloves" in live.read("projectbrief.md")
    live.assert_at_rest()


def test_one_line_of_prose_edited_differently_is_a_conflict(live: LiveBank) -> None:
    """The file's line stands; base and both values are kept."""
    live.edit("projectbrief.md", "wet gloves", "warm gloves")
    live.sql("UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'")
    report = live.sync()
    assert report.state is State.ATTENTION
    (conflict,) = report.conflicts
    told = [str(conflict[side]) for side in ("base", "file", "db")]
    assert ["wet" in told[0], "warm" in told[1], "thick" in told[2]] == [True, True, True]
    assert "warm gloves" in live.read("projectbrief.md")
    live.assert_at_rest()


def test_a_field_edited_by_sql_within_a_section_changes_its_row(live: LiveBank) -> None:
    """The text says it, so the row says it too."""
    live.sql("UPDATE sections SET text = replace(text, '| MEDIUM   | 2026-02-24', '| LOW      | 2026-02-24')")
    live.sync()
    assert task(live, "T5", "priority") == "LOW"
    assert "| LOW      | 2026-02-24" in live.read("tasks.md")
    live.assert_at_rest()


def test_sections_edited_while_their_file_is_being_saved_wait(live: LiveBank) -> None:
    """What a client wrote is not lost because an editor had the file open; no other document waits."""
    live.sql("UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'")
    live.edit("tasks.md", "Printable Month Sheet ", "Printable Month Sheets")
    with (live.bank / "projectbrief.md").open("ab"):
        report = live.sync(settle=False)
        assert "projectbrief.md" in report.pending
        assert task(live, "T6", "title") == "Printable Month Sheets"
    live.sync()
    assert "thick gloves" in live.read("projectbrief.md")
    live.assert_at_rest()


def test_sections_edited_in_a_held_document_wait(live: LiveBank) -> None:
    """A hold keeps the other side back too, and loses nothing of it."""
    old = live.read("projectbrief.md")
    live.sql("UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'")
    marked = old + "\n<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"
    live.write("projectbrief.md", marked)
    live.edit("tasks.md", "Printable Month Sheet ", "Printable Month Sheets")
    assert len(live.sync().holds) == 1
    assert live.read("projectbrief.md") == marked
    live.write("projectbrief.md", old)
    live.sync()
    assert "thick gloves" in live.read("projectbrief.md")
    live.assert_at_rest()


def test_a_section_made_by_sql_is_written_and_an_emptied_one_taken_out(live: LiveBank) -> None:
    """Deleting its row is refused: what the base of its document was could not be told any more."""
    live.sql(
        "INSERT INTO sections(document_id, position, level, heading, text) "
        "SELECT document_id, position + 0.5, 2, 'New', "
        "'## New' || char(10, 10) || 'By row.' || char(10, 10) FROM sections WHERE text LIKE '## Goals%'"
    )
    live.sync()
    assert "\n## New\n\nBy row.\n\n## Out of Scope" in live.read("projectbrief.md")
    live.assert_at_rest()
    with pytest.raises(RowRefused, match="set its text to nothing"):
        live.sql("DELETE FROM sections WHERE text LIKE '## New%'")
    live.sql("UPDATE sections SET text = '' WHERE text LIKE '## New%'")
    live.sync()
    assert "By row." not in live.read("projectbrief.md")
    live.assert_at_rest()


# -- both sides ------------------------------------------------------------------------------------------------------


def test_different_fields_of_one_task_are_both_kept(live: LiveBank) -> None:
    """Field by field, not row by row; and in the same line of the registry."""
    live.edit("tasks.md", "| Printable Month Sheet   |", "| Printable Sheet         |")
    live.sql("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
    report = live.sync()
    assert report.conflicts == ()
    row = next(line for line in live.read("tasks.md").split("\n") if line.startswith("| T6 "))
    assert "Printable Sheet" in row
    assert "HIGH" in row
    assert (task(live, "T6", "title"), task(live, "T6", "priority")) == ("Printable Sheet", "HIGH")


def test_one_field_changed_differently_is_a_conflict_that_the_file_wins(live: LiveBank) -> None:
    """Base and both values can be read from it."""
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET priority = 'MEDIUM' WHERE id = 'T6'")
    (conflict,) = live.sync().conflicts
    told = {name: conflict[name] for name in ("document", "table", "key", "field", "base", "file", "db", "kept")}
    assert told == {
        "document": "tasks/T6.md", "table": "tasks", "key": "T6", "field": "priority",
        "base": "LOW", "file": "HIGH", "db": "MEDIUM", "kept": "file",
    }  # fmt: skip
    assert task(live, "T6", "priority") == "HIGH"
    assert re.search(r"\| T6 .*\| HIGH ", live.read("tasks.md"))


def test_the_same_change_on_both_sides_is_agreed(live: LiveBank) -> None:
    """No conflict, and the other places follow, for a row asked for it."""
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
    report = live.sync()
    assert report.conflicts == ()
    assert re.search(r"\| T6 .*\| HIGH ", live.read("tasks.md"))
    live.assert_at_rest()


def test_dependencies_changed_on_both_sides_are_merged_as_a_set(live: LiveBank) -> None:
    """One added here, one removed there."""
    live.edit("tasks/T3.md", "**Dependencies**: T1, T2", "**Dependencies**: T1, T2, T4")
    live.sql("DELETE FROM task_dependencies WHERE task_id = 'T3' AND depends_on = 'T1'")
    report = live.sync()
    assert report.conflicts == ()
    assert needs(live, "T3") == {"T2", "T4"}
    assert "**Dependencies**: T2, T4" in live.read("tasks/T3.md")


def test_a_stale_writer_reverts_nothing(live: LiveBank) -> None:
    """Somebody read a file, the database wrote it, then the whole file comes back with one edit."""
    read = live.read("tasks.md")
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    live.sync()
    live.write("tasks.md", read.replace("| Offline Station Packs   |", "| Offline Packs           |"))
    live.sync()
    assert task(live, "T6", "status") == "completed"
    assert task(live, "T4", "title") == "Offline Packs"
    row = next(line for line in live.read("tasks.md").split("\n") if line.startswith("| T6 "))
    assert "COMPLETED" in row
    assert "Offline Packs" in live.read("tasks.md")


def test_an_exact_revert_stands(live: LiveBank) -> None:
    """Exactly an earlier text (an undo, a checkout) is meant; what went with it is told."""
    read = live.read("tasks/T6.md")
    live.sql("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
    live.sync()
    live.write("tasks/T6.md", read)
    report = live.sync()
    assert live.read("tasks/T6.md") == read
    assert task(live, "T6", "priority") == "LOW"
    assert [(c["field"], c["file"], c["db"]) for c in report.conflicts] == [("priority", "LOW", "HIGH")]


# -- identity --------------------------------------------------------------------------------------------------------


def test_a_renamed_document_keeps_its_record(live: LiveBank) -> None:
    """A session's row keeps its id and knows its new path; an archived task keeps its checklist."""
    items = live.sql("SELECT id FROM task_subtasks WHERE task_id = 'T6' ORDER BY id")
    key = live.value("SELECT id FROM sessions WHERE session_date = '2026-03-05'")
    (live.bank / "sessions/2026-03-05-evening.md").rename(live.bank / "sessions/2026-03-05-late.md")
    (live.bank / "archive").mkdir()
    (live.bank / "tasks/T6.md").rename(live.bank / "archive/T6.md")
    report = live.sync()
    assert report.holds == ()
    assert live.value("SELECT id FROM sessions WHERE path = 'sessions/2026-03-05-late.md'") == key
    assert live.value("SELECT count(*) FROM sessions") == 3
    assert live.sql("SELECT id FROM task_subtasks WHERE task_id = 'T6' ORDER BY id") == items
    assert task(live, "T6", "priority") == "LOW"
    live.assert_at_rest()


def test_an_entry_moved_to_the_archive_keeps_its_id(live: LiveBank) -> None:
    """In one batch, and with its lines."""
    key = live.value("SELECT id FROM edit_entries WHERE time LIKE '19:02:30'")
    lines = live.sql("SELECT id FROM file_modifications WHERE edit_entry_id = ?", key)
    text = live.read("edit_history.md")
    start = text.index("#### 19:02:30")
    live.write("edit_history.md", text[:start])
    live.write("archive/edit_history-2026-03.md", f"# Edit History\n\n### 2026-03-02\n\n{text[start:]}")
    live.sync()
    assert live.value("SELECT id FROM edit_entries WHERE time = '19:02:30'") == key
    assert live.sql("SELECT id FROM file_modifications WHERE edit_entry_id = ?", key) == lines
    live.assert_at_rest()


def test_many_entries_moved_in_one_batch_are_no_deletion(live: LiveBank) -> None:
    """Half of the history goes to the archive: nothing is held."""
    keys = live.sql("SELECT id, time FROM edit_entries ORDER BY id")
    text = live.read("edit_history.md")
    start = text.index("### 2026-03-04")
    live.write("edit_history.md", text[:start])
    live.write("archive/edit_history-2026-03.md", "# Edit History\n\n" + text[start:])
    report = live.sync()
    assert report.holds == ()
    assert live.sql("SELECT id, time FROM edit_entries ORDER BY id") == keys


def test_two_tasks_with_one_id_are_no_reason_to_stop(small: Small) -> None:
    """A registry that names an id twice: one row, files untouched, a change of the other fields still arrives."""
    head = "# Tasks\n\n## Active\n\n| ID | Title | Status |\n|---|---|---|\n"
    text = head + "| T1 | One | 🔄 |\n| T1 | Uno | ⏸️ |\n| T2 | Two | 🔄 |\n"
    live = small({"tasks.md": text})
    assert live.value("SELECT count(*) FROM tasks") == 2
    live.assert_at_rest()
    live.edit("tasks.md", "| T2 | Two |", "| T2 | Deux |")
    live.sync()
    assert task(live, "T2", "title") == "Deux"
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T2'")
    live.sync()
    assert "| T1 | One | 🔄 |\n| T1 | Uno | ⏸️ |" in live.read("tasks.md")
    live.assert_at_rest()


def test_a_task_with_two_documents_has_one_row(small: Small) -> None:
    """A change by row reaches both."""
    live = small({"tasks/T1.md": TASK, "tasks/T1-notes.md": TASK.replace("Short title", "Short title")})
    assert live.value("SELECT count(*) FROM tasks") == 1
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T1'")
    live.sync()
    live.assert_at_rest()
    assert "COMPLETED" in live.read("tasks/T1.md")


# -- other places follow -----------------------------------------------------------------------------------------------


def test_without_follow_other_places_are_left_and_noted(live: LiveBank) -> None:
    """The file that was edited is the only one that differs."""
    live.edit("tasks/T6.md", "**Status**: ⬜ NOT STARTED", "**Status**: 🔄 IN PROGRESS")
    before = live.tree()
    live.sync()
    assert live.tree() == before
    assert live.sql('SELECT "table", key, field FROM follows') == [("tasks", "T6", "status")]


def test_with_follow_all_current_places_say_the_same(live: LiveBank) -> None:
    """At once, or later for what was noted; then nothing is noted any more."""
    live.edit("tasks/T6.md", "**Status**: ⬜ NOT STARTED", "**Status**: 🔄 IN PROGRESS")
    live.sync()
    report = live.sync(follow=True)
    assert set(report.emitted) == {"tasks.md", "session_cache.md"}
    assert re.search(r"\| T6 .*\| 🔄 IN PROGRESS \|", live.read("tasks.md"))
    assert live.sql("SELECT * FROM follows") == []
    live.edit("tasks/T6.md", "**Status**: 🔄 IN PROGRESS", "**Status**: ✅ COMPLETED")
    assert set(live.sync(follow=True).emitted) == {"tasks.md", "session_cache.md"}
    live.assert_at_rest()


def test_drift_is_left_as_it_is(small: Small) -> None:
    """Readings that disagreed before anything changed are not touched by a change of another field."""
    registry = "# Tasks\n\n## Active\n\n| ID | Title | Status |\n|---|---|---|\n| T1 | Other title | 🔄 |\n"
    live = small({"tasks.md": registry, "tasks/T1.md": TASK})
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T1'")
    live.sync()
    assert "| T1 | Other title |" in live.read("tasks.md")
    assert "# T1: Short title" in live.read("tasks/T1.md")


# -- modes -----------------------------------------------------------------------------------------------------------


def observe(live: LiveBank) -> None:
    live.sql("INSERT OR REPLACE INTO state(name, value) VALUES ('mode', 'observe')")


def test_observe_writes_no_file_and_coexist_writes_what_waited(live: LiveBank) -> None:
    """Rows changed by others stay as they are, and pending."""
    observe(live)
    before = live.tree()
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    live.sql("INSERT INTO tasks(id, title) VALUES ('T9', 'Ninth')")
    live.sql("DELETE FROM error_logs WHERE task_id = 'T2'")
    live.sync()
    live.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    report = live.sync()
    assert report.absorbed == ("tasks/T4.md",)
    assert task(live, "T4", "priority") == "HIGH"
    before["tasks/T4.md"] = live.tree()["tasks/T4.md"]
    assert live.tree() == before
    live.sql("UPDATE state SET value = 'coexist' WHERE name = 'mode'")
    live.sync()
    assert "**Status**: ✅ COMPLETED" in live.read("tasks/T6.md")
    assert "T9" in live.read("tasks.md")
    assert "datum" not in live.read("errorLog.md")
    live.assert_at_rest()


def test_observe_keeps_edited_sections_pending(live: LiveBank) -> None:
    """Prose is a row like any other: no file is written, and the edit arrives later."""
    observe(live)
    before = live.tree()
    live.sql("UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'")
    live.sync()
    live.sync()
    assert live.tree() == before
    live.sql("UPDATE state SET value = 'coexist' WHERE name = 'mode'")
    live.sync()
    assert "thick gloves" in live.read("projectbrief.md")
    live.assert_at_rest()


def test_observe_absorbs_an_edit_beside_a_row_change_of_the_same_record(live: LiveBank) -> None:
    """One field by hand, another by row: the first is absorbed, the second waits, neither is lost."""
    observe(live)
    live.edit("tasks/T6.md", "# T6: Printable Month Sheet", "# T6: A Sheet")
    live.sql("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
    before = live.tree()
    live.sync()
    assert live.sql("SELECT title, priority FROM tasks WHERE id = 'T6'") == [("A Sheet", "HIGH")]
    live.sync()
    assert live.tree() == before
    live.sql("UPDATE state SET value = 'coexist' WHERE name = 'mode'")
    live.sync()
    assert "**Priority**: HIGH" in live.read("tasks/T6.md")
    assert "# T6: A Sheet" in live.read("tasks/T6.md")


def test_observe_tells_a_conflict_once_and_keeps_the_other_field_pending(live: LiveBank) -> None:
    """The file's value stands in the row; what only the row changed is emitted later."""
    observe(live)
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET priority = 'MEDIUM', title = 'A Sheet' WHERE id = 'T6'")
    live.sync()
    assert len(live.sync().conflicts) == 1
    assert live.sql("SELECT title, priority FROM tasks WHERE id = 'T6'") == [("A Sheet", "HIGH")]
    live.sql("UPDATE state SET value = 'coexist' WHERE name = 'mode'")
    assert len(live.sync().conflicts) == 1
    assert "# T6: A Sheet" in live.read("tasks/T6.md")
    assert "**Priority**: HIGH" in live.read("tasks/T6.md")


# -- what is no text, or no file -------------------------------------------------------------------------------------


def test_a_document_that_is_no_text_is_left_alone(live: LiveBank) -> None:
    """Stored to the byte, reported once, and a document like any other as soon as it is text."""
    live.write("notes.md", b"# Notes\n\xff\xfe\n")
    first = live.sync()
    assert first.absorbed == ("notes.md",)
    live.assert_at_rest()
    live.write("notes.md", "# Notes\n\nNow it is text.\n")
    assert live.sync().absorbed == ("notes.md",)
    live.assert_at_rest()


def test_a_document_that_stops_being_text_deletes_nothing_unasked(live: LiveBank) -> None:
    """Its records are not in it any more as far as anybody can tell, so it is held or kept, never emptied."""
    text = (live.bank / "edit_history.md").read_bytes()
    count = live.value("SELECT count(*) FROM edit_entries")
    live.write("edit_history.md", text + b"\xff\n")
    live.sync()
    assert live.value("SELECT count(*) FROM edit_entries") == count
    assert live.tree()["edit_history.md"] == text + b"\xff\n"
    live.write("edit_history.md", text)
    live.sync()
    assert live.value("SELECT count(*) FROM edit_entries") == count
    live.assert_at_rest()


def test_a_document_that_is_too_large_is_left_alone_and_told(small: Small) -> None:
    """Its size is the reason; its neighbours are absorbed."""
    live = small({"tasks/T1.md": TASK}, max_document_mb=1)
    live.write("big.md", b"x" * 1_100_000)
    live.edit("tasks/T1.md", "HIGH", "LOW")
    report = live.sync()
    assert report.absorbed == ("tasks/T1.md",)
    assert any("big.md" in p and "limit" in p for p in report.problems)


def test_links_and_pipes_are_no_documents(live: LiveBank) -> None:
    """Never opened, never followed, never written through."""
    import os

    os.mkfifo(live.bank / "pipe.md")
    (live.bank.parent / "outside.md").write_text("# Outside\n")
    (live.bank / "link.md").symlink_to(live.bank.parent / "outside.md")
    report = live.sync()
    assert report.absorbed == ()
    assert (live.bank.parent / "outside.md").read_text() == "# Outside\n"


def test_a_name_with_a_newline_is_a_name(live: LiveBank) -> None:
    """Odd, and a document all the same."""
    live.write("odd\nname.md", "# Odd\n\nText.\n")
    assert live.sync().absorbed == ("odd\nname.md",)
    live.sql("UPDATE sections SET text = replace(text, 'Text.', 'Other.') WHERE text LIKE '%Text.%'")
    live.sync()
    assert live.read("odd\nname.md") == "# Odd\n\nOther.\n"
    live.assert_at_rest()


def test_a_database_made_anew_says_the_same(live: LiveBank) -> None:
    """Delete the database, sync: the same values, files untouched."""
    queries = [
        "SELECT id, title, status, priority, started, completed FROM tasks ORDER BY id",
        "SELECT * FROM task_dependencies ORDER BY 1, 2",
        "SELECT date, time, timezone, task_id, task_description FROM edit_entries ORDER BY 1, 2",
        "SELECT session_date, focus_task, status FROM sessions ORDER BY 1",
        "SELECT timestamp, task_id, cause FROM error_logs ORDER BY 1",
        "SELECT current_focus_task FROM session_cache",
    ]
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sync(follow=True)
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T4'")
    live.sync()
    before, files = [live.sql(q) for q in queries], live.tree()
    live.engine.close()
    for file in (live.bank / ".syncd").glob("memory_bank.db*"):
        file.unlink()
    live.engine = Engine.open(live.bank, create=True, config=live.engine.config)
    live.sync()
    assert [live.sql(q) for q in queries] == before
    assert live.tree() == files


def test_a_row_that_was_changed_and_put_back_leaves_nothing_pending(live: LiveBank) -> None:
    """Two changes that come to nothing are sealed all the same: `status` would show them for ever."""
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    live.sql("UPDATE tasks SET status = 'pending' WHERE id = 'T6'")
    live.sync()
    assert live.value('SELECT count(*) FROM row_changes WHERE "transaction" IS NULL') == 0
    live.assert_at_rest()


def test_a_dry_run_changes_nothing_and_shows_both_sides(live: LiveBank) -> None:
    """Diffs of the file that was edited and of the file that would be written."""
    live.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    before, rows = live.tree(), live.sql("SELECT * FROM tasks ORDER BY id")
    report = live.sync(dry_run=True)
    assert live.tree() == before
    assert live.sql("SELECT * FROM tasks ORDER BY id") == rows
    assert {path for path, _ in report.diffs} >= {"tasks/T4.md", "tasks/T6.md"}
    assert "tasks T4: priority 'MEDIUM' -> 'HIGH'" in report.row_diffs
    assert report.transaction is None


def test_a_sentence_that_a_client_wrote_is_reworded_by_hand(small: Callable[..., Any]) -> None:
    """The file stands as it was saved: no second wording beside it, nothing written."""
    live = small({"notes.md": "# Notes\n\nOld prose.\n"})
    live.sql("UPDATE sections SET text = '# Notes\n\nOld prose.\nThe depth is measured at noon.\n'")
    assert live.sync().emitted == ("notes.md",)
    live.edit("notes.md", "at noon", "at low water")
    saved = live.read("notes.md")
    report = live.sync()
    assert (report.emitted, report.conflicts) == ((), ())
    assert live.read("notes.md") == saved
    live.assert_at_rest()
