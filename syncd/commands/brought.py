"""`syncd restore` with ``--file`` or ``--record``: a document or a record as it stood after a transaction."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from syncd import bank as banks
from syncd import config, output
from syncd.commands import answer
from syncd.commands.undo import show_planned
from syncd.errors import Exit, UsageError


def add(parser: ArgumentParser) -> None:
    """The options that say what and when."""
    parser.add_argument("--file", metavar="PATH", dest="document", help="bring back this document: tasks/T21.md")
    parser.add_argument("--record", metavar="TABLE:KEY", help="bring back this record: tasks:T21")
    parser.add_argument("--at", metavar="TX", help="the transaction after which it stood as it is wanted")


def bring_back(
    document: str | None, record: str | None, at: str | None, bank: str | None, as_json: bool, dry_run: bool
) -> int:
    """Bring it back; the exit code is that of the state afterwards, of a dry run 0. Raises `UsageError`."""
    if document and record:
        raise UsageError("name a document or a record, one of the two", hint="--file PATH or --record TABLE:KEY")
    what = _document(document, at) if document else _record(str(record), at)
    folder = banks.find(bank)
    banks.require_database(folder)
    return _restored(folder, {**what, "dry_run": dry_run}, as_json)


def _document(path: str, at: str | None) -> dict[str, Any]:
    if at is None:
        raise UsageError("--file needs --at TX", hint=f"`syncd log --file {path}` lists the transactions")
    return {"file": path, "at": at}


def _record(name: str, at: str | None) -> dict[str, Any]:
    table, colon, key = name.partition(":")
    if not colon or not key:
        raise UsageError("no such record", name, "name it as TABLE:KEY: tasks:T21")
    if at is None:
        raise UsageError("--record needs --at TX", hint=f"`syncd log --record {name}` lists the transactions")
    return {"record": [table, key], "at": at}


def _restored(folder: Path, arguments: dict[str, Any], as_json: bool) -> int:
    from syncd import requests

    given = requests.perform(folder, "bring back", arguments, config.load(folder))
    if not arguments["dry_run"]:
        return answer.show(given, as_json)
    if as_json:
        output.show_json(given)
    else:
        show_planned(given)
    return Exit.CONVERGED
