"""Lines that name a changed file: written like their neighbours, edited, split, removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from parser.document import At, Document
from parser.kinds.entries import block_end
from parser.kinds.modifications import FileLine, read_line
from schema.records import Reading, Span, Table, Value
from writer.changes import Insert, Remove, SetFields
from writer.edits import Edit, Plan
from writer.kinds.entry_layout import outward
from writer.places import line_end, line_start, newline

Candidate = list[Edit]


class LineStyle(Struct, frozen=True):
    """How a document writes such a line: what stands before the verb, behind it, and before the description."""

    before: str = "- "
    behind: str = " "
    dash: str = " - "

    def line(self, values: Mapping[str, Value]) -> str:
        """The line that shows ``values``."""
        said = values.get("description")
        path = values.get("file_path") or ""
        return f"{self.before}{values.get('action') or ''}{self.behind}`{path}`" + (
            f"{self.dash}{said}" if said else ""
        )


class Shown(Struct, frozen=True):
    """A line as it stands: offsets of its start, its end and the end of its nested lines, and what was read."""

    start: int
    end: int
    block: int
    text: str
    line: FileLine


def shown(text: str, reading: Reading) -> Shown:
    """The line of the section ``text`` in which ``reading`` stands."""
    start = line_start(text, reading.fields["action"].span.start)
    end = line_end(text, start)
    line = read_line(text[start:end])
    assert line is not None  # it was read from there
    return Shown(start, end, block_end(text, end), text[start:end], line)


def style_of(line: str, read: FileLine) -> LineStyle:
    """The style of a line, without what only that line has: icons, check boxes, notes."""
    before = re.match(r"( {0,3}[-*+][ \t]+)", line)
    prefix = (before[1] if before else "- ") + _decoration(line[: read.action_span.start])
    behind = line[read.action_span.end : read.paths[0].outer.start]
    if not re.fullmatch(r"\]?:?(?:\*\*)?:?[ \t]+", behind) or ("]" in behind) != ("[" in prefix):
        prefix, behind = before[1] if before else "- ", " "
    dash = " - "
    if read.description is not None:
        found = line[read.paths[-1].outer.end : read.description_span.start]
        dash = found if re.fullmatch(r"[ ]?[-–—]+[ ]|:[ ]", found) else " - "
    return LineStyle(prefix, behind, dash)


def _decoration(before: str) -> str:
    return "[" if before.endswith("[") else "**" if before.endswith("**") else ""


class Styles:
    """How the lines of a document are written that name a file and say what was done."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._sections = [
            n for n, s in enumerate(document.sections) if any(r.table is Table.MODIFICATIONS for r in s.readings)
        ]
        self._known: dict[int, LineStyle | None] = {}

    def near(self, section: int) -> LineStyle:
        """The style of the nearest such line: in that section, else before it, else behind it."""
        if section in self._known and (style := self._known[section]):
            return style
        without: set[int] = set()
        for number in outward(self._sections, section):
            style = self._of(self._sections[number])
            if style is not None:
                break
            without.add(self._sections[number])
        else:
            style = LineStyle()
        if without:
            self._sections = [n for n in self._sections if n not in without]
        self._known[section] = style
        return style

    def _of(self, number: int) -> LineStyle | None:
        section = self._document.sections[number]
        for reading in reversed(section.readings):
            if reading.table is Table.MODIFICATIONS:
                found = shown(section.text, reading)
                if found.line.description is not None:
                    return style_of(found.text, found.line)
        return None


def style_near(document: Document, section: int) -> LineStyle:
    """The style of the nearest line that names a file and says what was done."""
    return Styles(document).near(section)


def of_entry(document: Document, parent: At) -> list[At]:
    """The addresses of the file lines that belong to the entry at ``parent``."""
    found: list[At] = []
    for number in range(parent.section, len(document.sections)):
        first = parent.reading + 1 if number == parent.section else 0
        for index, reading in list(enumerate(document.sections[number].readings))[first:]:
            if reading.table is Table.ENTRIES:
                return found
            if reading.table is Table.MODIFICATIONS:
                found.append(At(number, index))
    return found


def insert(document: Document, change: Insert) -> Iterator[Candidate]:
    """A new line behind the last one of its entry, else below the entry's own line."""
    if change.parent is None or not _writable(change):
        return
    spot = _spot(document, change.parent, Styles(document))
    for style in dict.fromkeys([spot.style, LineStyle()]):
        block = (spot.lead + with_below(style.line(change.values), change)).replace("\n", newline(document))
        yield [Edit(spot.section, Span(spot.offset, spot.offset), block)]


def insert_all(document: Document, changes: Sequence[Insert]) -> Plan:
    """New lines of several entries, those of one entry in the order given."""
    edits, without, styles, opened = [], set(), Styles(document), set[At]()
    spots: dict[At, _Spot] = {}
    for number, change in enumerate(changes):
        if change.parent is None or not _writable(change):
            without.add(number)
            continue
        if change.parent not in spots:
            spots[change.parent] = _spot(document, change.parent, styles)
        spot = spots[change.parent]
        lead = "\n" if change.parent in opened else spot.lead
        opened.add(change.parent)
        block = (lead + with_below(spot.style.line(change.values), change)).replace("\n", newline(document))
        edits.append(Edit(spot.section, Span(spot.offset, spot.offset), block))
    return Plan(edits, frozenset(without))


