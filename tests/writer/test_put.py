"""`put`: changes made on a document, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser.document import At, Document, parse
from schema.records import Status, Table
from writer.changes import Insert, Remove, SetFields
from writer.put import Places, follow, put

TASKS = """# Tasks
*Last Updated: 2025-01-01 10:00*

## Active Tasks

| ID | Title     | Status | Priority | Started    | Dependencies |
|----|-----------|--------|----------|------------|--------------|
| T1 | One       | 🔄     | HIGH     | 2025-01-01 | -            |
| T2 | Two, or 2 | ⬜     | LOW      | -          | T1 (first)   |

## Notes

Text with trailing spaces. \x20
"""
HISTORY = """# Edit History

### 2025-01-02

#### 10:00 - T1: First
- Modified `a.py`, `b.py` - one
- Created `c.py` - two

#### 09:00 - T2: Second
- Modified `c.py` - three
"""


def _find(document: Document, table: Table, text: str) -> At:
    return next(at for at, r in document.readings() if r.table is table and text in (r.key, *r.values().values()))


@pytest.mark.parametrize(("path", "text"), [("tasks.md", TASKS), ("edit_history.md", HISTORY)])
def test_no_changes_change_nothing(path: str, text: str) -> None:
    """The law GetPut: the document itself comes back."""
    document = parse(path, text)
    assert put(document, []).document is document


def test_fields_are_set_where_they_stand() -> None:
    """Several at once, in cells that stay aligned, and not a byte else."""
    document = parse("tasks.md", TASKS)
    one, two = _find(document, Table.TASKS, "T1"), _find(document, Table.TASKS, "T2")
    done = put(document, [
        SetFields(one, {"status": "paused", "title": "First | one", "dependencies": ("T9",)}),
        SetFields(two, {"started": "2031-02-03", "priority": None, "dependencies": ("T1", "T3")}),
    ])  # fmt: skip
    assert done.refused == ()
    assert done.document.text == TASKS.replace(
        "| T1 | One       | 🔄     | HIGH     | 2025-01-01 | -            |",
        "| T1 | First \\| one | ⏸️     | HIGH     | 2025-01-01 | T9           |",
    ).replace(
        "| T2 | Two, or 2 | ⬜     | LOW      | -          | T1 (first)   |",
        "| T2 | Two, or 2 | ⬜     | -        | 2031-02-03 | T1 (first), T3 |",
    )


def test_what_cannot_be_shown_is_refused_and_the_rest_is_made() -> None:
    """A line break in a cell, a value that reads otherwise, a field that is not there."""
    document = parse("tasks.md", TASKS)
    one, two = _find(document, Table.TASKS, "T1"), _find(document, Table.TASKS, "T2")
    bad = [SetFields(one, {"title": "a\nb"}), SetFields(one, {"started": "soon"}), SetFields(one, {"no_such": "x"})]
    for change in bad:
        done = put(document, [SetFields(two, {"status": "completed"}), change])
        assert [refusal.change for refusal in done.refused] == [change]
        assert done.refused[0].reason
        assert done.document.text == TASKS.replace("⬜", "✅")


def test_a_value_that_is_there_already_needs_no_edit() -> None:
    """Nor is it refused."""
    document = parse("tasks.md", TASKS)
    done = put(
        document, [SetFields(_find(document, Table.TASKS, "T2"), {"status": "pending", "dependencies": ("T1",)})]
    )
    assert (done.document.text, done.refused) == (TASKS, ())


def test_a_record_is_removed_with_its_lines() -> None:
    """Its neighbours stay to the byte; of several removals none touches another."""
    document = parse("edit_history.md", HISTORY)
    lines = [Remove(_find(document, Table.MODIFICATIONS, text)) for text in ("two", "three")]
    done = put(document, lines)
    assert done.refused == ()
    assert done.document.text == HISTORY.replace("- Created `c.py` - two\n", "").replace(
        "- Modified `c.py` - three\n", ""
    )
    entry = put(document, [Remove(_find(document, Table.ENTRIES, "First"))])
    assert entry.refused == ()
    assert "First" not in entry.document.text
    assert "#### 09:00 - T2: Second\n- Modified `c.py` - three\n" in entry.document.text


def test_the_last_line_is_removed_with_the_break_before_it() -> None:
    """A file without a final line break stays one."""
    document = parse("tasks.md", "## Active Tasks\n\n| ID | Title |\n|---|---|\n| T1 | One |\n| T2 | Two |")
    done = put(document, [Remove(_find(document, Table.TASKS, "T2"))])
    assert done.document.text.endswith("|---|---|\n| T1 | One |")


def test_changes_of_all_sorts_go_together() -> None:
    """Addresses are those of the document that was given, whatever moves."""
    document = parse("edit_history.md", HISTORY)
    second = _find(document, Table.ENTRIES, "Second")
    done = put(document, [
        Remove(_find(document, Table.MODIFICATIONS, "two")),
        Insert(Table.MODIFICATIONS, {"action": "Deleted", "file_path": "d.py", "description": "four"}, second),
        SetFields(second, {"task_description": "Second to none"}),
        SetFields(_find(document, Table.MODIFICATIONS, "three"), {"description": "3"}),
    ])  # fmt: skip
    assert done.refused == ()
    assert [r.value("description") for _, r in done.document.readings() if r.table is Table.MODIFICATIONS] == [
        "one", "one", "3", "four",
    ]  # fmt: skip
    assert "#### 09:00 - T2: Second to none\n- Modified `c.py` - 3\n- Deleted `d.py` - four\n" in done.document.text


def test_an_insertion_below_a_removed_record_is_refused() -> None:
    """Or it is made before the removal and goes with it; never does it go to another record."""
    document = parse("edit_history.md", HISTORY)
    first = _find(document, Table.ENTRIES, "First")
    values = {"action": "Deleted", "file_path": "d.py", "description": "four"}
    done = put(document, [Insert(Table.MODIFICATIONS, values, first), Remove(first)])
    assert "d.py" not in done.document.text
    assert "Second" in done.document.text


def test_an_address_is_followed_through_changes() -> None:
    """Through insertions before it, and a change of its own values."""
    old = parse("edit_history.md", HISTORY)
    entry = _find(old, Table.ENTRIES, "Second")
    new = parse("edit_history.md", HISTORY.replace("#### 10:00", "#### 11:00 - T5: New\n\n#### 10:00"), old)
    moved = follow(entry, old, new)
    assert moved is not None
    assert new.at(moved).value("task_description") == "Second"
    renamed = parse("edit_history.md", HISTORY.replace("Second", "Third"), old)
    assert follow(entry, old, renamed) == entry
    gone = parse("edit_history.md", HISTORY[: HISTORY.index("#### 09:00")], old)
    assert follow(entry, old, gone) is None


def test_of_two_entries_that_changed_each_is_followed_to_its_own_words() -> None:
    """The first went past the second, whose task is another by now: what was asked for tells them apart."""
    old = parse("edit_history.md", HISTORY)
    first, second = _find(old, Table.ENTRIES, "First"), _find(old, Table.ENTRIES, "Second")
    done = put(old, [SetFields(first, {"date": "2024-12-31"}), SetFields(second, {"task_id": "T9"})])
    assert done.refused == ()
    places = Places(old, done.document, {first: {"date": "2024-12-31"}, second: {"task_id": "T9"}})
    for at, words in ((first, "First"), (second, "Second")):
        there = places.follow(at)
        assert there is not None
        assert done.document.at(there).value("task_description") == words
    unknown = Places(old, done.document)
    assert (unknown.follow(first), unknown.follow(second)) == (None, None), "neither is taken for the other"
    line = _find(old, Table.MODIFICATIONS, "three")
    there = places.follow(line)
    assert there is not None
    assert done.document.at(there).value("description") == "three"


def test_what_is_made_half_by_half_changes_no_other_entry() -> None:
    """One of four changes cannot be made. The first moves an entry past the one that is changed before and after it."""
    old = parse("edit_history.md", HISTORY)
    first, second = _find(old, Table.ENTRIES, "First"), _find(old, Table.ENTRIES, "Second")
    done = put(old, [
        SetFields(first, {"date": "2024-12-31"}),
        SetFields(second, {"task_id": "T9"}),
        SetFields(_find(old, Table.MODIFICATIONS, "two"), {"description": "of two\nlines"}),
        SetFields(second, {"time": "08:00"}),
    ])  # fmt: skip
    assert [refusal.change for refusal in done.refused] == [
        SetFields(_find(old, Table.MODIFICATIONS, "two"), {"description": "of two\nlines"})
    ]
    found = {r.value("task_description"): r for _, r in done.document.readings() if r.table is Table.ENTRIES}
    told = {w: (r.value("date"), r.value("time"), r.value("task_id")) for w, r in found.items()}
    assert told == {"First": ("2024-12-31", "10:00", "T1"), "Second": ("2025-01-02", "08:00", "T9")}


def test_a_line_is_followed_below_its_own_entry() -> None:
    """Though a line of the same words stands below an entry that went past it."""
    text = "## 2026-03-06\n\n#### 17:48 - T3: Goes\n- Modified `a` - one\n\n"
    text += "#### 9:05 - T1: Stays\n- Modified `a` - one\n"
    old = parse("edit_history.md", text)
    lines = [at for at, reading in old.readings() if reading.table is Table.MODIFICATIONS]
    asked = {_find(old, Table.ENTRIES, "Goes"): {"date": "2025-11-13"}}
    new = put(old, [SetFields(at, values) for at, values in asked.items()]).document
    assert [new.text[: new.text.index(words)].count("####") for words in ("Stays", "Goes")] == [1, 2]
    followed = [Places(old, new, asked).follow(at) for at in lines]
    later = [at for at, reading in new.readings() if reading.table is Table.MODIFICATIONS]
    assert followed == later[::-1]


def test_an_entry_that_goes_to_another_day_is_not_taken_for_one_that_it_passed() -> None:
    """Its date and its zone change at once: by the date it goes past the entry of another day, which keeps its zone."""
    text = "## 2026-03-06\n\n#### 17:48 - T3: First\n- Modified `a` - one\n\n"
    text += "## 2026-03-06\n\n#### 9:05 - T1: Stays\n\n"
    text += "## 2025-11-13\n\n**9:05 - T1: Goes**\n- Updated `b` - two\n\n#### 14:00 - T2: Last\n"
    old = parse("edit_history.md", text)
    entry = _find(old, Table.ENTRIES, "Goes")
    done = put(old, [SetFields(entry, {"date": "2026-03-06"}), SetFields(entry, {"timezone": "UTC"})])
    found = {r.value("task_description"): r for _, r in done.document.readings() if r.table is Table.ENTRIES}
    assert {what: r.value("timezone") for what, r in found.items()} == {
        "First": None, "Stays": None, "Goes": None if done.refused else "UTC", "Last": None,
    }  # fmt: skip
    assert found["Goes"].value("date") == "2026-03-06"


STATUSES = st.sampled_from([str(s) for s in Status])
TITLES = st.text(alphabet="ab |\\`*_é🔄-", min_size=1, max_size=12)


@given(st.lists(st.tuples(st.sampled_from(["T1", "T2"]), STATUSES, TITLES), max_size=4))
def test_put_then_get_gives_what_was_put(changes: list[tuple[str, str, str]]) -> None:
    """The law PutGet, for what was not refused; what was refused has changed nothing."""
    document = parse("tasks.md", TASKS)
    for task, status, title in changes:
        at = _find(document, Table.TASKS, task)
        before, others = document.at(at).values(), [r for a, r in document.readings() if a != at]
        done = put(document, [SetFields(at, {"status": status, "title": title})])
        after = done.document.at(at).values()
        expected = before if done.refused else {**before, "status": status, "title": title}
        assert after == expected
        assert [r for a, r in done.document.readings() if a != at] == others
        assert parse("tasks.md", done.document.text) == done.document
        document = done.document


@pytest.mark.corpora
@pytest.mark.parametrize("share", [pytest.param(23, id="a sample"), pytest.param(1, id="all", marks=pytest.mark.slow)])
def test_every_status_of_the_recorded_banks_can_be_changed(
    share: int, corpora: Mapping[str, Path], last_state: Callable[[str], dict[str, str]]
) -> None:
    """In the style of its place: the lines around stay, and every icon or word that was there is another one."""
    documents = [
        parse(path, text) for name in corpora for path, text in last_state(name).items() if path.endswith(".md")
    ]
    places = [
        (document, at)
        for document in documents
        for at, reading in document.readings()
        if "status" in reading.fields and reading.table is not Table.SESSIONS
    ]
    assert places
    for document, at in places[::share]:
        status = "paused" if document.at(at).value("status") != "paused" else "completed"
        done = put(document, [SetFields(at, {"status": status})])
        assert done.refused == (), (document.path, at)
        old, new = document.text.split("\n"), done.document.text.split("\n")
        assert len(old) == len(new)
        assert sum(a != b for a, b in zip(old, new, strict=True)) == 1
