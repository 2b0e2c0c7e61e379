"""Many changes at once give the text that they give one by one, and cost a few parses however many they are."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from parser.document import Document, parse
from schema.records import Table, Value
from tests.laws.profile import examples
from writer import put as module
from writer.changes import Change, Insert, Remove
from writer.put import put

NEWEST_FIRST = """# Edit History

*Last Updated: 2026-01-05 10:00:00 IST*

### 2026-01-05

#### 18:10:00 IST - T2: The last one
- Modified `src/a.ts` - one
- Created `src/b.ts` - two

#### 09:00:00 IST - T1: The first of the day
- Modified `src/a.ts` - three

### 2026-01-02

#### 12:00:00 IST - T1: Older
- Fixed `src/c.ts` - four
"""
OLDEST_FIRST = """# Edit History

## 2026-01-02

### 09:00 - T1: Older
- Modified `src/a.ts` - one

### 12:00 - T1: Later
- Modified `src/b.ts` - two

## 2026-01-05

### 08:00 - T2: Last
- Created `src/c.ts` - three
"""
REGISTRY = """# Tasks

## Active Tasks

| ID | Title       | Status         | Priority | Started    | Dependencies |
|----|-------------|----------------|----------|------------|--------------|
| T1 | One         | 🔄 IN PROGRESS | HIGH     | 2026-01-01 | -            |
| T2 | Two         | ⬜ PENDING     | LOW      | 2026-01-02 | T1           |

## Completed Tasks

| ID | Title       | Completed  |
|----|-------------|------------|
| T8 | Eight       | 2025-12-30 |
| T7 | Seven       | 2025-12-20 |

Words at the end.
"""
TASK = """# T3: Curves

**Status**: 🔄 IN PROGRESS

## Progress
1. ✅ first step
2. ⬜ second step

## Acceptance Criteria
- ⬜ something else
"""
ERRORS = """# Error Log

## 2026-01-05 10:00: T2 - It broke
**File:** `src/a.ts`
**Error:** It broke
**Cause:** haste

