"""The short ways of reading give what the long way gives: they only spare compiling what few lines need."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parser import fields, moments
from parser.document import parse
from parser.fields import header_moment
from parser.kinds import chunk_heads, edit_chunk, entries, entry_heads, kind_of, modifications
from parser.kinds.entry_heads import ID, IDS, date_of_heading, entry_fields, is_id, text_fields
from parser.lines import Line
from schema.records import TASK_ID, Reading, Table

NEVER = re.compile(r"(?!)")
ALWAYS = re.compile("")

HEADS = st.lists(
    st.sampled_from([
        "#### ", "**", "10:23", "10:23:55", "9:05", "25:00", " ", "  ", " - ", " – ", "-", " IST", " AM", " PM ", "pm",
        " (IST)", "T21", "T21a", "META-1", "UTF-8", "GPT-5", "PROJ-12", "PROJ-12ab", "AB1", "T1.2", "T1-T2", ", ",
        " & ", " and ", "/", ": ", "task ", "Task ID: ", "word", "2026-01-02", "2026", "January 2, 2026", "Z", "#",
        "**:",
    ]),
    min_size=1, max_size=8,
).map("".join)  # fmt: skip
WORDS = st.lists(
    st.sampled_from(["T", "META", "PROJ", "UTF", "-", "1", "23", "a", "ab", ".", ".2", "ABCDEFGHIJK"]),
    min_size=1, max_size=5,
).map("".join)  # fmt: skip


def shown(fields: dict[str, entry_heads.Field] | None) -> object:
    return fields and {name: msgspec.structs.astuple(field) for name, field in fields.items()}


@given(HEADS, st.booleans())
@example("#### 10:23:55 IST - T27f: Words", False)
@example("**10:23 - GPT-5: Words**", False)
@example("10:23 - 11:00 - T1: Words", False)
@example("#### GPT-5: Words", True)
def test_the_head_of_an_entry(line: str, timeless: bool) -> None:
    short = entry_fields(line, 3, timeless), date_of_heading(line), text_fields(line, 0, len(line), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entry_heads, "_USUAL", NEVER)
        patch.setattr(entry_heads, "_HAS_TIME", ALWAYS)
        patch.setattr(entry_heads, "_HAS_YEAR", ALWAYS)
        patch.setattr(entry_heads, "_ids", IDS.match)
        long = entry_fields(line, 3, timeless), date_of_heading(line), text_fields(line, 0, len(line), 0)
    assert (shown(short[0]), short[1], shown(short[2])) == (shown(long[0]), long[1], shown(long[2]))


@given(WORDS)
@example("ABCDEFGHIJK-1")
@example("UTF-8")
@example("T1..2")
def test_what_an_id_is(word: str) -> None:
    assert is_id(word) == (re.fullmatch(ID, word) is not None)
    assert (kind_of(f"tasks/{word}.md") == "task") == (re.fullmatch(TASK_ID, word) is not None)


@given(st.lists(
    st.sampled_from(["-", "_", "T", "T21", "t21", "T21a", "META-1", "PROJ-12", "UTF-8", "T1_t2", "words", ".x"]),
    min_size=1, max_size=5,
).map("".join))  # fmt: skip
@example("T21-META-1-words")
def test_the_id_in_the_name_of_a_chunk(name: str) -> None:
    short = edit_chunk._from_name(f"edits/2026-01-02-1020-{name}.md")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edit_chunk, "_USUAL_ID", NEVER)
        assert edit_chunk._from_name(f"edits/2026-01-02-1020-{name}.md") == short


@given(st.lists(
    st.sampled_from([
        "2026-01-02", "2026-13-02", " ", "T", "10:20", "10:20:30", "25:00", " IST", " PM", "Z", " - x", "May 3, 2026",
    ]),
    min_size=1, max_size=5,
).map("".join), st.none() | st.just("UTC"))  # fmt: skip
@example("2026-01-02 10:20 IST", None)
@example("2026-01-02 10:20 PM", "UTC")
def test_the_moment_of_a_chunk(text: str, zone: str | None) -> None:
    short = chunk_heads.given_moment(chunk_heads.Given(), text, zone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk_heads, "USUAL_MOMENT", NEVER)
        assert chunk_heads.given_moment(chunk_heads.Given(), text, zone) == short


MOMENTS = st.lists(
    st.sampled_from([
        "2026-01-02", "2026-13-02", " ", "10:20", "10:20:30", "25:00", "10:20:61", " IST", " PM", " AMX", " DONE",
        " XYZ", " UTC", " Z", "٢", "\n", "May 3, 2026",
    ]),
    min_size=1, max_size=5,
).map("".join)  # fmt: skip


@given(MOMENTS, MOMENTS)
@example("2026-01-02 10:20 IST", "2026-02-03 11:21:31")
@example("2026-01-02 10:20", "2026-02-03")
@example("2026-01-02 10:20:30 PMX", "11:21")
@example("2026-01-02 10:20:30 IST", "2026-02-03 11:21 Z")
def test_a_moment_in_the_usual_spelling(text: str, other: str) -> None:
    line = Line(0, 7, 7 + len(text) + 16, f"*Last Updated: {text}*")

    def ways() -> object:
        label = header_moment(line)
        return (
            moments.read_moment(text), moments.read_date(text), moments.render_date(text, other),
            label and msgspec.structs.asdict(label),
        )  # fmt: skip

    short = ways()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "USUAL_MOMENT", NEVER)
        patch.setattr(fields, "USUAL_MOMENT", NEVER)
        assert ways() == short


@given(st.lists(
    st.sampled_from([
        "T1", "META-2a", "UTF-8", "ABC-12", "GPT-5", ", ", " & ", ",", ": ", ":", " ", "Task ", "x", "and",
    ]),
    max_size=7,
).map("".join))  # fmt: skip
@example("T1, T2 & META-3: x")
@example("T1, UTF-8: x")
def test_ids_in_the_usual_spelling(text: str) -> None:
    short = shown(text_fields(text, 0, len(text), 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entry_heads, "_USUAL_IDS", NEVER)
        patch.setattr(entry_heads, "_MAY_BE_IDS", ALWAYS)
        assert shown(text_fields(text, 0, len(text), 0)) == short


LINES = st.lists(
    st.sampled_from([
        "- Modified `a.py` - what", "* Created `b c` — x  ", "- Deleted `d` - None", "- Modified `a`",
        "  - Updated `e` - y", "  more words", "   * Updated `f` - z", "- Renamed `g` to `h`", "- prose", "", "---",
        "#### 10:20 - T1: Words", "### 2026-01-02", "**10:21 IST - T2: Bold**", "- Modified `i` - j\r",
        "- Modified `k` - l\xa0", "*Last Updated: 2026-01-02 10:20*",
    ]),
    max_size=12,
).map("\n".join)  # fmt: skip


def readings(text: str) -> list[tuple[object, ...]]:
    def told(reading: Reading) -> tuple[object, ...]:
        spans = [(name, field.span, field.place) for name, field in reading.fields.items()]
        return reading.table, reading.values(), reading.key, reading.role, reading.span, spans

    return [(at, *told(reading)) for at, reading in parse("edit_history.md", text).readings()]


@given(LINES)
@example("- Modified `a.py` - what\n  more words\n- Modified `a.py` - what\r\n")
def test_lines_in_the_usual_spelling(text: str) -> None:
    short = readings(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "USUAL", NEVER)
        patch.setattr(modifications, "USUAL", NEVER)
        assert readings(text) == short


def test_the_usual_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modifications, "read_line", lambda line: pytest.fail(f"the long way: {line}"))
    monkeypatch.setattr(entry_heads, "_ENTRY", None)
    text = "#### 10:20:30 IST - T1: Words\n- Modified `a.py` - what\n* Created `b` — x  \n"
    assert [reading.table for _, reading in parse("edit_history.md", text).readings()] == [
        Table.ENTRIES, Table.MODIFICATIONS, Table.MODIFICATIONS,
    ]  # fmt: skip
