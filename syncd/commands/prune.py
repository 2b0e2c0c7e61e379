"""Fold history older than a date into one state, after a backup.

All states from then on stay exact; what came before is gone from the database and stays in the backup. Conflicts and
holds that wait stay. Nothing of the last hour is folded, whatever the date.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from syncd import bank as banks
from syncd import config, output
from syncd.commands import common
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd prune`."""
    parser.add_argument("--before", metavar="DATE", required=True, help="a date (2026-03-04) or a time")
    parser.add_argument("--dry-run", action="store_true", help="tell how much that would be, change nothing")
    common(parser)


def run(before: str, bank: str | None, as_json: bool, dry_run: bool) -> int:
    """Prune, and tell how much that was."""
    folder = banks.find(bank)
    banks.require_database(folder)
    from syncd import requests

    given = requests.perform(folder, "prune", {"before": before, "dry_run": dry_run}, config.load(folder))
    if as_json:
        output.show_json(given)
    else:
        _show(given, dry_run)
    return Exit.CONVERGED


def _show(given: Mapping[str, Any], dry_run: bool) -> None:
    number, folded = given["transaction"], given["folded"]
    if number is None:
        output.say("nothing is that old")
        return
    parts = [output.counted(folded[name], noun) for name, noun in _NOUNS]
    begins = f"history {'would begin' if dry_run else 'begins'} with transaction {number}"
    output.say(f"{'would fold' if dry_run else 'folded'} {parts[0]}, {parts[1]}, {parts[2]}; {begins}")
    if dry_run:
        output.say(f"about {_megabytes(given['bytes'])} of {_megabytes(given['size_before'])}")
    else:
        output.say(f"the database had {_megabytes(given['size_before'])} and has {_megabytes(given['size_after'])}")
        output.say(f"all of it is kept in {given['backup']}")


_NOUNS = (("transactions", "transaction"), ("versions", "version"), ("changes", "row change"))


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
