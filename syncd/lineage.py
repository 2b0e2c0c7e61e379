"""Which database a bank has, and whether it is the one that the files were last equal to.

A small file beside the database, ``.syncd/known.json``, remembers the bank's identity and the last transaction. A
database that does not have that transaction was lost and made anew, is older (restored from yesterday), or belongs to
another bank. What an older one says is no ancestor of the files: both are brought together as a union.

`syncd status` asks it too, so what costs time to import is loaded when it is needed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict, replace

from schema import jsontext, overview
from schema.db import Database, open_database
from schema.errors import CorruptDatabase, ForeignDatabase, NewerSchema, NotADatabase, OlderSchema, SyncdError
from syncd import staging
from syncd.bank import database_of, state_of
from syncd.errors import HaltedError, from_os

NAME = "known.json"
UNION = "union"
"""The state that says why both sides are brought together as a union; `ASKED` where a person asked for it."""
ASKED = "asked"
_BANK = "bank"
_PASSING = frozenset({errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR})
_AGAIN = "`syncd restore FILE` brings a backup back (`syncd backup --list`), `syncd init` makes it anew from the files"


class Standing(Enum):
    """What a database is to the bank."""

    SAME = "the one that is known, or a later state of it"
    NEW = "nothing is known yet"
    LOST = "empty, and another one is known"
    OLDER = "of this bank, without the last transaction that is known"
    FOREIGN = "of another bank"


class Known(Struct, frozen=True):
    """What was last known of a bank's database.

    ``transaction`` is its last transaction_id, ``at`` that one's time (UTC, ISO 8601), ``conflicts`` how many were
    open. ``aside`` names the file in which a damaged database was kept: nothing is done until a person looked.
    """

    bank: str
    transaction: str | None = None
    number: int = 0
    at: str | None = None
    mode: str | None = None
    conflicts: int = 0
    aside: str | None = None


def read(bank: Path) -> Known | None:
    """What is known; None where there is nothing that can be read.

    Raises `SyncdError` where the system could not read it now: that is not the same as nothing.
    """
    try:
        told = jsontext.loads((state_of(bank) / NAME).read_text(encoding="utf-8"))
        return Known(**told) if isinstance(told.get("bank"), str) else None
    except OSError as error:
        if error.errno in _PASSING:
            raise from_os(error) from error
        return None
    except (ValueError, TypeError, AttributeError):
        return None


def write(bank: Path, known: Known) -> None:
    """Remember ``known``: in one step, in a file that only its owner may read."""
    file = state_of(bank) / NAME
    ready = file.with_name(f"{NAME}.{os.getpid()}")
    try:
        ready.unlink(missing_ok=True)
        descriptor = os.open(ready, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(jsontext.dumps(asdict(known)))
        os.replace(ready, file)
    finally:
        ready.unlink(missing_ok=True)


def note(bank: Path, db: Database, *, anew: bool = False) -> bool:
    """Bring what is known to what the database is now. False where that could not be written: it is for the next time.

    A database that is not the one that is known, or a later state of it, is not noted unless ``anew`` says so.
    """
    from schema import journal, store

    try:
        last, own = journal.latest(db), store.state_get(db, _BANK)
        if own is None:
            return True
        underway = store.state_get(db, UNION) is not None
        if not anew and (underway or standing(db, read(bank)) in (Standing.OLDER, Standing.FOREIGN)):
            return True
        now = Known(own, mode=store.state_get(db, "mode"), conflicts=overview.open_conflicts(db))
        if last is not None:
            now = replace(now, transaction=last.transaction_id, number=last.number, at=last.timestamp)
        if now != read(bank):
            write(bank, now)
    except (OSError, SyncdError):
        return False
    return True


def standing(db: Database, known: Known | None) -> Standing:
    """What the database is to the bank. Reads only."""
    own = overview.named(db, _BANK)
    if known is None or not known.bank:
        return Standing.NEW
    if own is None and overview.last_transaction(db) is None:
        return Standing.LOST
    if own != known.bank:
        return Standing.FOREIGN
    if known.transaction is None:
        return Standing.SAME
    there = db.value("SELECT EXISTS (SELECT 1 FROM transaction_log WHERE transaction_id = ?)", (known.transaction,))
    return Standing.SAME if there else Standing.OLDER


def is_same(bank: Path) -> bool:
    """Whether the database that lies there now is sound and the one that is known, seen by a connection of its own.

    Raises `CorruptDatabase`, `NotADatabase`; `DatabaseFailed` and the others where it could not be read.
    """
    try:  # read only: to make a copy of a backup write ahead needs a lock that the connection in use does not let go
        db = open_database(database_of(bank), readonly=True)
    except (ForeignDatabase, NewerSchema, OlderSchema):
        return False
    try:
        if wrong := db.damage():
            raise CorruptDatabase(f"the database is damaged: {wrong[0]}", str(database_of(bank)))
        return standing(db, read(bank)) in (Standing.SAME, Standing.NEW)
    finally:
        db.abandon()


def enter(bank: Path, make: Callable[[], Database], *, rebuild: bool) -> tuple[Database, str | None]:
    """Open the bank's database with ``make``; beside it the sentence about what is not as it was known, or None.

    Raises `HaltedError` for one of another bank, for one that is damaged (it is kept aside), and where a damaged one
    was kept aside before, unless it is to be made anew (``rebuild``).
    """
    staging.clear(bank, NAME)
    known = read(bank)
    if known is not None and known.aside and not rebuild and not database_of(bank).exists():
        raise was_set_aside(bank, known)
    try:
        db = make()
    except (CorruptDatabase, NotADatabase) as error:
        raise examined(bank, error) from error
    try:
        return db, _greet(bank, db, known)
    except BaseException:
        db.close()
        raise


def _greet(bank: Path, db: Database, known: Known | None) -> str | None:
    from schema import journal, store

    if store.state_get(db, UNION) is not None:  # under way since before
        if store.state_get(db, _BANK) is None:
            store.state_set(db, _BANK, known.bank if known and known.bank else os.urandom(8).hex())
        return None
    match standing(db, known):
        case Standing.SAME:
            return None
        case Standing.NEW:
            if store.state_get(db, _BANK) is None:
                store.state_set(db, _BANK, os.urandom(8).hex())
            return None
        case Standing.FOREIGN:
            raise foreign(bank)
        case Standing.LOST:
            assert known is not None
            told = _adopt(db, known)
            note(bank, db, anew=True)
            return told
        case Standing.OLDER:
            assert known is not None
            last = journal.latest(db)
            when = f"ends with {last.timestamp[:19]}Z" if last else "has no history"
            told = f"the database was replaced by an older one: it {when}, and {_lost(known)}"
            estrange(db, known, told)
            return told


def _adopt(db: Database, known: Known) -> str:
    """A database that was made anew goes on as the bank's."""
    from schema import store

    told = f"the database was lost and made anew from the files: {_lost(known)}"
    with db.atomic():
        store.state_set(db, _BANK, known.bank)
        store.state_set(db, "mode", known.mode)
        tell(db, told)
    return told


