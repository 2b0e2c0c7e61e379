"""Which row a text that was put back shows, where only its words tell, and records of the same words are told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from parser.document import At
from schema.db import Database
from schema.records import Reading, Table
from syncd.history.past import RowValues
from syncd.model import NEW, Keyed, Row
from syncd.plan.gather import ROWS, RecordId, row_of
from syncd.plan.reconcile import settled


class Spare:
    """Rows for readings whose record nothing else tells, or that were taken for one which is to go: its twin."""

    def __init__(self, db: Database, rows: Mapping[tuple[str, str], RowValues | None]) -> None:
        self._db = db
        self._gone = {row for row, values in rows.items() if values is None}
        self._rows: dict[Table, dict[str, Row]] = {}
        self._taken: set[RecordId] = set()  # what other documents show; this may be another place of it
        for table, key in rows.keys() - self._gone:
            if table in {t.value for t in ROWS} and (row := row_of(db, Table(table), key)) is not None:
                self._rows.setdefault(Table(table), {})[key] = row

    def named(self, keyed: Keyed, base: Keyed | None) -> Keyed:
        """``keyed`` with the keys of rows that ``base`` showed and it does not, or that come back: the likest first."""
        shown = {(reading.table, key) for _, reading, key in keyed.readings()}
        fresh, elsewhere = self._spare(shown, taken=False), self._spare(shown, taken=True)
        found: dict[At, str] = {}
        doomed = [(at, r) for at, r, key in keyed.readings() if (r.table.value, key) in self._gone]
        if doomed and base is not None:
            self._fill(doomed, self._left(base, shown), found, 1.0)
        born = [(at, r) for at, r, key in keyed.readings() if key.startswith(NEW)]
        self._fill(born, fresh, found, 1.0)
        self._fill(born, elsewhere, found, 1.0)
        self._fill(born, fresh, found, 0.5)
        self._taken |= shown | {(r.table, found[at]) for at, r in born if at in found}
        keys = [list(section) for section in keyed.keys]
        for at, key in found.items():
            keys[at.section][at.reading] = key
        return Keyed(keyed.document, tuple(map(tuple, keys)))

    def _spare(self, shown: Set[RecordId], *, taken: bool) -> dict[Table, dict[str, Row]]:
        """The rows that are not ``shown``: those that another document took, or the others."""
        return {
            table: {k: r for k, r in rows.items() if (table, k) not in shown and ((table, k) in self._taken) == taken}
            for table, rows in self._rows.items()
        }

    def _left(self, base: Keyed, shown: Set[RecordId]) -> dict[Table, dict[str, Row]]:
        """The rows that stay though the new text shows them no more."""
        left: dict[Table, dict[str, Row]] = {}
        for _, reading, key in base.readings():
            if reading.table in ROWS and (reading.table, key) not in shown:
                row = row_of(self._db, reading.table, key)
                if row is not None:
                    left.setdefault(reading.table, {})[key] = row
        return left

    @staticmethod
    def _fill(
        places: Sequence[tuple[At, Reading]],
        rows: dict[Table, dict[str, Row]],
        found: dict[At, str],
        least: float,
    ) -> None:
        for at, reading in places:
            known = rows.get(reading.table, {})
            best = max(known, key=lambda key: _likeness(reading, known[key]), default=None)
            if at not in found and best is not None and _likeness(reading, known[best]) >= least:
                found[at] = best
                del known[best]


def _likeness(reading: Reading, row: Row) -> float:
    values = {name: value for name, value in reading.values().items() if name in row}
    same = sum(settled(name, value) == settled(name, row[name]) for name, value in values.items())
    return same / len(values) if values else 0.0
