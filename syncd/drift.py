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
    """A place that disagrees with the row. ``line`` counts from 1."""

    key: str
    field: str
    row: Value
    document: str
    line: int
    shown: Value


def find(db: Database) -> list[Drift]:
    """All drift between the documents as they were when both sides last agreed, and the rows. By task and field."""
    rows = store.fetch_all(db, Table.TASKS.value)
    underway = overview.changed_elsewhere(db)
    state = BankState(db)
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
                    found.append(Drift(key, field, row.get(field) if row else None, path, line, reading.value(field)))
    return sorted(found, key=lambda d: (d.key, d.field, d.document, d.line))


def count(db: Database) -> int:
    """How many fields of tasks have drift."""
    return len({(drift.key, drift.field) for drift in find(db)})


def remember(db: Database) -> None:
    """Note how much drift there is, so that `syncd status` need not look. For idle moments of who holds the lock."""
    if overview.noted_drift(db) is None:
        overview.note_drift(db, count(db))


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
