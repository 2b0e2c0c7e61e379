"""The task registry, ``tasks.md``: rows of tables, details sections, list lines, header and counts."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from parser.document import Parsed
from parser.fields import header_moment, labels
from parser.kinds import TASK_ID
from parser.kinds.task_fields import cell_field, header_lines, read_block, title_field, whole_lines, why_unread
from parser.lines import open_lines
from parser.tables import Cell, Row, TableBlock, column, find_tables
from parser.values import is_nothing, read_date, read_status
from schema.patterns import pattern
from schema.records import Field, Place, Problem, Reading, Role, Span, Status, Table, Value

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "title": ("Title", "Task", "Name", "Task Title", "Task Name"),
    "status": ("Status", "State"),
    "priority": ("Priority", "Prio"),
    "started": ("Started", "Start", "Start Date", "Started On"),
    "completed": ("Completed", "Completed On", "Completion Date", "Done"),
    "last_updated": ("Last Updated", "Updated", "Last Active", "Last"),
    "dependencies": ("Dependencies", "Depends On", "Deps", "Dependency"),
    "details": ("Details", "File", "Notes", "Link"),
}
"""The headers of the column that shows a field. `Related Tasks` and all others show none."""

_STATUS_WORDS: tuple[tuple[str, Status], ...] = (
    (r"completed|done|finished", Status.COMPLETED),
    (r"paused|on hold", Status.PAUSED),
    (r"cancell?ed|superseded|abandoned", Status.CANCELLED),
    (r"blocked", Status.BLOCKED),
    (r"pending|planned|queued|backlog|todo|to do|upcoming|not started", Status.PENDING),
    (r"active|in[ -_]progress|current|ongoing", Status.IN_PROGRESS),
)
_STATUS_HEADINGS = tuple((pattern(rf"\b(?:{words})\b", re.I), status) for words, status in _STATUS_WORDS)
_ID_CELL = pattern(rf"(?:\*\*|~~|`|\[)*(?P<id>{TASK_ID})(?:\*\*|~~|`|\](?:\([^)]*\))?)*")
_DETAILS = pattern(
    rf"#+[ \t]+(?:Task:?[ \t]+)?\**(?P<id>{TASK_ID})\**[ \t]*(?::|[-–—][ \t])[ \t]*"
    r"(?P<title>\S.*?)?[ \t]*(?:#+[ \t]*)?\r?(?:\n|$)"
)
_LINE = pattern(
    rf"[ \t]*[-*+][ \t]+\**(?P<id>{TASK_ID})\**:[ \t]+(?P<title>\S.*?)[ \t]+[-–—][ \t]+(?P<status>\S[^\n]*?)[ \t]*"
)
_DETAIL_FIELDS = frozenset({"status", "priority", "started", "completed", "last_updated", "dependencies"})
_COUNTED: Mapping[str, str] = {
    "active": "active",
    "in progress": "in_progress",
    "pending": "pending",
    "paused": "paused",
    "completed": "completed",
    "cancelled": "cancelled",
    "blocked": "blocked",
    "total": "total",
}


_NEWEST = frozenset({"latest task id", "latest task", "last task id", "highest task id"})


class Heading(Struct, frozen=True):
    """A heading above the section that is read: its level, and the status that it gives the tables below it."""

    level: int
    status: Status | None
    details: bool


class Above(Struct, frozen=True):
    """What a section of the registry has to know: the headings above it, and whether the header was met."""

    headings: tuple[Heading, ...] = ()
    dated: bool = False

    @property
    def status(self) -> Status | None:
        """The status that the nearest heading gives."""
        return next((h.status for h in reversed(self.headings) if h.status is not None), None)


def heading_status(title: str) -> Status | None:
    """The status that a heading such as ``Completed Tasks`` gives the tables below it."""
    return next((status for pattern, status in _STATUS_HEADINGS if pattern.search(title)), None)


def row_id(cell: str) -> str | None:
    """The task id that a cell holds and nothing else, without emphasis or link."""
    match = _ID_CELL.fullmatch(cell.strip())
    return match["id"] if match else None


def id_column(table: TableBlock) -> int | None:
    """The column with task ids, None where the table is none of tasks.

    A column named ID makes a table one of tasks if it also names titles or statuses, or holds an id; a column named
    Task only if it holds ids.
    """
    named = column(table, "ID", "Task ID")
    if named is not None:
        known = any(column(table, *COLUMNS[name]) is not None for name in ("title", "status"))
        return named if known or _holds_id(table, named) else None
    loose = column(table, "Task", "#", "Tasks")
    return loose if loose is not None and _holds_id(table, loose) else None


def _holds_id(table: TableBlock, index: int) -> bool:
    return any(len(row.cells) > index and row_id(row.cells[index].text) is not None for row in table.rows)


def field_columns(table: TableBlock) -> dict[str, int]:
    """Which column shows which field."""
    taken = id_column(table)
    found = {name: column(table, *headers) for name, headers in COLUMNS.items()}
    return {name: index for name, index in found.items() if index is not None and index != taken}


class RegistryGrammar:
    """Reads ``tasks.md``."""

    def start(self, path: str) -> Hashable:
        return Above()

    def read(self, text: str, level: int, title: str, context: Hashable) -> Parsed:
        assert isinstance(context, Above)
        details = _DETAILS.match(text) if level > 1 else None
        above = _below(context, level, None if details else heading_status(title), details is not None)
        readings: list[Reading] = []
        problems: list[Problem] = []
        inside = any(h.details for h in above.headings)
        if not (above.dated or inside) and (header := _header(text)):
            readings.append(header)
            above = replace(above, dated=True)
        if details:
            reading, unread = _details(text, details)
            readings.append(reading)
            problems += unread
        tables = find_tables(text) if "|" in text else []
        for table in tables:
            rows, unread = _rows(text, table, above.status)
            readings += rows
            problems += unread
        if not inside:
            if above.status is not None:
                readings += _lines(text, tables)
            readings += _counts(text)
        readings.sort(key=lambda r: r.span)
        return Parsed(tuple(readings), tuple(problems), above)


def _below(above: Above, level: int, status: Status | None, details: bool) -> Above:
    if level == 0:
        return above
    kept = tuple(h for h in above.headings if h.level < level)
    return replace(above, headings=(*kept, Heading(level, status, details)))


def _header(text: str) -> Reading | None:
    for line in open_lines(text):
        label = header_moment(line)
        if label is not None:
            fields = {"last_updated": Field(read_date(label.value), label.value_span)}
            return Reading(Table.HEADER, "header", Role.OWN, fields, Span(line.start, line.end))
    return None


def _details(text: str, heading: re.Match[str]) -> tuple[Reading, list[Problem]]:
    """A task's section below the tables: its heading and the fields up to the first list."""
    fields: dict[str, Field] = {}
    if title := title_field(heading):
        fields["title"] = title
    body = (line for line in open_lines(text) if line.number > 0)
    block = read_block(header_lines(body), _DETAIL_FIELDS)
    reading = Reading(Table.TASKS, heading["id"], Role.DETAILS, {**fields, **block.fields}, Span(0, len(text)))
    return reading, block.problems


