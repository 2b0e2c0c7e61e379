"""Rows that no document shows as they are, and text whose row was deleted: what the writer refused, while it stands.

Fields of tasks that other places show with another value are drift (`syncd.drift`), not told here again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set

from msgspec import Struct

from schema import overview, store
from schema.db import Database
from schema.records import FIELDS, FOLLOWING, Reading, Role, Table
from syncd.model import Keyed, Row, Sides, Verdict
from syncd.plan.reconcile import settled
from syncd.state import BankState

_TABLES = (Table.TASKS, Table.SUBTASKS, Table.ENTRIES, Table.MODIFICATIONS, Table.SESSIONS, Table.ERRORS)


class Unshown(Struct, frozen=True):
    """A row that no document shows as it is. ``field`` is the one that differs, None where no document shows the row.

    ``document`` shows it; where ``gone``, it does so although there is no row.
    """

    table: str
    key: str
    field: str | None
    document: str | None
    gone: bool = False


def find(db: Database, state: BankState | None = None) -> list[Unshown]:
    """All of them, by table and key. Rows that are on their way to the files are left out."""
    state, underway = state or BankState(db), overview.unsealed(db)
    shown: dict[tuple[str, str], list[tuple[str, Reading]]] = {}
    for path in state.rows:
        keyed = state.base(path)
        for _, reading, key in keyed.readings() if keyed is not None else ():
            if reading.table in _TABLES:
                shown.setdefault((reading.table.value, key), []).append((path, reading))
    rows = {(table.value, key): row for table in _TABLES for key, row in store.fetch_all(db, table.value).items()}
    found = []
    for record in sorted((rows.keys() | shown.keys()) - underway):
        places = shown.get(record, [])
        if (told := _judge(Table(record[0]), rows.get(record), [reading for _, reading in places])) is not None:
            document = next((path for path, reading in places if _is_current(reading)), None)
            found.append(Unshown(*record, told or None, document, record not in rows))
    return found


def carried(
    known: Set[tuple[str, str]],
    verdicts: Iterable[tuple[Verdict, Sides]],
    documents: Mapping[str, Keyed | None],
    unsealed: Callable[[], Set[tuple[str, str]]],
) -> set[tuple[str, str]]:
    """The records that are unshown after a transaction, from those before it and what it touched. Pure.

    ``documents`` are those that it writes (None: gone); all other places of a record are as its sides have them.
    ``unsealed`` gives table and key of rows that wait to be written. What a file brought is no news here: its document
    shows it, and its key is not known yet.
    """
    touched = {(v.table.value, v.key): (v, s) for v, s in verdicts if v.table in _TABLES}
    if not touched:
        return set(known)
    shown = {record: [p.reading for p in s.after if p.path not in documents] for record, (_, s) in touched.items()}
    keys = {key for _, key in touched}
    for keyed in documents.values():
        for reading, key in keyed.showing(keys) if keyed is not None else ():
            if (record := (reading.table.value, key)) in shown:
                shown[record].append(reading)
    fresh = {
        record
        for record, (verdict, sides) in touched.items()
        if (sides.db is not None or sides.base is not None)
        and _judge(verdict.table, verdict.row, shown[record]) is not None
    }
    return {record for record in known if record not in touched} | (fresh - unsealed() if fresh else set())


def _judge(table: Table, row: Row | None, readings: Sequence[Reading]) -> str | None:
    """The field that no reading shows as the row has it; "" where it is the whole record; None where all is well."""
    current = [reading for reading in readings if _is_current(reading)]
    if row is None:
        return "" if current else None
    if not readings:
        return ""
    for name in FIELDS[table] if table is not Table.TASKS else ():
        said = [settled(name, reading.value(name)) for reading in readings if reading.shows(name)]
        if said and settled(name, row.get(name)) not in said:
            return name
    return None


def _is_current(reading: Reading) -> bool:
    return reading.role in FOLLOWING if reading.table is Table.TASKS else reading.role is not Role.ARCHIVE
