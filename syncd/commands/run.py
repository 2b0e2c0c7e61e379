"""The daemon, in the foreground.

Watches the banks and keeps each equal to its database until SIGTERM or Ctrl-C; SIGHUP scans at once. A bank without a
database gets one. Events are logged to stderr, as JSON lines where that is no terminal.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd import config
from syncd.commands import common


def add(parser: ArgumentParser) -> None:
    """The options of `syncd run`."""
    common(parser, banks=True)


def run(arguments: list[str], bank: str | None, as_json: bool) -> int:
    """Run the daemon; returns its exit code when it was told to stop."""
    folders = banks.several(arguments, bank)
    for folder in folders:
        banks.require_documents(folder)
    settings = {folder: config.load(folder) for folder in folders}
    from syncd import daemon

    return daemon.run(folders, settings)
