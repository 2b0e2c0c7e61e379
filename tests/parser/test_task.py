"""A task file shows one task: fields where a header stands, checklists, and the rest is prose."""

from __future__ import annotations

import pytest

from parser.document import Document, parse
from schema.records import Reading, Role, Table, Value


def task(text: str, path: str = "tasks/T21.md") -> Document:
    return parse(path, text)


def readings(text: str, table: Table = Table.TASKS) -> list[Reading]:
    return [r for _, r in task(text).readings() if r.table is table]


def values(text: str) -> dict[str, Value]:
    """The fields of the only reading."""
    (reading,) = readings(text)
    return reading.values()


def test_the_key_is_the_id_of_the_path() -> None:
    """The heading may say something else, and an empty file still is a task."""
    assert [r.key for r in readings("# T5: Other\n")] == ["T21"]
    assert [(r.key, r.values()) for r in readings("")] == [("T21", {})]


def test_a_copy_in_the_archive_is_history() -> None:
    """Its readings do not follow the record."""
    (reading,) = (r for _, r in task("# T21: Old\n", "archive/2025/T21.md").readings())
    assert (reading.key, reading.role) == ("T21", Role.ARCHIVE)


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("# T21: Zones and clocks", "Zones and clocks"),
        ("# Task T21: Zones", "Zones"),
        ("# T21 - Zones", "Zones"),
        ("# T21: Zones ✅", "Zones"),
        ("# T21: T21", None),
        ("# Task: T21", None),
        ("# Task: T21 Zones", "Zones"),
        ("# Zones without an id", "Zones without an id"),
        ("# Task Details", None),
        ("# T2100: A number", "A number"),
    ],
)
def test_the_title_is_what_the_heading_says_besides_the_id(heading: str, title: str | None) -> None:
    """The span covers just the title."""
    (reading,) = readings(f"{heading}\n")
    assert reading.value("title") == title
    if title is not None:
        span = reading.fields["title"].span
        assert f"{heading}\n"[span.start : span.end] == title


def test_a_title_label_counts_where_the_heading_has_none() -> None:
    """`# Task: T21` and a block of task information."""
    found = readings("# Task: T21\n*Updated: 2026-01-12*\n\n## Task Information\n**Title:** Peers\n**Status:** ✅\n")
    assert [r.values() for r in found] == [{"last_updated": "2026-01-12"}, {"title": "Peers", "status": "completed"}]


@pytest.mark.parametrize(
    "block",
    [
        "**Status**: 🔄 IN PROGRESS\n**Priority**: HIGH\n",
        "**Status:** 🔄 IN PROGRESS\n**Priority:** HIGH\n",
        "*Status: 🔄 IN PROGRESS*\n*Priority: HIGH*\n",
        "- **Status**: 🔄 IN PROGRESS\n- **Priority**: HIGH\n",
        "**Status**: 🔄 **Priority**: HIGH\n",
        "- Status: 🔄 IN PROGRESS\n- Priority: HIGH\n",
        "\n## Status: 🔄 Active\n**Priority**: HIGH\n",
        "\n## Status\n**Status**: 🔄 In Progress\n**Priority**: HIGH\n",
        "\n## Overview\nSome words.\n\n**Status**: 🔄 In Progress\n**Priority**: HIGH\n",
        "\n## Status\n🔄 IN PROGRESS\n\n## Priority\nHIGH\n",
        "\n## Status: 🔄\n## Priority: HIGH\n",
        "\n## Status\n- 🔄 IN PROGRESS\n## Priority: HIGH\n",
    ],
)
def test_fields_are_read_in_all_their_spellings(block: str) -> None:
    """Under the title, in sections named for them, and as headings."""
    merged: dict[str, Value] = {}
    for reading in readings(f"# T21: A\n{block}"):
        merged |= reading.values()
    assert merged == {"title": "A", "status": "in_progress", "priority": "HIGH"}


def test_labels_in_other_sections_are_prose() -> None:
    """Neither fields nor problems."""
    document = task("# T21: A\n**Status**: ✅\n\n## Context\n- **Status**: Now tracked elsewhere\n**Started**: soon\n")
    assert [r.values() for _, r in document.readings()] == [{"title": "A", "status": "completed"}]
    assert list(document.problems()) == []


def test_a_named_section_below_a_section_of_prose_is_prose() -> None:
    """The status of a phase is not the status of the task."""
    document = task("# T21: A\n## Phase 1\n### Status\n✅ done\n### Overview\n**Priority**: LOW\n")
    assert [r.values() for _, r in document.readings()] == [{"title": "A"}]


