"""Drift: current places of one task that say something else than its row. It is told, never mended by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set

from msgspec import Struct

from parser.document import Document
from parser.kinds import kind_of
from schema import overview, store
from schema.db import Database
from schema.records import FOLLOWING, Reading, Table, Value
from syncd.model import Keyed, Row, Sides, Verdict
from syncd.state import BankState

_KINDS = frozenset({"registry", "task", "session_cache", "active_context"})


class Drift(Struct, frozen=True):
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
        overview.note_drift(db, {(drift.key, drift.field) for drift in find(db, state)})


def carried(
    known: Set[tuple[str, str]],
    verdicts: Iterable[tuple[Verdict, Sides]],
    documents: Mapping[str, Keyed | None],
    unsealed: Callable[[], Set[tuple[str, str]]],
) -> set[tuple[str, str]]:
    """The fields that differ after a transaction, from those that did before it and what it touched. Pure.

    ``documents`` are those that it writes (None: gone); all other places of a record are as its sides have them.
    ``unsealed`` gives table and key of rows that wait to be written; it is asked where tasks were touched.
    """
    tasks = {verdict.key: (verdict.row, sides) for verdict, sides in verdicts if verdict.table is Table.TASKS}
    if not tasks:
        return set(known)
    underway = unsealed()
    shown: dict[str, list[Reading]] = {
        key: [s.reading for s in sides.after if s.path not in documents and kind_of(s.path) in _KINDS]
        for key, (_, sides) in tasks.items()
    }
    for keyed in documents.values():
        if keyed is not None and keyed.document.kind in _KINDS:
            for reading, key in keyed.showing(shown.keys()):
                if reading.table is Table.TASKS:
                    shown[key].append(reading)
    fresh = {
        (key, field)
        for key, (row, _) in tasks.items()
        if row is not None and ("tasks", key) not in underway
        for reading in shown[key]
        if reading.role in FOLLOWING
        for field in _differing(reading, row)
    }
    return {pair for pair in known if pair[0] not in tasks} | fresh


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
