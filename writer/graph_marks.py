"""How a graph tells the status of its tasks: a sign in the label, a class, a style. Learnt from its other nodes.

Where the graph does not tell, nothing is added; a status that it never told before is told only if it tells others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec import Struct

from parser.graphs import Graph, Kind, Statement
from parser.kinds.registry import heading_status
from parser.values import ICON, read_status, render_status
from schema.patterns import pattern
from schema.records import Span, Status, Value
from writer import graph_style
from writer.graph_style import Label
from writer.lines import newline_of

Values = Mapping[str, Value]
_CLASS_DEF = pattern(r"[ \t]*classDef[ \t]+(?P<name>[\w-]+)")
_SIGN = pattern(ICON)


class Told(Struct, frozen=True):
    """Whose status is told anew: a task, its node, its status before (None: it is new) and now."""

    task: str
    node: str
    before: Value
    now: Value


def signs(text: str, graph: Graph, told: Told, tasks: Mapping[str, Values]) -> Iterator[tuple[Span, str]]:
    """Edits that put the sign of the new status into the label."""
    shown = graph_style.task_nodes(graph, {*tasks, told.task})
    used: dict[Value, Counter[tuple[str, str]]] = {}
    for node, label in graph_style.labelled(graph):
        task = shown.get(node.id)
        if task is not None and task != told.task and (status := tasks.get(task, {}).get("status")) is not None:
            used.setdefault(status, Counter())[label.lead, label.tail] += 1
    forms = Counter({form: n for counter in used.values() for form, n in counter.items() if any(form)})
    own = next(((n, one) for n, one in graph_style.labelled(graph) if n.id == told.node), None)
    if own is None:
        return
    node, label = own
    if any((label.lead, label.tail)):
        forms[label.lead, label.tail] += 1
    if not forms or node.label_span is None:
        return
    lead, tail = _sign_of(told.now, used, forms)
    if _said((label.lead, label.tail)) != told.now and (lead, tail) != (label.lead, label.tail):
        yield node.label_span, Label(lead, label.id, label.glue, label.words, tail).text()


def _sign_of(
    status: Value, used: Mapping[Value, Counter[tuple[str, str]]], forms: Counter[tuple[str, str]]
) -> tuple[str, str]:
    """Sign before and sign behind a label: as nodes of that status have it, else, where others than the completed
    ones have one, the usual sign of the status."""
    if status in used:
        return used[status].most_common(1)[0][0]
    told = {_said(form) for form in forms}
    lead, tail = forms.most_common(1)[0][0]
    if told <= {Status.COMPLETED} and status != Status.COMPLETED:
        return "", ""
    swap = Status(str(status))
    return (_swapped(lead, swap), _swapped(tail, swap))


def _said(form: tuple[str, str]) -> Status | None:
    """The status that a sign before or behind a label tells."""
    match = _SIGN.search("".join(form))
    return read_status(match[0]) if match else None


def _swapped(sign: str, status: Status) -> str:
    return _SIGN.sub(lambda match: render_status(match[0], status), sign)


def class_status(name: str) -> Status | None:
    """The status that a class is named after: ``done``, ``inProgress``, ``completed``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name)
    return heading_status(words) or read_status(words)


