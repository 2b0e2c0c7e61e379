"""Errors are written as the log writes its own; values come and go with their labels."""

from __future__ import annotations

import pytest

from parser.document import Document, parse
from schema.records import Table, Value
from writer.changes import Change, Insert, Remove, SetFields
from writer.put import put

TEXT = """\
# Error Log

## 2025-08-23 21:40: T5b - It broke
**File:** `a.ts`
**Error:** e
**Cause:** c
**Fix:** f
**Task:** T5b

## 2025-08-22 10:00: T4 - Before
**File:** `b.ts`
**Error:**
```
stack
```
**Fix:** g
**Task:** T4

---
*(Add new errors on top)*
"""
NEW: dict[str, Value] = {
    "timestamp": "2031-02-03 04:05", "task_id": "T1", "file_path": "n.ts", "error_message": "Boom", "cause": "Why",
    "fix_applied": "How",
}  # fmt: skip
WRITTEN = (
    "## 2031-02-03 04:05: T1 - Boom\n**File:** `n.ts`\n**Error:** Boom\n**Cause:** Why\n**Fix:** How\n**Task:** T1\n"
)


def log(text: str) -> Document:
    return parse("errorLog.md", text)


def done(text: str, change: Change) -> str:
    result = put(log(text), [change])
    assert result.refused == ()
    return result.document.text


def set_error(text: str, number: int = 0, **values: Value) -> str:
    found = [where for where, r in log(text).readings() if r.table is Table.ERRORS]
    return done(text, SetFields(found[number], values))


def test_a_new_error_goes_on_top_of_older_ones() -> None:
    """And among them by time."""
    assert done(TEXT, Insert(Table.ERRORS, NEW)) == TEXT.replace("## 2025-08-23", WRITTEN + "\n## 2025-08-23")
    older = {**NEW, "timestamp": "2025-08-23 00:00"}
    text = done(TEXT, Insert(Table.ERRORS, older))
    assert text.index("It broke") < text.index("Boom") < text.index("Before")
    oldest = done(TEXT, Insert(Table.ERRORS, {**NEW, "timestamp": "2020-01-01"}))
    assert oldest.index("Before") < oldest.index("Boom") < oldest.index("---\n*(Add")


def test_an_empty_log_takes_the_first_form() -> None:
    """Below its title."""
    assert done("", Insert(Table.ERRORS, NEW)) == WRITTEN
    assert done("# Error Log\n", Insert(Table.ERRORS, NEW)) == "# Error Log\n\n" + WRITTEN


def test_spacing_is_that_of_the_neighbours() -> None:
    """Empty lines below the heading and between labels, another level, no task label."""
    text = "# Error Log\n\n### 2025-04-15: Old\n\n**File:** `a.ts`\n\n**Error:** e\n"
    new = "### 2031-02-03 04:05: T1 - Boom\n\n**File:** `n.ts`\n\n**Error:** Boom\n\n"
    insert = Insert(Table.ERRORS, {name: NEW[name] for name in ("timestamp", "task_id", "file_path", "error_message")})
    assert done(text, insert) == text.replace("### 2025", new + "### 2025")


@pytest.mark.parametrize(
    ("values", "old", "new"),
    [
        ({"timestamp": "2025-08-24 01:02"}, "## 2025-08-23 21:40", "## 2025-08-24 01:02"),
        ({"file_path": "z.ts"}, "`a.ts`", "`z.ts`"),
        ({"file_path": "`y.ts`, `z.ts`"}, "`a.ts`", "`y.ts`, `z.ts`"),
        ({"error_message": "other"}, "**Error:** e\n", "**Error:** other\n"),
        ({"cause": "one\n1. two"}, "**Cause:** c\n", "**Cause:** one\n1. two\n"),
        ({"cause": None}, "**Cause:** c\n", ""),
        ({"fix_applied": None, "cause": "d"}, "**Cause:** c\n**Fix:** f\n", "**Cause:** d\n"),
    ],
)
def test_values_change_in_place(values: dict[str, Value], old: str, new: str) -> None:
    """A value that goes takes its label along."""
    assert set_error(TEXT, **values) == TEXT.replace(old, new, 1)


def test_a_task_changes_in_heading_and_label() -> None:
    """Both say it; and both stop saying it."""
    assert set_error(TEXT, task_id="T9") == TEXT.replace("T5b", "T9")
    assert set_error(TEXT, task_id=None) == TEXT.replace("T5b - ", "").replace("**Task:** T5b\n", "")


def test_a_value_that_had_no_label_gets_one() -> None:
    """In the usual order."""
    assert set_error(TEXT, 1, cause="why") == TEXT.replace("stack\n```\n", "stack\n```\n**Cause:** why\n")


def test_a_message_that_is_the_title_changes_there() -> None:
    """As long as it is one line."""
    text = "## 2025-04-15: Old\n\n**Fix:** f\n"
    assert set_error(text, error_message="New") == text.replace("Old", "New")


def test_removing_an_error_leaves_the_others() -> None:
    """And the footer."""
    first, second = TEXT.index("## 2025-08-23"), TEXT.index("## 2025-08-22")
    found = [where for where, r in log(TEXT).readings() if r.table is Table.ERRORS]
    assert done(TEXT, Remove(found[0])) == TEXT[:first] + TEXT[second:]
    assert done(TEXT, Remove(found[1])).endswith("**Task:** T5b\n\n---\n*(Add new errors on top)*\n")


def test_what_would_not_read_back_is_refused() -> None:
    """A label inside a value, no time."""
    where = next(where for where, r in log(TEXT).readings() if r.table is Table.ERRORS)
    for change in (
        SetFields(where, {"cause": "a\n**Fix:** b"}),
        Insert(Table.ERRORS, {**NEW, "timestamp": None}),
        Insert(Table.ERRORS, {**NEW, "timestamp": "yesterday"}),
    ):
        result = put(log(TEXT), [change])
        assert result.refused
        assert result.document.text == TEXT


def test_a_log_with_underscores_gets_them() -> None:
    """As its first error has them."""
    text = "# Error Log\n\n## 2026-03-06 17:20: T3 - Jump\n__File__: `a.ts`\n__Cause__: One sample\n"
    values = {"timestamp": "2026-03-07 10:00", "error_message": "Gap", "cause": "None left", "file_path": "b.ts"}
    done = put(parse("errorLog.md", text), [Insert(Table.ERRORS, values)])
    assert done.refused == ()
    new = "## 2026-03-07 10:00: Gap\n__File__: `b.ts`\n__Error__: Gap\n__Cause__: None left\n\n"
    assert done.document.text == text.replace("## 2026-03-06", new + "## 2026-03-06")
