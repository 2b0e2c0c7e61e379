"""Errors in an error log: new sections, labels put in and taken out, values replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from parser.document import At, Document
from parser.kinds.entry_heads import IDS
from parser.kinds.error_log import LABELS, Body, body
from parser.values import render
from schema.records import Place, Reading, Span, Table, Value
from writer.changes import Insert, Remove, SetFields
from writer.edits import Edit, Plan
from writer.kinds.entry_layout import Reached
from writer.places import content_end, line_end, newline

Candidate = list[Edit]

_ORDER = ("file_path", "error_message", "cause", "fix_applied", "task_id")
_NAMES = {"file_path": "File", "error_message": "Error", "cause": "Cause", "fix_applied": "Fix", "task_id": "Task"}
_TITLE = 80


class _Style(Struct, frozen=True):
    """How a log writes an error: heading marks, what stands behind the moment, empty lines, how labels close."""

    opening: str = "## "
    colon: str = ": "
    below_heading: int = 0
    between: int = 0
    label: str = ":**"
    task_label: bool = True

    def section(self, values: Mapping[str, Value]) -> str:
        """The text of an error, without a final line break."""
        message = str(values.get("error_message") or "")
        title = message.strip("`\n ").split("\n")[0]
        if len(title) > _TITLE:
            title = title[: _TITLE - 1].rstrip() + "…"
        task = str(values.get("task_id") or "")
        words = " - ".join(part for part in (task, title) if part)
        heading = f"{self.opening}{values.get('timestamp')}" + (self.colon + words if words else "")
        labels = [self.line(name, values[name]) for name in _ORDER if values.get(name) and self._shown(name)]
        return heading + "\n" * (self.below_heading + 1) + ("\n" * (self.between + 1)).join(labels)

    def _shown(self, name: str) -> bool:
        return name != "task_id" or self.task_label

    def line(self, name: str, value: Value) -> str:
        """A label with its value; a value of several lines stands below its label."""
        text = file_text(str(value)) if name == "file_path" else str(value)
        space = "\n" if "\n" in text or text.startswith("```") else " "
        mark = "__" if "__" in self.label else "**"
        return f"{mark}{_NAMES[name]}{self.label}{space}{text}"


def file_text(value: str) -> str:
    """A file as a log writes it: one name as a code span, a list of them or words as they are."""
    return value if "`" in value or ", " in value or "\n" in value or " " in value else f"`{value}`"


def insert(document: Document, change: Insert) -> Iterator[Candidate]:
    """A new section among the others, by time; in the style of the one that is there."""
    if change.table is not Table.ERRORS or not change.values.get("timestamp"):
        return
    log = _Log(document)
    for style in dict.fromkeys([log.style, _Style()]):
        block = style.section(change.values)
        for edit in log.spots(str(change.values["timestamp"]), block):
            yield [edit]


def insert_all(document: Document, changes: Sequence[Insert]) -> Plan:
    """New sections by time. Of those for a log without errors one has to be there first."""
    log = _Log(document)
    fitting = [n for n, c in enumerate(changes) if log.found and c.table is Table.ERRORS and c.values.get("timestamp")]
    # Before an error of the same moment goes the one that is put in later, where they go from old to new.
    given = fitting if log.newest_first else reversed(fitting)
    ordered = sorted(given, key=lambda n: str(changes[n].values["timestamp"]), reverse=log.newest_first)
    edits = [
        next(log.spots(str(changes[n].values["timestamp"]), log.style.section(changes[n].values))) for n in ordered
    ]
    return Plan(edits, frozenset(range(len(changes))) - set(fitting))


class _Log:
    """The errors of a document. What is asked for many new ones is worked out once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.found = [(at, reading) for at, reading in document.readings() if reading.table is Table.ERRORS]
        self.style = _style(document, self.found[0][0]) if self.found else _Style()
        times = [(str(reading.value("timestamp")),) for _, reading in self.found]
        self.newest_first = len(times) < 2 or times[0] >= times[-1]
        self._reached = Reached(times)
        self._gap = "\n" * (_gap(document, self.found) + 1)

    def spots(self, moment: str, block: str) -> Iterator[Edit]:
        """Places for an error of that moment, best first."""
        document, line_break = self._document, newline(self._document)
        if not self.found:
            text = document.sections[-1].text
            end = content_end(text)
            end = line_end(text, end)
            lead = "\n\n" if "".join(s.text for s in document.sections).strip() else ""
            tail = "" if text[end:].strip(" \r") or lead else "\n"
            yield Edit(len(document.sections) - 1, Span(end, end), (lead + block + tail).replace("\n", line_break))
            return
        reached = self._reached
        before = reached.first_before((moment,)) if self.newest_first else reached.first_from((moment,))
        if before is not None:
            at = self.found[before][0]
            yield Edit(at.section, Span(0, 0), (block + self._gap).replace("\n", line_break))
        at, reading = self.found[-1]
        text = document.sections[at.section].text
        end = line_end(text, content_end(text[: reading.span.end]))
        yield Edit(at.section, Span(end, end), (self._gap + block).replace("\n", line_break))


