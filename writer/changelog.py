"""Completed tasks in a changelog, which is prose: a line below the heading of the day, or among unreleased work.

Where and how a line is written is learnt from the changelog: days or versions, blocks with their own heading, months.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from parser.document import Document, parse
from parser.kinds import TASK_ID
from parser.lines import open_lines
from parser.values import read_date, render
from schema.patterns import pattern
from schema.records import Span, Value
from writer.edits import Edit, apply_edits
from writer.places import before_section, behind_section, line_behind

Values = Mapping[str, Value]

_UNRELEASED = pattern(r"\[?unreleased\]?", re.I)
_FRESH = pattern(r"\b(?:added|changed)\b", re.I)
_DATE_HEADING = pattern(r"(?P<open>[\[(]?)(?P<date>\d{4}-\d{2}-\d{2}|[A-Z][a-z]+ \d{1,2}, \d{4})(?P<close>[\])]?)")
_VERSION = pattern(r"\[?v?\d+\.\d+", re.I)
_SEPARATOR = pattern(r"[ \t]*(?:[-–—:|][ \t]*)?")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MONTH = pattern(rf"(?:{'|'.join(_MONTHS)}) \d{{4}}")
_ITEM = pattern(r"(?P<mark>[-*+])[ \t]+")


class Done(Struct, frozen=True):
    """A task that is done, on a day ``YYYY-MM-DD``; ``note`` says what came of it."""

    task: str
    title: str | None
    day: str
    note: str | None = None

    @property
    def words(self) -> str:
        """The line about it."""
        said = self.note or self.title
        return f"{self.task}: {said}" if said else self.task


class _Day(Struct, frozen=True):
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
        title = str(values["title"]) if values.get("title") else None
        after = with_done(document, Done(task, title, str(values["completed"])[:10]))
        if after is None:
            refused.append((task, "it does not fit into one line"))
        else:
            document = after
    return document, refused


def with_done(document: Document, done: Done) -> Document | None:
    """``document`` with a line about a task that is done; None where it would take more than a line."""
    texts = section_texts(document, done)
    return None if texts is None else parse(document.path, "".join(texts), document)


def section_texts(document: Document, done: Done) -> list[str] | None:
    """The texts of the sections of ``document``, one of them with the line; None where it would take more than one."""
    if any(sign in f"{done.title}{done.note}" for sign in "\n\r"):
        return None
    told = _told(document, done)
    if told is not None and not done.note:
        return [section.text for section in document.sections]  # it was completed before, opened, completed again
    edit = _edit(document, done) if told is None or not _is_about(document, told, done) else None
    edit = edit or _into_list(document, told or 0, str(done.note))
    texts = apply_edits([section.text for section in document.sections], [edit])
    return texts if done.task in "".join(texts) else None


def _names(document: Document, task: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(task)}(?![\w-])", document.text) is not None


def _told(document: Document, done: Done) -> int | None:
    """The section that names the task already, among those of its day and of what is not released yet."""
    heads = [day.section for day in _days(document) if day.day == done.day]
    heads += [n for n, s in enumerate(document.sections) if s.level and _UNRELEASED.fullmatch(s.heading.strip())]
    named = re.compile(rf"(?<![\w-]){re.escape(done.task)}(?![\w-])")
    inside = (number for head in heads for number in (head, *_inside(document, head)))
    return next((number for number in inside if named.search(document.sections[number].text)), None)


def _is_about(document: Document, number: int, done: Done) -> bool:
    """Whether a section is about the task alone: its heading names it."""
    return re.search(rf"(?<![\w-]){re.escape(done.task)}(?![\w-])", document.sections[number].heading) is not None


def _edit(document: Document, done: Done) -> Edit:
    days = list(_days(document))
    first = next((n for n, s in enumerate(document.sections) if s.level == 2), None)
    if (unreleased := _unreleased(document)) is not None:
        return _into_list(document, unreleased, done.words)
    if first is not None and _VERSION.match(document.sections[first].heading):
        title = "[Unreleased]" if document.sections[first].heading.startswith("[") else "Unreleased"
        return before_section(document, first, f"## {title}\n\n### Added\n\n- {done.words}")
    if (here := next((d for d in days if d.day == done.day and not d.words), None)) is not None:
        inner = next(_inside(document, here.section), None)
        if inner is None:
            return _into_list(document, here.section, done.words)
        return before_section(document, inner, _inner(document, inner, done))
    if (before := next((d for d in days if d.day <= done.day), None)) is not None:
        return _before(document, before, done)
    block = _block(document, days[-1], done) if days else f"## {done.day}\n\n- {done.words}"
    if not document.text.strip():
        return Edit(0, Span(0, 0), f"# Changelog\n\n{block}\n")
    return behind_section(document, len(document.sections) - 1, block)


def _unreleased(document: Document) -> int | None:
    """The section whose list takes what is not released yet: below ``Unreleased`` that of additions, else the first."""
    top = next(
        (n for n, s in enumerate(document.sections) if s.level and _UNRELEASED.fullmatch(s.heading.strip())), None
    )
    if top is None:
        return None
    below = [top, *_inside(document, top)]
    fresh = [n for n in below if _FRESH.search(document.sections[n].heading)]
    listed = [n for n in below if any(_ITEM.match(line.text) for line in open_lines(document.sections[n].text))]
    return next(iter([*fresh, *listed, *below[1:], top]))


def _inside(document: Document, number: int) -> Iterator[int]:
    """The sections below the heading of one."""
    for below in range(number + 1, len(document.sections)):
        if document.sections[below].level <= document.sections[number].level:
            return
        yield below


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


def _before(document: Document, like: _Day, done: Done) -> Edit:
    """A section for a day before another; before the heading of that one's month where the day is in a later one."""
    block = _block(document, like, done)
    for number in range(like.section - 1, -1, -1):
        above = document.sections[number]
        if 0 < above.level < document.sections[like.section].level:
            month = f"{_MONTHS[int(done.day[5:7]) - 1]} {done.day[:4]}"
            if _MONTH.fullmatch(above.heading.strip()) and above.heading.strip() != month:
                return before_section(document, number, f"{'#' * above.level} {month}\n\n{block}")
            break
    return before_section(document, like.section, block)