## 2026-01-02 10:00: T1 - It broke before
**File:** `src/b.ts`
**Error:** It broke before
**Cause:** haste
"""
Values = dict[str, Value]


def _entry(chance: random.Random, number: int) -> Insert:
    values: Values = {
        "date": f"2026-01-{chance.randrange(1, 8):02}",
        "time": f"{chance.randrange(7, 20):02}:{chance.choice(('00', '30'))}",
        "task_id": chance.choice(("T1", "T2")),
        "task_description": f"Work of number {number}",
    }
    files = [f"src/{chance.randrange(4)}.ts" for _ in range(chance.randrange(3))]
    children = tuple({"action": "Modified", "file_path": name, "description": "the same"} for name in files)
    return Insert(Table.ENTRIES, values, None, children)


def _task(chance: random.Random, number: int) -> Insert:
    status = chance.choice(("in_progress", "pending", "completed"))
    values: Values = {"id": f"T{20 + number}", "title": f"Task {number}", "status": status}
    values |= {"completed": "2026-01-03"} if status == "completed" else {"priority": "HIGH", "started": "2026-01-03"}
    return Insert(Table.TASKS, values)


def _step(chance: random.Random, number: int) -> Insert:
    values: Values = {"text": f"step {number}", "status": chance.choice(("pending", "completed"))}
    return Insert(Table.SUBTASKS, {**values, "section": chance.choice(("Progress", "Acceptance Criteria", "Subtasks"))})


def _error(chance: random.Random, number: int) -> Insert:
    moment = f"2026-01-{chance.randrange(1, 8):02} 1{chance.randrange(3)}:00"
    values: Values = {"timestamp": moment, "error_message": f"It broke {number}", "file_path": "src/a.ts"}
    return Insert(Table.ERRORS, values)


KINDS: Sequence[tuple[str, str, Callable[[random.Random, int], Insert]]] = [
    ("edit_history.md", NEWEST_FIRST, _entry),
    ("edit_history.md", OLDEST_FIRST, _entry),
    ("edit_history.md", "# Edit History\n", _entry),
    ("tasks.md", REGISTRY, _task),
    ("tasks/T3.md", TASK, _step),
    ("errorLog.md", ERRORS, _error),
]


@examples(60)
@given(st.sampled_from(KINDS), st.integers(0, 12), st.randoms(use_true_random=False))
def test_records_put_in_at_once_stand_as_if_put_in_one_by_one(
    kind: tuple[str, str, Callable[[random.Random, int], Insert]], count: int, chance: random.Random
) -> None:
    path, text, make = kind
    document = parse(path, text)
    inserts = [make(chance, number) for number in range(count)]
    done = put(document, inserts)
    single = document
    for insert in inserts:
        single = put(single, [insert]).document
    note(done.document.text)
    assert _unpadded(done.document) == _unpadded(single)
    assert done.refused == ()
    assert done.document == parse(path, done.document.text)
    assert _without_added(done) == text


def _unpadded(document: Document) -> str:
    """The text; where it holds tables, without padding: one by one, a row is padded like the one put in before it."""
    return re.sub(" +", " ", document.text) if document.kind == "registry" else document.text


def _without_added(done: module.Put) -> str:
    """The text without what is told to have been put in."""
    text = done.document.text
    for start, end in reversed(done.added or ()):
        text = text[:start] + text[end:]
    return text


@examples(60)
@given(st.sampled_from([NEWEST_FIRST, OLDEST_FIRST]), st.randoms(use_true_random=False))
def test_records_taken_out_at_once_leave_what_they_leave_one_by_one(text: str, chance: random.Random) -> None:
    """Entries with their lines, single lines, those at the end of the document among them."""
    document = put(parse("edit_history.md", text), [_entry(chance, number) for number in range(6)]).document
    everything = [at for at, r in document.readings() if r.table in (Table.ENTRIES, Table.MODIFICATIONS)]
    gone = chance.sample(everything, chance.randrange(len(everything) + 1))
    done = put(document, [Remove(at) for at in gone])
    single = document
    for change in module.blocks(document, [Remove(at) for at in gone]):
        moved = [module.follow(c.at, document, single) for c in change if isinstance(c, Remove)]
        single = put(single, [Remove(at) for at in moved if at is not None]).document
    assert done.refused == ()
    assert done.document.text == single.text


@pytest.mark.parametrize(("path", "text", "make"), KINDS)
def test_the_number_of_parses_does_not_grow_with_the_number_of_records(
    path: str, text: str, make: Callable[[random.Random, int], Insert], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, chance = parse(path, text), random.Random(5)
    assert _parses(monkeypatch, document, [make(chance, number) for number in range(400)]) <= 6


def test_the_number_of_parses_does_not_grow_with_what_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    document, chance = parse("edit_history.md", NEWEST_FIRST), random.Random(5)
    document = put(document, [_entry(chance, number) for number in range(300)]).document
    entries = [at for at, r in document.readings() if r.table is Table.ENTRIES]
    assert _parses(monkeypatch, document, [Remove(at) for at in entries]) == 1
    lines = [at for at, r in document.readings() if r.table is Table.MODIFICATIONS][:-1]
    assert _parses(monkeypatch, document, [Remove(at) for at in lines]) == 1


def test_one_that_cannot_be_shown_costs_the_others_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found half by half, and refused alone."""
    document, chance = parse("edit_history.md", NEWEST_FIRST), random.Random(5)
    inserts: list[Change] = [_entry(chance, number) for number in range(256)]
    inserts[77] = Insert(Table.ENTRIES, {"date": "2026-01-03", "time": "25:99", "task_description": "no such time"})
    seen: list[module.Put] = []
    assert _parses(monkeypatch, document, inserts, seen) < 50
    assert [refusal.change for refusal in seen[0].refused] == [inserts[77]]
    assert sum(r.table is Table.ENTRIES for _, r in seen[0].document.readings()) == 3 + 255


def _parses(
    monkeypatch: pytest.MonkeyPatch, document: Document, changes: Sequence[Change], seen: list[module.Put] | None = None
) -> int:
    """How often a text is parsed to make ``changes``."""
    count = 0

    def counted(path: str, text: str, base: Document | None = None) -> Document:
        nonlocal count
        count += 1
        return parse(path, text, base)

    with monkeypatch.context() as patched:
        patched.setattr(module, "parse", counted)
        done = put(document, changes)
    if seen is not None:
        seen.append(done)
    else:
        assert done.refused == ()
    return count
