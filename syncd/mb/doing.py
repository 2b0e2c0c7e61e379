"""What commands that write have in common: options, transaction, answer, and the question for what is missing."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from syncd import output
from syncd.commands import answer, common, exit_code
from syncd.errors import Exit, UsageError

if TYPE_CHECKING:
    from syncd.api import Bank, Result, Transaction

Made = dict[str, Any]
"""What a command made, by the names that ``--json`` shows: ids of new rows and the like."""


def writes(parser: ArgumentParser) -> None:
    """Add the options of every command that writes."""
    common(parser)
    parser.add_argument("--dry-run", action="store_true", help="show the difference of each file, change nothing")
    parser.add_argument("--at", metavar="WHEN", help="when it was: YYYY-MM-DD HH:MM[:SS] (default: now)")


def carry_out(
    act: Callable[[Transaction], Made],
    operation: str,
    *,
    bank: str | None,
    as_json: bool,
    dry_run: bool,
    at: str | None,
) -> int:
    """Do ``act`` in one transaction and tell what came of it; the exit code. Raises `SyncdError`."""
    from syncd.api import open_bank

    opened = open_bank(bank)
    moment = None if at is None else _moment(opened, at)
    made: Made = {}

    def note(tx: Transaction) -> None:
        from syncd.mb import totals

        totals.kept(tx, lambda: made.update(act(tx)))

    if dry_run:
        result = opened.dry_run(note, moment)
    else:
        with opened.transaction(origin="mb", operation=operation, moment=moment) as tx:
            note(tx)
        result = tx.result
    return _tell(result, made, as_json, dry_run)


def _moment(opened: Bank, text: str) -> datetime:
    """``text`` in the bank's zone. Raises `UsageError`."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?", text):
            raise ValueError
        naive = datetime.fromisoformat(text)
        zone = opened.now().tzinfo if opened.config.timezone else None
        return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        hint = "one looks like 2026-03-07 18:20 or 2026-03-07 18:20:05"
        raise UsageError(f"{text!r:.60} is no moment", hint=hint) from None


def _tell(result: Result, made: Made, as_json: bool, dry_run: bool) -> int:
    told = {**asdict(result), **made}
    if as_json:
        output.show_json(told)
    elif dry_run:
        _show_differences(result)
    else:
        for line in _lines(made):
            output.say(line)
        return answer.show(told, as_json=False)
    return exit_code([result.state])


def _lines(made: Made) -> list[str]:
    return [f"{name} {value}" for name, value in made.items() if isinstance(value, str | int)]


def _show_differences(result: Result) -> None:
    for _, text in result.diffs:
        output.show_text(text)
    for problem in result.problems:
        output.say(problem)
    output.say(f"would write {output.counted(len(result.emitted), 'document')}")


def needed(value: str | None, name: str, question: str, command: str) -> str:
    """``value``, or the answer of a person at the terminal. Raises `UsageError` where nobody can be asked.

    A value that is there but empty is left to the checks of the operation.
    """
    if value is not None:
        return value
    if sys.stdin.isatty() and sys.stderr.isatty():
        print(f"{question}: ", end="", file=sys.stderr, flush=True)
        if given := sys.stdin.readline().strip():
            return given
    raise UsageError(f"{name} is missing", hint=f"see `mb {command} --help`")


def found(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> int:
    """Print rows that were asked for; the exit code."""
    if as_json:
        output.show_json(rows)
    elif rows:
        output.show_table(columns, [[row[name] for name in columns] for row in rows])
    else:
        output.say("nothing found")
    return Exit.CONVERGED
