"""No text, however odd, is read in more than the time that its length is worth."""

from __future__ import annotations

import time

import pytest

from parser.document import parse

CASES = [
    ("edit_history.md", "### 2025-11-13\n#### 17:48 - T1: ", " "),
    ("edit_history.md", "### 2025-11-13\n#### 17:48 - T1: ", "\t"),
    ("edit_history.md", "**17:48 - ", " "),
    ("tasks.md", "### T1: ", "#"),
    ("tasks/T3.md", "# T3: ", " "),
    ("tasks/T3.md", "**Status**: ", "`"),
    ("tasks/T3.md", "**Dependencies**: ", "\r"),
    ("tasks/T3.md", "**Dependencies**: ", "\u2028"),
    ("session_cache.md", "## Current Session\n**Focus**: ", "`"),
    ("session_cache.md", "- Active: ", "0"),
]


@pytest.mark.parametrize(("path", "opening", "sign"), CASES)
def test_a_hundred_thousand_times_one_sign_is_read_at_once(path: str, opening: str, sign: str) -> None:
    """It took minutes, or raised; such a line is told as not read, and joins to the text all the same."""
    text = opening + sign * 100_000 + "x\n\n## Next\n\n**Status**: ✅\n"
    began = time.process_time()
    document = parse(path, text)
    assert time.process_time() - began < 3
    assert document.text == text
    assert [section.level for section in document.sections][-1] == 2
    if sign != "0":
        assert any("not read" in reason for _, reason in document.problems())


def test_the_padding_of_a_wide_table_is_no_such_line() -> None:
    wide = "| ID | Title |\n|----|----|\n| T1 | " + "x" * 1500 + " |\n| T2 | y" + " " * 1500 + " |\n"
    document = parse("tasks.md", f"# Tasks\n\n## Active Tasks\n\n{wide}")
    assert [reading.key for _, reading in document.readings()] == ["T1", "T2"]


def test_a_number_that_no_count_has_is_prose() -> None:
    document = parse("session_cache.md", f"# Session Cache\n\n- Active: {'9' * 5000}\n- Paused: 2\n")
    assert [r.values() for _, r in document.readings()] == [{"paused_count": "2"}]
