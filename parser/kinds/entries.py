"""Edit entries as headings and bold lines, with the files changed below them: the grammar of histories and chunks.

An *entry* is opened by a heading or a bold line that begins with a time (or a date and a time, or task ids alone) and
lasts until the next one, or until a heading that is not below it. Lines that name files where no entry is open belong
to an *implied* entry, which has no line of its own and shows only what its surroundings tell: a date heading, or the
name and head of an edit chunk.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import asdict, replace

from parser.document import Parsed
from parser.fields import UNDERLINED, header_moment
from parser.kinds.chunk_heads import Given, chunk_heading, front_matter
from parser.kinds.entry_heads import STARTS_WITH_TIME, date_of_heading, entry_fields
from parser.kinds.modifications import FOUR, USUAL, line_readings, usual_reading
from parser.lines import Line, open_lines
from parser.text import front_matter_end
from parser.values import read_date
from schema.patterns import pattern
from schema.records import Field, Place, Problem, Reading, Role, Span, Table, Value

BOLD_LEVEL = 4
"""A bold line stands where others have a heading of this level."""
_ITEM = pattern(r"( {0,3})[-*+][ \t]")
_POINTS = pattern(r"^(?: {0,3}[-*+][ \t]|\*\*(?:[~≈]?\d{1,2}:\d{2}|\d{4}[-_/.]\d{2})|[*_][A-Za-z])", re.M)
_BEGINNINGS = frozenset(" -*+_")
"""What the lines of `_POINTS` begin with."""
_RULE = pattern(r"(?:-{3,}|\*{3,}|_{3,})[ \t]*\r?\n(?:[ \t]*\r?\n|\*[^*\n].*(?:\n|$))*\Z", re.M)
_RULES = ("---", "***", "___")
_PARAGRAPH = pattern(r"\s*(?![-*+#>|`~]|\d+[.)] )(\S(?:.*\S)?(?:\r?\n(?![-*+#>|`~]|[ \t]*\r?\n).*\S)*)")
_UNREADABLE = pattern(r"[-*+] (?:\*\*|\[)?(?:" + "|".join(sorted(FOUR)) + r")(?:\*\*|\])?:? `")


class State(Struct, frozen=True):
    """What a section must know about those before it.

    ``date`` comes from the date heading above, whose level is ``date_level``; ``under`` is the heading of an entry
    with a date of its own, which counts for the headings below it. ``entry`` is the level of the open entry: deeper
    headings belong to it; None where no entry is open. ``given`` is set in chunks.
    """

    role: Role
    date: str | None = None
    date_level: int = 0
    under: tuple[int, str] | None = None
    entry: int | None = None
    header: bool = True
    given: Given | None = None


class Block(Struct, frozen=True):
    """An entry found in a section: where its line starts and what it shows. The next one tells where it ends."""

    start: int
    fields: Mapping[str, Field]
    inherited: Mapping[str, Value]


def points(text: str, start: int) -> Iterator[Line | re.Match[str]]:
    """The lines behind ``start`` that could open an entry, name a file or tell the last update; none in fences.

    Where no fence is near, a line in the usual spelling comes as the match of `USUAL` in the whole text.
    """
    if any(mark in text for mark in ("```", "~~~", "<!--")):
        for line in open_lines(text):
            if line.start >= start and _POINTS.match(line.text):
                yield line
        return
    number, seen = 0, 0
    begin = start if start == 0 or text[start - 1] == "\n" else _next_line(text, start)
    while begin < len(text):
        # Line by line: a search would try each sign, at half the cost of reading a history.
        if text[begin] not in _BEGINNINGS:
            begin = _next_line(text, begin)
        elif usual := USUAL.match(text, begin):
            yield usual
            begin = usual.end() + 1
        else:
            end = _next_line(text, begin)
            if _POINTS.match(text, begin):
                number += text.count("\n", seen, begin)
                seen = begin
                yield Line(number, begin, end - 1, text[begin : end - 1].removesuffix("\r"))
            begin = end


def _next_line(text: str, position: int) -> int:
    """Where the line behind the one of ``position`` starts; behind the last, where it would."""
    end = text.find("\n", position)
    return (len(text) if end < 0 else end) + 1


def block_end(text: str, line_end: int) -> int:
    """Where the list item that ends its first line at ``line_end`` ends: behind the indented lines below it."""
    end = text.find("\n", line_end)
    if end < 0:
        return len(text)
    end += 1
    if text[end : end + 1] not in (" ", "\t"):
        return end
    start = text.rfind("\n", 0, line_end) + 1
    indent = len(text[start:line_end]) - len(text[start:line_end].lstrip(" "))
    while text.startswith(_DEEPER[min(indent, 3)], end):
        stop = text.find("\n", end)
        stop = len(text) if stop < 0 else stop
        if not text[end:stop].strip():
            break
        end = min(stop + 1, len(text))
    return end


_DEEPER = tuple((*(" " * n + "\t" for n in range(indent + 1)), " " * (indent + 1)) for indent in range(4))
"""What a line begins with that is indented further than one with none, one, two or three spaces."""


class EntryGrammar:
    """Reads edit histories; the grammar of chunks extends it."""

    def start(self, path: str) -> Hashable:
        return State(Role.ARCHIVE if path.startswith("archive/") else Role.HISTORY)

    def read(self, text: str, level: int, title: str, context: Hashable) -> Parsed:
        assert isinstance(context, State)
        return _Section(text, level, title, context).parsed()


class _Section:
    """One section while it is read."""

    def __init__(self, text: str, level: int, title: str, state: State) -> None:
        self.text, self.level, self.title, self.state = text, level, title, state
        self.found: list[Block | Reading] = []
        self.problems: list[Problem] = []
        self.position = front_matter_end(text) if level == 0 else 0
        self.margin: int | None = None  # how far the items of the list are indented that is open

    def parsed(self) -> Parsed:
        if self.level:
            self._heading()
        elif self.state.given is not None:
            given = front_matter(self.text, self.state.given)
            start = self.position + len(self.text[self.position :]) - len(self.text[self.position :].lstrip())
            if "\n=" in self.text and (underlined := UNDERLINED.match(self.text, start)):
                given = chunk_heading(underlined["head"], 1, given)
            self.state = replace(self.state, given=given)
        for point in points(self.text, self.position):
            if isinstance(point, Line):
                self._line(point)
            elif self._is_item(point.end(1) - point.start()):
                self._usual(point)
        return Parsed(tuple(self._readings()), tuple(self.problems), self.state)

    def _heading(self) -> None:
        """What the heading of this section means for the entry and the date."""
        line_end = self.text.find("\n")
        line = self.text if line_end < 0 else self.text[:line_end].rstrip("\r")
        self.position = len(line)
        state = self.state
        if state.under is not None and self.level <= state.under[0]:
            state = replace(state, under=None)
        inside = state.entry is not None and self.level > state.entry
        timeless = self.level >= 3 and not inside and state.given is None
        if fields := entry_fields(line, 0, timeless):
            self.state = state
            self._open(0, fields, self.level)
            if "date" in fields:
                self.state = replace(self.state, under=(self.level, str(fields["date"].value)))
        elif day := date_of_heading(self.title):
            self.state = replace(state, date=day, date_level=self.level, under=None, entry=None, header=False)
        else:
            if ":" in self.title and STARTS_WITH_TIME.match(self.title.lstrip("*")):
                self.problems.append(Problem(0, "begins with a time, but is not an entry: TIME - TASK: TEXT"))
            if state.given is not None:
                self.state = replace(state, given=chunk_heading(self.title, self.level, state.given))
                self._work_done()
            else:
                self.state = self._after_other(state, inside)

    def _after_other(self, state: State, inside: bool) -> State:
        """The state behind a heading that is neither a date nor an entry."""
        if not inside:
            state = replace(state, entry=None)
        if self.level <= state.date_level:
            state = replace(state, date=None, date_level=0)
        return state

    def _work_done(self) -> None:
        """In a chunk without an entry of its own, the text below ``Work Done`` or ``Summary`` describes it."""
        if self.state.entry is not None or self.title.lower() not in ("work done", "summary"):
            return
        if match := _PARAGRAPH.match(self.text, self.position):
            field = Field(match[1], Span(match.start(1), match.end(1)), Place.BLOCK)
            self._open(match.start(1), {"task_description": field}, 0)

    def _open(self, start: int, fields: Mapping[str, Field], level: int | None) -> None:
        """An entry starts; without a time of its own it is the one that the surroundings speak of."""
        state = self.state
        inherited: dict[str, Value] = {}
        day = state.under[1] if state.under is not None else state.date
        given = state.given or Given()
        if state.given is not None and "time" not in fields:
            inherited = {name: value for name, value in asdict(given).items() if value is not None}
        day = day or given.date
        if day is not None:
            inherited["date"] = day
        self.found.append(Block(start, fields, {n: v for n, v in inherited.items() if n not in fields}))
        keep = max(self.level, BOLD_LEVEL) if level is None and fields else self.level
        self.state = replace(state, entry=0 if state.given is not None else keep, header=False)

    def _line(self, line: Line) -> None:
        text = line.text
        if text.startswith("**"):
            if fields := entry_fields(text, line.start):
                self._open(line.start, fields, None)
                self.margin = None
            elif STARTS_WITH_TIME.match(text, 2):
                self.problems.append(Problem(line.number, "begins with a time, but is not an entry: TIME - TASK: TEXT"))
        elif item := _ITEM.match(text):
            if self._is_item(len(item[1])):
                self._item(line)
        elif self.state.header and (label := header_moment(line)):
            value = read_date(label.value)
            fields = {"last_updated": Field(value, label.value_span)}
            self.found.append(Reading(Table.HEADER, "header", self.state.role, fields, label.span))
            self.state = replace(self.state, header=False)

    def _is_item(self, indent: int) -> bool:
        """Whether a line with a bullet that is indented so far is an item of its own, and not below another."""
        if self.margin is not None and indent > self.margin:
            return False
        self.margin = indent
        return True

    def _usual(self, match: re.Match[str]) -> None:
        begin, end = match.span()
        reading = usual_reading(match, 0, block_end(self.text, end), self.state.role)
        if reading is None:
            self._item(Line(self.text.count("\n", 0, begin), begin, end, match[0].removesuffix("\r")))
            return
        if self.state.entry is None:
            self._open(begin, {}, None)
        self.found.append(reading)

    def _item(self, line: Line) -> None:
        found = line_readings(line.text, line.start, block_end(self.text, line.end), self.state.role)
        if not found:
            if "`" in line.text and _UNREADABLE.match(line.text):
                self.problems.append(Problem(line.number, "names no file that can be read: - VERB `path` - what"))
            return
        if self.state.entry is None:
            self._open(line.start, {}, None)
        self.found += found

    def _readings(self) -> Iterator[Reading]:
        """The readings in order, each entry with its end: the next entry, or the section's end without a last rule."""
        end = self._last_rule()
        starts = [item.start for item in self.found if isinstance(item, Block)][1:]
        for item in self.found:
            if isinstance(item, Reading):
                yield item
                continue
            stop = starts.pop(0) if starts else max(end, item.start)
            shown = {**item.inherited, **{name: field.value for name, field in item.fields.items()}}
            key = " ".join(str(shown.get(name) or "") for name in ("date", "time", "task_id", "task_description"))
            yield Reading(Table.ENTRIES, key, self.state.role, item.fields, Span(item.start, stop), item.inherited)

    def _last_rule(self) -> int:
        """Where the last rule starts, if only italic lines stand behind it; else the section's end."""
        last = max(self.text.rfind(f"\n{rule}", self.position) for rule in _RULES) + 1
        return last if last and _RULE.match(self.text, last) else len(self.text)
