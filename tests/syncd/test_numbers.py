"""Numbers that SQLite gives again: the row that gets one is not the record that a document still shows by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncd.history.undo import undo

LiveBank = Any
CHUNK = "edits/2026-03-05/201205-T4-packs.md"
TEXT = """kind: edit_chunk
- Created `src/a.ts` - First
**bold** text
created_at: 2026-03-05 20:12:05 UTC
task_ids: [T4]
---
"""
"""A line that cannot be taken out: what stands below it would be read otherwise."""
HISTORY = "# Edit History\n\n### 2026-03-07\n\n#### 10:00:00 UTC - T1: One\n- Created `src/z.ts` - zed\n"
INSERT = """INSERT INTO file_modifications(edit_entry_id, action, file_path, description)
    SELECT id, 'Modified', ?, 'part' FROM edit_entries WHERE task_id = ?"""


@pytest.fixture
def left(small: Callable[..., LiveBank]) -> LiveBank:
    """A bank whose chunk shows a line that has no row any more."""
    live = small({"edit_history.md": HISTORY, CHUNK: TEXT})
    live.sql("DELETE FROM file_modifications WHERE file_path = 'src/a.ts'")
    assert "cannot be taken out" in live.sync().problems[0]
    assert live.read(CHUNK) == TEXT
    return live


@pytest.mark.parametrize("path", ["src/b.ts", "src/a.ts"])
def test_a_row_with_the_number_of_a_line_that_stayed_is_another(left: LiveBank, path: str) -> None:
    """It comes to stand at its own entry, whatever it says; the line that stayed is not touched, also not later."""
    before = left.tree()
    left.sql(INSERT, path, "T1")
    report = left.sync()
    assert left.sql("SELECT id, action, file_path FROM file_modifications") == [
        (1, "Created", "src/z.ts"), (2, "Modified", path),
    ]  # fmt: skip
    assert (report.conflicts, report.problems, report.emitted) == ((), (), ("edit_history.md",))
    assert left.read("edit_history.md") == f"{HISTORY}- Modified `{path}` - part\n"
    left.assert_at_rest()
    left.sql("UPDATE file_modifications SET description = 'whole' WHERE id = 2")
    left.sync()
    assert left.read(CHUNK) == TEXT
    undo(left.engine, ["4", "3"])
    assert left.tree() == before
    assert left.value("SELECT count(*) FROM file_modifications") == 1
    left.assert_at_rest()


def test_a_line_of_a_document_does_not_get_the_number_of_one_that_stayed(left: LiveBank) -> None:
    """The number that is next is skipped while a document names it."""
    left.write("edit_history.md", f"{HISTORY}- Created `src/c.ts` - third\n")
    left.sync()
    assert left.sql("SELECT id FROM file_modifications ORDER BY id") == [(1,), (3,)]
    left.sql("UPDATE file_modifications SET file_path = 'src/d.ts' WHERE id = 3")
    left.sync()
    assert left.read(CHUNK) == TEXT
    left.assert_at_rest()


def test_the_row_that_comes_back_with_its_number_is_the_record_that_stayed(left: LiveBank) -> None:
    """Entered anew below the same entry, or by undo: the line is shown by it again."""
    left.sql(INSERT.replace("'Modified'", "'Created'").replace("'part'", "'First'"), "src/a.ts", "T4")
    assert left.sync().emitted == ()
    assert left.value("SELECT key FROM readings WHERE \"table\" = 'file_modifications' AND key = '2'") == "2"
    undo(left.engine, ["3"])
    undo(left.engine, ["2"])
    assert left.read(CHUNK) == TEXT
    assert left.value("SELECT file_path FROM file_modifications WHERE id = 2") == "src/a.ts"
    left.assert_at_rest()
