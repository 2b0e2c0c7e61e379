"""Completed tasks in a changelog, which is prose: a line below the heading of the day, or among unreleased work."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from parser.document import Document, parse
from parser.kinds import TASK_ID
from parser.lines import open_lines
from parser.values import read_date, render
from schema.records import Value
from writer.edits import Edit, apply_edits
from writer.places import before_section, behind_section, line_behind, newline

Values = Mapping[str, Value]

_UNRELEASED = re.compile(r"\[?unreleased\]?", re.I)
_DATE_HEADING = re.compile(r"(?P<open>[\[(]?)(?P<date>\d{4}-\d{2}-\d{2}|[A-Z][a-z]+ \d{1,2}, \d{4})(?P<close>[\])]?)")
_VERSION = re.compile(r"\[?v?\d+\.\d+", re.I)
_SEPARATOR = re.compile(r"[ \t]*(?:[-–—:|][ \t]*)?")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MONTH = re.compile(rf"(?:{'|'.join(_MONTHS)}) \d{{4}}")
_ITEM = re.compile(r"(?P<mark>[-*+])[ \t]+")


class _Day(NamedTuple):
    """A heading that names a day: its section, the day, and what is written behind it."""

    section: int
    day: str
    words: str


def with_tasks(document: Document, tasks: Mapping[str, Values]) -> tuple[Document, list[tuple[str, str]]]:
    """``document`` with a line for each of ``tasks`` (by id) that it does not name yet, and those refused with why."""
    refused: list[tuple[str, str]] = []
    for task, values in sorted(tasks.items(), key=lambda item: (str(item[1]["completed"]), item[0])):
        if _names(document, task):
            continue
        words = f"{task}: {values['title']}" if values.get("title") else task
        after = None if "\n" in words or "\r" in words else _with(document, str(values["completed"])[:10], words)
        if after is None or not _names(after, task):
            refused.append((task, "it does not fit into one line"))
        else:
            document = after
    return document, refused


def _names(document: Document, task: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(task)}(?![\w-])", document.text) is not None


def _with(document: Document, day: str, words: str) -> Document:
    texts = [section.text for section in document.sections] or [""]
    unreleased = _unreleased(document)
    days = list(_days(document))
    if unreleased is not None:
        edit = _into_list(document, unreleased, words)
    elif (here := next((d for d in days if d.day == day and not d.words), None)) is not None:
        edit = _into_list(document, here.section, words)
    elif (before := next((d for d in days if d.day <= day), None)) is not None:
        edit = _before(document, before, day, words)
    elif document.sections:
        last = len(document.sections) - 1
        block = _block(document, days[-1], day, words) if days else f"## {day}\n\n- {words}"
        edit = behind_section(document, last, block)
    else:
        return parse(document.path, f"## {day}\n\n- {words}\n")
    return parse(document.path, "".join(apply_edits(texts, [edit])), document)


def _unreleased(document: Document) -> int | None:
    """The section whose list takes what is not released yet: its first one below ``Unreleased`` with a list."""
    top = next(
        (n for n, s in enumerate(document.sections) if s.level and _UNRELEASED.fullmatch(s.heading.strip())), None
    )
    if top is None:
        return None
    level = document.sections[top].level
    for number in range(top, len(document.sections)):
        if number > top and document.sections[number].level <= level:
            break
        if any(_ITEM.match(line.text) for line in open_lines(document.sections[number].text)):
            return number
    return top


def _days(document: Document) -> Iterator[_Day]:
    for number, section in enumerate(document.sections):
        found = _DATE_HEADING.match(section.heading.strip()) if section.level > 1 else None
        day = read_date(found["date"]) if found and not _VERSION.match(section.heading) else None
        if found and day:
            yield _Day(number, day, section.heading.strip()[found.end() :])


def _into_list(document: Document, number: int, words: str) -> Edit:
    """A line behind the last item of a section's list, else as the first there."""
    section = document.sections[number]
    items = [line for line in open_lines(section.text) if _ITEM.match(line.text)]
    if not items:
        return behind_section(document, number, f"- {words}")
    mark = _ITEM.match(items[-1].text)
    assert mark is not None
    end = items[-1].start
    for line in open_lines(section.text):  # what is indented below the item belongs to it
        if line.start > end and line.text[:1] in " \t" and line.text.strip():
            end = line.start
        elif line.start > items[-1].start:
            break
    return line_behind(document, number, end, f"{mark['mark']} {words}")


def _before(document: Document, like: _Day, day: str, words: str) -> Edit:
    """A section for ``day`` before another; before the heading of that one's month where ``day`` is in a later one."""
    block = _block(document, like, day, words)
    for number in range(like.section - 1, -1, -1):
        above = document.sections[number]
        if 0 < above.level < document.sections[like.section].level:
            month = f"{_MONTHS[int(day[5:7]) - 1]} {day[:4]}"
            if _MONTH.fullmatch(above.heading.strip()) and above.heading.strip() != month:
                return before_section(document, number, f"{'#' * above.level} {month}\n\n{block}")
            break
    return before_section(document, like.section, block)


def _block(document: Document, like: _Day, day: str, words: str) -> str:
    """A section for ``day`` in the form of another: with the words in its heading where that has them there."""
    text = document.sections[like.section].text
    line = text.partition("\n")[0].rstrip("\r")
    found = _DATE_HEADING.search(line)
    assert found is not None
    head = line[: found.start("date")] + render("date", found["date"], day) + found["close"]
    if like.words:
        separator = _SEPARATOR.match(like.words)
        assert separator is not None
        named = re.match(rf"{TASK_ID}(:?)", like.words[separator.end() :])
        return f"{head}{separator[0]}{words if named is None or named[1] else words.replace(': ', ' ', 1)}"
    gap = "\n" if text[len(line) :].startswith(newline(document) * 2) else ""
    return f"{head}\n{gap}- {words}"
