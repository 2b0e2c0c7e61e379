"""Lines, and those outside fences and comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser.lines import lines, open_lines


@given(st.text(alphabet="ab`~\r\n <!->", max_size=60))
def test_lines_are_slices_of_the_text(text: str) -> None:
    """Offsets are right, and only line breaks are left out."""
    found = lines(text)
    assert [line.number for line in found] == list(range(len(found)))
    rest = text
    for line in reversed(found):
        assert text[line.start : line.end] == line.text
        assert rest[line.end :] in ("", "\n", "\r", "\r\n")
        rest = rest[: line.start]
    assert rest == ""


def test_a_final_break_starts_no_line() -> None:
    """Nor does an empty text have one; a lone carriage return breaks none."""
    assert [line.text for line in lines("a\r\nb\n")] == ["a", "b"]
    assert lines("") == []
    assert [line.text for line in lines("a\rb\x0c\u2028c")] == ["a\rb\x0c\u2028c"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\n```\nb\n```\nc", "ac"),
        ("a\n```py\nb\n~~~\nb\n````\nc", "ac"),
        ("a\n````\n```\nb\n````\nc", "ac"),
        ("a\n      ```\nb\n   ```\nc", "ac"),
        ("a\n- ```\n  b\n  ```\nc", "ac"),
        ("a\n```\nb", "a"),
        ("a\n<!-- b\nb -->\nc\n<!-- b -->\nd", "acd"),
        ("a\n``` x`y\nb", "a``` x`yb"),
        ("a <!-- x -->\nb", "a <!-- x -->b"),
    ],
)
def test_lines_in_fences_and_comments_are_left_out(text: str, left: str) -> None:
    """With their marks."""
    assert "".join(line.text for line in open_lines(text)) == left
