"""A command handed to the daemon that serves the bank: it is done there before all it takes were loaded here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schema.errors import SyncdError
from syncd import bank as banks
from syncd import lock, output
from syncd.errors import Exit, HaltedError
from syncd.lock import LockRole

_LONGEST = 60_000  # bytes that a request may have, with room for what is around it
_HINT = "`syncd log` shows whether it was recorded; `syncd status` shows the daemon"


def handed_over(name: str, arguments: Sequence[str]) -> int | None:
    """What the command `mb` ``name`` exits with, done by the daemon; None where it has to be done here.

    Raises `HaltedError` where it is not known whether it was done.
    """
    bank = _bank(arguments)
    serving = _daemon_of(bank) if bank is not None and _speaks_utf8() else None
    if bank is None or serving is None or sum(map(len, arguments)) > _LONGEST // 6:
        return None
    from syncd.daemon.ask import Silence, ask
    from syncd.daemon.sides import side

    asked = {"do": "mb", "bank": str(bank), "name": name, "arguments": list(arguments), "side": side()}
    told = ask(serving, asked, lock.WAIT)
    if isinstance(told, Silence):
        if not told.sent:
            return None
        why = "did not answer in time" if told.hung else "stopped before it answered"
        raise HaltedError(f"the daemon {why}", str(bank), _HINT)
    done: dict[str, Any] = next(iter(told.get("banks") or ()), {})
    if "code" not in done or (done["code"] == Exit.USAGE and sys.stdin.isatty()):
        return None  # a person at a terminal is asked for what is missing
    sys.stdout.write(done["out"])
    sys.stdout.flush()
    sys.stderr.write(done["err"])
    return int(done["code"])


def _bank(arguments: Sequence[str]) -> Path | None:
    """The bank that the command is about; None where there is none: the command itself says so."""
    given = None
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument.startswith("--bank="):
            given = argument.removeprefix("--bank=")
        elif argument == "--bank" and number + 1 < len(arguments):
            given = arguments[number + 1]
    try:
        return banks.find(given)
    except SyncdError:
        return None


def _daemon_of(bank: Path) -> int | None:
    """The process id of the daemon that serves the bank by now."""
    try:
        holder = lock.holder(bank)
    except SyncdError:
        return None
    return holder.pid if holder is not None and holder.role is LockRole.DAEMON and holder.ready else None


def _speaks_utf8() -> bool:
    """Whether what the daemon would print is what would be printed here."""
    return all(stream is not None and output.speaks_utf8(stream) for stream in (sys.stdout, sys.stderr))
