"""Where a new entry goes in a history, and how its surroundings are written there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from parser.document import At, Document
from parser.kinds.entries import State
from parser.kinds.entry_heads import date_of_heading
from parser.values import read_moment, render
from schema.records import Place, Reading, Table
from writer.kinds.entry_heads import Head, take_apart
from writer.places import line_end

_CANONICAL = Head("#### ")


class Spot(NamedTuple):
    """A place: offset in a section, text to put before and behind the entry, and the entry to write like.

    ``dated``: the entry has to show its date itself.
    """

    section: int
    offset: int
    before: str
    after: str
    like: Head
    dated: bool = False


class Entry(NamedTuple):
    """An entry that is there: its address, where it starts and ends in the whole text, when it was."""

    at: At
    start: int
    end: int
    reading: Reading
    line: str

    @property
    def head(self) -> Head | None:
        return take_apart(self.line)

    @property
    def has_line(self) -> bool:
        """Whether it has a line of its own; else its surroundings imply it."""
        fields = self.reading.fields
        return bool(fields) and all(shown.place is Place.LINE for shown in fields.values())

    @property
    def time(self) -> str:
        return str(self.reading.value("time") or "")

    @property
    def date(self) -> str:
        return str(self.reading.value("date") or "")


@dataclass(slots=True)
class Group:
    """A date heading with the entries below it. The first group of a document has no heading: ``day`` is empty."""

    day: str
    section: int
    start: int
    heading: str
    entries: list[Entry] = field(default_factory=list)


class Layout:
    """The entries of a document by date heading, with the offsets of everything in the whole text."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.starts: list[int] = []
        self.groups = [Group("", 0, 0, "")]
        offset = 0
        for number, section in enumerate(document.sections):
            self.starts.append(offset)
            entries = [i for i, r in enumerate(section.readings) if r.table is Table.ENTRIES]
            opens = bool(entries) and section.readings[entries[0]].span.start == 0
            if section.level and not opens and (day := date_of_heading(section.heading)):
                line = section.text[: line_end(section.text, 0)]
                self.groups.append(Group(day, number, offset, line))
            for index in entries:
                self.groups[-1].entries.append(self._entry(At(number, index), offset))
            offset += len(section.text)

    def _entry(self, at: At, offset: int) -> Entry:
        text, reading = self.document.sections[at.section].text, self.document.at(at)
        line = text[reading.span.start : line_end(text, reading.span.start)]
        return Entry(at, offset + reading.span.start, offset + self._end(at), reading, line)

    def _end(self, at: At) -> int:
        """Where the block of an entry ends, counted from the start of its section: with deeper sections below it."""
        section, reading = self.document.sections[at.section], self.document.at(at)
        end = reading.span.end
        if any(r.table is Table.ENTRIES for r in section.readings[at.reading + 1 :]) or section.text[end:].strip():
            return end
        length = len(section.text)
        for following in self.document.sections[at.section + 1 :]:
            before, state = following.before, following.parsed.after
            assert isinstance(before, State)
            assert isinstance(state, State)
            if before.entry is None or following.level <= before.entry or state.entry is None:
                return end
            if first := next((r for r in following.readings if r.table is Table.ENTRIES), None):
                return length + first.span.start if first.span.start else end
            if date_of_heading(following.heading):
                return end
            length += len(following.text)
            end = length
        return end

    @property
    def entries(self) -> list[Entry]:
        return [entry for group in self.groups for entry in group.entries]

    def newest_first(self) -> bool:
        """Whether later entries stand above earlier ones; so in a document that does not tell."""
        days = [entry.date + " " + entry.time for entry in self.entries if entry.date and entry.time]
        days = days if len({d[:10] for d in days}) < 2 else [d[:10] for d in days]
        falls = sum(a > b for a, b in pairwise(days))
        return falls >= sum(a < b for a, b in pairwise(days))

    def last_day(self) -> str | None:
        """The day that an entry at the end has from what stands above it."""
        state = self.document.sections[-1].parsed.after
        assert isinstance(state, State)
        return state.date or (state.given.date if state.given is not None else None)

    def place(self, offset: int) -> tuple[int, int]:
        """The section that holds an offset of the whole text, and the offset in it."""
        number = max(i for i, start in enumerate(self.starts) if start <= offset)
        return number, offset - self.starts[number]

    def content_end(self, end: int) -> int:
        """End of the last line with content before ``end``."""
        return line_end(self.text, self._behind_words(end))

    def _behind_words(self, offset: int) -> int:
        while offset > 0 and self.text[offset - 1].isspace():
            offset -= 1
        return offset

    def blanks_before(self, offset: int, default: int = 1) -> int:
        """Empty lines before the line at ``offset``."""
        start = self._behind_words(offset)
        return max(self.text.count("\n", start, offset) - 1, 0) if start else default

    def blanks_behind(self, offset: int, default: int) -> int:
        """Empty lines behind the line at ``offset``; ``default`` where nothing follows."""
        start = end = line_end(self.text, offset)
        while end < len(self.text) and self.text[end].isspace():
            end += 1
        return max(self.text.count("\n", start, end) - 1, 0) if end < len(self.text) else default


