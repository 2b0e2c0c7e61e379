"""Error logs: one section an error, with its time in the heading and labelled fields of one or many lines below."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator

from msgspec import Struct

from parser.document import Parsed
from parser.fields import header_moment
from parser.kinds.entry_heads import DAY, IDS, read_clock, read_day
from parser.lines import Line, open_lines
from parser.values import is_nothing, read_date
from schema.patterns import pattern
from schema.records import Field, Place, Problem, Reading, Role, Span, Table

_MOMENT = pattern(
    rf"(?<![\w-])(?P<date>{DAY})(?:(?:T|,?[ ]+(?:at[ ]+)?)"
    r"(?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?P<half>[ ]?[AaPp]\.?[Mm]\b\.?)?"
    r"(?:[ ]*\(?(?:[A-Z]{2,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|\+\d{2}:?\d{2}|(?<=\d)Z)\)?(?=[\s:]|$))?)?(?!\d)"
)
_AROUND = " \t:-–—|()[],*"
_LABEL = pattern(
    r"(?:[-*][ \t]+)?(?P<mark>\*\*|__)(?P<name>[A-Za-z][^*:\n]{0,40}?)(?::(?P=mark)|(?P=mark)[ \t]*:)[ \t]*"
)
_RULE = pattern(r"(?:-{3,}|\*{3,}|_{3,})[ \t]*$|[*_](?:Last )?Updated:")
LABELS = {
    "file": "file_path", "files": "file_path", "file path": "file_path",
    "error": "error_message", "error message": "error_message", "errors": "error_message",
    "error description": "error_message", "error messages": "error_message",
    "cause": "cause", "root cause": "cause",
    "fix": "fix_applied", "fix applied": "fix_applied", "solution": "fix_applied", "resolution": "fix_applied",
    "task": "task_id", "related task": "task_id", "task id": "task_id",
}  # fmt: skip
"""Which column a label fills; of several that fill one, the first that says something."""
_CODE = pattern(r"`([^`\n]+)`")


class Body(Struct, frozen=True):
    """A label and what stands behind it, up to the next label: offsets of label, value and the end of its last line."""

    name: str
    start: int
    value: Span
    end: int


class _ErrorGrammar:
    def start(self, path: str) -> Hashable:
        return True

    def read(self, text: str, level: int, title: str, context: Hashable) -> Parsed:
        """``context`` is whether the header is still to come: no error was read yet."""
        heading = _heading(text, level, title) if level >= 2 else None
        if heading is None:
            return self._other(text, level, title, bool(context))
        fields = dict(heading)
        bodies, end = body(text)
        title_field = fields.pop("error_message", None)
        for part in bodies:
            name = LABELS.get(part.name)
            if name is not None and (name not in fields or fields[name].value is None):
                fields[name] = _field(text, part.value, name)
        if title_field is not None and (fields.get("error_message") is None or fields["error_message"].value is None):
            fields["error_message"] = title_field
        key = " ".join(str(fields[n].value or "") for n in ("timestamp", "task_id", "error_message") if n in fields)
        return Parsed((Reading(Table.ERRORS, key, Role.OWN, fields, Span(0, end)),), (), False)

    def _other(self, text: str, level: int, title: str, header: bool) -> Parsed:
        """A section that is no error: the preamble with its ``*Last Updated*``, or prose."""
        problems: tuple[Problem, ...] = ()
        if level >= 2 and re.match(r"\d{4}-\d{2}-\d{2}", title):
            problems = (Problem(0, "the heading of an error with a date that does not exist"),)
        if header and level <= 2:
            for line in open_lines(text):
                if label := header_moment(line):
                    fields = {"last_updated": Field(read_date(label.value), label.value_span)}
                    return Parsed((Reading(Table.HEADER, "header", Role.OWN, fields, label.span),), problems, False)
        return Parsed((), problems, header)


def _heading(text: str, level: int, title: str) -> dict[str, Field] | None:
    """The fields that the heading of an error shows: when, which task, and its title as the message. Else None."""
    match = _MOMENT.search(text, level, text.find(title, level) + len(title)) if title else None
    day = read_day(match["date"]) if match else None
    if match is None or day is None or (level > 2 and text[level : match.start()].strip(_AROUND)):
        return None
    clock = read_clock(match["time"], match["half"]) if match["time"] else None
    end = match.end("half") if match["half"] else match.end("time") if clock else match.end("date")
    fields = {"timestamp": Field(f"{day} {clock}" if clock else day, Span(match.start(), end))}
    stop = text.find(title, level) + len(title)
    before, after = _trimmed(text, level, match.start()), _trimmed(text, match.end(), stop)
    span = before if before.end > before.start and after.end - after.start < before.end - before.start else after
    if ids := IDS.match(text, span.start, span.end):
        fields["task_id"] = Field(ids["ids"], Span(ids.start("ids"), ids.end("ids")))
        span = _trimmed(text, ids.end(), span.end)
    if span.end > span.start:
        fields["error_message"] = Field(text[span.start : span.end], span)
    return fields


def _trimmed(text: str, start: int, end: int) -> Span:
    """The part of a heading without the signs that separate it from the moment. A closing bracket stays."""
    while start < end and text[start] in _AROUND:
        start += 1
    while end > start and text[end - 1] in " \t:-–—|([,":
        end -= 1
    return Span(start, end)


def body(text: str) -> tuple[list[Body], int]:
    """The labelled parts of an error's section, and where the error ends: at a rule, else with the section."""
    found: list[tuple[str, Line, int]] = []
    blank: list[int] = []
    end = len(text)
    for line in open_lines(text):
        if line.number == 0:
            continue
        if _RULE.match(line.text):
            end = line.start
            break
        if not line.text.strip():
            blank.append(line.start)
        elif match := _LABEL.match(line.text):
            found.append((match["name"].strip().lower(), line, line.start + match.end()))
    ends = [*(line.start for _, line, _ in found[1:]), end][: len(found)]
    return list(_bodies(text, found, ends, blank)), end


def _bodies(text: str, found: list[tuple[str, Line, int]], ends: list[int], blank: list[int]) -> Iterator[Body]:
    """Each label with its value: one that begins in its line lasts to an empty line, one below it to the next label."""
    for (name, line, start), end in zip(found, ends, strict=True):
        stop = end
        if text[start : line.end].strip():
            stop = next((offset for offset in blank if line.end < offset < end), end)
            stop = line.end if LABELS.get(name) == "task_id" else stop
        content = text[start:stop]
        first = start + len(content) - len(content.lstrip())
        last = start + len(content.rstrip())
        yield Body(name, line.start, Span(first, last) if last > first else Span(line.end, line.end), end)


def _field(text: str, span: Span, name: str) -> Field:
    """The value at ``span``. One name in a code span is that name; other texts are taken as written."""
    value = text[span.start : span.end]
    if "\n" in value:
        return Field(value, span, Place.BLOCK)
    if is_nothing(value):
        return Field(None, span)
    if name == "file_path" and (code := _CODE.fullmatch(value)):
        return Field(code[1], Span(span.start + 1, span.end - 1))
    return Field(value, span)


GRAMMAR = _ErrorGrammar()
