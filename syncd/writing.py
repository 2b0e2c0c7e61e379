"""Rows written by a command or a script, in one transaction, and the files that show them.

Without a daemon the rows are written and converged here, under the bank's lock; with one, the rows and the request to
converge are one commit, and its answer is waited for. Either way what no file could show is refused before the commit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schema import announced
from schema.checks import InvalidOperation
from schema.db import Database, open_database
from syncd import lock, requests
from syncd.bank import database_of
from syncd.config import Config
from syncd.engine import Engine
from syncd.model import Mode, Report


@dataclass(slots=True)
class Writing:
    """A transaction of rows while it is open, and what came of it. ``last`` is the id of its last row change."""

    db: Database
    engine: Engine
    last: int | None = None
    probe: Report | None = None
    answer: dict[str, Any] = field(default_factory=dict)


class _Back(Exception):
    """Rolls a dry run back."""


@contextmanager
def writing(bank: Path, config: Config, origin: str, operation: str) -> Iterator[Writing]:
    """Rows may be written inside; on the way out they are committed, and the files brought along.

    An exception inside leaves everything as it was. Raises `InvalidOperation` where a file could not show what was
    written, and whatever `syncd.requests` raises.
    """
    deadline = time.monotonic() + requests.WAIT
    taken = requests.enter(bank, deadline)
    with taken or nullcontext():
        db = open_database(database_of(bank), create=False) if taken is None else None
        engine = Engine(bank, db, config) if db is not None else Engine.open(bank, create=True, config=config)
        try:
            if taken is not None:
                engine.converge()  # what was saved by hand comes first: it may be what the rows build on
            with engine.db.atomic():
                open_writing = Writing(engine.db, engine)
                behind = announced.newest(engine.db)
                yield open_writing
                number = _close(open_writing, behind, (origin, operation), None if taken is not None else bank)
            if taken is not None:
                open_writing.answer = requests.answer(engine, "sync", {})
            elif number is not None:
                open_writing.answer = requests.answered(engine.db, bank, number, deadline)
        finally:
            engine.close()


def _close(made: Writing, behind: int, name: tuple[str, str], bank: Path | None) -> int | None:
    """The last statements of the transaction: who wrote it and, with a daemon, the request; the request's number."""
    last = announced.announce(made.db, behind, *name)
    if last == behind:
        return None
    made.last = last
    made.probe = made.engine.converge((), settle=False, dry_run=True)
    if made.engine.mode is not Mode.OBSERVE and made.probe.refused:
        raise InvalidOperation(made.probe.refused[0], hint="nothing was written; say it in other words")
    return requests.ask(made.db, "sync", {}) if bank is not None else None


@contextmanager
def rehearsing(bank: Path, config: Config) -> Iterator[Writing]:
    """Rows may be written inside; on the way out ``probe`` is what would come of them, and nothing was done."""
    engine = Engine(bank, open_database(database_of(bank), create=False), config)
    try:
        with _rolled_back(engine.db):
            made = Writing(engine.db, engine)
            yield made
            made.probe = engine.converge(settle=False, dry_run=True)
    finally:
        engine.close()


@contextmanager
def _rolled_back(db: Database) -> Iterator[None]:
    try:
        with db.atomic():
            yield
            raise _Back
    except _Back:
        return
