"""New documents of one record in the form of one that is there."""

from __future__ import annotations

import pytest

from parser.document import Document, parse
from parser.values import render
from schema.records import Table, Value
from writer.chunk_likeness import chunk_like, chunk_path
from writer.likeness import keeps_files, link_like, task_like

TASK: dict[str, Value] = {
    "title": "A new one", "status": "in_progress", "priority": "HIGH", "started": "2026-03-06", "completed": None,
    "last_updated": None, "details": "[x](y)", "description": None, "dependencies": ("T1", "T2"),
}  # fmt: skip


def _now(old: str) -> str | None:
    return render("date", old, "2026-03-06 18:42:05" if ":" in old else "2026-03-06")


def _task(model: str, **values: Value) -> str:
    made = task_like(parse("tasks/T7.md", model), "T9", {**TASK, **values}, _now)
    assert made is not None
    assert made.path == "tasks/T9.md"
    return made.text


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "# T7: Old\n\n*Created: 2025-01-01 10:00:00 IST*\n*Last Updated: 2025-02-01 10:00:00 IST*\n\n"
            "**Status**: ✅ **COMPLETED** (Phase 2)\n**Priority**: low\n\n## Notes\n\nx\n",
            "# T9: A new one\n\n*Created: 2026-03-06 18:42:05 IST*\n*Last Updated: 2026-03-06 18:42:05 IST*\n\n"
            "**Status**: 🔄 **IN PROGRESS**\n**Priority**: high\n**Started**: 2026-03-06\n**Dependencies**: T1, T2\n",
        ),
        (
            "# T7: Old\n*Created: 2025-01-01*\n\n## Task Information\n**Title:** Old\n**Status:** ✅ Done\n"
            "**Priority:** Low\n**Owner:** Ann\n**Started:** 2025-01-01\n**Completed:** -\n\n## Text\n",
            "# T9: A new one\n*Created: 2026-03-06*\n\n## Task Information\n**Title:** A new one\n"
            "**Status:** 🔄 In Progress\n**Priority:** High\n**Started:** 2026-03-06\n**Completed:** -\n"
            "**Dependencies:** T1, T2\n",
        ),
        (
            "# Task: T7\n\n- **Status**: 🔄 **Priority**: LOW\n- **Started**: June 3, 2025\n",
            "# Task: T9\n\n- **Status**: 🔄 **Priority**: HIGH\n- **Started**: 2026-03-06\n- **Title**: A new one\n"
            "- **Dependencies**: T1, T2\n",
        ),
    ],
)
def test_a_task_file_has_the_header_of_another(model: str, expected: str) -> None:
    """Its order, labels, words and stamps; not its notes, and nothing below."""
    assert _task(model) == expected


def test_a_line_without_a_value_is_left_out() -> None:
    """Unless the model left it open too."""
    model = "# T7: Old\n\n**Status**: ⬜ PENDING\n**Priority**: LOW\n**Started**: -\n"
    assert _task(model, priority=None, started=None, dependencies=()) == (
        "# T9: A new one\n\n**Status**: 🔄 IN PROGRESS\n**Started**: -\n"
    )


def test_a_description_stands_below() -> None:
    """As the last field."""
    text = _task("# T7: Old\n\n**Status**: 🔄\n", description="What it is for", priority=None, started=None)
    assert text.endswith("\n**Dependencies**: T1, T2\n\n**Description**: What it is for\n")


@pytest.mark.parametrize("title", ["two\nlines", "# T3: x\n\n**Status**: ✅"])
def test_a_value_that_would_not_read_back_makes_no_such_file(title: str) -> None:
    """The plain form has to do."""
    model = parse("tasks/T7.md", "# T7: Old\n\n**Status**: 🔄\n")
    assert task_like(model, "T9", {**TASK, "title": title}, _now) is None


REGISTRY = """# Tasks

| ID | Title | Status | Details |
|----|-------|--------|---------|
| T1 | One | 🔄 | [Details](tasks/T1.md) - the first |
| T2 | Two | 🔄 | [Details](tasks/T2.md) |
| T3 | Three | 🔄 | - |
"""


def test_a_registry_whose_tasks_have_files_wants_one_more() -> None:
    """Most of them, not all; an empty table with a column for the link too."""
    document = parse("tasks.md", REGISTRY)
    assert keeps_files(document, frozenset({"T1", "T2"}))
    assert not keeps_files(document, frozenset({"T1", "T8"}))
    empty = "\n".join(REGISTRY.split("\n")[:4]) + "\n"
    assert keeps_files(parse("tasks.md", empty), frozenset())
    assert not keeps_files(parse("tasks.md", empty.replace("| Details |", "| Owner |")), frozenset({"T1"}))


