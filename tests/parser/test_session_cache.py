"""The session cache gives the current session, its counts and the tasks it repeats; older caches give nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from parser.document import Document, parse
from schema.records import Reading, Role, Table, Value


def cache(text: str) -> Document:
    return parse("session_cache.md", text)


def readings(text: str, table: Table) -> list[Reading]:
    return [r for _, r in cache(text).readings() if r.table is table]


def current(text: str) -> dict[str, Value]:
    """All values of the cache itself; a field that stands twice must say the same."""
    values: dict[str, Value] = {}
    for reading in readings(text, Table.CACHE):
        assert (reading.key, reading.role) == ("current", Role.CACHE)
        for name, value in reading.values().items():
            assert values.setdefault(name, value) == value
    return values


def tasks(text: str) -> dict[str, dict[str, Value]]:
    found = readings(text, Table.TASKS)
    assert all(r.role is Role.CACHE for r in found)
    return {r.key: r.values() for r in found}


def test_a_block_of_fields_below_current_session_is_read() -> None:
    """The session's file stands in code marks, the focus is free text."""
    values = current(
        "# Session Cache\n*Last Updated: 2031-05-06 16:30*\n\n## Current Session\n**Started**: 2031-05-06 14:00\n"
        "**Focus Task**: T25 (Chart the coast)\n**Session File**: `sessions/2031-05-06-afternoon.md`\n"
    )
    assert values == {
        "last_updated": "2031-05-06 16:30",
        "current_focus_task": "T25 (Chart the coast)",
        "current_session_id": "sessions/2031-05-06-afternoon.md",
    }


def test_fields_right_below_the_title_are_read() -> None:
    """A status that counts tasks gives counts and is no task's status."""
    text = (
        "# Session Cache\n\n**Started**: 2031-05-06\n**Focus Task**: T2: Sound the bay\n"
        "**Session**: 2031-05-06-morning.md\n**Status**: 🔄 Active: 2, Paused: 0, Completed: 1\n"
    )
    assert current(text) == {
        "current_focus_task": "T2: Sound the bay",
        "current_session_id": "2031-05-06-morning.md",
        "active_count": "2",
        "paused_count": "0",
        "completed_count": "1",
    }
    assert tasks(text) == {}


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("- Active: 11 | Paused: 0 | Completed: 7", ("11", "0", "7")),
        ("- **Active**: 11\n- **Paused**: 0\n- **Completed:** 7", ("11", "0", "7")),
        ("- Active Tasks: 11\n- Paused Tasks: 0\n- Completed Tasks: 7 (T1)", ("11", "0", "7")),
    ],
)
def test_counts_of_the_overview_are_read_in_all_spellings(line: str, counts: tuple[str, ...]) -> None:
    """Each count has its own span."""
    document = cache(f"# Session Cache\n\n## Overview\n{line}\n- Completed Today: 3\n")
    section = document.sections[1]
    (reading,) = section.readings
    names = ("active_count", "paused_count", "completed_count")
    assert tuple(reading.value(name) for name in names) == counts
    assert tuple(section.text[slice(*reading.fields[name].span)] for name in names) == counts


def test_a_focus_that_is_none_is_a_field_without_a_value() -> None:
    """It is a place where a focus can be written."""
    (reading,) = readings("# Session Cache\n**Focus Task**: None\n", Table.CACHE)
    assert reading.fields["current_focus_task"].value is None


def test_registry_lines_give_title_and_status() -> None:
    """A dash in a title does not end it, a note belongs to the status, and an icon may come first."""
    text = (
        "# Session Cache\n\n## Task Registry\n- T1: Sound the bay - 🔄 (NEW)\n- T2: Chart - of the coast - ⏸️\n"
        "- [T3]: Buy rope - 🔄 IN PROGRESS\n- ✅ **T4**: Repair - the net\n- T5: Complete rewrite - Complete rewrite\n"
        "- META-1: Keep this - COMPLETED (2031-05-06)\n"
    )
    assert tasks(text) == {
        "T1": {"title": "Sound the bay", "status": "in_progress"},
        "T2": {"title": "Chart - of the coast", "status": "paused"},
        "T3": {"title": "Buy rope", "status": "in_progress"},
        "T4": {"title": "Repair - the net", "status": "completed"},
        "T5": {"title": "Complete rewrite - Complete rewrite"},
        "META-1": {"title": "Keep this", "status": "completed"},
    }
    spans = [cache(text).sections[1].text[slice(*r.span)] for r in readings(text, Table.TASKS)]
    assert spans == text.splitlines()[3:]


