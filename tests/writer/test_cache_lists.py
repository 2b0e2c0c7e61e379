"""The session cache lists a new task where and how it lists others, if it belongs there."""

from __future__ import annotations

import pytest

from parser.document import parse
from schema.records import Table, Value
from writer.changes import Insert
from writer.kinds import cache_lists
from writer.put import put

HEAD = "# Session Cache\n\n## Current Session\n**Focus Task**: T1\n\n"
OLDER = "\n# Session Cache\n\n## Task Registry\n- T1: One - 🔄\n- T0: Zero - ✅\n"
MIXED = "## Task Registry\n- T1: One - 🔄\n- T2: Two - 🔄 (NEW)\n- T3: Three - ⏸️\n- T0: Zero - ✅\n\n"


def _listed(text: str, status: str, title: str = "Nine", entering: bool = False, **values: Value) -> str | None:
    """The text with T9; None where the cache does not take it."""
    document = parse("session_cache.md", HEAD + text)
    told: dict[str, Value] = {"title": title, "status": status, **values}
    if not cache_lists.takes(document, "T9", told, entering=entering):
        return None
    result = put(document, [Insert(Table.TASKS, {**told, "id": "T9"})])
    assert result.refused == ()
    return result.document.text.removeprefix(HEAD)


@pytest.mark.parametrize(
    ("status", "behind", "line"),
    [
        ("in_progress", "(NEW)\n", "- T9: Nine - 🔄\n"),
        ("paused", "⏸️\n", "- T9: Nine - ⏸️\n"),
        ("pending", "⏸️\n", "- T9: Nine - ⬜\n"),
        ("completed", "✅\n", "- T9: Nine - ✅\n"),
    ],
)
def test_a_registry_grouped_by_status_stays_so(status: str, behind: str, line: str) -> None:
    """A status that it did not have stands before the final ones; a note of another is not taken over."""
    assert _listed(MIXED + OLDER, status) == MIXED.replace(behind, behind + line) + OLDER


def test_a_list_from_new_to_old_begins_with_the_new_one() -> None:
    """Written as the others: dash, brackets, words."""
    text = "## Task Registry\n* [T5]: Five — 🔄 IN PROGRESS\n* [T4]: Four — ✅ DONE\n* [T3]: Three — 🔄 IN PROGRESS\n"
    assert _listed(text, "in_progress") == text.replace("* [T5]", "* [T9]: Nine — 🔄 IN PROGRESS\n* [T5]")


def test_a_list_of_one_status_takes_no_other() -> None:
    """Named by its heading; a registry holds all that are open, finished ones if it has such."""
    active = "## Active Tasks\n- T1: One - 🔄\n- T2: Two - 🔄\n"
    assert _listed(active, "pending") is None
    assert _listed(active, "in_progress") == active + "- T9: Nine - 🔄\n"
    registry = active.replace("Active Tasks", "Task Registry")
    assert _listed(registry, "pending") == registry + "- T9: Nine - ⬜\n"
    assert _listed(registry, "completed") is None


def test_who_comes_in_by_a_new_status_comes_only_into_the_list_of_it() -> None:
    """What a registry left out stays out."""
    active = "## Active Tasks\n- T1: One - 🔄\n- T2: Two - 🔄\n"
    assert _listed(active, "in_progress", entering=True) == active + "- T9: Nine - 🔄\n"
    assert _listed(MIXED, "in_progress", entering=True) is None


def test_sections_of_active_tasks_get_one_more() -> None:
    """With the fields that are known, where there is no list; older caches below stay history."""
    text = (
        "## Active Tasks\n\n### T7: Seven\n\n**Status:** 🔄 **IN PROGRESS**\n**Started:** 2026-06-26\n\n"
        "**Context**: Long.\n\n**Progress**:\n1. ✅ a\n\n## Next Session Focus\n1. T7: more\n"
    )
    new = "### T9: Nine\n\n**Status:** 🔄 **IN PROGRESS**\n**Started:** 2026-07-01\n\n"
    after = _listed(text + OLDER, "in_progress", started="2026-07-01", priority="HIGH")
    assert after == text.replace("## Next", new + "## Next") + OLDER
    assert _listed(text, "pending") is None
    entered = _listed(text, "in_progress", entering=True, started="2026-07-01", priority="HIGH")
    assert entered == text.replace("## Next", new + "## Next")
    done = text.replace("Active", "Completed").replace("🔄 **IN PROGRESS**", "✅ **COMPLETED**")
    assert _listed(done, "completed", entering=True) is None


def test_a_cache_with_a_list_and_sections_has_both_for_a_task_that_becomes_active() -> None:
    """If most active tasks have a section. One that stands in the list already gets its section alone."""
    registry = "## Task Registry\n- T1: One - 🔄\n- T2: Two - 🔄\n- T0: Zero - ✅\n"
    sections = "\n## Active Tasks\n\n### T1: One\n**Status:** 🔄 **Priority:** HIGH\n**Context**: Long.\n"
    second = "\n### T2: Two\n**Status:** 🔄 **Priority:** LOW\n"
    text = registry + sections + second
    both = _listed(text, "in_progress", priority="LOW")
    line, head = "- T9: Nine - 🔄\n", "\n### T9: Nine\n**Status:** 🔄 **Priority:** LOW\n"
    assert both == text.replace("- T0", line + "- T0") + head
    pending = text.replace("- T0", line.replace("🔄", "⬜") + "- T0")
    assert _listed(pending, "in_progress", entering=True, priority="LOW") == pending + head
    few = registry.replace("- T0", "- T3: Three - 🔄\n- T4: Four - 🔄\n- T0") + sections + second
    assert _listed(few.replace("- T0", line.replace("🔄", "⬜") + "- T0"), "in_progress", entering=True) is None


@pytest.mark.parametrize(
    "text", ["## Overview\n- Active: 2\n", "## Notes\n- T1: One - 🔄\n", OLDER, "## Task Registry\n- T9: X - 🔄\n"]
)
def test_a_cache_without_such_a_list_gets_none(text: str) -> None:
    """Nor one that shows the task already; older caches are history."""
    assert _listed(text, "in_progress") is None


def test_a_title_that_would_not_be_read_back_is_not_listed() -> None:
    """It says a status of its own."""
    assert _listed(MIXED, "in_progress", title="Nine - ✅ done") is None


def test_a_line_leaves_a_list_of_another_status_if_it_says_no_more() -> None:
    """With a note, and in a registry, it stays."""
    for text, gone in (
        ("## Active Tasks\n- T1: One - 🔄\n- T2: Two - 🔄\n", True),
        ("## Active Tasks\n- T1: One - 🔄 (half)\n- T2: Two - 🔄\n", False),
        ("## Active Tasks\n- T1: One - 🔄\n- T2: Two - ✅\n", False),
        (MIXED, False),
    ):
        document = parse("session_cache.md", HEAD + text)
        at = next(at for at, r in document.readings() if r.key == "T1")
        assert cache_lists.leaves(document, at, "completed") is gone