def with_below(line: str, change: Insert, number: int = 0) -> str:
    """The line of ``change``, or of its child ``number``, with the lines that go along below it."""
    return "\n".join((line, *(below for below in change.below[number : number + 1] if below)))


def _writable(change: Insert) -> bool:
    return not any("\n" in str(value) for value in change.values.values())


class _Spot(Struct, frozen=True):
    """Where the next line of an entry goes, what stands before it there, and how it is written."""

    section: int
    offset: int
    lead: str
    style: LineStyle


def _spot(document: Document, parent: At, styles: Styles) -> _Spot:
    siblings = of_entry(document, parent)
    if not siblings:
        return _first_spot(document, parent, styles)
    at = siblings[-1]
    text = document.sections[at.section].text
    near = shown(text, document.at(at))
    style = styles.near(at.section) if near.line.description is None else style_of(near.text, near.line)
    return _Spot(at.section, near.start + len(text[near.start : near.block].rstrip("\r\n")), "\n", style)


def _first_spot(document: Document, parent: At, styles: Styles) -> _Spot:
    """The first line of an entry: below its heading, or behind the prose that stands there."""
    text, reading = document.sections[parent.section].text, document.at(parent)
    head = line_end(text, reading.span.start)
    content = reading.span.start + len(text[reading.span.start : reading.span.end].rstrip())
    end = max(head, line_end(text, content)) if content > head else head
    last = text[line_start(text, end) : end]
    lead = "\n" if end == head or re.match(r"\s*[-*+] ", last) else "\n\n"
    return _Spot(parent.section, end, lead, styles.near(parent.section))


def set_fields(document: Document, change: SetFields) -> Iterator[Candidate]:
    """The values put into their line; into a line of its own where the line names several files."""
    reading, section = document.at(change.at), document.sections[change.at.section]
    if any("\n" in str(value) for value in change.values.values()):
        return
    found = shown(section.text, reading)
    number = next(n for n, p in enumerate(found.line.paths) if p.span.start + found.start == _start(reading))
    style = style_of(found.text, found.line)
    if found.line.description is None:
        style = style_near(document, change.at.section)
    yield _edits(change, reading, found, number, style)
    if len(found.line.paths) > 1:
        yield [_split(document, change, found, number, style)]
        return
    values = {name: field.value for name, field in reading.fields.items()}
    for plain in (style, LineStyle()):
        span = Span(found.start, found.end)
        yield [Edit(change.at.section, span, plain.line({**values, **change.values}))]


def _start(reading: Reading) -> int:
    return reading.fields["file_path"].span.start


def _edits(change: SetFields, reading: Reading, found: Shown, number: int, style: LineStyle) -> Candidate:
    edits = []
    for name, value in change.values.items():
        if reading.value(name) == value:
            continue
        span, new = reading.fields[name].span, str(value or "")
        if name == "file_path" and found.text[found.line.paths[number].outer.start] != "`":
            outer = found.line.paths[number].outer
            span, new = Span(found.start + outer.start, found.start + outer.end), f"`{new}`"
        if name == "description":
            last = found.start + found.line.paths[-1].outer.end
            if value is None:
                span = Span(last, span.end)
            elif reading.value(name) is None:
                span, new = Span(last, found.end), style.dash + new
        edits.append(Edit(change.at.section, span, new))
    return edits


def _split(document: Document, change: SetFields, found: Shown, number: int, style: LineStyle) -> Edit:
    """The line cut in up to three, so that one of its files has a line of its own."""
    line, paths = found.line, found.line.paths
    opening = found.text[: line.action_span.start]
    behind = found.text[line.action_span.end : paths[0].outer.start]
    rest = found.text[paths[-1].outer.end :]

    def joined(first: int, last: int) -> str:
        return f"{opening}{line.action}{behind}{found.text[paths[first].outer.start : paths[last].outer.end]}{rest}"

    values: dict[str, Value] = {"action": line.action, "file_path": paths[number].text, "description": line.description}
    own = LineStyle(opening, behind, style.dash).line({**values, **change.values})
    lines = [joined(0, number - 1)] if number else []
    lines.append(own)
    if number + 1 < len(paths):
        lines.append(joined(number + 1, len(paths) - 1))
    return Edit(change.at.section, Span(found.start, found.end), newline(document).join(lines))


def remove(document: Document, change: Remove) -> Iterator[Candidate]:
    """The line with what is nested below it, or only the path of one that names several."""
    section, reading = document.sections[change.at.section], document.at(change.at)
    found = shown(section.text, reading)
    if len(found.line.paths) > 1:
        yield [Edit(change.at.section, reading.span, "")]
        return
    start, end = found.start, found.block
    if end == len(section.text) and not section.text.endswith("\n") and start > 0:
        start -= 2 if section.text.startswith("\r\n", start - 2) else 1
        yield [Edit(change.at.section, Span(start, end), "")]
    yield [Edit(change.at.section, Span(found.start, end), "")]
