"""An edit history shows entries in all their spellings, the files below them, and no date that it does not tell."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parser.document import Document, parse
from parser.kinds import modifications
from schema.records import Reading, Role, Table, Value


def history(text: str, path: str = "edit_history.md") -> Document:
    return parse(path, text)


def entries(text: str) -> list[Reading]:
    return [r for _, r in history(text).readings() if r.table is Table.ENTRIES]


def lines(text: str) -> list[Reading]:
    return [r for _, r in history(text).readings() if r.table is Table.MODIFICATIONS]


def tell(text: str) -> dict[str, Value]:
    """All values of the only entry."""
    (entry,) = entries(text)
    return entry.values()


@pytest.mark.parametrize(
    ("line", "time", "zone", "tasks", "words"),
    [
        ("#### 17:48 - T21: Plan", "17:48", None, "T21", "Plan"),
        ("#### 16:59:56 IST - T13, T20, T3: Merge", "16:59:56", "IST", "T13, T20, T3", "Merge"),
        ("### 9:30 - T25: Early", "09:30", None, "T25", "Early"),
        ("### 14:00-15:30 - T19a: A range", "14:00", None, "T19a", "A range"),
        ("## 14:00 – 15:30 UTC - T19a: A range", "14:00", "UTC", "T19a", "A range"),
        ("#### 06:15 IST — T4: Em dash", "06:15", "IST", "T4", "Em dash"),
        ("#### 15:23 IST - Afternoon Session: CI", "15:23", "IST", None, "Afternoon Session: CI"),
        ("**10:23:55 IST - T27f: Bold**", "10:23:55", "IST", "T27f", "Bold"),
        ("**10:23 - T27f**: Half bold", "10:23", None, "T27f", "Half bold"),
        ("#### 12:06:00 IST - T3/T4: Two", "12:06:00", "IST", "T3/T4", "Two"),
        ("#### 00:10 - T14-T19: A row of them", "00:10", None, "T14-T19", "A row of them"),
        ("#### 10:00 - T1 & META-2: Both", "10:00", None, "T1 & META-2", "Both"),
        ("#### 10:00 - T19 Phase 1 Complete: Core", "10:00", None, None, "T19 Phase 1 Complete: Core"),
        ("#### 10:00 - GPT-5: A model", "10:00", None, None, "GPT-5: A model"),
        ("#### 10:00 - T21", "10:00", None, "T21", None),
        ("#### 2:30 PM - T1: Noon", "14:30", None, "T1", "Noon"),
        ("#### 10:00 +05:30 - T1: Offset", "10:00", "+05:30", "T1", "Offset"),
        ("#### 10:00 - T1: Ends **bold**", "10:00", None, "T1", "Ends **bold**"),
        ("#### **10:00 - T1: Marked** ##", "10:00", None, "T1", "Marked"),
    ],
)
def test_an_entry_is_read_in_all_its_spellings(
    line: str, time: str, zone: str | None, tasks: str | None, words: str | None
) -> None:
    """Level, zone, dash, range, ids and weight differ from file to file."""
    shown = tell(f"# Edit History\n\n## 2025-11-13\n\n{line}\n")
    expected = {"time": time, "timezone": zone, "task_id": tasks, "task_description": words, "date": "2025-11-13"}
    assert shown == {name: value for name, value in expected.items() if value is not None}


def test_every_span_shows_its_value() -> None:
    """What is replaced later is the value and nothing else."""
    text = "#### 16:59:56 IST - T13, T20: Merge  \n- Modified `a/b.ts` - why\n"
    (section,) = history(text).sections
    for reading in section.readings:
        for field in reading.fields.values():
            assert section.text[field.span.start : field.span.end] == field.value


@pytest.mark.parametrize(
    ("heading", "day"),
    [
        ("## 2025-05-26", "2025-05-26"),
        ("### April 10, 2025", "2025-04-10"),
        ("### 2025_05_26", "2025-05-26"),
        ("## 2025-05-26 (Monday)", "2025-05-26"),
        ("## Recent Changes", None),
        ("## 2025-02-30", None),
    ],
)
def test_a_date_heading_dates_the_entries_below(heading: str, day: str | None) -> None:
    """The date is inherited, as it does not stand in the entry's own line."""
    (entry,) = entries(f"{heading}\n\n#### 10:00 - T1: One\n")
    assert entry.inherited == ({} if day is None else {"date": day})


