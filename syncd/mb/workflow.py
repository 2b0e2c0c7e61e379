"""`mb workflow`: the four steps of a day's work, each in one transaction that every file of the bank shows."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import TYPE_CHECKING

from schema.errors import SyncdError
from syncd import bank as banks
from syncd import config
from syncd.commands import answer, common
from syncd.errors import UsageError
from syncd.mb import filelines
from syncd.mb.doing import Made, carry_out, needed, writes
from syncd.mb.filelines import FileLine

if TYPE_CHECKING:
    from syncd.api import Transaction


def add_log_work(parser: ArgumentParser) -> None:
    """The options of `mb workflow log-work`."""
    parser.add_argument(
        "--task", dest="tasks", action="append", metavar="ID", help="a task that was worked on (several: T3,T3a)"
    )
    parser.add_argument("--summary", metavar="TEXT", help="one line: what was done")
    filelines.add(parser)
    parser.add_argument("--status", metavar="STATUS", help="what the tasks' status is now")
    parser.add_argument("--key", metavar="KEY", help="a name for this call: a second one with it records nothing more")
    writes(parser)


def log_work(
    tasks: list[str] | None,
    summary: str | None,
    files: Sequence[FileLine],
    status: str | None,
    key: str | None,
    bank: str | None,
    as_json: bool,
    dry_run: bool,
    at: str | None,
) -> int:
    """Record work in the edit history.

    The entry gets the present time, in the precision and with the zone that the bank's history uses, and a line for
    each file. It returns when rows and files are durable; exit code 1 says that something is pending, and what.
    """
    named = needed(",".join(tasks) if tasks else None, "--task", "task (T21, or T21,T20)", "workflow log-work")
    told = needed(summary, "--summary", "summary", "workflow log-work")
    ids = _ids(named)

    def act(tx: Transaction) -> Made:
        entry = tx.insert_edit_entry(description=told, task_ids=ids, key=key)
        lines = filelines.record(tx, entry, files, key)
        if status is not None:
            from syncd.mb import stamps

            for task in ids:
                tx.update_task_status(task, status)
                stamps.touch(tx, task)
        return {"entry": entry, "files": lines}

    return carry_out(act, "log-work", bank=bank, as_json=as_json, dry_run=dry_run, at=at)


def _ids(text: str) -> list[str]:
    """The ids of ``T3, T3a``; none for ``-``. Raises `UsageError` where there is an empty one."""
    if text.strip() == "-":
        return []
    ids = [part.strip() for part in text.split(",")]
    if not all(ids):
        raise UsageError(f"{text!r:.60} names an empty task", hint="one is T21; several are T21,T20; none is -")
    return ids


def add_update_session(parser: ArgumentParser) -> None:
    """The options of `mb workflow update-session`."""
    parser.add_argument("--focus", metavar="ID", help="the task that the session is about")
    parser.add_argument("--note", dest="notes", action="append", metavar="TEXT", help="a line for its notes")
    parser.add_argument("--end", action="store_true", help="the session is over")
    parser.add_argument("--new", action="store_true", help="begin another one, also where one is open")
    writes(parser)


def update_session(
    focus: str | None,
    notes: list[str] | None,
    end: bool,
    new: bool,
    bank: str | None,
    as_json: bool,
    dry_run: bool,
    at: str | None,
) -> int:
    """Continue the session that is open today, or begin one.

    A session that was begun today and has not ended is continued; otherwise one begins, named by date and period of the
    day, beside those that are there. The session cache shows it as the current one.
    """
    if new and end:
        raise UsageError("--new and --end exclude each other", hint="name one of them")

    def act(tx: Transaction) -> Made:
        from syncd.mb import current

        session = None if new else current.open_now(tx.db, tx.moment)
        if session is None and end:
            raise UsageError("no session is open today", hint="`mb workflow update-session` begins one")
        known = current.begin(tx, focus) if session is None else session
        if session is not None and focus is not None:
            current.focus_on(tx, known, focus)
        for note in notes or ():
            tx.update_session(known, note=note)
        if end:
            current.end(tx, known)
        return {"session": known, "document": current.document_of(tx.db, known)}

    return carry_out(act, "update-session", bank=bank, as_json=as_json, dry_run=dry_run, at=at)


def add_complete_task(parser: ArgumentParser) -> None:
    """The options of `mb workflow complete-task`."""
    parser.add_argument("task", nargs="?", metavar="ID", help="the task")
    parser.add_argument("--note", metavar="TEXT", help="one line: what came of it")
    filelines.add(parser)
    writes(parser)


def complete_task(
    task: str | None,
    note: str | None,
    files: Sequence[FileLine],
    bank: str | None,
    as_json: bool,
    dry_run: bool,
    at: str | None,
) -> int:
    """Complete a task.

    Its status and completion date change wherever the bank shows them now, the session cache counts again, the edit
    history gets an entry, the open session of today a note, and a changelog.md a line.
    """
    known = needed(task, "the task's id", "task", "workflow complete-task")

    def act(tx: Transaction) -> Made:
        from syncd.mb import changelog, current, stamps

        row = tx.db.row("SELECT status, title FROM tasks WHERE id = ?", (known,))
        if row is not None and row[0] == "completed":
            raise SyncdError("is completed already", known, f"`mb task set {known} --status in_progress` reopens it")
        title = row[1] if row and row[1] else known
        made: Made = {}
        session = current.open_now(tx.db, tx.moment)
        if session is not None:
            tx.update_session(session, note=f"Completed {known}: {note or title}")
            made["session"] = session
        if changelog.add_line(tx, changelog.Done(known, title, f"{tx.moment:%Y-%m-%d}", note)):
            made["changelog"] = changelog.PATH
        tx.update_task_status(known, "completed")
        stamps.touch(tx, known)
        entry = tx.insert_edit_entry(description=note or f"{title} completed", task_ids=[known])
        return {"entry": entry, "files": filelines.record(tx, entry, files), **made}

    return carry_out(act, "complete-task", bank=bank, as_json=as_json, dry_run=dry_run, at=at)


def add_sync(parser: ArgumentParser) -> None:
    """The options of `mb workflow sync`."""
    common(parser)
    parser.add_argument("--follow", action="store_true", help="write what was edited to the other places that show it")


def sync(bank: str | None, as_json: bool, follow: bool) -> int:
    """Bring files and database together now.

    The same as `syncd sync`: rows that any program changed are written into the files, edited files into rows.
    """
    folder = banks.find(bank)
    banks.require_documents(folder)
    settings = config.load(folder)
    from syncd import inspect

    if inspect.at_rest(folder):
        from syncd.commands.sync import NOTHING_TO_DO

        return answer.show(NOTHING_TO_DO, as_json)
    from syncd import requests

    return answer.show(requests.perform(folder, "sync", {"follow": follow}, settings), as_json)
