"""Which record each line of a document is, after it was written."""

from __future__ import annotations

from parser.document import parse
from syncd.model import Keyed
from syncd.plan.carry import with_values
from writer.changes import SetFields
from writer.put import put

TWICE = """\
### 2026-03-06

#### 19:00 - T1: Goes
- Deleted `d.ts` - four

#### 18:35 - T3: Hover line
- Created `a.ts` - one
- Modified `b.ts` - two

#### 17:20 - T2: Stays
- Fixed `c.ts` - three

#### 18:35 - T3: Hover line
- Created `a.ts` - one

### 2026-03-04

#### 12:00 - T4: Last
"""
KEYS = ("3", "30", "1", "10", "11", "2", "20", "1", "10", "4")


def test_an_entry_that_stands_twice_keeps_all_its_lines() -> None:
    """Another one goes to another day; the two places of this one show lines of their own."""
    document = parse("edit_history.md", TWICE)
    names = iter(KEYS)
    keyed = Keyed(document, tuple(tuple(next(names) for _ in section.readings) for section in document.sections))
    goes = next(at for at, r in document.readings() if r.value("task_description") == "Goes")
    sets = [SetFields(goes, {"date": "2026-03-05"})]
    after = with_values(keyed, put(document, sets).document, sets)
    assert sorted(_named(after)) == sorted(_named(keyed))


def _named(keyed: Keyed) -> list[tuple[str, str]]:
    return [(str(r.value("task_description") or r.value("description")), key) for _, r, key in keyed.readings()]
