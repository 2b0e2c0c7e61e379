"""A new record of which the bank keeps more than one document: an entry and its chunk, a task and its file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Small = Callable[..., Any]

CHUNK = """---
kind: edit_chunk
created_at: 2026-03-05 20:12:05 UTC
task_ids: [T4]
source_branch: packs
---

#### 20:12:05 UTC - T4: First version
- Created `a.ts` - Heights
"""
HISTORY = """# Edit History

### 2026-03-05

#### 20:12:05 UTC - T4: First version
- Created `a.ts` - Heights
"""
ENTRY = (
    "INSERT INTO edit_entries(date, time, timezone, task_id, task_description) "
    "VALUES ('2026-03-06', '18:42:05', 'UTC', 'T4', 'By a row')"
)
LINE = "INSERT INTO file_modifications(edit_entry_id, action, file_path, description) VALUES (2, 'Created', ?, 'line')"
NEW = "edits/2026-03-06/184205-T4-by-a-row.md"
ROWS = (
    "SELECT id, title, status, priority, details, last_updated FROM tasks ORDER BY id",
    "SELECT date, time, timezone, task_id, task_description FROM edit_entries ORDER BY date, time",
    "SELECT action, file_path, description FROM file_modifications ORDER BY file_path",
    "SELECT session_date, session_period, focus_task, path FROM sessions ORDER BY path",
)


def _settled(live: Any) -> None:
    """At rest, and a database made anew from the files is equal."""
    live.assert_at_rest()
    before = [live.sql(query) for query in ROWS]
    live.engine.close()
    for file in (live.bank / ".syncd").glob("memory_bank.db*"):
        file.unlink()
    live.reopen()
    live.sync()
    assert [live.sql(query) for query in ROWS] == before
    live.assert_at_rest()


def _bank(small: Small) -> Any:
    return small({"edit_history.md": HISTORY, "edits/2026-03-05/201205-T4-first.md": CHUNK})


def test_a_new_entry_gets_its_chunk(small: Small) -> None:
    """One row, two readings, in the form of the newest chunk."""
    live = _bank(small)
    live.sql(ENTRY)
    live.sql(LINE, "b.ts")
    report = live.sync()
    assert (report.problems, set(report.emitted)) == ((), {"edit_history.md", NEW})
    entry = "#### 18:42:05 UTC - T4: By a row\n- Created `b.ts` - line\n"
    assert entry in live.read("edit_history.md")
    front = "---\nkind: edit_chunk\ncreated_at: 2026-03-06 18:42:05 UTC\ntask_ids: [T4]\n---\n"
    assert live.read(NEW) == f"{front}\n{entry}"
    assert live.value("SELECT count(*) FROM edit_entries") == 2
    assert live.sql('SELECT role FROM readings WHERE "table" = ? AND key = ? ORDER BY role', "edit_entries", "2") == [
        ("chunk",), ("history",),
    ]  # fmt: skip
    _settled(live)


def test_a_line_that_comes_later_stands_in_both(small: Small) -> None:
    """And a value that changes, and the entry that goes."""
    live = _bank(small)
    live.sql(ENTRY)
    live.sync()
    live.sql(LINE, "b.ts")
    live.sql("UPDATE edit_entries SET task_description = 'Reworded' WHERE id = 2")
    assert live.sync().problems == ()
    for path in ("edit_history.md", NEW):
        assert "#### 18:42:05 UTC - T4: Reworded\n- Created `b.ts` - line\n" in live.read(path)
    _settled(live)


def test_two_entries_of_one_moment_get_a_chunk_each(small: Small) -> None:
    """The second with a number."""
    live = _bank(small)
    live.sql(ENTRY)
    live.sql(ENTRY.replace("By a row", "By a row!"))
    assert live.sync().problems == ()
    assert "By a row!" in live.read(NEW.replace(".md", "-2.md"))
    assert live.value("SELECT count(*) FROM edit_entries") == 3
    live.assert_at_rest()


def test_a_bank_that_gave_chunks_up_gets_none(small: Small) -> None:
    """Its newest entries have none."""
    newer = "### 2026-03-06\n\n#### 10:00:00 UTC - T4: b\n\n#### 09:00:00 UTC - T4: a\n\n"
    more = HISTORY.replace("### 2026-03-05\n", f"{newer}### 2026-03-05\n")
    live = small({"edit_history.md": more, "edits/2026-03-05/201205-T4-first.md": CHUNK})
    live.sql(ENTRY)
    assert live.sync().emitted == ("edit_history.md",)
    live.assert_at_rest()


def test_a_bank_with_chunks_alone_gets_a_chunk(small: Small) -> None:
    """No history is made beside them."""
    live = small({"edits/2026-03-05/201205-T4-first.md": CHUNK})
    live.sql(ENTRY)
    assert live.sync().emitted == (NEW,)
    _settled(live)


REGISTRY = """# Tasks

