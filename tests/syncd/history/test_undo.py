"""The inverse of transactions, on rows and files together."""

from __future__ import annotations

from typing import Any

import pytest

from schema import journal
from syncd import requests
from syncd.errors import InTheWay, UsageError
from syncd.history.undo import undo
from syncd.model import Report
from tests.laws.banks import stored

LiveBank = Any
RECORDS = (
    "tasks", "task_dependencies", "task_subtasks", "edit_entries", "file_modifications", "sessions", "session_cache",
    "error_logs",
)  # fmt: skip


def take_back(live: LiveBank, *numbers: int | None, **options: Any) -> Report:
    """Undo transactions."""
    return undo(live.engine, [str(number) for number in numbers], **options)


def state(live: LiveBank) -> tuple[Any, Any, Any]:
    """Files, rows, and which row each place shows."""
    kept = stored(live.engine.db)
    readings = live.engine.db.rows(
        """SELECT d.path, s.position, r.ordinal, r."table", r.key, r.role FROM readings AS r
        JOIN sections AS s ON s.id = r.section_id JOIN documents AS d ON d.id = s.document_id ORDER BY 1, 2, 3"""
    )
    found = [(path, ordinal, *rest) for path, _, ordinal, *rest in readings]
    return live.tree(), {table: sorted(kept[table], key=repr) for table in RECORDS}, found


def test_an_edit_with_what_followed_is_taken_back_everywhere(live: LiveBank) -> None:
    """Files and rows are as before; the undo of the undo is the redo."""
    before = state(live)
    live.edit("tasks.md", "| LOW      | -  ", "| HIGH     | -  ")
    done = live.sync(follow=True)
    after = state(live)
    report = take_back(live, done.number)
    assert state(live) == before
    assert set(report.emitted) == {"tasks.md", "tasks/T6.md"}
    live.assert_at_rest()
    take_back(live, report.number)
    assert state(live) == after
    live.assert_at_rest()


