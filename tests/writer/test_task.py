"""A task file shows what its row says, in the style in which it is written, and nothing else in it moves."""

from __future__ import annotations

import pytest

from parser.document import At, Document, parse
from schema.records import Table, Value
from writer.changes import Change, Insert, Remove, SetFields
from writer.put import put


def task(text: str) -> Document:
    return parse("tasks/T21.md", text)


def done(text: str, change: Change) -> str:
    result = put(task(text), [change])
    assert result.refused == ()
    return result.document.text


def changed(text: str, **values: Value) -> str:
    """The text after the first reading that shows one of ``values`` (else the first) was given them."""
    own = [(at, r) for at, r in task(text).readings() if r.table is Table.TASKS]
    at = next((at for at, r in own if values.keys() & r.fields.keys()), own[0][0])
    return done(text, SetFields(at, values))


def item(text: str, key: str) -> At:
    return next(at for at, r in task(text).readings() if r.key == key)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("**Status**: 🔄 **IN PROGRESS** (Phase 3)", "**Status**: ✅ **COMPLETED** (Phase 3)"),
        ("**Status**: 🔄 **Priority**: HIGH", "**Status**: ✅ **Priority**: HIGH"),
        ("*Status: 🔄 ACTIVE*", "*Status: ✅ COMPLETED*"),
        ("- Status: 🔄 In Progress", "- Status: ✅ Completed"),
        ("\n## Status: 🔄 **Started**: 2025-05-13", "\n## Status: ✅ **Started**: 2025-05-13"),
        ("\n## Status\n\n🔄 IN PROGRESS", "\n## Status\n\n✅ COMPLETED"),
        ("**Status:** 🔄 Active  ", "**Status:** ✅ Completed  "),
    ],
)
def test_a_status_changes_in_its_own_style(before: str, after: str) -> None:
    """Icon and word; the rest of the line stays."""
    text = f"# T21: A\n{before}\n\n## Context\nProse.\n"
    assert changed(text, status="completed") == text.replace(before, after)


def test_a_title_changes_in_the_heading() -> None:
    """The id and what stands behind the title stay."""
    assert changed("# T21: Old ✅\n**Status**: ✅\n", title="New: one") == "# T21: New: one ✅\n**Status**: ✅\n"


def test_a_heading_without_a_title_takes_one() -> None:
    """`# T21` and `# T21: T21`; a `# Task: T21` leaves it to a label."""
    assert changed("# T21\n", title="New") == "# T21: New\n"
    assert changed("# T21: T21\n\nx\n", title="New") == "# T21: New\n\nx\n"
    labelled = changed("# Task: T21\n**Status:** ✅\n", title="New")
    assert labelled == "# Task: T21\n**Status:** ✅\n**Title:** New\n"


@pytest.mark.parametrize(
    ("line", "new"),
    [
        ("**Status**: 🔄", "**Priority**: HIGH"),
        ("**Status:** 🔄  ", "**Priority:** HIGH  "),
        ("- **Status**: 🔄 ACTIVE", "- **Priority**: HIGH"),
        ("*Status: 🔄*", "*Priority: HIGH*"),
    ],
)
def test_a_field_that_was_not_shown_stands_next_to_the_status(line: str, new: str) -> None:
    """In the same style."""
    text = f"# T21: A\n\n{line}\n\n## Context\n"
    assert changed(text, priority="HIGH") == text.replace(line, f"{line}\n{new}")


def test_a_file_without_any_field_gets_the_first_below_its_title() -> None:
    """With a blank line between."""
    assert changed("# T21: A\n\nProse.\n", status="paused") == "# T21: A\n\n**Status**: ⏸️ PAUSED\n\nProse.\n"


LISTED = "# T21: A\n\n## Dependencies\n\n- T1: Set up ✅\n- T2 (types)\n\n## Notes\n- T3\n"


@pytest.mark.parametrize(
    ("ids", "lines"),
    [
        (("T1", "T2", "T9"), "- T1: Set up ✅\n- T2 (types)\n- T9"),
        (("T2",), "- T2 (types)"),
        (("T9",), "- T9"),
        (("T2", "T1"), "- T2 (types)\n- T1: Set up ✅"),
        ((), "- None"),
    ],
)
def test_listed_dependencies_are_lines(ids: tuple[str, ...], lines: str) -> None:
    """Lines of those that stay keep their notes."""
    assert changed(LISTED, dependencies=ids) == LISTED.replace("- T1: Set up ✅\n- T2 (types)", lines)


def test_a_line_of_several_dependencies_loses_just_the_one() -> None:
    """Its note stays."""
    text = "# T21: A\n## Dependencies\n- T14, T15 (both)\n- a library\n- T16\n"
    assert changed(text, dependencies=("T15", "T16")) == text.replace("T14, T15", "T15")


def test_dependencies_of_a_label_are_a_line() -> None:
    """And no dependencies are a dash there."""
    text = "# T21: A\n**Dependencies**: T1 (first), T2\n"
    assert changed(text, dependencies=("T1", "T3")) == "# T21: A\n**Dependencies**: T1 (first), T3\n"
    assert changed(text, dependencies=()) == "# T21: A\n**Dependencies**: -\n"


LISTS = (
    "# T21: A\n\n## Progress\n1. ✅ One\n2. 🔄 Two\n\n"
    "## Acceptance Criteria\n- [x] Three\n  - [ ] Four\n\n## Notes\nx\n"
)


def test_an_item_is_ticked_in_the_way_of_its_list() -> None:
    """Boxes stay boxes, icons icons."""
    assert done(LISTS, SetFields(item(LISTS, "Four"), {"status": "completed"})) == LISTS.replace("[ ] F", "[x] F")
    assert done(LISTS, SetFields(item(LISTS, "Two"), {"status": "completed"})) == LISTS.replace("🔄", "✅")


def test_an_item_is_removed_with_its_line() -> None:
    """And nothing else."""
    assert done(LISTS, Remove(item(LISTS, "One"))) == LISTS.replace("1. ✅ One\n", "")


@pytest.mark.parametrize(
    ("section", "behind"),
    [
        ("Progress", "2. 🔄 Two\n3. ⬜ New"),
        ("Acceptance Criteria", "  - [ ] Four\n  - [ ] New"),
        ("Subtasks", "## Notes\nx\n\n## Subtasks\n\n- [ ] New"),
    ],
)
def test_a_new_item_looks_like_its_neighbours(section: str, behind: str) -> None:
    """Numbered where they are; in a section of its own where there is none of that name."""
    values: dict[str, Value] = {"section": section, "text": "New", "status": "pending"}
    after = done(LISTS, Insert(Table.SUBTASKS, values))
    assert after == LISTS.replace(behind.rpartition("\n")[0].partition("\n\n## Sub")[0], behind)


def test_an_empty_section_takes_its_first_item() -> None:
    """Below the heading."""
    text = "# T21: A\n\n## Subtasks\n\n## Notes\n"
    values: dict[str, Value] = {"section": "Subtasks", "text": "New", "status": "completed"}
    assert done(text, Insert(Table.SUBTASKS, values)) == "# T21: A\n\n## Subtasks\n\n- ✅ New\n\n## Notes\n"


def test_a_new_field_stands_in_the_block_of_fields_wherever_that_is() -> None:
    """Next to the status in a section below, also if the title was asked to show it."""
    text = "\n# T21: A\n*Last Updated: 2025-05-19*\n\n## Overview\n**Status**: 🔄\n\nWords.\n"
    assert changed(text, priority="HIGH") == text.replace("**Status**: 🔄", "**Status**: 🔄\n**Priority**: HIGH")
