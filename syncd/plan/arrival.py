"""Whether what was written by row came to stand in the files as the row has it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from schema.journal import Net
from schema.records import FIELDS, PRECEDENCE, Reading, Table
from syncd.model import Keyed, Sides, Verdict
from syncd.plan.gather import RecordId
from syncd.plan.reconcile import settled

_TOLD: Mapping[Table, tuple[str, ...]] = {
    Table.TASKS: ("title", "status", "priority", "description", "dependencies"),
    Table.SUBTASKS: ("text", "status"),
    Table.SESSIONS: ("focus_task", "start_time", "end_time", "status"),
}
"""What has to come to stand somewhere for a new record; of the other tables, all that the row has."""
_DERIVED = frozenset({Table.CACHE})  # has a place only in a bank that keeps such a document

Readings = dict[RecordId, list[Reading]]


def refused(
    nets: Mapping[RecordId, Net],
    verdicts: Mapping[RecordId, Verdict],
    sides: Mapping[RecordId, Sides],
    emitted: Mapping[str, Keyed],
    current: Callable[[str], Keyed | None],
) -> list[tuple[RecordId, str]]:
    """The records that no document would show as their rows have them, with what is not shown."""
    records = [r for r in nets if r in verdicts and verdicts[r].row is not None and _has_place(r, verdicts[r])]
    others = {s.path for r in records if r in sides for s in sides[r].after} - emitted.keys()
    standing = {path: keyed for path in others if (keyed := current(path)) is not None}
    readings = _index({*records}, [*emitted.values(), *standing.values()])
    found = []
    for record in records:
        if missing := _missing(verdicts[record], nets[record], readings.get(record, [])):
            found.append((record, missing))
    return found


def _has_place(record: RecordId, verdict: Verdict) -> bool:
    """Whether a record has to stand somewhere. One of a new session cache has to only where there is one."""
    return record[0] not in _DERIVED or not verdict.insert


def _index(records: set[RecordId], documents: Iterable[Keyed]) -> Readings:
    found: Readings = {}
    wanted = {key for _, key in records}
    for keyed in documents:
        for reading, key in keyed.showing(wanted):
            if (reading.table, key) in records:
                found.setdefault((reading.table, key), []).append(reading)
    return found


def _missing(verdict: Verdict, net: Net, readings: list[Reading]) -> str | None:
    """The first field that its place of most weight does not show as the row has it; ``it`` where there is no reading.

    Another place may show it, but a database made from the files would have what that one says. None: all is well.
    """
    assert verdict.row is not None
    if verdict.insert and not readings:
        return "it"
    names = FIELDS[verdict.table] if verdict.insert else [n for n in FIELDS[verdict.table] if n in (net.after or {})]
    for name in names:
        value = settled(name, verdict.row.get(name))
        telling = [r for r in readings if r.shows(name)]
        first = min((PRECEDENCE[r.role] for r in telling), default=0)
        shown = [settled(name, r.value(name)) for r in telling if PRECEDENCE[r.role] == first]
        wanted = value not in (None, ())
        if verdict.insert and not wanted:
            continue
        told = name in _TOLD.get(verdict.table, FIELDS[verdict.table])
        if (shown and value not in shown) or (not shown and wanted and verdict.insert and told):
            return name
    return None
