"""Rows written by a command or a script, in one transaction, and the files that show them.

Without a daemon the rows are written and converged here, under the bank's lock; with one, the rows and the request to
converge are one commit, and its answer is waited for. Either way what no file could show is refused before the commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from schema import announced, journal
from schema.checks import InvalidOperation
from schema.db import Database, open_database
from schema.errors import SyncdError
from syncd import lock, requests
from syncd.bank import database_of
from syncd.config import Config
from syncd.engine import Engine
from syncd.errors import BusyError
from syncd.model import Mode, Report


class Outcome(Struct, frozen=True):
    """What is known after the commit. ``number`` is None while the rows wait; ``unwritten`` files are still to come."""

    number: int | None = None
    transaction_id: str | None = None
    emitted: tuple[str, ...] = ()
    unwritten: tuple[str, ...] = ()


class Writing(Struct):
    """A transaction of rows while it is open, and what came of it.

    ``last`` is the id of its last row change, None where nothing changed. ``probe`` is what converging is expected to
    do, ``answer`` what was told about it. ``observes`` says that the mode writes no file; ``problems`` are sentences
    about places that could not be brought along.
    """

    engine: Engine
    last: int | None = None
    probe: Report | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome()
    observes: bool = False
    problems: tuple[str, ...] = ()

    @property
    def db(self) -> Database:
        """The connection whose transaction is open."""
        return self.engine.db


@contextmanager
def writing(
    bank: Path, config: Config, origin: str, operation: str, moment: datetime | None = None
) -> Iterator[Writing]:
    """Rows may be written inside; on the way out they are committed, and the files brought along.

    Documents are stamped with ``moment``, by default with the time of their writing.
    An exception inside leaves everything as it was. Raises `InvalidOperation` where a file could not show what was
    written, `SyncdError` where nothing could be committed. What fails behind the commit is told by ``answer``.
    """
    deadline = time.monotonic() + lock.WAIT
    with _engine(bank, config, deadline) as (engine, done):
        made = Writing(engine, observes=engine.mode is Mode.OBSERVE)
        with engine.db.atomic():
            behind = announced.newest(engine.db)
            yield made
            last = announced.announce(engine.db, behind, origin, operation, moment)
            made.last = last if last > behind else None
            finish = _here(made, done) if done is not None else _by_daemon(made, deadline)
        _bring(made, finish)
        made.outcome = _outcome(made)


Done = Callable[[Report], None]


class _AtHand(Struct, frozen=True):
    """An engine of this process, and who is to know what was done with it."""

    engine: Engine
    done: Done


_at_hand: ContextVar[_AtHand | None] = ContextVar("at_hand", default=None)


@contextmanager
def at_hand(engine: Engine, done: Done) -> Iterator[None]:
    """Inside, what is written to the bank of ``engine`` is written with it: the daemon, whose engine it is, has the
    bank's lock, and has absorbed what was saved by hand."""
    before = _at_hand.set(_AtHand(engine, done))
    try:
        yield
    finally:
        _at_hand.reset(before)


@contextmanager
def _engine(bank: Path, config: Config, deadline: float) -> Iterator[tuple[Engine, Done | None]]:
    """An engine to write with, and who is told what it did; None in place of that where a daemon has the lock."""
    ready = _at_hand.get()
    if ready is not None and ready.engine.bank == bank:
        ready.engine.look_at_git()  # since its last converge a merge may have begun
        try:
            yield ready.engine, ready.done
        except BaseException:
            ready.engine.renew()
            raise
        return
    taken = requests.enter(bank, deadline)
    with taken or nullcontext():
        if taken is not None:
            engine = Engine.open(bank, create=True, config=config)
        else:
            engine = Engine(bank, open_database(database_of(bank), create=False), config)
        try:
            if taken is not None:
                engine.converge()  # what was saved by hand comes first: the rows may build on it
            yield engine, None if taken is None else lambda report: _remember(engine, report)
        finally:
            engine.close()


def _remember(engine: Engine, report: Report) -> None:
    """Note for `syncd status` what is behind."""
    if report.transaction is not None:
        from syncd import drift

        drift.remember(engine.db, engine.state)


Finish = Callable[[], Mapping[str, Any]]


def _here(made: Writing, done: Done) -> Finish:
    """Plan and commit with the rows what the files will show; they are written by what this returns."""
    if made.last is None:
        return _nothing
    engine = made.engine
    refused, finish = engine.commit_rows()
    _check(made, refused)

    def told() -> Mapping[str, Any]:
        report = finish()
        made.problems = report.problems
        done(report)
        return requests.as_json(report)

    return told


def _by_daemon(made: Writing, deadline: float) -> Finish:
    """Leave the request with the rows; its answer is awaited by what this returns."""
    if made.last is None:
        return _nothing
    made.probe = made.engine.converge((), settle=False, dry_run=True)
    _check(made, made.probe.refused)
    made.problems = made.probe.problems
    number = requests.ask(made.db, "sync", {})
    engine = made.engine

    def told() -> Mapping[str, Any]:
        try:
            return requests.answered(engine.db, engine.bank, number, deadline)
        except BusyError:  # the daemon stopped: whoever has the lock now does it
            return requests.perform(engine.bank, "sync", {}, engine.config)

    return told


def _nothing() -> Mapping[str, Any]:
    return {"state": "converged"}


def _check(made: Writing, refused: Sequence[str]) -> None:
    """Raises `InvalidOperation` where no document would show one of the rows as it is."""
    if refused and not made.observes:
        raise InvalidOperation(refused[0], hint="nothing was written; say it in other words")


def _bring(made: Writing, finish: Finish) -> None:
    """Bring the files along. The rows are durable: what fails from here on is told, not raised."""
    try:
        made.answer = finish()
    except SyncdError as error:
        made.answer = {"state": "pending", "reason": f"recorded in the database, but the files wait: {error}"}


def _outcome(made: Writing) -> Outcome:
    """The transaction that sealed the rows, and its files."""
    db = made.db
    change = db.row('SELECT "transaction" FROM row_changes WHERE id = ?', (made.last,)) if made.last else (None,)
    # The change of a section is not kept when it is sealed: prose alone leaves the answer, or the last transaction.
    number = change[0] if change else made.answer.get("number") or _newest(db)
    if number is None:
        return Outcome()
    files = db.rows('SELECT DISTINCT path FROM versions WHERE "transaction" = ? AND emitted ORDER BY path', (number,))
    waiting = db.rows('SELECT path FROM outbox WHERE "transaction" = ? ORDER BY path', (number,))
    return Outcome(
        number,
        journal.transaction(db, number).transaction_id,
        tuple(path for (path,) in files),
        tuple(path for (path,) in waiting),
    )


def _newest(db: Database) -> int | None:
    last = journal.latest(db)
    return None if last is None else last.number


class _Back(Exception):
    """Rolls a rehearsal back."""


@contextmanager
def rehearsing(bank: Path, config: Config, moment: datetime | None = None) -> Iterator[Writing]:
    """Rows may be written inside; on the way out ``probe`` tells what would come of them, and nothing was done.

    ``moment`` as in `writing`.
    """
    made = Writing(Engine(bank, open_database(database_of(bank), create=False), config))
    try:
        with _rolled_back(made.db):
            behind = announced.newest(made.db)
            yield made
            announced.announce(made.db, behind, "", "", moment)
            made.probe = made.engine.converge(settle=False, dry_run=True)
    finally:
        made.engine.close()


@contextmanager
def _rolled_back(db: Database) -> Iterator[None]:
    try:
        with db.atomic():
            yield
            raise _Back
    except _Back:
        return
