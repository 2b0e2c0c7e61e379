"""Have the daemon leave a bank alone.

While it is paused the daemon neither absorbs nor writes anything by itself; commands that you call (`syncd sync`,
`mb …`) still work. It holds over a restart of the daemon, until `syncd resume`, which finds what happened meanwhile.
"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schema.db import open_database
from schema.store import state_get, state_set
from syncd import bank as banks
from syncd import lock, output
from syncd.commands import common
from syncd.daemon.ask import Silence, ask
from syncd.errors import Exit, SyncdError

_PATIENCE_S = 5.0  # the daemon may be busy with another bank


def add(parser: ArgumentParser) -> None:
    """The options of `syncd pause`."""
    common(parser, bank=True)


def run(argument: str | None, bank: str | None, as_json: bool) -> int:
    """Pause the bank."""
    return change(banks.chosen(argument, bank), True, as_json)


def change(folder: Path, pause: bool, as_json: bool) -> int:
    """Pause or resume ``folder``, over the daemon's socket or else by a note in the database, which it notices."""
    banks.require_database(folder)
    holder = lock.holder(folder)
    told: dict[str, Any] | Silence = Silence(hung=False)
    if holder is not None and holder.role is lock.LockRole.DAEMON:
        do = "pause" if pause else "resume"
        told = ask(holder.pid, {"do": do, "bank": str(folder)}, _PATIENCE_S)
    if isinstance(told, Silence) or not told.get("ok"):
        _note(folder, pause)
    since = _noted(folder)
    if (since is not None) != pause:
        raise SyncdError("somebody else changed it just now", str(folder), "see `syncd status`")
    if as_json:
        output.show_json({"path": str(folder), "paused": since})
    else:
        output.say(f"paused since {since}" if since else "not paused")
    return Exit.CONVERGED


def _note(folder: Path, pause: bool) -> None:
    db = open_database(banks.database_of(folder), create=False)
    try:
        if (state_get(db, "paused") is not None) != pause:
            state_set(db, "paused", datetime.now(UTC).isoformat(timespec="seconds") if pause else None)
    finally:
        db.close()


def _noted(folder: Path) -> str | None:
    db = open_database(banks.database_of(folder), readonly=True)
    try:
        return state_get(db, "paused")
    finally:
        db.close()
