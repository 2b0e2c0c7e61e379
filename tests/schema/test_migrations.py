"""Numbered steps, with a backup before each; a newer schema is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema import backups, migrations
from schema.db import Database, open_database
from schema.errors import NewerSchema, OlderSchema
from schema.migrations import MIGRATIONS


def m900_rooms(db: Database) -> None:
    """A step of a later program."""
    db.run("CREATE TABLE rooms (id INTEGER PRIMARY KEY)")


def m900_broken(db: Database) -> None:
    """A step that fails half-way."""
    m900_rooms(db)
    raise RuntimeError("power cut")


def test_a_new_database_knows_its_steps(db: Database) -> None:
    """The table and user_version agree."""
    known = [(number, step.__name__) for number, step in enumerate(MIGRATIONS, 1)]
    assert db.rows("SELECT number, name FROM migrations ORDER BY number") == known
    assert db.value("PRAGMA user_version") == len(MIGRATIONS)
    assert migrations.migrate(db) == []


def test_steps_are_numbered_without_gaps() -> None:
    """The name of a step says its number."""
    assert [int(step.__name__[1:4]) for step in MIGRATIONS] == [n + 1 for n in range(len(MIGRATIONS))]


def test_a_backup_is_made_before_a_step(db: Database) -> None:
    """The copy holds the rows and the schema as they were."""
    db.run("INSERT INTO tasks(id) VALUES ('T1')")
    assert migrations.migrate(db, migrations=[*MIGRATIONS, m900_rooms]) == ["m900_rooms"]
    assert db.rows("SELECT * FROM rooms") == []
    (kept,) = backups.listing(db.path)
    assert kept.why == f"before-migration-{len(MIGRATIONS) + 1:03}"
    copy = open_database(kept.path, readonly=True)
    assert copy.rows("SELECT id FROM tasks") == [("T1",)]
    copy.close()


def test_a_new_database_needs_no_backup(tmp_path: Path, db: Database) -> None:
    """There was nothing to lose."""
    assert backups.listing(db.path) == []
    assert not list(tmp_path.glob("*before*"))


def test_a_step_that_fails_leaves_the_old_schema(db: Database) -> None:
    """A step and its record are one transaction."""
    with pytest.raises(RuntimeError, match="power cut"):
        migrations.migrate(db, migrations=[*MIGRATIONS, m900_broken])
    assert db.value("PRAGMA user_version") == len(MIGRATIONS)
    assert db.value("SELECT count(*) FROM sqlite_schema WHERE name = 'rooms'") == 0
    assert db.value("SELECT count(*) FROM migrations") == len(MIGRATIONS)


def test_a_newer_schema_is_refused(db: Database) -> None:
    """With both numbers and what to do."""
    migrations.migrate(db, migrations=[*MIGRATIONS, m900_rooms])
    db.close()
    known = len(MIGRATIONS)
    with pytest.raises(NewerSchema, match=rf"schema {known + 1} and this program knows {known}.*update syncd"):
        open_database(db.path)


def test_an_older_schema_is_not_migrated_by_a_reader(db: Database) -> None:
    """It says which command does it."""
    with pytest.raises(OlderSchema, match="syncd sync"):
        migrations.migrate(db, readonly=True, migrations=[*MIGRATIONS, m900_rooms])


def test_a_database_of_the_first_release_is_brought_along(tmp_path: Path) -> None:
    """Its rows stay, a copy is made, and it can do what came later."""
    from schema.db import _connect

    path = tmp_path / "old.db"
    path.touch()
    old = Database(path, _connect(path, readonly=False))
    migrations.migrate(old, migrations=MIGRATIONS[:1])
    old.run("INSERT INTO tasks(id) VALUES ('T1')")
    old.close()
    database = open_database(path)
    assert database.rows("SELECT id FROM tasks") == [("T1",)]
    assert database.rows("SELECT * FROM operation_keys") == []
    assert database.rows("SELECT * FROM announced") == []
    assert "before-migration-002" in [backup.why for backup in backups.listing(path)]
    database.close()
