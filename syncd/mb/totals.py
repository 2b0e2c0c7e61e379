"""The totals of the session cache when work is recorded: they follow the tasks, also where nothing else there changes.

A converge computes them where it writes that document anyway. Who completes a task with `mb` expects them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from schema import store
from schema.records import Role, Table, Value
from syncd.plan.derive import Statuses, recount

if TYPE_CHECKING:
    from schema.db import Database
    from syncd.api import Transaction

_COUNTERS = {"active_count": "active", "paused_count": "paused", "completed_count": "completed"}


def kept(tx: Transaction, act: Callable[[], None]) -> None:
    """Do ``act`` and bring the totals along, as far as it is known what they count."""
    before = _statuses(tx.db)
    act()
    after = _statuses(tx.db)
    row = store.fetch(tx.db, Table.CACHE.value, "1")
    if before == after or row is None:
        return
    registered = _registered(tx.db) | (after.keys() - before.keys())
    universes = [(_of(before, registered), _of(after, registered)), (before, after)]
    new = {name: recount(counter, row.get(name), universes) for name, counter in _COUNTERS.items()}
    values: dict[str, Value] = {name: count for name, count in new.items() if count is not None}
    if values:
        store.update_record(tx.db, Table.CACHE.value, "1", values)


def _statuses(db: Database) -> dict[str, Value]:
    return dict(db.rows("SELECT id, status FROM tasks"))


def _of(statuses: Statuses, tasks: set[str]) -> Statuses:
    return {task: status for task, status in statuses.items() if task in tasks}


def _registered(db: Database) -> set[str]:
    """The tasks that the registry has a row for."""
    rows = db.rows(
        """SELECT DISTINCT r.key FROM readings AS r JOIN sections AS s ON s.id = r.section_id
        JOIN documents AS d ON d.id = s.document_id WHERE d.path = 'tasks.md' AND r."table" = 'tasks' AND r.role = ?""",
        (Role.REGISTRY.value,),
    )
    return {key for (key,) in rows}
