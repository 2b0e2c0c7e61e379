"""Values both ways."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from parser.values import (
    is_nothing,
    read_date,
    read_ids,
    read_moment,
    read_priority,
    read_status,
    render,
    render_date,
    render_ids,
    render_priority,
    render_status,
)
from schema.records import Priority, Status

WRITTEN_STATUS = [
    ("⬜", Status.PENDING),
    ("📝 PLANNED", Status.PENDING),
    ("⏳", Status.PENDING),
    ("🆕", Status.PENDING),
    ("📋 Queued", Status.PENDING),
    ("TODO", Status.PENDING),
    ("Not Started", Status.PENDING),
    ("🔄", Status.IN_PROGRESS),
    ("🔄 **IN PROGRESS** (Phase 3)", Status.IN_PROGRESS),
    ("🔄 In Progress (85%)", Status.IN_PROGRESS),
    ("🔄 95% Complete", Status.IN_PROGRESS),
    ("🔄 (Active)", Status.IN_PROGRESS),
    ("IN_PROGRESS", Status.IN_PROGRESS),
    ("**in progress**", Status.IN_PROGRESS),
    ("Active", Status.IN_PROGRESS),
    ("🚧 half way", Status.IN_PROGRESS),
    ("✅ COMPLETED - Full Implementation", Status.COMPLETED),
    ("✅ **COMPLETED** 2025-05-02", Status.COMPLETED),
    ("✅ IN PROGRESS", Status.COMPLETED),
    ("COMPLETE", Status.COMPLETED),
    ("done", Status.COMPLETED),
    ("⏸️", Status.PAUSED),
    ("⏸ PAUSED", Status.PAUSED),
    ("🛑 waits for T3", Status.BLOCKED),
    ("⛔", Status.BLOCKED),
    ("❌ CANCELLED", Status.CANCELLED),
    ("SUPERSEDED by T4", Status.CANCELLED),
    ("[x]", Status.COMPLETED),
    ("[ ]", Status.PENDING),
]


@pytest.mark.parametrize(("text", "status"), WRITTEN_STATUS)
def test_a_status_is_read_in_all_its_spellings(text: str, status: Status) -> None:
    """The icon rules; without one the first words do."""
    assert read_status(text) is status


@pytest.mark.parametrize(
    "text", ["", "-", "Phase 2 done", "Doneness", "Completed-ish", "Activeness", "[status]", "👍 fine"]
)
def test_what_is_no_status_is_none(text: str) -> None:
    """A word in the middle, or the beginning of another word, says nothing."""
    assert read_status(text) is None


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("text", [text for text, _ in WRITTEN_STATUS] + ["", "-", "Phase 2 done", "👍"])
def test_a_rendered_status_reads_back(text: str, status: Status) -> None:
    """The law, over every spelling and every status."""
    assert read_status(render_status(text, status)) is status


@given(st.text(), st.sampled_from(Status))
def test_a_rendered_status_reads_back_from_any_text(text: str, status: Status) -> None:
    """The law, over any text that was there before."""
    assert read_status(render_status(text, status)) is status


@pytest.mark.parametrize(
    ("old", "status", "new"),
    [
        ("🔄", Status.COMPLETED, "✅"),
        ("⏸", Status.PENDING, "⬜"),
        ("🔄 **IN PROGRESS** (Phase 3)", Status.COMPLETED, "✅ **COMPLETED** (Phase 3)"),
        ("🔄 In Progress (85%)", Status.COMPLETED, "✅ Completed (85%)"),
        ("🔄 **IN_PROGRESS**", Status.PAUSED, "⏸️ **PAUSED**"),
        ("⬜ not started", Status.IN_PROGRESS, "🔄 in progress"),
        ("✅ COMPLETED - Full", Status.IN_PROGRESS, "🔄 IN PROGRESS - Full"),
        ("🔄 95% Complete", Status.PAUSED, "⏸️ 95% Complete"),
        ("🔄 (Active)", Status.CANCELLED, "❌ (Cancelled)"),
        ("TODO", Status.COMPLETED, "DONE"),
        ("DONE", Status.PENDING, "TODO"),
        ("Active", Status.BLOCKED, "Blocked"),
        ("Phase 2 done", Status.COMPLETED, "✅ Phase 2 done"),
        ("", Status.COMPLETED, "✅"),
        ("[ ]", Status.COMPLETED, "[x]"),
        ("[x]", Status.PENDING, "[ ]"),
        ("[ ]", Status.PAUSED, "⏸️"),
        ("🚧 DONE soon", Status.IN_PROGRESS, "🚧 DONE soon"),
    ],
)
def test_only_icon_and_word_of_a_status_change(old: str, status: Status, new: str) -> None:
    """In the style of the place; the rest of the text stays."""
    assert render_status(old, status) == new


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("HIGH", Priority.HIGH),
        ("High", Priority.HIGH),
        ("🔥 high", Priority.HIGH),
        ("⏺️ medium", Priority.MEDIUM),
        ("⬇️ low", Priority.LOW),
        ("🔴 HIGH", Priority.HIGH),
        ("🟡 MEDIUM", Priority.MEDIUM),
        ("🟡", Priority.MEDIUM),
        ("**CRITICAL**", Priority.CRITICAL),
        ("HIGH (was MEDIUM, raised)", Priority.HIGH),
        ("Medium-term improvement", None),
        ("highest", None),
        ("🔥 of the day", None),
        ("-", None),
    ],
)
def test_a_priority_is_read_in_all_its_spellings(text: str, priority: Priority | None) -> None:
    """The leading word counts, behind an icon or none."""
    assert read_priority(text) is priority


@given(
    st.sampled_from(["🔥 high", "⬇", "**LOW**", "x", "", "🔴", "High (was LOW)"]) | st.text(), st.sampled_from(Priority)
)
def test_a_rendered_priority_reads_back(text: str, priority: Priority) -> None:
    """The law, over any text that was there before."""
    assert read_priority(render_priority(text, priority)) is priority


def test_icon_and_word_of_a_priority_change_together() -> None:
    """In the family of icons and in the case of the place."""
    assert render_priority("🔥 high", Priority.LOW) == "⬇️ low"
    assert render_priority("🔴 HIGH", Priority.MEDIUM) == "🟡 MEDIUM"
    assert render_priority("**High** (asked for)", Priority.LOW) == "**Low** (asked for)"
    assert render_priority("🟡", Priority.CRITICAL) == "CRITICAL"


@pytest.mark.parametrize(
    ("text", "date", "time", "zone"),
    [
        ("2025-11-13", "2025-11-13", None, None),
        ("2025_05_02_afternoon", "2025-05-02", None, None),
        ("T9_20250422", "2025-04-22", None, None),
        ("June 3, 2025", "2025-06-03", None, None),
        ("May 12, 2025 08:00 UTC", "2025-05-12", "08:00", "UTC"),
        ("Aug 07, 2025, 10:11:12 IST", "2025-08-07", "10:11:12", "IST"),
        ("3 June 2025", "2025-06-03", None, None),
        ("2025-05-19 19:30", "2025-05-19", "19:30", None),
        ("2025-11-10 18:27:15 IST", "2025-11-10", "18:27:15", "IST"),
        ("2025-11-10 IST", "2025-11-10", None, "IST"),
        ("2026-06-26T13:21:04.144Z", "2026-06-26", "13:21:04", "Z"),
        ("2026-06-26T13:21:04+05:30", "2026-06-26", "13:21:04", "+05:30"),
        ("2025-05-02 16:30 XYZT", "2025-05-02", "16:30", "XYZT"),
        ("2025-05-02 14:30 API fix", "2025-05-02", "14:30", None),
        ("2025-05-02 DONE", "2025-05-02", None, None),
        ("14:00-15:30 IST - T1", None, "14:00", "IST"),
        ("9:05 - T1", None, "09:05", None),
        ("2:30 PM", None, "14:30", None),
        ("Phase 12 2026 of 3 sept. 2025", "2025-09-03", None, None),
        ("12 words 2026, 4TH of it, MAY 1ST, 2026", "2026-05-01", None, None),
        ("10:20 UTC+5x", None, "10:20", "UTC"),
        ("2025-05-02 GMT+05:30 - T1", "2025-05-02", None, "GMT+05:30"),
    ],
)
def test_a_moment_is_read_in_all_its_spellings(text: str, date: str | None, time: str | None, zone: str | None) -> None:
    """As precise as it is written."""
    moment = read_moment(text)
    assert moment is not None
    assert (moment.date, moment.time, moment.zone) == (date, time, zone)


@pytest.mark.parametrize(
    "text",
    [
        "", "2025-13-45", "2025-13-45 10:00", "2025-02-29", "2025-05-01 25:00", "99:99", "[Timestamp]", "16:9",
        "T21:30", "ſept 3 2026",
    ],
)
def test_what_is_impossible_is_no_moment(text: str) -> None:
    """Neither a date nor the time behind it is taken from a date that does not exist."""
    assert read_moment(text) is None
    assert read_date(text) is None


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("2025-11-10 18:27:15 IST", "2031-02-03 04:05:06", "2031-02-03 04:05:06 IST"),
        ("2025-05-26 16:30", "2031-02-03 04:05:06", "2031-02-03 04:05:06"),
        ("2025-05-26 16:30", "2031-02-03", "2031-02-03"),
        ("2025-05-26 IST", "2031-02-03", "2031-02-03 IST"),
        ("April 15, 2025", "2031-02-03", "February 3, 2031"),
        ("Aug 07, 2025, 10:11:12 IST", "2031-02-03 04:05", "Feb 03, 2031, 04:05 IST"),
        ("3 June 2025", "2031-02-13", "13 February 2031"),
        ("2026-06-26T13:21:04.144Z", "2031-02-03 04:05:06", "2031-02-03T04:05:06.000Z"),
        ("2025_05_02", "2031-02-03", "2031_02_03"),
        ("20250502", "2031-02-03", "20310203"),
        ("9:05", "04:05", "4:05"),
        ("✅ 2025-05-02 (late)", "2031-02-03", "✅ 2031-02-03 (late)"),
        ("-", "2031-02-03", "2031-02-03"),
        ("", "04:05", "04:05"),
        ("soon", "2031-02-03", "2031-02-03"),
    ],
)
def test_a_date_is_written_as_the_old_one_was(old: str, value: str, new: str) -> None:
    """Order, separator, names, precision of the value, zone."""
    assert render_date(old, value) == new


MOMENTS = st.builds(
    lambda day, clock: " ".join(part for part in (day, clock) if part),
    st.dates().filter(lambda d: d.year >= 2000).map(lambda d: d.isoformat()),
    st.sampled_from(["", "00:00", "23:59", "09:05", "10:11:12", "00:00:00"]),
)


@given(
    st.sampled_from([
        "", "-", "2025-11-10 18:27:15 IST", "April 15, 2025", "Sept. 5, 2025 9:05", "3 June 2025", "20250502",
        "x 2025/05/02 y",
        "2026-06-26T13:21:04.144Z", "2025-05-02 IST", "2:30 PM", "2025-13-45",
    ]) | st.text(),
    MOMENTS,
)  # fmt: skip
def test_a_rendered_date_reads_back(old: str, value: str) -> None:
    """The law, over every spelling and any text."""
    assert read_date(render_date(old, value)) == value


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("T1", ("T1",)),
        ("T1, T2", ("T1", "T2")),
        ("T1,T2,T20a", ("T1", "T2", "T20a")),
        ("T1 (Custom API), T7", ("T1", "T7")),
        ("T2 (done, see T9), META-1", ("T2", "META-1")),
        ("T1 and T2", ("T1", "T2")),
        ("T3/T4", ("T3", "T4")),
        ("**T1**, [T2](tasks/T2.md)", ("T1", "T2")),
        ("T1, T1", ("T1",)),
        ("T14-T19", ()),
        ("T14 to T19, T20", ("T20",)),
        ("numpy, T3", ("T3",)),
        ("T1-based work", ()),
        ("2025-05-02", ()),
        ("None", ()),
        ("-", ()),
    ],
)
def test_only_ids_are_read_from_a_dependency(text: str, ids: tuple[str, ...]) -> None:
    """Notes, ranges and prose give none."""
    assert read_ids(text) == ids


@pytest.mark.parametrize(
    ("old", "ids", "new"),
    [
        ("T1 (Custom API), T7", ("T1",), "T1 (Custom API)"),
        ("T1 (Custom API), T7", ("T7", "T1", "T9"), "T1 (Custom API), T7, T9"),
        ("T1,T2,T3", ("T1", "T3"), "T1,T3"),
        ("T3/T4", ("T3", "T4", "T5"), "T3/T4/T5"),
        ("T1", (), "-"),
        ("None", ("T1",), "T1"),
        ("numpy, T3", ("T4",), "numpy, T4"),
        ("T2, T1", ("T1", "T2"), "T2, T1"),
    ],
)
def test_only_changed_ids_are_touched(old: str, ids: tuple[str, ...], new: str) -> None:
    """The others keep their notes, their order and their separators."""
    assert render_ids(old, ids) == new


IDS = st.lists(st.sampled_from(["T1", "T2", "T20a", "META-1", "T999"]), unique=True).map(tuple)


@given(st.sampled_from(["T1 (a), T2", "T1/T2", "x, T2;T1", "T1 and T20a", "-", "T1-T5", "**T1**"]) | st.text(), IDS)
def test_rendered_ids_read_back(old: str, ids: tuple[str, ...]) -> None:
    """The law; ids are a set."""
    assert set(read_ids(render_ids(old, ids))) == set(ids)


@pytest.mark.parametrize("text", ["", " ", "-", "—", "–", "None", "none", "N/A", "**-**"])
def test_nothing_is_written_in_many_ways(text: str) -> None:
    """A dash, a word, or nothing at all."""
    assert is_nothing(text)
    assert read_status(text) is read_priority(text) is read_date(text) is None


@given(st.sampled_from(["title", "status", "started", "details", "completed"]), st.text(), st.text(min_size=1))
def test_render_writes_text_as_it_is(name: str, old: str, value: str) -> None:
    """What is no value of the field's type is left for the caller to judge."""
    assume(value not in set(Status) and read_moment(value) is None)
    assert render(name, old, value) == value


def test_render_dispatches_by_field_and_value() -> None:
    """One entrance for all fields; a count is no date."""
    assert render("status", "🔄", "completed") == "✅"
    assert render("priority", "🔥 high", "LOW") == "⬇️ low"
    assert render("started", "May 3, 2025", "2031-02-03") == "February 3, 2031"
    assert render("completed", "7", "8") == "8"
    assert render("dependencies", "T1,T2", ("T1",)) == "T1"
    assert render("dependencies", "T1", None) == "-"
    assert render("priority", "N/A", None) == "N/A"
