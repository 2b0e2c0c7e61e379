"""`mb error`: errors, their causes and their fixes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from syncd.mb.doing import Made, carry_out, needed, writes

if TYPE_CHECKING:
    from syncd.api import Transaction


def add_add_error(parser: ArgumentParser) -> None:
    """The options of `mb error add`."""
    parser.add_argument("message", nargs="?", metavar="MESSAGE", help="what the error was, in one line")
    parser.add_argument("--cause", metavar="TEXT", help="why it happened")
    parser.add_argument("--fix", metavar="TEXT", help="what was done about it")
    parser.add_argument("--path", metavar="PATH", help="the file in which it was")
    parser.add_argument("--task", metavar="ID", help="the task that it belongs to")
    parser.add_argument("--key", metavar="KEY", help="a name for this call: a second one with it changes nothing")
    writes(parser)


def add_error(
    message: str | None,
    cause: str | None,
    fix: str | None,
    path: str | None,
    task: str | None,
    key: str | None,
    bank: str | None,
    as_json: bool,
    dry_run: bool,
    at: str | None,
) -> int:
    """Record an error in the error log."""
    said = needed(message, "the message", "what the error was", "error add")

    def act(tx: Transaction) -> Made:
        number = tx.insert_error_log(
            error_message=said, cause=cause, fix_applied=fix, file_path=path, task_id=task, key=key
        )
        return {"error": number}

    return carry_out(act, "add-error", bank=bank, as_json=as_json, dry_run=dry_run, at=at)
