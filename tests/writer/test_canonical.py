"""Documents of one record in their plain form."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parser.kinds.session import dated
from schema.records import Priority, Status, Table, Value
from writer.canonical import blank, cache_document, session_document, task_document
from writer.told import agrees, said

LAW = settings(max_examples=60)
DATES = st.dates(min_value=date(2000, 1, 1)).map(str)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40)
HOSTILE = TEXT | st.sampled_from([
    "# T3: Other", "a\n\n**Status**: ✅", "- [x] done", "**Priority**: LOW", "```\n# x", "## Status\n\n✅", "x | y",
])  # fmt: skip
TASKS = st.fixed_dictionaries({
    "title": st.none() | HOSTILE, "status": st.none() | st.sampled_from([s.value for s in Status]),
    "priority": st.none() | st.sampled_from([p.value for p in Priority]), "started": st.none() | DATES,
    "completed": st.none() | DATES, "description": st.none() | HOSTILE,
    "dependencies": st.lists(st.sampled_from(["T1", "T2", "META-1"]), unique=True).map(tuple),
})  # fmt: skip


@LAW
@given(TASKS)
def test_a_task_file_says_nothing_but_its_row(values: dict[str, Value]) -> None:
    """Whatever the words are; all that needs no words is there."""
    document = task_document("T9", values, created="2026-03-06 18:42:05 UTC")
    assert agrees(document, Table.TASKS, values)
    there = said(document, Table.TASKS)
    for name in ("status", "priority", "started", "completed", "dependencies"):
        assert set(there.get(name) or ()) == set(values[name] or ()), name


@LAW
@given(HOSTILE, st.sampled_from([None, "evening", "late-night"]))
def test_a_session_file_keeps_its_words_and_says_nothing_else(content: str, period: str | None) -> None:
    """Words that would read as something else stand in a code block."""
    values: dict[str, Value] = {
        "session_date": "2026-03-06", "session_period": period, "focus_task": "T1: One",
        "start_time": "2026-03-06 18:00:00", "status": "in_progress", "content": content,
    }  # fmt: skip
    document = session_document(f"sessions/2026-03-06{f'-{period}' if period else ''}.md", values)
    wanted = {name: value for name, value in values.items() if value and name != "content"}
    assert said(document, Table.SESSIONS) == wanted
    assert content.strip("\n") in document.text


def test_a_session_whose_document_is_numbered_keeps_its_fields() -> None:
    """The period of the name is another than that of the row."""
    document = session_document("sessions/2026-03-06-evening-2.md", {
        "session_date": "2026-03-06", "session_period": "evening", "focus_task": "T1",
    })  # fmt: skip
    assert said(document, Table.SESSIONS) == {**dated("2026-03-06-evening-2"), "focus_task": "T1"}


@pytest.mark.parametrize("path", ["edit_history.md", "errorLog.md", "changelog.md", "tasks.md", "activeContext.md"])
def test_an_empty_document_has_a_title_and_a_stamp(path: str) -> None:
    """And no record."""
    document = blank(path, "2026-03-06 18:42:05 UTC")
    assert document.text.endswith("\n\n*Last Updated: 2026-03-06 18:42:05 UTC*\n")
    assert {r.table for _, r in document.readings()} <= {Table.HEADER}
    assert blank(path).text.count("\n") == 1


def test_a_cache_of_which_only_the_row_is_known() -> None:
    """Each of its values reads back."""
    values: dict[str, Value] = {
        "current_session_id": "sessions/2026-03-06-evening.md", "current_focus_task": "T1 (One)", "active_count": "2",
        "paused_count": "0", "completed_count": "1", "last_updated": "2026-03-06 18:42:05",
    }  # fmt: skip
    assert said(cache_document(values), Table.CACHE) == values
