"""Cutting a text into sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser.text import common_prefix, common_suffix, cut, front_matter_end, heading, scan, slices

PIECES = st.sampled_from([
    "# One\n", "## Two ##\n", "#not\n", "####### seven\n", " # indented\n", "#\n", "Title\n===\n", "word\n", "\n",
    "  \n",
    "```\n", "```py\n", "  ```\n", "~~~\n", "````\n", "- item\n", "  - nested\n", "1. one\n", "> quote\n", "> # q\n",
    "    code\n", "<div>\n", "</div>\n", "<!-- a\n", "-->\n", "<?php\n", "?>\n", "<pre>\n", "</pre>\n", "<b>\n",
    "[a]: /u 'one\n", "two'\n", "---\n", "| a | b |\n", "|---|---|\n", "\ufeff", "\f", "\x00", "\u2028", "\x85",
    "\r", "\r\n",
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.text()


@given(TEXTS)
def test_sections_join_to_the_text(text: str) -> None:
    """The tiling law, for any characters."""
    starts = cut(text)
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert "".join(slices(text, starts)) == text


@given(TEXTS)
def test_every_section_but_the_first_starts_with_a_heading(text: str) -> None:
    """What starts a section is a heading line at the left margin."""
    for section in list(slices(text, cut(text)))[1:]:
        assert heading(section)[0] > 0


@given(TEXTS, st.integers(min_value=1))
def test_a_section_start_does_not_depend_on_what_stands_before(text: str, which: int) -> None:
    """Cutting from any section start on gives the starts that follow it: the ground of reading only what changed."""
    starts = cut(text)
    first = starts[which % len(starts)]
    if first >= front_matter_end(text) > 0 or not text[first:].startswith(("\ufeff", "---")):
        assert [first + start for start in cut(text[first:])] == [start for start in starts if start >= first]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("", [""]),
        ("# A\n## B\ntext\n# C", ["A", "B", "C"]),
        ("intro\n# A\n", ["", "A"]),
        ("# A\r\ntext\r\n## B\r\n", ["A", "B"]),
        ("\ufeff# A\n## B\n", ["A", "B"]),
        ("---\n# no: heading\n---\n# A\n", ["", "A"]),
        ("# A\n```\n# in a fence\n```\n# B\n", ["A", "B"]),
        ("# A\n````\n```\n# in a fence\n```\n````\n# B\n", ["A", "B"]),
        ("# A\n```\n# in a fence that nobody closes\n", ["A"]),
        ("# A\n``` a`b\n# no fence\n", ["A", "no fence"]),
        ("# A\n<!-- # a\n# in a comment\n-->\n# B\n", ["A", "B"]),
        ("# A\n<div>\n# in raw HTML\n\n# B\n", ["A", "B"]),
        ("# A\n- item\n  ```\n  # in a list's fence\n  ```\n# B\n", ["A", "B"]),
        ("# A\n- item\n  ```\n# ends the list\n", ["A", "ends the list"]),
        ("# A\n  ```\n# in a fence\n  ```\n# B\n", ["A", "B"]),
        ("# A\n> quote\n# B\n", ["A", "B"]),
        ("# A\n#B\n#\tC\n####### D\n", ["A", "C"]),
        ("# A\ntext\n===\n", ["A"]),
        ("# A #\n## B ##\n", ["A", "B"]),
    ],
)
def test_headings_are_what_the_specification_says(text: str, titles: list[str]) -> None:
    """Fences, comments, raw HTML, front matter, lists and quotes, each with a heading where it hurts."""
    assert [heading(section)[1] for section in slices(text, cut(text))] == titles


def test_a_certain_text_needs_no_block_parser() -> None:
    """The slow arbiter is asked about doubtful sections only."""
    assert scan("# A\n- a\n  ```\n  b\n  ```\n<!-- c -->\n# B\n").doubt is None
    assert scan("# A\n  ```\n# B\n").doubt is not None


def test_a_heading_has_a_level_and_a_title() -> None:
    """Closing hashes and a BOM are no part of it."""
    assert heading("### a # b ###  \nx") == (3, "a # b")
    assert heading("\ufeff# a\n") == (1, "a")
    assert heading("#") == (1, "")
    assert heading("text\n# a") == (0, "")


@given(st.text(alphabet="ab", max_size=30), st.text(alphabet="ab", max_size=30))
def test_common_ends_are_the_longest(a: str, b: str) -> None:
    """What the halving finds is what a plain comparison finds."""
    prefix = common_prefix(a, b)
    assert a[:prefix] == b[:prefix]
    assert prefix in (len(a), len(b)) or a[prefix] != b[prefix]
    limit = min(len(a), len(b)) - prefix
    suffix = common_suffix(a, b, limit)
    assert suffix <= limit
    assert a[len(a) - suffix :] == b[len(b) - suffix :]
    assert suffix == limit or a[-1 - suffix] != b[-1 - suffix]


def _documents(name: str, steps: Callable[[str], Iterator[dict[str, str | None]]]) -> set[str]:
    return {text for changes in steps(name) for path, text in changes.items() if text and path.endswith(".md")}


@pytest.mark.corpora
@pytest.mark.parametrize("share", [pytest.param(8, id="a sample"), pytest.param(1, id="all", marks=pytest.mark.slow)])
def test_recorded_documents_are_cut_as_the_block_parser_cuts_them(
    share: int, corpora: Mapping[str, Path], steps: Callable[[str], Iterator[dict[str, str | None]]]
) -> None:
    """Every start is a heading of the block parser at the left margin, and every such heading is a start."""
    from parser.blocks import section_starts

    texts = sorted(set().union(*(_documents(name, steps) for name in corpora)))[::share]
    assert texts
    for text in texts:
        starts = cut(text)
        assert starts == section_starts(text), text[:80]
        assert "".join(slices(text, starts)) == text
