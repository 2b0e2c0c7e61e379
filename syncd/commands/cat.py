"""Print a document, byte for byte, as both sides last agreed on it or as it stood after a transaction.

TX is a transaction's number or its transaction_id, as `syncd log` gives them.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from schema import history, journal
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common
from syncd.errors import Exit, UsageError


def add(parser: ArgumentParser) -> None:
    """The options of `syncd cat`."""
    parser.add_argument("path", metavar="PATH", help="the document as it is named in the bank: tasks/T21.md")
    parser.add_argument("--at", metavar="TX", help="as it stood after this transaction")
    common(parser)


def run(path: str, at: str | None, bank: str | None, as_json: bool) -> int:
    """Print a document."""
    with inspect.reading(banks.find(bank)) as db:
        number = journal.resolve_transaction(db, at) if at else None
        text = history.text_at(db, path, number)
    if text is None:
        when = f" after transaction {number}" if number else ""
        raise UsageError(f"no such document{when}", path, f"`syncd log --file {path}` shows when there was one")
    if as_json:
        output.show_json({"path": path, "transaction": number, "text": text.decode("utf-8", "surrogateescape")})
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
    return Exit.CONVERGED
