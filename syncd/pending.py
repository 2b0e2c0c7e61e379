"""What other clients of the database changed and no transaction has yet. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from schema import journal, store
from schema.db import Database
from schema.journal import Net
from schema.records import Action, Table

if TYPE_CHECKING:
    from syncd.plan.gather import RecordId


class Pending(Struct, frozen=True):
    """Net changes per record and per section of prose. ``idle`` says that some changes come to nothing."""

    records: Mapping[RecordId, Net] = field(default_factory=dict)
    sections: Mapping[int, Net] = field(default_factory=dict)
    idle: bool = False


class Seen(Struct, frozen=True):
    """The last row change that a plan knows of, and whether some of those up to it come to nothing."""

    upto: int
    idle: bool


def row_changes(db: Database) -> Pending:
    """Fold the pending changes of each row into one."""
    if not journal.has_pending(db):
        return Pending()
    pending = journal.pending(db)
    nets = journal.coalesce(pending)
    sections = {int(key): net for (table, key), net in nets.items() if table == "sections"}
    idle = any((change.table, change.key) not in nets for change in pending)
    return Pending(_by_record(db, nets), sections, idle)


def sealable(db: Database, upto: int, waiting: Collection[tuple[str, str]]) -> list[int]:
    """The ids of the pending changes up to ``upto`` that can be sealed while ``waiting`` records are not.

    What comes to nothing waits for nothing, and would be found again by each converge.
    """
    pending = [change for change in journal.pending(db) if change.id <= upto]
    nets = journal.coalesce(pending)
    return [c.id for c in pending if _owner(c.table, c.key) not in waiting or (c.table, c.key) not in nets]


def _owner(table: str, key: str) -> tuple[str, str]:
    """The record that a change is of: a dependency is the task's."""
    return ("tasks", key.partition(">")[0]) if table == "task_dependencies" else (table, key)


def _by_record(db: Database, nets: dict[tuple[str, str], Net]) -> dict[RecordId, Net]:
    """Net changes by record; those of a task's dependencies become a change of the task."""
    from syncd.plan.gather import TABLE_NAMES

    records: dict[RecordId, Net] = {}
    needs: dict[str, list[tuple[str, Net]]] = {}
    for (table, key), net in nets.items():
        if table == "task_dependencies":
            task, _, need = key.partition(">")
            needs.setdefault(task, []).append((need, net))
        elif table in TABLE_NAMES:
            records[Table(table), key] = net
    for task, changes in needs.items():
        records[Table.TASKS, task] = _with_needs(db, task, records.get((Table.TASKS, task)), changes)
    return records


def _with_needs(db: Database, task: str, net: Net | None, changes: list[tuple[str, Net]]) -> Net:
    row = store.fetch(db, "tasks", task)
    now = set((row or {}).get("dependencies") or ())
    added = {need for need, change in changes if change.operation == "insert"}
    gone = {need for need, change in changes if change.operation == "delete"}
    before = {"dependencies": tuple(sorted((now - added) | gone))}
    if net is None:
        return Net(Action.UPDATE, before, {"dependencies": tuple(sorted(now))})
    if net.operation == "insert":
        return net
    return Net(net.operation, {**(net.before or {}), **before}, net.after)
