"""What a transaction did, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from schema.history import Version
from schema.journal import Net, Transaction
from schema.records import Action
from syncd.history import words

LiveBank = Any


def transaction(operation: str = "absorb", note: str | None = None) -> Transaction:
    """A transaction of the log."""
    return Transaction(7, "id", "2026-03-04T00:00:00.000000Z", operation, "file", None, 0, "completed", None, 1.0, note)


def version(path: str, *, emitted: bool = False, existed: bool = True, exists: bool = True) -> Version:
    """A step of a document in it."""
    return Version(1, path, 7, emitted, existed, exists, 1, None)


def update(before: Mapping[str, Any], after: Mapping[str, Any]) -> Net:
    """A row that was changed."""
    return Net(Action.UPDATE, before, after)


STATUS = {("tasks", "T21"): update({"status": "in_progress"}, {"status": "completed"})}
FOLLOWED = [version(path, emitted=True) for path in ("tasks/T21.md", "a.md", "b.md", "c.md")]


@pytest.mark.parametrize(
    ("versions", "rows", "said"),
    [
        ([version("tasks.md"), *FOLLOWED], STATUS, "tasks.md: T21 in_progress → completed, 4 files followed"),
        ([version("tasks.md")], STATUS, "tasks.md: T21 in_progress → completed"),
        (FOLLOWED[:1], STATUS, "T21 in_progress → completed, 1 file written"),
        ([version("notes.md")], {}, "notes.md: text"),
        ([version("notes.md", existed=False)], {}, "notes.md new"),
        ([version("notes.md", exists=False)], {}, "notes.md removed"),
        ([version(f"{n}.md") for n in range(5)], {}, "0.md, 1.md, 2.md and 2 more: text"),
        ([version("a.md", emitted=True, exists=False)], {}, "a.md removed"),
        ([], {}, "absorb"),
        ([], {("edit_entries", "3"): Net(Action.INSERT, None, {"date": "2026-03-04", "time": "19:08", "task_id": "T3"}),
              ("file_modifications", "9"): Net(Action.INSERT, None, {})},
         "entry 2026-03-04 19:08 T3 new"),
        ([], {("task_dependencies", "T1>T2"): Net(Action.DELETE, {}, None)}, "T1 needs T2 gone"),
        ([], {("tasks", "T1"): update({"details": "x" * 40}, {"details": None})}, "T1 details changed"),
        ([], {("tasks", "T1"): update({"title": "a"}, {"title": None})}, "T1 title a → -"),
    ],
)  # fmt: skip
def test_it_says_what_happened(versions: list[Version], rows: dict[tuple[str, str], Net], said: str) -> None:
    """One line a transaction."""
    assert words.sentence(transaction(), versions, rows) == said


def test_many_rows_are_counted() -> None:
    """The most important first; what only was finished in the same transaction is not told twice."""
    counts = {
        ("file_modifications", Action.INSERT): 28, ("tasks", Action.INSERT): 8, ("tasks", Action.UPDATE): 8,
        ("edit_entries", Action.DELETE): 1_200,
    }  # fmt: skip
    assert words.sentence(transaction(), [], counts) == "8 tasks new, 1,200 entries gone"
    nets = {("tasks", f"T{n}"): update({"status": "a"}, {"status": "b"}) for n in range(4)}
    assert words.sentence(transaction(), [], nets) == "4 tasks changed"


def test_what_it_was_made_for_comes_first() -> None:
    """An undo names what it took back."""
    assert words.sentence(transaction("undo", "5"), [version("a.md", emitted=True)], {}) == "undo of 5: a.md"
