"""The schema, as numbered steps. A step that was released is never edited: a change is a new step behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from schema.errors import NewerSchema, OlderSchema

if TYPE_CHECKING:
    from schema.db import Database

Migration = Callable[["Database"], None]


def m001_initial(db: Database) -> None:
    """All tables, indexes, triggers and views."""
    from schema import tables, triggers

    db.run(tables.TABLES)
    for sql in (*triggers.record_triggers(), *triggers.section_triggers()):
        db.run(sql)


def m002_operations(db: Database) -> None:
    """Keys that make operations idempotent, and who wrote changes of rows that wait to be sealed."""
    db.run("""CREATE TABLE operation_keys (
  key TEXT NOT NULL PRIMARY KEY,
  "table" TEXT NOT NULL,
  record TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE announced (
  first INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  origin TEXT NOT NULL,
  operation TEXT NOT NULL
);""")


def m003_notes(db: Database) -> None:
    """What a transaction was made for, in words: the transactions that it undid, the state that it restored."""
    db.run("ALTER TABLE transaction_log ADD COLUMN note TEXT")


def m004_settled(db: Database) -> None:
    """The transactions that settled a conflict and that opened it again: an undo takes either back."""
    db.run("ALTER TABLE conflicts ADD COLUMN settled_in INTEGER; ALTER TABLE conflicts ADD COLUMN reopened_in INTEGER")


def m005_smaller_journal(db: Database) -> None:
    """An insertion's values are in its row and in the changes behind it; one short index finds a record's changes."""
    db.run("""UPDATE row_changes SET after = NULL WHERE operation = 'insert' AND "transaction" IS NOT NULL;
DROP INDEX row_changes_record;
CREATE INDEX row_changes_key ON row_changes(key)""")
    from schema import triggers

    for name, sql in triggers.insert_triggers():
        db.run(f"DROP TRIGGER {name}")
        db.run(sql)


def m006_moments(db: Database) -> None:
    """The time that changes of rows tell of, where their writer gave it."""
    db.run("ALTER TABLE announced ADD COLUMN moment TEXT")


MIGRATIONS: tuple[Migration, ...] = (
    m001_initial, m002_operations, m003_notes, m004_settled, m005_smaller_journal, m006_moments,
)  # fmt: skip


def migrate(db: Database, *, readonly: bool = False, migrations: Sequence[Migration] = MIGRATIONS) -> list[str]:
    """Bring ``db`` to the schema of this program; the names of the steps that were done.

    Before each step the database is copied to ``backups/<when>-before-migration-NNN.db`` beside it, unless it was just
    made. Raises `NewerSchema` for a database from a later program and `OlderSchema` for an old one that may only be
    read.
    """
    if db.value("PRAGMA user_version") == len(migrations):
        return []
    done: list[str] = []
    if not readonly and db.value("PRAGMA user_version") == 0:
        with db.atomic():  # a new database has all of its schema or none
            return [step.__name__ for number, step in enumerate(migrations, 1) if _perform(db, step, number, new=True)]
    while (step := _next(db, migrations, readonly)) is not None:
        done.append(step.__name__)
        _perform(db, step, migrations.index(step) + 1, new=False)
    return done


def _next(db: Database, migrations: Sequence[Migration], readonly: bool) -> Migration | None:
    version = int(db.value("PRAGMA user_version"))
    if version > len(migrations):
        raise NewerSchema(
            f"the database has schema {version} and this program knows {len(migrations)}",
            str(db.path), "update syncd, or restore an older backup with: syncd restore FILE",
        )  # fmt: skip
    if version < len(migrations) and readonly:
        raise OlderSchema(
            f"the database has schema {version} and must be brought to {len(migrations)} first",
            str(db.path), "run: syncd sync",
        )  # fmt: skip
    return migrations[version] if version < len(migrations) else None


def _perform(db: Database, step: Migration, number: int, *, new: bool) -> bool:
    """Do one step, unless another process was faster."""
    from schema import backups
    from schema.db import APPLICATION_ID

    if not new:
        db.backup_to(backups.target(db.path, f"before-migration-{number:03}"))
    with db.atomic():
        if db.value("PRAGMA user_version") != number - 1:
            return False
        step(db)
        db.run("INSERT INTO migrations(number, name) VALUES (?, ?)", (number, step.__name__))
        db.run(f"PRAGMA user_version = {number}")
        db.run(f"PRAGMA application_id = {APPLICATION_ID}")
    return True
