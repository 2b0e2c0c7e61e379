"""Commands that write: done here under the bank's lock, or handed to the daemon that has it.

A request to the daemon is a row of the table ``requests``; the daemon notices the commit, does it, and writes the answer
into the same row.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from schema.db import Database, open_database
from schema.errors import SyncdError
from syncd import align, drift, lock, settle
from syncd.bank import database_of
from syncd.config import Config
from syncd.engine import Engine
from syncd.errors import BusyError, HaltedError
from syncd.lock import BankLock, LockRole
from syncd.model import Report

_WAIT = 60.0  # seconds a command waits for the daemon, or for another command
_POLL = 0.005
Progress = Callable[[int, int], None]


def perform(
    bank: Path, kind: str, arguments: Mapping[str, Any], config: Config, progress: Progress | None = None
) -> dict[str, Any]:
    """Do a request and converge; the JSON-able report. Raises `SyncdError`.

    ``kind`` is ``sync``, ``fix``, ``accept``, ``reject``, ``resolve`` or ``mode``.
    """
    deadline = time.monotonic() + _WAIT
    while True:
        taken = BankLock(bank)
        if taken.try_acquire(LockRole.COMMAND):
            with taken:
                engine = Engine.open(bank, create=True, config=config)
                try:
                    return answer(engine, kind, arguments, progress)
                finally:
                    engine.close()
        holder = lock.holder(bank)
        if holder is not None and holder.role is LockRole.DAEMON and holder.ready:
            return _hand_over(bank, kind, arguments, deadline)
        if time.monotonic() >= deadline:
            raise lock.busy(bank)
        time.sleep(_POLL)


def answer(
    engine: Engine, kind: str, arguments: Mapping[str, Any], progress: Progress | None = None
) -> dict[str, Any]:
    """Carry out one request with an engine whose lock is held."""
    if kind == "fix":
        return as_json(align.align(engine, dry_run=bool(arguments.get("dry_run"))))
    settle.act(engine, kind, arguments)
    report = engine.converge(
        dry_run=bool(arguments.get("dry_run")), follow=bool(arguments.get("follow")), progress=progress
    )
    if report.transaction is not None:
        drift.remember(engine.db, engine.state)
    return as_json(report)


def as_json(report: Report) -> dict[str, Any]:
    """A report as `sync --json` prints it."""
    return {**asdict(report), "state": report.state.value}


def serve(engine: Engine) -> int:
    """Answer all open requests; how many there were. For the daemon."""
    rows = engine.db.rows("SELECT id, kind, arguments FROM requests WHERE answered_at IS NULL ORDER BY id")
    for number, kind, arguments in rows:
        try:
            given = answer(engine, kind, json.loads(arguments or "{}"))
        except SyncdError as error:
            given = {"error": {"what": error.what, "path": error.path, "hint": error.hint, "exit": error.exit_code}}
        engine.db.run(
            "UPDATE requests SET answer = ?, answered_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = ?",
            (json.dumps(given), number),
        )
    return len(rows)


def _hand_over(bank: Path, kind: str, arguments: Mapping[str, Any], deadline: float) -> dict[str, Any]:
    db = open_database(database_of(bank), create=False)
    try:
        number = db.insert(
            "INSERT INTO requests(kind, arguments, created_at) VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
            (kind, json.dumps(dict(arguments))),
        )
        given = _await(db, bank, number, deadline)
        with suppress(SyncdError):
            db.run("DELETE FROM requests WHERE id = ?", (number,))
    finally:
        db.close()
    if "error" in given:
        told = given["error"]
        error = SyncdError(told["what"], told["path"], told["hint"])
        error.exit_code = told["exit"]
        raise error
    return given


def _await(db: Database, bank: Path, number: int, deadline: float) -> dict[str, Any]:
    while time.monotonic() < deadline:
        text = db.value("SELECT answer FROM requests WHERE id = ?", (number,))
        if text is not None:
            given: dict[str, Any] = json.loads(text)
            return given
        if lock.holder(bank) is None:
            db.run("DELETE FROM requests WHERE id = ?", (number,))
            raise BusyError("the daemon stopped before it answered", str(bank), "run the command again")
        time.sleep(_POLL)
    db.run("DELETE FROM requests WHERE id = ?", (number,))
    raise HaltedError("the daemon did not answer in time", str(bank), "look at `syncd status` and the daemon's log")
