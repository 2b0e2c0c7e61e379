"""Take banks off the list of those that the daemon serves.

Nothing in the bank is touched. A daemon that serves the list lets go of it at once. The bank need not be there any
more.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from syncd import bank as banks
from syncd import userbanks
from syncd.commands import add as adding
from syncd.commands import common
from syncd.errors import UsageError


def add(parser: ArgumentParser) -> None:
    """The options of `syncd remove`."""
    common(parser, banks=True)


def run(arguments: list[str], bank: str | None, as_json: bool) -> int:
    """Remove them, or the nearest one where none is named; a path that is not on the list is a mistake."""
    named = [*arguments, *([bank] if bank else [])]
    folders = [Path(path).expanduser().resolve() for path in named] or [banks.find(None)]
    known = userbanks.listed() or []
    for folder in folders:
        if folder not in known:
            raise UsageError("not on the list", str(folder), "`syncd list` shows what is")
    return adding.tell({folder: userbanks.remove(folder) for folder in folders}, as_json, "removed", "not on the list")
