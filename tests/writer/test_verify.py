"""Nothing is written that does not read back as it was meant."""

from __future__ import annotations

import pytest

from parser.document import At, Document, parse
from schema.records import Span, Table
from writer.changes import Change, Insert, Remove, SetFields
from writer.edits import Edit, apply_edits
from writer.verify import why_not

HISTORY = """# Edit History

### 2025-01-02

#### 10:00 - T1: First
- Modified `a.py` - one
- Created `b.py` - two

#### 09:00 - T2: Second
- Modified `c.py` - three
"""
TASKS = """# Tasks

## Active Tasks

| ID | Title | Status | Priority | Started | Dependencies |
|----|-------|--------|----------|---------|--------------|
| T1 | One | 🔄 | HIGH | 2025-01-01 | - |
| T2 | Two | ⬜ | LOW | - | T1 |

## Notes

Text.
"""


def _find(document: Document, table: Table, text: str) -> At:
    return next(at for at, r in document.readings() if r.table is table and text in (r.key, *r.values().values()))


def _verdict(document: Document, change: Change, *edits: Edit) -> str | None:
    texts = apply_edits([section.text for section in document.sections], edits)
    return why_not(document, [change], edits, parse(document.path, "".join(texts), document))


def _replace(document: Document, old: str, new: str) -> Edit:
    number = next(n for n, s in enumerate(document.sections) if old in s.text)
    start = document.sections[number].text.index(old)
    return Edit(number, Span(start, start + len(old)), new)


@pytest.mark.parametrize(
    ("old", "new", "well"),
    [
        ("🔄", "✅", True),
        ("| 🔄 | HIGH ", "| ✅ | HIGH ", True),
        ("🔄", "⏸️", False),
        ("🔄 | HIGH", "✅ | LOW", False),
        ("🔄", "✅ | x", False),
        ("HIGH", "LOW", False),
        ("| T1 | One | 🔄", "| T9 | One | ✅", False),
        ("🔄", "✅ |\n| T3 | New | ⬜", False),
    ],
)
def test_a_field_has_the_value_and_nothing_else_moved(old: str, new: str, well: bool) -> None:
    """Another value, another field, another record: each is found."""
    document = parse("tasks.md", TASKS)
    change = SetFields(_find(document, Table.TASKS, "T1"), {"status": "completed"})
    assert (_verdict(document, change, _replace(document, old, new)) is None) == well


def test_a_change_that_swallows_what_follows_is_found() -> None:
    """As when a value opens a fence."""
    document = parse("tasks.md", TASKS)
    change = SetFields(_find(document, Table.TASKS, "T2"), {"title": "Two"})
    verdict = _verdict(document, change, _replace(document, "| T2 | Two | ⬜ | LOW | - | T1 |", "```"))
    assert verdict == "a section behind it would change"


def test_the_order_of_ids_does_not_matter() -> None:
    """Dependencies are a set."""
    document = parse("tasks.md", TASKS)
    change = SetFields(_find(document, Table.TASKS, "T1"), {"dependencies": ("T8", "T9")})
    assert _verdict(document, change, _replace(document, "2025-01-01 | -", "2025-01-01 | T9, T8")) is None


def test_a_removal_takes_the_record_and_what_belongs_to_it() -> None:
    """An entry takes its modifications; a modification takes neither its entry nor its neighbour."""
    document = parse("edit_history.md", HISTORY)
    entry = Remove(_find(document, Table.ENTRIES, "First"))
    number = entry.at.section
    length = len(document.sections[number].text)
    assert _verdict(document, entry, Edit(number, Span(0, length), "")) is None
    line = Remove(_find(document, Table.MODIFICATIONS, "a.py"))
    assert _verdict(document, line, _replace(document, "- Modified `a.py` - one\n", "")) is None
    both = "- Modified `a.py` - one\n- Created `b.py` - two\n"
    reason = _verdict(document, line, _replace(document, both, ""))
    assert reason is not None
    assert "along" in reason
    heading = _verdict(document, entry, _replace(document, "#### 10:00 - T1: First\n", ""))
    assert heading is not None


def test_a_modification_arrives_at_its_entry() -> None:
    """The same line below the next entry is refused."""
    document = parse("edit_history.md", HISTORY)
    values = {"action": "Deleted", "file_path": "d.py", "description": "four"}
    change = Insert(Table.MODIFICATIONS, values, _find(document, Table.ENTRIES, "First"))
    line = "- Deleted `d.py` - four\n"
    assert _verdict(document, change, _replace(document, "- two\n", f"- two\n{line}")) is None
    assert _verdict(document, change, _replace(document, "- three\n", f"- three\n{line}")) is not None
    assert _verdict(document, change, _replace(document, "- two\n", f"- two\n{line}{line}")) is not None
    assert _verdict(document, change, _replace(document, "- two\n", "- two\n- Deleted `d.py` - 4\n")) is not None


def test_an_entry_arrives_with_its_modifications() -> None:
    """All of them, under it, and as asked for."""
    document = parse("edit_history.md", HISTORY)
    child = {"action": "Created", "file_path": "e.py", "description": "five"}
    values = {"date": "2025-01-02", "time": "11:00", "timezone": None, "task_id": "T3", "task_description": "Third"}
    change = Insert(Table.ENTRIES, values, children=(child,))
    head, line = "#### 11:00 - T3: Third\n", "- Created `e.py` - five\n"

    def verdict(text: str) -> str | None:
        return _verdict(document, change, _replace(document, "#### 10:00", f"{text}\n#### 10:00"))

    assert verdict(head + line) is None
    assert verdict(head) is not None
    assert verdict(line + head) is not None
    assert verdict(head.replace("T3", "T4") + line) is not None
    assert verdict(head.replace("11:00", "11:00:01 UTC") + line) is not None
    assert verdict(head + line + line) is not None


def test_a_task_arrives_with_what_its_place_shows() -> None:
    """Columns that are missing say nothing; a value that is there must be the one asked for."""
    document = parse("tasks.md", TASKS)
    values = {"id": "T3", "title": "Three", "status": "pending", "priority": None, "started": None, "details": "unseen"}
    change = Insert(Table.TASKS, values)

    def verdict(row: str) -> str | None:
        return _verdict(document, change, _replace(document, "| T1 |\n", f"| T1 |\n{row}\n"))

    assert verdict("| T3 | Three | ⬜ | - | - | - |") is None
    assert verdict("| T3 | Three | ⬜ | LOW | - | - |") is not None
    assert verdict("| T4 | Three | ⬜ | - | - | - |") is not None
    assert verdict("| T3 | Three | ⬜ | - | - | T1 |") is not None
