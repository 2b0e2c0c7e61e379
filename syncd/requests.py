"""Commands that write: done here under the bank's lock, or handed to the daemon that has it.

A request to the daemon is a row of the table ``requests``; the daemon notices the commit, does it, and writes the
answer into the same row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from schema import jsontext
from schema.db import Database, open_database
from schema.errors import CorruptDatabase, NotADatabase, SyncdError
from syncd import lineage, lock
from syncd.bank import database_of
from syncd.config import Config
from syncd.engine import Engine
from syncd.errors import BusyError, HaltedError, UsageError, expected
from syncd.lock import WAIT, BankLock, LockRole
from syncd.model import Report

_POLL = 0.005

Progress = Callable[[int, int], None]


def perform(
    bank: Path, kind: str, arguments: Mapping[str, Any], config: Config, progress: Progress | None = None
) -> dict[str, Any]:
    """Do a request and converge; the JSON-able report. Raises `SyncdError`.

    ``kind`` is ``sync``, ``fix``, ``accept``, ``reject``, ``resolve``, ``mode``, ``cutover``, ``rollback``,
    ``undo``, ``restore`` (a backup), ``bring back`` (a document, a record), ``prune`` or ``init``
    (``sync`` that may make a damaged database anew).
    """
    deadline = time.monotonic() + WAIT
    taken = enter(bank, deadline)
    if taken is None:
        return _hand_over(bank, kind, arguments, deadline)
    with taken:
        if kind == "restore" and (kept := _put_in_place(bank, arguments)):
            kind, arguments = "sync", {}
        else:
            kept = None
        engine = Engine.open(bank, create=True, config=config, rebuild=kind == "init")
        try:
            given = answer(engine, kind, arguments, progress)
        except (CorruptDatabase, NotADatabase) as error:
            engine.abandon()
            raise lineage.examined(bank, error) from error
        finally:
            engine.close()
        return {**given, "kept": kept} if kept else given


def _put_in_place(bank: Path, arguments: Mapping[str, Any]) -> str | None:
    from syncd import restore

    return restore.put_in_place(bank, Path(arguments["staged"]))


def enter(bank: Path, deadline: float) -> BankLock | None:
    """The bank's lock, taken; None where a daemon has it that answers requests.

    Waits for other commands until ``deadline`` on the monotonic clock. Raises `BusyError`.
    """
    while True:
        taken = BankLock(bank)
        if taken.try_acquire(LockRole.COMMAND):
            return taken
        holder = lock.holder(bank)
        if holder is not None and holder.role is LockRole.DAEMON and holder.ready:
            return None
        if time.monotonic() >= deadline:
            raise lock.busy(bank)
        time.sleep(_POLL)


def answer(
    engine: Engine, kind: str, arguments: Mapping[str, Any], progress: Progress | None = None
) -> dict[str, Any]:
    """Carry out one request with an engine whose lock is held."""
    if kind == "fix":
        from syncd import align

        return as_json(align.align(engine, dry_run=bool(arguments.get("dry_run"))))
    if kind == "undo":
        from syncd.history.undo import undo

        return as_json(undo(engine, arguments.get("transactions", ()), dry_run=bool(arguments.get("dry_run"))))
    if kind == "prune":
        from syncd.history import prune

        return prune.answer(engine, arguments)
    if kind == "restore":
        from syncd import restore

        report, kept = restore.carry_out(engine, Path(str(arguments.get("staged"))))
        return {**as_json(report), "kept": str(kept)}
    if kind == "bring back":
        from syncd.history import bringback

        return as_json(bringback.restore(engine, arguments))
    if kind == "cutover":
        from syncd import cutover

        return cutover.cut_over(engine, dry_run=bool(arguments.get("dry_run")))
    if kind != "sync":
        from syncd import settle

        settle.act(engine, kind, arguments)
    report = engine.converge(
        dry_run=bool(arguments.get("dry_run")), follow=bool(arguments.get("follow")), progress=progress
    )
    if kind == "resolve":
        settle.note_settled(engine.db, report.number)
    if report.transaction is not None:
        from syncd import drift

        drift.remember(engine.db, engine.state)
    return as_json(report)


def as_json(report: Report) -> dict[str, Any]:
    """A report as `sync --json` prints it."""
    return {**asdict(report), "state": report.state.value}


def serve(engine: Engine) -> int:
    """Answer all open requests; how many there were. For the daemon."""
    rows = engine.db.rows(
        """SELECT id, kind, arguments, coalesce(strftime('%s', 'now') - strftime('%s', created_at), 0)
        FROM requests WHERE answered_at IS NULL ORDER BY id"""
    )
    for number, kind, arguments, seconds in rows:
        try:
            if seconds > WAIT:  # a command that was broken off; what it said yes to may be something else by now
                raise UsageError("nobody waits for this request any more", str(engine.bank), "run the command again")
            with expected():
                given = answer(engine, kind, _arguments(arguments))
        except SyncdError as error:
            given = {"error": {"what": error.what, "path": error.path, "hint": error.hint, "exit": error.exit_code}}
        # Where the database was replaced by a backup, the request is no longer in it.
        engine.db.run(
            """INSERT INTO requests(id, kind, arguments, answer, answered_at) VALUES (?, ?, ?, ?,
            strftime('%Y-%m-%dT%H:%M:%SZ', 'now')) ON CONFLICT(id) DO UPDATE SET answer = excluded.answer,
            answered_at = excluded.answered_at""",
            (number, kind, arguments, jsontext.dumps(given)),
        )
    return len(rows)


def _arguments(text: str | None) -> dict[str, Any]:
    """The arguments of a request, which any client may have written. Raises `UsageError`."""
    try:
        given = jsontext.loads(text or "{}")
    except (TypeError, ValueError):
        given = None
    if not isinstance(given, dict):
        raise UsageError("the arguments of this request are no JSON object")
    ids = given.get("ids", [])
    if not isinstance(ids, list) or not all(str(number).isdigit() for number in ids):
        raise UsageError(f"these are no ids: {ids}")
    named = given.get("transactions", [])
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise UsageError(f"these are no transactions: {named}")
    return given


def _hand_over(bank: Path, kind: str, arguments: Mapping[str, Any], deadline: float) -> dict[str, Any]:
    db = open_database(database_of(bank), create=False)
    try:
        return answered(db, bank, ask(db, kind, arguments), deadline)
    finally:
        db.close()


def ask(db: Database, kind: str, arguments: Mapping[str, Any]) -> int:
    """Leave a request to the daemon; its number. Whatever was written in the same commit is done before it."""
    return db.insert(
        "INSERT INTO requests(kind, arguments, created_at) VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
        (kind, jsontext.dumps(dict(arguments))),
    )


def answered(db: Database, bank: Path, number: int, deadline: float) -> dict[str, Any]:
    """The daemon's answer to request ``number``. Raises the error that it tells, or that none came."""
    given = _await(db, bank, number, deadline)
    with suppress(SyncdError):
        db.run("DELETE FROM requests WHERE id = ?", (number,))
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
            given: dict[str, Any] = jsontext.loads(text)
            return given
        if lock.holder(bank) is None:
            db.run("DELETE FROM requests WHERE id = ?", (number,))
            raise BusyError("the daemon stopped before it answered", str(bank), "run the command again")
        time.sleep(_POLL)
    db.run("DELETE FROM requests WHERE id = ?", (number,))
    raise HaltedError("the daemon did not answer in time", str(bank), "look at `syncd status` and the daemon's log")
