"""Session files: one session a file, dated by its name; what it was about and when stands in its header."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from datetime import date

from msgspec import Struct

from parser.document import Parsed
from parser.fields import Label, labels
from parser.kinds import TASK_ID
from parser.lines import Line, open_lines
from parser.values import is_nothing, read_date, read_moment, read_status
from schema.patterns import pattern
from schema.records import Field, Problem, Reading, Role, Span, Table, Value

_DATE = pattern(r"(?<!\d)(?:(\d{4})([-_])(\d{2})\2(\d{2})|(20\d{2})(\d{2})(\d{2}))(?!\d)")
_PERIOD = pattern(
    r"[-_ ]+(?P<period>(?:(?:early|late|mid)[-_ ])?(?:morning|noon|midday|afternoon|evening|night|midnight)"
    r"(?:[-_ ]\d{1,2})?|(?:early|late)(?:[-_ ]\d{1,2})?|\d{1,2})(?![^\W_])",
    re.I,
)
_IS_TASK = pattern(rf"[-_ ]+{TASK_ID}(?![^\W_])")
NAMES = {
    "focus task": "focus_task",
    "focus tasks": "focus_task",
    "focus": "focus_task",
    "task": "focus_task",
    "tasks": "focus_task",
    "started": "start_time",
    "start": "start_time",
    "start time": "start_time",
    "session started": "start_time",
    "session start": "start_time",
    "ended": "end_time",
    "end": "end_time",
    "end time": "end_time",
    "session ended": "end_time",
    "session end": "end_time",
    "status": "status",
    "session status": "status",
    "duration": "range",
    "time": "range",
    "period": "range",
}
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
_RANGE = pattern(rf"(?<![\d:])({_CLOCK})[ \t]*(?:-|–|—|to)[ \t]*({_CLOCK})(?![\d:])")
_TITLE = pattern(
    r"\bsession\b(?! (?:overview|info|details|status|outcome|metadata|end|focus))|\d{4}[-_]\d{2}[-_]\d{2}", re.I
)
_FOCUS = pattern(r"(?:session |current )?focus(?: tasks?)?", re.I)
_ABOUT = pattern(
    r"(?:current session|session (?:overview|info|information|details|status|outcome|metadata|end)|overview|metadata"
    r"|status|duration|time tracking)\b",
    re.I,
)


class _Context(Struct, frozen=True):
    """Stem of the file, whether its first section is still to come, and the fields that were given a value.

    ``shift``: how many levels further down than usual all headings stand; None while none was met.
    """

    key: str
    first: bool = True
    known: frozenset[str] = frozenset()
    shift: int | None = None


class _Found(Struct, frozen=True):
    name: str
    field: Field
    line: Line


def dated(stem: str) -> dict[str, Value]:
    """What a session file's name tells: ``session_date`` as ``YYYY-MM-DD``, ``session_period`` (``evening-2``, ``1``).

    Keys that the name does not tell are left out.
    """
    for match in _DATE.finditer(stem):
        year, month, day = (int(g) for g in (match[1] or match[5], match[3] or match[6], match[4] or match[7]))
        try:
            values: dict[str, Value] = {"session_date": date(year, month, day).isoformat()}
        except ValueError:  # figures that are no day of the calendar
            continue
        period = None if _IS_TASK.match(stem, match.end()) else _PERIOD.match(stem, match.end())
        if period:
            values["session_period"] = re.sub("[_ ]", "-", period["period"].lower())
        return values
    return {}


class SessionGrammar:
    """Reads ``sessions/*.md``. The first section always shows the session, also where only the name tells of it."""

    def start(self, path: str) -> Hashable:
        return _Context(path.rpartition("/")[2].removesuffix(".md"))

    def read(self, text: str, level: int, title: str, context: Hashable) -> Parsed:
        assert isinstance(context, _Context)
        shift = context.shift
        if level and shift is None:
            shift = level - 1 if _TITLE.search(title) else 0
        level = max(1, level - (shift or 0)) if level else 0
        inherited = dated(context.key)
        problems: list[Problem] = []
        fields: dict[str, Field] = {}
        taken: list[Line] = []
        for found in _read(text, level, title):
            if isinstance(found, Problem):
                problems.append(found)
            elif found.name not in fields and found.name not in context.known:
                fields[found.name] = found.field
                taken.append(found.line)
        readings: tuple[Reading, ...] = ()
        if context.first:
            span = Span(0, len(text))
            readings = (Reading(Table.SESSIONS, context.key, Role.OWN, fields, span, inherited),)
            if "session_date" not in inherited:
                problems.insert(0, Problem(0, f"the name {context.key[:60]!r} holds no date"))
        elif fields:
            span = Span(min(line.start for line in taken), max(line.end for line in taken))
            readings = (Reading(Table.SESSIONS, context.key, Role.OWN, fields, span, inherited),)
        if level <= 1 and context.shift is None:
            readings += _touched(text)
        # A dash or "None" in the header does not hide what a later section says.
        known = context.known | {name for name, field in fields.items() if field.value is not None}
        return Parsed(readings, tuple(problems), _Context(context.key, False, known, shift))


def _touched(text: str) -> tuple[Reading, ...]:
    """The line of the header that says when the document was last updated."""
    for line in open_lines(text):
        for label in labels(line):
            moment = read_moment(label.value) if label.name in ("last updated", "updated") else None
            if moment is not None and moment.date is not None:
                start = label.value_span.start
                span = Span(start + moment.span.start, start + moment.span.end)
                field = Field(read_date(text[slice(*span)]), span)
                return (Reading(Table.HEADER, "header", Role.OWN, {"last_updated": field}, Span(line.start, line.end)),)
    return ()


def _read(text: str, level: int, title: str) -> Iterator[_Found | Problem]:
    """What the section tells of the session: the header, a focus section, a section about the session itself."""
    focus = level > 1 and _FOCUS.fullmatch(title.strip(" :*")) is not None
    if level > 1 and not focus and not _ABOUT.match(title):
        return
    started = False
    for line in open_lines(text):
        if level and line.number == 0:
            continue
        if not line.text.strip():
            continue
        found = labels(line)
        if focus and not started and not any(label.name in NAMES for label in found):
            yield _first_line(line)
        started = True
        for label in found:
            yield from _labelled(label)


def _first_line(line: Line) -> _Found:
    """The first line below ``## Focus Task``, without its bullet, as the focus."""
    start = re.match(r"[ \t]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?", line.text)
    content = line.text[start.end() if start else 0 :].rstrip()
    begin = line.start + (start.end() if start else 0)
    value = None if is_nothing(content) else content
    return _Found("focus_task", Field(value, Span(begin, begin + len(content))), line)


def _labelled(label: Label) -> Iterator[_Found | Problem]:
    name = NAMES.get(label.name)
    if name is None or not label.value:
        return
    if name == "range":
        yield from _range(label)
    elif is_nothing(label.value):
        yield _Found(name, Field(None, label.value_span), label.line)
    elif name == "focus_task":
        yield _Found(name, Field(label.value, label.value_span), label.line)
    elif name == "status":
        status = read_status(label.value)
        if status is not None:
            yield _Found(name, Field(str(status), label.value_span), label.line)
    else:
        yield _moment(name, label)


def _moment(name: str, label: Label) -> _Found | Problem:
    moment = read_moment(label.value)
    if moment is None:
        return Problem(label.line.number, f"no time is readable in {label.name} {label.value[:60]!r}")
    value = " ".join(part for part in (moment.date, moment.time) if part)
    start = label.value_span.start
    span = Span(start + moment.span.start, start + moment.span.end)
    return _Found(name, Field(value, span), label.line)


def _range(label: Label) -> Iterator[_Found]:
    """``Duration: 10:00 - 14:00``: start and end. A length such as ``2 hours`` is prose."""
    match = _RANGE.search(label.value)
    if match is None:
        return
    for group, name in ((1, "start_time"), (2, "end_time")):
        moment = read_moment(match[group])
        if moment is not None:
            start = label.value_span.start
            span = Span(start + match.start(group), start + match.end(group))
            yield _Found(name, Field(moment.time, span), label.line)


GRAMMAR = SessionGrammar()
