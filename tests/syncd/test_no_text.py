"""A document that holds no text any more is left alone; what a program says of its records waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.syncd.conftest import Live

CASES = {
    "a task": ("tasks/T9.md", "# T9: Night\n**Status**: 🔄\n\nProse.\n", "UPDATE tasks SET priority = 'HIGH'", "HIGH"),
    "a task of the registry": (
        "tasks.md",
        "# Tasks\n\n| ID | Title | Status |\n|---|---|---|\n| T9 | Night | 🔄 |\n\nProse.\n",
        "UPDATE tasks SET title = 'Day'",
        "Day",
    ),
    "an entry": (
        "edit_history.md",
        "# Edit History\n\n### 2026-03-05\n\n#### 10:15 - T2: Later\n- Created `a.py` - x\n\nProse.\n",
        "UPDATE edit_entries SET task_description = 'Last'",
        "Last",
    ),
    "a new entry": (
        "edit_history.md",
        "# Edit History\n\n### 2026-03-05\n\n#### 10:15 - T2: Later\n- Created `a.py` - x\n\nProse.\n",
        "INSERT INTO edit_entries(date, time, task_description) VALUES ('2026-03-05', '11:00', 'Last')",
        "Last",
    ),
    "an error": (
        "errorLog.md",
        "# Error Log\n\n## 2026-03-05 10:15: T9 - Boom\n**Error**: `Boom`\n**Cause**: c\n\nProse.\n",
        "UPDATE error_logs SET cause = 'heat'",
        "heat",
    ),
    "a session": (
        "sessions/2026-03-05-morning.md",
        "# Session 2026-03-05 - morning\n**Focus Task**: T9\n\nProse.\n",
        "UPDATE sessions SET focus_task = 'T8'",
        "T8",
    ),
    "the cache": (
        "session_cache.md",
        "# Session Cache\n\n**Focus Task**: T9\n\nProse.\n",
        "UPDATE session_cache SET current_focus_task = 'T8'",
        "T8",
    ),
}


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("path", "text", "sql", "word"), CASES.values(), ids=CASES)
def test_nothing_is_written_over_it(
    small: Callable[..., Live], path: str, text: str, sql: str, word: str, together: bool
) -> None:
    """Not a byte; once it is text again both are one."""
    live = small({path: text})
    spoilt = text.encode().replace(b"Prose", b"Prose \xff\xfe")
    if not together:
        live.sql(sql)
    (live.bank / path).write_bytes(spoilt)
    if together:
        live.sql(sql)
    for _ in range(2):
        report = live.sync()
        assert (live.bank / path).read_bytes() == spoilt
    assert [why for why in report.refused if f"waits for {path}, which cannot be read: not UTF-8" in why]
    live.write(path, text)
    live.sync()
    assert word in live.read(path)
    assert "Prose" in live.read(path)
    live.assert_at_rest()


def test_a_new_record_gets_another_name(small: Callable[..., Live]) -> None:
    """A session's document; a task comes to stand where there is text, the list of the cache is no home."""
    registry = "# Tasks\n\n| ID | Title | Status |\n|---|---|---|\n| T9 | Night | 🔄 |\n"
    live = small({"tasks.md": registry})
    for path in ("sessions/2026-03-05-morning.md", "session_cache.md"):
        (live.bank / path).parent.mkdir(exist_ok=True)
        (live.bank / path).write_bytes(b"\xff")
    live.sync()
    live.sql("INSERT INTO sessions(session_date, session_period, content) VALUES ('2026-03-05', 'morning', 'words')")
    live.sql("INSERT INTO tasks(id, title, status) VALUES ('T10', 'Day', 'pending')")
    assert live.sync().refused == ()
    assert "words" in live.read("sessions/2026-03-05-morning-2.md")
    assert "| T10 | Day" in live.read("tasks.md")
    assert (live.bank / "sessions/2026-03-05-morning.md").read_bytes() == b"\xff"
    live.assert_at_rest()
