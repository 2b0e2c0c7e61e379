"""Drift: current places of one task that say something else than its row. It is told, never mended by itself."""

from __future__ import annotations

from typing import NamedTuple

from parser.document import Document
from schema import overview, store
from schema.db import Database
from schema.records import FOLLOWING, Reading, Table, Value
from syncd.model import Row
from syncd.state import BankState

_KINDS = frozenset({"registry", "task", "session_cache", "active_context"})


class Drift(NamedTuple):
    """A place that disagrees with the row. ``line`` counts from 1.

    ``behind``: it will follow, because the value was edited in another place (`syncd sync --follow`, or the daemon).
    """

    key: str
    field: str
    row: Value
    document: str
    line: int
    shown: Value
    behind: bool


def find(db: Database, state: BankState | None = None) -> list[Drift]:
    """All places that differ from their row, as both sides last agreed on them; by task and field.

    Rows that another program changed and that are on their way to the files are left out. ``state`` saves parsing what
    its owner has parsed already.
    """
    rows = store.fetch_all(db, Table.TASKS.value)
    underway, follows = overview.unsealed(db), overview.follows(db)
    state = state or BankState(db)
    found = []
    for path, document_row in state.rows.items():
        keyed = state.base(path) if document_row.kind in _KINDS else None
        if keyed is None:
            continue
        for at, reading, key in keyed.readings():
            if reading.table is Table.TASKS and reading.role in FOLLOWING and ("tasks", key) not in underway:
                row = rows.get(key)
                for field in _differing(reading, row) if row else ():
                    line = line_of(keyed.document, at.section, reading, field)
                    said = row.get(field) if row else None
                    behind = ("tasks", key, field) in follows
                    found.append(Drift(key, field, said, path, line, reading.value(field), behind))
    return sorted(found, key=lambda d: (d.key, d.field, d.document, d.line))


def count(db: Database, state: BankState | None = None) -> int:
    """How many fields of tasks have drift."""
    return len({(drift.key, drift.field) for drift in find(db, state) if not drift.behind})


def remember(db: Database, state: BankState | None = None) -> None:
    """Note how much drift there is, so that `syncd status` need not look. Cheap where nothing happened since."""
    if overview.noted_drift(db) is None:
        overview.note_drift(db, count(db, state))


def _differing(reading: Reading, row: Row) -> list[str]:
    return [name for name, value in reading.values().items() if _plain(name, value) != _plain(name, row.get(name))]


def _plain(name: str, value: Value) -> object:
    """``value`` without what does not make a difference: the order of dependencies, nothing and the empty text."""
    return frozenset(value or ()) if name == "dependencies" else value or None


def line_of(document: Document, section: int, reading: Reading, field: str | None = None) -> int:
    """The line (from 1) on which a document shows a field, or where the reading starts."""
    own = reading.fields.get(field) if field else None
    offset = (own.span if own else reading.span).start
    before = sum(s.text.count("\n") for s in document.sections[:section])
    return 1 + before + document.sections[section].text.count("\n", 0, offset)