| ID | Title | Status | Priority | Details |
|----|-------|--------|----------|---------|
| T1 | One   | 🔄     | HIGH     | [Details](tasks/T1.md) |
| T2 | Two   | ✅     | LOW      | [Details](tasks/T2.md) - done |
"""
FILE = """# {0}: {1}

*Created: 2026-01-01 10:00 UTC*
*Last Updated: 2026-01-01 10:00 UTC*

**Status**: {2}
**Priority**: {3}
"""
BORN = "INSERT INTO tasks(id, title, status, priority) VALUES ('T9', 'Nine', 'pending', 'LOW')"


def test_a_new_task_gets_a_file_where_the_others_have_one(small: Small) -> None:
    """In their form, and the link to it in its row; both show one record."""
    live = small({
        "tasks.md": REGISTRY, "tasks/T1.md": FILE.format("T1", "One", "🔄 IN PROGRESS", "HIGH"),
        "tasks/T2.md": FILE.format("T2", "Two", "✅ COMPLETED", "LOW"),
    })  # fmt: skip
    live.sql(BORN)
    assert live.sync().problems == ()
    assert "| T9 | Nine  | ⬜     | LOW      | [Details](tasks/T9.md) |\n" in live.read("tasks.md")
    text = live.read("tasks/T9.md")
    assert text.startswith("# T9: Nine\n\n*Created: 20")
    assert re.search(r" UTC\*\n\n\*\*Status\*\*: ⬜ (NOT STARTED|PENDING|TODO)\n\*\*Priority\*\*: LOW\n\Z", text)
    assert live.value("SELECT details FROM tasks WHERE id = 'T9'") == "[Details](tasks/T9.md)"
    _settled(live)


def test_a_new_task_gets_no_file_where_the_others_have_none(small: Small) -> None:
    """Only its row."""
    live = small({"tasks.md": REGISTRY})
    live.sql(BORN)
    assert live.sync().emitted == ("tasks.md",)
    assert "| T9 | Nine  | ⬜     | LOW      | -" in live.read("tasks.md")
    _settled(live)


def test_two_sessions_of_one_period_both_survive(small: Small) -> None:
    """Each has its document; the number is part of the second one's period, as its name tells."""
    live = small({"projectbrief.md": "# Brief\n"})
    insert = "INSERT INTO sessions(session_date, session_period, focus_task) VALUES ('2026-03-07', 'evening', ?)"
    for focus in ("T1", "T2"):
        live.sql(insert, focus)
        assert live.sync().problems == ()
    assert live.sql("SELECT session_period, focus_task, path FROM sessions ORDER BY id") == [
        ("evening", "T1", "sessions/2026-03-07-evening.md"), ("evening-2", "T2", "sessions/2026-03-07-evening-2.md"),
    ]  # fmt: skip
    _settled(live)


