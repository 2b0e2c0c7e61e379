"""What the derived values of a batch are computed from: the statuses of all tasks, before and after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec.structs import replace

from schema.db import Database
from schema.records import Role, Table, Value
from syncd.model import Keyed, Shown, Sides, Verdict
from syncd.plan import derive
from syncd.plan.emission import Plan
from syncd.plan.gather import RecordId, row_of
from syncd.state import BankState

_CACHE = "session_cache.md"
COUNTED: RecordId = (Table.CACHE, "1")
_REGISTRY = "tasks.md"
_COUNTERS = {"active_count": "active", "paused_count": "paused", "completed_count": "completed"}


class Derived:
    """Statuses around one batch, and the new values of the session cache."""

    def __init__(
        self,
        db: Database,
        state: BankState,
        now: datetime,
        verdicts: Mapping[RecordId, Verdict],
        sides: Mapping[RecordId, Sides],
    ) -> None:
        self._db = db
        self._state = state
        self._now = now
        self._verdicts = verdicts
        self._known = sides
        self._universes: list[tuple[derive.Statuses, derive.Statuses]] | None = None
        self.sides = Sides(Table.CACHE, "1", None, None, (), ())

    def universes(self) -> list[tuple[derive.Statuses, derive.Statuses]]:
        """The tasks of the registry, and all tasks, each with their statuses before and after."""
        if self._universes is None and not self._statuses_change():
            self._universes = []  # whatever is counted, it stays
        if self._universes is None:
            before: dict[str, Value] = dict(self._db.rows("SELECT id, status FROM tasks"))
            after = dict(before)
            for (table, key), sides in self._known.items():
                if table is not Table.TASKS:
                    continue
                verdict = self._verdicts.get((table, key))
                _set(before, key, sides.base.get("status") if sides.base else None, sides.base is not None)
                row = verdict.row if verdict else None
                _set(after, key, row.get("status") if row else None, row is not None)
            registered = self._registered()
            self._universes = [
                (
                    {k: v for k, v in before.items() if k in registered},
                    {k: v for k, v in after.items() if k in registered},
                ),
                (before, after),
            ]
        return self._universes

    def _statuses_change(self) -> bool:
        """Whether the batch adds or removes a task, or changes the status of one."""
        for (table, key), sides in self._known.items():
            if table is Table.TASKS:
                verdict = self._verdicts.get((table, key))
                row = verdict.row if verdict else None
                before, after = ((r.get("status"), True) if r is not None else None for r in (sides.base, row))
                if before != after:
                    return True
        return False

    def _registered(self) -> set[str]:
        keyed = self._state.base(_REGISTRY)
        born = {v.key for v in self._verdicts.values() if v.table is Table.TASKS and v.insert}
        return born | ({k for _, r, k in keyed.readings() if r.role is Role.REGISTRY} if keyed else set())

    def cache(self, plan: Plan, current: Callable[[str], Keyed | None]) -> Verdict | None:
        """New counts and time for the session cache, if its document is about to be written and they differ.

        What the batch itself says of the cache stands.
        """
        keyed = current(_CACHE) if _CACHE in plan else None
        known, decided = self._known.get(COUNTED), self._verdicts.get(COUNTED)
        row = decided.row if decided else row_of(self._db, *COUNTED)
        if keyed is None or row is None:
            return None
        shown = [(at, reading) for at, reading, _ in keyed.readings() if reading.table is Table.CACHE]
        values: dict[str, Value] = {}
        for at, reading in shown:
            text = keyed.document.sections[at.section].text
            if new := derive.stamp_of(text, reading, self._now):
                values["last_updated"] = new
            for name, counter in _COUNTERS.items():
                if name in reading.fields and (count := derive.recount(counter, row.get(name), self.universes())):
                    values[name] = count
        if known is not None:
            base = known.base or {}
            values = {name: value for name, value in values.items() if base.get(name) == row.get(name)}
        if not values:
            return None
        after = tuple(Shown(_CACHE, at, reading) for at, reading in shown)
        self.sides = known or Sides(*COUNTED, row, row, after, after)
        verdict = decided or Verdict(*COUNTED, row)
        return replace(verdict, row={**row, **values}, show=frozenset(values))

    def forget(
        self, verdicts: dict[RecordId, Verdict], sides: dict[RecordId, Sides], before: Verdict | None
    ) -> None:
        """Nothing that rows asked for could be shown in the session cache: the row that was ``before`` stands."""
        if before is not None:
            verdicts[COUNTED] = before
            return
        verdicts.pop(COUNTED)
        sides.pop(COUNTED)


def _set(statuses: dict[str, Value], key: str, status: Value, there: bool) -> None:
    if there:
        statuses[key] = status
    else:
        statuses.pop(key, None)
