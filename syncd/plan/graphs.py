"""What a document's graph of tasks has to show anew because rows changed. Reads rows; writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schema import store
from schema.db import Database
from schema.records import Table, Value
from syncd.model import Keyed, Row, Sides, Verdict
from syncd.plan.gather import RecordId
from syncd.plan.reconcile import settled

_KINDS = frozenset({"registry", "session_cache", "active_context"})  # what shows all tasks, not one
_DRAWN = ("title", "status", "dependencies")


class Graphs:
    """Brings the graphs of a batch along. ``shown`` are the fields that the batch asks the files to show, by record."""

    def __init__(
        self,
        db: Database,
        verdicts: Mapping[RecordId, Verdict],
        sides: Mapping[RecordId, Sides],
        shown: Mapping[RecordId, frozenset[str]],
    ) -> None:
        self._db = db
        self._verdicts = verdicts
        self._sides = sides
        self._shown = shown
        self._rows: dict[str, Row] | None = None

    def drawn(self, before: Keyed, after: Keyed) -> Keyed:
        """``after``, a document with all other changes made on ``before``, with its graphs of tasks brought along."""
        document = after.document
        if document.kind not in _KINDS or "```" not in document.text:
            return after
        from writer import graphs  # loaded late, as all that not every command needs

        changes = [
            graphs.TaskChange(key, old, new) for key, old, new in self._changes(before) if old is not None or new
        ]
        if not changes:
            return after
        return Keyed(graphs.redraw(document, changes, self._tasks()), after.keys)

    def _changes(self, before: Keyed) -> Iterator[tuple[str, Row | None, Row | None]]:
        """Each task that changed, with its values before and after; only those that the batch asks for differ."""
        for (table, key), verdict in self._verdicts.items():
            if table is not Table.TASKS or (table, key) not in self._shown:
                continue
            base, row = self._sides[table, key].base, verdict.row
            if verdict.remove or verdict.insert or row is None:
                yield key, None if verdict.insert else base, row
                continue
            new = {name: row.get(name) for name in _DRAWN}
            told = {name: self._before(before, key, name, base, row) for name in self._shown[table, key] & {*_DRAWN}}
            if told:
                yield key, {**new, **told}, new

    def _before(self, document: Keyed, task: str, name: str, base: Row | None, row: Row) -> Value:
        """A field as it was: in the row, else, where a manual edit changed that before, in this document."""
        if base is not None and settled(name, base.get(name)) != settled(name, row.get(name)):
            return base.get(name)
        readings = (r for _, r, k in document.readings() if r.table is Table.TASKS and k == task and r.shows(name))
        return next((r.value(name) for r in readings), row.get(name))

    def _tasks(self) -> dict[str, Row]:
        """All tasks as they were."""
        if self._rows is None:
            self._rows = dict(store.fetch_all(self._db, Table.TASKS.value))
            for (table, key), sides in self._sides.items():
                if table is Table.TASKS and sides.base is not None:
                    self._rows[key] = sides.base
                elif table is Table.TASKS and (table, key) in self._verdicts:
                    self._rows.pop(key, None)
        return self._rows
