"""What people ask of a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from schema import overview, store
from schema.columns import RECORD_COLUMNS
from schema.db import Database, open_database


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Database]:
    """A new database."""
    db = open_database(tmp_path / "base.db")
    yield db
    db.close()


def test_a_new_database_is_quiet_and_empty(base: Database) -> None:
    """Every table of records is counted; there is no last transaction."""
    assert overview.is_quiet(base)
    assert overview.record_counts(base) == dict.fromkeys(RECORD_COLUMNS, 0)
    assert overview.last_transaction(base) is None
    assert overview.noted_drift(base) is None


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO tasks(id) VALUES ('T1')",
        "INSERT INTO outbox VALUES ('a.md', NULL, 'text', 1)",
        "INSERT INTO conflicts(document) VALUES ('a.md')",
        "INSERT INTO holds(path, kind, reason) VALUES ('a.md', 'deletion', 'why')",
        "INSERT INTO holds(path, kind, reason, state) VALUES ('a.md', 'deletion', 'why', 'accepted')",
        "INSERT INTO follows VALUES ('tasks', 'T1', 'status', 1, NULL)",
    ],
)
def test_whatever_waits_makes_it_unquiet(base: Database, sql: str) -> None:
    """A changed row, an unwritten text, a conflict, a hold, an accepted hold, a follower."""
    base.run(sql)
    assert not overview.is_quiet(base)


def test_rows_are_pending_once_however_often_they_changed(base: Database) -> None:
    """Two changes of one row are one row."""
    base.run("INSERT INTO tasks(id) VALUES ('T1')")
    base.run("UPDATE tasks SET title = 'a' WHERE id = 'T1'")
    assert overview.pending_rows(base) == 1
    assert overview.unsealed(base) == {("tasks", "T1")}


def test_dependencies_on_nothing_are_found(base: Database) -> None:
    """Those on tasks that are there are not."""
    store.insert_record(base, "tasks", {"id": "T1"})
    store.insert_record(base, "tasks", {"id": "T2", "dependencies": ("T1", "T9")})
    assert overview.dangling_dependencies(base) == [("T2", "T9")]
