"""The graph of tasks follows a change of rows, when it writes the document that draws it."""

from __future__ import annotations

from typing import Any

GRAPH = """graph TD
    T1 --> T3
    T2 --> T3
    T3 --> T3a
    T2 --> T4
    T1 --> T5
    T3 --> T6
    T5 --> T6
"""


def _graph(live: Any) -> str:
    return str(live.read("tasks.md")).partition("```mermaid\n")[2].partition("```")[0]


def test_rows_of_dependencies_come_and_go_with_their_edges(live: Any) -> None:
    """A new task with what it needs, and one that needs something else now."""
    assert _graph(live) == GRAPH
    live.sql("INSERT INTO tasks(id, title, status) VALUES ('T7', 'Pier Names', 'pending')")
    live.sql("INSERT INTO task_dependencies(task_id, depends_on) VALUES ('T7', 'T3')")
    live.sql("UPDATE task_dependencies SET depends_on = 'T1' WHERE task_id = 'T4'")
    live.sync()
    assert _graph(live) == GRAPH.replace("    T2 --> T4\n", "") + "    T1 --> T4\n    T3 --> T7\n"
    live.assert_at_rest()
    live.sql("DELETE FROM task_dependencies WHERE task_id IN ('T7', 'T4')")
    live.sync()
    assert _graph(live) == GRAPH.replace("    T2 --> T4\n", "")
    live.assert_at_rest()


def test_a_graph_is_written_with_its_document_or_not_at_all(live: Any) -> None:
    """Who edits the table by hand draws by hand; a row that changes nothing of the graph leaves it as it is."""
    live.edit("tasks.md", "| T2           |", "| T1           |")
    live.sync(follow=True)
    assert "**Dependencies**: T1\n" in live.read("tasks/T4.md")
    assert _graph(live) == GRAPH
    live.sql("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T4'")
    live.sync()
    assert _graph(live) == GRAPH


def test_an_edit_that_is_brought_to_the_table_is_brought_to_the_graph(live: Any) -> None:
    """The task's own file said it first."""
    live.edit("tasks/T4.md", "**Dependencies**: T2", "**Dependencies**: T1")
    live.sync(follow=True)
    assert "| T1           | [Details](tasks/T4.md)" in live.read("tasks.md")
    assert _graph(live) == GRAPH.replace("    T2 --> T4\n", "") + "    T1 --> T4\n"
    live.assert_at_rest()
