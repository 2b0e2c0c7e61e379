"""Make the database from what is there. No file is written but those in .syncd.

What was found is told: documents by kind, rows by table, lines that were not understood, drift. On a bank that has a
database already it only tells. With --new a bank is started: its documents are written first, into a folder that has
none.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from syncd import bank as banks
from syncd import config, findings, inspect, output
from syncd.commands import common
from syncd.errors import Exit, UsageError

_SHOWN = 10


def add(parser: ArgumentParser) -> None:
    """The options of `syncd init`."""
    parser.add_argument(
        "--new", action="store_true", help="write the documents of a new bank first (default: memory-bank/)"
    )
    common(parser, bank=True)


def run(argument: str | None, bank: str | None, as_json: bool, new: bool = False) -> int:
    """Make the database and tell what was found."""
    if new:
        _start(argument, bank)
    folder = banks.chosen(argument, bank)
    banks.require_documents(folder)
    fresh = not banks.database_of(folder).exists()
    if fresh:
        from syncd import requests

        with output.progress_bar(f"reading {folder}") as progress:
            requests.perform(folder, "init", {}, config.load(folder), progress=progress)
    found = _found(folder, fresh)
    if as_json:
        output.show_json(found)
    else:
        _show(found)
    return Exit.ATTENTION if found["holds"] else Exit.CONVERGED


def _start(argument: str | None, bank: str | None) -> None:
    """Write the documents of a new bank. Raises `UsageError` and `BankError`."""
    from syncd import newbank

    if argument and bank and Path(argument).resolve() != Path(bank).resolve():
        raise UsageError(f"two banks named: {argument} and {bank}", hint="name one of them")
    named = argument or bank or os.environ.get("SYNCD_BANK") or banks.FOLDERS[0]
    newbank.create(Path(named), datetime.now().astimezone())


def _found(folder: Path, fresh: bool) -> dict[str, Any]:
    from schema import overview
    from syncd import drift, holds

    with inspect.reading(folder) as db:
        return {
            "bank": str(folder),
            "created": fresh,
            "documents": overview.kind_counts(db),
            "records": overview.record_counts(db),
            "not_understood": [finding._asdict() for finding in findings.not_understood(db)],
            "drift": drift.count(db),
            "holds": holds.open_holds(db),
        }


def _show(found: dict[str, Any]) -> None:
    output.say(f"{'made' if found['created'] else 'found'} the database of {found['bank']}")
    for title, counts in (("document kind", found["documents"]), ("table", found["records"])):
        output.say()
        output.show_table((title, "number"), [(name, number) for name, number in counts.items() if number])
    output.say()
    lines = found["not_understood"]
    output.say(f"{output.counted(len(lines), 'line')} not understood")
    for finding in lines[:_SHOWN]:
        output.say(f"  {finding['document']}:{finding['line']}: {finding['what']}")
    if len(lines) > _SHOWN:
        output.say(f"  … and {len(lines) - _SHOWN} more: see `syncd check`")
    more = ": see `syncd check`" if found["drift"] else ""
    output.say(f"{output.counted(found['drift'], 'field')} with drift{more}")
    for hold in found["holds"]:
        output.say(f"held {hold['id']}: {hold['path']}: {hold['reason']}")
