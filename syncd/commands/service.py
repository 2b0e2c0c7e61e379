"""Run the daemon as a service of the system you are on.

A systemd user unit, with --system a unit of the system, on macOS a launchd agent. `install` writes the unit, enables
and starts it, and is safe to repeat; `uninstall` stops and removes it and leaves banks, databases and settings as they
are; `status` tells how it is. With --bank the service is for that bank alone, beside the one for all banks of your
settings.

Exit codes of status: 0 it runs, 1 it does not or is not as this version would install it, 3 it has failed.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from syncd import bank as banks
from syncd import output
from syncd.commands import common
from syncd.errors import Exit, UsageError

if TYPE_CHECKING:
    from syncd.service.manager import Service


def add(parser: ArgumentParser) -> None:
    """The options of `syncd service`."""
    parser.add_argument("action", choices=("install", "uninstall", "status"), help="what to do")
    common(parser)
    parser.add_argument("--system", action="store_true", help="a service of the system, not of your own (needs root)")
    parser.add_argument("--user", metavar="NAME", help="with --system: who it runs as (default: who called sudo)")
    parser.add_argument(
        "--no-namespaces",
        action="store_true",
        help="without that part of the sandbox (files of another group of yours)",
    )
    parser.add_argument("--print", action="store_true", dest="only_print", help="print the unit, do nothing")


def run(
    action: str, bank: str | None, as_json: bool, system: bool, user: str | None, no_namespaces: bool, only_print: bool
) -> int:
    """Install, remove or show the service."""
    if system and no_namespaces:
        raise UsageError("--system with --no-namespaces", hint="the system's service handles files of any group")
    from syncd.service import here

    one = banks.find(bank) if bank else None
    service = here.service(one, system=system, user=user, sandbox=not no_namespaces)
    if only_print:
        output.show_text(service.printed)
        return Exit.CONVERGED
    if action == "install":
        if not (one or service.made_for.banks):
            raise UsageError(
                "no bank is on the list", hint="`syncd add PATH` puts one there; --bank PATH serves one alone"
            )
        here.require_runnable(service.made_for)
        found = service.install()
    elif action == "uninstall":
        found = service.uninstall()
    else:
        found = service.status()
    if as_json:
        output.show_json(found.as_json())
    else:
        _show(found)
    if action == "uninstall":
        return Exit.CONVERGED
    if found.state == "failed":
        return Exit.FAILED
    return Exit.CONVERGED if found.running and found.current is not False else Exit.ATTENTION


def _show(found: Service) -> None:
    for line in found.did:
        output.say(line)
    enabled = "enabled" if found.enabled else "not enabled"
    running = f"{found.state}, {enabled}" if found.installed else found.state
    pairs = {
        "service": found.unit,
        "state": running,
        "says": found.says,
        "process": f"{found.pid} since {found.since}" if found.since else found.pid,
        "restarts": found.restarts or None,
        "file": found.file if found.installed else None,
        "log": found.log if found.installed else None,
    }
    output.show_pairs({name: value for name, value in pairs.items() if value})
    for note in found.notes:
        output.say(note)
