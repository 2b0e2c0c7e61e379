"""Which record a reading shows after its document was edited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser.document import Document, parse
from schema.records import Field, Reading, Role, Span, Table, Value
from syncd.model import Keyed
from syncd.plan.identify import align, likeness, same_entry

HISTORY = "edit_history.md"
BASE = """# Edit History

### 2026-03-06

#### 18:35 - T3: Hover line on the curve
- Created `src/input.ts` - Pointer to moment
- Modified `src/curve.ts` - Draws the line

#### 17:20 - T3: Jump at midnight fixed
- Fixed `src/sample.ts` - Last sample of a day

### 2026-03-05

#### 20:12 - T4: First version of the pack format
- Created `src/encode.ts` - Heights as differences
"""


def keyed(text: str, path: str = HISTORY) -> Keyed:
    """The document with keys in the order of the text: e1, e2 for entries, m1, m2 for what else it has."""
    document = parse(path, text)
    counts: dict[str, int] = {}

    def key(reading: Reading) -> str:
        if reading.table in (Table.HEADER, Table.COUNTS):
            return ""
        letter = "e" if reading.table is Table.ENTRIES else "m"
        counts[letter] = counts.get(letter, 0) + 1
        return f"{letter}{counts[letter]}"

    return Keyed(document, tuple(tuple(key(r) for r in s.readings) for s in document.sections))


def after(text: str, base: str = BASE, path: str = HISTORY) -> list[str]:
    """The keys of the readings of ``text`` in their order, ``?`` for new ones."""
    aligned = align(keyed(base, path), parse(path, text)).keyed("?")
    return [key for _, _, key in aligned.readings() if key]


ALL = ["e1", "m1", "m2", "e2", "m3", "e3", "m4"]
ENTRY = "#### 19:00 - T5: Something else entirely\n- Modified `docs/a.md` - Words\n\n"


EDITS: dict[str, tuple[str, list[str]]] = {
    "nothing changed": (BASE, ALL),
    "a reworded entry is the same": (BASE.replace("Jump at midnight fixed", "Jump at midnight is fixed now"), ALL),
    "an entry whose time was corrected is the same": (BASE.replace("17:20", "17:25"), ALL),
    "an entry that got another task is the same": (BASE.replace("T3: Jump", "T3, T4: Jump"), ALL),
    "a reworded description is the same line": (BASE.replace("Draws the line", "Draws the line and its height"), ALL),
    "a renamed file is the same line": (BASE.replace("src/encode.ts", "src/packs/encode.ts"), ALL),
    "prose between entries changes nothing": (BASE.replace("### 2026-03-05", "Some prose.\n\n### 2026-03-05"), ALL),
    "an entry put in front is new": (
        BASE.replace("#### 18:35", ENTRY + "#### 18:35"),
        ["?", "?", *ALL],
    ),
    "an entry put in the middle is new": (
        BASE.replace("#### 17:20", ENTRY + "#### 17:20"),
        ["e1", "m1", "m2", "?", "?", "e2", "m3", "e3", "m4"],
    ),
    "a removed entry takes nobody's key": (
        BASE[: BASE.index("#### 17:20")] + BASE[BASE.index("### 2026-03-05") :],
        ["e1", "m1", "m2", "e3", "m4"],
    ),
    "a line put between two is new": (
        BASE.replace("- Modified `src/curve.ts`", "- Modified `README.md` - About it\n- Modified `src/curve.ts`"),
        ["e1", "m1", "?", "m2", "e2", "m3", "e3", "m4"],
    ),
    "another line in the place of one is new": (
        BASE.replace("- Fixed `src/sample.ts` - Last sample of a day", "- Deleted `old.css` - Not used"),
        ["e1", "m1", "m2", "e2", "?", "e3", "m4"],
    ),
    "two entries swapped keep their keys": (
        BASE[: BASE.index("#### 18:35")]
        + BASE[BASE.index("#### 17:20") : BASE.index("### 2026-03-05")]
        + BASE[BASE.index("#### 18:35") : BASE.index("#### 17:20")]
        + BASE[BASE.index("### 2026-03-05") :],
        ["e2", "m3", "e1", "m1", "m2", "e3", "m4"],
    ),
}


@pytest.mark.parametrize(("text", "keys"), EDITS.values(), ids=EDITS.keys())
def test_readings_of_an_edited_document_keep_their_records(text: str, keys: list[str]) -> None:
    """By equality, then by likeness within the gaps."""
    assert after(text) == keys


def test_equal_entries_keep_their_order() -> None:
    """Two that cannot be told apart are told apart by their place."""
    twins = "#### 10:00 - T1: Same\n\n#### 10:00 - T1: Same\n\n#### 10:00 - T1: Same\n"
    assert after(twins, twins) == ["e1", "e2", "e3"]
    assert len(set(after(twins.replace("Same\n\n", "Same words\n\n", 1), twins))) == 3


def test_an_entry_is_never_matched_across_a_clear_one() -> None:
    """What is alike on the other side of an entry that stayed is another entry."""
    base = "#### 10:00 - T1: Curve drawn anew\n\n#### 11:00 - T2: Stays\n"
    text = "#### 11:00 - T2: Stays\n\n#### 10:00 - T1: Curve drawn anew again\n"
    assert after(text, base) == ["e2", "?"]


def test_an_equal_entry_that_moved_across_another_keeps_its_key() -> None:
    """To the word the same: it moved."""
    base = "#### 10:00 - T1: Curve drawn anew\n\n#### 11:00 - T2: Stays\n"
    text = "#### 11:00 - T2: Stays\n\n#### 10:00 - T1: Curve drawn anew\n"
    assert sorted(after(text, base)) == ["e1", "e2"]


def test_a_task_is_its_id_whatever_its_title() -> None:
    """A heading that was rewritten names the same task."""
    base, text = "# T3: Tide Curve\n\n**Status**: 🔄\n", "# T3: The Curve of the Tide\n\n**Status**: 🔄\n"
    aligned = align(keyed(base, "tasks/T3.md"), parse("tasks/T3.md", text)).keyed("?")
    assert {key for _, r, key in aligned.readings() if r.table is Table.TASKS} == {"T3"}


def test_a_checked_item_is_the_same_item() -> None:
    """Its status is no part of what it is; its words are."""
    base = "# T3: x\n\n## Progress\n\n- ⬜ Swipe between days\n- ⬜ Read by a screen reader\n"
    text = base.replace("⬜ Swipe", "✅ Swipe").replace("a screen reader", "a good screen reader")

    def items(document: Document, base: Keyed) -> list[str]:
        aligned = align(base, document).keyed("?")
        return [key for _, r, key in aligned.readings() if r.table is Table.SUBTASKS]

    first = keyed(base, "tasks/T3.md")
    assert items(parse("tasks/T3.md", text), first) == items(parse("tasks/T3.md", base), first)
    assert "?" not in items(parse("tasks/T3.md", text), first)


def entry(**values: Value) -> Reading:
    """A reading of an entry."""
    fields = {name: Field(value, Span(0, 0)) for name, value in values.items()}
    return Reading(Table.ENTRIES, "", Role.HISTORY, fields, Span(0, 0))


ONE = {"date": "2026-03-06", "time": "18:35:10", "task_id": "T3, T4", "task_description": "Hover line on the curve"}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (ONE, True),
        ({**ONE, "time": "18:35"}, True),
        ({**ONE, "date": None}, True),
        ({**ONE, "task_id": "T3,T4"}, True),
        ({**ONE, "task_description": "Hover line on the tide curve"}, True),
        ({**ONE, "date": "2026-03-05"}, False),
        ({**ONE, "time": "18:36"}, False),
        ({**ONE, "time": "18:35:11"}, False),
        ({**ONE, "time": None}, False),
        ({**ONE, "task_id": "T3"}, False),
        ({**ONE, "task_description": "Pack format written down"}, False),
    ],
)
def test_an_entry_in_two_documents_is_one_where_all_that_is_known_agrees(other: dict[str, Value], same: bool) -> None:
    """Time to the shared precision, tasks and date where both are known, wording alike."""
    assert bool(same_entry(entry(**ONE), other.get)) == same
    assert bool(same_entry(entry(**other), dict(ONE).get)) == same


def test_likeness_is_one_for_equal_readings_and_symmetric() -> None:
    """And low for those that share nothing."""
    a, b = entry(**ONE), entry(date="2026-01-01", time="07:00", task_id="T9", task_description="Zoo")
    assert likeness(a, a) >= 1.0
    assert likeness(a, b) == likeness(b, a) < 0.3


TEXTS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta"]), min_size=1, max_size=5).map(" ".join)
ENTRY = st.tuples(st.sampled_from(["10:00", "10:01", "11:30:05"]), st.sampled_from(["T1", "T2"]), TEXTS)
LINE = st.tuples(st.sampled_from(["Created", "Fixed"]), st.sampled_from(["a.py", "b.py"]), TEXTS)


@given(st.lists(st.tuples(ENTRY, LINE), min_size=2, max_size=2), st.floats(0.0, 1.2))
def test_what_cannot_beat_another_is_not_compared_by_words(
    pair: list[tuple[tuple[str, str, str], tuple[str, str, str]]], beat: float
) -> None:
    """What is left out would not have been chosen; all else is as alike as ever."""
    text = "# Edit History\n\n### 2026-03-06\n"
    for (time, task, words), (action, path, what) in pair:
        text += f"\n#### {time} - {task}: {words}\n- {action} `{path}` - {what}\n"
    readings = [reading for _, reading in parse(HISTORY, text).readings()]
    for table in (Table.ENTRIES, Table.MODIFICATIONS):
        a, b = (reading for reading in readings if reading.table is table)
        whole, quick = likeness(a, b), likeness(a, b, beat)
        assert quick == whole or (quick == 0.0 and whole <= beat)


def test_the_readings_of_some_records_are_found_without_reading_all() -> None:
    """As they are found by going through all of them."""
    document = keyed(BASE)
    for wanted in ({"e1"}, {"m2", "e2"}, {"m4"}, {"x"}, set[str]()):
        assert list(document.showing(wanted)) == [(r, key) for _, r, key in document.readings() if key in wanted]
