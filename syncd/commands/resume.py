"""Have the daemon serve a bank again that was paused.

What happened to files and rows meanwhile is found and converged at once, as after any time in which no daemon ran.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd.commands import common
from syncd.commands.pause import change


def add(parser: ArgumentParser) -> None:
    """The options of `syncd resume`."""
    common(parser, bank=True)


def run(argument: str | None, bank: str | None, as_json: bool) -> int:
    """Resume the bank."""
    return change(banks.chosen(argument, bank), False, as_json)