def test_the_link_is_that_of_the_neighbours() -> None:
    """Without their notes; none where they have none."""
    document = parse("tasks.md", REGISTRY)
    assert link_like(document, "T9") == "[Details](tasks/T9.md)"
    plain = REGISTRY.replace("[Details](tasks/T1.md) - ", "").replace("[Details](tasks/T2.md)", "-")
    assert link_like(parse("tasks.md", plain), "T9") is None
    other = REGISTRY.replace("Details](tasks/T2.md)", "tasks/T2.md]")
    assert link_like(parse("tasks.md", other), "T9") == "[tasks/T9.md]"


ENTRY: dict[str, Value] = {
    "date": "2026-03-06", "time": "18:42:05", "timezone": "IST", "task_id": "T9, T1",
    "task_description": "Made `it` work",
}  # fmt: skip
LINES: list[dict[str, Value]] = [
    {"action": "Created", "file_path": "a.py", "description": "new"},
    {"action": "Deleted", "file_path": "b.py", "description": None},
]
HEADED = """---
kind: edit_chunk
id: 101112-T1-old
created_at: 2026-01-02 10:11:12 IST
task_ids: [T1]
source_branch: main
source_commit: abc
---

#### 10:11:12 IST - T1: Old
- Modified `x.py` — what
"""
SECTIONED = """# Edit Chunk: 2026-01-02 10:11:12 IST

## Task: T1

### Work Done

Old.

### Files Modified

- Modified `x.py` — what
"""
OLD = "edits/2026-01-02/101112-T1-old.md"


def _chunk(model: str) -> Document:
    path = chunk_path(OLD, ENTRY)
    assert path is not None
    made = chunk_like(parse(OLD, model), path, ENTRY, LINES)
    assert made is not None
    shown = [r.values() for _, r in made.readings() if r.table is Table.ENTRIES]
    assert shown == [ENTRY]
    return made


def test_a_chunk_with_front_matter_says_only_what_is_known() -> None:
    """Kind, name, moment and tasks; no branch, no commit."""
    made = _chunk(HEADED)
    assert made.path == "edits/2026-03-06/184205-T9-T1-made-it-work.md"
    assert made.text == (
        "---\nkind: edit_chunk\nid: 184205-T9-T1-made-it-work\ncreated_at: 2026-03-06 18:42:05 IST\n"
        "task_ids: [T9, T1]\n---\n\n"
        "#### 18:42:05 IST - T9, T1: Made `it` work\n- Created `a.py` — new\n- Deleted `b.py`\n"
    )


def test_a_chunk_with_sections_has_the_same_sections() -> None:
    """The work as text, the files in a list."""
    assert _chunk(SECTIONED).text == (
        "# Edit Chunk: 2026-03-06 18:42:05 IST\n\n## Task: T9, T1\n\n### Work Done\n\nMade `it` work\n\n"
        "### Files Modified\n\n- Created `a.py` — new\n- Deleted `b.py`\n"
    )


def test_an_entry_that_a_chunk_would_tell_differently_gets_none() -> None:
    """Words that open something else."""
    model = parse(OLD, SECTIONED)
    assert chunk_like(model, "edits/2026-03-06/x.md", {**ENTRY, "task_description": "- Created `c.py`"}, []) is None
    assert chunk_like(parse(OLD, "# Notes\n\nProse.\n"), "edits/2026-03-06/x.md", ENTRY, LINES) is None


@pytest.mark.parametrize(
    ("model", "values", "path"),
    [
        (OLD, {"time": "18:42"}, "edits/2026-03-06/1842-T9-T1-made-it-work.md"),
        ("edits/2026-01-02/1011-T1-x.md", {}, "edits/2026-03-06/1842-T9-T1-made-it-work.md"),
        ("edits/2026-01-02-101112-x.md", {}, "edits/2026-03-06-184205-T9-T1-made-it-work.md"),
        (OLD, {"task_id": None, "task_description": "../..\x00 Äh"}, "edits/2026-03-06/184205-h.md"),
        (OLD, {"time": None}, None),
    ],
)
def test_a_chunk_is_named_as_the_others_are(model: str, values: dict[str, Value], path: str | None) -> None:
    """Never with anything that a path should not hold."""
    assert chunk_path(model, {**ENTRY, **values}) == path