def spots(layout: Layout, day: str | None, time: str | None) -> Iterator[Spot]:
    """Places for an entry of ``day`` at ``time``, best first."""
    if day is None:
        yield from _undated(layout)
        return
    if layout.document.kind == "edit_chunk":
        if layout.last_day() == day:
            yield _behind(layout, len(layout.text))
        yield _behind(layout, len(layout.text), dated=True)
        return
    same = [group for group in layout.groups if group.day == day]
    if not layout.newest_first():
        same.reverse()
    for group in same:
        yield _in_group(layout, group, time or "")
    yield from _own_date(layout, day, time or "")
    yield from _new_group(layout, day)
    yield from _ends(layout, day)


def blanks_below(layout: Layout, offset: int) -> int:
    """Empty lines between an entry's line and the first file below it, as the entries near ``offset`` have them."""
    found = []
    for entry in sorted(layout.entries, key=lambda entry: abs(entry.start - offset)):
        readings = layout.document.sections[entry.at.section].readings
        following = readings[entry.at.reading + 1 : entry.at.reading + 2]
        if entry.has_line and following and following[0].table is Table.MODIFICATIONS:
            start = entry.start - entry.reading.span.start + following[0].fields["action"].span.start
            found.append(max(layout.text.count("\n", entry.start, start) - 1, 0))
        if len(found) == 3:
            break
    return _usual(found, 0)


def _usual(found: Iterable[int], default: int) -> int:
    """The number that occurs most often, the first of several such."""
    return next((number for number, _ in Counter(found).most_common(1)), default)


def nearest(layout: Layout, offset: int) -> Entry | None:
    """The entry with a line of its own that is nearest to ``offset``."""
    return min((e for e in layout.entries if e.has_line), key=lambda e: abs(e.start - offset), default=None)


def _like(layout: Layout, offset: int) -> Head:
    near = nearest(layout, offset)
    if near is not None and near.head is not None:
        return near.head
    levels = [len(group.heading) - len(group.heading.lstrip("#")) for group in layout.groups if group.heading]
    return Head("#" * (levels[-1] + 1) + " ") if levels else _CANONICAL


def _gap(layout: Layout, offset: int) -> int:
    """Empty lines between entries near ``offset``."""
    followers = [behind for group in layout.groups for _, behind in pairwise(group.entries)]
    near = sorted(followers, key=lambda entry: abs(entry.start - offset))[:5]
    return _usual((layout.blanks_before(entry.start) for entry in near), 1)


def _before(layout: Layout, offset: int, lead: str = "", gap: int | None = None, dated: bool = False) -> Spot:
    """Before the line at ``offset``."""
    section, inside = layout.place(offset)
    after = "\n" * ((_gap(layout, offset) if gap is None else gap) + 1)
    return Spot(section, inside, lead, after, _like(layout, offset), dated)


def _behind(layout: Layout, offset: int, lead: str = "", gap: int | None = None, dated: bool = False) -> Spot:
    """Behind the content that ends before ``offset``."""
    end = layout.content_end(offset)
    section, inside = layout.place(max(end - 1, 0))
    if end:
        inside += 1
    before = "\n" * ((_gap(layout, offset) if gap is None else gap) + 1) if end else ""
    return Spot(
        section, inside, before + lead, "" if end < len(layout.text) or end else "\n", _like(layout, offset), dated
    )


def _in_group(layout: Layout, group: Group, time: str) -> Spot:
    """Below a date heading that is there: among its entries by time."""
    entries = group.entries
    if not entries:
        line = line_end(layout.text, group.start)
        section = layout.document.sections[group.section]
        if not section.text[len(group.heading) :].strip():
            return _behind(layout, line, gap=_blanks_below_dates(layout))
        return _behind(layout, group.start + len(section.text), gap=_blanks_below_dates(layout))
    if layout.newest_first():
        older = next((entry for entry in entries if entry.has_line and entry.time < time), None)
        return _before(layout, older.start) if older else _behind(layout, entries[-1].end)
    newer = next((entry for entry in entries if entry.time > time), None)
    return _before(layout, newer.start) if newer else _behind(layout, entries[-1].end)


