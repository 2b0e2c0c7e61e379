"""A chunk is changed in its entry's line, or in the head that speaks for the entry."""

from __future__ import annotations

import pytest

from parser.document import parse
from schema.records import Table, Value
from writer.changes import Change, Insert, Remove, SetFields
from writer.put import put

NAME = "edits/2026-06-25/061150-T21-x.md"
ENTRY = """\
---
created_at: 2026-06-25 06:11 IST
task_ids: [T21]
---

#### 06:11:50 IST - T21: Done
- Created `a.ts` - b
"""
FORM = """\
# Edit Chunk: 2026-06-25 06:11:50 IST

## Task: T21

### Work Done

Made it work.

### Files Modified

- Created `a.ts` — new
"""


def done(text: str, change: Change) -> str:
    result = put(parse(NAME, text), [change])
    assert result.refused == ()
    return result.document.text


def set_entry(text: str, **values: Value) -> str:
    where = next(where for where, r in parse(NAME, text).readings() if r.table is Table.ENTRIES)
    return done(text, SetFields(where, values))


def test_values_change_in_the_entry() -> None:
    """Another date is written there, as the front matter is not of the entry alone."""
    assert set_entry(ENTRY, task_id="T22") == ENTRY.replace("- T21:", "- T22:")
    assert set_entry(ENTRY, date="2026-06-26") == ENTRY.replace("#### 06", "#### 2026-06-26 06")


@pytest.mark.parametrize(
    ("name", "value", "old", "new"),
    [
        ("task_description", "Made it fast.", "Made it work.", "Made it fast."),
        ("task_id", "T22", "## Task: T21", "## Task: T22"),
        ("date", "2026-06-26", "2026-06-25", "2026-06-26"),
        ("time", "07:00:00", "06:11:50", "07:00:00"),
        ("timezone", "UTC", "IST", "UTC"),
    ],
)
def test_values_change_in_the_head(name: str, value: str, old: str, new: str) -> None:
    """Where title and ``## Task`` speak for the entry."""
    assert set_entry(FORM, **{name: value}) == FORM.replace(old, new)


def test_a_new_chunk_takes_an_entry_without_its_date() -> None:
    """The folder tells it."""
    values: dict[str, Value] = {"date": "2026-06-25", "time": "06:11:50", "task_id": "T21", "task_description": "Done"}
    child: dict[str, Value] = {"action": "Created", "file_path": "a.ts", "description": "b"}
    insert = Insert(Table.ENTRIES, values, None, (child,))
    assert done("", insert) == "#### 06:11:50 - T21: Done\n- Created `a.ts` - b\n"
    other = Insert(Table.ENTRIES, {**values, "date": "2026-06-26"}, None, (child,))
    assert done(ENTRY, other).endswith("\n\n#### 2026-06-26 06:11:50 - T21: Done\n- Created `a.ts` - b\n")


def test_an_entry_is_removed_with_its_lines() -> None:
    """The front matter stays."""
    assert done(ENTRY, Remove(next(w for w, r in parse(NAME, ENTRY).readings()))) == ENTRY[: ENTRY.index("\n####")]


@pytest.mark.parametrize("heading", ["## Thoughts", "#### Thoughts"])
@pytest.mark.parametrize("bold", [False, True])
def test_what_a_heading_not_below_an_entry_opens_stays_when_that_goes(heading: str, bold: bool) -> None:
    """Unless files of the entry are named there: these have no row without it. A bold line is one of level four."""
    entry = ENTRY
    if bold:
        line = next(line for line in ENTRY.split("\n") if line.startswith("#### "))
        entry = ENTRY.replace(line, f"**{line.removeprefix('#### ')}**")
    tail = f"\n{heading}\n\nBy hand.\n\n##### Deeper\n\nStill by hand.\n"
    document = parse(NAME, entry + tail)
    at = next(at for at, reading in document.readings() if reading.table is Table.ENTRIES)
    result = put(document, [Remove(at)])
    assert result.refused == ()
    assert result.document.text.endswith(tail.lstrip("\n"))
    assert "a.ts" not in result.document.text
    document = parse(NAME, f"{entry}\n## Files\n\n- Modified `c.ts` - d\n{tail}")
    result = put(document, [Remove(at)])
    assert "c.ts" not in result.document.text
    assert result.document.text.endswith(tail.lstrip("\n"))
