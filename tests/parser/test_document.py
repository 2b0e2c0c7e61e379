"""Parsing with and without a base."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser.document import parse, parse_bytes

PIECES = st.sampled_from([
    "<<<<<<< ours\n",
    "# Tasks\n", "## Active Tasks\n", "### 2025-11-13\n", "#### 17:48 - T21: Title\n", "- Modified `a.py` - what\n",
    "*Last Updated: 2025-05-26 16:30*\n", "**Status**: 🔄 **Priority**: HIGH\n", "| ID | Title | Status |\n",
    "|----|-------|--------|\n", "| T1 | One | ✅ |\n", "- [x] done\n", "```\n", "  ```\n", "<!--", "-->\n", "---\n",
    "\n", "x\n",
    "<div>\n", "\r\n", "\ufeff", "\f", "\x00", "\u2028", "[a]: /u 'b\n", "# ", "#",
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=16).map("".join)
PATHS = st.sampled_from([
    "tasks.md", "tasks/T21.md", "edit_history.md", "session_cache.md", "sessions/2025-05-02.md", "errorLog.md",
    "activeContext.md", "edits/2025-11-13/174800-T21-x.md", "progress.md",
])  # fmt: skip
EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30), TEXTS), min_size=1, max_size=4)


@given(PATHS, TEXTS | st.text())
def test_any_text_is_parsed_and_kept(path: str, text: str) -> None:
    """No text raises, and the sections join to it."""
    document = parse(path, text)
    assert document.text == text
    for section in document.sections:
        for reading in section.readings:
            for field in (reading, *reading.fields.values()):
                assert 0 <= field.span.start <= field.span.end <= len(section.text)


@given(PATHS, TEXTS, EDITS)
def test_a_base_changes_nothing_but_the_time(path: str, text: str, edits: list[tuple[int, int, str]]) -> None:
    """Parsing what differs gives what parsing all gives, edit after edit."""
    base = parse(path, text)
    for at, length, new in edits:
        known, text = text.encode(), text[:at] + new + text[at + length :]
        found = parse_bytes(path, text.encode(), base, known)
        assert found == parse(path, text)
        assert found.starts == parse(path, text).starts
        assert found.has_arrows == ("<<<<<<<" in text)
        assert parse(path, text, base) == found
        base = found


def test_unchanged_sections_are_taken_over_as_they_are() -> None:
    """An edit in the middle reads one section again; an edit of a date heading, all that stands under it."""
    text = "# E\n### 2025-01-02\n" + "".join(f"#### 10:0{n} - T1: a\n- Modified `a{n}` - b\n" for n in range(9))
    text += "### 2025-01-01\n#### 09:00 - T1: z\n"
    base = parse("edit_history.md", text)
    again = parse("edit_history.md", text.replace("`a4`", "`b4`"), base)
    assert [n for n, (a, b) in enumerate(zip(base.sections, again.sections, strict=True)) if a is not b] == [6]
    dated = parse("edit_history.md", text.replace("2025-01-02", "2025-01-03"), base)
    assert dated.sections[-1] is base.sections[-1]
    assert dated.sections[5] is not base.sections[5]
    assert dated == parse("edit_history.md", dated.text)


def test_of_bytes_only_what_differs_is_looked_at() -> None:
    """Sections around the change are cut again; what stands elsewhere is taken over."""
    entries = "".join(f"#### 10:{n:02} - T1: ✅ äé\n- Modified `a{n}` - b\n" for n in range(60))
    text = "# E\n### 2025-01-02\n" + entries
    base = parse("edit_history.md", text)
    for edited in (text.replace("`a40`", "`b40`"), text + "- Modified `z` - é\n", text.replace("# E\n", "# E\n```\n")):
        again = parse_bytes("edit_history.md", edited.encode(), base, text.encode())
        assert again == parse("edit_history.md", edited)
        if not edited.startswith("# E\n```"):
            assert sum(a is not b for a, b in zip(base.sections, again.sections, strict=True)) == 1


def test_bytes_that_are_no_text_are_named_by_their_place() -> None:
    """Wherever they are, as when all is decoded."""
    text = "".join(f"## {n}\nä\n" for n in range(50)).encode()
    base = parse("progress.md", text.decode())
    broken = text[:200] + b"\xff" + text[200:]
    with pytest.raises(UnicodeDecodeError) as all_of_it:
        broken.decode()
    with pytest.raises(UnicodeDecodeError) as found:
        parse_bytes("progress.md", broken, base, text)
    assert found.value.start == all_of_it.value.start == 200


def test_a_base_of_another_path_is_not_used() -> None:
    """What a text means depends on its path."""
    text = "# T1: A\n**Status**: ✅\n"
    assert parse("tasks/T1.md", text, parse("progress.md", text)) == parse("tasks/T1.md", text)


def test_front_matter_that_appears_cuts_anew() -> None:
    """The closing line of front matter takes headings away that stand before it."""
    old = "---\na: b\n# heading\ntext\n# other\n"
    new = "---\na: b\n# heading\ntext\n---\n# other\n"
    for before, after in ((old, new), (new, old)):
        assert parse("progress.md", after, parse("progress.md", before)) == parse("progress.md", after)


def test_problems_are_numbered_by_their_line_in_the_document() -> None:
    """Lines are counted from 1, through all sections."""
    document = parse("tasks.md", "# Tasks\n\n## Active Tasks\n\n| ID | Title |\n|---|---|\n| ?? | what |\n")
    assert [line for line, _ in document.problems()] == [7]


def test_one_line_in_a_large_document_is_read_in_no_time() -> None:
    """20,000 sections; an edit costs a small part of the whole."""
    text = "".join(f"### 2025-01-01\n\n#### 10:00 - T{n}: a\n- Modified `a{n}` - b\n\n" for n in range(10_000))
    begun = time.perf_counter()
    base = parse("edit_history.md", text)
    whole = time.perf_counter() - begun
    middle, best = len(text) // 2, 9.0
    for n in range(3):
        begun = time.perf_counter()
        base = parse("edit_history.md", text[:middle] + "y" * n + text[middle:], base)
        best = min(best, time.perf_counter() - begun)
    assert best < whole / 10


def test_random_edits_of_a_bank_like_text_are_followed() -> None:
    """A longer walk than the property takes, over one text."""
    chance = random.Random(3)
    bits = ["\n", "# h\n", "```\n", "  ```\n", "<!--", "-->", "---\n", "- a\n", "x", "\n\n", "#", "<div>\n"]
    text = "# Edit History\n\n" + "".join(
        f"### 2025-01-{n:02}\n\n#### 10:00 - T{n}: a\n- Modified `a{n}` - b\n  ```\n  c\n  ```\n" for n in range(1, 20)
    )
    base = parse("edit_history.md", text)
    for _ in range(300):
        at = chance.randrange(len(text) + 1)
        text = (
            text[:at] + "".join(chance.choices(bits, k=chance.randint(0, 3))) + text[at + chance.choice((0, 0, 1, 9)) :]
        )
        base = parse("edit_history.md", text, base)
        assert base == parse("edit_history.md", text)
