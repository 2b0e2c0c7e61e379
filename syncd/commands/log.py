"""History, newest first: when (in your time zone), from where, and what, a line each.

A transaction is one step in which both sides were made equal, with all that it did. --file names a document as in the
bank (tasks/T21.md), --record a row by table and key (tasks:T21); then only what changed it is listed. --since takes a
date, a time or a transaction; what came after it is listed.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from msgspec.structs import asdict

from schema import history, journal
from schema.columns import RECORD_COLUMNS
from schema.db import Database
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common, whole_number
from syncd.errors import Exit, UsageError

_MANY = 60
"""Changes of rows from which on they are counted and not read."""


def add(parser: ArgumentParser) -> None:
    """The options of `syncd log`."""
    parser.add_argument("--file", metavar="PATH", help="only what changed this document")
    parser.add_argument("--record", metavar="TABLE:KEY", help="only what changed this row, with its values")
    parser.add_argument("--origin", metavar="NAME", help="only what came from there: file, external, mb, syncd …")
    parser.add_argument("--since", metavar="WHEN", help="only what came after this date, time or transaction")
    parser.add_argument("--limit", metavar="N", type=whole_number, default=20, help="at most N (default 20; 0: all)")
    common(parser)


def run(
    file: str | None, record: str | None, origin: str | None, since: str | None, limit: int, bank: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """List transactions."""
    row = _record(record) if record else None
    with inspect.reading(banks.find(bank)) as db:
        found = _entries(db, file, row, origin, since, limit or None)
        if not found and file and not history.version_rows(db, file):
            hint = "name it as in the bank: tasks/T21.md"
            raise UsageError("no document of that name was ever in the bank", file, hint)
    if as_json:
        output.show_json(found)
    elif row:
        for entry in found:
            output.say("  ".join(map(str, _cells(entry)[:4])))
            for change in entry["changes"]:
                output.say(f"  {described(change)}")
    elif found:
        output.show_table(("number", "time", "origin", "what"), [_cells(e) for e in found])
    else:
        output.say("no transaction")
    return Exit.CONVERGED


def _record(text: str) -> tuple[str, str]:
    table, colon, key = text.partition(":")
    if not colon or not key or table not in RECORD_COLUMNS:
        raise UsageError("no such record", text, f"name it as TABLE:KEY, the tables are {', '.join(RECORD_COLUMNS)}")
    return table, key


def _entries(
    db: Database, file: str | None, row: tuple[str, str] | None, origin: str | None, when: str | None, limit: int | None
) -> list[dict[str, Any]]:
    from syncd.history import words
    from syncd.history.since import Since, since

    begin = since(db, when) if when else Since()
    found = journal.transactions(db, limit, file, row, origin=origin, since=begin.moment, after=begin.after)
    changes = journal.changes_of_record(db, *row) if row else []
    entries = []
    for transaction in found:
        versions = history.version_rows(db, transaction=transaction.number)
        counts = journal.counts_of(db, transaction.number)
        many = sum(counts.values()) > _MANY
        rows = counts if many else journal.coalesce(journal.changes_of(db, transaction.number))
        entry = asdict(transaction)
        entry["documents"] = sorted({v.path for v in versions})
        entry["what"] = words.sentence(transaction, versions, rows)
        if row:
            entry["changes"] = [as_dict(change) for change in changes if change.transaction == transaction.number]
        entries.append(entry)
    return entries


def _cells(entry: dict[str, Any]) -> list[object]:
    """A transaction as a row of the table."""
    from syncd.history.since import local

    return [entry["number"], local(entry["timestamp"]), entry["origin"], entry["what"]]


def as_dict(change: journal.RowChange) -> dict[str, Any]:
    """A change of a row as JSON shows it."""
    return {
        "table": change.table,
        "key": change.key,
        "operation": change.operation.value,
        "before": change.before,
        "after": change.after,
    }


def described(change: dict[str, Any]) -> str:
    """A change of a row on one line."""
    name, before, after = f"{change['table']}:{change['key']}", change["before"] or {}, change["after"] or {}
    if change["operation"] == "update":
        fields = ", ".join(f"{field}: {before.get(field)!r} → {after.get(field)!r}" for field in after)
        return f"{name} {fields}"
    verb, values = ("inserted", after) if change["operation"] == "insert" else ("deleted", before)
    shown = ", ".join(f"{field}: {value!r}" for field, value in values.items() if value and field != "id")
    return f"{name} {verb} ({shown})"
