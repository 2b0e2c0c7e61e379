"""What the writer refused stays in view while it stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schema import overview
from schema.records import Table
from syncd import inspect, unshown
from writer import kinds

HISTORY = (
    "# Edit History\n\n### 2026-03-06\n\n#### 18:00 - T1: Measured\n"
    "- Modified `a.ts` - Depths\n- Created `b.ts` - Tides\n"
)
Small = Callable[..., Any]


def _told(live: Any) -> tuple[list[unshown.Unshown], int]:
    """What is found by looking at everything, and what `syncd status` says."""
    assert {(u.table, u.key) for u in unshown.find(live.engine.db)} == overview.noted_unshown(live.engine.db)
    return unshown.find(live.engine.db), inspect.status(live.bank)["unshown"]


def test_a_value_that_no_line_can_hold_is_told_until_it_changes(small: Small) -> None:
    """The document stays as it was; `check` names the row, `status` counts it."""
    live = small({"edit_history.md": HISTORY})
    live.sql("UPDATE file_modifications SET description = 'two' || char(10) || 'lines' WHERE file_path = 'a.ts'")
    assert len(live.sync().problems) == 1
    key = str(live.value("SELECT id FROM file_modifications WHERE file_path = 'a.ts'"))
    stands = unshown.Unshown("file_modifications", key, "description", "edit_history.md")
    assert _told(live) == ([stands], 1)
    live.edit("edit_history.md", "Tides", "Tides and depths")
    assert live.sync().problems == ()
    assert _told(live) == ([stands], 1)
    live.sql("UPDATE file_modifications SET description = 'one line' WHERE file_path = 'a.ts'")
    live.sync()
    assert _told(live) == ([], 0)
    assert "- Modified `a.ts` - one line\n" in live.read("edit_history.md")


def test_a_row_that_stands_nowhere_is_told_until_it_goes(small: Small) -> None:
    """There is no document for the item of a task that has none."""
    live = small({"tasks.md": "# Tasks\n\n| ID | Title | Status |\n|---|---|---|\n| T1 | One | 🔄 |\n"})
    live.sql("INSERT INTO task_subtasks(task_id, section, text, status) VALUES ('T1', 'Subtasks', 'one', 'pending')")
    live.sync()
    (found,), count = _told(live)
    assert (found.table, found.field, found.document, count) == ("task_subtasks", None, None, 1)
    live.sql("DELETE FROM task_subtasks")
    live.sync()
    assert _told(live) == ([], 0)


def test_a_removal_that_was_refused_is_told_until_the_text_goes(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text stands without a row; taken out by hand, it is forgotten."""
    live = small({"edit_history.md": HISTORY})
    with monkeypatch.context() as patch:
        patch.setattr(kinds, "candidates", lambda *_: iter(()))
        patch.setattr("writer.put.candidates", lambda *_: iter(()))
        live.sql("DELETE FROM file_modifications WHERE file_path = 'a.ts'")
        assert "cannot be taken out of edit_history.md" in live.sync().problems[0]
    (found,), count = _told(live)
    assert (found.table, found.document, found.gone, count) == (
        Table.MODIFICATIONS.value, "edit_history.md", True, 1,
    )  # fmt: skip
    live.edit("edit_history.md", "- Modified `a.ts` - Depths\n", "")
    live.sync()
    assert _told(live) == ([], 0)


def test_a_finding_says_what_stands_and_what_does_not(syncd: Callable[..., Any], synced: Path) -> None:
    """With the exit code of something that a person should look at."""
    import sqlite3

    with sqlite3.connect(synced / ".syncd" / "memory_bank.db") as db:
        db.execute("UPDATE error_logs SET cause = 'a' || char(10) || '## 2026-01-01: b' WHERE id = 1")
    db.close()
    syncd("sync", synced)
    ran = syncd("check", synced, "--json")
    assert (ran.code, [f["what"] for f in ran.json]) == (
        1, ["error_logs 1: no document shows its cause as the row has it"],
    )  # fmt: skip
    assert "1 row is not shown by any document as given" in syncd("status", synced).out
