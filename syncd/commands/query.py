"""Ask the database with SQL. It is read only, whatever the statement says.

SQL `-` reads the statement from standard input. Of more than --limit rows the first are shown, and the exit code is 1;
after --seconds the statement is stopped. The tables are those of docs/tables.md.
"""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from itertools import count
from typing import Any

from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common, whole_number
from syncd.errors import Exit, UsageError

Rows = list[tuple[Any, ...]]


def add(parser: ArgumentParser) -> None:
    """The options of `syncd query`."""
    parser.add_argument("sql", metavar="SQL", help="one statement that reads, or - for standard input")
    parser.add_argument("--csv", action="store_true", dest="as_csv", help="print comma separated values with a header")
    parser.add_argument(
        "--limit", metavar="N", type=whole_number, default=10_000, help="at most N rows (default 10000; 0: all)"
    )
    parser.add_argument("--seconds", metavar="S", type=_seconds, default=10.0, help="at most S seconds (default 10)")
    common(parser)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def run(sql: str, as_csv: bool, limit: int, seconds: float, bank: str | None, as_json: bool) -> int:
    """Run the statement and print its rows."""
    if as_csv and as_json:
        raise UsageError("--json and --csv exclude each other", hint="name one of them")
    statement = sys.stdin.read() if sql == "-" else sql
    if not statement.strip():
        raise UsageError("no statement given", hint='ask one like `syncd query "SELECT id, title FROM tasks"`')
    with inspect.reading(banks.find(bank)) as db:
        names, rows = db.query(statement, seconds=seconds, limit=limit + 1 if limit else None)
    cut = bool(limit) and len(rows) > limit
    _show(_distinct(names), rows[:limit] if cut else rows, as_csv, as_json)
    if not cut:
        return Exit.CONVERGED
    print(f"syncd: there are more than {output.counted(limit, 'row')} — show more with --limit N", file=sys.stderr)
    return Exit.ATTENTION


def _show(names: Sequence[str], rows: Rows, as_csv: bool, as_json: bool) -> None:
    plain = [[_plain(cell) for cell in row] for row in rows]
    if as_json:
        output.show_json([dict(zip(names, row, strict=True)) for row in plain])
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([names, *([_encodable(cell) for cell in row] for row in plain)])
    elif names:
        output.show_table(names, plain)


def _plain(cell: Any) -> Any:
    """Bytes as SQL writes them; all else as it is."""
    return f"x'{cell.hex()}'" if isinstance(cell, bytes) else cell


def _encodable(cell: Any) -> Any:
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell


def _distinct(names: Sequence[str]) -> list[str]:
    """``names``, a second ``id`` as ``id_2``: each column of a JSON object needs a name of its own."""
    seen: dict[str, None] = {}
    for name in names:
        numbered = (f"{name}_{number}" for number in count(2))
        seen[name if name not in seen else next(n for n in numbered if n not in seen)] = None
    return list(seen)
