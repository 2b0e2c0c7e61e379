"""One SQLite database and how it is talked to. The only module that imports apsw.

The files of an open database are never opened by other means: closing them would drop SQLite's locks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import apsw

from schema import errors
from schema.errors import DatabaseError
from schema.patterns import pattern

APPLICATION_ID = 0x73796E63
"""Marks the file as ours: ``sync`` in ASCII."""

BUSY_SECONDS = 5.0
"""How long a statement waits for the lock of another program."""

_SETTINGS = """
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA recursive_triggers = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 16777216;
"""
# A checkpoint costs tens of milliseconds and would hit one commit in a few; the daemon makes one when it is idle.

_LONGEST = 256_000_000  # bytes of a value in a statement that somebody typed
_READS = {apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE}
_PRAGMAS = {
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    "foreign_key_check", "integrity_check", "quick_check", "database_list", "compile_options", "data_version",
    "user_version", "page_count", "page_size", "freelist_count",
}  # fmt: skip
_SETTABLE = {"user_version", "page_size", "data_version"}
_FAILED_READ = pattern(r"error code[= ](\d+)|failed to get page ()")
_VERDICTS = {apsw.SQLITE_CORRUPT, apsw.SQLITE_NOTADB}

Sql = None | int | float | str | bytes
Params = Sequence[Sql] | Mapping[str, Sql]

_KINDS: tuple[tuple[type[apsw.Error], type[DatabaseError], str, str | None], ...] = (
    (apsw.NotADBError, errors.NotADatabase, "this file is not a database", "move it away, then run: syncd init"),
    (apsw.CorruptError, errors.CorruptDatabase, "the database is damaged",
     "run `syncd sync` to have it kept aside, or restore a backup with: syncd restore FILE"),
    (apsw.FullError, errors.DiskFull, "no space left for the database", "free some space, then run: syncd sync"),
    (apsw.ReadOnlyError, errors.DatabaseReadOnly, "the database cannot be written",
     "make its file and its folder writable"),
    (apsw.PermissionsError, errors.CannotOpen, "the database cannot be opened: no permission",
     "make its file and its folder readable"),
    (apsw.CantOpenError, errors.CannotOpen, "the database cannot be opened",
     "look whether its folder exists and may be read and written"),
)  # fmt: skip


def _translated(error: apsw.Error, path: str) -> DatabaseError:
    """The error of ours for one of apsw's."""
    for theirs, ours, what, hint in _KINDS:
        if isinstance(error, theirs):
            return ours(what, path, hint)
    text = str(error).removeprefix("CHECK constraint failed: ")
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return errors.DatabaseLocked(
            "the database is locked by another program", path, "let it finish or close it, then try again"
        )
    if isinstance(error, apsw.ConstraintError):
        return errors.RowRefused(f"the database refuses this: {text}", path)
    if isinstance(error, (apsw.SQLError, apsw.BindingsError, apsw.MismatchError, apsw.RangeError, apsw.TooBigError)):
        return errors.BadStatement(f"this statement cannot be run: {text}", path)
    return errors.DatabaseFailed(f"the database failed: {text}", path, "look at the disk, then run: syncd check")


def _only_reading(operation: int, name: str | None, value: str | None, *_: str | None) -> int:
    """SQLite's authorizer for statements that somebody typed."""
    harmless = operation == apsw.SQLITE_PRAGMA and name in _PRAGMAS and not (value and name in _SETTABLE)
    return apsw.SQLITE_OK if operation in _READS or harmless else apsw.SQLITE_DENY


def sqlite_version() -> str:
    """The version of the SQLite that keeps the databases."""
    return apsw.sqlite_lib_version()


