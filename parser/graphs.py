"""Mermaid flowcharts in a section: statements, nodes and edges, each where it stands.

Only what is understood as a whole counts: a graph with a line of another kind is none for `find_graphs`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from parser.lines import Line, lines
from schema.records import Span

_OPENING = re.compile(r"[ \t]*(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
_HEAD = re.compile(r"[ \t]*(?:graph|flowchart)(?:[ \t]+(?:TB|TD|BT|RL|LR))?[ \t]*;?[ \t]*$")
_ASIDE = re.compile(r"[ \t]*(?:$|%%|direction[ \t]|classDef[ \t]|click[ \t]|accTitle\b|accDescr\b)")
_OPENS = re.compile(r"[ \t]*subgraph(?:[ \t]|$)")
_CLOSES = re.compile(r"[ \t]*end[ \t]*;?[ \t]*$")
_CLASS = re.compile(
    r"[ \t]*class[ \t]+(?P<ids>[\w-]+(?:[ \t]*,[ \t]*[\w-]+)*)[ \t]+(?P<name>[\w-]+)(?P<tail>[ \t]*;?[ \t]*)$"
)
_STYLE = re.compile(r"[ \t]*style[ \t]+(?P<ids>[\w-]+)[ \t]+(?P<name>\S.*?)(?P<tail>[ \t]*;?[ \t]*)$")
_ID = re.compile(r"\w+(?:-\w+)*")
_WORDS = frozenset({"subgraph", "end", "class", "classDef", "style", "linkStyle", "click", "direction", "graph"})
_SHAPES = (
    ("(((", ")))"), ("((", "))"), ("([", "])"), ("[[", "]]"), ("[(", ")]"), ("{{", "}}"), ("[/", "/]"), ("[\\", "\\]"),
    ("[/", "\\]"), ("[\\", "/]"), ("[", "]"), ("(", ")"), ("{", "}"), (">", "]"),
)  # fmt: skip
_CLASSED = re.compile(r":::([\w-]+)")
_LINK = re.compile(
    r"(?:--|==|-\.)[ \t]+[^-=.|>\n]+?[ \t]+(?:--+|==+|\.+-)[>xo]?"  # first: its opening dashes are no link alone
    r"|(?:--+|==+|-\.+-)[>xo]?(?:\|[^|\n]*\|)?"
)
_SPACE = re.compile(r"[ \t]*")


class Kind(StrEnum):
    """What a line of a graph is."""

    EDGES = "edges"  # nodes, with links between them or alone
    CLASS = "class"  # a class for nodes
    STYLE = "style"  # a style for one node
    OPENS = "opens"  # a subgraph
    CLOSES = "closes"
    ASIDE = "aside"  # says nothing about a node or an edge that counts here


class Node(Struct, frozen=True):
    """A node as it is named at one place. ``label`` is the text between its brackets, without quotes."""

    id: str
    span: Span
    opening: str = ""
    closing: str = ""
    label: str | None = None
    label_span: Span | None = None
    quoted: bool = False
    style: str | None = None
    style_span: Span | None = None

    @property
    def bare(self) -> bool:
        """Whether nothing but its id stands here."""
        return self.label is None and self.style is None


class Statement(Struct, frozen=True):
    """One line. ``groups`` are the nodes between its links; ``name`` is the class or style that it gives."""

    kind: Kind
    line: Line
    depth: int
    groups: tuple[tuple[Node, ...], ...] = ()
    links: tuple[str, ...] = ()
    name: str = ""
    name_span: Span | None = None


class Graph(Struct, frozen=True):
    """A flowchart: its statements, without the line that begins it, and the offset of the end of that line."""

    statements: tuple[Statement, ...]
    head: Line

    def nodes(self) -> Iterator[Node]:
        """Every mention of a node in a line of nodes and edges."""
        for statement in self.statements:
            if statement.kind is Kind.EDGES:
                for group in statement.groups:
                    yield from group

    def edges(self) -> Iterator[tuple[str, str]]:
        """All edges, from and to."""
        for statement in self.statements:
            if statement.kind is Kind.EDGES:
                for left, right in zip(statement.groups, statement.groups[1:], strict=False):
                    yield from ((a.id, b.id) for a in left for b in right)


def find_graphs(text: str) -> list[Graph]:
    """The flowcharts of a section that are understood to the last line."""
    found: list[Graph] = []
    inside: list[Line] | None = None
    fence, mermaid = "", False
    for line in lines(text) if "mermaid" in text else ():
        if inside is None:
            opening = _OPENING.match(line.text)
            if opening:
                fence, inside = opening["fence"], []
                mermaid = opening["info"].strip().split(" ")[0] == "mermaid"
        elif line.text.strip().startswith(fence) and not line.text.strip().strip(fence[0]):
            graph = _graph(inside) if mermaid else None
            found += [graph] if graph is not None else []
            inside = None
        else:
            inside.append(line)
    return found


def _graph(held: list[Line]) -> Graph | None:
    head = next((number for number, line in enumerate(held) if line.text.strip()), None)
    if head is None or not _HEAD.match(held[head].text):
        return None
    statements: list[Statement] = []
    depth = 0
    for line in held[head + 1 :]:
        statement = _statement(line, depth)
        if statement is None:
            return None
        depth += {Kind.OPENS: 1, Kind.CLOSES: -1}.get(statement.kind, 0)
        statements.append(statement)
    return Graph(tuple(statements), held[head]) if depth == 0 else None


def _statement(line: Line, depth: int) -> Statement | None:
    for kind, pattern in ((Kind.ASIDE, _ASIDE), (Kind.OPENS, _OPENS), (Kind.CLOSES, _CLOSES)):
        if pattern.match(line.text):
            return Statement(kind, line, depth)
    for kind, pattern in ((Kind.CLASS, _CLASS), (Kind.STYLE, _STYLE)):
        if match := pattern.match(line.text):
            ids = _ID.finditer(line.text, match.start("ids"), match.end("ids"))
            nodes = tuple(Node(i[0], _moved(i.span(), line)) for i in ids)
            return Statement(kind, line, depth, (nodes,), (), match["name"], _moved(match.span("name"), line))
    return _edges(line, depth)


def _moved(span: tuple[int, int], line: Line) -> Span:
    return Span(span[0] + line.start, span[1] + line.start)


def _edges(line: Line, depth: int) -> Statement | None:
    groups: list[tuple[Node, ...]] = []
    links: list[str] = []
    position = _skip(line.text, 0)
    while True:
        group: list[Node] = []
        while True:
            read = _node(line, position)
            if read is None:
                return None
            group.append(read[0])
            position = _skip(line.text, read[1])
            if not line.text.startswith("&", position):
                break
            position = _skip(line.text, position + 1)
        groups.append(tuple(group))
        link = _LINK.match(line.text, position)
        if link is None:
            break
        links.append(link[0])
        position = _skip(line.text, link.end())
    rest = line.text[position:].strip()
    return Statement(Kind.EDGES, line, depth, tuple(groups), tuple(links)) if rest in ("", ";") else None


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _node(line: Line, position: int) -> tuple[Node, int] | None:
    """The node at ``position`` and the offset behind it."""
    text = line.text
    match = _ID.match(text, position)
    if match is None or match[0] in _WORDS:
        return None
    end, node = match.end(), Node(match[0], Span(0, 0))
    shape = _shape(text, end)
    if shape is not None:
        opening, closing, start, stop, end = shape
        quoted = stop - start > 1 and text[start] == text[stop - 1] == '"'
        if quoted:
            start, stop = start + 1, stop - 1
        label, span = text[start:stop], _moved((start, stop), line)
        node = replace(node, opening=opening, closing=closing, label=label, label_span=span, quoted=quoted)
    if classed := _CLASSED.match(text, end):
        node = replace(node, style=classed[1], style_span=_moved(classed.span(1), line))
        end = classed.end()
    return replace(node, span=_moved((position, end), line)), end


def _shape(text: str, position: int) -> tuple[str, str, int, int, int] | None:
    """Opening and closing brackets, the offsets of what they hold, and the offset behind them."""
    for opening, closing in _SHAPES:
        if not text.startswith(opening, position):
            continue
        start = position + len(opening)
        if text.startswith('"', start):
            stop = text.find('"', start + 1) + 1
            if stop and text.startswith(closing, stop):
                return opening, closing, start, stop, stop + len(closing)
            continue
        stop = text.find(closing, start)
        if stop > start:
            return opening, closing, start, stop, stop + len(closing)
    return None
