"""Changes that wait for a yes, each with the reason.

Neither side is written until `syncd accept` or `syncd reject` settled it.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd import holds, inspect, output
from syncd.commands import common
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd holds`."""
    common(parser)


def run(bank: str | None, as_json: bool) -> int:
    """List the open holds; the exit code is 1 where there are any."""
    with inspect.reading(banks.find(bank)) as db:
        found = holds.open_holds(db)
    if as_json:
        output.show_json(found)
    elif found:
        output.show_table(("id", "document", "reason"), [(h["id"], h["path"], h["reason"]) for h in found])
    else:
        output.say("nothing is held")
    return Exit.ATTENTION if found else Exit.CONVERGED
