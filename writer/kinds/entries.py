"""Edit entries in histories and chunks: put in where they belong, changed in their own line, moved, removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from msgspec.structs import replace

from parser.document import At, Document
from parser.kinds.entry_heads import read_day
from schema.records import Reading, Span, Table, Value
from writer.changes import Insert, Remove, SetFields
from writer.edits import Edit, Plan
from writer.kinds import modifications
from writer.kinds.entry_heads import NAMES, Head, changed, like, take_apart
from writer.kinds.entry_layout import Entry, Layout
from writer.kinds.entry_places import Spot, blanks_below, gap, spots
from writer.kinds.modifications import LineStyle, Styles
from writer.places import line_end, newline

Candidate = list[Edit]


def insert(document: Document, change: Insert) -> Iterator[Candidate]:
    """A new entry with its lines, or a new line of an entry."""
    if change.table is Table.MODIFICATIONS:
        yield from modifications.insert(document, change)
        return
    if not _writable(change):
        return
    layout, styles = Layout(document), Styles(document)
    for spot in spots(layout, _text(change.values.get("date")), _text(change.values.get("time"))):
        for style in dict.fromkeys([styles.near(spot.section), LineStyle()]):
            yield [_put(document, spot, _block(layout, spot, style, change))]


def _writable(change: Insert) -> bool:
    """Whether an entry can be written at all: its day is one, and no value has a line break."""
    values = {name: change.values.get(name) for name in NAMES}
    if change.table is not Table.ENTRIES or (
        values["date"] is not None and read_day(str(values["date"])) != values["date"]
    ):
        return False
    return not any("\n" in str(v) or "\r" in str(v) for row in [*change.children, values] for v in row.values())


def _block(layout: Layout, spot: Spot, style: LineStyle, change: Insert) -> str:
    """The text of an entry with its lines."""
    values = {name: change.values.get(name) for name in NAMES}
    block = like(spot.like, values, spot.dated or _alone(values)).join()
    if change.children:
        blanks = blanks_below(layout, layout.starts[spot.section] + spot.offset)
        lines = (modifications.with_below(style.line(row), change, n) for n, row in enumerate(change.children))
        block += "\n" * (blanks + 1) + "\n".join(lines)
    return block


def insert_all(document: Document, changes: Sequence[Insert]) -> Plan:
    """New entries, each in its best place; a day that has no heading yet gets one with all its entries below it.

    Of those for a document without entries one has to be there first: the others are written like it.
    """
    if changes[0].table is Table.MODIFICATIONS:
        return modifications.insert_all(document, changes)
    layout, styles = Layout(document), Styles(document)
    days: dict[str | None, list[int]] = {}
    for number, change in enumerate(changes if layout.entries else ()):
        if _writable(change):
            days.setdefault(_text(change.values.get("date")), []).append(number)
    edits: list[Edit] = []
    opened: list[Edit] = []
    made: set[int] = set()
    for day in sorted(days, key=lambda day: day or "", reverse=layout.newest_first):
        first = next(spots(layout, day, ""), None)
        if first is None:
            continue
        group = _in_order(layout, day, [changes[number] for number in days[day]])
        made.update(days[day])
        if first.opens:
            opened.append(_opened(layout, first, styles.near(first.section), group))
            continue
        for change in group:
            spot = next(spots(layout, day, _text(change.values.get("time"))), first)
            edits.append(_put(document, spot, _block(layout, spot, styles.near(spot.section), change)))
    return Plan([*edits, *opened], frozenset(range(len(changes))) - made)


def _in_order(layout: Layout, day: str | None, group: Sequence[Insert]) -> list[Insert]:
    """Entries of one day as they come to stand: by time, those without a date the last given first."""
    if day is None:
        return list(reversed(group))
    return sorted(group, key=lambda change: _text(change.values.get("time")) or "", reverse=layout.newest_first)


def _opened(layout: Layout, spot: Spot, style: LineStyle, group: Sequence[Insert]) -> Edit:
    """Entries below a new date heading."""
    between = "\n" * (gap(layout, layout.starts[spot.section] + spot.offset) + 1)
    return _put(layout.document, spot, between.join(_block(layout, spot, style, change) for change in group))


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) and value else None


def _alone(values: Mapping[str, Value]) -> bool:
    """Whether an entry without a time has to show its date itself, as no task ids open its line."""
    return values["time"] is None and values["task_id"] is None


def _put(document: Document, spot: Spot, block: str) -> Edit:
    text = (spot.before + block + spot.after).replace("\n", newline(document))
    return Edit(spot.section, Span(spot.offset, spot.offset), text)


def set_all(document: Document, changes: Sequence[SetFields]) -> Plan:
    """The first way for each change; what stands around the entries that move is looked at once."""
    from writer.kinds import set_fields as replaced

    merged: dict[At, SetFields] = {}
    for change in changes:
        first = merged.get(change.at)
        merged[change.at] = replace(first, values={**first.values, **change.values}) if first else change
    moves = {at: change for at, change in merged.items() if _moves(document, change)}
    edits = _all_moved(Layout(document), list(moves.values())) if moves else []
    for at, change in merged.items():
        if at not in moves:
            edits += next(chain(set_fields(document, change), replaced(document, change)), [])
    return Plan(edits)


def _moves(document: Document, change: SetFields) -> bool:
    """Whether an entry gets another date that its own line does not show."""
    reading = document.at(change.at)
    changes = "date" in change.values and change.values["date"] != reading.value("date")
    return changes and reading.table is Table.ENTRIES and "date" not in reading.fields


def _all_moved(layout: Layout, changes: Sequence[SetFields]) -> list[Edit]:
    """Entries moved to other days. Those of one day that has no heading yet come to stand below one."""
    edits: list[Edit] = []
    cuts: list[tuple[int, int]] = []
    opened: dict[str, tuple[Spot, list[str]]] = {}
    in_order = sorted(changes, key=lambda c: _moment_of(layout.document, c), reverse=layout.newest_first)
    for change in in_order:
        way = next(_ways(layout, change), None)
        if way is None:
            continue
        stretch, spot, block = way
        cuts.append(stretch)
        if spot.opens:
            opened.setdefault(str(change.values["date"]), (spot, []))[1].append(block)
        else:
            edits.append(_put(layout.document, spot, block))
    for spot, blocks in opened.values():
        between = "\n" * (gap(layout, layout.starts[spot.section] + spot.offset) + 1)
        edits.append(_put(layout.document, spot, between.join(blocks)))
    end = 0
    for first, last in sorted(cuts):  # the empty lines between two of them may belong to both
        edits += _deletion(layout, max(first, end), last)
        end = max(end, last)
    return edits


def _moment_of(document: Document, change: SetFields) -> tuple[str, str]:
    """When the entry of ``change`` was, after it."""
    time = change.values.get("time", document.at(change.at).value("time"))
    return _text(change.values["date"]) or "", _text(time) or ""


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
    if _moves(document, change):
        layout = Layout(document)
        for (first, last), spot, block in _ways(layout, change):
            yield [*_deletion(layout, first, last), _put(document, spot, block)]
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


def remove_all(document: Document, changes: Sequence[Remove]) -> Plan:
    """Entries and lines taken out, each as if it were the last one that is."""
    edits: list[Edit] = []
    asked = {change.at for change in changes}
    lines = [change for change in changes if document.at(change.at).table is Table.MODIFICATIONS]
    for change in lines:
        edits += next(modifications.remove(document, change), [])
    layout = Layout(document)
    tail = len(layout.text)
    for entry in reversed(layout.entries):
        if entry.at in asked and entry.reading.fields:
            cut, tail = _cut(layout, entry, tail)
            edits += cut
    return Plan(edits)


def _ways(layout: Layout, change: SetFields) -> Iterator[tuple[tuple[int, int], Spot, str]]:
    """Ways to move an entry: the stretch to take out, where one of its new date goes, and its text with its lines."""
    entry = layout.by_address[change.at]
    values = {name: value for name, value in change.values.items() if entry.reading.value(name) != value}
    block = layout.text[entry.start : entry.end].rstrip()
    line = line_end(block, 0)
    head = take_apart(block[:line])
    if head is None or any("\n" in str(value) for value in values.values()):
        return
    time = values.get("time", entry.reading.value("time"))
    rest = {name: value for name, value in values.items() if name != "date"}
    for spot in spots(layout, _text(values["date"]), _text(time)):
        where = layout.starts[spot.section] + spot.offset
        text = (changed(head, values if spot.dated else rest).join() + block[line:]).replace("\r\n", "\n")
        if not entry.start <= where < entry.end:
            yield _stretch(layout, entry, len(layout.text)), spot, text
        elif where > entry.start and (start := layout.content_end(entry.start)):
            yield (start, where), spot, text  # behind itself: it stays the last one, below a new date or with its own


def remove(document: Document, change: Remove) -> Iterator[Candidate]:
    """The block of an entry with all that stands below it; the date heading above stays."""
    reading: Reading = document.at(change.at)
    if reading.table is Table.MODIFICATIONS:
        yield from modifications.remove(document, change)
        return
    if reading.table is not Table.ENTRIES or not reading.fields:
        return
    layout = Layout(document)
    entry = layout.by_address[change.at]
    yield _cut(layout, entry, len(layout.text))[0]
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


def _cut(layout: Layout, entry: Entry, tail: int) -> tuple[Candidate, int]:
    """The edits that take an entry out of a text that is gone from ``tail`` on, and from where it is gone then."""
    start, end = _stretch(layout, entry, tail)
    return _deletion(layout, start, end), start if end == tail else tail


def _stretch(layout: Layout, entry: Entry, tail: int) -> tuple[int, int]:
    """What goes with an entry from a text that is gone from ``tail`` on: empty lines before the last one, too."""
    start, end = entry.start, entry.end
    if layout.words_from(end) >= tail:
        kept = layout.words_before(start)
        last = line_end(layout.text, kept)
        if layout.text.endswith("\n") and kept:
            last += len(newline(layout.document))
        start, end = min(last, start), tail
    return start, end


def _deletion(layout: Layout, start: int, end: int) -> Candidate:
    """The edits that take out what stands between two offsets of the text."""
    edits = []
    number, offset = layout.place(start)
    while start < end and number < len(layout.starts):
        length = len(layout.document.sections[number].text)
        last = min(end - layout.starts[number], length)
        if offset < last:
            edits.append(Edit(number, Span(offset, last), ""))
        if layout.starts[number] + length >= end:
            break
        number, offset = number + 1, 0
    return edits
