"""How tasks get into and out of the tables of the registry, and from one table to another.

A row whose table has no Status column has its status from the section: another status is another table. Whether a row
with a Status column moves too is the bank's practice: `writer.kinds.task_moves`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from parser.document import Document
from parser.kinds.registry import heading_status, row_id
from parser.tables import Row
from parser.values import render
from schema.patterns import pattern
from schema.records import Role, Status, Table, Value
from writer.changes import Insert, SetFields
from writer.edits import Edit, Plan
from writer.kinds import task_moves
from writer.kinds.registry_tables import Place, Tables, cell_text, column_name, reads, says_only, unread
from writer.places import before_section, behind_section, whole_lines

_HEADER = ("ID", "Title", "Status", "Priority", "Started", "Dependencies")
_FIELDS = ("title", "status", "priority", "started", "dependencies")
_FRESH = "## Active Tasks"
_WEIGHTY = ("title", "status", "priority")
_LINK = pattern(r"\[[^\]]*\](?:\([^)]*\))?")


def insert(document: Document, change: Insert) -> Iterator[list[Edit]]:
    """A row for a new task: in the table of its status, else in another that shows status, else in a new one."""
    task = change.values.get("id")
    if change.table is not Table.TASKS or not isinstance(task, str):
        return
    values = _told(change)
    tables = Tables(document)
    ranked = _ranked(tables, values)
    whole = [place for place in ranked if not _hidden(place, values)]
    for place in whole:
        yield from _rows(tables, place, task, values)
    if edit := _new_table(document, task, values):
        yield [edit]
    for place in ranked:
        if place not in whole:
            yield from _rows(tables, place, task, values)


def insert_all(document: Document, changes: Sequence[Insert]) -> Plan:
    """Rows for new tasks that a table shows whole, in the order given; where rows go from new to old, the last on top.

    A task that needs a table of its own has to come alone.
    """
    tables = Tables(document)
    edits: list[Edit] = []
    on_top: list[Edit] = []
    without: set[int] = set()
    for number, change in enumerate(changes):
        task, values = change.values.get("id"), _told(change)
        place = next(iter(_ranked(tables, values)), None) if change.table is Table.TASKS else None
        if place is None or not isinstance(task, str) or _hidden(place, values):
            without.add(number)
            continue
        edit = next(_rows(tables, place, task, values), None)
        if edit is None:
            without.add(number)
        else:
            (on_top if tables.newest_first(place) else edits).extend(edit)
    return Plan([*edits, *reversed(on_top)], frozenset(without))


def _told(change: Insert) -> dict[str, Value]:
    return {name: value for name, value in change.values.items() if value not in (None, (), "")}


def _rows(tables: Tables, place: Place, task: str, values: Mapping[str, Value]) -> Iterator[list[Edit]]:
    """A new row of a table, with a link to the task's file where the others have one, and without."""
    for link in (True, False):
        texts = _texts(tables, place, task, values, {}, link) + (tables.more(place, task) if link else [])
        if edit := tables.edit(place, texts):
            yield [edit]


def set_fields(document: Document, change: SetFields) -> Iterator[list[Edit]]:
    """Move a row to the table where this bank keeps tasks of its new status; if only that can show it, to any."""
    if _moves(document, change):
        yield from _moved(Tables(document), change)


def set_all(document: Document, changes: Sequence[SetFields]) -> Plan:
    """The first way for each change; the tables that rows move between are read once."""
    from writer.kinds import set_fields as replaced

    tables = Tables(document) if any(_moves(document, change) for change in changes) else None
    edits: list[Edit] = []
    for change in changes:
        moved = next(_moved(tables, change), None) if tables and _moves(document, change) else None
        edits += moved or next(replaced(document, change), [])
    return Plan(edits)


def _moves(document: Document, change: SetFields) -> bool:
    """Whether a change gives a row another status, by which it may move."""
    reading, status = document.at(change.at), change.values.get("status")
    return reading.role is Role.REGISTRY and isinstance(status, str) and status != reading.value("status")


