"""Changes of the session cache touch the field that changed, and a removed task does not come back."""

from __future__ import annotations

import pytest

from parser.document import At, Document, parse
from schema.records import Table, Value
from writer.changes import Insert, Remove, SetFields
from writer.put import put

TEXT = """# Session Cache
*Last Updated: 2031-05-06 16:30 IST*

## Current Session
**Focus Task**: None
**Session File**: `sessions/2031-05-06-afternoon.md`

## Overview
- Active: 11 | Paused: 0 | Completed: 7

## Task Registry
- T1: Sound the bay - 🔄 (NEW)
- T2: Buy rope - ✅

## Active Tasks
### T1: Sound the bay
**Status:** 🔄 **Priority:** HIGH
**Started:** 2031-05-01 **Last**: 2031-05-06 10:30 IST

#### Critical Files
- `bay.md`

## Completed Tasks
### T1: First soundings
**Status:** ✅
### T2: Buy rope
**Status:** ✅ COMPLETED

## Session History
### T1: long ago

# Session Cache
### T1: Sound the bay
"""


def cache() -> Document:
    return parse("session_cache.md", TEXT)


def place(document: Document, key: str, field: str, nth: int = 0) -> At:
    return [at for at, r in document.readings() if r.key == key and field in r.fields][nth]


def changed(key: str, field: str, value: Value, nth: int = 0) -> str:
    document = cache()
    done = put(document, [SetFields(place(document, key, field, nth), {field: value})])
    assert done.refused == ()
    return done.document.text


@pytest.mark.parametrize(
    ("key", "field", "value", "nth", "old", "new"),
    [
        ("current", "last_updated", "2031-05-07 08:00", 0, "16:30 IST*", "08:00 IST*"),
        ("current", "current_focus_task", "T2: Buy rope", 0, "Task**: None", "Task**: T2: Buy rope"),
        ("current", "current_session_id", "sessions/x.md", 0, "sessions/2031-05-06-afternoon.md", "sessions/x.md"),
        ("current", "active_count", "12", 0, "Active: 11", "Active: 12"),
        ("current", "completed_count", "0", 0, "Completed: 7", "Completed: 0"),
        ("T1", "status", "paused", 0, "bay - 🔄 (NEW)", "bay - ⏸️ (NEW)"),
        ("T1", "status", "completed", 1, "**Status:** 🔄", "**Status:** ✅"),
        ("T1", "priority", "LOW", 0, "**Priority:** HIGH", "**Priority:** LOW"),
        ("T1", "last_updated", "2031-05-07 08:00:09", 0, "2031-05-06 10:30 IST", "2031-05-07 08:00:09 IST"),
        ("T2", "title", "Buy chain", 0, "- T2: Buy rope", "- T2: Buy chain"),
        ("T2", "status", "in_progress", 1, "✅ COMPLETED", "🔄 IN PROGRESS"),
    ],
)
def test_a_field_changes_where_it_stands(key: str, field: str, value: Value, nth: int, old: str, new: str) -> None:
    """All other bytes stay."""
    expected = TEXT.replace(old, new, 1)
    if field == "last_updated" and key == "current":
        expected = expected.replace("2031-05-06 08:00 IST*", "2031-05-07 08:00 IST*")
    assert changed(key, field, value, nth) == expected


def test_a_removed_section_takes_its_subsections_and_what_would_show_the_task_instead() -> None:
    """Only of this cache: history and older caches stay."""
    document = cache()
    done = put(document, [Remove(place(document, "T1", "priority"))])
    assert done.refused == ()
    start, end = TEXT.index("### T1: Sound"), TEXT.index("## Completed Tasks")
    first = TEXT.index("### T1: First"), TEXT.index("### T2: Buy")
    assert done.document.text == TEXT[:start] + TEXT[end : first[0]] + TEXT[first[1] :]


def test_a_registry_line_is_removed_alone() -> None:
    """The section of the same task stays."""
    document = cache()
    done = put(document, [Remove(place(document, "T1", "title"))])
    assert done.document.text == TEXT.replace("- T1: Sound the bay - 🔄 (NEW)\n", "")


def test_a_new_task_gets_a_line_in_the_registry() -> None:
    """Before the finished ones; the note of another is not its own."""
    done = put(cache(), [Insert(Table.TASKS, {"id": "T9", "title": "New", "status": "pending"})])
    assert done.document.text == TEXT.replace("(NEW)\n", "(NEW)\n- T9: New - ⬜\n")



def test_the_cache_itself_is_not_removed() -> None:
    """It is the file."""
    document = cache()
    done = put(document, [Remove(at) for at, r in document.readings() if r.table is Table.CACHE])
    assert len(done.refused) == 3
    assert done.document.text == TEXT