class Database:
    """An open database. Its methods raise the errors of `schema.errors`. One thread at a time."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self.path = path
        self._connection = connection
        self._depth = 0

    def rows(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        try:
            return list(self._connection.execute(sql, params))
        except apsw.Error as error:
            raise _translated(error, str(self.path)) from error

    def row(self, sql: str, params: Params = ()) -> tuple[Any, ...] | None:
        """The first row of a query, None where there is none."""
        rows = self.rows(sql, params)
        return rows[0] if rows else None

    def value(self, sql: str, params: Params = ()) -> Any:
        """The first column of the first row, None where there is none."""
        row = self.row(sql, params)
        return row[0] if row else None

    def query(
        self, sql: str, *, seconds: float | None = None, limit: int | None = None
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Column names and rows of one statement that somebody typed, at most ``limit`` rows.

        Whatever the connection may do otherwise, here it only reads. Raises `BadStatement` for anything else, and for
        a statement that takes longer than ``seconds``.
        """
        try:
            with self._reading_only(seconds):
                return self._typed(sql, limit)
        except apsw.InterruptError as error:
            raise errors.BadStatement(
                f"stopped after {seconds:g} seconds", hint="ask for less, or allow it more time"
            ) from error
        except apsw.AuthError as error:
            hint = "write with `mb` or any SQL client"
            raise errors.BadStatement("only reading is allowed here", hint=hint) from error
        except apsw.Error as error:
            raise _translated(error, str(self.path)) from error

    @contextmanager
    def _reading_only(self, seconds: float | None) -> Generator[None]:
        """VACUUM INTO and ATTACH write files even over a connection that is read-only: an authorizer refuses them."""
        until = None if seconds is None else time.monotonic() + seconds
        self._connection.authorizer = _only_reading
        self._connection.set_progress_handler(lambda: until is not None and time.monotonic() > until, 10_000)
        longest = self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, _LONGEST)
        try:
            yield
        finally:
            self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, longest)
            self._connection.set_progress_handler(None)
            self._connection.authorizer = None

    def _typed(self, sql: str, limit: int | None) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        cursor = self._connection.cursor()
        names: list[tuple[str, ...]] = []

        def note(traced: apsw.Cursor, *_: object) -> bool:
            if names:
                raise errors.BadStatement("more than one statement", hint="ask them one by one")
            names.append(tuple(column[0] for column in traced.get_description()))
            return True

        cursor.exec_trace = note
        found = cursor.execute(sql)
        rows = list(found if limit is None else islice(found, limit))
        if limit is None or len(rows) < limit:
            return names[0] if names else (), rows
        cursor.close(force=True)
        return names[0], rows

    def run(self, sql: str, params: Params = ()) -> int:
        """Run a statement (or, without parameters, several); the number of rows that the last one changed."""
        try:
            self._connection.execute(sql, params)
            return self._connection.changes()
        except apsw.Error as error:
            raise _translated(error, str(self.path)) from error

    def run_many(self, sql: str, params: Iterable[Params]) -> None:
        """Run one statement for each of ``params``."""
        try:
            self._connection.executemany(sql, params)
        except apsw.Error as error:
            raise _translated(error, str(self.path)) from error

    def insert(self, sql: str, params: Params = ()) -> int:
        """Run an INSERT; the id of the new row."""
        try:
            self._connection.execute(sql, params)
            return self._connection.last_insert_rowid()
        except apsw.Error as error:
            raise _translated(error, str(self.path)) from error

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction of this connection is open."""
        return self._connection.in_transaction

    @contextmanager
    def atomic(self, *, durable: bool = True) -> Generator[None]:
        """All that is done inside happens, or nothing. Waits for the write lock first; may be nested.

        What is not ``durable`` need not outlast a power cut: no wait for the disk, unless inside what waits anyway.
        An exception that leaves the block rolls back and is raised as it is, whatever the rollback says.
        """
        nested = self.in_transaction
        if not (durable or nested):
            self.run("PRAGMA synchronous = NORMAL")
            try:
                with self.atomic():
                    yield
            finally:
                if not self.in_transaction:  # else rolling back failed: this connection does no more
                    self.run("PRAGMA synchronous = FULL")
            return
        name = f"level_{self._depth}"
        self.run(f"SAVEPOINT {name}" if nested else "BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
            self.run(f"RELEASE {name}" if nested else "COMMIT")
        except BaseException as error:
            self._roll_back(name if nested else None, error)
            raise
        finally:
            self._depth -= 1

    def _roll_back(self, savepoint: str | None, cause: BaseException) -> None:
        if not self.in_transaction:  # SQLite has rolled back by itself: a full disk, an I/O error
            return
        try:
            self.run(f"ROLLBACK TO {savepoint}; RELEASE {savepoint}" if savepoint else "ROLLBACK")
        except DatabaseError as error:
            cause.add_note(f"rolling back failed as well: {error}")

    def data_version(self) -> int:
        """A number that differs from the last one if another connection has committed in between."""
        return int(self.value("PRAGMA data_version"))

    def changes(self) -> int:
        """How many rows this connection has written so far: it differs from the last one if it wrote in between."""
        return self._connection.total_changes()

    def checkpoint(self, *, truncate: bool = False) -> None:
        """Move committed pages from the -wal file to the database; with ``truncate``, empty the -wal file.

        What another program still reads stays in the -wal file: that is no error.
        """
        mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if truncate else apsw.SQLITE_CHECKPOINT_PASSIVE
        try:
            self._connection.wal_checkpoint(mode=mode)
        except (apsw.BusyError, apsw.LockedError):
            return
        except apsw.Error as error:
            raise _translated(error, str(self.path)) from error

    def damage(self) -> list[str]:
        """What SQLite says is damaged in the file, a line each; nothing where it is sound.

        A page that could not be read says nothing about what is in it. Raises `DatabaseFailed` and the others.
        """
        try:
            found = [str(line) for (line,) in self.rows("PRAGMA integrity_check") if line != "ok"]
        except errors.CorruptDatabase as error:
            return [error.what]
        for line in found:
            failed = _FAILED_READ.search(line)
            if failed is not None and int(failed[1] or 0) & 0xFF not in _VERDICTS:
                what = f"the database could not be read: {line}"
                raise errors.DatabaseFailed(what, str(self.path), "look at the disk, then run: syncd check")
        return found

    def integrity(self) -> list[str]:
        """What is wrong with the database, a line each; nothing where it is sound. Raises what `damage` raises."""
        found = self.damage()
        try:
            for table, _, parent, _ in self.rows("PRAGMA foreign_key_check"):
                found.append(f"a row of {table} belongs to a row of {parent} that is not there")
        except errors.CorruptDatabase as error:
            return found or [error.what]
        return found

    def backup_to(self, path: Path) -> None:
        """Write a consistent copy to ``path`` (mode 0600), which is there whole and checked, or not at all.

        The copy is one file. It was opened and its pages, indexes and foreign keys were checked before it got its
        name. Raises `DatabaseFailed`, `CorruptDatabase`, `DiskFull` and the others; nothing is left behind then.
        """
        partial = path.with_name(f"{path.name}.partial")
        try:
            partial.unlink(missing_ok=True)
            _create_private(partial)
            try:
                self._copy_to(partial)
                _sync_file(partial)
                os.replace(partial, path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)
        except OSError as error:
            raise errors.DatabaseFailed(f"no backup was made: {error.strerror}", str(path)) from error

    def _copy_to(self, path: Path) -> None:
        try:
            target = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                with target.backup("main", self._connection, "main") as backup:
                    while not backup.done:
                        backup.step()
                target.execute("PRAGMA journal_mode = DELETE")  # one file: it needs no -wal beside it
                wrong = Database(path, target).integrity()
            finally:
                target.close()
        except apsw.Error as error:
            raise _translated(error, str(path)) from error
        if wrong:
            hint = "restore an older backup with: syncd restore FILE; `syncd backup --list` shows them"
            raise errors.CorruptDatabase(f"no backup was made, the database is damaged: {wrong[0]}", self.path, hint)

    def replace_by(self, path: Path) -> None:
        """Make this database what the one at ``path`` is, in one commit that other connections see as any other."""
        try:
            source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                with self._connection.backup("main", source, "main") as backup:
                    while not backup.done:
                        backup.step()
            finally:
                source.close()
        except apsw.Error as error:
            raise _translated(error, str(self.path)) from error

    def abandon(self) -> None:
        """Close the connection without folding the -wal file into a database that may be damaged or another one."""
        with suppress(apsw.Error):
            self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        with suppress(apsw.Error):
            self._connection.close(True)

    def close(self) -> None:
        """Close the connection. Closing twice is no error."""
        try:
            self._connection.close()
        except apsw.Error as error:
            raise _translated(error, str(self.path)) from error


def _create_private(path: Path) -> None:
    """An empty file that only its owner may read. SQLite gives its -wal and -shm the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _sync_file(file: Path) -> None:
    """Never that of an open database: closing it would drop SQLite's locks."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_database(path: Path, *, create: bool = True, readonly: bool = False) -> Database:
    """Open the database at ``path`` and bring it to the schema of this program.

    Where there is none it is made, unless ``create`` is false or ``readonly`` is true (`NoDatabase`). Raises
    `NotADatabase`, `ForeignDatabase`, `CorruptDatabase`, `NewerSchema`, `OlderSchema`, `CannotOpen` and the others.
    """
    if not os.path.exists(path):
        if readonly or not create:
            raise errors.NoDatabase("there is no database", str(path), "run: syncd init")
        _create(path)
    elif not path.is_file():  # opening a FIFO would wait for ever
        raise errors.CannotOpen("the database is not a file", str(path), "choose another path or move it away")
    connection = _connect(path, readonly)
    database = Database(path, connection)
    try:
        _prepare(database, readonly)
    except BaseException:
        connection.close(force=True)
        raise
    return database


def copy_database(source: Path, target: Path) -> None:
    """Copy a database of any of our schemas, checked, without migrating or otherwise writing it.

    Raises `NotADatabase`, `ForeignDatabase`, `CorruptDatabase`, `CannotOpen` and the others.
    """
    connection = _connect(source, readonly=True)
    database = Database(source, connection)
    try:
        _require_ours(database)
        database.backup_to(target)
    finally:
        connection.close(force=True)


def _create(path: Path) -> None:
    try:
        _create_private(path)
    except FileExistsError:
        return  # another process was faster
    except OSError as error:
        raise errors.CannotOpen(
            f"the database cannot be made: {error.strerror}", str(path), "make its folder exist and be writable"
        ) from error


def _connect(path: Path, readonly: bool) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE
    try:
        connection = apsw.Connection(str(path), flags=flags, statementcachesize=256)
    except apsw.Error as error:
        raise _translated(error, str(path)) from error
    connection.set_busy_timeout(round(BUSY_SECONDS * 1000))
    return connection


def _prepare(database: Database, readonly: bool) -> None:
    """Refuse what is not ours, then settings, then migrations."""
    from schema import migrations

    _require_ours(database)
    if not readonly and database.value("PRAGMA journal_mode = WAL") != "wal":
        raise errors.DatabaseFailed(
            "the write-ahead log cannot be used on this disk", str(database.path), "keep the database on a local disk"
        )
    database.run(_SETTINGS)
    migrations.migrate(database, readonly=readonly)


def _require_ours(database: Database) -> None:
    owner = database.value("PRAGMA application_id")
    empty = database.value("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)")
    if owner != APPLICATION_ID and not (owner == 0 and empty):
        raise errors.ForeignDatabase(
            "this database belongs to another program", str(database.path), "choose another path or move it away"
        )
