"""Changes of the session cache that need more than a field or a block where it stands.

A new task comes into the list of tasks that the cache keeps, if it keeps one: `writer.kinds.cache_lists`.
"""

from __future__ import annotations

from collections.abc import Iterator

from parser.document import Document
from parser.kinds.session_cache import Area, Context
from parser.kinds.task_mentions import heading_mention
from parser.lines import lines
from schema.records import Span, Table
from writer.changes import Insert, Remove
from writer.edits import Edit
from writer.kinds import cache_lists

FIXED = frozenset({Table.CACHE})
"""The cache itself is a part of the file, not a block in it."""


def insert(document: Document, change: Insert) -> Iterator[list[Edit]]:
    """A line or a section for a task in the list that the cache keeps of them."""
    task = change.values.get("id")
    if change.table is Table.TASKS and isinstance(task, str):
        yield from cache_lists.places_for(document, task, change.values, entering=change.entering, begins=change.begins)


def remove(document: Document, change: Remove) -> Iterator[list[Edit]]:
    """Remove a task's section; if need be together with those of this cache that tell of the same task again.

    Without the first, one of the others would show the task.
    """
    from writer.kinds import remove as alone

    yield from alone(document, change)
    reading = document.at(change.at)
    first = change.at.section
    if reading.table is not Table.TASKS or reading.span != Span(0, len(document.sections[first].text)):
        return
    numbers = [n for n in range(first, len(document.sections)) if n == first or _tells_of(document, n, reading.key)]
    if len(numbers) > 1:
        yield [edit for number in numbers for edit in _whole(document, number)]


def _tells_of(document: Document, number: int, task: str) -> bool:
    """Whether a section of the current cache is of ``task`` and gave no reading."""
    section = document.sections[number]
    context = section.parsed.after
    if section.level == 0 or section.readings or not isinstance(context, Context):
        return False
    if context.history or context.area is not Area.TASKS:
        return False
    mention = heading_mention(lines(section.text)[0])
    return mention is not None and mention.id == task


def _whole(document: Document, number: int) -> Iterator[Edit]:
    """The deletion of a section and of those under its heading."""
    level = document.sections[number].level
    yield Edit(number, Span(0, len(document.sections[number].text)), "")
    for below in range(number + 1, len(document.sections)):
        if document.sections[below].level <= level:
            return
        yield Edit(below, Span(0, len(document.sections[below].text)), "")
