"""A run of sections is replaced by another with as few writes as that takes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import journal, store
from schema.db import Database
from schema.sections import NewSection, ReadingRow, SectionRow, replace_sections
from schema.store import load_sections


@pytest.fixture
def document(db: Database) -> int:
    """An empty document."""
    return store.save_document(
        db, "a.md", kind="prose", hash="", size=0, mtime_ns=0, ctime_ns=0, inode=0, transaction=None
    )


def section(text: str, *keys: str) -> NewSection:
    """A section with readings of tasks."""
    return NewSection(text, 0, "", tuple(ReadingRow("tasks", key, "own") for key in keys))


def texts(db: Database, document: int) -> list[str]:
    return [row.text for row in load_sections(db, document)]


def test_sections_come_back_in_order_with_their_readings(db: Database, document: int) -> None:
    """As they were put in."""
    new = [section("a", "T1", "T2"), section("b"), section("c", "T1")]
    ids = replace_sections(db, document, [], new)
    rows = load_sections(db, document)
    assert [row.id for row in rows] == ids
    assert [(row.text, row.readings) for row in rows] == [(s.text, s.readings) for s in new]


def test_a_changed_section_keeps_its_id(db: Database, document: int) -> None:
    """And the others are not written."""
    replace_sections(db, document, [], [section("a"), section("b", "T1"), section("c")])
    old = load_sections(db, document)
    db.run("DELETE FROM row_changes")
    ids = replace_sections(db, document, old, [section("a"), section("B", "T2"), section("c")])
    assert ids == [row.id for row in old]
    assert [(r.text, r.readings) for r in load_sections(db, document)][1] == ("B", section("", "T2").readings)
    assert db.rows('SELECT "table", key FROM row_changes') == [("sections", str(old[1].id))]


def test_an_inserted_section_leaves_its_neighbours_alone(db: Database, document: int) -> None:
    """At the beginning, between and at the end; only the run is named."""
    replace_sections(db, document, [], [section("# a\n"), section("# d\n")])
    old = load_sections(db, document)
    replace_sections(db, document, old[:1], [section("# 0\n"), section("# a\n"), section("# b\n"), section("# c\n")])
    replace_sections(db, document, load_sections(db, document)[-1:], [section("# d\n"), section("# e\n")])
    rows = load_sections(db, document)
    assert "".join(r.text for r in rows) == "# 0\n# a\n# b\n# c\n# d\n# e\n"
    assert [r.id for r in rows if r.text in ("# a\n", "# d\n")] == [row.id for row in old]


def test_sections_line_up_by_their_first_line(db: Database, document: int) -> None:
    """Where their number changed, an edited section is still the one with the same heading."""
    replace_sections(db, document, [], [section(f"# {c}\nold\n") for c in "abcd"])
    old = load_sections(db, document)
    ids = replace_sections(db, document, old, [section(f"# {c}\nnew\n") for c in "xbd"])
    assert ids[1:] == [old[1].id, old[3].id]
    assert ids[0] not in [row.id for row in old]
    assert texts(db, document) == ["# x\nnew\n", "# b\nnew\n", "# d\nnew\n"]


def test_removing_all_and_appending(db: Database, document: int) -> None:
    """An empty run appends."""
    replace_sections(db, document, [], [section("a"), section("b")])
    replace_sections(db, document, load_sections(db, document), [])
    assert texts(db, document) == []
    for text in "xyz":
        replace_sections(db, document, [], [section(text)])
    assert texts(db, document) == ["x", "y", "z"]


def test_many_insertions_at_one_place_keep_the_order(db: Database, document: int) -> None:
    """Positions run out of precision and are given anew."""
    with db.atomic():
        replace_sections(db, document, [], [section("first"), section("last")])
        for number in range(200):
            rows = load_sections(db, document)
            replace_sections(db, document, rows[:1], [section("first"), section(str(number))])
    assert texts(db, document) == ["first", *map(str, reversed(range(200))), "last"]


def test_bytes_that_are_no_text_survive(db: Database, document: int) -> None:
    """Also beside sections that are text."""
    raw = [b"plain\n", b"\xff\xfe odd \xed\xa0\x80\n", "🔄\n".encode()]
    replace_sections(db, document, [], [section(part.decode("utf-8", "surrogateescape")) for part in raw])
    assert [t.encode("utf-8", "surrogateescape") for t in texts(db, document)] == raw
    assert db.rows("SELECT typeof(text) FROM sections ORDER BY id") == [("text",), ("blob",), ("text",)]


_lists = st.lists(st.sampled_from(["# a\n1", "# a\n2", "# b\n1", "# c\n1", "x", ""]), max_size=7)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_run_can_be_replaced_by_any_other(db: Database, data: st.DataObject) -> None:
    """The document then is what a list would be, ids are of one section each, and nothing else was written."""
    number = store.save_document(
        db, "p.md", kind="prose", hash="", size=0, mtime_ns=0, ctime_ns=0, inode=0, transaction=None
    )
    with db.atomic():
        transaction = journal.begin_transaction(db, "sync", "file")
        replace_sections(db, number, load_sections(db, number), [])
        expected: list[str] = []
        for _ in range(4):
            rows = load_sections(db, number)
            first = data.draw(st.integers(0, len(rows)))
            last = data.draw(st.integers(first, len(rows)))
            run = rows[first:last] if last > first else []
            first = first if run else len(rows)
            new = data.draw(_lists)
            ids = replace_sections(db, number, run, [section(text) for text in new])
            expected[first : first + len(run)] = new
            now = load_sections(db, number)
            assert [row.text for row in now] == expected
            assert [row.id for row in now][first : first + len(new)] == ids
            assert _untouched(rows, run) <= {row.id for row in now}
        journal.drop_transaction(db, transaction)


def _untouched(rows: list[SectionRow], run: list[SectionRow]) -> set[int]:
    return {row.id for row in rows} - {row.id for row in run}
