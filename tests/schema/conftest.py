"""A database in a scratch folder, and another client that talks to it through Python's own sqlite3."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from schema.db import Database, open_database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new database."""
    database = open_database(tmp_path / "memory_bank.db")
    yield database
    database.close()


@pytest.fixture
def client(db: Database) -> Iterator[sqlite3.Connection]:
    """Another program: no foreign keys, an older SQLite, every statement committed at once."""
    connection = sqlite3.connect(db.path, isolation_level=None)
    yield connection
    connection.close()
