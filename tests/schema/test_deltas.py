"""A delta and the text after a change give the text before it."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.deltas import BadDelta, decode, encode

_PIECES = (b"# T1: Title\n", b"- Modified `a.py` - x\n", "| 🔄 | T1 |\n".encode(), b"\xff\x00", b"\r\n", b"")
_pieces = st.sampled_from(_PIECES)
_texts = st.one_of(
    st.lists(_pieces, max_size=60).map(b"".join), st.binary(max_size=300),
    st.tuples(_pieces, st.integers(0, 6000)).map(lambda t: t[0] * t[1]),
)  # fmt: skip


@given(before=_texts, after=_texts)
def test_what_was_before_comes_back(before: bytes, after: bytes) -> None:
    """For any two texts."""
    assert decode(encode(before, after), after) == before


@given(start=_texts, middle=_texts, other=_texts, end=_texts)
def test_what_both_share_costs_nothing(start: bytes, middle: bytes, other: bytes, end: bytes) -> None:
    """A delta is never much longer than what stood between the common beginning and end."""
    assert len(encode(start + middle + end, start + other + end)) <= len(middle) + 16


def _prose(seed: int, lines: int) -> bytes:
    words = [f"w{i}" for i in range(900)]
    chance = random.Random(seed)
    return "\n".join(" ".join(chance.choices(words, k=12)) for _ in range(lines)).encode()


@pytest.mark.parametrize("lines", [30, 3000, 20000])
def test_a_block_that_moved_costs_little(lines: int) -> None:
    """Short, beyond what deflate can refer to, and megabytes."""
    text = _prose(1, lines)
    half = len(text) // 2
    moved = text[half:] + text[:half]
    delta = encode(text, moved)
    assert decode(delta, moved) == text
    assert len(delta) < 100 + len(text) // 200


def test_a_rewritten_text_is_compressed() -> None:
    """Nothing in common."""
    before, after = _prose(1, 500), _prose(2, 500)
    assert len(encode(before, after)) < len(before) // 2


def test_one_line_of_ten_megabytes_is_fast_and_small() -> None:
    """No loop over the bytes."""
    text = _prose(3, 200_000)
    middle = len(text) // 2
    changed = text[:middle] + b"one new line\n" + text[middle + 40 :]
    start = time.perf_counter()
    delta = encode(text, changed)
    back = decode(delta, changed)
    took = time.perf_counter() - start
    assert back == text
    assert len(delta) < 60
    assert took < 0.5


def test_a_delta_of_another_text_is_refused() -> None:
    """Where that can be known."""
    text = _prose(1, 200)
    delta = encode(text, text[:-100])
    with pytest.raises(BadDelta, match="longer text"):
        decode(delta, b"short")
    for broken in (b"", b"\x00", b"\x09\x00\x00", b"\x01\x00\x00\xff\xff", b"\x02\x00\x00\xff\xff", b"\x00\x80"):
        with pytest.raises(BadDelta):
            decode(broken, text)
