"""The graph of tasks that a document draws, and a list of their relations, brought along when tasks change. Pure.

A graph is drawn on, never drawn anew: a node for a new task, an edge for a new dependency, the words of a label where
they were the title, the sign, class or style that tells a status here. What its owner chose to leave out stays out, and
a graph that is not understood stays as it is. How each of these is written is learnt from the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from parser.document import Document, parse
from parser.graphs import Graph, Kind, Node, Statement, find_graphs
from schema.records import Span, Value
from writer import graph_marks, graph_style, relations
from writer.edits import Edit, apply_edits
from writer.lines import newline_of

Values = Mapping[str, Value]
Tasks = Mapping[str, Values]


class TaskChange(Struct, frozen=True):
    """A task before and after: its ``title``, ``status`` and ``dependencies``. None where there was or is no task."""

    id: str
    before: Values | None
    after: Values | None

    def value(self, name: str) -> tuple[Value, Value]:
        """A field before and after."""
        return ((self.before or {}).get(name), (self.after or {}).get(name))

    def dependencies(self) -> tuple[list[str], list[str]]:
        """Those that came and those that went."""
        old, new = ([str(i) for i in ids or ()] for ids in self.value("dependencies"))
        return [i for i in new if i not in old], [i for i in old if i not in new]


_Edits = Iterator[tuple[Span, str]]
_Step = Callable[[str, Graph, TaskChange, Tasks], _Edits]


def redraw(document: Document, changes: Sequence[TaskChange], tasks: Tasks) -> Document:
    """``document`` with its graphs of tasks, and its lists of their relations, brought along.

    ``tasks`` are all tasks as they were, by id. Where nothing is drawn of what changed, the document itself.
    """
    texts = [section.text for section in document.sections]
    for number, text in enumerate(texts):
        for index in range(len(find_graphs(text))):
            for change in changes:
                texts[number] = _drawn(texts[number], index, change, tasks)
        for change in changes:
            texts[number] = relations.listed(texts[number], change.id, change.before, change.after)
    text = "".join(texts)
    if text == document.text:
        return document
    after = parse(document.path, text, document)
    same = [(r.table, r.key, r.values()) for _, r in document.readings()] == [
        (r.table, r.key, r.values()) for _, r in after.readings()
    ]
    return after if same else document


def _drawn(text: str, index: int, change: TaskChange, tasks: Tasks) -> str:
    """``text`` with one of its graphs showing ``change``."""
    known = len(find_graphs(text))
    for step in _STEPS_GONE if change.after is None else _STEPS:
        graph = find_graphs(text)[index]
        if not graph_style.is_of_tasks(graph, tasks.keys() | {change.id}):
            return text
        edits = [Edit(0, span, new) for span, new in step(text, graph, change, tasks)]
        new = apply_edits([text], edits)[0]
        if len(find_graphs(new)) != known:
            return text  # it would not be understood any more
        text = new
    return text


def _node(graph: Graph, task: str, tasks: Tasks) -> str:
    """The node of a task; the one that it would get."""
    return graph_style.node_of(graph, task, tasks.keys()) or task


def _is_drawn(graph: Graph, node: str) -> bool:
    return any(n.id == node for n in graph.nodes())


# -- nodes -----------------------------------------------------------------------------------------------------------


def _with_task(text: str, graph: Graph, change: TaskChange, tasks: Tasks) -> _Edits:
    """A node for a new task, behind the last line that names one."""
    node = _node(graph, change.id, tasks)
    title = change.value("title")[1]
    if change.before is None and not any(n.id == node for n, _ in graph_style.labelled(graph)):
        yield from _declared(text, graph, node, change.id, title)


def _declared(text: str, graph: Graph, node: str, task: str, title: Value) -> _Edits:
    """The line that names a node, in a graph that has such lines."""
    lines = [s for s, n in graph_style.declarations(graph) if s.depth == 0 and n.label is not None]
    if lines:
        words = graph_style.node_text(graph, node, task, title)
        line = f"{graph_style.indentation(lines[-1])}{words}{graph_style.ending(lines[-1])}"
        yield Span(lines[-1].line.end, lines[-1].line.end), newline_of(text) + line


def _renamed(text: str, graph: Graph, change: TaskChange, tasks: Tasks) -> _Edits:
    """The new title where a label has the old one; other words are its owner's own."""
    old, new = change.value("title")
    node = _node(graph, change.id, tasks)
    if old == new or not isinstance(new, str) or not new.strip() or "\n" in new or "\r" in new:
        return
    for one, label in graph_style.labelled(graph):
        if one.id != node or graph_style.plain(label.words) != old or one.label_span is None:
            continue
        start, end = one.label_span
        if one.quoted:
            start, end = start - 1, end + 1
        yield Span(start, end), graph_style.safe(label._replace(words=new).text(), one.quoted)


def _without_task(text: str, graph: Graph, change: TaskChange, tasks: Tasks) -> _Edits:
    """Neither its node nor an edge that it has."""
    node = _node(graph, change.id, tasks)
    gone = {edge for edge in graph.edges() if node in edge}
    for statement in graph.statements:
        if statement.kind is not Kind.EDGES or not any(n.id == node for g in statement.groups for n in g):
            continue
        yield from _rewritten(text, graph, statement, gone, node)
    yield from graph_marks.without(text, graph, node)


# -- edges -----------------------------------------------------------------------------------------------------------