def test_no_date_is_invented() -> None:
    """Entries above the first date heading have none, nor those below a heading that ends the day."""
    text = "# H\n\n**10:00 - T1: a**\n\n## 2025-05-26\n\n#### 09:00 - T2: b\n\n## Older\n\n#### 08:00 - T3: c\n"
    assert [entry.value("date") for entry in entries(text)] == [None, "2025-05-26", None]
    assert not any("date" in entry.inherited for entry in (entries(text)[0], entries(text)[2]))


def test_a_date_in_the_line_is_a_field_and_counts_below_it_only() -> None:
    """``## 2025-05-19 19:30 - T23: …`` dates deeper entries, not its neighbours."""
    text = "## 2025-05-19 19:30 - T23: a\n\n### 18:00 - T22: b\n\n## 17:00 - T21: c\n"
    first, second, third = entries(text)
    assert first.fields["date"].value == "2025-05-19"
    assert second.inherited == {"date": "2025-05-19"}
    assert third.inherited == {}


def test_ids_alone_open_an_entry_without_a_time() -> None:
    """``#### T3/T4: …``, but not below an entry, where such a heading is a part of it."""
    assert tell("## 2025-05-19\n\n#### T3/T4: Both\n") == {
        "date": "2025-05-19", "task_id": "T3/T4", "task_description": "Both",
    }  # fmt: skip
    assert len(entries("### 10:00 - T1: a\n\n#### T3: a part\n")) == 1


@pytest.mark.parametrize("line", ["#### 17:48 T21 no dash", "#### 25:99 - T1: late", "**10:00 T1 no dash**"])
def test_a_time_that_opens_no_entry_is_told(line: str) -> None:
    """The line is kept and named."""
    document = history(f"## 2025-05-19\n\n{line}\n")
    assert [number for number, _ in document.problems()] == [3]
    assert not list(document.readings())


@pytest.mark.parametrize(
    ("line", "action", "path", "words"),
    [
        ("- Modified `a/b.ts` - what", "Modified", "a/b.ts", "what"),
        ("- Created `LICENSE` — MIT", "Created", "LICENSE", "MIT"),
        ("- Updated `x.md`: more", "Updated", "x.md", "more"),
        ("- Modified `x.md` to read twice", "Modified", "x.md", "read twice"),
        ("- Created `x.md`", "Created", "x.md", None),
        ("- Created `src/` directory - New", "Created", "src/", "New"),
        ("- Rewrote `x.md` - anew", "Rewrote", "x.md", "anew"),
        ("* Wired `a.ts` - in", "Wired", "a.ts", "in"),
        ("- [Copied] `p.py` — from there", "Copied", "p.py", "from there"),
        ("- **Modified** `p.py` - bold", "Modified", "p.py", "bold"),
        ("- **Modified**: `p.py` - bold", "Modified", "p.py", "bold"),
        ("- Modified [n.md](cci:7://file/n.md) - link", "Modified", "n.md", "link"),
        ("- Modified [the notes](docs/n.md) - link", "Modified", "docs/n.md", "link"),
        ("- Updated paper-table.tsx - bare", "Updated", "paper-table.tsx", "bare"),
        (
            "- Modified `usePlan` - any name behind the four verbs",
            "Modified",
            "usePlan",
            "any name behind the four verbs",
        ),
        ("- Modified `a.ts` - `b` | c — 🔥", "Modified", "a.ts", "`b` | c — 🔥"),
    ],
)
def test_a_line_names_a_file(line: str, action: str, path: str, words: str | None) -> None:
    """Verbs, dashes, links and weights as people write them."""
    (reading,) = lines(f"#### 10:00 - T1: a\n{line}\n")
    assert reading.values() == {"action": action, "file_path": path, "description": words}


