"""Write the whole bank to a folder, as both sides last agreed on it or as it stood after a transaction.

The folder is made; what it holds already is not overwritten, so it must be empty. TX is a transaction's number or its
transaction_id, as `syncd log` gives them.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from schema import history, journal
from schema.errors import SyncdError
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd export`."""
    parser.add_argument("folder", metavar="DIR", help="a folder that is empty or not there yet")
    parser.add_argument("--at", metavar="TX", help="as it stood after this transaction")
    common(parser)


def run(folder: str, at: str | None, bank: str | None, as_json: bool) -> int:
    """Write all documents below ``folder``."""
    target = Path(folder)
    with inspect.reading(banks.find(bank)) as db:
        number = journal.resolve_transaction(db, at) if at else None
        _prepare(target)
        gone: list[str] = []
        texts = history.paths_at(db, number, gone)
    for path, text in texts.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    if as_json:
        told = {"folder": str(target.resolve()), "transaction": number, "documents": sorted(texts), "lost": gone}
        output.show_json(told)
    else:
        output.say(f"{output.counted(len(texts), 'document')} written to {target}")
        for path in gone:
            output.say(f"{path} was not: its history is damaged (`syncd check`)")
    return Exit.FAILED if gone else Exit.CONVERGED


def _prepare(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise SyncdError("not an empty folder", str(target), "name one that is empty or not there yet")
    target.mkdir(parents=True, exist_ok=True)
