"""How tasks get into and out of the tables of the registry, and from one table to another.

A row whose table has no Status column has its status from the section: another status is another table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from parser.document import Document
from parser.kinds.registry import field_columns, heading_status, id_column, row_id
from parser.tables import Cell, Row, TableBlock, find_tables
from parser.values import is_nothing, read_date, read_ids, read_priority, read_status, render
from schema.records import Reading, Status, Table, Value
from writer.canonical import shown
from writer.cells import row_like
from writer.changes import Insert, SetFields
from writer.edits import Edit
from writer.places import before_section, behind_section, line_behind, whole_lines

_HEADER = ("ID", "Title", "Status", "Priority", "Started", "Dependencies")
_FIELDS = ("title", "status", "priority", "started", "dependencies")
_FRESH = "## Active Tasks"
_WEIGHTY = ("title", "status", "priority")
_DIGITS = re.compile(r"\d+")
_LINK = re.compile(r"\[[^\]]*\](?:\([^)]*\))?")


class Place(NamedTuple):
    """A table of tasks: where it stands, what its columns mean, the status that its section gives it."""

    section: int
    table: TableBlock
    ids: int
    columns: Mapping[str, int]
    given: Status | None

    @property
    def tells_status(self) -> bool:
        return "status" in self.columns

    def fits(self, status: Value) -> bool:
        """Whether a row here can have ``status``."""
        return self.tells_status or (self.given is not None and self.given == status)


def insert(document: Document, change: Insert) -> Iterator[list[Edit]]:
    """A row for a new task: in the table of its status, else in another that shows status, else in a new one."""
    task = change.values.get("id")
    if change.table is not Table.TASKS or not isinstance(task, str):
        return
    values = {name: value for name, value in change.values.items() if value not in (None, (), "")}
    ranked = _ranked(document, values)
    whole = [place for place in ranked if not _hidden(place, values)]
    for place in whole:
        yield from _rows(document, place, task, values)
    if edit := _new_table(document, task, values):
        yield [edit]
    for place in ranked:
        if place not in whole:
            yield from _rows(document, place, task, values)


def _rows(document: Document, place: Place, task: str, values: Mapping[str, Value]) -> Iterator[list[Edit]]:
    """A new row of a table, with a link to the task's file where the others have one, and without."""
    for link in (True, False):
        if edit := _new_row(document, place, _texts(document, place, task, values, {}, link)):
            yield [edit]


def set_fields(document: Document, change: SetFields) -> Iterator[list[Edit]]:
    """Move a row whose status is that of its section to a table that can show the new one, its other cells with it."""
    reading = document.at(change.at)
    status = change.values.get("status")
    inherits = "status" in reading.inherited and "status" not in reading.fields
    if reading.table is not Table.TASKS or not inherits or not isinstance(status, str):
        return
    places = _places(document)
    source = next((found for place in places if (found := _row_at(place, change, reading))), None)
    if source is None:
        return
    origin, row = source
    text = document.sections[origin.section].text
    gone = Edit(change.at.section, whole_lines(text, reading), "")
    carried = _carried(origin, row)
    values = {**{n: f.value for n, f in reading.fields.items()}, **change.values}
    for place in _ranked(document, {"status": status}):
        if place.table != origin.table:
            texts = _texts(document, place, reading.key, values, carried, link=False)
            if edit := _new_row(document, place, texts):
                yield [gone, edit]
    if edit := _new_table(document, reading.key, values):
        yield [gone, edit]


def _places(document: Document) -> list[Place]:
    """All tables of tasks, in the order of the text."""
    found: list[Place] = []
    above: list[tuple[int, Status | None]] = []
    for number, section in enumerate(document.sections):
        if section.level:
            above = [h for h in above if h[0] < section.level]
            above.append((section.level, heading_status(section.heading)))
        given = next((status for _, status in reversed(above) if status is not None), None)
        for table in find_tables(section.text):
            ids = id_column(table)
            if ids is not None:
                found.append(Place(number, table, ids, field_columns(table), given))
    return found


def _ranked(document: Document, values: Mapping[str, Value]) -> list[Place]:
    """The tables that can show a task, best first: those that show most of it, then those of its status."""
    status = values.get("status")
    fitting = [p for p in _places(document) if status is None or p.fits(status)]

    def rank(place: Place) -> tuple[int, int]:
        of_status = 0 if place.given == status else 1 if place.given is Status.IN_PROGRESS else 2
        return _hidden(place, values), of_status

    ranked = sorted(fitting, key=rank)
    if not ranked:
        return []
    best = ranked[0]
    twins = [p for p in ranked if p.section == best.section and rank(p) == rank(best)]
    chosen = twins[0] if _newest_first(best) else twins[-1]
    return [chosen, *(p for p in ranked if p is not chosen)]


def _hidden(place: Place, values: Mapping[str, Value]) -> int:
    """How many of the values that matter most a table has no place for. A status that fits is always told."""
    return sum(1 for name in _WEIGHTY if name in values and name not in place.columns and name != "status")


def _newest_first(place: Place) -> bool:
    """Whether the rows of a table go from new to old: by their dates, where these do not tell by their ids."""
    for name in ("completed", "started"):
        index = place.columns.get(name)
        if index is not None:
            dates = [read_date(_text(row, index)) or "" for row in place.table.rows]
            if direction := _direction([d for d in dates if d]):
                return direction < 0
    ids = [i for row in place.table.rows if (i := row_id(_text(row, place.ids)))]
    return _direction([_natural(i) for i in ids]) < 0


