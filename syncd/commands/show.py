"""What one transaction did: the differences of its documents and the rows that it changed.

TX is its number or its transaction_id, as `syncd log` and `syncd sync --json` give them.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from msgspec.structs import asdict

from schema import history, journal
from schema.db import Database
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common
from syncd.commands.log import as_dict, described
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd show`."""
    parser.add_argument("transaction", metavar="TX", help="the transaction")
    common(parser)


def run(transaction: str, bank: str | None, as_json: bool) -> int:
    """Show one transaction."""
    with inspect.reading(banks.find(bank)) as db:
        number = journal.resolve_transaction(db, transaction)
        entry = asdict(journal.transaction(db, number))
        documents = list(_documents(db, number))
        rows = [as_dict(change) for change in journal.changes_of(db, number)]
    if as_json:
        output.show_json({**entry, "documents": documents, "rows": rows})
        return Exit.CONVERGED
    output.show_pairs({name: value for name, value in entry.items() if value is not None})
    for row in rows:
        output.say(described(row))
    for document in documents:
        output.show_text(document["diff"])
    return Exit.CONVERGED


def _documents(db: Database, number: int) -> list[dict[str, Any]]:
    """Each document that the transaction changed, with its difference; by path."""
    versions = history.version_rows(db, transaction=number)
    found = []
    for path in sorted({version.path for version in versions}):
        steps = [version for version in versions if version.path == path]
        before = history.text_before(db, min(version.id for version in steps))
        after = history.text_at(db, path, number)
        directions = {"emitted" if version.emitted else "absorbed" for version in steps}
        found.append({"path": path, "did": sorted(directions), "diff": _difference(path, before, after)})
    return found


def _difference(path: str, before: bytes | None, after: bytes | None) -> str:
    from syncd.diffs import unified

    return unified(path, before, after)
