"""A session file gives one session, dated by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from parser.document import parse
from parser.kinds.session import dated
from schema.records import Reading, Role, Table, Value


def readings(text: str, name: str = "2031-05-06-morning") -> list[Reading]:
    return [r for _, r in parse(f"sessions/{name}.md", text).readings()]


def fields(text: str) -> dict[str, Value]:
    """The fields of all readings; each is said in one place only."""
    values: dict[str, Value] = {}
    for reading in readings(text):
        for name, field in reading.fields.items():
            assert values.get(name) is None
            values[name] = field.value
    return values


@pytest.mark.parametrize(
    ("name", "date", "period"),
    [
        ("2026-05-11-morning", "2026-05-11", "morning"),
        ("2025-04-30_afternoon", "2025-04-30", "afternoon"),
        ("2025_04_27_afternoon", "2025-04-27", "afternoon"),
        ("2025-04-14-1", "2025-04-14", "1"),
        ("2025-07-06-evening-2", "2025-07-06", "evening-2"),
        ("session_2025-04-26_T0", "2025-04-26", None),
        ("session_2025_05_02", "2025-05-02", None),
        ("T9_20250422", "2025-04-22", None),
        ("2026-05-09-early", "2026-05-09", "early"),
        ("2026-07-18-early-morning", "2026-07-18", "early-morning"),
        ("2025-04-30-late_Morning", "2025-04-30", "late-morning"),
        ("2025-08-23-evening-vercel", "2025-08-23", "evening"),
        ("2025-04-26_initial_setup", "2025-04-26", None),
        ("2025-04-27_T5_catchup", "2025-04-27", None),
        ("2025-13-27-morning", None, None),
        ("notes", None, None),
        ("ticket-20251350", None, None),
    ],
)
def test_a_name_tells_date_and_period(name: str, date: str | None, period: str | None) -> None:
    """In all spellings; what it does not tell is left out."""
    assert dated(name) == {k: v for k, v in (("session_date", date), ("session_period", period)) if v is not None}


@pytest.mark.parametrize("text", ["", "\n", "=======", "no heading at all\n", "---\nkind: x\n---\n"])
def test_even_an_odd_file_is_one_session(text: str) -> None:
    """With what its name tells, and nothing else."""
    (reading,) = readings(text)
    assert (reading.table, reading.key, reading.role) == (Table.SESSIONS, "2031-05-06-morning", Role.OWN)
    assert reading.values() == {"session_date": "2031-05-06", "session_period": "morning"}


def test_a_name_without_a_date_is_told() -> None:
    """The session stays, without a date."""
    document = parse("sessions/notes.md", "# Notes\n")
    assert [line for line, _ in document.problems()] == [1]
    assert [r.values() for _, r in document.readings()] == [{}]


def test_fields_of_the_header_are_read() -> None:
    """Bold, in italics and as bullets of an overview."""
    bold = (
        "# Session\n\n**Started**: 2031-05-06 08:05:09 IST\n**Ended:** 2031-05-06 09:10 IST\n"
        "**Focus Task**: T3: Rope\n**Status**: ✅ COMPLETED\n"
    )
    assert fields(bold) == {
        "start_time": "2031-05-06 08:05:09",
        "end_time": "2031-05-06 09:10",
        "focus_task": "T3: Rope",
        "status": "completed",
    }
    italic = "# Session\n*Started: 2031-05-06 08:05*\n*Session Ended*: 2031-05-06 09:10\n*Focus: Ropes, nets*\n"
    assert fields(italic) == {
        "start_time": "2031-05-06 08:05",
        "end_time": "2031-05-06 09:10",
        "focus_task": "Ropes, nets",
    }
    bullets = "# Session\n\n## Session Overview\n- Task: T0 (Setup)\n- Start: 2031-05-06 08:05\n- Status: Nearly\n"
    assert fields(bullets) == {"focus_task": "T0 (Setup)", "start_time": "2031-05-06 08:05"}


def test_a_duration_that_is_a_range_gives_both_times() -> None:
    """A length is prose."""
    assert fields("# Session\n*Duration: 8:00 - 14:30*\n") == {"start_time": "08:00", "end_time": "14:30"}
    assert fields("# Session\n**Duration**: ~2 hours\n") == {}


def test_a_focus_section_gives_its_first_line() -> None:
    """Its own labels are no focus."""
    text = "# Session\n\n## Focus Task\n- T3: Rope\n**Status**: 🔄 IN PROGRESS\nmore of it\n\n## Work Done\n- T4: Net\n"
    assert fields(text) == {"focus_task": "T3: Rope", "status": "in_progress"}
    assert fields("# Session\n\n## Focus Task\n**Status**: ⏸️\n") == {"status": "paused"}


def test_what_the_header_leaves_open_a_later_section_may_say() -> None:
    """A dash is a place for a value; a value is not replaced by a later one."""
    text = "# Session\n**Focus Task**: None\n**Status**: ✅\n\n## Focus Task\nT3: Rope\n**Status**: 🔄\n"
    first, second = readings(text)
    assert first.fields["focus_task"].value is None
    assert {name: f.value for name, f in second.fields.items()} == {"focus_task": "T3: Rope"}
    assert second.inherited == first.inherited


def test_sections_about_the_work_are_prose() -> None:
    """They repeat fields of tasks, and a session changes no task."""
    text = (
        "# Session\n\n## Active Tasks\n### T3: Rope\n**Status**: ✅\n**Started**: 2031-01-01\n\n"
        "## Session Notes\n**Focus**: x\n"
    )
    assert [(r.table, dict(r.fields)) for r in readings(text)] == [(Table.SESSIONS, {})]


def test_a_time_that_cannot_be_read_is_told() -> None:
    """With its line."""
    document = parse("sessions/2031-05-06.md", "# Session\n\n**Started**: after lunch\n")
    assert [(line, "after lunch" in reason) for line, reason in document.problems()] == [(3, True)]


@pytest.mark.corpora
def test_every_session_ever_recorded_is_one_session_with_a_date(
    corpora: Mapping[str, Path], steps: Callable[[str], Iterator[dict[str, str | None]]]
) -> None:
    """The first section shows it, and further readings are of the same."""
    count = 0
    for bank in corpora:
        for changes in steps(bank):
            for path, text in changes.items():
                if text is None or not path.startswith("sessions/"):
                    continue
                document = parse(path, text)
                assert document.text == text
                told = [r.table for r in document.sections[0].readings]
                assert told in ([Table.SESSIONS], [Table.SESSIONS, Table.HEADER])
                for _, reading in document.readings():
                    if reading.table is Table.HEADER:
                        continue
                    assert reading.table is Table.SESSIONS
                    assert reading.key == path[9:-3]
                    assert reading.value("session_date")
                count += 1
    assert count > 300
