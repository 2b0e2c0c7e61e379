"""The daemon, in the foreground.

Watches the banks and keeps each equal to its database until SIGTERM or Ctrl-C. SIGHUP reads the settings again and
scans, SIGUSR1 writes to the log how the daemon is. A bank without a database gets one. Where no bank is named, those of
the list (`syncd add`) are served, and what is added or removed later too; without a list it is the nearest one. Of
several banks, one that cannot be served is tried again and hinders no other; a single one that fails at start ends the
command. Events are logged to stderr, as JSON lines where that is no terminal.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path

from syncd import bank as banks
from syncd import userbanks
from syncd.commands import common


def add(parser: ArgumentParser) -> None:
    """The options of `syncd run`."""
    common(parser, banks=True)


def run(arguments: list[str], bank: str | None, as_json: bool) -> int:
    """Run the daemon; returns its exit code when it was told to stop."""
    named = [*arguments, *([bank] if bank else [])]
    from syncd.daemon import daemon

    # A service has no folder that it is called in: it waits for what will be listed.
    anywhere = not named and not os.environ.get("SYNCD_BANK")
    if anywhere and (userbanks.listed() is not None or "NOTIFY_SOCKET" in os.environ):
        return daemon.run_listed()
    if len(named) > 1:
        return daemon.run(list(dict.fromkeys(Path(name).resolve() for name in named)))
    folder = banks.find(named[0] if named else None)
    banks.require_documents(folder)
    return daemon.run([folder])
