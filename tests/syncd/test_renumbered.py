"""A row that is given another number, or is deleted and written again, is the same record: its text stays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from schema.db import open_database
from syncd.bank import database_of
from syncd.history.undo import undo
from tests.syncd.conftest import Live

HISTORY = """# Edit History

### 2026-03-05

#### 10:15 - T2: Later
- Created `a.py` - x
  - Only on the large screens
- Created `d.py` - w

Ada found this out by chance.

#### 9:15 - T2: Early
- Created `b.py` - y
"""
TASK = "# T9: Night\n**Status**: 🔄\n\n## Checklist\n\n- [ ] one\n  - Only on the large screens\n- [ ] two\n"
ERRORS = """# Error Log

## 2026-03-05 10:15: T9 - Boom
**Error**: `Boom`
**Cause**: c

### Notes

- Only on the large screens

## 2026-03-04 10:15: T8 - Bang
**Error**: `Bang`
"""
SESSION = "# Session 2026-03-05 - morning\n**Focus Task**: T9\n\n## Notes\n\nOnly on the large screens, says Ada.\n"
AGAIN = """CREATE TEMP TABLE e AS SELECT * FROM edit_entries; CREATE TEMP TABLE m AS SELECT * FROM file_modifications;
DELETE FROM edit_entries;
INSERT INTO edit_entries(id, date, time, timezone, task_id, task_description)
    SELECT id + 70, date, time, timezone, task_id, task_description FROM e;
