"""Tasks get into the registry's tables, out of them, and from one to another, in the style of the place."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from parser.document import At, Document, parse
from schema.records import Role, Table, Value
from writer.changes import Change, Insert, Remove, SetFields
from writer.put import put

HEAD = "| ID | Title | Status | Priority | Started | Dependencies |\n|----|----|----|----|----|----|\n"


def registry(text: str) -> Document:
    return parse("tasks.md", text)


def where(document: Document, task: str, role: Role = Role.REGISTRY) -> At:
    """The first reading of a task in a capacity."""
    return next(at for at, r in document.readings() if r.key == task and r.role is role)


def done(text: str, change: Change) -> str:
    """The text after a change that is not refused."""
    result = put(registry(text), [change])
    assert result.refused == ()
    return result.document.text


def changed(text: str, task: str, role: Role = Role.REGISTRY, **values: Value) -> str:
    return done(text, SetFields(where(registry(text), task, role), values))


def born(text: str, **values: Value) -> str:
    return done(text, Insert(Table.TASKS, {"id": "T9", "title": "Nine", "status": "pending", **values}))


def only_new(before: str, after: str) -> list[str]:
    """The lines that were put in; nothing else may have moved."""
    old, new = before.split("\n"), after.split("\n")
    added = [line for line in new if line not in old]
    assert [line for line in new if line not in added] == old
    return added


def test_a_status_keeps_its_note_and_the_column() -> None:
    """Only icon and word change, and the padding that keeps the pipes in line."""
    text = f"## Active\n{HEAD}| T1 | One | 🔄 IN PROGRESS (half) | HIGH | - | - |\n"
    assert changed(text, "T1", status="completed") == text.replace("🔄 IN PROGRESS", "✅ COMPLETED")


def test_a_title_with_a_pipe_is_escaped() -> None:
    """And read back as it was given."""
    text = f"## Active\n{HEAD}| T1 | One | 🔄 | HIGH | - | - |\n"
    after = changed(text, "T1", title="a | b")
    assert "| T1 | a \\| b | 🔄 |" in after
    assert registry(after).at(where(registry(after), "T1")).value("title") == "a | b"


def test_dependencies_are_written_as_ids() -> None:
    """None of them is a dash; notes of those that stay stay."""
    text = f"## Active\n{HEAD}| T1 | One | 🔄 | HIGH | - | T2 (first), T3 |\n"
    assert "| T2 (first), T4 |" in changed(text, "T1", dependencies=("T2", "T4"))
    assert changed(text, "T1", dependencies=()).endswith("| - |\n")


def test_a_row_is_added_at_the_end_where_tables_grow_downward() -> None:
    """Its cells are as wide as the others, its status as the others write theirs."""
    text = (
        f"## Active Tasks\n\n{HEAD}"
        "| T1  | First  | 🔄 IN PROGRESS | HIGH     | 2025-08-19 | -   |\n"
        "| T2  | Second | ✅ COMPLETED   | MEDIUM   | 2025-08-20 | T1  |\n"
        "\n## Notes\n"
    )
    after = born(text, priority="HIGH", started="2025-09-01", dependencies=("T1",))
    assert only_new(text, after) == ["| T9  | Nine   | ⬜ PENDING     | HIGH     | 2025-09-01 | T1  |"]
    assert after.index("| T2") < after.index("| T9") < after.index("## Notes")


def test_a_row_is_added_at_the_top_where_the_newest_stands_first() -> None:
    """Directly below the delimiter row."""
    text = f"## Active Tasks\n{HEAD}| T3 | C | 🔄 | LOW | - | - |\n| T2 | B | 🔄 | LOW | - | - |\n"
    assert born(text, status="in_progress", priority="LOW").split("\n")[3] == "| T9 | Nine | 🔄 | LOW | - | - |"


def test_a_row_goes_to_the_table_of_its_status() -> None:
    """If that shows as much of it as the others."""
    pending = f"## Pending Tasks\n{HEAD}| T2 | B | ⬜ | LOW | - | - |\n"
    text = f"## Active Tasks\n{HEAD}| T1 | A | 🔄 | LOW | - | - |\n\n{pending}"
    after = born(text)
    assert after.index("## Pending") < after.index("T9")
    after = born(text, status="in_progress")
    assert after.index("T9") < after.index("## Pending")


def test_a_table_that_hides_the_priority_is_the_second_choice() -> None:
    """What the row holds must be in the file afterwards."""
    ideas = "## Pending Tasks\n| ID | Title | Why |\n|-|-|-|\n| T2 | B | because |\n"
    text = f"## Active Tasks\n{HEAD}| T1 | A | 🔄 | LOW | - | - |\n\n{ideas}"
    after = born(text, priority="HIGH")
    assert after.index("T9") < after.index("## Pending")
    assert born(text).endswith("| T9 | Nine | - |\n")
    assert "| T9 | Nine | ⬜ | HIGH | - | - |" in born(ideas, priority="HIGH")


def test_unknown_columns_get_a_dash_and_wrapped_ids_stay_wrapped() -> None:
    """A new row looks like the rows beside it."""
    text = "## Active\n| ID | Owner | Title | Status |\n|-|-|-|-|\n| **T1** | Ann | One | 🔄 |\n"
    assert only_new(text, born(text, status="in_progress")) == ["| **T9** | - | Nine | 🔄 |"]


def test_a_file_without_a_final_line_break_stays_one() -> None:
    """Also with CRLF."""
    text = f"## Active\n{HEAD}| T1 | One | 🔄 | HIGH | - | - |".replace("\n", "\r\n")
    after = born(text)
    assert after.startswith(text + "\r\n| T9 ")
    assert not after.endswith("\n")


@pytest.mark.parametrize(
    "text", ["", "# Tasks\n", "# Tasks\n\n## Notes\nx\n", "# Tasks\n\n## Active Tasks\n\nNone yet.\n"]
)
def test_a_registry_without_a_table_gets_one(text: str) -> None:
    """Under Active Tasks, behind the header."""
    after = born(text, priority="HIGH")
    assert "## Active Tasks\n" in after
    assert "| T9 | Nine | ⬜ | HIGH | - | - |" in after
    assert after.count("## Active Tasks") == 1
    if "Notes" in text:
        assert after.index("T9") < after.index("## Notes")


COMPLETED = "## Completed Tasks\n\n| ID | Title | Completed | Owner |\n|-|-|-|-|\n| T1 | One | 2025-04-27 | Ann |\n"


def test_another_status_moves_a_row_to_another_table() -> None:
    """Where its section gives the status; cells of the same name come along, others are a dash."""
    active = (
        "## Active\n| ID | Title | Status | Owner | Started |\n|-|-|-|-|-|\n| T2 | Two | 🔄 IN PROGRESS | Bob | - |\n"
    )
    after = changed(f"{active}\n{COMPLETED}", "T1", status="paused")
    assert "| T1 | One | ⏸️ PAUSED | Ann | - |\n" in after
    assert "2025-04-27" not in after
    assert after.index("| T2") < after.index("| T1") < after.index("## Completed")


def test_a_section_of_the_right_status_takes_the_row() -> None:
    """Without a Status column as well."""
    paused = "## Paused Tasks\n| ID | Title |\n|-|-|\n| T3 | Three |\n"
    after = changed(f"{COMPLETED}\n{paused}", "T1", status="paused")
    assert after.endswith("| T3 | Three |\n| T1 | One |\n")


def test_without_a_fitting_table_a_new_one_is_made() -> None:
    """The other rows stay where they are."""
    after = changed(f"# Tasks\n\n{COMPLETED}| T2 | Two | 2025-04-28 | Ann |\n", "T1", status="in_progress")
    assert "| T1 | One | 🔄 | - | - | - |" in after
    assert after.index("## Active Tasks") < after.index("## Completed")
    assert "| T2 | Two | 2025-04-28 | Ann |" in after


def test_a_title_is_not_lost_to_a_table_without_a_column_for_it() -> None:
    """Rather comes a new table."""
    done = "## Completed Tasks\n\n| ID | Title |\n|-|-|\n| T1 | One |\n\n## Paused Tasks\n| ID |\n|-|\n| T3 |\n"
    assert "One" in changed(f"# Tasks\n\n{done}", "T1", status="paused")


def test_removing_a_task_takes_its_row_alone() -> None:
    """And of a details section the section."""
    text = f"## Active\n{HEAD}| T1 | One | 🔄 | - | - | - |\n| T2 | Two | 🔄 | - | - | - |\n\n## Task Details\n"
    details = "### T1: One\n**Status**: 🔄\n\nSome words.\n\n"
    document = registry(text + details + "### T2: Two\n**Status**: 🔄\n")
    row = put(document, [Remove(where(document, "T1"))]).document.text
    assert row == document.text.replace("| T1 | One | 🔄 | - | - | - |\n", "")
    section = put(document, [Remove(where(document, "T1", Role.DETAILS))]).document.text
    assert section == document.text.replace(details, "")


def test_a_details_section_shows_title_and_status() -> None:
    """In its heading and its fields."""
    text = "## Task Details\n### T1: One ✅\n**Status**: 🔄 **Last**: 2025-05-11 20:45\n"
    after = changed(text, "T1", Role.DETAILS, title="Uno", status="paused", last_updated="2026-01-02 03:04")
    assert after == "## Task Details\n### T1: Uno ✅\n**Status**: ⏸️ **Last**: 2026-01-02 03:04\n"


def test_a_title_of_two_lines_is_refused() -> None:
    """No cell can hold it; the document stays as it was."""
    text = f"## Active\n{HEAD}| T1 | One | 🔄 | HIGH | - | - |\n"
    values: Mapping[str, Value] = {"id": "T9", "title": "a\nb", "status": "pending"}
    result = put(registry(text), [Insert(Table.TASKS, values)])
    assert len(result.refused) == 1
    assert result.document.text == text


def test_a_new_row_has_the_link_that_others_have_behind_the_last_column() -> None:
    """If most of the newest rows have it, and padded as they are."""
    head = "# Tasks\n\n## Active Tasks\n\n| ID  | Title | Status         |\n| --- | ----- | -------------- |\n"
    old = "| T1  | One   | 🔄 IN PROGRESS |\n| T2  | Two   | ⬜ TODO        |\n"
    new = "| T3 | Three | 🔄 IN PROGRESS | [Details](tasks/T3.md) |\n| T4 | Four | ⬜ TODO | [Details](tasks/T4.md) |\n"
    asked = [Insert(Table.TASKS, {"id": "T9", "title": "Nine", "status": "in_progress"})]
    for rows, row in (
        (old + new, "| T9 | Nine | 🔄 IN PROGRESS | [Details](tasks/T9.md) |\n"),
        (old + new.partition("\n")[0] + "\n", "| T9  | Nine  | 🔄 IN PROGRESS |\n"),
    ):
        done = put(parse("tasks.md", head + rows), asked)
        assert (done.refused, done.document.text) == ((), head + rows + row)