def _new_group(layout: Layout, day: str) -> Iterator[Spot]:
    """Below a new date heading, in the order of those that are there."""
    groups = layout.groups[1:]
    if not groups:
        return
    if layout.newest_first():
        older = next((group for group in groups if group.day < day), None)
        if older:
            yield _group_before(layout, older, day)
        newer = [group for group in groups if group.day > day]
        yield _group_behind(layout, newer[-1] if newer else groups[-1], day)
        return
    newer = [group for group in groups if group.day > day]
    earlier = [group for group in groups if group.day <= day]
    if earlier:
        yield _group_behind(layout, earlier[-1], day)
    if newer:
        yield _group_before(layout, newer[0], day)


def _heading(layout: Layout, near: Group, day: str) -> str:
    """A date heading like that of ``near``, with the empty lines that stand below such headings."""
    match = re.match(r"(#{1,6}[ \t]+)", near.heading)
    written = render("date", date_text(near.heading), day)
    return f"{match[1] if match else '### '}{written}" + "\n" * (_blanks_below_dates(layout) + 1)


def date_text(heading: str) -> str:
    """The words of a date heading that are its date, as written."""
    moment = read_moment(heading)
    return heading[moment.span.start : moment.span.end] if moment else ""


def _blanks_below_dates(layout: Layout) -> int:
    return next((layout.blanks_behind(g.start, 1) for g in layout.groups if g.heading and g.entries), 1)


def _blanks_between_dates(layout: Layout, group: Group) -> int:
    if len(layout.groups) > 2 and group is layout.groups[1]:
        group = layout.groups[2]
    return layout.blanks_before(group.start)


def _group_before(layout: Layout, group: Group, day: str) -> Spot:
    return _before(layout, group.start, _heading(layout, group, day), _blanks_between_dates(layout, group))


def _group_behind(layout: Layout, group: Group, day: str) -> Spot:
    end = group.entries[-1].end if group.entries else line_end(layout.text, group.start)
    return _behind(layout, end, _heading(layout, group, day), _blanks_between_dates(layout, group))


def _own_date(layout: Layout, day: str, time: str) -> Iterator[Spot]:
    """Among entries that show their dates themselves, by date and time."""
    dated = [e for e in layout.entries if "date" in e.reading.fields]
    if not dated or len(dated) * 2 < len(layout.entries):
        return
    moment = (day, time)
    if layout.newest_first():
        older = next((entry for entry in dated if (entry.date, entry.time) < moment), None)
        yield _before(layout, older.start, dated=True) if older else _behind(layout, dated[-1].end, dated=True)
        return
    newer = next((entry for entry in dated if (entry.date, entry.time) > moment), None)
    yield _before(layout, newer.start, dated=True) if newer else _behind(layout, dated[-1].end, dated=True)


def _undated(layout: Layout) -> Iterator[Spot]:
    """Places where an entry has no date: above all date headings."""
    first = layout.groups[0].entries
    if first:
        yield _before(layout, first[0].start)
        yield _behind(layout, first[-1].end)
    if len(layout.groups) > 1:
        yield _before(layout, layout.groups[1].start)
    else:
        yield _behind(layout, len(layout.text))


def _ends(layout: Layout, day: str) -> Iterator[Spot]:
    """Below a new date heading at the top or at the end; else at the top with the date in the entry's own line."""
    entries = layout.entries
    first = entries[0].start if entries else None
    like = _like(layout, first or 0)
    level = len(like.opening) - len(like.opening.lstrip("#")) or 4
    heading = "#" * max(level - 1, 2) + f" {day}\n\n"
    if layout.groups[1:]:
        heading = _heading(layout, layout.groups[-1], day)
    if first is None:
        yield _behind(layout, len(layout.text), heading, 1)
        if layout.text.startswith("# "):  # where something that is not closed hides the end
            yield _behind(layout, line_end(layout.text, 0), heading, 1)
        return
    if layout.newest_first():
        yield _before(layout, first, heading)
        yield _before(layout, first, dated=True)
    yield _behind(layout, entries[-1].end, heading, 1)
    yield _behind(layout, entries[-1].end, dated=True)