def classes(text: str, graph: Graph, told: Told, tasks: Mapping[str, Values]) -> Iterator[tuple[Span, str]]:
    """Edits that give the node the class of its status: in a ``class`` line, or behind the node."""
    del tasks
    names = [match["name"] for s in graph.statements if (match := _CLASS_DEF.match(s.line.text))]
    lines = [s for s in graph.statements if s.kind is Kind.CLASS and class_status(s.name) is not None]
    behind = [n for n in graph.nodes() if n.style is not None and class_status(n.style) is not None]
    known = [*names, *(s.name for s in lines), *(n.style or "" for n in behind)]
    wanted = next((name for name in known if class_status(name) == told.now), None)
    own = [n for n in behind if n.id == told.node]
    for node in own:
        assert node.style_span is not None
        if class_status(node.style or "") != told.now:
            gone = Span(node.style_span.start - 3, node.style_span.end)
            yield (node.style_span, wanted) if wanted else (gone, "")
    held = [s for s in lines if any(n.id == told.node for n in s.groups[0])]
    stale = [s for s in held if class_status(s.name) != told.now]
    if wanted is None or own or len(held) > len(stale):
        yield from (edit for s in stale for edit in _off(text, s, told.node))
        return
    target = next((s for s in reversed(lines) if s.name == wanted), None)
    if target is not None:
        yield from (edit for s in stale for edit in _off(text, s, told.node))
        yield from _onto(text, target, told.node)
    elif stale and len(stale[-1].groups[0]) == 1 and stale[-1].name_span is not None:
        yield from (edit for s in stale[:-1] for edit in _off(text, s, told.node))
        yield stale[-1].name_span, wanted
    elif lines:
        yield from (edit for s in stale for edit in _off(text, s, told.node))
        model = lines[-1]
        line = f"{graph_style.indentation(model)}class {told.node} {wanted}{graph_style.ending(model)}"
        yield Span(model.line.end, model.line.end), newline_of(text) + line
    elif behind:
        named = next((n for _, n in graph_style.declarations(graph) if n.id == told.node), None)
        if named is not None:
            yield Span(named.span.end, named.span.end), f":::{wanted}"


def _onto(text: str, statement: Statement, node: str) -> Iterator[tuple[Span, str]]:
    """The node as one more of a ``class`` line."""
    ids = statement.groups[0]
    glue = text[ids[-2].span.end : ids[-1].span.start] if len(ids) > 1 else ","
    yield Span(ids[-1].span.end, ids[-1].span.end), glue + node


def _off(text: str, statement: Statement, node: str) -> Iterator[tuple[Span, str]]:
    """A line without the node; no line where it has no other."""
    ids = statement.groups[0]
    place = next((number for number, one in enumerate(ids) if one.id == node), None)
    if place is None:
        return
    if len(ids) == 1:
        yield whole_line(text, statement), ""
    elif place == 0:
        yield Span(ids[0].span.start, ids[1].span.start), ""
    else:
        yield Span(ids[place - 1].span.end, ids[place].span.end), ""


def styles(text: str, graph: Graph, told: Told, tasks: Mapping[str, Values]) -> Iterator[tuple[Span, str]]:
    """Edits that give the node the style of its status, where all others that have the style have one status."""
    shown = graph_style.task_nodes(graph, {*tasks, told.task})
    lines = [s for s in graph.statements if s.kind is Kind.STYLE]
    meant: dict[str, set[Value]] = {}
    for s in lines:
        node = s.groups[0][0].id
        if node != told.node:
            meant.setdefault(s.name, set()).add(tasks.get(shown.get(node, ""), {}).get("status"))
    of_status = {next(iter(found)): name for name, found in meant.items() if len(found) == 1 and None not in found}
    styled = {s.groups[0][0].id for s in lines}
    nodes = {n for n, task in shown.items() if n != told.node and tasks.get(task, {}).get("status") == told.now}
    wanted = of_status.get(told.now) if nodes <= styled else None
    own = next((s for s in lines if s.groups[0][0].id == told.node), None)
    if own is None and wanted is not None:
        indent, end = graph_style.indentation(lines[-1]), graph_style.ending(lines[-1])
        line = f"{indent}style {told.node} {wanted}{end}"
        yield Span(lines[-1].line.end, lines[-1].line.end), newline_of(text) + line
    elif own is not None and own.name_span is not None and own.name != wanted:
        if wanted is not None:
            yield own.name_span, wanted
        elif len(meant.get(own.name, ())) == 1 and told.now not in meant[own.name]:
            yield whole_line(text, own), ""


def without(text: str, graph: Graph, node: str) -> Iterator[tuple[Span, str]]:
    """Edits that take a node out of the lines that only say how it looks."""
    for statement in graph.statements:
        if statement.kind in (Kind.CLASS, Kind.STYLE):
            yield from _off(text, statement, node)
        elif statement.kind is Kind.ASIDE and re.match(
            rf"[ \t]*click[ \t]+{re.escape(node)}(?![\w-])", statement.line.text
        ):
            yield whole_line(text, statement), ""


def whole_line(text: str, statement: Statement) -> Span:
    """A line with the line break behind it."""
    end = text.find("\n", statement.line.end)
    return Span(statement.line.start, len(text) if end < 0 else end + 1)
