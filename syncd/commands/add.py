"""Put banks on the list of those that the daemon serves.

The list is `banks` in your settings (`syncd config path`). A daemon that was started without naming a bank serves it,
and takes up what is added at once.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path

from syncd import bank as banks
from syncd import output, userbanks
from syncd.commands import common
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd add`."""
    common(parser, banks=True)


def run(arguments: list[str], bank: str | None, as_json: bool) -> int:
    """Add them all, or none where one is no bank; where none is named, the nearest one."""
    folders = banks.several(arguments, bank)
    for folder in folders:
        banks.require_documents(folder)
    code = tell({folder: userbanks.add(folder) for folder in folders}, as_json, "added", "on the list already")
    if not as_json:
        _tell_closed(folders)
    return code


def _tell_closed(folders: list[Path]) -> None:
    """An installed service may write the home directory and the banks that were listed when it was installed."""
    from syncd.service.reach import closed

    kept_from, command = closed(folders, os.environ)
    for folder in kept_from:
        output.say(f"the installed service may not write {folder} yet: `{command}` lets it")


def tell(done: dict[Path, bool], as_json: bool, yes: str, no: str) -> int:
    """Say what became of each bank."""
    if as_json:
        output.show_json([{"path": str(folder), "changed": changed} for folder, changed in done.items()])
    else:
        for folder, changed in done.items():
            output.say(f"{yes if changed else no}: {folder}")
    return Exit.CONVERGED
