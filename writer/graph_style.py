"""How a graph of tasks is written: which node is which task, its labels, its arrows, the direction of its edges."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from parser.graphs import Graph, Kind, Node, Statement
from parser.kinds import TASK_ID
from parser.values import ICON
from schema.patterns import pattern
from schema.records import Value

Values = Mapping[str, Value]

_LABEL = pattern(
    rf"(?P<lead>(?:{ICON}[ \t]*)?)"
    rf"(?:(?P<id>{TASK_ID})(?![\w-])(?P<glue>[ \t]*(?:[:–—-]|<br[ \t]*/?>|\\n)[ \t]*|[ \t]+))?"
    rf"(?P<words>.*?)(?P<tail>(?:(?:[ \t]*<br[ \t]*/?>|[ \t]*\\n)?[ \t]*{ICON})?)[ \t]*"
)
_UNSAFE = pattern(r"[\[\](){}<>\"|;#`\\]")


class Label(NamedTuple):
    """The parts of a label: a sign before, the task's id and what stands behind it, the words, a sign behind."""

    lead: str
    id: str
    glue: str
    words: str
    tail: str

    def text(self) -> str:
        """The label again."""
        return "".join(self)


def label_of(node: Node) -> Label | None:
    """The parts of a node's label, None for a node that has none."""
    match = _LABEL.fullmatch(node.label) if node.label is not None else None
    return Label(*(match[name] or "" for name in Label._fields)) if match else None


def task_nodes(graph: Graph, tasks: Collection[str]) -> dict[str, str]:
    """The task of each node that shows one, by the node's id: the id itself, else the id that its label begins with."""
    found: dict[str, str] = {}
    for node in graph.nodes():
        if node.id in tasks:
            found[node.id] = node.id
        elif node.id not in found and (label := label_of(node)) is not None and label.id in tasks:
            found[node.id] = label.id
    return found


def is_of_tasks(graph: Graph, tasks: Collection[str]) -> bool:
    """Whether most nodes of a graph are tasks."""
    nodes = {node.id for node in graph.nodes()}
    return bool(nodes) and 2 * len(task_nodes(graph, tasks)) > len(nodes)


def node_of(graph: Graph, task: str, tasks: Collection[str]) -> str | None:
    """The id of the node that shows ``task``."""
    return next((node for node, shown in task_nodes(graph, {*tasks, task}).items() if shown == task), None)


def declarations(graph: Graph) -> Iterator[tuple[Statement, Node]]:
    """The lines that name one node and nothing else."""
    for statement in graph.statements:
        if statement.kind is Kind.EDGES and not statement.links and len(statement.groups[0]) == 1:
            yield statement, statement.groups[0][0]


def labelled(graph: Graph) -> Iterator[tuple[Node, Label]]:
    """Every node with a label, where it has it."""
    for node in graph.nodes():
        label = label_of(node)
        if label is not None:
            yield node, label


def points_at_dependency(graph: Graph, tasks: Mapping[str, Values]) -> bool:
    """Whether edges go from a task to what it needs. In most graphs they go from what is needed to what needs it."""
    shown = task_nodes(graph, tasks)
    with_flow = against = 0
    for left, right in graph.edges():
        a, b = shown.get(left, left), shown.get(right, right)
        with_flow += a in (tasks.get(b, {}).get("dependencies") or ())
        against += b in (tasks.get(a, {}).get("dependencies") or ())
    return against > with_flow


def usual_arrow(graph: Graph) -> tuple[str, str, str]:
    """An arrow with the space before and behind it, as most edges of one line between two nodes have it."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for statement in graph.statements:
        if len(statement.links) != 1 or "|" in statement.links[0] or " " in statement.links[0]:
            continue
        left, right = statement.groups[0][-1].span.end, statement.groups[1][0].span.start
        between = statement.line.text[left - statement.line.start : right - statement.line.start]
        before = between[: len(between) - len(between.lstrip(" \t"))]
        seen[before, statement.links[0], between[len(before) + len(statement.links[0]) :]] += 1
    return seen.most_common(1)[0][0] if seen else (" ", "-->", " ")


def indentation(statement: Statement) -> str:
    """What stands before the first word of a line."""
    text = statement.line.text
    return text[: len(text) - len(text.lstrip(" \t"))]


def ending(statement: Statement) -> str:
    """The ``;`` that ends a line, if it has one."""
    text = statement.line.text.rstrip()
    return ";" if text.endswith(";") and statement.kind is not Kind.ASIDE else ""


def node_text(graph: Graph, node: str, task: str, title: Value) -> str:
    """A node with its label, shaped and worded as most nodes of the graph are; its id alone where none has a label."""
    forms = Counter((n.opening, n.closing, n.quoted, bool(one.id), one.glue) for n, one in labelled(graph))
    if not forms or not isinstance(title, str) or not title.strip() or "\n" in title or "\r" in title:
        return node
    opening, closing, quoted, named, glue = forms.most_common(1)[0][0]
    label = f"{task}{glue or ': '}{title}" if named else title
    return f"{node}{opening}{safe(label, quoted)}{closing}"


def safe(label: str, quoted: bool) -> str:
    """``label`` as it stands between brackets: in quotes where it has to be, or where the others are."""
    breaks = re.sub(r"<br[ \t]*/?>", "", label)
    if not quoted and not _UNSAFE.search(breaks):
        return label
    return '"' + label.replace("#", "#35;").replace('"', "#quot;") + '"'


def plain(words: str) -> str:
    """The words of a label as they are read."""
    return words.replace("#quot;", '"').replace("#35;", "#")
