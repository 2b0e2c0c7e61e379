"""Converge once.

What was changed in the files goes to the database, what was changed in the database goes to the files. Where a bank has
no database yet, it is made. With --dry-run nothing is written on either side: the differences are printed.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd import config, output
from syncd.commands import answer, common


def add(parser: ArgumentParser) -> None:
    """The options of `syncd sync`."""
    common(parser, bank=True)
    parser.add_argument("--dry-run", action="store_true", help="show what would change on both sides, change nothing")


def run(argument: str | None, bank: str | None, as_json: bool, dry_run: bool) -> int:
    """Converge the bank; the exit code tells whether anything is left for a person."""
    folder = banks.chosen(argument, bank)
    banks.require_documents(folder)
    from syncd import requests

    given = requests.perform(folder, "sync", {"dry_run": dry_run}, config.load(folder))
    code = answer.show(given, as_json)
    if dry_run and not as_json:
        _show_differences(given.get("diffs", ()), given.get("row_diffs", ()))
    return code


def _show_differences(diffs: list[list[str]], rows: list[str]) -> None:
    for _, text in diffs:
        output.show_text(text)
    for line in rows:
        output.say(line)
