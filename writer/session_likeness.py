"""The document of a new session in the form of the newest ones. Pure.

Its header is that of the model: title, stamps, labels, a focus section; what the model tells of its work is left out.
What is made is parsed again; a form that would not read back as the values is not used (None).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from parser.document import Document, parse
from parser.fields import labels
from parser.lines import Line, lines
from parser.values import is_nothing, read_moment, render
from schema.records import Field, Table, Value
from writer.canonical import SESSION_LABELS, shown, with_content
from writer.told import agrees, said, same

Values = Mapping[str, Value]
Stamp = Callable[[str], str | None]
"""The present moment in the form of a text that holds one; None where its zone is not known."""

_TITLE = re.compile(
    r"(?P<open>#[ \t]+\D*?)(?P<date>\d{4}-\d{2}-\d{2})(?P<glue>[ \t]*(?:[-–—:,][ \t]*)?)(?P<rest>[^\n\r]*)"
)
_STAMPS = frozenset({"created", "last updated", "updated"})
_TIMES = frozenset({"start_time", "end_time"})


def session_like(
    model: Document, path: str, values: Values, stamp: Stamp, here: Callable[[str], bool]
) -> Document | None:
    """``path`` for a session with ``values``; ``here`` tells whether a label stands for the time zone of its times."""
    known = {name: value for name, value in values.items() if value not in (None, ()) and name != "content"}
    made = list(_header(model, known, stamp, here))
    if not made:
        return None
    names = [name for name in known if name != "session_period"]
    told = said(_parsed(path, made), Table.SESSIONS)
    missing = [name for name in names if name in SESSION_LABELS and told.get(name) is None]
    if missing:
        stop = next((n for n, line in enumerate(made) if n > 1 and not line), len(made))
        zone = next((z for line in made if (z := _zone(line)) and here(z)), None)
        told_as = {name: shown(name, known[name]) + (f" {zone}" if zone and name in _TIMES else "") for name in missing}
        made[stop:stop] = ["", *(f"**{SESSION_LABELS[name]}**: {told_as[name]}" for name in missing)]
    document = _parsed(path, made)
    told = said(document, Table.SESSIONS)
    if not agrees(document, Table.SESSIONS, {n: v for n, v in values.items() if n != "session_period"}):
        return None
    if not all(same(told.get(name), known[name]) for name in names):
        return None
    return with_content(document, str(values.get("content") or ""))


def _parsed(path: str, made: list[str]) -> Document:
    kept = [line for number, line in enumerate(made) if line or made[number - 1]]
    return parse(path, "\n".join(kept).rstrip("\n") + "\n")


def _header(model: Document, known: Values, stamp: Stamp, here: Callable[[str], bool]) -> Iterator[str]:
    """The lines of the model up to the last one that tells a field of the session, with other values."""
    fields: dict[tuple[int, int], dict[str, Field]] = {}
    last = 0
    for at, reading in model.readings():
        for name, field in reading.fields.items() if reading.table is Table.SESSIONS else ():
            row = model.sections[at.section].text.count("\n", 0, field.span.start)
            fields.setdefault((at.section, row), {})[name] = field
            last = at.section
    title = _title(model, known)
    if title is None or not fields:
        return
    yield title
    for number, section in enumerate(model.sections[: last + 1]):
        there = [n for at, n in fields if at == number]
        if number and not there:
            continue
        for line in lines(section.text):
            if number == 0 and line.number == 0:
                continue
            found = fields.get((number, line.number))
            if found is not None:
                if (new := _line(line, found, known, here)) is not None:
                    yield new
            elif not line.text.strip():
                yield ""
            elif line.number == 0 and number:
                yield line.text
            elif (new := _stamped(line, stamp)) is not None:
                yield new
            elif line.number > max(there, default=0):
                break
        yield ""


def _title(model: Document, known: Values) -> str | None:
    """The model's title with another day and period; None where it names none, or something else behind them."""
    match = _TITLE.match(model.text)
    if match is None:
        return None
    head = f"{match['open']}{known.get('session_date')}"
    period = str(known.get("session_period") or "").replace("-", " ")
    if not period:
        return head
    first = match["rest"][:1]
    if not first or not match["glue"]:
        return f"{head} - {period.title()}"
    return f"{head}{match['glue']}{period.title() if first.isupper() else period}"


def _line(line: Line, found: Mapping[str, Field], known: Values, here: Callable[[str], bool]) -> str | None:
    """A line of the model with the values of its fields; None where one of them is not known."""
    text = line.text
    for name, field in sorted(found.items(), key=lambda item: item[1].span, reverse=True):
        if name not in known:
            return None
        start, end = field.span.start - line.start, field.span.end - line.start
        if name in _TIMES:
            text = _timed(text, start, end, str(known[name]), here)
        else:
            new = str(known[name]) if name == "focus_task" else render(name, text[start:end], known[name])
            text = text[:start] + new + text[end:]
    return text


def _timed(text: str, start: int, end: int, value: str, here: Callable[[str], bool]) -> str:
    """A time where another stands, with the label of its zone where that is the one of ``value``."""
    rest = text[end:]
    moment = read_moment(text[start:].rstrip(" *_"))
    zone = moment.zone if moment is not None else None
    label = f" {zone}" if zone is not None and here(zone) else ""
    tail = rest.lstrip()[len(zone) :] if zone is not None and rest.lstrip().startswith(zone) else rest
    if is_nothing(text[start:end]):
        return text[:start] + value + rest
    return f"{text[:start]}{value}{label}{tail if text[start:end].find(str(zone)) < 0 else rest}"


def _zone(line: str) -> str | None:
    """The label of the time zone in a line such as ``*Created: …*``."""
    found = [label for label in labels(Line(0, 0, len(line), line)) if label.name in _STAMPS]
    moment = read_moment(found[0].value) if found else None
    return moment.zone if moment is not None else None


def _stamped(line: Line, stamp: Stamp) -> str | None:
    """A line such as ``*Created: …*`` at the present moment."""
    found = labels(line)
    if len(found) != 1 or found[0].name not in _STAMPS:
        return None
    label = found[0]
    new = stamp(label.value)
    if new is None:
        return None
    return line.text[: label.value_span.start - line.start] + new + line.text[label.value_span.end - line.start :]