def _moved(tables: Tables, change: SetFields) -> Iterator[list[Edit]]:
    document = tables.document
    reading, status = document.at(change.at), Status(str(change.values["status"]))
    source = tables.row_at(change.at.section, reading.span.start)
    if source is None:
        return
    origin, row = source
    gone = Edit(change.at.section, whole_lines(document.sections[origin.section].text, reading), "")
    carried = _carried(origin, row)
    values = {**change.record, **{n: f.value for n, f in reading.fields.items()}, **change.values}
    free = change.elsewhere | {name for name, value in change.values.items() if value in (None, ())}

    def into(place: Place) -> Edit | None:
        return tables.edit(place, _texts(tables, place, reading.key, values, carried, link=False))

    home = task_moves.new_place(tables, origin, row, status, free)
    if home is not None and (edit := into(home)):
        yield [gone, edit]
    if "status" in reading.fields or "status" not in reading.inherited:
        return
    others = [place for place in _ranked(tables, {"status": status}) if place.table != origin.table]
    titled = [p for p in others if "title" in p.columns or "title" in free or not reading.value("title")]
    own = (_new_table(document, reading.key, values) for _ in range(1))
    for edit in chain(map(into, titled), own, (into(p) for p in others if p not in titled)):
        if edit:
            yield [gone, edit]


def _ranked(tables: Tables, values: Mapping[str, Value]) -> list[Place]:
    """The tables that can show a task, best first: those that show most of it, then those of its status."""
    status = values.get("status")
    fitting = [p for p in tables.places if status is None or p.fits(status)]
    usual = task_moves.usual_place(tables, Status(status)) if isinstance(status, str) else None

    def rank(place: Place) -> tuple[int, int]:
        if place is usual:
            return _hidden(place, values), 0
        of_status = 1 if place.given == status else 2 if place.given is Status.IN_PROGRESS else 3
        return _hidden(place, values), of_status

    ranked = sorted(fitting, key=rank)
    if not ranked:
        return []
    best = ranked[0]
    twins = [p for p in ranked if p.section == best.section and rank(p) == rank(best)]
    chosen = twins[0] if tables.newest_first(best) else twins[-1]
    return [chosen, *(p for p in ranked if p is not chosen)]


def _hidden(place: Place, values: Mapping[str, Value]) -> int:
    """How many of the values that matter most a table has no place for. A status that fits is always told."""
    return sum(1 for name in _WEIGHTY if name in values and name not in place.columns and name != "status")


def _carried(origin: Place, row: Row) -> dict[str, str]:
    """The cells of ``row`` by the name of their column, as they stand."""
    names = (column_name(cell) for cell in origin.table.header.cells)
    return {name: cell.text for name, cell in zip(names, row.cells, strict=False)}


def _texts(
    tables: Tables, place: Place, task: str, values: Mapping[str, Value], carried: Mapping[str, str], link: bool
) -> list[str]:
    """The cells of a row for ``task``, each in the style of its column."""
    table = place.table
    by_column = {index: name for name, index in place.columns.items()}
    nothing = tables.nothing(place)
    cells = []
    for index, header in enumerate(table.header.cells):
        name = by_column.get(index)
        old = carried.get(column_name(header))
        if index == place.ids:
            cells.append(_id_like(place, task))
        elif name is None:
            cells.append(old or nothing)
        elif name == "details" and name not in values:
            cells.append((_link_like(place, index, task) if link else None) or nothing)
        elif old and unread(name, old):
            cells.append(old)
        elif values.get(name) in (None, ()):
            cells.append(nothing)
        elif old is not None and reads(name, old, values[name]):
            cells.append(old)
        elif old is not None and name == "status" and not says_only(name, old):
            cells.append(render(name, old, values[name]))
        else:
            cells.append(tables.styled(place, name, values[name]))
    return cells


def _id_like(place: Place, task: str) -> str:
    for row in reversed(place.table.rows):
        text = cell_text(row, place.ids)
        if known := row_id(text):
            return text.replace(known, task)
    return task


def _link_like(place: Place, index: int, task: str) -> str | None:
    """The link to the task's own file, where the last row has one to its own."""
    for row in reversed(place.table.rows):
        known = row_id(cell_text(row, place.ids))
        match = _LINK.match(cell_text(row, index))
        if known:
            return match[0].replace(known, task) if match and f"/{known}." in match[0] else None
    return None


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
