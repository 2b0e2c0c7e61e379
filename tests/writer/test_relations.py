"""A fenced list of relations is kept as its bank keeps it."""

from __future__ import annotations

import pytest

from schema.records import Value
from writer.relations import listed

TEXT = "## Task Relationships\n\n```\nT21: Alignment\nT27: Publish the client (depends on T13, T25)\n```\n\nBelow.\n"


def _row(title: str, *needs: str) -> dict[str, Value]:
    return {"title": title, "status": "in_progress", "dependencies": needs}


def test_a_new_task_gets_a_line_where_the_newest_ones_stand() -> None:
    """At the end, or at the start of a list that goes from new to old."""
    line = "T28: Packs (depends on T27)\n"
    assert listed(TEXT, "T28", None, _row("Packs", "T27")) == TEXT.replace("T25)\n", f"T25)\n{line}")
    turned = TEXT.replace("T21", "T29")
    assert listed(turned, "T30", None, _row("Packs")) == turned.replace("T29:", "T30: Packs\nT29:")


def test_a_changed_task_changes_its_line_only() -> None:
    """Its words where they were the title, and the ids that came or went."""
    old = _row("Publish the client", "T13", "T25")
    assert listed(TEXT, "T27", old, _row("Publish it", "T13", "T25")) == TEXT.replace(
        "Publish the client", "Publish it"
    )
    assert listed(TEXT, "T27", old, _row("Publish the client", "T25", "T3")) == TEXT.replace("T13, T25", "T25, T3")
    assert listed(TEXT, "T27", old, _row("Publish the client")) == TEXT.replace(" (depends on T13, T25)", "")
    assert listed(TEXT, "T21", _row("Another title"), _row("A third")) == TEXT
    assert listed(TEXT, "T21", _row("Alignment"), _row("Alignment", "T3")) == TEXT.replace(
        "Alignment", "Alignment (depends on T3)"
    )


def test_a_removed_task_takes_its_line_along() -> None:
    """And nothing else."""
    assert listed(TEXT, "T21", _row("Alignment"), None) == TEXT.replace("T21: Alignment\n", "")


@pytest.mark.parametrize(
    "text",
    [TEXT.replace("Task Relationships", "Notes"), TEXT.replace("T21: ", "└─ "), TEXT.replace("```\nT", "```js\nT")],
)
def test_another_fence_is_none(text: str) -> None:
    """Below another heading, with a line of another form, of a language."""
    assert listed(text, "T28", None, _row("Packs")) == text
