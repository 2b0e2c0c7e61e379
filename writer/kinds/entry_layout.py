"""The entries of a history as they stand: by date heading, with the offsets of everything in the whole text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise

from msgspec import Struct, field

from parser.document import At, Document
from parser.kinds.entries import BOLD_LEVEL, State
from parser.kinds.entry_heads import date_of_heading
from schema.records import Place, Reading, Table
from writer.kinds.entry_heads import Head, take_apart
from writer.places import line_end


class Entry(Struct, frozen=True):
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
        return _has_line(self.reading)

    @property
    def time(self) -> str:
        return str(self.reading.value("time") or "")

    @property
    def date(self) -> str:
        return str(self.reading.value("date") or "")


def _has_line(reading: Reading) -> bool:
    return bool(reading.fields) and all(shown.place is Place.LINE for shown in reading.fields.values())


class Reached:
    """Moments in the order of a text, to find the first that lies before or behind another without a look at all."""

    def __init__(self, moments: Sequence[tuple[str, ...]]) -> None:
        self._lowest, self._highest = list(accumulate(moments, min)), list(accumulate(moments, max))

    def first_before(self, moment: tuple[str, ...]) -> int | None:
        """The number of the first that is earlier than ``moment``."""
        return _first(bisect_left(self._lowest, True, key=lambda low: low < moment), self._lowest)

    def first_from(self, moment: tuple[str, ...]) -> int | None:
        """The number of the first that is not earlier than ``moment``."""
        return _first(bisect_left(self._highest, True, key=lambda high: high >= moment), self._highest)

    def first_behind(self, moment: tuple[str, ...]) -> int | None:
        """The number of the first that is later than ``moment``."""
        return _first(bisect_left(self._highest, True, key=lambda high: high > moment), self._highest)


def _first(number: int, found: Sequence[object]) -> int | None:
    return number if number < len(found) else None


def outward(starts: Sequence[int], offset: int) -> Iterator[int]:
    """The numbers of ``starts``, which rise, from the nearest to ``offset`` to the farthest; before it first."""
    right = bisect_left(starts, offset)
    left = right - 1
    while left >= 0 or right < len(starts):
        if right == len(starts) or (left >= 0 and offset - starts[left] <= starts[right] - offset):
            yield left
            left -= 1
        else:
            yield right
            right += 1


class Group(Struct, dict=True):
    """A date heading with the entries below it. The first group of a document has no heading: ``day`` is empty."""

    day: str
    section: int
    start: int
    heading: str
    entries: list[Entry] = field(default_factory=list)

    @cached_property
    def _own(self) -> tuple[list[Entry], Reached]:
        own = [entry for entry in self.entries if entry.has_line]
        return own, Reached([(entry.time,) for entry in own])

    @cached_property
    def _all(self) -> Reached:
        return Reached([(entry.time,) for entry in self.entries])

    def first_before(self, time: str) -> Entry | None:
        """The first entry with a line of its own that is earlier than ``time``."""
        own, reached = self._own
        number = reached.first_before((time,))
        return None if number is None else own[number]

    def first_behind(self, time: str) -> Entry | None:
        """The first entry that is later than ``time``."""
        number = self._all.first_behind((time,))
        return None if number is None else self.entries[number]


class Layout:
    """The entries of a document by date heading. What is asked for many entries is worked out once."""

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
        """Where the block of an entry ends, counted from the start of its section: with deeper sections below it.

        In a chunk the whole rest is the entry's; but what a heading not below its own opens is not part of its block,
        unless files of the entry are named there.
        """
        section, reading = self.document.sections[at.section], self.document.at(at)
        end = reading.span.end
        if any(r.table is Table.ENTRIES for r in section.readings[at.reading + 1 :]) or section.text[end:].strip():
            return end
        level = section.level
        if reading.span.start:
            level = max(level, BOLD_LEVEL) if _has_line(reading) else 0
        length = len(section.text)
        outside = False
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
            outside = outside or following.level <= level
            if not outside or any(r.table is Table.MODIFICATIONS for r in following.readings):
                end = length
        return end

    @cached_property
    def entries(self) -> list[Entry]:
        """All entries, in the order of the text."""
        return [entry for group in self.groups for entry in group.entries]

    @cached_property
    def by_address(self) -> dict[At, Entry]:
        """The entry at each address."""
        return {entry.at: entry for entry in self.entries}

    @cached_property
    def entry_starts(self) -> list[int]:
        """Where each of them starts."""
        return [entry.start for entry in self.entries]

    @cached_property
    def own(self) -> tuple[list[Entry], list[int]]:
        """Those with a line of their own, and where each starts."""
        own = [entry for entry in self.entries if entry.has_line]
        return own, [entry.start for entry in own]

    @cached_property
    def followers(self) -> list[int]:
        """Where each entry starts that follows another below the same date."""
        return [behind.start for group in self.groups for _, behind in pairwise(group.entries)]

    @cached_property
    def dated(self) -> tuple[list[Entry], Reached]:
        """Those that show their dates themselves."""
        dated = [entry for entry in self.entries if "date" in entry.reading.fields]
        return dated, Reached([(entry.date, entry.time) for entry in dated])

    @cached_property
    def days(self) -> dict[str, list[Group]]:
        """The groups by their day."""
        found: dict[str, list[Group]] = {}
        for group in self.groups:
            found.setdefault(group.day, []).append(group)
        return found

    @cached_property
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
        number = bisect_right(self.starts, offset) - 1
        return number, offset - self.starts[number]

    def content_end(self, end: int) -> int:
        """End of the last line with content before ``end``."""
        return line_end(self.text, self.words_before(end))

    def words_from(self, offset: int) -> int:
        """Where the next words behind ``offset`` start, or the end of the text."""
        while offset < len(self.text) and self.text[offset].isspace():
            offset += 1
        return offset

    def words_before(self, offset: int) -> int:
        """Where the last words before ``offset`` end, 0 where there are none."""
        while offset > 0 and self.text[offset - 1].isspace():
            offset -= 1
        return offset

    def blanks_before(self, offset: int, default: int = 1) -> int:
        """Empty lines before the line at ``offset``."""
        start = self.words_before(offset)
        return max(self.text.count("\n", start, offset) - 1, 0) if start else default

    def blanks_behind(self, offset: int, default: int) -> int:
        """Empty lines behind the line at ``offset``; ``default`` where nothing follows."""
        start = line_end(self.text, offset)
        end = self.words_from(start)
        return max(self.text.count("\n", start, end) - 1, 0) if end < len(self.text) else default
