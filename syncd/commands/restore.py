"""Bring back what was: a backup (FILE), or one document (--file) or one record (--record) as it stood after --at TX.

Of a document or record it becomes a new transaction; it may be gone since. A document is put back like a save by hand,
rows and the other current places follow it; a record like a change of its row, the files follow. With a record that was
deleted comes what belonged to it, and its own document.

Of a backup it is shown first what that would do: the rows of each table now and then, and what would be written into
the files. On a terminal it asks, elsewhere it needs --yes. The database that is replaced is backed up. What the files
say since the backup was made is newer and stays: it is absorbed, and what only the backup knows comes back, in rows and
in files.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from syncd import bank as banks
from syncd import config, output
from syncd.commands import answer, brought, common
from syncd.errors import Exit, UsageError


def add(parser: ArgumentParser) -> None:
    """The options of `syncd restore`."""
    parser.add_argument("backup", nargs="?", metavar="FILE", help="a backup, as `syncd backup --list` shows them")
    brought.add(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what it would do and stop")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--foreign", action="store_true", help="also a backup of another bank")
    common(parser)


def run(
    backup: str | None,
    document: str | None,
    record: str | None,
    at: str | None,
    dry_run: bool,
    yes: bool,
    foreign: bool,
    bank: str | None,
    as_json: bool,
) -> int:
    """Restore a backup, a document or a record."""
    if backup and not (document or record or at):
        return _backup(backup, dry_run, yes, foreign, bank, as_json)
    if backup or not (document or record):
        hint = "FILE, or --file PATH --at TX, or --record TABLE:KEY --at TX"
        raise UsageError("name a backup, a document or a record, one of them", hint=hint)
    return brought.bring_back(document, record, at, bank, as_json, dry_run)


def _backup(backup: str, dry_run: bool, yes: bool, foreign: bool, bank: str | None, as_json: bool) -> int:
    """Preview, ask, restore."""
    from syncd import requests, restore

    folder = banks.find(bank)
    settings = config.load(folder)
    with restore.staged(folder, Path(backup).resolve(), foreign=foreign) as copy:
        shown = restore.preview(folder, copy, settings)
        if not as_json:
            _show(shown)
        elif dry_run:
            output.show_json(shown)
        if dry_run:
            return Exit.CONVERGED
        if not yes and not _agreed(backup):
            output.say("nothing was changed")
            return Exit.ATTENTION
        given = requests.perform(folder, "restore", {"staged": str(copy)}, settings)
    if not as_json:
        output.say(f"the database that was replaced is kept: {given['kept']}")
    return answer.show(given, as_json)


def _agreed(backup: str) -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("nobody is there to ask", backup, "look at it with --dry-run, then give --yes")
    return input("restore it? [y/N] ").strip().lower() in ("y", "yes")


def _show(shown: Mapping[str, Any]) -> None:
    last = shown["last_transaction"]
    if last:
        output.say(f"the backup ends with transaction {last['number']} at {last['timestamp'][:19]}Z")
    rows = [
        (table, "?" if counts["now"] is None else f"{counts['now']:,}", f"{counts['then']:,}")
        for table, counts in shown["records"].items()
        if counts["now"] or counts["then"]
    ]
    output.show_table(("table", "now", "in the backup"), rows)
    for _, text in shown["diffs"]:
        output.show_text(text)
    for problem in shown["problems"]:
        output.say(problem)
    output.say(f"would write {output.counted(len(shown['written']), 'document')}")
    if shown["conflicts_lost"]:
        conflicts = output.counted(shown["conflicts_lost"], "open conflict")
        output.say(f"{conflicts} would stay in the database that is kept")