INSERT INTO file_modifications(id, edit_entry_id, action, file_path, description)
    SELECT id + 80, edit_entry_id + 70, action, file_path, description FROM m"""
CASES = {
    "a line": ("edit_history.md", HISTORY, "UPDATE file_modifications SET id = 77 WHERE file_path = 'a.py'"),
    "twice": (
        "edit_history.md",
        HISTORY,
        "UPDATE file_modifications SET id = 77 WHERE file_path = 'a.py'; "
        "UPDATE file_modifications SET id = 78 WHERE id = 77",
    ),
    "an entry": ("edit_history.md", HISTORY, "UPDATE edit_entries SET id = 88 WHERE task_description = 'Later'"),
    "all": (
        "edit_history.md", HISTORY, "UPDATE file_modifications SET id = id + 100; UPDATE edit_entries SET id = id + 50",
    ),
    "all written again": ("edit_history.md", HISTORY, AGAIN),
    "items": ("tasks/T9.md", TASK, "UPDATE task_subtasks SET id = id + 9"),
    "a session": ("sessions/2026-03-05-morning.md", SESSION, "UPDATE sessions SET id = 77"),
    "a session written again": (
        "sessions/2026-03-05-morning.md",
        SESSION,
        "CREATE TEMP TABLE s AS SELECT * FROM sessions; DELETE FROM sessions; "
        "INSERT INTO sessions(id, session_date, session_period, focus_task, path) "
        "SELECT id + 9, session_date, session_period, focus_task, path FROM s",
    ),
    "an error": ("errorLog.md", ERRORS, "UPDATE error_logs SET id = 99 WHERE error_message LIKE '%Boom%'"),
}  # fmt: skip


def run(live: Live, statements: str) -> None:
    with closing(open_database(database_of(live.bank), create=False)) as client, client.atomic():
        client.run(statements)


@pytest.mark.parametrize(("path", "text", "statements"), CASES.values(), ids=CASES)
def test_its_text_stays(small: Callable[..., Live], path: str, text: str, statements: str) -> None:
    """With all that people wrote below it; what is edited afterwards is that of its row."""
    live = small({path: text})
    before = live.sql("SELECT file_path, description FROM file_modifications ORDER BY file_path")
    run(live, statements)
    report = live.sync()
    assert (live.read(path), report.conflicts, report.refused) == (text, (), ())
    live.assert_at_rest()
    assert live.sql("SELECT file_path, description FROM file_modifications ORDER BY file_path") == before
    saved = text.replace(" - w", " - well").replace("] two", "] three").replace("`Bang`", "`Bong`")
    saved = saved.replace(": T9\n", ": T8\n")
    live.write(path, saved)
    assert live.sync().emitted == ()
    live.assert_at_rest()
    assert live.value(
        """SELECT count(*) FROM (SELECT description AS said FROM file_modifications UNION ALL
        SELECT text FROM task_subtasks UNION ALL SELECT error_message FROM error_logs UNION ALL
        SELECT focus_task FROM sessions) WHERE said IN ('well', 'three', 'Bong', '`Bong`', 'T8')"""
    ) == 1


@pytest.mark.parametrize(("path", "text", "statements"), CASES.values(), ids=CASES)
def test_it_can_be_undone(small: Callable[..., Live], path: str, text: str, statements: str) -> None:
    """The rows have the numbers that they had."""
    live = small({path: text})
    tables = ("edit_entries", "file_modifications", "task_subtasks", "error_logs", "sessions")
    before = [live.sql(f"SELECT id FROM {table} ORDER BY id") for table in tables]
    run(live, statements)
    live.sync()
    undo(live.engine, ["2"])
    assert live.read(path) == text
    assert [live.sql(f"SELECT id FROM {table} ORDER BY id") for table in tables] == before
    live.assert_at_rest()


def test_one_that_is_changed_as_well(small: Callable[..., Live]) -> None:
    """Only that moves, also where somebody writes below it at the same time."""
    live = small({"edit_history.md": HISTORY})
    run(
        live,
        "UPDATE edit_entries SET id = 88 WHERE task_description = 'Later'; "
        "UPDATE edit_entries SET task_description = 'Last' WHERE id = 88",
    )
    live.write("edit_history.md", HISTORY.replace("by chance", "at night"))
    assert live.sync().conflicts == ()
    assert live.read("edit_history.md") == HISTORY.replace("by chance", "at night").replace("T2: Later", "T2: Last")
    live.assert_at_rest()


def test_of_two_that_say_the_same_each_keeps_its_text(small: Callable[..., Live]) -> None:
    """The one that is deleted goes, and no other."""
    line = "- Created `a.py` - x\n"
    text = f"# Edit History\n\n### 2026-03-05\n\n#### 10:15 - T2: Later\n{line}  - first\n{line}  - second\n"
    live = small({"edit_history.md": text})
    run(live, "UPDATE file_modifications SET id = id + 10 WHERE id = 2; DELETE FROM file_modifications WHERE id = 1")
    live.sync()
    assert live.read("edit_history.md") == text.replace(f"{line}  - first\n", "")
    live.assert_at_rest()


OWNED = HISTORY + "\n### 2026-03-04\n\n#### 8:15 - T2: Old\n- Created `c.py` - z\n"
NESTED = "- Created `a.py` - x\n  - Only on the large screens\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_line_takes_what_stands_below_it_to_another_entry(small: Callable[..., Live], ending: str) -> None:
    """Also what is written there meanwhile."""
    live = small({"edit_history.md": OWNED.replace("\n", ending)})
    run(live, "UPDATE file_modifications SET edit_entry_id = 3 WHERE file_path = 'a.py'")
    saved = OWNED.replace("large screens\n", "large screens\n    in the dark\n")
    live.write("edit_history.md", saved.replace("\n", ending))
    assert live.sync().refused == ()
    nested = NESTED + "    in the dark\n"
    moved = saved.replace(nested, "").replace("`c.py` - z\n", "`c.py` - z\n" + nested)
    assert live.read("edit_history.md") == moved.replace("\n", ending)
    live.assert_at_rest()


def test_an_entry_is_split_in_two(small: Callable[..., Live]) -> None:
    """The lines of the new one come with what stands below them."""
    live = small({"edit_history.md": OWNED})
    run(
        live,
        "INSERT INTO edit_entries(id, date, time, task_id, task_description) "
        "VALUES (9, '2026-03-05', '11:00', 'T2', 'Last'); "
        "UPDATE file_modifications SET edit_entry_id = 9 WHERE file_path IN ('a.py', 'd.py')",
    )
    live.sync()
    lines = NESTED + "- Created `d.py` - w\n"
    assert live.read("edit_history.md") == OWNED.replace(
        "#### 10:15 - T2: Later\n" + lines, f"#### 11:00 - T2: Last\n{lines}\n#### 10:15 - T2: Later\n"
    )
    live.assert_at_rest()


def test_a_session_that_is_written_again_in_other_words(small: Callable[..., Live]) -> None:
    """Its document is its own: only what is worded otherwise changes there."""
    path = "sessions/2026-03-05-morning.md"
    live = small({path: SESSION})
    run(
        live,
        "DELETE FROM sessions; INSERT INTO sessions(id, session_date, session_period, focus_task, path) "
        f"VALUES (5, '2026-03-05', 'morning', 'T8', '{path}')",
    )
    report = live.sync()
    assert (report.holds, report.refused) == ((), ())
    assert live.read(path) == SESSION.replace(": T9", ": T8")
    live.assert_at_rest()


def test_a_line_comes_below_an_entry_that_has_another_number(small: Callable[..., Live]) -> None:
    """And the entry is changed as well: all in one transaction of one program."""
    live = small({"edit_history.md": HISTORY})
    run(
        live,
        "UPDATE edit_entries SET id = 88 WHERE task_description = 'Later'; "
        "UPDATE edit_entries SET task_description = 'Last' WHERE id = 88; "
        "INSERT INTO file_modifications(edit_entry_id, action, file_path, description) "
        "VALUES (88, 'Created', 'e.py', 'v')",
    )
    assert live.sync().refused == ()
    line = "- Created `d.py` - w\n"
    saved = HISTORY.replace("T2: Later", "T2: Last").replace(line, f"{line}- Created `e.py` - v\n")
    assert live.read("edit_history.md") == saved
    live.assert_at_rest()


def test_what_cannot_go_along_stays_where_it_stands(small: Callable[..., Live]) -> None:
    """A new entry gets a chunk of its own, which has no room for it: the line stands twice, and no word is lost."""
    live = small({
        "edits/2026-03-05/101500-T2-later.md": f"# Work\n\n#### 10:15 - T2: Later\n{NESTED}- Created `d.py` - w\n",
        "edits/2026-03-05/091500-T2-early.md": "# Work\n\n#### 9:15 - T2: Early\n- Created `b.py` - y\n",
    })  # fmt: skip
    run(
        live,
        "INSERT INTO edit_entries(id, date, time, task_id, task_description) "
        "VALUES (9, '2026-03-05', '11:00', 'T2', 'Last'); "
        "UPDATE file_modifications SET edit_entry_id = 9 WHERE file_path = 'a.py'",
    )
    live.sync()
    assert "- Created `a.py` - x\n" in live.read("edits/2026-03-05/1100-T2-last.md")
    assert NESTED in live.read("edits/2026-03-05/101500-T2-later.md")
    assert live.sync().transaction is None