def _lost(known: Known) -> str:
    conflicts = f", and {known.conflicts} open conflicts" if known.conflicts else ""
    at = f" at {known.at[:19]}Z" if known.at else ""
    return f"the history up to transaction {known.number}{at} is not in it{conflicts}"


def estrange(db: Database, known: Known | None, why: str) -> None:
    """Make an older database ready for a union with the files: what it was about to do, it was about to do then.

    Its identity and mode become those that are known.
    """
    from schema import store

    with db.atomic():
        db.run("DELETE FROM outbox")
        db.run("DELETE FROM follows")
        db.run("DELETE FROM requests WHERE answered_at IS NULL")
        db.run("UPDATE holds SET state = 'withdrawn' WHERE state IN ('open', 'accepted') AND settled_at IS NULL")
        if known is not None and known.bank:
            store.state_set(db, _BANK, known.bank)
            store.state_set(db, "mode", known.mode)
        store.state_set(db, UNION, why)


def united(db: Database, now: datetime, came_back: int) -> None:
    """The union is done: say so where nobody asked for it."""
    from schema import store

    why = store.state_get(db, UNION)
    with db.atomic():
        store.state_set(db, UNION, None)
        if why is not None and why != ASKED:
            back = f"; {came_back} documents and records that no file had any more came back" if came_back else ""
            tell(db, f"{why}{back}", now)


def tell(db: Database, reason: str, now: datetime | None = None) -> None:
    """Have it waiting for a person, until `syncd accept`."""
    stamp = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    db.run(
        "INSERT INTO holds(path, kind, reason, deletes, created_at) VALUES ('', 'database', ?, 0, ?)", (reason, stamp)
    )


def foreign(bank: Path) -> HaltedError:
    """The error for a database of another bank. Nothing was done with it."""
    hint = "move it away; then `syncd restore FILE` brings a backup back, `syncd sync` makes it anew from the files"
    return HaltedError("this database belongs to another bank", str(database_of(bank)), hint)


def was_set_aside(bank: Path, known: Known) -> HaltedError:
    """The error for a bank whose damaged database was kept aside."""
    return HaltedError(f"the database was damaged and is kept as {known.aside}", str(bank), _AGAIN)


def set_aside(bank: Path, cause: SyncdError) -> HaltedError:
    """Keep a damaged database aside, with the files that belong to it; the error that says so and what to do."""
    file = database_of(bank)
    name = f"{file.name}.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    for tail in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.rename(f"{file}{tail}", file.with_name(f"{name}{tail}"))
    known = replace(read(bank) or Known(""), aside=name)
    write(bank, known)
    return HaltedError(f"{cause.what}; it is kept as {name}", str(file), _AGAIN)


def examined(bank: Path, error: SyncdError) -> SyncdError:
    """What an error that speaks of damage means: a fresh connection looks once more, and what is damaged is kept aside.

    Only what SQLite finds in the file counts: a disk that fails, too many open files or a lock are errors like any
    other, and nothing is moved. The connection that met ``error`` has to be closed.
    """
    try:
        db = open_database(database_of(bank), create=False)
        try:
            wrong = db.damage()
        finally:
            db.abandon()
    except (CorruptDatabase, NotADatabase) as damage:
        return set_aside(bank, damage)
    except SyncdError as failure:
        return failure
    return set_aside(bank, CorruptDatabase(f"the database is damaged: {wrong[0]}")) if wrong else error