@pytest.mark.parametrize(
    "line",
    [
        "- Installed what was needed:",
        "- Fixed `usePlan` integration",
        "- See `docs/a.md` - for more",
        "- **File**: `src/a.ts` - not an action",
        "- Updated imports in `a.ts` to match",
        "- `src/a.ts` - no verb",
        "- Said\n  - Modified `a.ts` - nested",
    ],
)
def test_other_lists_are_prose(line: str) -> None:
    """No row, and nothing to complain of."""
    document = history(f"#### 10:00 - T1: a\n{line}\n")
    assert [r.table for _, r in document.readings()] == [Table.ENTRIES]
    assert not list(document.problems())


def test_several_paths_in_a_line_share_what_is_said() -> None:
    """One reading a path."""
    found = lines("#### 10:00 - T1: a\n- Created `a.ts`, `b.ts`, and `c.ts` — all\n- Renamed `x.md` to `y.md`\n")
    assert [(r.value("file_path"), r.value("description")) for r in found] == [
        ("a.ts", "all"), ("b.ts", "all"), ("c.ts", "all"), ("x.md", None), ("y.md", None),
    ]  # fmt: skip


def test_lines_below_a_deeper_heading_belong_to_the_entry() -> None:
    """``##### Files`` does not close it; what is nested below a line goes with it."""
    text = "#### 10:00 - T1: a\n\n##### Files\n- Modified `a.ts` - b\n  - nested\n- Modified `c.ts` - d\n"
    assert len(entries(text)) == 1
    section = history(text).sections[1]
    assert [section.text[r.span.start : r.span.end] for r in section.readings] == [
        "- Modified `a.ts` - b\n  - nested\n", "- Modified `c.ts` - d\n",
    ]  # fmt: skip


def test_lines_without_an_entry_have_one_that_shows_the_day_only() -> None:
    """Files listed right below a date belong to no line, and not to the day before."""
    text = "## 2025-05-26\n\n**10:00 - T1: a**\n\n## 2025-05-25\n\n**Files**:\n- Modified `a.ts` - b\n"
    first, second = entries(text)
    assert first.value("time") == "10:00"
    assert (second.fields, second.inherited) == ({}, {"date": "2025-05-25"})


def test_an_entry_twice_is_two_readings_in_order() -> None:
    """Two may share date, time and task."""
    text = "## 2025-05-26\n#### 10:00 - T1: a\n#### 10:00 - T1: a\n"
    assert [r.key for r in entries(text)] == ["2025-05-26 10:00 T1 a"] * 2


def test_fences_and_comments_show_nothing() -> None:
    """An example is no entry."""
    assert not list(
        history("```\n#### 10:00 - T1: a\n- Created `a.ts` - b\n```\n<!--\n- Created `c.ts` - d\n-->\n").readings()
    )


def test_an_entry_does_not_take_the_last_rule_along() -> None:
    """A footer is nobody's."""
    text = "#### 10:00 - T1: a\n- Created `a.ts` - b\n\n---\n*(Add new entries on top)*\n"
    (entry,) = entries(text)
    assert text[: entry.span.end].endswith("- b\n\n")


def test_the_header_tells_the_last_update() -> None:
    """Once, above the entries."""
    text = "# Edit History\n*Last Updated: 2025-05-26 16:30 IST*\n\n#### 10:00 - T1: a\n*Updated: 2020-01-01*\n"
    (header,) = (r for _, r in history(text).readings() if r.table is Table.HEADER)
    assert header.value("last_updated") == "2025-05-26 16:30"


