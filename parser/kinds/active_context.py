"""The active context: mostly prose, in which some tasks stand with their status or priority.

Only what clearly says how a task stands is read. Titles are free wording here; sections about what was completed or
done recently are history and give no readings.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from itertools import islice, takewhile

from msgspec import Struct
from msgspec.structs import replace

from parser.document import Parsed
from parser.fields import Label, labels
from parser.kinds.task_fields import whole_lines, why_unread
from parser.kinds.task_mentions import (
    Mention,
    header,
    heading_mention,
    list_mention,
    mention_fields,
    one_task,
    said_again,
)
from parser.lines import Line, open_lines
from parser.values import is_nothing, read_priority, read_status
from schema.patterns import pattern
from schema.records import Field, Problem, Reading, Role, Span, Table

_HISTORY = pattern(
    r"\b(?:complet\w*|done|finished|recent\w*|histor\w*|previous\w*|past|earlier|archived?|accomplish\w*|closed)\b"
    r"|\bthis session\b",
    re.I,
)
_FOCUS = pattern(r"current focus\b", re.I)
_BULLET = pattern(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]")
_NAMES = {"status": "status", "current status": "status", "priority": "priority"}
_TASK = frozenset({"task", "focus task", "current task", "active task"})
_PRIORITY = pattern(r"\((?P<priority>critical|high|medium|low)(?:[ \t]+priority)?\)", re.I)


class _Context(Struct, frozen=True):
    """``history`` is the level of the heading that began a section of history, 0 for none."""

    dated: bool = False
    titled: bool = False
    focused: bool = False
    history: int = 0


class _Block(Struct, frozen=True):
    """Lines about one task: the one that names it and those below it. ``again`` is a status said a second time."""

    id: str
    fields: dict[str, Field]
    again: dict[str, Field]
    below: Sequence[Line]
    span: Span


class ContextGrammar:
    """Reads ``activeContext.md``."""

    def start(self, path: str) -> Hashable:
        return _Context()

    def read(self, text: str, level: int, title: str, context: Hashable) -> Parsed:
        assert isinstance(context, _Context)
        held = list(open_lines(text))
        mention = heading_mention(held[0]) if level > 1 and held else None
        here = _enter(context, level, title, mention)
        readings: list[Reading] = []
        problems: list[Problem] = []
        if not here.dated and not here.history and (dates := list(header(text, Role.CONTEXT))):
            readings += dates
            here = replace(here, dated=True)
        if not here.history:
            for block in _blocks(text, held, mention):
                found, unread = _said(block)
                readings += found
                problems += unread
        readings.sort(key=lambda reading: reading.span)
        return Parsed(tuple(readings), tuple(problems), here)


def _enter(context: _Context, level: int, title: str, mention: Mention | None) -> _Context:
    """The context inside a section with this heading. A second title or focus begins an older context: history."""
    if level == 0 or (context.history and level > context.history):
        return context
    here = replace(context, history=0) if context.history > 1 else context
    if level == 1:
        return replace(here, titled=True, history=1 if here.titled else 0)
    if mention is not None or here.history:
        return here
    if _FOCUS.match(title):
        return replace(here, focused=True, history=1 if here.focused else 0)
    return replace(here, history=level) if _HISTORY.search(title) else here


def _blocks(text: str, held: list[Line], mention: Mention | None) -> Iterator[_Block]:
    """The blocks of lines about one task: below a heading, below a numbered line, below ``Task: …``."""
    if mention is not None:
        fields = mention_fields(text, mention, title=False)
        again = said_again(text, mention)
        yield _Block(mention.id, fields, again, _until_list(held), Span(0, len(text)))
        return
    for number, line in enumerate(held):
        listed = list_mention(line)
        if listed is not None:
            fields = mention_fields(text, listed, title=False)
            if listed.title is not None and (priority := _PRIORITY.search(text, *listed.title)):
                fields["priority"] = Field(priority["priority"].upper(), Span(*priority.span("priority")))
            below = _nested(held, number, listed.indent)
            span = whole_lines(text, [Span(x.start, x.end) for x in [line, *below]])
            yield _Block(listed.id, fields, said_again(text, listed), below, span)
            continue
        task = next((one_task(label.value) for label in labels(line) if label.name in _TASK), None)
        if task is not None:
            below = _paragraph(held, number)
            yield _Block(task, {}, {}, below, whole_lines(text, [Span(x.start, x.end) for x in below]))


def _until_list(held: Sequence[Line]) -> list[Line]:
    """The lines between a heading and the first list: a list below a task's heading is prose."""
    return list(takewhile(lambda line: not _BULLET.match(line.text), islice(held, 1, None)))


def _nested(held: Sequence[Line], number: int, indent: int) -> list[Line]:
    """The lines that are indented below the list line ``number``, first level only."""
    found: list[Line] = []
    level = None
    for index in range(number + 1, len(held)):
        text = held[index].text.expandtabs(4)
        deep = len(text) - len(text.lstrip())
        if not text.strip() or deep <= indent:
            break
        level = deep if level is None else level
        if deep <= level:
            found.append(held[index])
    return found


def _paragraph(held: Sequence[Line], number: int) -> list[Line]:
    """The line ``number`` and those below it, up to the next blank one."""
    found = []
    for index in range(number, len(held)):
        if not held[index].text.strip():
            break
        found.append(held[index])
    return found


def _said(block: _Block) -> tuple[list[Reading], list[Problem]]:
    """The readings of a block: a field that is said twice makes a second one, for the line that says it again."""
    problems: list[Problem] = []
    fields = dict(block.fields)
    again = [_reading(block.id, {name: field}, field.span) for name, field in block.again.items()]
    for line in block.below:
        for label in labels(line):
            name = _NAMES.get(label.name)
            if name is None or not label.value:
                continue
            field = _field(name, label)
            if field is None:
                problems.append(Problem(line.number, why_unread(name, label.value)))
            elif name not in fields:
                fields[name] = field
            else:
                again.append(_reading(block.id, {name: field}, Span(line.start, line.end)))
    return ([_reading(block.id, fields, block.span), *again] if fields else []), problems


def _field(name: str, label: Label) -> Field | None:
    """The value of a label; None where it cannot be read."""
    value = read_status(label.value) if name == "status" else read_priority(label.value)
    if value is None:
        return Field(None, label.value_span) if is_nothing(label.value) else None
    return Field(str(value), label.value_span)


def _reading(task: str, fields: dict[str, Field], span: Span) -> Reading:
    return Reading(Table.TASKS, task, Role.CONTEXT, fields, span)


GRAMMAR = ContextGrammar()
