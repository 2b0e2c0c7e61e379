"""Take transactions back: a new transaction, on rows and files together, that does the opposite.

TX is a transaction's number or its transaction_id, as `syncd log` gives them; an undo can be undone. Where documents or
rows have changed since, the change is merged out of them; where that cannot be done, nothing is changed, and the later
transactions that stand in the way are named (exit code 1).
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from syncd import bank as banks
from syncd import config, output
from syncd.commands import answer, common
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd undo`."""
    parser.add_argument("transactions", nargs="+", metavar="TX", help="the transactions")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
    common(parser)


def run(transactions: list[str], bank: str | None, as_json: bool, dry_run: bool) -> int:
    """Undo; the exit code is that of the state afterwards, of a dry run 0."""
    folder = banks.find(bank)
    banks.require_database(folder)
    from syncd import requests

    arguments = {"transactions": transactions, "dry_run": dry_run}
    given = requests.perform(folder, "undo", arguments, config.load(folder))
    if not dry_run:
        return answer.show(given, as_json)
    if as_json:
        output.show_json(given)
    else:
        show_planned(given)
    return Exit.CONVERGED


def show_planned(given: Mapping[str, Any]) -> None:
    """The differences that a dry run found."""
    for _, text in given["diffs"]:
        output.show_text(text)
    for line in given["row_diffs"]:
        output.say(line)
    rows = len({line.partition(":")[0] for line in given["row_diffs"]})
    if not given["diffs"] and not rows:
        output.say(given["reason"])
    else:
        documents = output.counted(len(given["emitted"]), "document")
        output.say(f"would write {documents} and {output.counted(rows, 'row')}")
