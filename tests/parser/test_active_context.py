"""The active context gives status and priority of a task where it clearly states them; all else is prose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from parser.document import Document, parse
from schema.records import Role, Table, Value


def context(text: str) -> Document:
    return parse("activeContext.md", text)


def tasks(text: str) -> list[tuple[str, dict[str, Value]]]:
    found = [r for _, r in context(text).readings() if r.table is Table.TASKS]
    assert all(r.role is Role.CONTEXT for r in found)
    return [(r.key, r.values()) for r in found]


def test_the_header_gives_when_it_was_updated() -> None:
    """Once: a second date belongs to an older context."""
    text = "# Active Context\n*Last Updated: 2031-05-06 17:30 IST*\n\n## Notes\n*Last Updated: 2030-01-01*\n"
    document = context(text)
    ((_, reading),) = document.readings()
    assert (reading.table, reading.values()) == (Table.HEADER, {"last_updated": "2031-05-06 17:30"})


@pytest.mark.parametrize(
    ("task", "status"),
    [
        ("Task: T23 (Sound the bay)", "Status: 🔄 IN PROGRESS"),
        ("**Task**: T23 - Sound the bay", "**Status**: 🔄 IN PROGRESS — nearly"),
        ("**Task:** T23: Bay", "**Status:** Active"),
    ],
)
def test_the_focus_block_states_a_task(task: str, status: str) -> None:
    """Lines up to the next blank one are about it."""
    text = f"# Active Context\n\n## Current Focus\n{task}\n{status}\nPriority: HIGH\n\nStatus: ✅ the harbour\n"
    assert tasks(text) == [("T23", {"status": "in_progress", "priority": "HIGH"})]


def test_numbered_lines_with_fields_below_state_tasks() -> None:
    """Deeper lists below a field are prose."""
    text = (
        "# Active Context\n\n## Current Tasks\n1. **[T21]**: Sound the bay (HIGH priority)\n   - Status: ⏸️ PAUSED\n"
        "     - Status: ✅ of something else\n   - Next: rope\n\n"
        "2. **[META-1]**: Upkeep (LOW priority)\n   - Note: none\n"
    )
    assert tasks(text) == [("T21", {"priority": "HIGH", "status": "paused"}), ("META-1", {"priority": "LOW"})]


def test_a_heading_may_state_a_status_up_to_three_times() -> None:
    """Icon, word and label: each is a reading, so that each follows."""
    text = (
        "# Active Context\n\n## Current Tasks\n### ✅ T5: Rope — Complete\n**Status:** Complete. Tested.\n\n"
        "- Status: PAUSED\n"
    )
    assert tasks(text) == [("T5", {"status": "completed"})] * 3
    section = context(text).sections[2]
    shown = [section.text[slice(*r.fields["status"].span)] for r in section.readings]
    assert shown == ["✅", "Complete", "Complete. Tested."]


def test_a_line_with_a_status_behind_a_dash_states_it() -> None:
    """An icon or a lone word counts, other words do not."""
    text = (
        "# Active Context\n\n## State\n- **T20**: Rope — ✅ COMPLETED (2031-05-06 11:30)\n"
        "- **T21**: Net — FASTEST WIN\n- **T22: Bay** — HIGH priority\n- T23: Hull - PAUSED\n"
    )
    assert tasks(text) == [("T20", {"status": "completed"}), ("T23", {"status": "paused"})]


@pytest.mark.parametrize("what", ["[T21 Phase E]: Rope", "T21, T22: Rope", "T14-T19: Rope", "T21 rope"])
def test_only_exactly_one_task_counts(what: str) -> None:
    """A part of a task, or several, are not the task."""
    assert tasks(f"# Active Context\n\n## Current Tasks\n1. {what}\n   - Status: ✅ COMPLETED\n") == []
    assert tasks(f"# Active Context\n\n## Current Focus\nTask: {what}\nStatus: ✅\n") == []
    assert tasks(f"# Active Context\n\n## Current Tasks\n### ✅ {what}\n**Status**: ✅\n") == []


@pytest.mark.parametrize("title", ["Completed Tasks (Recent)", "Tasks (This Session)", "Recent Work", "History"])
def test_sections_about_the_past_are_history(title: str) -> None:
    """So are the sections under them; the next one of their level is not."""
    past = f"## {title}\n- **T1**: Rope — ✅\n### ✅ T2: Net\n\n"
    text = f"# Active Context\n\n{past}## Current Tasks\n- **T3**: Hull — 🔄\n"
    assert tasks(text) == [("T3", {"status": "in_progress"})]


def test_a_second_focus_begins_an_older_context() -> None:
    """What stands below it is history."""
    one = "# Active Context\n\n## Current Focus\nTask: T1\nStatus: 🔄\n\n"
    two = "## Current Focus\nTask: T2\nStatus: ✅\n\n## Current Tasks\n- **T3**: Hull — 🔄\n"
    assert tasks(one + two) == [("T1", {"status": "in_progress"})]
    assert tasks(one + "# Active Context\n\n" + two) == [("T1", {"status": "in_progress"})]


def test_a_status_of_a_task_that_cannot_be_read_is_told() -> None:
    """With its line; a status of anything else is prose."""
    text = "# Active Context\n\n## Current Focus\nTask: T1\nStatus: half way\n\n## System\nStatus: half way there\n"
    assert [line for line, _ in context(text).problems()] == [5]


@pytest.mark.corpora
def test_every_context_ever_recorded_is_read(
    corpora: Mapping[str, Path], steps: Callable[[str], Iterator[dict[str, str | None]]]
) -> None:
    """Only status and priority of tasks, at most one header."""
    count = 0
    for bank in corpora:
        for changes in steps(bank):
            text = changes.get("activeContext.md")
            if text is None:
                continue
            document = context(text)
            assert document.text == text
            found = [reading for _, reading in document.readings()]
            assert sum(reading.table is Table.HEADER for reading in found) <= 1
            for reading in found:
                if reading.table is Table.TASKS:
                    assert reading.fields.keys() <= {"status", "priority"}
                    count += 1
    assert count > 200
