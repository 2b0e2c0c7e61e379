"""What the text of a new row says beyond the row: where it came to stand tells it, and the row takes it over. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from schema.records import FIELDS, PRECEDENCE, Reading, Table, Value
from syncd.model import Keyed, Verdict
from syncd.plan.gather import RecordId

_TABLES = frozenset({Table.TASKS, Table.SUBTASKS, Table.SESSIONS})  # no other is told anything by its surroundings
_NAMED = frozenset({"session_period"})  # a second session of one period is named by its document


def adopted(verdicts: Mapping[RecordId, Verdict], emitted: Iterable[Keyed]) -> dict[RecordId, Verdict]:
    """New records with the values that their readings in ``emitted`` show and their rows do not have.

    So that a database made anew from the files is equal: a link to a task's file in its row of the registry, the status
    that a section gives its table, a checklist item's section, the number of a session in the name of its document.
    """
    wanted = {r: v for r, v in verdicts.items() if v.insert and v.row is not None and v.table in _TABLES}
    if not wanted:
        return {}
    readings: dict[RecordId, list[Reading]] = {}
    for keyed in emitted:
        for _, reading, key in keyed.readings():
            if (reading.table, key) in wanted:
                readings.setdefault((reading.table, key), []).append(reading)
    changed = {}
    for record, found in readings.items():
        if told := _told(wanted[record], sorted(found, key=lambda r: PRECEDENCE[r.role])):
            changed[record] = replace(wanted[record], row={**(wanted[record].row or {}), **told})
    return changed


def _told(verdict: Verdict, readings: list[Reading]) -> dict[str, Value]:
    told: dict[str, Value] = {}
    for name in FIELDS[verdict.table]:
        own = (verdict.row or {}).get(name)
        if own not in (None, ()) and name not in _NAMED:
            continue
        shown = next((v for r in readings if (v := r.value(name)) not in (None, ())), None)
        if shown is not None and shown != own:
            told[name] = shown
    return told