def _rows(text: str, table: TableBlock, inherited: Status | None) -> tuple[list[Reading], list[Problem]]:
    index = id_column(table)
    if index is None:
        return [], []
    columns = field_columns(table)
    given: dict[str, Value] = {}
    if "status" not in columns and inherited is not None:
        given["status"] = str(inherited)
    readings: list[Reading] = []
    problems: list[Problem] = []
    for row in table.rows:
        name = row.cells[index].text if index < len(row.cells) else ""
        task = row_id(name)
        if task is None:
            if not _blank(row):
                problems.append(Problem(row.line.number, f"{name[:60]!r} in the ID column is no task id"))
            continue
        fields, unread = _cells(row, columns)
        problems += unread
        span = whole_lines(text, [Span(row.line.start, row.line.end)])
        readings.append(Reading(Table.TASKS, task, Role.REGISTRY, fields, span, given))
    return readings, problems


def _blank(row: Row) -> bool:
    return all(is_nothing(cell.text) or not cell.text.strip(".…*_ ") for cell in row.cells)


def _cells(row: Row, columns: Mapping[str, int]) -> tuple[dict[str, Field], list[Problem]]:
    fields: dict[str, Field] = {}
    problems: list[Problem] = []
    for name, index in columns.items():
        if index >= len(row.cells):
            continue
        cell: Cell = row.cells[index]
        field = cell_field(name, cell.text, cell.span)
        if field is not None:
            fields[name] = field
        else:
            problems.append(Problem(row.line.number, why_unread(name, cell.text)))
    return fields, problems


def _lines(text: str, tables: list[TableBlock]) -> Iterator[Reading]:
    """List lines ``- T5: Title - ✅`` of a section that is named after a status."""
    for line in open_lines(text):
        match = _LINE.fullmatch(line.text)
        status = read_status(match["status"]) if match else None
        if match is None or status is None:
            continue
        fields = {
            "title": Field(match["title"], _shifted(match, "title", line.start)),
            "status": Field(str(status), _shifted(match, "status", line.start), Place.LINE),
        }
        span = whole_lines(text, [Span(line.start, line.end)])
        yield Reading(Table.TASKS, match["id"], Role.REGISTRY, fields, span)


def _shifted(match: re.Match[str], group: str, offset: int) -> Span:
    return Span(match.start(group) + offset, match.end(group) + offset)


def _counts(text: str) -> Iterator[Reading]:
    """Counts of a section (``- **Active Tasks:** 10``): labels with a number, or with the newest id."""
    fields: dict[str, Field] = {}
    ends: list[Span] = []
    for line in open_lines(text):
        if not any(c.isdigit() for c in line.text) or line.text.startswith("|"):
            continue
        for label in labels(line):
            name = _COUNTED.get(label.name.removesuffix(" tasks"))
            newest = label.name in _NEWEST and row_id(label.value) == label.value
            name = "latest" if newest else name
            if name and name not in fields and (newest or (label.value.isascii() and label.value.isdigit())):
                fields[name] = Field(label.value, label.value_span)
                ends.append(Span(line.start, line.end))
    if fields:
        yield Reading(Table.COUNTS, "counts", Role.OWN, fields, Span(ends[0].start, ends[-1].end))


GRAMMAR = RegistryGrammar()
