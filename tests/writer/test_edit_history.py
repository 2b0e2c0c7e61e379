"""New entries and lines are written where and how the history writes its own; nothing else in it moves."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from parser.document import At, Document, parse
from schema.records import Table, Value
from writer.changes import Change, Insert, Remove, SetFields
from writer.put import put

TEXT = """\
# Edit History
*Last Updated: 2025-11-13 17:48 IST*

### 2025-11-13

#### 17:48 IST - T21: Late
- Modified `a.ts` - one
  - nested
- Created `b.ts` - two

#### 09:05 IST - T20: Early

- Updated `c.ts`, `d.ts` - both

### 2025-11-11

#### 12:00 IST - T19: Noon
- Modified `e.ts` - three
"""


def history(text: str) -> Document:
    return parse("edit_history.md", text)


def done(text: str, *changes: Change) -> str:
    result = put(history(text), changes)
    assert result.refused == ()
    return result.document.text


def refused(text: str, change: Change) -> bool:
    result = put(history(text), [change])
    assert bool(result.refused) == (result.document.text == text)
    return bool(result.refused)


def at(text: str, words: str) -> At:
    """The address of the reading with ``words`` among its values."""
    return next(where for where, r in history(text).readings() if words in r.values().values())


def entry(date: str | None, time: str | None, words: str | None = "New", **more: Value) -> Insert:
    values: dict[str, Value] = {
        "date": date,
        "time": time,
        "timezone": "IST",
        "task_id": "T1",
        "task_description": words,
    }
    child: dict[str, Value] = {"action": "Created", "file_path": "n.ts", "description": "x"}
    return Insert(Table.ENTRIES, {**values, **more}, None, (child,))


def test_no_change_is_no_change() -> None:
    """GetPut."""
    assert put(history(TEXT), []).document.text == TEXT


def test_a_new_day_goes_on_top_of_older_ones() -> None:
    """With a heading, levels and spacing like the others, in a file that is newest first."""
    new = "### 2031-02-03\n\n#### 04:05:06 IST - T1: New\n- Created `n.ts` - x\n\n"
    assert done(TEXT, entry("2031-02-03", "04:05:06")) == TEXT.replace("### 2025-11-13", new + "### 2025-11-13")
    new = new.replace("2031-02-03", "2025-11-12")
    assert done(TEXT, entry("2025-11-12", "04:05:06")) == TEXT.replace("### 2025-11-11", new + "### 2025-11-11")


def test_a_day_older_than_all_goes_to_the_end() -> None:
    """A file keeps its last line break, or none."""
    new = "\n### 2020-01-01\n\n#### 04:05 IST - T1: New\n- Created `n.ts` - x"
    assert done(TEXT, entry("2020-01-01", "04:05")) == TEXT + new + "\n"
    assert done(TEXT.rstrip(), entry("2020-01-01", "04:05")) == TEXT + new


def test_an_entry_of_a_known_day_goes_below_its_heading_by_time() -> None:
    """Before the first that is older."""
    text = done(TEXT, entry("2025-11-13", "12:00", timezone=None))
    new = "#### 12:00 - T1: New\n- Created `n.ts` - x\n\n"
    assert text == TEXT.replace("#### 09:05", new + "#### 09:05")


def test_a_file_that_is_oldest_first_stays_so() -> None:
    """New days at the end, before a footer."""
    text = "# H\n\n## 2025-01-01\n### 10:00 - T1: a\n\n## 2025-01-02\n### 09:00 - T1: b\n\n---\n*end*\n"
    new = "\n\n## 2025-01-03\n### 11:00 - T1: New\n- Created `n.ts` - x"
    assert done(text, entry("2025-01-03", "11:00", timezone=None)) == text.replace("T1: b", "T1: b" + new)


def test_an_empty_history_takes_the_first_form() -> None:
    """A date heading and an entry below it."""
    want = "### 2025-11-13\n\n#### 17:48 - T1: New\n- Created `n.ts` - x\n"
    assert done("", entry("2025-11-13", "17:48", timezone=None)) == want
    assert done("# Edit History\n", entry("2025-11-13", "17:48", timezone=None)) == "# Edit History\n\n" + want


def test_bold_entries_have_bold_neighbours() -> None:
    """And a dash like theirs, and an empty line where they have one."""
    text = "# H\n\n### 2025-01-02\n\n**10:00 IST — T1: a**\n\n- Created `a.ts` — b\n"
    new = "**11:00:00 IST — T1: New**\n\n- Created `n.ts` — x\n\n"
    assert done(text, entry("2025-01-02", "11:00:00")) == text.replace("**10:00", new + "**10:00")


def test_entries_without_a_date_get_none_from_a_new_one() -> None:
    """A new day goes behind them, or shows its date in its own line."""
    text = "# H\n\n#### 10:00 - T1: a\n\n## 2025-01-02\n\n#### 09:00 - T1: b\n"
    after = history(done(text, entry("2031-01-01", "04:05")))
    dates = {r.value("task_description"): r.value("date") for _, r in after.readings() if r.table is Table.ENTRIES}
    assert dates == {"a": None, "New": "2031-01-01", "b": "2025-01-02"}
    assert "#### 2031-01-01 04:05 IST - T1: New\n" in done("# H\n\n#### 10:00 - T1: a\n", entry("2031-01-01", "04:05"))


def test_an_entry_without_a_date_goes_above_all_days() -> None:
    """Where it has none."""
    text = done(TEXT, entry(None, "04:05"))
    assert text.index("T1: New") < text.index("### 2025-11-13")


def test_crlf_stays_crlf() -> None:
    """In all that is inserted."""
    text = done(TEXT.replace("\n", "\r\n"), entry("2031-02-03", "04:05"))
    assert "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"time": "18:00"}, "#### 18:00 IST - T21: Late"),
        ({"time": "18:00:01"}, "#### 18:00:01 IST - T21: Late"),
        ({"timezone": None}, "#### 17:48 - T21: Late"),
        ({"timezone": "UTC"}, "#### 17:48 UTC - T21: Late"),
        ({"task_id": "T1, T2"}, "#### 17:48 IST - T1, T2: Late"),
        ({"task_id": None}, "#### 17:48 IST - Late"),
        ({"task_description": "New: `x` | 🔥"}, "#### 17:48 IST - T21: New: `x` | 🔥"),
        ({"task_description": None}, "#### 17:48 IST - T21"),
        ({"task_id": None, "time": "18:00"}, "#### 18:00 IST - Late"),
    ],
)
def test_values_of_an_entry_change_in_its_line(values: dict[str, Value], line: str) -> None:
    """In both directions, and nothing else."""
    text = TEXT.replace("#### 17:48 IST - T21: Late", line)
    assert done(TEXT, SetFields(at(TEXT, "Late"), values)) == text
    back: dict[str, Value] = {"time": "17:48", "timezone": "IST", "task_id": "T21", "task_description": "Late"}
    first = next(where for where, r in history(text).readings() if r.table is Table.ENTRIES)
    assert done(text, SetFields(first, {name: back[name] for name in values})) == TEXT


def test_the_end_of_a_range_stays() -> None:
    """Only its start is a value."""
    text = "### 14:00-15:30 - T19a: x\n"
    assert done(text, SetFields(at(text, "x"), {"time": "13:00"})) == "### 13:00-15:30 - T19a: x\n"


def test_entries_that_go_to_one_new_day_stand_below_one_heading() -> None:
    """In the order of their times; and new days in the order of the days, whatever was asked for first."""
    text = TEXT.replace("T19: Noon", "T19: Noon\n- Modified `f.ts` - four\n\n#### 08:00 IST - T18: Morning")
    moves = [
        SetFields(at(text, "Noon"), {"task_id": "T9"}),
        SetFields(at(text, "Morning"), {"date": "2025-10-01"}),
        SetFields(at(text, "Noon"), {"date": "2025-10-01"}),
        SetFields(at(text, "Late"), {"date": "2025-10-02"}),
    ]
    new = done(text, *moves)
    assert new.count("### 2025-10-01") == 1
    order = ["T20: Early", "2025-11-11", "### 2025-10-02", "T21: Late", "### 2025-10-01", "T9: Noon", "T18: Morning"]
    assert sorted(order, key=new.index) == order
    for line in ("- Modified `e.ts` - three", "- Modified `f.ts` - four", "  - nested"):
        assert new.count(line) == 1


def test_another_date_moves_the_entry() -> None:
    """With its lines; the heading that it leaves stays."""
    text = done(TEXT, SetFields(at(TEXT, "Noon"), {"date": "2025-11-13"}))
    assert text.endswith("### 2025-11-11\n")
    assert "#### 12:00 IST - T19: Noon\n- Modified `e.ts` - three\n\n#### 09:05" in text


def test_the_last_entry_that_goes_to_an_earlier_day_stays_the_last() -> None:
    """Below a heading of its own, with the lines below it."""
    text = done(TEXT, SetFields(at(TEXT, "Noon"), {"date": "2025-10-01"}))
    assert text == TEXT.replace("#### 12:00", "### 2025-10-01\n\n#### 12:00")


def test_a_date_in_the_line_changes_there() -> None:
    """As it is written."""
    text = "## 2025-05-13 19:45 - T17: own\n"
    assert done(text, SetFields(at(text, "own"), {"date": "2025-05-14"})) == text.replace("-13", "-14")


def test_a_line_goes_behind_the_last_of_its_entry() -> None:
    """Behind what is nested there, in the style of the line above."""
    values: dict[str, Value] = {"action": "Fixed", "file_path": "n.ts", "description": "x"}
    text = "#### 10:00 - T1: a\n- [Copied] `p.py` — y\n  - nested\n\n#### 09:00 - T1: b\n\nProse.\n"
    insert = Insert(Table.MODIFICATIONS, values, At(0, 0))
    assert done(text, insert) == text.replace("  - nested\n", "  - nested\n- [Fixed] `n.ts` — x\n")
    other = Insert(Table.MODIFICATIONS, values, At(1, 0))
    assert done(text, other).endswith("Prose.\n\n- [Fixed] `n.ts` — x\n")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"action": "Rewrote"}, "- Rewrote `b.ts` - two"),
        ({"file_path": "src/new file.ts"}, "- Created `src/new file.ts` - two"),
        ({"description": "`x` | y — z"}, "- Created `b.ts` - `x` | y — z"),
        ({"description": None}, "- Created `b.ts`"),
        ({"action": "Moved", "description": None}, "- Moved `b.ts`"),
    ],
)
def test_values_of_a_line_change_in_it(values: dict[str, Value], line: str) -> None:
    """A description comes and goes with its dash."""
    text = TEXT.replace("- Created `b.ts` - two", line)
    assert done(TEXT, SetFields(at(TEXT, "two"), values)) == text
    if values == {"description": None}:
        assert done(text, SetFields(at(text, "b.ts"), {"description": "two"})) == TEXT


def test_a_link_that_names_another_file_is_a_name() -> None:
    """Its target would lie."""
    text = "#### 10:00 - T1: a\n- Modified [n.md](x/n.md) - l\n"
    assert done(text, SetFields(at(text, "l"), {"file_path": "m.md"})) == text.replace("[n.md](x/n.md)", "`m.md`")


def test_one_of_several_files_changes_alone() -> None:
    """It gets a line of its own where what is said of them all is said differently of it."""
    assert done(TEXT, SetFields(at(TEXT, "d.ts"), {"file_path": "z.ts"})) == TEXT.replace("`d.ts`", "`z.ts`")
    apart = TEXT.replace("`c.ts`, `d.ts` - both", "`c.ts` - both\n- Updated `d.ts` - new")
    assert done(TEXT, SetFields(at(TEXT, "d.ts"), {"description": "new"})) == apart
    both = [SetFields(at(TEXT, name), {"description": "new"}) for name in ("c.ts", "d.ts")]
    assert done(TEXT, *both) == TEXT.replace("- both", "- new")


def test_removing_an_entry_leaves_its_neighbours_as_they_are() -> None:
    """The last one takes the empty lines before it along; a day without entries keeps its heading."""
    early = TEXT.index("#### 09:05")
    assert done(TEXT, Remove(at(TEXT, "Early"))) == TEXT[:early] + TEXT[TEXT.index("### 2025-11-11") :]
    assert done(TEXT, Remove(at(TEXT, "Noon"))).endswith("both\n\n### 2025-11-11\n")


def test_removing_an_entry_takes_its_subsections_along() -> None:
    """But not the next entry."""
    text = "### 10:00 - T1: a\n\n#### Files\n- Created `a.ts` - b\n\n### 09:00 - T1: c\n"
    assert done(text, Remove(At(0, 0))) == "### 09:00 - T1: c\n"


def test_removing_an_entry_with_a_date_keeps_the_date_of_those_below() -> None:
    """Its heading becomes a date heading."""
    text = "## 2025-05-13 19:45 - T17: own\n- Created `a.ts` - b\n\n### 18:00 - T1: c\n"
    assert done(text, Remove(At(0, 0))) == "## 2025-05-13\n\n### 18:00 - T1: c\n"


def test_removing_a_line_takes_what_is_nested_below_it() -> None:
    """Of several paths only the one."""
    assert done(TEXT, Remove(at(TEXT, "one"))) == TEXT.replace("- Modified `a.ts` - one\n  - nested\n", "")
    assert done(TEXT, Remove(at(TEXT, "c.ts"))) == TEXT.replace("`c.ts`, `d.ts`", "`d.ts`")
    assert done(TEXT, Remove(at(TEXT, "d.ts"))) == TEXT.replace("`c.ts`, `d.ts`", "`c.ts`")
    assert done(TEXT.rstrip(), Remove(at(TEXT, "three"))) == TEXT.replace("\n- Modified `e.ts` - three\n", "")


@pytest.mark.parametrize(
    "values",
    [
        {"task_description": "two\nlines"},
        {"task_id": None, "task_description": "T5: looks like a task"},
        {"task_id": "no id"},
        {"time": "25:99"},
        {"date": "soon"},
    ],
)
def test_values_that_would_not_read_back_are_refused(values: dict[str, Value]) -> None:
    """And the text stays as it is."""
    assert refused(TEXT, SetFields(at(TEXT, "Late"), values))
    new: dict[str, Value] = {"date": "2031-02-03", "time": "04:05", "task_id": "T1", "task_description": "x"}
    assert refused(TEXT, Insert(Table.ENTRIES, {**new, **values}))


def test_a_file_name_that_cannot_be_quoted_is_refused() -> None:
    """A backtick in it."""
    assert refused(TEXT, SetFields(at(TEXT, "one"), {"file_path": "a`b.ts"}))


@pytest.mark.corpora
@pytest.mark.parametrize("bank", ["arxivite", "mb", "process-monitor", "qc-diffusion-code", "super-chat"])
def test_every_recorded_history_takes_changes_anywhere(bank: str, last_state: Callable[[str], dict[str, str]]) -> None:
    """A sample of entries and lines set, inserted and removed: none refused, each a change of its own lines only."""
    text = last_state(bank)["edit_history.md"]
    dice = random.Random(bank)
    document = history(text)
    shown = [(where, r) for where, r in document.readings() if r.table is Table.ENTRIES and r.fields]
    files = [(where, r) for where, r in document.readings() if r.table is Table.MODIFICATIONS]
    assert "2031-02-03" in done(text, entry("2031-02-03", "04:05:06", timezone="UTC"))
    for where, reading in dice.sample(shown, min(8, len(shown))):
        after = done(text, SetFields(where, {"task_description": "told anew", "time": "04:05:06"}))
        assert sum(a != b for a, b in zip(text.split("\n"), after.split("\n"), strict=True)) == 1
        assert len(done(text, Remove(where))) < len(text)
        if reading.value("date"):
            again = done(text, entry(str(reading.value("date")), "11:11"))
            assert len(re.findall(r"^#+ .*\d{4}", again, re.M)) == len(re.findall(r"^#+ .*\d{4}", text, re.M))
    for where, _ in dice.sample(files, min(8, len(files))):
        assert "told anew" in done(text, SetFields(where, {"description": "told anew"}))
        assert len(done(text, Remove(where))) < len(text)
