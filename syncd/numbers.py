"""Numbers of records that were given to others, and records that were given other numbers.

A document may still show a record whose row is gone: an archive the item of a deleted task, any document a line that
could not be taken out of it. Its reading keeps the number that the row had, by which it comes back. SQLite gives
numbers again: the row that gets such a one is another record, and is not to be written where the first one stands.

The other way round, a row that went while one of the same words came, as where a program numbers rows anew or writes
them again, is the same record: its text stays where it stands, with all that people wrote below it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from schema import store
from schema.columns import RECORD_COLUMNS
from schema.db import Database
from schema.journal import Net, Values
from schema.records import FIELDS, Action, Table, Value
from syncd.model import Keyed
from syncd.plan.gather import RecordId
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


def renumbered(db: Database, nets: Mapping[RecordId, Net]) -> tuple[dict[RecordId, str], dict[RecordId, Net]]:
    """The new numbers of records that some text shows, and the changes of records under the numbers they have now."""
    numbers: dict[RecordId, str] = {}
    if not any(net.operation is Action.DELETE for net in nets.values()):
        return numbers, dict(nets)
    for table in (*_KNOWN_BY, Table.SESSIONS):
        gone, came = (
            {key: net.before or {} for (t, key), net in nets.items() if t is table and net.operation is operation}
            for operation in (Action.DELETE, Action.INSERT)
        )
        if gone and came:
            shown = {key: row for key, row in gone.items() if store.readings_of(db, table.value, key)}
            numbers |= {(table, old): new for old, new in _pairs(db, table, shown, came, numbers).items()}
    left = {record: net for record, net in nets.items() if record not in numbers}
    for (table, old), new in numbers.items():
        row = store.fetch(db, table.value, new) or {}
        left[table, new] = Net(Action.UPDATE, *_differing(nets[table, old].before or {}, row, table))
    left = {record: _below_the_same(net, numbers) for record, net in left.items()}
    return numbers, {record: net for record, net in left.items() if net.operation is not Action.UPDATE or net.after}


def _pairs(
    db: Database, table: Table, gone: Mapping[str, Values], came: Collection[str], numbers: Mapping[RecordId, str]
) -> dict[str, str]:
    """The new number of each row that went: the one that it was given, else one of a row that says the same."""
    found: dict[str, str] = {}
    given = _given(db, table)
    for key in gone:
        new, left = given.get(key), len(given)
        while new is not None and new not in came and left:  # it may have been given several, one after the other
            new, left = given.get(new), left - 1
        if new is not None and new in came:
            found[key] = new
    alike: dict[object, list[str]] = {}
    for key in sorted(set(came) - set(found.values()), key=int):
        alike.setdefault(_look(table, store.fetch(db, table.value, key) or {}, {}), []).append(key)
    for key in [key for key in gone if key not in found]:
        if same := alike.get(_look(table, gone[key], numbers)):
            found[key] = same.pop(0)
    return found


def _given(db: Database, table: Table) -> dict[str, str]:
    """The numbers that rows were given, by the ones that they had: a change of it is journalled in two lines."""
    return dict(
        db.rows(
            """SELECT d.key, i.key FROM row_changes AS d JOIN row_changes AS i ON i.id = d.id + 1
            WHERE d."transaction" IS NULL AND i."transaction" IS NULL AND d."table" = ?1 AND i."table" = ?1
            AND d.operation = 'delete' AND i.operation = 'insert'
            AND json_remove(d.before, '$.id') = json_remove(i.after, '$.id') ORDER BY d.id""",
            (table.value,),
        )
    )


def _differing(before: Values, now: Values, table: Table) -> tuple[dict[str, Value], dict[str, Value]]:
    """The columns in which two rows differ, with the values of the first and of the second."""
    names = [name for name in RECORD_COLUMNS[table.value] if name not in ("id", "created_at", "timestamp", "position")]
    names += ["timestamp"] if table is Table.ERRORS else []
    changed = [name for name in names if (before.get(name) or None) != (now.get(name) or None)]
    return {name: before.get(name) for name in changed}, {name: now.get(name) for name in changed}


_ENTRY = "edit_entry_id"


def _look(table: Table, row: Mapping[str, Value], numbers: Mapping[RecordId, str]) -> object:
    """What a row says and belongs to; of a session where its document is."""
    if table is Table.SESSIONS:
        return row.get("path") or object()
    entry = str(row.get(_ENTRY))
    owner = row.get("task_id") if table is Table.SUBTASKS else numbers.get((Table.ENTRIES, entry), entry)
    return owner, tuple(row.get(name) or None for name in FIELDS[table])


def _below_the_same(net: Net, numbers: Mapping[RecordId, str]) -> Net:
    """``net`` without the change of an entry's number that a line has because the entry was given another one."""
    old, new = ((values or {}).get(_ENTRY) for values in (net.before, net.after))
    if net.operation is not Action.UPDATE or old is None or numbers.get((Table.ENTRIES, str(old))) != new:
        return net
    before, after = ({n: v for n, v in (values or {}).items() if n != _ENTRY} for values in (net.before, net.after))
    return Net(net.operation, before, after)


def let_go(
    db: Database, state: BankState, nets: Mapping[RecordId, Net], numbers: Mapping[RecordId, str]
) -> None:
    """Note in ``state`` which places show an earlier record than the new row that has its number now.

    And which show a record that has another number now, of those in ``numbers``.
    """
    found: dict[str, dict[tuple[int, int], tuple[str, str, str]]] = {}
    for (table, key), new in numbers.items():
        for where in store.readings_of(db, table.value, key):
            found.setdefault(where.path, {})[where.section_id, where.ordinal] = table.value, key, new
    for (table, key), net in nets.items():
        if table not in _KNOWN_BY or net.operation is not Action.INSERT:
            continue
        places = store.readings_of(db, table.value, key)
        row = store.fetch(db, table.value, key) if places else None
        for where in places if row else ():
            keyed = state.base(where.path)
            number = next((n for n, s in enumerate(state.sections(where.path)) if s.id == where.section_id), None)
            if keyed is not None and number is not None and not _shows(keyed, number, where.ordinal, table, row or {}):
                found.setdefault(where.path, {})[where.section_id, where.ordinal] = table.value, key, ""
    state.rename(found)


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
    """Write what `let_go` noted: the new number, or the key "" of a record which is not known."""
    for places in state.renamed.values():
        for (section, ordinal), (table, key, number) in places.items():
            if number or store.fetch(db, table, key) is not None:
                place = (number, section, ordinal)
                db.run("UPDATE readings SET key = ? WHERE section_id = ? AND ordinal = ?", place)
    state.rename({})