def _with_edges(text: str, graph: Graph, change: TaskChange, tasks: Tasks) -> _Edits:
    """An edge for each new dependency, behind the last one; its ends are named in a graph that names all its nodes."""
    turned = graph_style.points_at_dependency(graph, tasks)
    node = _node(graph, change.id, tasks)
    edges = [(_node(graph, need, tasks), node) for need in change.dependencies()[0]]
    edges = [(b, a) if turned else (a, b) for a, b in edges]
    drawn = set(graph.edges())
    new = [edge for edge in dict.fromkeys(edges) if edge not in drawn and edge[0] != edge[1]]
    if not new:
        return
    named = {n.id for n, _ in graph_style.labelled(graph)}
    if all(n.id in named for n in graph.nodes()):
        for end in dict.fromkeys(end for edge in new for end in edge):
            title = change.value("title")[1] if end == node else tasks.get(end, {}).get("title")
            if end not in named and title:
                yield from _declared(text, graph, end, end, title)
    lines = [s for s in graph.statements if s.kind is Kind.EDGES and s.depth == 0]
    last = next((s for s in reversed(lines) if s.links), lines[-1] if lines else None)
    before, arrow, behind = graph_style.usual_arrow(graph)
    offset = last.line.end if last else graph.head.end
    indent, end = (graph_style.indentation(last), graph_style.ending(last)) if last else ("    ", "")
    block = "".join(f"{newline_of(text)}{indent}{a}{before}{arrow}{behind}{b}{end}" for a, b in new)
    yield Span(offset, offset), block


def _without_edges(text: str, graph: Graph, change: TaskChange, tasks: Tasks) -> _Edits:
    """No edge for a dependency that is gone."""
    turned = graph_style.points_at_dependency(graph, tasks)
    node = _node(graph, change.id, tasks)
    edges = {(_node(graph, need, tasks), node) for need in change.dependencies()[1]}
    gone = {(b, a) for a, b in edges} if turned else edges
    for statement in graph.statements:
        if statement.kind is Kind.EDGES and gone & set(_pairs(statement)):
            yield from _rewritten(text, graph, statement, gone, None)


def _pairs(statement: Statement) -> Iterator[tuple[str, str]]:
    for left, right in zip(statement.groups, statement.groups[1:], strict=False):
        yield from ((a.id, b.id) for a in left for b in right)


def _rewritten(
    text: str, graph: Graph, statement: Statement, gone: set[tuple[str, str]], dropped: str | None
) -> _Edits:
    """A line without the edges ``gone``. A label that stands only there stays, but for that of the node ``dropped``."""
    indent, end = graph_style.indentation(statement), graph_style.ending(statement)
    kept = list(_kept(text, statement, gone, dropped))
    words = {n.id for n in graph.nodes() if not n.bare and n.span not in [m.span for g in statement.groups for m in g]}
    left = "\n".join(kept)
    for node in (n for group in statement.groups for n in group if not n.bare):
        if node.id not in (dropped, *words) and text[slice(*node.span)] not in left:
            kept.append(text[slice(*node.span)])
    if not kept:
        yield graph_marks.whole_line(text, statement), ""
        return
    lines = newline_of(text).join(f"{indent}{line}{end}" for line in kept)
    yield Span(statement.line.start, statement.line.end), lines


def _kept(text: str, statement: Statement, gone: set[tuple[str, str]], dropped: str | None) -> Iterator[str]:
    """The edges of a line that stay, in as few lines as their nodes allow."""
    whole, said = "", False  # a run of links that are as they were
    for number, (left, right) in enumerate(zip(statement.groups, statement.groups[1:], strict=False)):
        between = text[left[-1].span.end : right[0].span.start]
        if not any((a.id, b.id) in gone for a in left for b in right):
            start = whole if said else _group(text, left, number > 0)
            whole, said = f"{start}{between}{_group(text, right, False)}", True
            continue
        if said:
            yield whole
        whole, said = "", False
        yield from _rest(text, left, right, between, gone)
    if said:
        yield whole
    if not statement.links:
        nodes = [n for n in statement.groups[0] if n.id != dropped]
        if nodes:
            yield _group(text, nodes, False)


def _rest(
    text: str, left: Sequence[Node], right: Sequence[Node], between: str, gone: set[tuple[str, str]]
) -> Iterator[str]:
    """What stays of one link between groups: nodes with the same other ends in one line."""
    ends: dict[tuple[Node, ...], list[Node]] = {}
    for a in left:
        rest = tuple(b for b in right if (a.id, b.id) not in gone)
        if rest:
            ends.setdefault(rest, []).append(a)
    for rest, nodes in ends.items():
        yield f"{_group(text, nodes, False)}{between}{_group(text, rest, False)}"


def _group(text: str, nodes: Sequence[Node], bare: bool) -> str:
    return " & ".join(node.id if bare else text[slice(*node.span)] for node in nodes)


# -- marks -----------------------------------------------------------------------------------------------------------


def _told(mark: Callable[[str, Graph, graph_marks.Told, Tasks], _Edits]) -> _Step:
    """A step that tells the status of a task whose status changed, or of a new one."""

    def step(text: str, graph: Graph, change: TaskChange, tasks: Tasks) -> _Edits:
        old, new = change.value("status")
        node = _node(graph, change.id, tasks)
        if old != new and new is not None and _is_drawn(graph, node):
            yield from mark(text, graph, graph_marks.Told(change.id, node, old, new), tasks)

    return step


_STEPS_GONE: tuple[_Step, ...] = (_without_task,)
_STEPS: tuple[_Step, ...] = (
    _with_task, _renamed, _without_edges, _with_edges, _told(graph_marks.signs), _told(graph_marks.classes),
    _told(graph_marks.styles),
)  # fmt: skip
