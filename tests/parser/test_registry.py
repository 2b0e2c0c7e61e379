"""The task registry is read by its headers and headings; what is not understood is named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from parser.document import Document, parse
from schema.records import Reading, Role, Table

HEAD = "| ID | Title | Status | Priority | Started | Dependencies |\n|----|----|----|----|----|----|\n"


def registry(text: str) -> Document:
    return parse("tasks.md", text)


def tasks(text: str, role: Role = Role.REGISTRY) -> list[Reading]:
    found = [r for _, r in registry(text).readings() if r.table is Table.TASKS]
    return [r for r in found if r.role is role]


def shown(document: Document) -> list[tuple[str, str, str]]:
    """(key, field, text at its span) of every field."""
    return [
        (r.key, name, document.sections[at.section].text[f.span.start : f.span.end])
        for at, r in document.readings()
        for name, f in r.fields.items()
    ]


def test_a_row_gives_the_fields_whose_columns_the_table_has() -> None:
    """Values are normalized, and a dash is a field without a value."""
    (row,) = tasks(f"## Active Tasks\n\n{HEAD}| T5b | Draw it | 🔄 IN PROGRESS | high | - | T1 (first), T2 |\n")
    assert row.key == "T5b"
    assert row.values() == {
        "title": "Draw it",
        "status": "in_progress",
        "priority": "HIGH",
        "started": None,
        "dependencies": ("T1", "T2"),
    }


def test_columns_are_found_by_header_not_by_position() -> None:
    """A column that is moved keeps its meaning; columns that name no field are none."""
    (row,) = tasks("| Owner | Status | ID | Title |\n|-|-|-|-|\n| Ann | ✅ | T1 | One |\n")
    assert (row.key, row.values()) == ("T1", {"title": "One", "status": "completed"})


def test_spans_cover_the_text_of_the_cells() -> None:
    """The span of a status is the whole text of its cell, without the padding."""
    document = registry(f"## Active\n{HEAD}| T1 |  One \\| two  | 🔄 **ACTIVE** (half) | LOW | 2025-01-02 | - |\n")
    assert ("T1", "title", "One \\| two") in shown(document)
    assert ("T1", "status", "🔄 **ACTIVE** (half)") in shown(document)
    assert next(r for _, r in document.readings()).value("title") == "One | two"


@pytest.mark.parametrize(
    ("heading", "status"),
    [
        ("## Completed Tasks", "completed"),
        ("## Paused Tasks", "paused"),
        ("## Pending Tasks (Prioritized)", "pending"),
        ("## Cancelled / Superseded", "cancelled"),
        ("## Active Tasks", "in_progress"),
    ],
)
def test_a_table_without_a_status_column_takes_the_status_of_its_heading(heading: str, status: str) -> None:
    """It is inherited: known, but not a field of the row."""
    (row,) = tasks(f"{heading}\n\n| ID | Title | Completed |\n|-|-|-|\n| T0 | Setup | 2025-04-27 |\n")
    assert row.inherited == {"status": status}
    assert "status" not in row.fields


def test_a_heading_gives_its_status_to_the_headings_below_it() -> None:
    """A table under a sub-heading without a word for a status looks further up."""
    (row,) = tasks("## Pending Tasks\n### High value\n| ID | Title | Why |\n|-|-|-|\n| T9 | Track | sleep |\n")
    assert row.value("status") == "pending"


def test_a_completion_date_is_no_dependency() -> None:
    """`Completed` and `Related Tasks` are not dependencies."""
    (row,) = tasks(
        "## Completed\n| ID | Title | Completed | Related Tasks |\n|-|-|-|-|\n| T1 | A | 2025-05-01 | T2 |\n"
    )
    assert row.value("completed") == "2025-05-01"
    assert not row.shows("dependencies")


@pytest.mark.parametrize("cell", ["**T21**", "[T21](tasks/T21.md)", "`T21`", "~~T21~~", "[tasks]T21"])
def test_an_id_may_be_wrapped(cell: str) -> None:
    """Emphasis and links around an id are not part of it; other words are."""
    found = tasks(f"| ID | Title |\n|-|-|\n| {cell} | A |\n")
    assert [r.key for r in found] == ([] if cell.startswith("[tasks") else ["T21"])


def test_a_row_without_an_id_is_a_problem() -> None:
    """The line is named; a row of dots and dashes is not."""
    document = registry(f"## Active\n{HEAD}| soon | B | 🔄 | LOW | - | - |\n| ... | - | | | | |\n")
    assert [line for line, _ in document.problems()] == [4]
    assert "'soon'" in next(document.problems())[1]


def test_a_cell_that_cannot_be_read_is_no_field_and_a_problem() -> None:
    """Nothing is guessed: an odd status stays text."""
    document = registry(f"## Active\n{HEAD}| T1 | A | whenever | LOW | soon | the weather |\n")
    (row,) = (r for _, r in document.readings())
    assert set(row.fields) == {"title", "priority"}
    assert [line for line, _ in document.problems()] == [4, 4, 4]


def test_a_table_of_ideas_without_ids_holds_no_tasks() -> None:
    """Neither records nor problems."""
    document = registry("## Ideas\n| Title | Why | Est. Effort |\n|-|-|-|\n| Faster | why not | 2h |\n")
    assert list(document.readings()) == []
    assert list(document.problems()) == []


def test_a_table_of_risks_with_numbers_holds_no_tasks() -> None:
    """An ID column alone makes no task table."""
    document = registry("## Risks\n| ID | Risk | Mitigation |\n|-|-|-|\n| R1 | rain | umbrella |\n")
    assert list(document.readings()) == []
    assert list(document.problems()) == []


def test_a_second_header_in_the_middle_starts_another_table() -> None:
    """No row is read as a header or a header as a row."""
    other = "| ID | Status | Title |\n|-|-|-|\n| T2 | ✅ | Two |\n"
    assert [(r.key, r.value("title")) for r in tasks(f"## Active\n{HEAD}| T1 | One | 🔄 | LOW | - | - |\n{other}")] == [
        ("T1", "One"),
        ("T2", "Two"),
    ]


def test_ragged_rows_keep_the_cells_that_they_have() -> None:
    """A short row lacks fields; a note behind the last cell is nobody's."""
    short, long = tasks(f"## A\n{HEAD}| T1 | One | ✅ |\n| T2 | Two | ✅ | LOW | - | - | a note |\n")
    assert set(short.fields) == {"title", "status"}
    assert set(long.fields) == {"title", "status", "priority", "started", "dependencies"}


