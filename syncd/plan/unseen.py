"""Records whose document is there but could not be read: they wait until it can, and no second one is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schema import store
from schema.db import Database
from schema.records import Table
from syncd.model import Verdict
from syncd.plan.gather import RecordId

_HOMES = {
    Table.TASKS: ("tasks.md", "tasks/{key}.md", "session_cache.md"),
    Table.ENTRIES: ("edit_history.md",),
    Table.SUBTASKS: ("tasks/{owner}.md",),
    Table.ERRORS: ("errorLog.md",),
    Table.CACHE: ("session_cache.md",),
}
_OWNERS = {Table.MODIFICATIONS: "edit_entry_id", Table.SUBTASKS: "task_id"}


def waiting(db: Database, inserts: Iterable[Verdict], hidden: Mapping[str, str]) -> dict[RecordId, str]:
    """The records that wait, each with a sentence that says for what.

    ``hidden`` are documents that the database does not know and that could not be read, with the reason.
    """
    found: dict[RecordId, str] = {}
    if not hidden:
        return found
    verdicts = sorted(inserts, key=lambda verdict: verdict.table is Table.MODIFICATIONS)  # entries before their lines
    for verdict in verdicts:
        owner = _owner(db, verdict)
        homes = (path.format(key=verdict.key, owner=owner) for path in _HOMES.get(verdict.table, ()))
        path = next((path for path in homes if path in hidden), None)
        told = found.get((Table.ENTRIES, owner)) if verdict.table is Table.MODIFICATIONS else None
        if path is not None:
            told = f"{verdict.table.value} {verdict.key}: waits for {path}, which cannot be read: {hidden[path]}"
        if told is not None:
            found[verdict.table, verdict.key] = told
    return found


def _owner(db: Database, verdict: Verdict) -> str:
    if verdict.table not in _OWNERS:
        return ""
    row = store.fetch(db, verdict.table.value, verdict.key) or {}
    return str(row.get(_OWNERS[verdict.table]) or "")
