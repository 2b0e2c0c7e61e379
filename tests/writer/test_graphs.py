"""Graphs of tasks are drawn on in their own style; what nobody changed stays to the byte."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser.document import parse
from schema.records import Value
from writer.graphs import TaskChange, redraw

Row = Mapping[str, Value]


def _row(title: str, status: str = "in_progress", *needs: str) -> Row:
    return {"title": title, "status": status, "dependencies": needs}


TASKS: dict[str, Row] = {
    "T0": _row("Project Setup", "completed"),
    "T1": _row("Station Import", "in_progress", "T0"),
    "T2": _row("Tide Curve", "in_progress", "T0", "T1"),
}
LABELS = """graph TD
    T0[T0: Project Setup ✅]
    T1[T1: Station Import]
    T2[T2: Curve]

    T0 --> T1
    T0 --> T2
    T1 --> T2
"""
BARE = "graph TD\n    T0 --> T1\n    T0 --> T2\n    T1 --> T2\n"


def _text(graph: str) -> str:
    return f"# Tasks\n\n## Task Relationships\n\n```mermaid\n{graph}```\n\nBelow.\n"


def _drawn(graph: str, *changes: TaskChange, tasks: Mapping[str, Row] = TASKS) -> str:
    head, _, rest = _text(graph).partition("```mermaid\n")
    after = redraw(parse("tasks.md", head + "```mermaid\n" + rest), changes, tasks).text
    assert after.startswith(head + "```mermaid\n")
    assert after.endswith("```\n\nBelow.\n")
    return after.removeprefix(head + "```mermaid\n").removesuffix("```\n\nBelow.\n")


def _new(task: str, row: Row) -> TaskChange:
    return TaskChange(task, None, row)


def _set(task: str, **values: Value) -> TaskChange:
    return TaskChange(task, TASKS[task], {**TASKS[task], **values})


def test_a_new_task_gets_a_node_and_its_edges() -> None:
    """Behind the others, indented and shaped as they are."""
    assert _drawn(LABELS, _new("T3", _row("Packs", "pending", "T1", "T2"))) == (
        LABELS.replace("Curve]\n", "Curve]\n    T3[T3: Packs]\n") + "    T1 --> T3\n    T2 --> T3\n"
    )


def test_a_graph_of_edges_alone_gets_only_edges() -> None:
    """A task without dependencies is not drawn there."""
    assert _drawn(BARE, _new("T3", _row("Packs", "pending", "T1"))) == BARE + "    T1 --> T3\n"
    assert _drawn(BARE, _new("T3", _row("Packs", "pending"))) == BARE


def test_two_new_tasks_of_which_one_needs_the_other_are_both_named() -> None:
    """In whatever order they come."""
    changes = [_new("T3", _row("Packs", "pending")), _new("T4", _row("Pier", "pending", "T3"))]
    for order in (changes, changes[::-1]):
        drawn = _drawn(LABELS, *order)
        assert drawn.count("T3[T3: Packs]") == drawn.count("T4[T4: Pier]") == drawn.count("T3 --> T4") == 1


@pytest.mark.parametrize(
    ("line", "like"),
    [
        ('    T3["T3: A #quot;b#quot; (c)"]', '    T2["T2: Curve"]'),
        ('    T3["T3: A #quot;b#quot; (c)"]', "    T2[T2: Curve]"),
        ('  T3(("T3<br/>A #quot;b#quot; (c)"))', "  T2((T2<br/>Curve))"),
        ('\tT3("A #quot;b#quot; (c)");', "\tT2(Curve);"),
    ],
)
def test_a_title_is_quoted_where_the_brackets_would_not_hold_it(line: str, like: str) -> None:
    """And worded as the other labels are."""
    graph = f"graph LR\n{like}\n"
    assert _drawn(graph, _new("T3", _row('A "b" (c)'))) == f"{graph}{line}\n"


def test_the_arrow_and_its_direction_are_those_of_the_graph() -> None:
    """Here edges go from a task to what it needs."""
    graph = "graph BT\n  T1==>T0\n  T2==>T0\n  T2-.->T1\n"
    assert _drawn(graph, _new("T3", _row("Packs", "pending", "T1"))) == graph + "  T3==>T1\n"


def test_a_new_title_replaces_the_old_one_and_no_other_words() -> None:
    """T2 has a name of its own here."""
    assert _drawn(LABELS, _set("T0", title="Set up")) == LABELS.replace("Project Setup", "Set up")
    assert _drawn(LABELS, _set("T2", title="Set up")) == LABELS


def test_a_dependency_comes_and_goes_with_its_edge() -> None:
    """An edge that is drawn already is not drawn again."""
    assert _drawn(LABELS, _set("T2", dependencies=("T1",))) == LABELS.replace("    T0 --> T2\n", "")
    assert _drawn(LABELS, TaskChange("T2", _row("x"), TASKS["T2"])) == LABELS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    T0 --> T1 --> T2\n", "    T0 --> T1\n"),
        ("    T0 & T1 --> T2\n", "    T0 --> T2\n"),
        ("    T0 & T1 --> T2 & T5\n", "    T0 --> T2 & T5\n    T1 --> T5\n"),
        ("    T0 --> T1 --> T2 --> T5\n", "    T0 --> T1\n    T2 --> T5\n"),
        ("    T0 --> T2\n    T1[T1: In] -->|for| T2[T2: Tide]\n", "    T0 --> T2\n    T1[T1: In]\n    T2[T2: Tide]\n"),
    ],
)  # fmt: skip
def test_an_edge_leaves_a_line_that_draws_others(before: str, after: str) -> None:
    """The others, and labels that stand only there, stay."""
    assert _drawn(f"graph TD\n{before}", _set("T2", dependencies=("T0",))) == f"graph TD\n{after}"


def test_a_removed_task_takes_its_node_edges_and_looks_along() -> None:
    """Also edges that stand for no dependency."""
    looks = '    T1 -.-> T9\n    class T0,T1 x\n    class T1 y\n    style T1 fill:#fff\n    click T1 "tasks/T1.md"\n'
    after = LABELS.replace("    T1[T1: Station Import]\n", "").replace("    T0 --> T1\n", "")
    after = after.replace("    T1 --> T2\n", "") + "    class T0 x\n"
    assert _drawn(LABELS + looks, TaskChange("T1", TASKS["T1"], None)) == after


def test_a_sign_follows_the_status_as_the_others_have_it() -> None:
    """Here only completed tasks have one."""
    done = _drawn(LABELS, _set("T1", status="completed"))
    assert done == LABELS.replace("Station Import", "Station Import ✅")
    assert _drawn(LABELS, _set("T0", status="in_progress")) == LABELS.replace(" ✅", "")
    every = "graph TD\n  T0[✅ T0]\n  T1[🔄 T1]\n  T2[🔄 T2]\n"
    assert _drawn(every, _set("T1", status="paused")) == every.replace("🔄 T1", "⏸️ T1")
    assert _drawn(BARE, _set("T1", status="completed")) == BARE


def test_a_class_follows_the_status() -> None:
    """In a class line, behind the node, or into a class that is only defined so far."""
    lines = BARE + "    class T0 done\n    class T1,T2 active\n"
    assert _drawn(lines, _set("T1", status="completed")) == BARE + "    class T0,T1 done\n    class T2 active\n"
    behind = "graph TD\n  T0[x]:::done\n  T1[y]:::active\n  T2[z]:::active\n"
    assert _drawn(behind, _set("T2", status="completed")) == behind.replace("T2[z]:::active", "T2[z]:::done")
    defined = BARE + "    classDef done fill:#9f9\n    classDef active fill:#ff9\n    class T1 active\n"
    assert _drawn(defined, _set("T1", status="completed")) == defined.replace("class T1 active", "class T1 done")


def test_a_style_follows_the_status_where_it_stands_for_one() -> None:
    """A style of its own stays."""
    styled = BARE + "    style T0 fill:#9f9\n"
    assert _drawn(styled, _set("T1", status="completed")) == styled + "    style T1 fill:#9f9\n"
    own = styled + "    style T1 fill:#123\n"
    assert _drawn(own, _set("T1", status="paused")) == own


def test_line_ends_stay_as_they_are() -> None:
    """Also those of new lines."""
    text = _text(LABELS).replace("\n", "\r\n")
    after = redraw(parse("tasks.md", text), [_new("T3", _row("Packs", "pending", "T1"))], TASKS).text
    assert after.count("\n") == after.count("\r\n") == text.count("\n") + 2


@pytest.mark.parametrize(
    "graph", ["graph TD\n    A[Browser] --> B[Server]\n", "sequenceDiagram\n    T0->>T1: x\n", "graph\n"]
)
def test_what_is_no_graph_of_tasks_stays(graph: str) -> None:
    """To the byte."""
    assert _drawn(graph, _new("T3", _row("Packs", "pending", "T1")), _set("T0", title="x", status="paused")) == graph


_TITLES = st.text(min_size=1).filter(lambda t: t.strip())
_STYLES = st.sampled_from([
    LABELS, BARE, "graph LR\n  T0 --> T1 & T2\n  T1-.->T2;\n", "graph TD\n  T0[x]:::done\n  T1[y]:::active\n",
    BARE + "    class T0 done\n    class T1,T2 active\n", BARE + "    style T0 fill:#9f9\n",
    "graph TD\n  subgraph one\n  T0[T0] --> T1[T1]\n  end\n",
    'flowchart TB\n\tT0["T0<br/>x ✅"]\n\tT1["T1<br/>y 🔄"]\n',
])  # fmt: skip


@given(
    _STYLES, _TITLES, st.sampled_from(["completed", "pending", "in_progress"]), st.sets(st.sampled_from(["T0", "T1"]))
)
def test_what_was_added_and_removed_leaves_the_same_bytes(graph: str, title: str, status: str, needs: set[str]) -> None:
    """Whatever the title, if both ends of its edges were drawn; a graph in which nothing changed is the same too."""
    born = _row(title, status, *sorted(needs))
    drawn = _drawn(graph, _new("T3", born))
    assert _drawn(drawn, TaskChange("T3", born, None), tasks={**TASKS, "T3": born}) == graph
    assert _drawn(drawn, TaskChange("T3", born, born), tasks={**TASKS, "T3": born}) == drawn


@given(_STYLES, st.sampled_from(["completed", "paused", "in_progress"]))
def test_a_new_status_touches_only_lines_of_its_task(graph: str, status: str) -> None:
    """Those that name it."""
    drawn = _drawn(graph, _set("T1", status=status))
    for line in set(drawn.splitlines()) ^ set(graph.splitlines()):
        assert "T1" in line or line.startswith("    class")
