"""What keeps a change back until somebody says yes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncd.plan.guard import deletion_reason, marker_reason

MARKED = b"a\n<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> branch\nb\n"


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_gits_conflict_markers_hold_a_document(ends: bytes) -> None:
    """All three, in order, each on a line of its own."""
    assert "conflict markers" in str(marker_reason(MARKED.replace(b"\n", ends)))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Title\n=======\nprose\n",
        b"<<<<<<< HEAD\nno end\n",
        b"=======\n>>>>>>> only the end\n",
        b">>>>>>> branch\n=======\n<<<<<<< HEAD\n",
        b"in a line <<<<<<< HEAD\n=======\n>>>>>>> branch\n",
        b"<<<<<<< HEAD\nours\n>>>>>>> branch\n",
        b"<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n",
    ],
    ids=[
        "nothing",
        "a heading's rule",
        "no end",
        "no start",
        "in reverse",
        "within a line",
        "no middle",
        "an edit block",
    ],
)
def test_less_than_all_markers_is_prose(text: bytes) -> None:
    """A leftover alone holds nothing."""
    assert marker_reason(text) is None


def reason(deleted: int, total: int, *, gone: bool = False, empty: bool = False, moved: bool = False) -> str | None:
    """With the limits of the design: more than 5 records and more than 20 %."""
    return deletion_reason(deleted, total, gone=gone, empty=empty, moved=moved, most=5, share=0.2)


@pytest.mark.parametrize(
    ("deleted", "total", "held"),
    [(0, 0, False), (5, 5, False), (6, 6, True), (6, 30, False), (6, 29, True), (100, 1000, False), (201, 1000, True)],
)
def test_a_deletion_is_held_when_it_is_both_many_and_much(deleted: int, total: int, held: bool) -> None:
    """Neither limit alone is enough, and both have to be passed."""
    assert bool(reason(deleted, total)) == held


CASES: dict[str, Callable[[], str | None]] = {
    "vanished, and 1 record stood nowhere else": lambda: reason(1, 1, gone=True),
    "vanished, and 3 records stood nowhere else": lambda: reason(3, 900, gone=True),
    "was emptied, and 2 records stood nowhere else": lambda: reason(2, 900, empty=True),
    "lost 7 of its 10 records in one edit": lambda: reason(7, 10),
}


@pytest.mark.parametrize("sentence", CASES)
def test_the_reason_is_a_sentence_about_the_document(sentence: str) -> None:
    """It is shown as it is."""
    assert CASES[sentence]() == sentence


def test_a_document_may_vanish_when_another_shows_all_of_it() -> None:
    """It was moved; or it had no records."""
    assert reason(0, 40, gone=True, moved=True) is None
    assert reason(0, 0, gone=True) is None
    assert reason(0, 0, empty=True) is None


def test_a_document_that_vanishes_is_held_though_its_records_stand_elsewhere() -> None:
    """Its prose would go with it."""
    assert reason(0, 40, gone=True) == "vanished; its 40 records still stand elsewhere"
    assert reason(0, 2, empty=True) == "was emptied; its 2 records still stand elsewhere"
