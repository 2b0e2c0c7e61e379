"""Records whose document is there but could not be read, or is no text: they wait until it can be.

No second document is made, and none in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schema import store
from schema.db import Database
from schema.records import Table
from syncd.model import Verdict
from syncd.plan.gather import RecordId

_LISTED = "session_cache.md"  # lists tasks that stand elsewhere
_HOMES = {
    Table.TASKS: ("tasks.md", "tasks/{key}.md", _LISTED),
    Table.ENTRIES: ("edit_history.md",),
    Table.SUBTASKS: ("tasks/{owner}.md",),
    Table.ERRORS: ("errorLog.md",),
    Table.CACHE: (_LISTED,),
    Table.SESSIONS: ("{owner}",),
}
_OWNERS = {Table.MODIFICATIONS: "edit_entry_id", Table.SUBTASKS: "task_id", Table.SESSIONS: "path"}


def waiting(
    db: Database, inserts: Iterable[Verdict], hidden: Mapping[str, str], no_texts: Mapping[str, str]
) -> dict[RecordId, str]:
    """The records that wait, each with a sentence that says for what.

    ``hidden`` are documents that could not be read, ``no_texts`` those that hold no text, with the reason.
    """
    found: dict[RecordId, str] = {}
    if not hidden and not no_texts:
        return found
    verdicts = sorted(inserts, key=lambda verdict: verdict.table is Table.MODIFICATIONS)  # entries before their lines
    for verdict in verdicts:
        owner = _owner(db, verdict)
        homes = (path.format(key=verdict.key, owner=owner) for path in _HOMES.get(verdict.table, ()))
        listed = _LISTED if verdict.table is Table.TASKS else ""  # what holds no text may do so for long
        path = next((path for path in homes if path in hidden or (path in no_texts and path != listed)), None)
        told = found.get((Table.ENTRIES, owner)) if verdict.table is Table.MODIFICATIONS else None
        if path is not None:
            why = hidden.get(path) or no_texts[path]
            told = f"{verdict.table.value} {verdict.key}: waits for {path}, which cannot be read: {why}"
        if told is not None:
            found[verdict.table, verdict.key] = told
    return found


def _owner(db: Database, verdict: Verdict) -> str:
    if verdict.table not in _OWNERS:
        return ""
    row = store.fetch(db, verdict.table.value, verdict.key) or {}
    return str(row.get(_OWNERS[verdict.table]) or "")
