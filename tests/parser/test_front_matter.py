"""Where front matter ends: by hand as by the pattern that says what it is."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from parser.text import front_matter_end

FRONT = re.compile(r"\ufeff?---[ \t]*\r?\n(?:.*\n)*?---[ \t]*\r?(?:\n|$)")


@given(st.lists(
    st.sampled_from(["\ufeff", "---", "--", "-", " ", "\t", "\r", "\n", "\n---", "\n---\n", "key: 1\n", "x", "\u2028"]),
    max_size=9,
).map("".join))  # fmt: skip
@example("---\n---")
@example("---\n--- \r\nwords")
@example("---\nkey: 1\n")
@example("---")
def test_where_it_ends(text: str) -> None:
    found = FRONT.match(text)
    assert front_matter_end(text) == (found.end() if found else 0)
