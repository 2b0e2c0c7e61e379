"""Changes of a session's file: fields are set where they stand or put in; the session goes with its file alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parser.document import Document
from parser.fields import labels
from parser.kinds.session import NAMES
from parser.lines import open_lines
from parser.values import render
from schema.records import Table, Value
from writer.canonical import SESSION_LABELS, shown
from writer.changes import SetFields
from writer.edits import Edit
from writer.places import line_behind

FIXED = frozenset({Table.SESSIONS})
"""What is left of the text would still be the session."""

_NEAR = {
    "start_time": ("status", "focus_task"),
    "end_time": ("start_time", "status", "focus_task"),
    "focus_task": ("end_time", "start_time", "status"),
    "status": ("focus_task", "end_time", "start_time"),
}
"""Behind the line of which other field one is put in, best first."""


def set_fields(document: Document, change: SetFields) -> Iterator[list[Edit]]:
    """A line for a field that the file does not show so far: behind its usual neighbour, else below the title."""
    reading = document.at(change.at)
    if reading.table is not Table.SESSIONS or len(change.values) != 1:
        return
    ((name, value),) = change.values.items()
    section = document.sections[change.at.section]
    if name in reading.values() or name not in _NEAR or not isinstance(value, str) or "\n" in value:
        return
    known = {
        NAMES[label.name]: (line, label)
        for line in open_lines(section.text)
        for label in reversed(labels(line))
        if label.name in NAMES and line.start >= reading.span.start
    }
    near = next((known[other] for other in _NEAR[name] if other in known), None)
    if near is not None:
        line, label = near
        before = line.text[: label.value_span.start - line.start]
        opening = re.sub(re.escape(label.name), SESSION_LABELS[name], before, count=1, flags=re.I)
        if opening != before and len(labels(line)) == 1:
            tail = line.text[label.value_span.end - line.start :]
            yield [
                line_behind(document, change.at.section, line.start, opening + _text(name, label.value, value) + tail)
            ]
    if section.level:
        start = section.text.partition("\n\n")[0].rstrip()
        plain = f"**{SESSION_LABELS[name]}**: {_text(name, '', value)}"
        yield [line_behind(document, change.at.section, len(start), "\n" + plain)]


def _text(name: str, near: str, value: Value) -> str:
    """``value``, a time in the form of the one beside it."""
    if name in ("start_time", "end_time") and re.search(r"\d:\d\d", near):
        return render(name, near, value)
    return shown(name, value)
