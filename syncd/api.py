"""The bank as a Python program uses it: open it, write in transactions, and every file shows it.

    bank = syncd.open_bank("memory-bank")
    with bank.transaction() as tx:
        entry = tx.insert_edit_entry(description="First version", task_ids=["T4"])
        tx.insert_file_modification(entry, "Created", "src/packs/encode.ts", "Heights as differences")
        tx.update_task_status("T4", "completed")
    tx.result.emitted   # the documents that were written

All that is done inside is one transaction; an exception undoes it. On the way out both sides are durable, or ``result``
says what is pending and why.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import update_wrapper
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from msgspec import Struct

from schema import operations
from schema.checks import InvalidOperation
from schema.db import Database
from schema.operations import MODES
from schema.when import When, when
from syncd import bank as banks
from syncd import config, writing
from syncd.config import Config

__all__ = ["MODES", "Bank", "InvalidOperation", "Result", "Transaction", "open_bank"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T")


class Result(Struct, frozen=True):
    """What came of a transaction.

    ``state`` is ``converged``, ``pending`` (the rows are durable, ``reason`` says why not all files show them yet) or
    ``attention`` (something waits for a person). ``transaction`` and ``number`` name the transaction of the log, None
    where nothing was changed or it is pending. ``emitted`` are the documents that were written, ``pending`` those that
    wait. ``problems`` are sentences about places that could not be brought along. ``diffs`` (path, unified diff) and
    ``row_diffs`` are those of a dry run.
    """

    state: str
    transaction: str | None = None
    number: int | None = None
    emitted: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    reason: str | None = None
    problems: tuple[str, ...] = ()
    conflicts: tuple[dict[str, Any], ...] = ()
    holds: tuple[dict[str, Any], ...] = ()
    diffs: tuple[tuple[str, str], ...] = ()
    row_diffs: tuple[str, ...] = ()


def _plain(
    operation: Callable[Concatenate[Database, _P], _R],
) -> Callable[Concatenate[Transaction, _P], _R]:
    """An operation as a method."""

    def method(self: Transaction, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        return operation(self.db, *args, **kwargs)

    update_wrapper(method, operation)
    return method


def _timed(
    operation: Callable[Concatenate[Database, _P], _R],
) -> Callable[Concatenate[Transaction, _P], _R]:
    """An operation as a method, with the transaction's moment where the caller names none."""

    def method(self: Transaction, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        if not {"moment", "date", "time", "timezone"} & kwargs.keys():
            kwargs["moment"] = self.moment
        return operation(self.db, *args, **kwargs)

    update_wrapper(method, operation)
    return method


class Transaction:
    """An open transaction: the operations of `schema.operations` as methods.

    ``db`` is the database for queries, ``moment`` the time that operations use by default. ``result`` is there once the
    transaction ended well.
    """

    insert_edit_entry = _timed(operations.insert_edit_entry)
    insert_file_modification = _plain(operations.insert_file_modification)
    create_task = _timed(operations.create_task)
    rename_task = _plain(operations.rename_task)
    describe_task = _plain(operations.describe_task)
    update_task_status = _timed(operations.update_task_status)
    set_task_priority = _plain(operations.set_task_priority)
    remove_task = _plain(operations.remove_task)
    add_dependency = _plain(operations.add_dependency)
    remove_dependency = _plain(operations.remove_dependency)
    add_subtask = _plain(operations.add_subtask)
    tick_subtask = _plain(operations.tick_subtask)
    remove_subtask = _plain(operations.remove_subtask)
    create_session = _timed(operations.create_session)
    update_session = _plain(operations.update_session)
    complete_session = _timed(operations.complete_session)
    update_session_cache = _plain(operations.update_session_cache)
    insert_error_log = _timed(operations.insert_error_log)
    done = _plain(operations.done)

    def __init__(self, db: Database, moment: datetime) -> None:
        self.db = db
        self.moment = moment
        self._result: Result | None = None

    @property
    def result(self) -> Result:
        """What came of it. Raises `RuntimeError` while it is open, and where it failed."""
        if self._result is None:
            raise RuntimeError("the transaction has not ended well")
        return self._result

    def when(self, moment: datetime | None = None) -> When:
        """The transaction's moment, or another, as this bank writes it: date, time and label of the zone."""
        return when(self.db, moment or self.moment)


class Bank:
    """A bank on disk. Nothing is held open between transactions."""

    def __init__(self, path: Path, settings: Config) -> None:
        self.path = path
        self.config = settings

    def now(self) -> datetime:
        """The time now, in the zone of the setting ``timezone``, else in the system's."""
        if not self.config.timezone:
            return datetime.now().astimezone()
        from zoneinfo import ZoneInfo

        return datetime.now(ZoneInfo(self.config.timezone))

    @contextmanager
    def transaction(
        self, origin: str = "api", operation: str = "write", moment: datetime | None = None
    ) -> Iterator[Transaction]:
        """Write rows inside; all of it is one transaction, under the names ``origin`` and ``operation`` in the log.

        ``moment`` is what operations and the stamps of documents take for the present.
        The database is locked for others while it is open, so it should not wait for people. Raises `InvalidOperation`
        where the files cannot show something as it was given, `SyncdError` where the bank cannot be written; nothing
        was done then.
        """
        with writing.writing(self.path, self.config, origin, operation, moment) as open_writing:
            tx = Transaction(open_writing.db, moment or self.now())
            yield tx
        tx._result = _result(open_writing)

    def dry_run(self, act: Callable[[Transaction], _T], moment: datetime | None = None) -> Result:
        """What ``act`` would do, with the diff of each file. Nothing is changed. Raises as `transaction` does."""
        banks.require_database(self.path)
        with writing.rehearsing(self.path, self.config, moment) as rehearsal:
            act(Transaction(rehearsal.db, moment or self.now()))
        probe = rehearsal.probe
        assert probe is not None
        if probe.refused:
            raise InvalidOperation(probe.refused[0], hint="say it in other words")
        return Result(
            probe.state.value, emitted=probe.emitted, pending=probe.pending, reason=probe.reason,
            problems=probe.problems, conflicts=probe.conflicts, holds=probe.holds, diffs=probe.diffs,
            row_diffs=probe.row_diffs,
        )  # fmt: skip


def open_bank(path: str | os.PathLike[str] | None = None) -> Bank:
    """The bank at ``path``, else the one that `syncd` commands would find. Raises `SyncdError`."""
    folder = banks.find(None if path is None else os.fspath(path))
    banks.require_documents(folder)
    return Bank(folder, config.load(folder))


def _result(made: writing.Writing) -> Result:
    """The result of a transaction from what was told and what the database says."""
    told, done = made.answer, made.outcome
    waits = made.last is not None and (done.number is None or done.unwritten)
    reason = told.get("reason")
    if waits and not reason:
        reason = "mode observe writes no file" if made.observes else "the database has changes that wait for the files"
    state = "pending" if waits and told["state"] == "converged" else told["state"]
    return Result(
        state, done.transaction_id, done.number, done.emitted, tuple(told.get("pending", ())) or done.unwritten, reason,
        made.problems, tuple(told.get("conflicts", ())), tuple(told.get("holds", ())),
    )  # fmt: skip
