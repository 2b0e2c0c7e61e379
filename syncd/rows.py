"""Write the rows of a plan, within its transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from schema import store
from schema.db import Database
from schema.records import Table, Value
from syncd import numbers
from syncd.model import NEW, Sides, Verdict
from syncd.plan.gather import RecordId
from syncd.plan.owners import Parents

_OWNERS = frozenset({Table.TASKS, Table.ENTRIES})


def write(
    db: Database, verdicts: Sequence[tuple[Verdict, Sides]], parents: Parents, now: datetime
) -> tuple[dict[RecordId, str], int]:
    """Deletions of leaves, then insertions and updates from the owners down, then deletions of owners.

    An owner goes last because its leaves go with it, and one of them may have moved to another owner. Returns the keys
    that new records were given, and how many rows changed.
    """
    names: dict[RecordId, str] = {}
    gone = [v for v, sides in reversed(verdicts) if v.row is None and sides.db is not None]
    for verdict in gone:
        if verdict.table not in _OWNERS:
            store.delete_record(db, verdict.table.value, verdict.key)
    changed = len(gone)
    for verdict, sides in verdicts:
        if verdict.row is None:
            continue
        links = {n: _named(Table.ENTRIES, v, names) for n, v in parents.links(verdict, sides).items()}
        if sides.db is None:
            if verdict.key.startswith(NEW) and verdict.table not in (Table.TASKS, Table.CACHE):
                links["id"] = numbers.free(db, verdict.table.value)
            names[verdict.table, verdict.key] = _insert(db, verdict, links, now)
            changed += 1
            continue
        values = {n: v for n, v in verdict.row.items() if not same(n, v, sides.db.get(n))}
        if links and sides.before and not verdict.moved:
            stored = store.fetch(db, verdict.table.value, verdict.key) or {}
            values |= {n: v for n, v in links.items() if stored.get(n) != v and _is_there(db, n, v)}
        if values:
            store.update_record(db, verdict.table.value, verdict.key, values)
        if values or sides.base != sides.db:
            changed += 1
    changed += _let_stay(db, gone, parents, names)
    for verdict in gone:
        if verdict.table in _OWNERS:
            store.delete_record(db, verdict.table.value, verdict.key)
    return names, changed


def _is_there(db: Database, link: str, owner: Value) -> bool:
    """Whether an owner has a row: a client may have renamed or deleted it while its document was edited by hand."""
    table = "tasks" if link == "task_id" else "edit_entries"
    return bool(db.value(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE id = ?)", (str(owner),)))  # noqa: S608


def _let_stay(db: Database, gone: Sequence[Verdict], parents: Parents, names: Mapping[RecordId, str]) -> int:
    """Give the lines of entries that go, and whose text stands below another entry, to that one. How many there are."""
    entries = {v.key for v in gone if v.table is Table.ENTRIES}
    count, lines = 0, Table.MODIFICATIONS.value
    for entry in sorted(entries):
        for (number,) in db.rows("SELECT id FROM file_modifications WHERE edit_entry_id = ? ORDER BY id", (entry,)):
            paths = dict.fromkeys(place.path for place in store.readings_of(db, lines, str(number)))
            owners = (parents.entry_of(path, str(number)) for path in paths)
            if owner := next((o for o in owners if o is not None and o not in entries), None):
                values = {"edit_entry_id": _named(Table.ENTRIES, owner, names)}
                store.update_record(db, lines, str(number), values)
                count += 1
    return count


def same(name: str, a: Value, b: Value) -> bool:
    """Whether two values of a field are equal; dependencies are a set."""
    if name == "dependencies":
        return set(a or ()) == set(b or ())
    return a == b


def _named(table: Table, key: Value, names: Mapping[RecordId, str]) -> Value:
    return names.get((table, key), key) if isinstance(key, str) else key


def _insert(db: Database, verdict: Verdict, links: Mapping[str, Value], now: datetime) -> str:
    values: dict[str, Value] = {n: v for n, v in (verdict.row or {}).items() if v not in (None, ())}
    values |= links
    if verdict.table in (Table.TASKS, Table.CACHE) or not verdict.key.startswith(NEW):
        values["id"] = verdict.key
    if verdict.table is Table.ENTRIES:
        values["created_at"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return store.insert_record(db, verdict.table.value, values)
