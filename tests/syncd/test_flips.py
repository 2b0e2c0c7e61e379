"""A program that fights is told from a person who saves often."""

from __future__ import annotations

from syncd.flips import ANY, SAME, WITHIN_S, Flips


def _noted(times: int, put_back: bool, same: bool, every: float = 0.1) -> dict[str, str]:
    flips = Flips()
    for number in range(times):
        flips.note([("a.md", "x" if same else str(number), put_back)], number * every)
    return flips.reasons(["a.md", "b.md"], times * every)


def test_the_same_text_put_back_is_soon_too_much() -> None:
    """At the limit and not before."""
    assert _noted(SAME - 1, put_back=True, same=True) == {}
    told = _noted(SAME, put_back=True, same=True)
    assert told == {"a.md": f"was rewritten by another program {SAME} times within 1 seconds"}


def test_a_person_may_save_different_texts_often() -> None:
    """Up to the second limit."""
    assert _noted(ANY - 1, put_back=True, same=False) == {}
    assert list(_noted(ANY, put_back=True, same=False)) == ["a.md"]


def test_merged_saves_count_only_where_they_are_the_same() -> None:
    """Two sides that work at once are no fight."""
    assert _noted(3 * ANY, put_back=False, same=False) == {}
    assert _noted(ANY - 1, put_back=False, same=True) == {}
    assert list(_noted(ANY, put_back=False, same=True)) == ["a.md"]


def test_what_is_long_ago_does_not_count() -> None:
    """And a person who looked begins anew."""
    assert _noted(SAME, put_back=True, same=True, every=WITHIN_S / (SAME - 2)) == {}
    flips = Flips()
    for number in range(SAME):
        flips.note([("a.md", "x", True)], number)
    flips.forget("a.md")
    assert flips.reasons(["a.md"], SAME) == {}
