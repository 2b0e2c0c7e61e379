"""A session's fields are written where they stand, and its file is never emptied."""

from __future__ import annotations

import pytest

from parser.document import At, Document, parse
from schema.records import Value
from writer.changes import Remove, SetFields
from writer.put import put

TEXT = """# Session 2031-05-06 - Morning

**Started**: 2031-05-06 08:05:09 IST
**Ended**: -
**Status**: 🔄 **IN PROGRESS** (long)

## Focus Task
- T3: Rope

## Work Done
- **Status**: ✅
"""


def session() -> Document:
    return parse("sessions/2031-05-06-morning.md", TEXT)


@pytest.mark.parametrize(
    ("section", "field", "value", "old", "new"),
    [
        (0, "start_time", "2031-05-06 07:00", "08:05:09 IST", "07:00 IST"),
        (0, "end_time", "2031-05-06 09:00", "**Ended**: -", "**Ended**: 2031-05-06 09:00"),
        (0, "status", "completed", "🔄 **IN PROGRESS** (long)", "✅ **COMPLETED** (long)"),
        (1, "focus_task", "T4: Net", "- T3: Rope", "- T4: Net"),
    ],
)
def test_a_field_changes_where_it_stands(section: int, field: str, value: Value, old: str, new: str) -> None:
    """All other bytes stay."""
    done = put(session(), [SetFields(At(section, 0), {field: value})])
    assert done.refused == ()
    assert done.document.text == TEXT.replace(old, new, 1)


def test_the_date_in_the_name_cannot_be_written() -> None:
    """The text has no place for it."""
    done = put(session(), [SetFields(At(0, 0), {"session_date": "2031-05-07"})])
    assert len(done.refused) == 1
    assert done.document.text == TEXT


def test_a_session_is_not_removed_by_emptying_its_file() -> None:
    """An empty file would still be a session."""
    done = put(session(), [Remove(At(0, 0))])
    assert len(done.refused) == 1
    assert done.document.text == TEXT