CHANGES: dict[str, Any] = {
    "a row": lambda live: live.sql("UPDATE tasks SET status = 'paused', title = 'Crates' WHERE id = 'T4'"),
    "a new row": lambda live: live.sql("INSERT INTO tasks(id, title, status) VALUES ('T77', 'New', 'pending')"),
    "an entry goes": lambda live: live.sql("DELETE FROM edit_entries WHERE time LIKE '19:08%'"),
    "a need": lambda live: live.sql("INSERT INTO task_dependencies VALUES ('T4', 'T1')"),
    "an entry's lines go to the one above": lambda live: live.edit(
        "edit_history.md", "#### 20:11:09 UTC - T3a: Labels split off from the curve\n", ""
    ),
    "an error goes": lambda live: live.sql("DELETE FROM error_logs WHERE task_id = 'T2'"),
    "a document goes": lambda live: (live.bank / "progress.md").unlink(),
    "a task's document goes": lambda live: (live.bank / "tasks" / "T6.md").unlink(),
    "a session goes": lambda live: next((live.bank / "sessions").glob("*.md")).unlink(),
    "a document comes": lambda live: live.write("notes/new.md", "# New\r\n\nno end"),
    "bytes come": lambda live: live.write("notes/odd.md", b"\xff\xfe odd"),
    "bytes are changed": lambda live: live.write("progress.md", b"\xff\xfe odd"),
    "a document moves": lambda live: (
        (live.bank / "archive").mkdir(exist_ok=True),
        (live.bank / "tasks" / "T6.md").rename(live.bank / "archive" / "T6.md"),
    ),
    "prose": lambda live: live.edit("projectbrief.md", "wet gloves", "dry gloves"),
    "both sides": lambda live: (
        live.edit("projectbrief.md", "wet gloves", "dry gloves"),
        live.edit("tasks/T3.md", "**Status**", "**Status**", 1),
        live.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T3'"),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_undo_of_the_last_is_the_state_before(live: LiveBank, change: str) -> None:
    """To the byte, with every column of every row and the row that each place shows; and back, and back again."""
    before = state(live)
    CHANGES[change](live)
    report = live.sync(follow=True)
    if report.holds:
        report = Report(**requests.answer(live.engine, "accept", {"all": True}))
    after = state(live)
    assert after != before
    first = take_back(live, report.number)
    assert state(live) == before
    live.assert_at_rest()
    second = take_back(live, first.number)
    assert state(live) == after
    live.assert_at_rest()
    take_back(live, second.number)
    assert state(live) == before
    live.assert_at_rest()


def test_later_changes_elsewhere_stay(live: LiveBank) -> None:
    """Of other documents and rows, and of the same ones."""
    live.edit("projectbrief.md", "wet gloves", "dry gloves")
    number = live.sync().number
    live.write("projectbrief.md", live.read("projectbrief.md") + "\nA last line.\n")
    live.sql("UPDATE tasks SET status = 'paused' WHERE id = 'T4'")
    live.sync()
    take_back(live, number)
    text = live.read("projectbrief.md")
    assert "wet gloves" in text
    assert text.endswith("\nA last line.\n")
    assert live.value("SELECT status FROM tasks WHERE id = 'T4'") == "paused"
    live.assert_at_rest()


def test_one_field_is_taken_back_where_another_changed_since(live: LiveBank) -> None:
    """In the same line of the registry, and in the row."""
    live.sql("UPDATE tasks SET status = 'paused' WHERE id = 'T4'")
    number = live.sync().number
    live.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T4'")
    live.sync()
    take_back(live, number)
    assert live.sql("SELECT status, priority FROM tasks WHERE id = 'T4'") == [("in_progress", "CRITICAL")]
    (line,) = [line for line in live.read("tasks.md").split("\n") if line.startswith("| T4 ")]
    assert "IN PROGRESS" in line
    assert "CRITICAL" in line
    assert "**Priority**: CRITICAL" in live.read("tasks/T4.md")
    live.assert_at_rest()


def test_places_that_followed_later_follow_back(live: LiveBank) -> None:
    """What agreed with its row goes on agreeing with it."""
    live.edit("tasks.md", "| LOW      | -  ", "| HIGH     | -  ")
    number = live.sync().number
    live.sync(follow=True)
    assert "**Priority**: HIGH" in live.read("tasks/T6.md")
    take_back(live, number)
    assert "**Priority**: LOW" in live.read("tasks/T6.md")
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "LOW"
    live.assert_at_rest()


def test_the_same_field_changed_since_stands_in_the_way(live: LiveBank) -> None:
    """Nothing is changed, and the later transaction is named; both together can be undone."""
    before = state(live)
    live.sql("UPDATE tasks SET status = 'paused' WHERE id = 'T4'")
    first = live.sync().number
    live.sql("UPDATE tasks SET status = 'blocked' WHERE id = 'T4'")
    second = live.sync().number
    then = state(live)
    with pytest.raises(InTheWay, match=rf"tasks:T4 status was changed in transaction {second}") as caught:
        take_back(live, first)
    assert f"syncd undo {first} {second}" in str(caught.value.hint)
    assert state(live) == then
    take_back(live, first, second)
    assert state(live) == before
    live.assert_at_rest()


def test_a_line_changed_since_stands_in_the_way(live: LiveBank) -> None:
    """Also one that was taken out."""
    live.edit("projectbrief.md", "wet gloves", "dry gloves")
    first = live.sync().number
    text = live.read("projectbrief.md").split("\n")
    live.write("projectbrief.md", "\n".join(line for line in text if "dry gloves" not in line))
    second = live.sync().number
    with pytest.raises(InTheWay, match=f"a line was changed .*in transaction {second}"):
        take_back(live, first)
    live.assert_at_rest()


def test_a_document_that_changed_since_it_came_stays(live: LiveBank) -> None:
    """Its later text would be lost."""
    live.write("notes.md", "# Notes\n")
    first = live.sync().number
    live.write("notes.md", "# Notes\nmore\n")
    second = live.sync().number
    with pytest.raises(InTheWay, match=rf"notes.md was changed in transaction {second}"):
        take_back(live, first)
    assert live.read("notes.md") == "# Notes\nmore\n"


def test_what_belongs_to_a_row_and_came_later_does_not_go_with_it(live: LiveBank) -> None:
    """A line of an entry that is to go."""
    live.sql("INSERT INTO edit_entries(date, time, task_description) VALUES ('2026-03-07', '10:10', 'x')")
    first = live.sync().number
    live.sql(
        """INSERT INTO file_modifications(edit_entry_id, action, file_path, description)
        SELECT max(id), 'Updated', 'a.ts', 'words' FROM edit_entries"""
    )
    second = live.sync().number
    with pytest.raises(InTheWay, match=f"in transaction {second}"):
        take_back(live, first)
    take_back(live, first, second)
    assert live.value("SELECT count(*) FROM edit_entries WHERE task_description = 'x'") == 0


def test_what_goes_back_to_its_owner_needs_it(live: LiveBank) -> None:
    """A line that was given to another entry, whose own is gone since."""
    live.sql("UPDATE file_modifications SET edit_entry_id = 1 WHERE edit_entry_id = 7")
    first = live.sync().number
    live.sql("DELETE FROM edit_entries WHERE id = 7")
    second = live.sync().number
    with pytest.raises(InTheWay, match=rf"edit_entries:7 was deleted in transaction {second}"):
        take_back(live, first)
    take_back(live, first, second)
    assert live.value("SELECT count(*) FROM file_modifications WHERE edit_entry_id = 7") > 0
    live.assert_at_rest()


def test_a_line_comes_back_to_each_of_its_places(live: LiveBank) -> None:
    """Its chunk has it below another entry than the history, and still it is one record."""
    live.edit("edit_history.md", "#### 20:12:05 UTC - T4: First version of the pack format\n", "")
    live.sync()
    before = state(live)
    live.sql("DELETE FROM file_modifications WHERE file_path LIKE '%/pack-format.md'")
    number = live.sync().number
    assert "pack-format.md` - Layout" not in live.read("edits/2026-03-05/201205-T4-pack-format.md")
    take_back(live, number)
    assert state(live) == before
    live.assert_at_rest()


def test_a_number_that_went_to_another_record_is_not_taken_from_it(live: LiveBank) -> None:
    """The record that comes back gets a new one. The other stands elsewhere in the text, or it would be in the way."""
    number = live.value("SELECT max(id) FROM edit_entries")
    lines = live.value("SELECT count(*) FROM file_modifications WHERE edit_entry_id = ?", number)
    live.sql("DELETE FROM edit_entries WHERE id = ?", number)
    first = live.sync().number
    live.sql("INSERT INTO edit_entries(date, time, task_description) VALUES ('2026-03-01', '10:10', 'Other')")
    live.sync()
    words = "SELECT task_description FROM edit_entries WHERE id = ?"
    assert live.value(words, number) == "Other"
    take_back(live, first)
    assert live.value(words, number) == "Other"
    assert live.value("SELECT count(*) FROM file_modifications WHERE edit_entry_id = ?", number + 1) == lines > 0
    live.assert_at_rest()


def test_counts_are_taken_back_by_what_was_added(live: LiveBank) -> None:
    """Derived values never stand in the way: each undone completion counts one less."""
    shown = live.sql("SELECT active_count, completed_count FROM session_cache")
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T3'")
    first = live.sync().number
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T4'")
    second = live.sync().number
    take_back(live, first)
    take_back(live, second)
    assert live.sql("SELECT active_count, completed_count FROM session_cache") == shown
    assert live.sql("SELECT id FROM tasks WHERE status = 'completed' AND id IN ('T3', 'T4')") == []
    live.assert_at_rest()


def test_a_settled_conflict_is_open_again_when_that_is_undone(live: LiveBank) -> None:
    """And settled by the redo."""
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET priority = 'MEDIUM' WHERE id = 'T6'")
    (found,) = live.sync().conflicts
    before = live.tree()
    number = requests.answer(live.engine, "resolve", {"take": "db", "ids": [found["id"]]})["number"]
    report = take_back(live, number)
    assert live.tree() == before
    assert [c["id"] for c in report.conflicts] == [found["id"]]
    assert take_back(live, report.number).conflicts == ()
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "MEDIUM"


def test_with_a_transaction_go_its_conflicts(live: LiveBank) -> None:
    """Neither value is there any more."""
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET priority = 'MEDIUM' WHERE id = 'T6'")
    report = take_back(live, live.sync().number)
    assert report.conflicts == ()
    assert "**Priority**: LOW" in live.read("tasks/T6.md")


def test_what_is_gone_already_is_not_undone_twice(live: LiveBank) -> None:
    """It says so, and makes no transaction."""
    live.edit("projectbrief.md", "wet gloves", "dry gloves")
    number = live.sync().number
    take_back(live, number)
    last = journal.latest(live.engine.db)
    again = take_back(live, number)
    assert (again.number, again.state.value) == (None, "converged")
    assert "nothing to undo" in str(again.reason)
    assert journal.latest(live.engine.db) == last


def test_what_waits_is_converged_before(live: LiveBank) -> None:
    """A save that nobody has absorbed is not part of the undo, and is not lost."""
    live.edit("projectbrief.md", "wet gloves", "dry gloves")
    number = live.sync().number
    live.write("progress.md", live.read("progress.md") + "\nsaved just now\n")
    live.sql("UPDATE tasks SET title = 'Crates' WHERE id = 'T4'")
    report = take_back(live, number)
    assert report.emitted == ("projectbrief.md",)
    assert live.read("progress.md").endswith("saved just now\n")
    assert "Crates" in live.read("tasks.md")
    live.assert_at_rest()


def test_a_held_document_is_not_written_over(live: LiveBank) -> None:
    """What waits for a yes waits on."""
    live.edit("edit_history.md", "One path for the curve", "Two paths for the curve")
    number = live.sync().number
    live.write("edit_history.md", "")
    with pytest.raises(InTheWay, match=r"edit_history.md holds something else"):
        take_back(live, number)
    assert live.read("edit_history.md") == ""


def test_a_dry_run_changes_nothing(live: LiveBank) -> None:
    """It gives the diffs of documents and rows."""
    live.sql("UPDATE tasks SET status = 'paused' WHERE id = 'T4'")
    number = live.sync().number
    kept, files = stored(live.engine.db), live.tree()
    report = take_back(live, number, dry_run=True)
    assert "tasks T4: status 'paused' -> 'in_progress'" in report.row_diffs
    assert "tasks.md" in dict(report.diffs)
    assert (stored(live.engine.db), live.tree()) == (kept, files)


def test_what_cannot_be_meant_is_refused(live: LiveBank) -> None:
    """The first state; a transaction that is not there; a mode that writes nothing."""
    with pytest.raises(UsageError, match="first state"):
        take_back(live, 1)
    with pytest.raises(Exception, match="no such transaction"):
        take_back(live, 99)
    live.engine.db.run("INSERT INTO state(name, value) VALUES ('mode', 'observe')")
    with pytest.raises(UsageError, match="observe"):
        take_back(live, 1)


def test_entries_around_one_that_goes_stay(live: LiveBank) -> None:
    """Entries that came above and below it since."""
    insert = "INSERT INTO edit_entries(date, time, task_id, task_description) VALUES ('2026-03-07', ?, 'T3', ?)"
    live.sql(insert, "10:10", "one that goes")
    number = live.sync().number
    live.sql(insert, "10:20", "second")
    live.sync()
    live.sql(insert, "10:05", "third")
    live.sync()
    take_back(live, number)
    text = live.read("edit_history.md")
    assert "one that goes" not in text
    assert "second" in text
    assert "third" in text
    live.assert_at_rest()


def test_what_comes_back_stands_beside_what_came_at_its_very_place(live: LiveBank) -> None:
    """An error, an entry of the same minute, an item, lines of prose, the last line of a document that does not end."""
    minute = live.sql("SELECT date, time FROM edit_entries WHERE id = 1")[0]
    item = live.read("tasks/T6.md").rstrip("\n").split("\n")[-1]
    last = live.read("projectbrief.md").split("\n")[-1]
    assert last
    live.sql("DELETE FROM error_logs WHERE id = 1")
    live.sql("DELETE FROM edit_entries WHERE id = 1")
    live.edit("tasks/T6.md", f"{item}\n", "")
    live.edit("techContext.md", "## ", "A line that goes.\n\n## ")
    live.edit("projectbrief.md", f"\n{last}", "")
    live.sync()
    live.edit("techContext.md", "A line that goes.\n", "")
    number = live.sync().number
    live.sql("INSERT INTO error_logs(timestamp, error_message) VALUES ('2026-03-06 17:25', 'It came later')")
    live.sql("INSERT INTO edit_entries(date, time, task_id, task_description) VALUES (?, ?, 'T4', 'Another')", *minute)
    live.write("tasks/T6.md", live.read("tasks/T6.md") + "- ⬜ Something else\n")
    live.edit("techContext.md", "\n## ", "A line that came.\n\n## ")
    live.write("projectbrief.md", live.read("projectbrief.md") + "\n- Something else")
    live.sync()
    take_back(live, number - 1, number)
    assert live.value("SELECT count(*) FROM error_logs WHERE id = 1 OR error_message = 'It came later'") == 2
    assert live.value("SELECT count(*) FROM edit_entries WHERE id = 1 OR task_description = 'Another'") == 2
    assert f"{item}\n- ⬜ Something else\n" in live.read("tasks/T6.md")
    assert "A line that came.\n" in live.read("techContext.md")
    assert live.read("projectbrief.md").endswith(f"\n{last}\n- Something else")
    live.assert_at_rest()


def test_a_stamp_beside_it_is_in_nobodys_way(live: LiveBank) -> None:
    """All three texts have another moment above the place at which one record comes back and another came."""
    live.sql("DELETE FROM error_logs WHERE id = 1")
    number = live.sync().number
    live.sql("INSERT INTO error_logs(timestamp, error_message) VALUES ('2026-03-06 17:25', 'It came later')")
    live.sync()
    text = live.read("errorLog.md")
    stamp = next(line for line in text.split("\n") if line.startswith("*Last Updated"))
    live.write("errorLog.md", text.replace(stamp, "*Last Updated: 2027-01-01 10:00:00 UTC*"))
    live.sync()
    take_back(live, number)
    assert live.value("SELECT count(*) FROM error_logs WHERE id = 1 OR error_message = 'It came later'") == 2
    assert "*Last Updated: 2027-01-01 10:00:00 UTC*\n" in live.read("errorLog.md")
    live.assert_at_rest()


@pytest.mark.parametrize("order", ["1, 2", "2, 1"])
def test_of_two_equal_records_the_one_that_came_goes_and_comes_back(small: Any, order: str) -> None:
    """Their texts are the same, wherever they stand: the other one stays the record that it is."""
    error = "## 2026-03-07 11:00: T4 - It broke\n**Error:** It broke\n**Task:** T4\n\n"
    live = small({"errorLog.md": f"# Error Log\n\n{error}"})
    before = live.read("errorLog.md")
    live.write("errorLog.md", before.replace(error, error + error))
    number = live.sync().number
    places = live.sql("SELECT section_id FROM readings ORDER BY section_id")
    for (place,), key in zip(places, order.split(", "), strict=True):
        live.sql("UPDATE readings SET key = ? WHERE section_id = ?", key, place)
    live.reopen()
    after, rows = live.read("errorLog.md"), live.sql("SELECT * FROM error_logs ORDER BY id")
    assert len(rows) == 2
    undone = undo(live.engine, [str(number)])
    assert live.read("errorLog.md") == before
    assert live.sql("SELECT * FROM error_logs") == rows[:1]
    assert live.sql("SELECT key FROM readings WHERE \"table\" = 'error_logs'") == [("1",)]
    undo(live.engine, [str(undone.number)])
    assert live.read("errorLog.md") == after
    assert live.sql("SELECT * FROM error_logs ORDER BY id") == rows
    live.assert_at_rest()
