"""Rows as they stood after a transaction: those of now, taken back through the journal. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from schema import journal, store
from schema.db import Database
from schema.journal import RowChange
from schema.records import Value
from schema.triggers import key_of

RowId = tuple[str, str]
RowValues = dict[str, Value]

PARENTS = {
    "task_dependencies": ("task_id", "tasks"),
    "task_subtasks": ("task_id", "tasks"),
    "file_modifications": ("edit_entry_id", "edit_entries"),
}
"""The column by which a row belongs to another, and the table of that."""


def stored_row(db: Database, row: RowId) -> RowValues | None:
    """All columns of a row as the journal has them, None where there is none."""
    values = store.fetch(db, *row)
    if values is not None:
        values.pop("dependencies", None)
    return values


def row_at(db: Database, row: RowId, transaction: int) -> RowValues | None:
    """A row as it stood after ``transaction``; None where there was none."""
    return back(stored_row(db, row), changes_behind(db, row, transaction))


def changes_behind(db: Database, row: RowId, transaction: int) -> list[RowChange]:
    """What happened to a row later than that, in order; also what no transaction has yet."""
    changes = journal.changes_of_record(db, *row)
    return [change for change in changes if change.transaction is None or change.transaction > transaction]


def back(values: RowValues | None, changes: Sequence[RowChange]) -> RowValues | None:
    """A row as it was before ``changes``, which are in order."""
    for change in reversed(changes):
        found = journal.before(change, values)
        values = None if found is None else dict(found)
    return values


def leaves(db: Database, table: str, owner: str) -> list[str]:
    """Keys of the rows of ``table`` that belong to ``owner``."""
    rows = db.rows(f"SELECT {key_of(table, table)} FROM {table} WHERE {PARENTS[table][0]} = ?", (owner,))  # noqa: S608
    return [str(key) for (key,) in rows]


def leaves_at(db: Database, table: str, owner: str, transaction: int) -> dict[str, RowValues]:
    """The rows of ``table`` that belonged to ``owner`` after ``transaction``, by key."""
    changed = db.rows(
        'SELECT DISTINCT key FROM row_changes WHERE "table" = ? AND ("transaction" > ? OR "transaction" IS NULL)',
        (table, transaction),
    )
    column = PARENTS[table][0]
    found = {}
    for key in dict.fromkeys([*leaves(db, table, owner), *(str(key) for (key,) in changed)]):
        values = row_at(db, (table, key), transaction)
        if values is not None and values.get(column) == owner:
            found[key] = values
    return found