def test_two_rows_with_one_id_are_two_readings() -> None:
    """What disagrees is found later; here both are kept."""
    rows = tasks(f"## A\n{HEAD}| T1 | One | ✅ | - | - | - |\n| T1 | Uno | 🔄 | - | - | - |\n")
    assert [(r.key, r.value("title")) for r in rows] == [("T1", "One"), ("T1", "Uno")]


def test_fences_hold_no_rows() -> None:
    """A table inside a fence is an example."""
    assert tasks(f"## Active\n```\n{HEAD}| T1 | One | ✅ | - | - | - |\n```\n") == []


def test_a_row_span_takes_the_line_break() -> None:
    """Removing the span removes the row and nothing else."""
    text = f"## A\n{HEAD}| T1 | One | ✅ | - | - | - |\n| T2 | Two | ✅ | - | - | - |\n"
    first = tasks(text)[0]
    assert text[: first.span.start] + text[first.span.end :] == text.replace("| T1 | One | ✅ | - | - | - |\n", "")


def test_a_details_section_gives_the_fields_above_its_lists() -> None:
    """Checklists in it are prose: they stand in the task's own file."""
    text = (
        "## Task Details\n### T13: Small screens\n**Description**: Fit\n**Status**: 🔄 **Last**: 2025-05-11 20:45\n"
        "**Criteria**:\n- ✅ Fits\n- **Priority**: of the list\n"
    )
    document = registry(text)
    (reading,) = tasks(text, Role.DETAILS)
    assert reading.values() == {"title": "Small screens", "status": "in_progress", "last_updated": "2025-05-11 20:45"}
    assert [r.table for _, r in document.readings()] == [Table.TASKS]


def test_list_lines_under_a_status_heading_are_rows() -> None:
    """`- T5: Title - ✅` shows a task; a line without a status does not, nor does one elsewhere."""
    text = "## Completed Tasks\n- T5: Catch up - ✅\n- T6: Later\n## Notes\n- T7: Elsewhere - ✅\n"
    assert [(r.key, r.values()) for r in tasks(text)] == [("T5", {"title": "Catch up", "status": "completed"})]


def test_header_and_counts_are_derived_values() -> None:
    """Only lines whose value is just a number count."""
    document = registry(
        "# Tasks\n*Last Updated: 2025-05-26 16:30*\n## Overview\n- **Active Tasks:** 10\n- **Total**: 3\n"
        "- **Completed**: 1 (T4)\n"
    )
    found = {r.table: r.values() for _, r in document.readings()}
    assert found == {Table.HEADER: {"last_updated": "2025-05-26 16:30"}, Table.COUNTS: {"active": "10", "total": "3"}}


@pytest.mark.corpora
def test_all_rows_of_the_recorded_banks_are_found(
    corpora: Mapping[str, Path], last_state: Callable[[str], dict[str, str]]
) -> None:
    """As many as lines that begin with an id in a cell, outside fences."""
    for name in corpora:
        text = last_state(name).get("tasks.md", "")
        unfenced = re.sub(r"(?ms)^```.*?^```", "", text)
        wanted = Counter(re.findall(r"(?m)^\| *((?:T|META-)\d+[a-z]?) *\|", unfenced))
        assert Counter(r.key for r in tasks(text)) == wanted
