"""Look for what a person should look at.

Lines that were not understood, places that disagree, dependencies on tasks that are not there, ids that stand twice,
damage of the database. It changes nothing; the exit code is 1 where there is any finding, 3 where there is damage.

With --fix places that disagree with their record are brought to its value, in one transaction, after the differences
were shown; on a terminal only if you say yes. --dry-run shows them and stops.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from syncd import bank as banks
from syncd import config, findings, inspect, output
from syncd.commands import answer, common, exit_code
from syncd.errors import Exit, UsageError


def add(parser: ArgumentParser) -> None:
    """The options of `syncd check`."""
    common(parser, bank=True)
    parser.add_argument("--fix", action="store_true", help="bring places that disagree to what the record says")
    parser.add_argument("--dry-run", action="store_true", help="with --fix: show the differences, write nothing")


def run(argument: str | None, bank: str | None, as_json: bool, fix: bool, dry_run: bool) -> int:
    """Show all findings, or align drift."""
    if dry_run and not fix:
        raise UsageError("--dry-run without --fix", hint="`syncd check` alone changes nothing anyway")
    folder = banks.chosen(argument, bank)
    if fix:
        return _fix(folder, as_json, dry_run)
    with inspect.reading(folder) as db:
        found = findings.find(folder, db)
    if as_json:
        output.show_json([finding._asdict() for finding in found])
    else:
        _show(found)
    if any(finding.kind in ("integrity", "history", "round trip") for finding in found):
        return Exit.FAILED
    return Exit.ATTENTION if found else Exit.CONVERGED


def _fix(folder: Path, as_json: bool, dry_run: bool) -> int:
    from syncd import requests

    banks.require_database(folder)
    settings = config.load(folder)
    planned = requests.perform(folder, "fix", {"dry_run": True}, settings)
    if dry_run and as_json:
        output.show_json(planned)
    if not as_json:
        _show_plan(planned)
    if dry_run:
        return exit_code([planned["state"]])
    if planned["emitted"] and not as_json and not _agreed():
        output.say("nothing was changed")
        return Exit.ATTENTION
    return answer.show(requests.perform(folder, "fix", {}, settings), as_json)


def _show_plan(planned: Mapping[str, Any]) -> None:
    for _, text in planned["diffs"]:
        output.show_text(text)
    for problem in planned["problems"]:
        output.say(problem)
    output.say(f"{output.counted(len(planned['emitted']), 'document')} to align")


def _agreed() -> bool:
    """A yes; also where nobody sits who could give one."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    return input("write this? [y/N] ").strip().lower() in ("y", "yes")


def _show(found: list[findings.Finding]) -> None:
    for kind, document, line, what in found:
        where = f"{document}:{line}: " if line else f"{document}: " if document else ""
        output.say(f"{where}{kind}: {what}")
    counts = Counter(finding.kind for finding in found)
    if not found:
        output.say("no findings")
    for kind, number in counts.items():
        output.say(f"{findings.KINDS[kind]}: {number:,}")
