"""Numbered steps, with a backup before each; a newer schema is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema import migrations
from schema.db import Database, open_database
from schema.errors import NewerSchema, OlderSchema


def m002_rooms(db: Database) -> None:
    """A step of a later program."""
    db.run("CREATE TABLE rooms (id INTEGER PRIMARY KEY)")


def m002_broken(db: Database) -> None:
    """A step that fails half-way."""
    m002_rooms(db)
    raise RuntimeError("power cut")


def test_a_new_database_knows_its_steps(db: Database) -> None:
    """The table and user_version agree."""
    assert db.rows("SELECT number, name FROM migrations") == [(1, "m001_initial")]
    assert db.value("PRAGMA user_version") == len(migrations.MIGRATIONS)
    assert migrations.migrate(db) == []


def test_steps_are_numbered_without_gaps() -> None:
    """The name of a step says its number."""
    assert [int(step.__name__[1:4]) for step in migrations.MIGRATIONS] == [
        n + 1 for n in range(len(migrations.MIGRATIONS))
    ]


def test_a_backup_is_made_before_a_step(db: Database) -> None:
    """The copy holds the rows and the schema as they were."""
    db.run("INSERT INTO tasks(id) VALUES ('T1')")
    assert migrations.migrate(db, migrations=[migrations.m001_initial, m002_rooms]) == ["m002_rooms"]
    assert db.rows("SELECT * FROM rooms") == []
    copy = open_database(db.path.with_name("memory_bank.db.before-002"), readonly=True)
    assert copy.rows("SELECT id FROM tasks") == [("T1",)]
    copy.close()


def test_a_new_database_needs_no_backup(tmp_path: Path, db: Database) -> None:
    """There was nothing to lose."""
    assert not list(tmp_path.glob("*.before-*"))


def test_a_step_that_fails_leaves_the_old_schema(db: Database) -> None:
    """A step and its record are one transaction."""
    with pytest.raises(RuntimeError, match="power cut"):
        migrations.migrate(db, migrations=[migrations.m001_initial, m002_broken])
    assert db.value("PRAGMA user_version") == 1
    assert db.value("SELECT count(*) FROM sqlite_schema WHERE name = 'rooms'") == 0
    assert db.value("SELECT count(*) FROM migrations") == 1


def test_a_newer_schema_is_refused(db: Database) -> None:
    """With both numbers and what to do."""
    migrations.migrate(db, migrations=[migrations.m001_initial, m002_rooms])
    db.close()
    with pytest.raises(NewerSchema, match=r"schema 2 and this program knows 1.*update syncd"):
        open_database(db.path)


def test_an_older_schema_is_not_migrated_by_a_reader(db: Database) -> None:
    """It says which command does it."""
    with pytest.raises(OlderSchema, match="syncd sync"):
        migrations.migrate(db, readonly=True, migrations=[migrations.m001_initial, m002_rooms])
