"""Look for what a person should look at.

Lines that were not understood, places that disagree, dependencies on tasks that are not there, ids that stand twice,
damage of the database. It changes nothing; the exit code is 1 where there is any finding, 3 where there is damage.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter

from syncd import bank as banks
from syncd import findings, inspect, output
from syncd.commands import common
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd check`."""
    common(parser, bank=True)


def run(argument: str | None, bank: str | None, as_json: bool) -> int:
    """Show all findings."""
    folder = banks.chosen(argument, bank)
    with inspect.reading(folder) as db:
        found = findings.find(folder, db)
    if as_json:
        output.show_json([finding._asdict() for finding in found])
    else:
        _show(found)
    if any(finding.kind in ("integrity", "round trip") for finding in found):
        return Exit.FAILED
    return Exit.ATTENTION if found else Exit.CONVERGED


def _show(found: list[findings.Finding]) -> None:
    for kind, document, line, what in found:
        where = f"{document}:{line}: " if line else f"{document}: " if document else ""
        output.say(f"{where}{kind}: {what}")
    counts = Counter(finding.kind for finding in found)
    if not found:
        output.say("no findings")
    for kind, number in counts.items():
        output.say(f"{findings.KINDS[kind]}: {number:,}")
