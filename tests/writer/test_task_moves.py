"""A row stands in the table where its bank keeps tasks of its status, if all that it says is said then too."""

from __future__ import annotations

from parser.document import At, Document, parse
from schema.records import Role, Table, Value
from writer.changes import Insert, SetFields
from writer.put import put

ACTIVE = (
    "## Active Tasks\n\n| ID | Title | Status | Priority | Details |\n|----|-------|--------|----------|---------|\n"
)
DONE = "\n## Completed Tasks\n\n| ID | Title | Completed | File |\n|----|-------|-----------|------|\n"
ONE = "| T1 | One | 🔄 | HIGH | [Details](tasks/T1.md) |\n"
TWO = "| T2 | Two | 🔄 | LOW | - |\n"
OLD = "| T0 | Old | 2025-05-01 | [tasks/T0.md] |\n"
RECORD: dict[str, Value] = {"title": "One", "status": "completed", "priority": "HIGH", "completed": "2025-06-07"}


def _registry(text: str) -> Document:
    return parse("tasks.md", text)


def _row(document: Document, task: str) -> At:
    return next(at for at, r in document.readings() if r.key == task and r.role is Role.REGISTRY)


def _set(text: str, task: str, record: dict[str, Value], *elsewhere: str, **values: Value) -> str:
    document = _registry(text)
    result = put(document, [SetFields(_row(document, task), values, record, frozenset(elsewhere))])
    assert result.refused == ()
    return result.document.text


def test_a_completed_row_moves_to_the_completed_table() -> None:
    """With its date, which only the new table shows. What that lacks is shown elsewhere."""
    text = ACTIVE + ONE + TWO + DONE + OLD
    after = _set(text, "T1", RECORD, "priority", status="completed")
    assert after == ACTIVE + TWO + DONE + OLD + "| T1 | One | 2025-06-07 | [Details](tasks/T1.md) |\n"


def test_it_stays_where_the_new_table_would_lose_what_only_it_says() -> None:
    """A priority that no other place shows, a note behind the status, a column that the other table lacks."""
    assert (
        _set(ACTIVE + ONE + DONE + OLD, "T1", RECORD, status="completed")
        == ACTIVE + ONE.replace("🔄", "✅") + DONE + OLD
    )
    noted = ACTIVE + ONE.replace("🔄", "🔄 (half)") + DONE + OLD
    assert _set(noted, "T1", RECORD, "priority", status="completed") == noted.replace("🔄", "✅")
    owned = (ACTIVE + ONE).replace("Details", "Owner", 1).replace("[Details](tasks/T1.md)", "Ann") + DONE + OLD
    assert _set(owned, "T1", RECORD, "priority", status="completed") == owned.replace("🔄", "✅")


def test_words_that_are_no_value_move_along() -> None:
    """A priority that nobody knows, and words where a date was expected: also where the row has one."""
    text = ACTIVE + ONE.replace("HIGH", "whenever") + DONE.replace("Completed |", "Priority |")
    text += "| T0 | Old | LOW | [tasks/T0.md] |\n"
    moved = "| T1 | One | whenever | [Details](tasks/T1.md) |\n"
    for priority in ("HIGH", None):
        after = _set(text, "T1", {**RECORD, "priority": priority}, status="completed")
        assert after == text.replace(ONE.replace("HIGH", "whenever"), "") + moved


def test_the_line_above_keeps_its_line_break() -> None:
    """Where lines of a document end in different ways."""
    text = (ACTIVE + ONE + TWO + DONE + OLD).replace(OLD, OLD.replace("\n", "\r\n"))
    after = _set(text, "T1", RECORD, "priority", status="completed")
    assert OLD.replace("\n", "\r\n") in after
    assert after.replace("\r\n", "\n").endswith(OLD + "| T1 | One | 2025-06-07 | [Details](tasks/T1.md) |\n")


def test_it_stays_where_two_columns_have_one_name() -> None:
    """Which of them a value belongs to cannot be told."""
    twice = DONE.replace("| Title |", "| Title | Title |").replace("|----|", "|----|----|", 1)
    text = ACTIVE + ONE + twice + "| T0 | Old | Older | 2025-05-01 | [tasks/T0.md] |\n"
    assert _set(text, "T1", RECORD, "priority", status="completed") == text.replace("🔄", "✅", 1)


def test_it_stays_where_most_completed_tasks_stay() -> None:
    """A bank that keeps them among the others."""
    text = ACTIVE + ONE + TWO.replace("🔄", "✅") + TWO.replace("T2", "T3").replace("🔄", "✅") + DONE + OLD
    assert _set(text, "T1", RECORD, "priority", status="completed") == text.replace("🔄", "✅")


def test_a_reopened_task_moves_back() -> None:
    """To the table where those of its status are, with what its record says."""
    text = ACTIVE + TWO + DONE + OLD
    record: dict[str, Value] = {"title": "Old", "status": "in_progress", "priority": "HIGH"}
    after = _set(text, "T0", record, status="in_progress", completed=None)
    assert after == ACTIVE + TWO + "| T0 | Old | 🔄 | HIGH | [tasks/T0.md] |\n" + DONE.rstrip("\n") + "\n"


def test_a_task_that_stands_there_already_is_not_put_there_twice() -> None:
    """Its row in the other table stays."""
    text = ACTIVE + ONE + DONE + OLD + "| T1 | One | - | - |\n"
    assert _set(text, "T1", RECORD, "priority", status="completed") == text.replace("🔄", "✅")


def test_a_new_task_goes_where_those_of_its_status_are() -> None:
    """Also where no section is named after it."""
    pending = ACTIVE.replace("Active", "Pending")
    text = DONE.lstrip().replace("Completed |", "Status |") + "| T0 | Old | ✅ | - |\n\n" + pending + TWO
    insert = Insert(Table.TASKS, {"id": "T3", "title": "Three", "status": "in_progress", "priority": "LOW"})
    assert put(_registry(text), [insert]).document.text == text + "| T3 | Three | 🔄 | LOW | - |\n"
