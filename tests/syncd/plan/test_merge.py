"""Merging texts line by line, and finding what a writer had."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.plan.merge import LineClash, Merged, distance, merge_texts, nearest, overlooked

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "d"]), max_size=6).map("".join)

CASES = {
    "only the file changed": ("a\nb\n", "a\nc\n", "a\nb\n", "a\nc\n"),
    "only the database changed": ("a\nb\n", "a\nb\n", "a\nc\n", "a\nc\n"),
    "both changed different lines": ("a\nb\nc\n", "x\nb\nc\n", "a\nb\ny\n", "x\nb\ny\n"),
    "both made the same change": ("a\nb\nc\n", "a\nx\nc\n", "a\nx\nc\n", "a\nx\nc\n"),
    "both inserted at one place": ("a\nb\n", "a\nfile\nb\n", "a\ndb\nb\n", "a\nfile\ndb\nb\n"),
    "both appended to a text without a final newline": ("a", "a\nfile", "a\ndb\n", "a\nfile\ndb\n"),
    "both appended and ended it as little": ("a", "a\nfile", "a\ndb", "a\nfile\ndb"),
    "both reworded a last line without an end": ("a\nb", "a\nfile", "a\ndb", "a\nfile"),
    "one removed what the other left": ("a\nb\nc\n", "a\nc\n", "a\nb\nc\nd\n", "a\nc\nd\n"),
    "a carriage return is part of its line": ("a\r\nb\r\nc\r\n", "x\r\nb\r\nc\r\n", "a\r\nb\r\ny\r\n",
                                              "x\r\nb\r\ny\r\n"),
    "a form feed and a line separator end no line": ("a\fb\u2028c\nd\n", "a\fb\u2028c\nx\n", "a\fb\u2028c\nd\ny\n",
                                              None),
}  # fmt: skip


@pytest.mark.parametrize(("base", "file", "db", "merged"), CASES.values(), ids=CASES.keys())
def test_texts_are_merged_by_lines(base: str, file: str, db: str, merged: str | None) -> None:
    """Where the two changes touch, the file's lines stand."""
    text = merge_texts(base, file, db).text
    if merged is None:
        assert text.startswith("a\fb\u2028c\n")
    else:
        assert text == merged


def test_lines_that_both_changed_are_told() -> None:
    """The file's stand; all three texts are kept."""
    merged = merge_texts("a\nb\nc\n", "a\nfile\nc\n", "a\ndb\nc\n")
    assert merged.text == "a\nfile\nc\n"
    assert merged.clashes == (LineClash("b\n", "file\n", "db\n"),)


def test_two_insertions_at_one_place_are_no_clash() -> None:
    """Nothing is lost by keeping both."""
    assert merge_texts("a\n", "x\na\n", "y\na\n").clashes == ()


@given(LINES, LINES)
def test_a_side_that_did_not_change_takes_over_the_other(base: str, new: str) -> None:
    """Whatever the texts are, to the byte."""
    assert merge_texts(base, new, base).text == new
    assert merge_texts(base, base, new).text == new
    assert merge_texts(base, new, new).text == new


@given(LINES, LINES, LINES)
def test_every_line_of_the_file_stands_in_the_merged_text(base: str, file: str, db: str) -> None:
    """Unless the database took it out; the lines that were lost are told."""
    merged = merge_texts(base, file, db)
    told = "".join(clash.db for clash in merged.clashes)
    for line in set(db.split("\n")) - set(base.split("\n")):
        assert line in merged.text or line in told
    for line in set(file.split("\n")) - set(base.split("\n")):
        assert line in merged.text


def test_an_insertion_that_ends_a_line_of_the_other_side_stands_too() -> None:
    """Only what the other side inserted line by line is not repeated."""
    merged = merge_texts("a\nz\n", "a\nsix three ports\nz\n", "a\nthree ports\nz\n")
    assert merged == Merged("a\nsix three ports\nthree ports\nz\n")
    assert merge_texts("a\nz\n", "a\nx\ny\nz\n", "a\ny\nz\n").text == "a\nx\ny\nz\n"


