"""Converge once.

What was changed in the files goes to the database, what was changed in the database goes to the files. Where a bank has
no database yet, it is made.

A value that was edited in one place is not written to the other places that show it, unless --follow is given; the
daemon does so after a moment of quiet. With --dry-run nothing is written on either side: the differences are printed.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from syncd import bank as banks
from syncd import config, inspect, output
from syncd.commands import answer, common, exit_code

NOTHING_TO_DO: dict[str, Any] = {
    "state": "converged", "transaction": None, "number": None, "absorbed": [], "emitted": [], "conflicts": [],
    "holds": [], "problems": [], "pending": [], "reason": None, "diffs": [], "row_diffs": [], "refused": [],
    "unwritten": [],
}  # fmt: skip
"""The answer where a look at stat values shows that both sides are equal: the engine need not be loaded for it."""


def add(parser: ArgumentParser) -> None:
    """The options of `syncd sync`."""
    common(parser, bank=True)
    parser.add_argument("--follow", action="store_true", help="write what was edited to the other places that show it")
    parser.add_argument("--dry-run", action="store_true", help="show what would change on both sides, change nothing")


def run(argument: str | None, bank: str | None, as_json: bool, follow: bool, dry_run: bool) -> int:
    """Converge the bank; the exit code tells whether anything is left for a person."""
    folder = banks.chosen(argument, bank)
    banks.require_documents(folder)
    settings = config.load(folder)
    if inspect.at_rest(folder):
        given = NOTHING_TO_DO
    else:
        from syncd import requests

        given = requests.perform(folder, "sync", {"dry_run": dry_run, "follow": follow}, settings)
    if dry_run and not as_json:
        _show_differences(given)
        return exit_code([given["state"]])
    return answer.show(given, as_json)


def _show_differences(given: Mapping[str, Any]) -> None:
    """What a dry run found: the documents' differences, the rows that would change, what would be held."""
    for _, text in given["diffs"]:
        output.show_text(text)
    for line in (*given["row_diffs"], *given["problems"]):
        output.say(line)
    absorbed, written = (output.counted(len(given[name]), "document") for name in ("absorbed", "emitted"))
    output.say(f"would absorb {absorbed} and write {written}")