def test_a_task_section_gives_its_fields_and_not_its_progress() -> None:
    """What stands in the list below is prose, and an empty status is none."""
    text = (
        "# Session Cache\n\n## Active Tasks\n### T1: Sound the bay\n**Status:** 🔄 **Priority:** HIGH\n"
        "**Started:** 2031-05-01 **Last**: 2031-05-06 10:30\n**Context**: T9 is done\n**Progress**:\n"
        "1. ✅ **Status**: PAUSED\n\n### T2: Chart\n**Status:** **Priority:** low\n"
    )
    assert tasks(text) == {
        "T1": {
            "title": "Sound the bay",
            "status": "in_progress",
            "priority": "HIGH",
            "started": "2031-05-01",
            "last_updated": "2031-05-06 10:30",
        },
        "T2": {"title": "Chart", "priority": "LOW"},
    }


def test_deeper_sections_of_a_task_are_prose() -> None:
    """A list of files that names tasks is none of tasks."""
    text = "# Session Cache\n\n## Active Tasks\n### T1: Bay\n\n#### Files\n- T2: the other - ✅\n\n### T3: Coast\n"
    assert set(tasks(text)) == {"T1", "T3"}


def test_an_active_task_told_again_below_completed_does_not_count() -> None:
    """A finished piece of a task says nothing of the task."""
    text = (
        "# Session Cache\n\n## Active Tasks\n### T1: Bay\n**Status**: 🔄\n\n"
        "## Completed Tasks\n### T1: First soundings\n**Status**: ✅\n### T2: Rope\n**Status**: ✅\n"
    )
    assert tasks(text) == {
        "T1": {"title": "Bay", "status": "in_progress"},
        "T2": {"title": "Rope", "status": "completed"},
    }


def test_a_table_of_active_tasks_is_read_by_its_header() -> None:
    """As the registry's tables are."""
    text = (
        "# Session Cache\n\n## Active Tasks\n| Task | Status | Started | Title |\n|--|--|--|--|\n"
        "| T1 | 🔄 IN PROGRESS | 2031-05-01 | Bay |\n"
    )
    assert tasks(text) == {"T1": {"title": "Bay", "status": "in_progress", "started": "2031-05-01"}}


OLDER = (
    "## Current Session\n**Focus Task**: T8\n\n## Overview\n- Active: 1\n\n## Task Registry\n- T8: Old - ✅\n\n"
    "## Active Tasks\n### T8: Old\n**Status**: ✅\n"
)


@pytest.mark.parametrize("stacked", [OLDER, "# Session Cache\n*Last Updated: 2030-01-01*\n\n" + OLDER])
def test_older_caches_below_give_no_readings(stacked: str) -> None:
    """From the second title or the second current session on, all is history."""
    first = (
        "# Session Cache\n*Last Updated: 2031-05-06*\n\n## Current Session\n**Focus Task**: T1\n\n"
        "## Task Registry\n- T1: Bay - 🔄\n\n"
    )
    assert [r for _, r in cache(first + stacked).readings()] == [r for _, r in cache(first).readings()]


def test_the_date_of_an_older_cache_is_not_the_date_of_this_one() -> None:
    """It stands at the end of the section above the older cache."""
    text = "# Session Cache\n\n## Notes\n- a note\n\n*Last Updated: 2030-01-01*\n\n" + OLDER
    assert "last_updated" not in current(text)
    above = "# Session Cache\n\n## Task Registry\n*Last Updated: May 6, 2031*\n- T1: Bay - 🔄\n"
    assert current(above) == {"last_updated": "2031-05-06"}


def test_lines_that_name_no_single_task_are_told() -> None:
    """The line and why; nothing is read from it."""
    text = "## Active Tasks\n### T1 Phase 2: Bay\n**Status**: ✅\n\n## Task Registry\n- C5: Odd - ✅\n"
    document = cache(f"# Session Cache\n\n{text}")
    assert [line for line, _ in document.problems()] == [4, 8]
    assert not list(document.readings())


def test_history_lists_are_prose() -> None:
    """Session history repeats tasks as they were."""
    text = "# Session Cache\n\n## Session History (Last 3)\n1. T1: Bay - ✅\n- T2: Rope - ✅\n"
    assert not list(cache(text).readings())


@pytest.mark.corpora
def test_every_cache_ever_recorded_is_read(
    corpora: Mapping[str, Path], steps: Callable[[str], Iterator[dict[str, str | None]]]
) -> None:
    """Each field's text lies in its reading, and taking over from the parse before gives the same."""
    count = 0
    for bank in corpora:
        base = None
        for changes in steps(bank):
            text = changes.get("session_cache.md")
            if text is None:
                continue
            document = parse("session_cache.md", text, base)
            assert document.text == text
            assert document == cache(text)
            base = document
            for at, reading in document.readings():
                end = len(document.sections[at.section].text)
                for field in reading.fields.values():
                    assert 0 <= reading.span.start <= field.span.start <= field.span.end <= reading.span.end <= end
                count += 1
    assert count > 1000
