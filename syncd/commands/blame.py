"""For each line of a document: the transaction that brought it, when, and from where.

Lines that stand in the file and were not absorbed yet are marked as pending. With --at it is the document as it stood
after a transaction, also one that is gone since.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from schema import history, journal
from schema.db import Database
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common
from syncd.errors import Exit, UsageError


def add(parser: ArgumentParser) -> None:
    """The options of `syncd blame`."""
    parser.add_argument("path", metavar="PATH", help="the document as it is named in the bank: tasks/T21.md")
    parser.add_argument("--at", metavar="TX", help="as it stood after this transaction")
    common(parser)


def run(path: str, at: str | None, bank: str | None, as_json: bool) -> int:
    """Print each line with its origin; the exit code is 1 where lines are pending."""
    folder = banks.find(bank)
    with inspect.reading(folder) as db:
        number = journal.resolve_transaction(db, at) if at else None
        found = _lines(db, path, _text(db, folder, path, number), number)
    pending = any(line["transaction"] is None for line in found)
    if as_json:
        output.show_json(found)
    else:
        output.show_text("".join(map(_line, found)), coloured=False)
    return Exit.ATTENTION if pending else Exit.CONVERGED


def _text(db: Database, folder: Path, path: str, number: int | None) -> bytes:
    """The file as it is, else the document as both sides last agreed on it. Raises `UsageError`."""
    text = history.text_at(db, path, number)
    known = text is not None or history.version_rows(db, path, limit=1)
    if known and number is None:
        from syncd.publish import read_now

        content = read_now(folder, path)
        text = content.data if content else text
    if text is None:
        hint = f"`syncd log --file {path}` shows when there was one; --at TX takes it from there"
        raise UsageError("no such document" + (f" after transaction {number}" if number else ""), path, hint)
    return text


def _lines(db: Database, path: str, text: bytes, number: int | None) -> list[dict[str, Any]]:
    from syncd.history.blame import blame

    found, known = [], {}
    for place, (owner, line) in enumerate(blame(db, path, text, number), 1):
        if owner not in known:
            entry = journal.transaction(db, owner) if owner else None
            known[owner] = {
                "transaction": entry.number if entry else None,
                "transaction_id": entry.transaction_id if entry else None,
                "timestamp": entry.timestamp if entry else None,
                "operation_type": entry.operation_type if entry else None,
                "origin": entry.origin if entry else None,
            }
        found.append({"line": place, "text": line.decode("utf-8", "backslashreplace"), **known[owner]})
    return found


def _line(line: dict[str, Any]) -> str:
    from syncd.history.since import local

    number, time, origin = "", "", "pending"
    if line["transaction"] is not None:
        number, time, origin = str(line["transaction"]), local(line["timestamp"]), line["origin"]
    return f"{number:>5}  {time:<19}  {origin:<10} {line['line']:>5}  {line['text']}\n"
