"""Flowcharts are read to the last line, or not at all."""

from __future__ import annotations

import pytest

from parser.graphs import Kind, find_graphs


def _graph(body: str) -> str:
    return f"## Task Relationships\n\n```mermaid\n{body}```\n"


def test_nodes_and_edges_are_found_where_they_stand() -> None:
    """Chains, groups, labels in and out of quotes, classes, links with words."""
    text = _graph(
        "flowchart LR;\n"
        '    T0["T0: Set up (first)"]:::done --> T1 & META-1\n'
        "    T1-->|needs|T2((T2: Two)) -.-> T3;\n"
        "\n"
        "    %% said by the owner\n"
        "    T3 -- later --> T4\n"
        "    class T1,T2 active\n"
        "    style T4 fill:#fff\n"
    )
    (graph,) = find_graphs(text)
    assert list(graph.edges()) == [("T0", "T1"), ("T0", "META-1"), ("T1", "T2"), ("T2", "T3"), ("T3", "T4")]
    first = next(graph.nodes())
    assert (first.id, first.label, first.quoted, first.style) == ("T0", "T0: Set up (first)", True, "done")
    for node in graph.nodes():
        assert text[slice(*node.span)].startswith(node.id)
        assert node.label_span is None or text[slice(*node.label_span)] == node.label
    assert [s.name for s in graph.statements if s.kind in (Kind.CLASS, Kind.STYLE)] == ["active", "fill:#fff"]


@pytest.mark.parametrize(
    "body",
    [
        "sequenceDiagram\n    A->>B: hello\n",
        "graph TD\n    T0 --> T1\n    linkStyle 0 stroke:red\n",
        "graph TD\n    T0 --> \n",
        "graph TD\n    T0 <--> T1\n",
        "graph TD\n    subgraph one\n    T0 --> T1\n",
        "graph TD\n    T0[T0: a]] --> T1\n",
        "T0 --> T1\n",
    ],
)
def test_what_is_not_understood_to_the_last_line_is_no_graph(body: str) -> None:
    """Another kind of diagram, styles by number, half an edge, arrows both ways, a subgraph without an end."""
    assert find_graphs(_graph(body)) == []


def test_a_graph_in_another_fence_is_an_example() -> None:
    """As in a document that shows how to draw one."""
    assert find_graphs("````\n```mermaid\ngraph TD\n    T0 --> T1\n```\n````\n") == []