def _block(document: Document, like: _Day, done: Done) -> str:
    """A section for a day in the form of another: with the words in its heading, or in one below it, or in a list."""
    text = document.sections[like.section].text
    line = text.partition("\n")[0].rstrip("\r")
    found = _DATE_HEADING.search(line)
    assert found is not None
    head = line[: found.start("date")] + render("date", found["date"], done.day) + found["close"]
    if like.words:
        separator = _SEPARATOR.match(like.words)
        assert separator is not None
        named = re.match(rf"{TASK_ID}(:?)", like.words[separator.end() :])
        name = f"{done.task}: {done.title}" if done.title else done.task
        head += f"{separator[0]}{name if named is None or named[1] else name.replace(': ', ' ', 1)}"
        return f"{head}{_said(document, like.section, done)}"
    if (inner := next(_inside(document, like.section), None)) is not None:
        return f"{head}\n{_gap(document, like.section)}{_inner(document, inner, done)}"
    return f"{head}\n{_gap(document, like.section)}- {done.words}"


def _inner(document: Document, like: int, done: Done) -> str:
    """A block with the task in its heading, below that of a day."""
    section = document.sections[like]
    name = f"{done.title} ({done.task})" if done.title else done.task
    if re.match(TASK_ID, section.heading):
        name = f"{done.task}: {done.title}" if done.title else done.task
    return f"{'#' * section.level} {name}{_said(document, like, done)}"


def _said(document: Document, like: int, done: Done) -> str:
    """A list of one line below a heading, where another has a list there."""
    listed = any(_ITEM.match(line.text) for line in open_lines(document.sections[like].text))
    return f"\n{_gap(document, like)}- {done.note or 'Completed'}" if listed or done.note else ""


def _gap(document: Document, like: int) -> str:
    """The empty line below a heading, where another has one."""
    text = document.sections[like].text
    return "\n" if re.match(r"[^\n]*\n[ \t]*\r?\n", text) else ""
