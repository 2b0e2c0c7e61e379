"""Numbers of records that were given to others.

A document may still show a record whose row is gone: an archive the item of a deleted task, any document a line that
could not be taken out of it. Its reading keeps the number that the row had, by which it comes back. SQLite gives
numbers again: the row that gets such a one is another record, and is not to be written where the first one stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schema import store
from schema.db import Database
from schema.journal import Net
from schema.records import Action, Table, Value
from syncd.model import Keyed
from syncd.plan.reconcile import settled
from syncd.state import BankState

_KNOWN_BY: Mapping[Table, tuple[str, ...]] = {
    Table.SUBTASKS: ("text",),
    Table.ENTRIES: ("date", "time"),
    Table.MODIFICATIONS: ("file_path",),
    Table.ERRORS: ("timestamp", "error_message"),
}
"""Fields that tell one record from another, for tables whose rows may go while their text stays."""


def free(db: Database, table: str, used: Iterable[int] = ()) -> str:
    """The next number for a new row of ``table`` that no row and none of ``used`` has, and no reading names."""
    number = max([int(db.value(f"SELECT coalesce(max(id), 0) FROM {table}")), *used]) + 1  # noqa: S608
    while db.value('SELECT 1 FROM readings WHERE "table" = ? AND key = ? LIMIT 1', (table, str(number))):
        number += 1
    return str(number)


def let_go(db: Database, state: BankState, nets: Mapping[tuple[Table, str], Net]) -> None:
    """Note in ``state`` which places show an earlier record than the new row that has its number now."""
    found: dict[str, dict[tuple[int, int], tuple[str, str]]] = {}
    for (table, key), net in nets.items():
        if table not in _KNOWN_BY or net.operation is not Action.INSERT:
            continue
        places = store.readings_of(db, table.value, key)
        row = store.fetch(db, table.value, key) if places else None
        for where in places if row else ():
            keyed = state.base(where.path)
            number = next((n for n, s in enumerate(state.sections(where.path)) if s.id == where.section_id), None)
            if keyed is not None and number is not None and not _shows(keyed, number, where.ordinal, table, row or {}):
                found.setdefault(where.path, {})[where.section_id, where.ordinal] = table.value, key
    state.unname(found)


def _shows(keyed: Keyed, section: int, ordinal: int, table: Table, row: Mapping[str, Value]) -> bool:
    """Whether the reading there is one of this row, or would be but for what else was changed in it."""
    entry = ""
    for at, reading, key in keyed.readings():
        if reading.table is Table.ENTRIES:
            entry = key
        if (at.section, at.reading) == (section, ordinal):
            if table is Table.MODIFICATIONS and entry != row.get("edit_entry_id"):
                return False
            shown = [name for name in _KNOWN_BY[table] if reading.shows(name)]
            return bool(shown) and all(settled(n, reading.value(n)) == settled(n, row.get(n)) for n in shown)
    return True  # the grammar sees less there than when it was stored


def release(db: Database, state: BankState) -> None:
    """Write what `let_go` noted: such a reading has the key "" from now on, that of a record which is not known."""
    for places in state.nameless.values():
        for (section, ordinal), (table, key) in places.items():
            if store.fetch(db, table, key) is not None:
                db.run("UPDATE readings SET key = '' WHERE section_id = ? AND ordinal = ?", (section, ordinal))
    state.unname({})
