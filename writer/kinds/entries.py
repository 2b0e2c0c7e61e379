"""Edit entries in histories and chunks: put in where they belong, changed in their own line, moved, removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from parser.document import At, Document
from parser.kinds.entry_heads import read_day
from schema.records import Reading, Span, Table, Value
from writer.changes import Insert, Remove, SetFields
from writer.edits import Edit
from writer.kinds import modifications
from writer.kinds.entry_heads import NAMES, Head, changed, like, take_apart
from writer.kinds.entry_places import Entry, Layout, Spot, blanks_below, spots
from writer.places import line_end, newline

Candidate = list[Edit]


def insert(document: Document, change: Insert) -> Iterator[Candidate]:
    """A new entry with its lines, or a new line of an entry."""
    if change.table is Table.MODIFICATIONS:
        yield from modifications.insert(document, change)
        return
    values = {name: change.values.get(name) for name in NAMES}
    if values["date"] is not None and read_day(str(values["date"])) != values["date"]:
        return
    rows = [*change.children, values]
    if change.table is not Table.ENTRIES or any("\n" in str(v) or "\r" in str(v) for row in rows for v in row.values()):
        return
    layout = Layout(document)
    for spot in spots(layout, _text(values["date"]), _text(values["time"])):
        blanks = blanks_below(layout, layout.starts[spot.section] + spot.offset)
        for style in dict.fromkeys([modifications.style_near(document, spot.section), modifications.LineStyle()]):
            block = like(spot.like, values, spot.dated or _alone(values)).join()
            if change.children:
                block += "\n" * (blanks + 1) + "\n".join(style.line(row) for row in change.children)
            yield [_put(document, spot, block)]


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) and value else None


def _alone(values: Mapping[str, Value]) -> bool:
    """Whether an entry without a time has to show its date itself, as no task ids open its line."""
    return values["time"] is None and values["task_id"] is None


def _put(document: Document, spot: Spot, block: str) -> Edit:
    text = (spot.before + block + spot.after).replace("\n", newline(document))
    return Edit(spot.section, Span(spot.offset, spot.offset), text)


def set_fields(document: Document, change: SetFields) -> Iterator[Candidate]:
    """New values in the entry's own line; a date that comes from a heading is changed by moving the entry."""
    reading = document.at(change.at)
    if reading.table is Table.MODIFICATIONS:
        yield from modifications.set_fields(document, change)
        return
    values = {name: value for name, value in change.values.items() if reading.value(name) != value}
    if reading.table is not Table.ENTRIES or any("\n" in str(value) for value in values.values()):
        return
    section = document.sections[change.at.section]
    start, end = reading.span.start, line_end(section.text, reading.span.start)
    head = take_apart(section.text[start:end])
    if head is None:
        return
    if "date" in values and "date" not in reading.fields:
        yield from _moved(document, change.at, head, values)
    new = changed(head, values).join()
    yield [_smallest(change.at.section, start, section.text[start:end], new)]


def _smallest(section: int, start: int, old: str, new: str) -> Edit:
    """The edit that turns ``old`` into ``new`` and touches no more than what differs."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Edit(section, Span(start + head, start + len(old) - tail), new[head : len(new) - tail])


def _moved(document: Document, at: At, head: Head, values: Mapping[str, Value]) -> Iterator[Candidate]:
    """The entry taken out and put where an entry of its new date goes, with its lines as they are."""
    layout = Layout(document)
    entry = next(entry for entry in layout.entries if entry.at == at)
    block = layout.text[entry.start : entry.end].rstrip()
    line = line_end(block, 0)
    time = values.get("time", entry.reading.value("time"))
    rest = {name: value for name, value in values.items() if name != "date"}
    for spot in spots(layout, _text(values["date"]), _text(time)):
        where = layout.starts[spot.section] + spot.offset
        if entry.start <= where < entry.end:
            continue
        first = changed(head, values if spot.dated else rest).join()
        put = _put(document, spot, (first + block[line:]).replace("\r\n", "\n"))
        yield [*_cut(layout, entry), put]


def remove(document: Document, change: Remove) -> Iterator[Candidate]:
    """The block of an entry with all that stands below it; the date heading above stays."""
    reading: Reading = document.at(change.at)
    if reading.table is Table.MODIFICATIONS:
        yield from modifications.remove(document, change)
        return
    if reading.table is not Table.ENTRIES or not reading.fields:
        return
    layout = Layout(document)
    entry = next(entry for entry in layout.entries if entry.at == change.at)
    yield _cut(layout, entry)
    if entry.head is not None and entry.head.date and entry.line.startswith("#"):
        yield from _date_left(document, change.at, entry)


def _date_left(document: Document, at: At, entry: Entry) -> Iterator[Candidate]:
    """The entry taken out with its date left standing, for the entries below that have it from there."""
    head = entry.head
    assert head is not None
    section = document.sections[at.section]
    heading = Head(head.opening, date=head.date, closing=head.closing).join()
    line, end = len(entry.line), entry.reading.span.end
    lines = section.text[line:end].rstrip()
    edits = [Edit(at.section, Span(0, line), heading)]
    if lines:
        start = line + len(lines) - len(lines.lstrip("\r\n"))
        edits.append(Edit(at.section, Span(start, min(line + len(lines) + len(newline(document)), end)), ""))
    yield edits


def _cut(layout: Layout, entry: Entry) -> Candidate:
    """The edits that take an entry out; the empty lines before the last one of a document go with it."""
    start, end = entry.start, entry.end
    if not layout.text[end:].strip():
        kept = layout.text[:start].rstrip()
        last = line_end(layout.text, len(kept))
        if layout.text.endswith("\n") and kept:
            last += len(newline(layout.document))
        start, end = min(last, start), len(layout.text)
    edits = []
    for number, offset in enumerate(layout.starts):
        length = len(layout.document.sections[number].text)
        first, last = max(start - offset, 0), min(end - offset, length)
        if first < last:
            edits.append(Edit(number, Span(first, last), ""))
    return edits
