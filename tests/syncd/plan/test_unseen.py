"""A document that is there and cannot be read yet is not made a second time: its records wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncd.disk import scan as scanning
from syncd.disk.files import Busy, Unreadable

TASKS = """# Task Registry

| ID | Title | Status | Priority |
|----|-------|--------|----------|
| T1 | Rope  | 🔄 IN PROGRESS | HIGH |
"""
HISTORY = "# Edit History\n\n### 2026-03-05\n\n#### 09:00 IST - T1: By hand\n- Modified `a.py` - one\n"
ERRORS = "# Error Log\n\n## 2026-03-04 10:00: T1 - Frayed\n**Error:** Frayed\n"
CACHE = "# Session Cache\n\n*Last Updated: 2026-03-05 09:00:00 IST*\n\n## Active Tasks\n- T1: Rope\n"
FILES = {"tasks.md": TASKS, "edit_history.md": HISTORY, "errorLog.md": ERRORS, "session_cache.md": CACHE}


@pytest.mark.parametrize("why", [Unreadable("permission denied"), Busy("open for writing")])
def test_rows_wait_for_documents_that_could_not_be_read(
    small: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, why: Unreadable | Busy
) -> None:
    live = small({"notes.md": "# Notes\n", "tasks/T1.md": "# T1: Rope\n\n**Status**: 🔄 IN PROGRESS\n"})
    for path, text in FILES.items():
        live.write(path, text)
    live.sql("INSERT INTO tasks(id, title, status, priority) VALUES ('T2', 'Sail', 'pending', 'LOW')")
    columns = "date, time, task_id, task_description"
    live.sql(f"INSERT INTO edit_entries({columns}) VALUES ('2026-03-06', '18:40', 'T1', 'Row')")
    live.sql("INSERT INTO file_modifications(edit_entry_id, action, file_path) VALUES (1, 'Created', 'b.py')")
    live.sql("INSERT INTO error_logs(timestamp, error_message) VALUES ('2026-03-06 10:00', 'Torn')")
    read = scanning.read_stable
    with monkeypatch.context() as hidden:
        hidden.setattr(
            scanning, "read_stable", lambda root, path, *a, **k: why if path in FILES else read(root, path, *a, **k)
        )
        report = live.sync(settle=False)
    assert {path: live.read(path) for path in FILES} == FILES
    assert sorted(path for path in live.tree() if path.endswith(".md")) == sorted(["notes.md", "tasks/T1.md", *FILES])
    waits = [sentence for sentence in report.refused if "which cannot be read" in sentence]
    assert len(waits) == 4
    live.sync()
    assert "| T2 " in live.read("tasks.md")
    assert "18:40" in live.read("edit_history.md")
    assert "- Created `b.py`" in live.read("edit_history.md")
    assert "Torn" in live.read("errorLog.md")
    assert all(old in live.read(path) for path in FILES for old in FILES[path].split("\n") if "Updated" not in old)
    live.assert_at_rest()