def _gap(document: Document, found: list[tuple[At, Reading]]) -> int:
    """Empty lines between two errors."""
    if len(found) < 2:
        return 1
    text = document.sections[found[0][0].section].text
    return max(text[len(text.rstrip()) :].count("\n") - 1, 0)


def _style(document: Document, at: At) -> _Style:
    text = document.sections[at.section].text
    reading = document.at(at)
    head = text[: line_end(text, 0)]
    opening = re.match(r"#{1,6}[ \t]+", head)
    colon = re.match(r"[ ]*(?:[A-Z]{2,5}\b)?([ ]?[:–—-][ ])", head[reading.fields["timestamp"].span.end :])
    bodies, _ = body(text)
    between = 0
    if len(bodies) > 1:
        first = text[bodies[0].start : bodies[0].end]
        between = max(first[len(first.rstrip()) :].count("\n") - 1, 0)
    head_of_first = text[bodies[0].start : bodies[0].value.start] if bodies else ""
    label = re.search(r":(?:\*\*|__)|(?:\*\*|__)[ \t]*:", head_of_first)
    below = (
        text[len(head) : bodies[0].start].count("\n") - 1 if bodies and not _words_between(text, head, bodies) else 0
    )
    return _Style(
        opening[0] if opening else "## ",
        colon[1] if colon else ": ",
        max(below, 0),
        between,
        label[0] if label else ":**",
        any(LABELS.get(part.name) == "task_id" for part in bodies) or not bodies,
    )


def _words_between(text: str, head: str, bodies: list[Body]) -> bool:
    return bool(text[len(head) : bodies[0].start].strip())


def set_fields(document: Document, change: SetFields) -> Iterator[Candidate]:
    """Values replaced where they stand; labels put in for values that had none, and taken out for those gone."""
    reading = document.at(change.at)
    if reading.table is not Table.ERRORS:
        return
    text = document.sections[change.at.section].text
    edits: Candidate = []
    for name, value in change.values.items():
        if reading.value(name) != value:
            edits += _edits(document, change.at, text, reading, name, value)
    yield edits


def _edits(document: Document, at: At, text: str, reading: Reading, name: str, value: Value) -> Candidate:
    """The edits that make one field show ``value``."""
    bodies, _ = body(text)
    labels = [part for part in bodies if LABELS.get(part.name) == name]
    field = reading.fields.get(name)
    in_heading = field is not None and field.span.end <= line_end(text, 0)
    if name == "task_id" and (in_heading or (field is None and value is not None)):
        return _task(at, text, reading, value, labels)
    if value is None:
        return [Edit(at.section, _block(text, part), "") for part in labels[:1]]
    new = str(value).replace("\r\n", "\n").replace("\n", newline(document))
    if field is None or (in_heading and name == "error_message" and ("\n" in new or not new.strip())):
        return [_new_label(document, at, text, name, value)]
    span = field.span
    if name == "timestamp":
        new = render(name, text[span.start : span.end], value)
    if name == "file_path":
        quoted = text[span.start - 1 : span.start] == "`" == text[span.end : span.end + 1] and "`" not in (
            field.value or ""
        )
        span = Span(span.start - 1, span.end + 1) if quoted else span
        new = f"`{new}`" if quoted and "`" not in new and "\n" not in new else file_text(new)
    if span.start == span.end:
        new = (" " if text[: span.start].endswith(("*", "_")) or field.place is Place.LINE else "") + new
    return [Edit(at.section, span, new)]


