"""Make the database first: from then on the files are output.

It is done only where every criterion is met: both sides are equal, every document round-trips, nothing was
unexplained lately, nothing waits for a person, no place drifts, the database is sound, and a backup made now gives
every document to the byte. --check lists them with their figures and how to meet them, and reads only; --dry-run
converges first. `syncd rollback` goes back at any time.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from syncd import bank as banks
from syncd import config, inspect, output
from syncd.commands import common
from syncd.errors import Exit, UsageError


def add(parser: ArgumentParser) -> None:
    """The options of `syncd cutover`."""
    parser.add_argument("--check", action="store_true", help="list the criteria, met or not; change nothing")
    parser.add_argument("--dry-run", action="store_true", help="converge, list the criteria, and stop there")
    common(parser, bank=True)


def run(argument: str | None, bank: str | None, as_json: bool, check: bool, dry_run: bool) -> int:
    """Check, and cut over; the exit code is 1 where a criterion is not met."""
    if check and dry_run:
        hint = "--check only reads, --dry-run converges first"
        raise UsageError("--check and --dry-run exclude each other", hint=hint)
    folder = banks.chosen(argument, bank)
    banks.require_database(folder)
    told = _checked(folder) if check else _done(folder, dry_run)
    if as_json:
        output.show_json(told)
    else:
        _show(told)
    return Exit.CONVERGED if told["ready"] else Exit.ATTENTION


def _checked(folder: Path) -> dict[str, Any]:
    from syncd import cutover

    with inspect.reading(folder) as db:
        criteria = cutover.checked(folder, db, config.load(folder), datetime.now(UTC))
        return {**cutover.as_json(criteria), "mode": inspect.mode(db), "backup": None}


def _done(folder: Path, dry_run: bool) -> dict[str, Any]:
    from syncd import requests

    return requests.perform(folder, "cutover", {"dry_run": dry_run}, config.load(folder))


def _show(told: Mapping[str, Any]) -> None:
    rows = [("yes" if c["met"] else "NO", c["name"], c["figure"]) for c in told["criteria"]]
    output.show_table(("met", "criterion", "figure"), rows)
    output.say()
    for criterion in told["criteria"]:
        if not criterion["met"]:
            output.say(f"{criterion['name']}: {criterion['how']}")
    if told["backup"] and told["mode"] == "database-first":
        output.say(f"backup {told['backup']}")
        output.say("mode database-first: the files are output now, `syncd rollback` goes back")
    elif told["ready"]:
        output.say("ready: `syncd cutover` makes the database first")
