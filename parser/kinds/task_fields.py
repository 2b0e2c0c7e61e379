"""The fields of a task as labels write them (`**Status**: 🔄`), in task files and in details sections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct, field

from parser.fields import Label, labels
from parser.kinds import TASK_ID
from parser.lines import Line
from parser.values import ICON, is_nothing, read_date, read_ids, read_priority, read_status
from schema.patterns import pattern
from schema.records import Field, Place, Problem, Span, Value

LABELS: Mapping[str, str] = {
    "title": "title",
    "status": "status",
    "current status": "status",
    "task status": "status",
    "overall status": "status",
    "priority": "priority",
    "started": "started",
    "start date": "started",
    "completed": "completed",
    "completed on": "completed",
    "completion date": "completed",
    "last updated": "last_updated",
    "updated": "last_updated",
    "last active": "last_updated",
    "last": "last_updated",
    "description": "description",
    "dependencies": "dependencies",
    "depends on": "dependencies",
}
"""Which field a label names. `Created` and all others are prose."""

MINOR = frozenset({"last active", "last"})
"""Labels that say when a task was last updated only where no `Last Updated` line does."""

_LISTED = pattern(r"\s*(?:[-*+]|\d+[.)])\s")
_EMPHASIS = pattern(r"(\*\*|~~|__)((?:(?!\1).)+)\1")
_ICON_END = pattern(rf"[ \t]*[-–—:]?[ \t]*{ICON}[ \t]*$")
_MANY_WORDS = 6


class _Unread:
    """What a reader answers when a text holds no value of its field."""


UNREAD = _Unread()


def _read_status(text: str) -> Value | _Unread:
    status = read_status(text)
    return UNREAD if status is None else str(status)


def _read_priority(text: str) -> Value | _Unread:
    priority = read_priority(text)
    return UNREAD if priority is None else str(priority)


def _read_date(text: str) -> Value | _Unread:
    return read_date(text) or UNREAD


def _read_ids(text: str) -> Value | _Unread:
    return read_ids(text) or UNREAD


_READERS: Mapping[str, tuple[Callable[[str], Value | _Unread], str]] = {
    "status": (_read_status, "no status"),
    "priority": (_read_priority, "no priority"),
    "started": (_read_date, "no date"),
    "completed": (_read_date, "no date"),
    "last_updated": (_read_date, "no date"),
    "dependencies": (_read_ids, "no task id"),
}


def read_value(name: str, text: str) -> Value | _Unread:
    """The value that ``text`` gives field ``name`` of a task; `UNREAD` where it gives none.

    Texts that mean nothing (``-``, ``None``) are None, or ``()`` for dependencies.
    """
    if is_nothing(text):
        return () if name == "dependencies" else None
    reader = _READERS.get(name)
    return reader[0](text) if reader else text


def why_unread(name: str, text: str) -> str:
    """The sentence for a text at the place of field ``name`` that could not be read."""
    return f"{_READERS[name][1]} is readable in {name} {text[:60]!r}"


class Block(Struct):
    """The fields of one block of labels, while it is read.

    ``again`` holds fields whose label stood in the block before: they show the same task a second time.
    """

    fields: dict[str, Field] = field(default_factory=dict)
    again: list[tuple[str, Field]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, name: str, value: Field) -> None:
        """Take in a field; a second one of its name goes to ``again``. Of several last updates the first counts."""
        if name not in self.fields:
            self.fields[name] = value
        elif name != "last_updated":
            self.again.append((name, value))


def header_lines(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines of a block of fields: up to the first table row or list item that is no field."""
    for line in lines:
        text = line.text
        if text.lstrip().startswith("|") or (_LISTED.match(text) and not labels(line)):
            return
        yield line


def read_block(lines: Iterable[Line], names: frozenset[str], known: frozenset[str] = frozenset()) -> Block:
    """Read the labels that stand for fields in ``names``; ``known`` are fields that earlier sections gave a value."""
    block = Block()
    minor: list[Label] = []
    held = list(lines)
    for number, line in enumerate(held):
        for label in labels(line):
            name = LABELS.get(label.name)
            if name not in names:
                continue
            if label.name in MINOR:
                minor.append(label)
            elif name == "description":
                if label.value and not _goes_on(held[number + 1 :], line):
                    block.add(name, Field(label.value, label.value_span))
            else:
                _take(block, name, label)
    if "last_updated" not in block.fields and "last_updated" not in known:
        for label in minor[:1]:
            _take(block, "last_updated", label)
    return block


def _take(block: Block, name: str, label: Label) -> None:
    value = read_value(name, label.value)
    if not isinstance(value, _Unread):
        block.add(name, Field(value, label.value_span))
    elif name == "status" or len(label.value.split()) <= _MANY_WORDS:
        block.problems.append(Problem(label.line.number, why_unread(name, label.value)))


def _goes_on(after: list[Line], line: Line) -> bool:
    """Whether the paragraph of ``line`` goes on in the next line: a value of several lines is prose."""
    if not after or after[0].number != line.number + 1:
        return False
    text = after[0].text.strip()
    return bool(text) and not labels(after[0]) and not text.startswith(("#", "|", "---"))


def title_field(match: re.Match[str]) -> Field | None:
    """The title in the group ``title`` of a heading, without a status icon behind it; None where it is just an id."""
    title = _ICON_END.sub("", match["title"] or "")
    if not title or re.fullmatch(TASK_ID, title):
        return None
    start = match.start("title")
    return Field(title, Span(start, start + len(title)))


def whole_lines(text: str, spans: Iterable[Span]) -> Span:
    """The whole lines (with the last line's break) from the first of ``spans`` to the last one."""
    held = list(spans)
    start = text.rfind("\n", 0, min(s.start for s in held)) + 1
    end = text.find("\n", max(s.end for s in held))
    return Span(start, len(text) if end < 0 else end + 1)


def cell_field(name: str, text: str, span: Span) -> Field | None:
    """The field of a table cell, None where it cannot be read. Emphasis around a whole title is not part of it."""
    value = read_value(name, text)
    if isinstance(value, _Unread):
        return None
    if name == "title" and isinstance(value, str) and (mark := _EMPHASIS.fullmatch(value)):
        edge = len(mark[1])
        return Field(mark[2], Span(span.start + edge, span.end - edge), Place.CELL)
    return Field(value, span, Place.CELL)