def _block(text: str, part: Body) -> Span:
    """The lines of a labelled part; with the empty lines behind it where there are some before it too."""
    end = line_end(text, part.value.end)
    end += 2 if text.startswith("\r\n", end) else 1 if text.startswith("\n", end) else 0
    spaced = text[: part.start].endswith(("\n\n", "\n\r\n")) and text[part.end :].strip()
    return Span(part.start, _next_words(text, end) if spaced else end)


def _next_words(text: str, offset: int) -> int:
    rest = text[offset:]
    return offset + len(rest) - len(rest.lstrip("\r\n"))


def _task(at: At, text: str, reading: Reading, value: Value, labels: list[Body]) -> Candidate:
    """A task in the heading, and in the ``Task`` label where that shows the same."""
    field = reading.fields.get("task_id")
    same = [p for p in labels if field is not None and text[p.value.start : p.value.end] == field.value]
    edits = [Edit(at.section, p.value if value else _block(text, p), str(value or "")) for p in same]
    if field is not None:
        stop = line_end(text, 0)
        ids = IDS.match(text, field.span.start, stop)
        span = field.span if value or ids is None else Span(field.span.start, ids.end())
        return [*edits, Edit(at.section, span, str(value or ""))]
    title = reading.fields.get("error_message")
    stop = line_end(text, 0)
    start = title.span.start if title is not None and title.span.end <= stop else None
    if start is None:
        rest = re.compile(r"[ ]*(?:\(?[A-Z]{2,5}\)?)?[ ]*[:–—-][ ]+(?=\S)").match(
            text, reading.fields["timestamp"].span.end
        )
        start = rest.end() if rest and rest.end() <= stop else None
    if start is None:
        return [Edit(at.section, Span(len(text[:stop].rstrip()), stop), f": {value}")]
    return [*edits, Edit(at.section, Span(start, start), f"{value} - ")]


def _new_label(document: Document, at: At, text: str, name: str, value: Value) -> Edit:
    """A label with ``value``, behind those that stand before it in the usual order."""
    style = _style(document, at)
    line = style.line(name, value).replace("\r\n", "\n")
    bodies, _ = body(text)
    rank = {field: number for number, field in enumerate(_ORDER)}
    earlier = [p for p in bodies if rank.get(LABELS.get(p.name, ""), len(_ORDER)) < rank[name]]
    if earlier:
        end = line_end(text, content_end(text[: earlier[-1].end]))
        lead = "\n" * (style.between + 1)
    else:
        end = line_end(text, 0)
        lead = "\n" * (style.below_heading + 1)
        if bodies:
            return Edit(
                at.section, Span(bodies[0].start, bodies[0].start), _lines(document, line + "\n" * (style.between + 1))
            )
    return Edit(at.section, Span(end, end), _lines(document, lead + line))


def _lines(document: Document, text: str) -> str:
    return text.replace("\n", newline(document))


def remove(document: Document, change: Remove) -> Iterator[Candidate]:
    """The section of an error with the deeper ones below it, up to a rule."""
    section, reading = document.sections[change.at.section], document.at(change.at)
    if reading.table is not Table.ERRORS:
        return
    edits = [Edit(change.at.section, reading.span, "")]
    if reading.span.end == len(section.text):
        for number in range(change.at.section + 1, len(document.sections)):
            below = document.sections[number]
            if below.level <= section.level or below.readings:
                break
            edits.append(Edit(number, Span(0, len(below.text)), ""))
    last = edits[-1].section
    if last == len(document.sections) - 1 and change.at.section > 0 and not section.text[reading.span.end :].strip():
        edits = [*_trailing(document, change.at.section - 1, section.text), *edits]
    yield edits


def _trailing(document: Document, number: int, removed: str) -> Candidate:
    """The empty lines before the last error of a log, which would stand at its end."""
    text = document.sections[number].text
    end = line_end(text, content_end(text))
    if removed.endswith("\n") or document.text.endswith("\n"):
        end += len(newline(document))
    return [Edit(number, Span(min(end, len(text)), len(text)), "")]