def _direction(values: Sequence[str]) -> int:
    """Positive where neighbours rise more often than they fall."""
    return sum((a < b) - (a > b) for a, b in pairwise(values))


def _natural(task: str) -> str:
    """An id as a text that sorts by its number."""
    return _DIGITS.sub(lambda match: match[0].zfill(8), task)


def _text(row: Row, index: int) -> str:
    return row.cells[index].text if index < len(row.cells) else ""


def _row_at(place: Place, change: SetFields, reading: Reading) -> tuple[Place, Row] | None:
    if place.section != change.at.section:
        return None
    row = next((r for r in place.table.rows if r.line.start == reading.span.start), None)
    return (place, row) if row else None


def _carried(origin: Place, row: Row) -> dict[str, str]:
    """The cells of ``row`` by the name of their column, as they stand."""
    names = (_column_name(cell) for cell in origin.table.header.cells)
    return {name: cell.text for name, cell in zip(names, row.cells, strict=False)}


def _column_name(cell: Cell) -> str:
    return cell.text.strip("*_ ").casefold()


def _texts(
    document: Document, place: Place, task: str, values: Mapping[str, Value], carried: Mapping[str, str], link: bool
) -> list[str]:
    """The cells of a row for ``task``, each in the style of its column."""
    table = place.table
    by_column = {index: name for name, index in place.columns.items()}
    nothing = _nothing(table)
    cells = []
    for index, header in enumerate(table.header.cells):
        name = by_column.get(index)
        old = carried.get(_column_name(header))
        if index == place.ids:
            cells.append(_id_like(place, task))
        elif name is None:
            cells.append(old or nothing)
        elif name == "details" and name not in values:
            cells.append((_link_like(place, index, task) if link else None) or nothing)
        elif values.get(name) in (None, ()):
            cells.append(nothing)
        elif old is not None and _reads(name, old, values[name]):
            cells.append(old)
        else:
            cells.append(_styled(document, place, name, values[name]))
    return cells


def _nothing(table: TableBlock) -> str:
    """How this table writes that there is no value."""
    seen = Counter(c.text for row in table.rows for c in row.cells if c.text and is_nothing(c.text))
    return seen.most_common(1)[0][0] if seen else "-"


def _id_like(place: Place, task: str) -> str:
    for row in reversed(place.table.rows):
        text = _text(row, place.ids)
        if known := row_id(text):
            return text.replace(known, task)
    return task


def _link_like(place: Place, index: int, task: str) -> str | None:
    """The link to the task's own file, where the last row has one to its own."""
    for row in reversed(place.table.rows):
        known = row_id(_text(row, place.ids))
        match = _LINK.match(_text(row, index))
        if known:
            return match[0].replace(known, task) if match and f"/{known}." in match[0] else None
    return None


def _styled(document: Document, place: Place, name: str, value: Value) -> str:
    """``value`` as most cells of its column write it: as those with the same value, else in the style of the others."""
    if isinstance(value, tuple):
        return ", ".join(value)
    plain = value or ""
    if name in ("title", "details"):
        return plain
    models = _models(place, name) or [t for other in _places(document) for t in _models(other, name)]
    same = [text for text in models if _reads(name, text, value)]
    usual = Counter(same or models).most_common(1)
    text = render(name, usual[0][0], value) if usual else shown(name, value)
    return text if _reads(name, text, value) else plain


def _models(place: Place, name: str) -> list[str]:
    index = place.columns.get(name)
    if index is None:
        return []
    texts = [_text(row, index) for row in place.table.rows]
    return [t for t in texts if not is_nothing(t) and _read(name, t) is not None]


def _read(name: str, text: str) -> Value:
    match name:
        case "status":
            return read_status(text)
        case "priority":
            return read_priority(text)
        case "dependencies":
            return read_ids(text)
        case "title" | "details":
            return text
    return read_date(text)


def _reads(name: str, text: str, value: Value) -> bool:
    return _read(name, text) == value


def _new_row(document: Document, place: Place, texts: list[str]) -> Edit | None:
    section = document.sections[place.section]
    row = row_like(section.text, place.table, texts)
    if row is None:
        return None
    delimiter = section.text.index("\n", place.table.header.line.start) + 1
    last = place.table.rows[-1].line.start if place.table.rows else delimiter
    return line_behind(document, place.section, delimiter if _newest_first(place) else last, row)


def _new_table(document: Document, task: str, values: Mapping[str, Value]) -> Edit | None:
    """A table of its own: in a section of active tasks, else in a new one behind the header."""
    cells = [task]
    for name in _FIELDS:
        value = values.get(name)
        text = ", ".join(value) if isinstance(value, tuple) else render(name, "", value) if value else "-"
        if "\n" in text:
            return None
        cells.append(re.sub(r"(?<!\\)\|", r"\\|", text) or "-")
    rows = [_line(_HEADER), "|" + "|".join("-" * (len(h) + 2) for h in _HEADER) + "|", _line(cells)]
    table = "\n".join(rows)
    wanted = heading_status(_FRESH)
    for number, section in enumerate(document.sections):
        if section.level and heading_status(section.heading) is wanted:
            return behind_section(document, number, table)
    block = f"{_FRESH}\n\n{table}"
    first = next((n for n, s in enumerate(document.sections) if s.level > 1), None)
    if first is None:
        return behind_section(document, len(document.sections) - 1, block)
    if first == 0:
        return before_section(document, 0, block)
    return behind_section(document, first - 1, block)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