def test_histories_in_the_archive_are_archive() -> None:
    """So that nothing is brought along there."""
    document = history("#### 10:00 - T1: a\n", "archive/2025/edit-history-aug.md")
    assert [r.role for _, r in document.readings()] == [Role.ARCHIVE]


def test_carriage_returns_are_no_part_of_a_value() -> None:
    """CRLF throughout."""
    text = "## 2025-05-26\r\n\r\n#### 10:00 - T1: a\r\n- Created `a.ts` - b\r\n"
    assert [r.value("task_description") or r.value("description") for _, r in history(text).readings()] == ["a", "b"]


ENTRY = re.compile(r"(?:#{2,5} +|\*\*)(?P<time>\d{1,2}:\d{2})\S*(?: [A-Z]{3})? [-—] (?P<text>.*?)\**\s*$")
LINE = re.compile(r"- (Created|Modified|Updated|Deleted) `([^`]+)` [-—] \S")


@pytest.mark.corpora
@pytest.mark.parametrize("bank", ["arxivite", "mb", "process-monitor", "qc-diffusion-code", "super-chat"])
def test_all_entries_and_lines_of_the_recorded_banks_are_found(
    bank: str, last_state: Callable[[str], dict[str, str]]
) -> None:
    """Counted here by two expressions on the plain lines; none is left, and nothing is not understood."""
    text = last_state(bank)["edit_history.md"]
    document = history(text)
    timed = [m for line in text.split("\n") if (m := ENTRY.match(line))]
    found = [r for r in entries(text) if "time" in r.fields and "date" not in r.fields]
    assert len(found) == len(timed)
    for reading, match in zip(found, timed, strict=True):
        assert match["text"].rstrip().endswith(str(reading.value("task_description")))
    shown = {(r.value("action"), r.value("file_path")) for r in lines(text)}
    named = {(m[1], m[2]) for line in text.split("\n") if (m := LINE.match(line))}
    assert named <= shown
    assert not list(document.problems())
    if bank == "qc-diffusion-code":
        assert len(found) == 74


@pytest.mark.corpora
def test_every_recorded_revision_joins_and_shows_what_it_says(
    corpora: dict[str, object], steps: Callable[[str], list[dict[str, str | None]]]
) -> None:
    """Every own value stands at its span, in every revision of every history and chunk."""
    pattern = re.compile(r"edit_history\.md|archive/.*edit[-_]history[^/]*\.md|edits/.*\.md")
    base: dict[str, Document] = {}
    for bank in corpora:
        for changes in steps(bank):
            for path, text in changes.items():
                if text is None or not pattern.fullmatch(path):
                    continue
                document = base[path] = parse(path, text, base.get(path))
                assert document.text == text
                for section in document.sections:
                    for reading in section.readings:
                        for name in reading.fields.keys() & {"action", "file_path", "task_id", "task_description"}:
                            field = reading.fields[name]
                            assert section.text[field.span.start : field.span.end] == field.value


PIECES = st.sampled_from(
    [
        "- ",
        "* ",
        "Created",
        "Updated",
        "Renamed",
        " `",
        "`",
        "a/b.py",
        "x",
        " - ",
        " — ",
        " ",
        "done",
        "None",
        "-",
        ": ",
    ]
)


@given(st.lists(PIECES, min_size=4, max_size=9).map("".join))
@example("- Modified `a.py` - what was done")
@example("- Modified `a.py` - None")
@example("   * Deleted `a b` — x  ")
def test_the_usual_spelling_is_read_as_the_long_way_reads_it(line: str) -> None:
    found = modifications.read_line(line)
    long = modifications.readings(found, 7, 99, Role.HISTORY) if found else []
    short = modifications.line_readings(line, 7, 99, Role.HISTORY)
    assert [msgspec.structs.asdict(r) for r in short] == [msgspec.structs.asdict(r) for r in long]
    assert [[(f.span, f.place) for f in r.fields.values()] for r in short] == [
        [(f.span, f.place) for f in r.fields.values()] for r in long
    ]
