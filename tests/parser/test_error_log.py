"""An error log shows one error a section: when, which task, and labelled values of one or many lines."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from parser.document import parse
from schema.records import Place, Reading, Table, Value


def errors(text: str) -> list[Reading]:
    return [r for _, r in parse("errorLog.md", text).readings() if r.table is Table.ERRORS]


def tell(text: str) -> dict[str, Value]:
    """All values of the only error."""
    (error,) = errors(text)
    return error.values()


@pytest.mark.parametrize(
    ("heading", "when", "task", "title"),
    [
        ("## 2025-08-23 21:40: T5b - It broke", "2025-08-23 21:40", "T5b", "It broke"),
        ("## 2025-04-15 13:15 UTC: It broke", "2025-04-15 13:15", None, "It broke"),
        ("## 2025-06-02 - T64a: It broke", "2025-06-02", "T64a", "It broke"),
        ("### 2025-06-02 10:11:12 IST - It broke (twice)", "2025-06-02 10:11:12", None, "It broke (twice)"),
        ("## April 15, 2025: It broke", "2025-04-15", None, "It broke"),
        ("## T5: It broke (2025-06-02)", "2025-06-02", "T5", "It broke"),
        ("## 2025-06-02", "2025-06-02", None, None),
    ],
)
def test_the_heading_tells_when_and_what(heading: str, when: str, task: str | None, title: str | None) -> None:
    """Its words are the message where no label gives one."""
    expected = {"timestamp": when, "task_id": task, "error_message": title}
    assert tell(f"# Error Log\n\n{heading}\n") == {name: value for name, value in expected.items() if value is not None}


def test_labels_fill_the_columns() -> None:
    """Of one line each; the message beats the title."""
    text = (
        "## 2025-08-23 21:40: Title\n**File:** `a.ts`\n**Error:** e `x`\n**Cause**: c\n**Fix:** f\n"
        "**Changes:** -\n**Task:** T5\n"
    )
    assert tell(text) == {
        "timestamp": "2025-08-23 21:40", "file_path": "a.ts", "error_message": "e `x`", "cause": "c",
        "fix_applied": "f", "task_id": "T5",
    }  # fmt: skip


def test_a_value_of_many_lines_is_a_block() -> None:
    """With its fence, up to the next label; labels in fences are text."""
    text = "## 2025-08-23: T\n\n**Error Message:**\n```\n**Fix:** no\n```\n\n**Cause:** because\n1. a\n2. b\n\nProse.\n"
    (error,) = errors(text)
    assert error.fields["error_message"].value == "```\n**Fix:** no\n```"
    assert error.fields["error_message"].place is Place.BLOCK
    assert error.fields["cause"].value == "because\n1. a\n2. b"
    assert "fix_applied" not in error.fields


def test_several_files_are_taken_as_written() -> None:
    """So that the value can be written back."""
    assert tell("## 2025-08-23: T\n**File:** `a.ts`, `b.ts`  \n")["file_path"] == "`a.ts`, `b.ts`"
    assert tell("## 2025-08-23: T\n**Files:**\n- `a.ts`\n- `b.ts`\n")["file_path"] == "- `a.ts`\n- `b.ts`"


def test_an_empty_label_says_nothing() -> None:
    """It is a place for a value."""
    (error,) = errors("## 2025-08-23: T\n**Cause:**\n**Fix:** f\n")
    assert error.fields["cause"].value is None


def test_a_rule_ends_the_error() -> None:
    """What stands below is the log's."""
    text = "## 2025-08-23: T\n**Task:** T1\n\n---\n*(Add new errors on top)*\n"
    (error,) = errors(text)
    assert error.fields["task_id"].value == "T1"
    assert text[error.span.end :].startswith("---")


def test_other_headings_are_prose() -> None:
    """And a date that does not exist is told."""
    assert not errors("# Error Log 2025-08-23\n\n## How to read this\n\n### About 2025-08-23\n")
    assert [line for line, _ in parse("errorLog.md", "\n## 2025-02-30 10:00: T1 - x\n").problems()] == [2]


def test_the_header_tells_the_last_update() -> None:
    """Above the errors only."""
    text = "# Error Log\n*Last Updated: April 15, 2025*\n\n## 2025-04-15: x\n"
    (header,) = (r for _, r in parse("errorLog.md", text).readings() if r.table is Table.HEADER)
    assert header.value("last_updated") == "2025-04-15"


@pytest.mark.corpora
@pytest.mark.parametrize("bank", ["arxivite", "mb", "qc-diffusion-code"])
def test_all_errors_of_the_recorded_banks_are_found(bank: str, last_state: Callable[[str], dict[str, str]]) -> None:
    """Every dated heading is an error with a message."""
    text = last_state(bank)["errorLog.md"]
    assert len(errors(text)) == len(re.findall(r"^## .*\d{4}-\d{2}-\d{2}", text, re.M))
    assert all(error.value("error_message") for error in errors(text))


def test_labels_between_underscores_are_labels() -> None:
    """With the colon inside or outside."""
    head = "# Error Log\n\n## 2026-03-06 17:20: T1.2 - Jump\n"
    text = f"{head}__File:__ `a.ts`\n__Root Cause__: One sample too many\n__Fix:__ x\n"
    (reading,) = [r for _, r in parse("errorLog.md", text).readings() if r.table is Table.ERRORS]
    assert {n: reading.value(n) for n in ("task_id", "file_path", "cause", "fix_applied")} == {
        "task_id": "T1.2", "file_path": "a.ts", "cause": "One sample too many", "fix_applied": "x",
    }  # fmt: skip
