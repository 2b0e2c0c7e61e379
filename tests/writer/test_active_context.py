"""Status and priority of a task follow in the active context, in the style of their places."""

from __future__ import annotations

import pytest

from parser.document import Document, parse
from writer.changes import Remove, SetFields
from writer.put import put

TEXT = """# Active Context

*Last Updated: May 6, 2031*

## Current Focus
Task: T1 (Sound the bay)
Status: 🔄 IN PROGRESS
Priority: HIGH

## Current Tasks
1. **[T2]**: Buy rope (MEDIUM priority)
   - Status: 🔄 IN PROGRESS (80% complete)
   - Next: the market
2. **[T3]**: Mend the net (low priority)
   - Status: ⬜ PLANNED

### ✅ T4: Hull — Complete
**Status:** Complete. Tested at sea.

## Completed Tasks
- **T1**: a part of it — ✅ COMPLETED
"""


def context() -> Document:
    return parse("activeContext.md", TEXT)


@pytest.mark.parametrize(
    ("key", "values", "changes"),
    [
        ("header", {"last_updated": "2031-12-24"}, [("May 6, 2031", "December 24, 2031")]),
        (
            "T1",
            {"status": "paused", "priority": "LOW"},
            [("🔄 IN PROGRESS\n", "⏸️ PAUSED\n"), ("Priority: HIGH", "Priority: LOW")],
        ),
        ("T2", {"status": "completed"}, [("🔄 IN PROGRESS (80%", "✅ COMPLETED (80%")]),
        (
            "T3",
            {"status": "in_progress", "priority": "HIGH"},
            [("⬜ PLANNED", "🔄 IN PROGRESS"), ("(low priority)", "(high priority)")],
        ),
        (
            "T4",
            {"status": "in_progress"},
            [
                ("### ✅", "### 🔄"),
                ("Hull — Complete", "Hull — In Progress"),
                ("Complete. Tested", "In Progress. Tested"),
            ],
        ),
    ],
)
def test_all_places_of_a_task_follow(key: str, values: dict[str, str], changes: list[tuple[str, str]]) -> None:
    """All other bytes stay, and history does not follow."""
    document = context()
    places = [(at, r) for at, r in document.readings() if r.key == key]
    wanted = [SetFields(at, {n: v for n, v in values.items() if n in r.fields}) for at, r in places]
    done = put(document, wanted)
    expected = TEXT
    for old, new in changes:
        expected = expected.replace(old, new, 1)
    assert done.refused == ()
    assert done.document.text == expected


def test_a_removed_task_takes_its_lines() -> None:
    """The numbered line with what is indented below it."""
    document = context()
    at = next(at for at, r in document.readings() if r.key == "T2")
    done = put(document, [Remove(at)])
    start, end = TEXT.index("1. **[T2]"), TEXT.index("2. **[T3]")
    assert (done.refused, done.document.text) == ((), TEXT[:start] + TEXT[end:])
