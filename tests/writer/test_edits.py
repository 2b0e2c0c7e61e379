"""Edits on section texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.records import Span
from writer.edits import Edit, Overlap, apply_edits


def test_edits_of_several_sections_are_made_at_once() -> None:
    """In any order; sections without edits are the same objects."""
    texts = ["abc", "def", "ghi"]
    changed = apply_edits(texts, [Edit(2, Span(3, 3), "!"), Edit(0, Span(1, 2), ""), Edit(0, Span(0, 1), "AA")])
    assert changed == ["AAc", "def", "ghi!"]
    assert changed[1] is texts[1]
    assert texts == ["abc", "def", "ghi"]


def test_insertions_at_one_place_keep_their_order() -> None:
    """Also when they are alike; equal replacements count once."""
    assert apply_edits(["ab"], [Edit(0, Span(1, 1), "x"), Edit(0, Span(1, 1), "y"), Edit(0, Span(1, 1), "x")]) == [
        "axyxb"
    ]
    assert apply_edits(["ab"], [Edit(0, Span(0, 1), "x"), Edit(0, Span(0, 1), "x")]) == ["xb"]


@pytest.mark.parametrize("second", [Edit(0, Span(1, 3), "y"), Edit(0, Span(0, 2), "y"), Edit(0, Span(1, 1), "y")])
def test_overlapping_edits_are_an_error(second: Edit) -> None:
    """Two changes of one text cannot both be made."""
    with pytest.raises(Overlap):
        apply_edits(["abcd"], [Edit(0, Span(0, 2), "x"), second])


@given(st.text(min_size=1, max_size=20), st.data())
def test_text_outside_the_edits_stays(text: str, data: st.DataObject) -> None:
    """What is left of the old text and what is new tile the new text."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    changed = apply_edits([text], [Edit(0, span, "<>") for span in reversed(spans)])[0]
    kept, position = [], 0
    for span in spans:
        kept.append(text[position : span.start])
        position = span.end
    assert changed == "<>".join([*kept, text[position:]])