def test_a_text_that_equals_an_older_version_was_made_from_that() -> None:
    """Though a newer one has the same lines in another order."""
    assert nearest("## New\n\n", ["\n## New\n", "## New\n\n"]) == 1


def test_distance_counts_the_lines_of_one_text_only() -> None:
    """Each as often as it is there more than in the other."""
    assert distance("a\nb", "a\nb") == 0
    assert distance("a\nb", "a\nc\nc") == 3


@given(LINES, LINES)
def test_what_both_texts_begin_and_end_with_counts_on_neither_side(before: str, after: str) -> None:
    """Only the lines between are counted; the outcome is that of counting all."""
    old, new = (Counter(lines.split("\n")) for lines in (before, after))
    assert distance(before, after) == (old - new).total() + (new - old).total()


def test_the_nearest_version_is_found_and_ties_go_to_the_newer() -> None:
    """Versions come newest first."""
    assert nearest("a\nb\nc", ["x\ny\nz", "a\nb\nq", "a\nb"]) == 2
    assert nearest("a\nb", ["a\nb\nnew", "a\nb\nold"]) == 0


@pytest.mark.parametrize("mirrored", [False, True])
def test_lines_added_around_changed_ones_are_no_clash(mirrored: bool) -> None:
    """One side changed or removed a line, the other added some directly beside it."""
    for changed in ("B\n", ""):
        for before, behind in (("x\n", ""), ("", "x\n"), ("x\n", "y\n")):
            added, merged = f"{before}b\n{behind}", f"{before}{changed}{behind}"
            sides = [f"a\n{changed}c\n", f"a\n{added}c\n"]
            file, db = reversed(sides) if mirrored else sides
            assert merge_texts("a\nb\nc\n", file, db) == Merged(f"a\n{merged}c\n")


def test_who_rewords_a_sentence_has_seen_it() -> None:
    """A heading, an item or a row like another may be a second one, whose writer has not seen the first."""
    before = "# T\n\nOld prose.\n"
    for came, saved, unseen in (
        ("The depth is measured at noon.", "The depth is measured at low water.", False),
        ("The depth is measured at noon.", "Nothing of the kind.", True),
        ("The depth is measured at noon.", "Old prose is prose.", True),
        ("**Fix:** measured at noon", "**Fix:** measured at noon again", False),
        ("**Title**: first", "**Title**: second", False),
        ("**Title**: first", "Said besides.\n**Title**: second", True),
        ("**9:05 - T1: measured at noon**", "**9:05 - T1: measured at noon again**", True),
        ("* measured at noon", "* measured at noon again", True),
        ("- The depth is measured at noon", "- The depth is measured at low water", True),
        ("| T1 | The depth at noon |", "| T2 | The depth at noon |", True),
        ("| T1 | The depth at noon |", "| T1 | The depth at low noon |", False),
        ("| T1 | The depth at noon |", "| T1 | Another task of this id |", True),
        ("| T1 | The depth at noon |", "| T2 | The depth at noon | T1 |", True),
    ):
        assert overlooked(f"{before}{saved}\n", before, f"{before}{came}\n") is unseen, came
    assert overlooked("a\nb\nc\n", "a\nb\n", "a\nB\n")


def test_who_has_one_line_of_a_step_has_seen_all_of_it() -> None:
    """If it is a line that nobody else would write so: no heading of a day, no head of a table, no few words."""
    before = "# T\n\nOld prose.\n"
    for own, seen in (
        ("#### 18:35 - T3: Hover line on curves", True), ("### 2026-03-06", False), ("| ID | Title | Status |", False),
        ("- Modified `b.ts`", False), ("### Old prose of T1", False),
    ):  # fmt: skip
        after = f"{before}\n{own}\n- Modified `a.ts` - Pointer evnts\n"
        for saved in (after.replace("evnts", "events"), after[: after.index("- Mod")]):
            assert overlooked(saved, before, after) is not seen, (own, saved)