def test_a_session_is_continued_in_its_own_document(small: Small) -> None:
    """What it had not said so far is put in, in its form; its prose stays."""
    header = "**Started**: 2026-03-07 18:00:00 UTC  \n**Focus Task**: T1  \n"
    text = f"# Session 2026-03-07 - Evening\n\n{header}\n## Work\n\n- much\n"
    live = small({"sessions/2026-03-07-evening.md": text})
    live.sql("UPDATE sessions SET end_time = '2026-03-07 21:00:00', status = 'completed'")
    assert live.sync().problems == ()
    assert live.read("sessions/2026-03-07-evening.md") == text.replace(
        "UTC  \n", "UTC  \n**Ended**: 2026-03-07 21:00:00 UTC  \n"
    ).replace("T1  \n", "T1  \n**Status**: ✅ COMPLETED  \n")
    _settled(live)


def test_a_sessions_path_leads_nowhere_else(small: Small) -> None:
    """A row may not name a document outside the folder of sessions."""
    live = small({"projectbrief.md": "# Brief\n"})
    for path in ("../x.md", "tasks.md", "sessions/a/b.md", "sessions/a\nb.md"):
        live.sql("INSERT INTO sessions(session_date, path) VALUES ('2026-03-07', ?)", path)
        assert any("cannot be the path" in problem for problem in live.sync().problems)
    assert live.tree().keys() == {"projectbrief.md"}


def test_the_cache_of_a_bank_without_one_is_made_for_its_row(small: Small) -> None:
    """In the plain form."""
    live = small({"projectbrief.md": "# Brief\n"})
    live.sql("INSERT INTO session_cache(id, current_focus_task, active_count) VALUES (1, 'T1: One', 2)")
    assert live.sync().problems == ()
    assert live.read("session_cache.md") == (
        "# Session Cache\n\n## Current Session\n\n**Focus Task**: T1: One\n**Session File**: -\n\n"
        "## Overview\n\n- Active: 2\n"
    )
    live.assert_at_rest()


def test_counts_follow_also_where_the_cache_was_told_something(small: Small) -> None:
    """A new focus and a new task in one batch; a count that the batch names itself stands."""
    cache = "# Session Cache\n\n**Focus Task**: T1\n\n## Overview\n- Active: 1 | Paused: 0 | Completed: 0\n"
    tasks = "# Tasks\n\n| ID | Title | Status |\n|-|-|-|\n| T1 | One | 🔄 |\n"
    live = small({"session_cache.md": cache, "tasks.md": tasks})
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T1'")
    live.sql("UPDATE session_cache SET current_focus_task = 'T2'")
    live.sync()
    expected = cache.replace("T1", "T2").replace("e: 1", "e: 0").replace("d: 0\n", "d: 1\n")
    assert live.read("session_cache.md") == expected
    live.assert_at_rest()


def test_a_chunk_that_says_otherwise_keeps_its_words(small: Callable[..., Any]) -> None:
    """One that says the same follows the row."""
    entry = "#### 18:00:00 UTC - T1: Measured\n- Modified `a.ts` - {}\n- Created `b.ts` - Tides\n"
    chunk = "---\nkind: edit_chunk\ncreated_at: 2026-03-06 18:00:00 UTC\ntask_ids: [T1]\n---\n\n"
    path = "edits/2026-03-06/180000-T1-measured.md"
    live = small({
        "edit_history.md": f"# Edit History\n\n### 2026-03-06\n\n{entry.format('Depths')}",
        path: chunk + entry.format("Depths of the harbour"),
    })  # fmt: skip
    assert live.value("SELECT count(*) FROM file_modifications") == 2
    live.sql("UPDATE file_modifications SET description = 'In one pass' WHERE file_path = 'a.ts'")
    live.sql("UPDATE file_modifications SET description = 'Tide tables' WHERE file_path = 'b.ts'")
    assert live.sync().problems == ()
    told = entry.replace("Tides", "Tide tables")
    assert live.read("edit_history.md").endswith(told.format("In one pass"))
    assert live.read(path) == chunk + told.format("Depths of the harbour")
