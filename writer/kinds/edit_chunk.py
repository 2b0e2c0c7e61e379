"""Edits on an edit chunk: its entry, and the head of the chunk where that speaks for the entry."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from parser.document import Document
from parser.kinds.chunk_heads import CREATED, MOMENT, TASK_HEADING, TASKS, TITLE
from parser.values import render
from schema.records import Span, Table, Value
from writer.changes import SetFields
from writer.edits import Edit
from writer.kinds import entries
from writer.kinds.entries import insert, remove, remove_all
from writer.lines import replace_block

__all__ = ["insert", "remove", "remove_all", "set_fields"]

Candidate = list[Edit]


class _Shown(Struct, frozen=True):
    """A value of the entry as the head of the chunk shows it."""

    name: str
    section: int
    span: Span


def set_fields(document: Document, change: SetFields) -> Iterator[Candidate]:
    """New values in the entry's own line, else in front matter, title and ``## Task`` above it."""
    yield from entries.set_fields(document, change)
    reading = document.at(change.at)
    if reading.table is not Table.ENTRIES:
        return
    text = document.sections[change.at.section].text
    places = list(_places(document, change.at.section))
    edits: Candidate = []
    for name, value in change.values.items():
        old = reading.value(name)
        if old == value:
            continue
        if field := reading.fields.get(name):
            edits += replace_block(change.at.section, text, field.span, str(value or ""))[:1]
            continue
        new = [edit for place in places if place.name == name for edit in _edit(document, place, old, value)]
        if not new:
            return
        edits += new
    yield edits


def _edit(document: Document, place: _Shown, old: Value, value: Value) -> Candidate:
    """The edit that makes a place show ``value``, if it shows the old value or nothing."""
    if value is None:
        return []
    text = document.sections[place.section].text
    shown = text[place.span.start : place.span.end]
    if not shown:
        return [Edit(place.section, place.span, f" {value}")] if old is None else []
    return [Edit(place.section, place.span, render(place.name, shown, value))]


def _places(document: Document, last: int) -> Iterator[_Shown]:
    for number, section in enumerate(document.sections[: last + 1]):
        text = section.text
        if section.level == 0:
            if created := CREATED.search(text):
                yield from _moment(text, number, created.start(1))
            if tasks := TASKS.search(text):
                yield _Shown("task_id", number, Span(tasks.start(1), tasks.end(1)))
            continue
        start = text.find(section.heading, section.level)
        if task := TASK_HEADING.match(text, start):
            yield _Shown("task_id", number, Span(task.start("ids"), task.end("ids")))
        elif section.level == 1 or section.heading.startswith("Date"):
            prefix = TITLE.match(text, start)
            yield from _moment(text, number, prefix.end() if prefix else start)


def _moment(text: str, number: int, start: int) -> Iterator[_Shown]:
    match = MOMENT.match(text, start)
    if match is None:
        return
    yield _Shown("date", number, Span(match.start("date"), match.end("date")))
    if match["time"]:
        end = match.end("half") if match["half"] else match.end("time")
        yield _Shown("time", number, Span(match.start("time"), end))
        zone = Span(match.start("zone"), match.end("zone")) if match["zone"] else Span(end, end)
        yield _Shown("timezone", number, zone)
