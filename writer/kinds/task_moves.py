"""In which table of a registry a bank keeps tasks of a status, learnt from where they stand.

A row moves if its new status has another home than its table, and the table there shows, or another place does, all
that the row says. Otherwise it stays where it is, with the new status: nothing that only it says is lost.
"""

from __future__ import annotations

from collections.abc import Collection

from parser.kinds.registry import row_id
from parser.tables import Row
from parser.values import is_nothing
from schema.records import Status
from writer.kinds.registry_tables import Place, Tables, cell_text, column_name, says_only

_FINAL = frozenset({Status.COMPLETED, Status.CANCELLED})


def usual_place(tables: Tables, status: Status) -> Place | None:
    """The table with most tasks of ``status``; where there are none, the one whose section is named after it."""
    most = max((tables.count(place, status) for place in tables.places), default=0)
    same = [place for place in tables.places if tables.count(place, status) == most]
    named = next((place for place in same if place.given == status), None)
    return named if named is not None or not most else same[0]


def new_place(tables: Tables, origin: Place, row: Row, status: Status, elsewhere: Collection[str]) -> Place | None:
    """The table that a row of ``origin`` moves to as its task gets ``status``; None where it stays.

    ``elsewhere`` names what other places show, or what has no value any more.
    """
    home = usual_place(tables, status)
    if home is None and origin.given in _FINAL:
        home = next((p for p in tables.places if p.given is Status.IN_PROGRESS and p.tells_status), None)
    if home is None or home.given == origin.given or not home.fits(status):
        return None
    if tables.holds(home, row_id(cell_text(row, origin.ids)) or ""):
        return None
    if tables.count(origin, status) and tables.count(home, status) <= tables.count(origin, status):
        return None
    return home if _keeps(home, origin, row, elsewhere) else None


def _keeps(home: Place, origin: Place, row: Row, elsewhere: Collection[str]) -> bool:
    """Whether all that a row says is said in its new table, or elsewhere."""
    headers = origin.table.header.cells
    if len(row.cells) > len(headers):
        return False
    if any(len({column_name(cell) for cell in each}) < len(each) for each in (headers, home.table.header.cells)):
        return False  # which of two columns of one name a cell belongs to, nobody can tell
    columns = {column_name(cell) for cell in home.table.header.cells}
    fields = {index: name for name, index in origin.columns.items()}
    for index, cell in enumerate(row.cells):
        name = fields.get(index)
        if index == origin.ids or is_nothing(cell.text) or column_name(headers[index]) in columns:
            continue
        if name is None or not (name in home.columns or _told(name, cell.text, elsewhere)):
            return False
    return True


def _told(name: str, text: str, elsewhere: Collection[str]) -> bool:
    """Whether a cell says no more than its value, and that is told elsewhere.

    A status is told by the section's heading, a link to the task's file by that file.
    """
    if not says_only(name, text):
        return False
    return name in ("status", "details") or name in elsewhere
