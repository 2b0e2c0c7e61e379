"""Opening a database, what it refuses, and that nothing is done by half."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from schema import db as db_module
from schema import errors
from schema.db import Database, open_database
from schema.migrations import MIGRATIONS


def test_a_database_is_for_its_owner_only(db: Database) -> None:
    """The file and SQLite's side files have mode 0600 whatever the umask says."""
    db.run("INSERT INTO tasks(id) VALUES ('T1')")
    for suffix in ("", "-wal", "-shm"):
        assert stat.S_IMODE(os.stat(f"{db.path}{suffix}").st_mode) == 0o600


def test_a_database_is_durable_and_checked(db: Database) -> None:
    """The settings that the guarantees rest on."""
    settings = {name: db.value(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert db.value("PRAGMA application_id") == db_module.APPLICATION_ID


def test_only_what_may_be_forgotten_does_not_wait_for_the_disk(db: Database) -> None:
    """In a transaction of its own; what follows waits again, also where that one failed."""

    def waits() -> bool:
        return bool(db.value("PRAGMA synchronous") == 2)

    with db.atomic(durable=False):
        db.run("INSERT INTO tasks(id) VALUES ('T1')")
        assert not waits()
    assert waits()
    with suppress(KeyError), db.atomic(durable=False):
        db.run("INSERT INTO tasks(id) VALUES ('T2')")
        raise KeyError
    assert waits()
    with db.atomic(), db.atomic(durable=False):
        assert waits()
    assert db.rows("SELECT id FROM tasks") == [("T1",)]


def test_without_create_a_missing_database_is_an_error(tmp_path: Path) -> None:
    """It names the next command and leaves no file."""
    with pytest.raises(errors.NoDatabase, match="syncd init"):
        open_database(tmp_path / "x.db", create=False)
    with pytest.raises(errors.NoDatabase):
        open_database(tmp_path / "x.db", readonly=True)
    assert not list(tmp_path.iterdir())


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """As left by a crash right after the file was made."""
    path = tmp_path / "x.db"
    path.touch()
    database = open_database(path, create=False)
    assert database.rows("SELECT * FROM tasks") == []
    database.close()


@pytest.mark.parametrize("size", [1, 20, 511, 5000])
def test_a_file_of_something_else_is_refused_and_kept(tmp_path: Path, size: int) -> None:
    """Its bytes stay what they were."""
    path = tmp_path / "notes.db"
    path.write_bytes(b"# no db\n" * size)
    with pytest.raises(errors.NotADatabase, match="not a database"):
        open_database(path)
    assert path.read_bytes() == b"# no db\n" * size
    assert [p.name for p in tmp_path.iterdir()] == ["notes.db"]


def test_a_database_of_another_program_is_refused_and_kept(tmp_path: Path) -> None:
    """With an application_id of its own, or with tables and none."""
    for number in (0, 77):
        path = tmp_path / f"{number}.db"
        other = sqlite3.connect(path)
        other.executescript(f"PRAGMA application_id = {number}; CREATE TABLE tasks (x);")
        other.close()
        before = path.read_bytes()
        with pytest.raises(errors.ForeignDatabase):
            open_database(path)
        assert path.read_bytes() == before


def test_a_folder_a_fifo_and_a_missing_folder_cannot_be_opened(tmp_path: Path) -> None:
    """Each at once, none by waiting."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo", tmp_path / "missing" / "x.db"):
        with pytest.raises(errors.CannotOpen):
            open_database(path)


def test_a_damaged_database_is_told_apart(db: Database) -> None:
    """Overwritten pages are found by `integrity` and on reading."""
    with db.atomic():
        db.run_many("INSERT INTO error_logs(cause) VALUES (?)", [("why " * 100,) for _ in range(400)])
    db.close()
    with open(db.path, "r+b") as file:
        file.seek(0, os.SEEK_END)
        pages = file.tell() // 4096
        for page in range(pages - 20, pages):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    damaged = open_database(db.path)
    assert damaged.integrity()
    with pytest.raises(errors.CorruptDatabase, match="syncd restore"):
        damaged.rows("SELECT count(cause) FROM error_logs")
    damaged.close()


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Permissions do not bind root, so the part that tests them runs as somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder that another user may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_file_can_be_read_and_says_that_it_cannot_be_written(elsewhere: Path) -> None:
    """Neither a crash nor a silent no-op."""
    database = open_database(elsewhere / "x.db")
    database.run("PRAGMA journal_mode = DELETE")
    database.close()
    (elsewhere / "x.db").chmod(0o444)
    elsewhere.chmod(0o555)
    with _as_nobody():
        readable = open_database(elsewhere / "x.db", readonly=True)
        assert readable.rows("SELECT * FROM tasks") == []
        with pytest.raises(errors.DatabaseReadOnly, match="cannot be written"):
            readable.run("INSERT INTO tasks(id) VALUES ('T1')")
        readable.close()
        with pytest.raises(errors.DatabaseReadOnly):
            open_database(elsewhere / "x.db")
        with pytest.raises(errors.CannotOpen):
            open_database(elsewhere / "new.db")


def test_a_file_without_permission_cannot_be_opened(elsewhere: Path) -> None:
    """Its line names the file."""
    open_database(elsewhere / "x.db").close()
    (elsewhere / "x.db").chmod(0)
    with _as_nobody(), pytest.raises(errors.CannotOpen, match=r"x\.db"):
        open_database(elsewhere / "x.db")


def test_a_full_disk_is_told_and_nothing_is_kept(db: Database) -> None:
    """The whole block goes, and the database is usable afterwards."""
    db.run(f"PRAGMA max_page_count = {db.value('PRAGMA page_count') + 3}")
    with pytest.raises(errors.DiskFull, match="free some space"), db.atomic():  # noqa: PT012 - whichever row it is
        for _ in range(1000):
            db.run("INSERT INTO error_logs(cause) VALUES (?)", ("x" * 1000,))
    assert db.value("SELECT count(*) FROM error_logs") == 0
    assert not db.in_transaction
    db.run("INSERT INTO tasks(id) VALUES ('T1')")


def test_a_lock_of_another_program_is_waited_for_then_told(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading goes on meanwhile."""
    monkeypatch.setattr(db_module, "BUSY_SECONDS", 0.02)
    impatient = open_database(db.path)
    code = """import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute('BEGIN IMMEDIATE')
print("locked", flush=True)
input()"""
    other = subprocess.Popen(
        [sys.executable, "-c", code, db.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    other.stdout.readline()
    with pytest.raises(errors.DatabaseLocked, match="locked by another program"), impatient.atomic():
        pytest.fail("the lock was not needed")
    assert impatient.rows("SELECT * FROM tasks") == []
    other.communicate("\n")
    with impatient.atomic():
        impatient.run("INSERT INTO tasks(id) VALUES ('T1')")
    impatient.close()


def test_programs_that_make_a_database_at_the_same_time_agree(tmp_path: Path) -> None:
    """One of them makes the tables, all of them get a connection."""
    code = (
        "import sys; from pathlib import Path; from schema.db import open_database\n"
        "db = open_database(Path(sys.argv[1])); db.run('INSERT INTO error_logs(cause) VALUES (1)'); db.close()"
    )
    root = str(Path(db_module.__file__).parent.parent)
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "x.db")], cwd=root, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    ends = [process.communicate()[1] for process in started]
    assert ends == [b""] * 4
    database = open_database(tmp_path / "x.db")
    assert database.value("SELECT count(*) FROM error_logs") == 4
    assert database.value("SELECT count(*) FROM migrations") == len(MIGRATIONS)
    database.close()


def test_a_failed_block_leaves_nothing_and_raises_what_happened(db: Database) -> None:
    """Also where it is nested, and the outer one goes on."""
    with pytest.raises(RuntimeError, match="outer"), db.atomic():  # noqa: PT012 - the block is the subject
        db.run("INSERT INTO tasks(id) VALUES ('T1')")
        raise RuntimeError("outer")
    with db.atomic():
        db.run("INSERT INTO tasks(id) VALUES ('T2')")
        with pytest.raises(RuntimeError, match="inner"), db.atomic():  # noqa: PT012 - the same
            db.run("INSERT INTO tasks(id) VALUES ('T3')")
            raise RuntimeError("inner")
        with db.atomic():
            db.run("INSERT INTO tasks(id) VALUES ('T4')")
    assert db.rows("SELECT id FROM tasks ORDER BY id") == [("T2",), ("T4",)]


def test_a_rollback_that_fails_does_not_hide_the_cause(db: Database) -> None:
    """Somebody ended the transaction inside the block."""
    with pytest.raises(RuntimeError, match="the cause") as caught, db.atomic(), db.atomic():  # noqa: PT012 - the same
        db.run("ROLLBACK")
        db.run("BEGIN")
        raise RuntimeError("the cause")
    assert any("rolling back failed" in note for note in caught.value.__notes__)


def test_a_commit_of_another_program_changes_the_data_version(db: Database, client: sqlite3.Connection) -> None:
    """Our own do not."""
    first = db.data_version()
    db.run("INSERT INTO tasks(id) VALUES ('T1')")
    assert db.data_version() == first
    client.execute("UPDATE tasks SET title = 'x'")
    assert db.data_version() != first


def test_a_refused_row_is_told_with_what_is_allowed(db: Database) -> None:
    """The words of the CHECK reach the person."""
    with pytest.raises(errors.RowRefused, match="status must be one of pending, in_progress"):
        db.run("INSERT INTO tasks(id, status) VALUES ('T1', 'almost')")


def test_a_typed_query_gives_names_and_rows(db: Database) -> None:
    """And one that cannot be run is an error of usage."""
    assert db.query("SELECT 1 AS one, 'x' AS two") == (("one", "two"), [(1, "x")])
    assert db.query("SELECT id FROM tasks") == (("id",), [])
    with pytest.raises(errors.BadStatement, match="no such table: absent"):
        db.query("SELECT * FROM absent")


def test_a_backup_is_a_whole_database_while_others_write(db: Database, client: sqlite3.Connection) -> None:
    """It replaces an older one at once, and holds what is only in the -wal file so far."""
    target = db.path.with_name("backup.db")
    target.write_text("an older one")
    client.execute("INSERT INTO tasks(id) VALUES ('T1')")
    db.backup_to(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    copy = open_database(target, readonly=True)
    assert copy.rows("SELECT id FROM tasks") == [("T1",)]
    assert copy.integrity() == []
    copy.close()
    with pytest.raises(errors.DatabaseFailed):
        db.backup_to(db.path.parent / "missing" / "backup.db")


def test_a_checkpoint_empties_the_log_unless_it_is_being_read(db: Database, client: sqlite3.Connection) -> None:
    """A reader is no error."""
    db.run("INSERT INTO tasks(id) VALUES ('T1')")
    db.checkpoint(truncate=True)
    assert os.path.getsize(f"{db.path}-wal") == 0
    client.execute("BEGIN")
    client.execute("SELECT * FROM tasks").fetchall()
    db.run("UPDATE tasks SET title = 'x'")
    db.checkpoint()
    client.execute("ROLLBACK")


def test_closing_twice_is_no_error(db: Database) -> None:
    """Cleaning up may come from two sides."""
    db.close()
    db.close()