def test_a_second_block_of_fields_is_a_second_reading() -> None:
    """Its values may drift from those of the first."""
    found = readings("# T21: A\n**Status**: 🔄\n\n## Notes\nx\n\n## Status Update\nStatus: ✅ COMPLETE - core\n")
    assert [r.value("status") for r in found] == ["in_progress", "completed"]


def test_a_label_that_stands_twice_is_a_second_reading() -> None:
    """So is a title label below a heading with a title; of several last updates the first counts."""
    found = readings(
        "# T21: A\n*Status: ✅*\n**Status**: 🔄\n**Title**: B\n*Updated: 2025-01-02*\n*Updated: 2025-01-01*\n"
    )
    assert [r.values() for r in found] == [
        {"title": "A", "status": "completed", "last_updated": "2025-01-02"},
        {"status": "in_progress"},
        {"title": "B"},
    ]


def test_last_active_counts_only_without_a_last_updated_line() -> None:
    """Two different things that people write; one column."""
    assert values("# T21: A\n*Last Updated: 2025-04-27*\n**Last Active**: 2025-04-26\n")["last_updated"] == "2025-04-27"
    assert values("# T21: A\n**Last Active**: 2025-04-26\n")["last_updated"] == "2025-04-26"


def test_a_description_of_one_line_is_a_field() -> None:
    """One that goes on below is prose."""
    assert values("# T21: A\n**Description**: One line.\n**Priority**: LOW\n")["description"] == "One line."
    assert "description" not in values("# T21: A\n**Description**: Two\nlines.\n")


def test_an_unreadable_status_is_a_problem() -> None:
    """With the number of its line."""
    document = task("# T21: A\n\n**Status**: whenever\n")
    assert [line for line, _ in document.problems()] == [3]


@pytest.mark.parametrize(
    ("section", "ids"),
    [
        ("- T12\n- T20a\n", ("T12", "T20a")),
        ("- T0: Project Setup ✅\n- T1: see T9\n- a library\n", ("T0", "T1")),
        ("- **T20** (urgent): replaces T3\n- T5 (types)\n", ("T20", "T5")),
        ("- **Depends On:** T1, T2\n- **Blocks:** T7\n", ("T1", "T2")),
        ("- T14, T15 (both)\n", ("T14", "T15")),
        ("T3, T4\n", ("T3", "T4")),
        ("None\n", ()),
        ("- None\n", ()),
        ("- the weather\n", None),
    ],
)
def test_dependencies_may_be_a_section(section: str, ids: tuple[str, ...] | None) -> None:
    """Each list line that begins with an id counts; notes do not."""
    found = readings(f"# T21: A\n\n## Dependencies\n\n{section}")
    assert [r.value("dependencies") for r in found if r.shows("dependencies")] == ([] if ids is None else [ids])


def test_checklists_are_subtasks() -> None:
    """Icons and boxes, nested and numbered, below the headings that announce them or beside a box."""
    text = (
        "# T21: A\n## Completion Criteria\n- ✅ One\n  - [ ] Two\n- plain\n## Progress\n### Phase 1\n1. 🔄 Three\n"
        "## Context\n- ✅ prose\n## Left over\n- [x] Four\n- 🔄 Five\n"
    )
    found = readings(text, Table.SUBTASKS)
    assert [(r.key, r.value("status"), r.value("section"), r.value("task_id")) for r in found] == [
        ("One", "completed", "Completion Criteria", "T21"),
        ("Two", "pending", "Completion Criteria", "T21"),
        ("Three", "in_progress", "Phase 1", "T21"),
        ("Four", "completed", "Left over", "T21"),
        ("Five", "in_progress", "Left over", "T21"),
    ]


def test_crlf_and_no_final_newline_leave_the_values_alone() -> None:
    """A carriage return is no part of a value."""
    assert values("# T21: A\r\n**Status**: ✅\r\n**Priority**: LOW") == {
        "title": "A",
        "status": "completed",
        "priority": "LOW",
    }


def test_front_matter_is_no_reading_of_its_own() -> None:
    """The title behind it shows the task; fields are looked for there."""
    found = readings("---\nsource_branch: x\n---\n\n# T21: A\n**Status**: ✅\n")
    assert [r.values() for r in found] == [{"title": "A", "status": "completed"}]
