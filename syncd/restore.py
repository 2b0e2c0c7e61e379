"""Bring a backup back: staged and looked at first, then put in the place of the database, which is kept.

The files are newer than a backup. They are not written from it: both are brought together as a union.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from schema import overview
from schema.db import copy_database, open_database
from schema.errors import (
    CorruptDatabase,
    DatabaseError,
    ForeignDatabase,
    NewerSchema,
    NoDatabase,
    NotADatabase,
    SyncdError,
)
from syncd import backups, lineage, staging
from syncd.backups import Why
from syncd.bank import database_of, state_of
from syncd.config import Config
from syncd.engine import Engine
from syncd.errors import UsageError
from syncd.inspect import reading
from syncd.model import Report
from syncd.state import BankState


@contextmanager
def staged(bank: Path, file: Path, *, foreign: bool) -> Iterator[Path]:
    """A copy of the backup ``file`` in the bank's own folder, checked, migrated and ready for the union.

    It is gone afterwards. Raises `SyncdError` where ``file`` is no backup of this bank that can be read.
    """
    if not file.is_file():
        raise UsageError("no such file", str(file), "`syncd backup --list` shows the backups")
    state_of(bank).mkdir(mode=0o700, exist_ok=True)
    with staging.place(bank) as folder:
        copy = folder / "staged.db"
        copy_database(file, copy)
        db = open_database(copy, create=False)
        try:
            known = lineage.read(bank)
            if lineage.standing(db, known) is lineage.Standing.FOREIGN and not foreign:
                raise UsageError("this is a backup of another bank", str(file), "--foreign if that is meant")
            lineage.estrange(db, known, lineage.ASKED)
        finally:
            db.close()
        yield copy


def preview(bank: Path, copy: Path, config: Config) -> dict[str, Any]:
    """What a restore would do: the rows of each table now and then, and a dry run of the union. Writes nothing."""
    db = open_database(copy, create=False)
    try:
        then, last = overview.record_counts(db), overview.last_transaction(db)
        report = Engine(bank, db, config).converge(dry_run=True)
    finally:
        db.close()
    now: Mapping[str, int] | None = None
    conflicts = 0
    with suppress(DatabaseError, SyncdError), reading(bank) as present:
        now, conflicts = overview.record_counts(present), overview.open_conflicts(present)
    return {
        "records": {table: {"now": now[table] if now else None, "then": then[table]} for table in then},
        "last_transaction": last,
        "conflicts_lost": conflicts,
        "written": list(report.emitted),
        "diffs": [list(diff) for diff in report.diffs if diff[0] in report.emitted],
        "row_diffs": list(report.row_diffs),
        "problems": list(report.problems),
    }


def carry_out(engine: Engine, copy: Path) -> tuple[Report, Path]:
    """Put the staged ``copy`` in the place of the engine's database, which is backed up first, and converge.

    Other programs that have the database open see the change as one commit. Raises `SyncdError`.
    """
    kept = backups.make(engine.db, engine.bank, Why.RESTORE, engine.config, engine.now())
    engine.db.replace_by(copy)
    engine.state = BankState(engine.db)
    return engine.converge(), kept


def put_in_place(bank: Path, copy: Path) -> str | None:
    """Where there is no database that could be opened: make the staged ``copy`` the bank's. Hold the bank's lock.

    What is kept of the one before, in words; None where one is there that can be opened, and nothing was done. Raises
    `DatabaseError` where a disk, a lock or the rights refuse it: that says nothing about what is in it.
    """
    try:
        open_database(database_of(bank), create=False).close()
        return None
    except NoDatabase:
        pass
    except (CorruptDatabase, NotADatabase, ForeignDatabase, NewerSchema) as error:
        lineage.set_aside(bank, error)
    known = lineage.read(bank)
    db = open_database(copy, create=False)
    try:
        db.backup_to(database_of(bank))
    finally:
        db.close()
    return (known.aside if known else None) or "nothing, there was none"
