"""Collect, for each record that a batch touches, everything that is known of it: `Sides`.

Reads rows through the store; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from parser.document import At
from schema import store
from schema.db import Database
from schema.journal import Net
from schema.records import FIELDS, Action, Role, Table, Value
from syncd.model import NEW, Keyed, Row, Shown, Sides
from syncd.state import BankState

RecordId = tuple[Table, str]
ROWS = frozenset(Table) - {Table.HEADER, Table.COUNTS}
_FEW = 20  # sections that are looked through one by one
TABLE_NAMES = frozenset(table.value for table in ROWS)


class Delta(Struct, frozen=True):
    """A document of the batch, keyed on both ends; None where it did not exist or is gone.

    ``bounds`` is the window of sections that differ: first, end in the base, end in the new document.
    """

    path: str
    base: Keyed | None
    new: Keyed | None
    bounds: tuple[int, int, int]


class Touched(Struct):
    """Readings within the windows of a batch, by record: before and after."""

    before: dict[RecordId, list[Shown]] = field(default_factory=dict)
    after: dict[RecordId, list[Shown]] = field(default_factory=dict)
    entries_before: dict[RecordId, list[str]] = field(default_factory=dict)
    entries_after: dict[RecordId, list[str]] = field(default_factory=dict)

    def changed(self) -> set[RecordId]:
        """Records whose readings differ between before and after, or stand below another entry."""
        return {
            record
            for record in self.before.keys() | self.after.keys()
            if _looks(self.before.get(record, [])) != _looks(self.after.get(record, []))
            or self.entries_before.get(record) != self.entries_after.get(record)
        }


def touch(deltas: Iterable[Delta]) -> Touched:
    """The readings that stand in the changed windows of ``deltas``."""
    touched = Touched()
    for delta in deltas:
        first, end_base, end_new = delta.bounds
        if delta.base is not None:
            _collect(delta.path, delta.base, first, end_base, touched.before, touched.entries_before)
        if delta.new is not None:
            _collect(delta.path, delta.new, first, end_new, touched.after, touched.entries_after)
    return touched


def _collect(
    path: str,
    keyed: Keyed,
    first: int,
    end: int,
    into: dict[RecordId, list[Shown]],
    entries: dict[RecordId, list[str]],
) -> None:
    """``entries`` gets the entry above each file modification; "" where that stands before the window."""
    entry = ""
    for number in range(first, end):
        for index, reading in enumerate(keyed.document.sections[number].readings):
            if reading.table not in ROWS:
                continue
            record = (reading.table, keyed.keys[number][index])
            into.setdefault(record, []).append(Shown(path, At(number, index), reading))
            if reading.table is Table.ENTRIES:
                entry = record[1]
            elif reading.table is Table.MODIFICATIONS:
                entries.setdefault(record, []).append(entry)


def _looks(shown: list[Shown]) -> list[tuple[str, str, Mapping[str, Value]]]:
    return [(s.path, s.role.value, s.reading.values()) for s in shown]


class Gatherer:
    """Builds `Sides` for the records of one batch."""

    def __init__(
        self, db: Database, state: BankState, deltas: Mapping[str, Delta], nets: Mapping[RecordId, Net]
    ) -> None:
        self._db = db
        self._state = state
        self._deltas = deltas
        self._nets = nets
        self._bounds = {path: delta.bounds for path, delta in deltas.items()}
        self._touched = touch(deltas.values())
        self._numbers: dict[str, dict[int, int]] = {}

    def records(self) -> list[RecordId]:
        """All records that this batch is about, in the order in which rows may be written: owners first."""
        order = {table: number for number, table in enumerate(Table)}
        wanted = self._touched.changed() | set(self._nets)
        wanted |= {owner for owner in self._owners(wanted) if row_of(self._db, *owner) is None}
        wanted |= {item for record in wanted if self._returns(record) for item in self._history_of(record)}
        return sorted(wanted, key=lambda record: (order[record[0]], _number(record[1])))

    def _owners(self, records: set[RecordId]) -> set[RecordId]:
        """What records of the files belong to. Where that has no row any more (an archive still shows a deleted task),
        what is put below it brings it back."""
        found: set[RecordId] = set()
        for record in records:
            if record[0] is Table.SUBTASKS:
                shown = self._touched.after.get(record, [])
                found |= {(Table.TASKS, str(s.reading.value("task_id"))) for s in shown}
            elif record[0] is Table.MODIFICATIONS:
                found |= {(Table.ENTRIES, key) for key in self._touched.entries_after.get(record, []) if key}
        return {owner for owner in found if not owner[1].startswith(NEW)}

    def _returns(self, record: RecordId) -> bool:
        """Whether this is a task that has no row, or got one again: an archive may still show its checklist."""
        net = self._nets.get(record)
        if record[0] is not Table.TASKS or record[1].startswith(NEW):
            return False
        return net.operation is Action.INSERT if net is not None else row_of(self._db, *record) is None

    def _history_of(self, task: RecordId) -> set[RecordId]:
        """The checklist items without a row that stand below a task, as they come back with it."""
        shown = [*self._stored(task), *self._touched.after.get(task, [])]
        found: set[RecordId] = set()
        for path in {s.path for s in shown if s.role is Role.ARCHIVE}:
            delta = self._deltas.get(path)
            keyed = delta.new if delta else self._state.base(path)
            for _, reading, key in keyed.readings() if keyed else ():
                record = (reading.table, key)
                below = reading.table is Table.SUBTASKS and reading.value("task_id") == task[1]
                known = below and key and not key.startswith(NEW) and record not in self._nets
                if known and row_of(self._db, *record) is None:
                    found.add(record)
        return found

    def sides(self, record: RecordId) -> Sides:
        """Everything that is known of one record."""
        table, key = record
        base, db = self._rows(record)
        before: list[Shown] = []
        after: list[Shown] = []
        for shown in self._stored(record):
            before.append(shown)
            bounds = self._bounds.get(shown.path)
            if bounds is None:
                after.append(shown)
            elif not bounds[0] <= shown.at.section < bounds[1] and (kept := self._carried(shown, bounds)):
                after.append(kept)
        after += self._touched.after.get(record, [])
        return Sides(table, key, base, db, tuple(before), tuple(sorted(after, key=lambda s: (s.path, s.at))))

    def _carried(self, shown: Shown, bounds: tuple[int, int, int]) -> Shown | None:
        """The same reading at its address in the new document, outside the window."""
        new = self._deltas[shown.path].new
        if new is None:
            return None
        number = shown.at.section + (bounds[2] - bounds[1] if shown.at.section >= bounds[1] else 0)
        at = At(number, shown.at.reading)
        return Shown(shown.path, at, new.document.at(at))

    def _stored(self, record: RecordId) -> list[Shown]:
        """All readings of a record in the bases of its documents."""
        table, key = record
        if key.startswith(NEW) or not key:
            return []
        found = []
        for place in self._state.places(table.value, key):
            path, ordinal = place.path, place.ordinal
            keyed = self._state.base(path)
            number = self._number_of(path, place.section_id)
            if keyed is None or number is None or number >= len(keyed.document.sections):
                continue
            readings = keyed.document.sections[number].readings
            if ordinal < len(readings) and keyed.keys[number][ordinal] == key and readings[ordinal].table is table:
                found.append(Shown(path, At(number, ordinal), readings[ordinal]))
        return sorted(found, key=lambda s: (s.path, s.at))

    def _number_of(self, path: str, section_id: int) -> int | None:
        """The place of a stored section in its document; mostly it is one of those that changed."""
        sections = self._state.sections(path)
        first, end, _ = self._bounds.get(path, (0, 0, 0))
        if end - first <= _FEW:
            for number in range(first, min(end, len(sections))):
                if sections[number].id == section_id:
                    return number
        if path not in self._numbers:
            self._numbers[path] = {row.id: number for number, row in enumerate(sections)}
        return self._numbers[path].get(section_id)

    def _rows(self, record: RecordId) -> tuple[Row | None, Row | None]:
        """The row of a record as both sides last agreed on it, and as it is in the database now."""
        table, key = record
        db = None if key.startswith(NEW) or not key else row_of(self._db, table, key)
        net = self._nets.get(record)
        if net is None:
            return db, db
        match net.operation:
            case "insert":
                return None, db
            case "delete":
                return clean(table, net.before or {}), db
        return {**(db or {}), **_named(table, net.before or {})}, db


def row_of(db: Database, table: Table, key: str) -> Row | None:
    """The fields of one row as readings hold them: text, or None."""
    row = store.fetch(db, table.value, key)
    return None if row is None else clean(table, row)


def clean(table: Table, row: Mapping[str, object]) -> Row:
    """A row's fields with numbers as text; empty text is nothing."""
    values: dict[str, Value] = {}
    for name in FIELDS[table]:
        value = row.get(name)
        if name == "dependencies":
            values[name] = tuple(str(item) for item in value) if isinstance(value, (tuple, list)) else ()
        else:
            values[name] = None if value is None else str(value)
    return values


def _named(table: Table, values: Mapping[str, object]) -> Row:
    full = clean(table, values)
    return {name: full[name] for name in values if name in full}


def _number(key: str) -> tuple[bool, int, str]:
    """Known records first: one that comes back needs its number before a new one is given the next that is free."""
    tail = key.removeprefix(NEW)
    return (key.startswith(NEW), int(tail), "") if tail.isdigit() else (False, 0, key)
