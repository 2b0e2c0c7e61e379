"""Put banks on the list of those that the daemon serves.

The list is `banks` in your settings (`syncd config path`). A daemon that was started without naming a bank serves it,
and takes up what is added at once.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from syncd import bank as banks
from syncd import output, userbanks
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd add`."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="the banks' folders")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")


def run(paths: list[str], as_json: bool) -> int:
    """Add them all, or none where one is no bank."""
    folders = [banks.find(path) for path in paths]
    for folder in folders:
        banks.require_documents(folder)
    return tell({folder: userbanks.add(folder) for folder in folders}, as_json, "added", "on the list already")


def tell(done: dict[Path, bool], as_json: bool, yes: str, no: str) -> int:
    """Say what became of each bank."""
    if as_json:
        output.show_json([{"path": str(folder), "changed": changed} for folder, changed in done.items()])
    else:
        for folder, changed in done.items():
            output.say(f"{yes if changed else no}: {folder}")
    return Exit.CONVERGED
