"""The command line of `mb`: finds the command's function, and loads that module only.

A command is two functions of a module of this package: ``add_<name>(parser)`` with its options, and
``<name>(...) -> int`` with plain arguments named as the options are.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from msgspec import Struct

from syncd import __version__
from syncd.errors import Exit, UsageError
from syncd.program import command_parser, guarded, overview


class Command(Struct, frozen=True):
    """Where a command's functions are, and the line that `mb --help` shows for it."""

    module: str
    name: str
    help: str


COMMANDS = {
    "workflow log-work": Command("workflow", "log_work", "record work: an entry of the history with its files"),
    "workflow update-session": Command("workflow", "update_session", "begin, continue or end a session"),
    "workflow complete-task": Command("workflow", "complete_task", "complete a task, everywhere it is shown"),
    "workflow sync": Command("workflow", "sync", "bring files and database together now"),
    "task list": Command("task", "list_tasks", "the tasks"),
    "task show": Command("task", "show_task", "one task with all that belongs to it"),
    "task add": Command("task", "add_task", "make a task"),
    "task set": Command("task", "set_task", "change a task or its checklist"),
    "task depends": Command("task", "depends", "show or change what a task depends on"),
    "session list": Command("session", "list_sessions", "the sessions, newest first"),
    "session show": Command("session", "show_session", "one session: the current one, or the one that is named"),
    "error add": Command("error", "add_error", "record an error, its cause and its fix"),
    "search": Command("search", "search", "where words stand, in all documents and records"),
}
"""Every command of `mb`."""

_WRITES = frozenset({
    "workflow log-work", "workflow update-session", "workflow complete-task", "task add", "task set", "error add",
})  # fmt: skip
"""What writes in one transaction and prints nothing but what came of it."""

_ABOUT = "Records work in a memory bank: rows and files in one step."


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``argv`` (default: the process's own); the exit code. Raises nothing but bugs and argparse's exit."""
    return guarded("mb", _dispatch, argv)


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["--version"]:
        print(f"mb {__version__}")
        return Exit.CONVERGED
    for length in (2, 1):
        name = " ".join(arguments[:length])
        if name in COMMANDS and len(arguments) >= length:
            return _call(name, arguments[length:])
    group = arguments[0] if arguments else ""
    inside = {name.partition(" ")[2]: c.help for name, c in COMMANDS.items() if name.startswith(f"{group} ")}
    if group and inside:
        overview(f"mb {group}", _ABOUT, inside).parse_args(arguments[1:])
        raise UsageError("no command given", hint=f"see `mb {group} --help`")
    overview("mb", _ABOUT, {name: c.help for name, c in COMMANDS.items()}).parse_args(arguments)
    raise UsageError("no command given", hint="see `mb --help`")


def parser_of(name: str) -> ArgumentParser:
    """The parser of the command ``name``, as in ``task add``."""
    command = COMMANDS[name]
    module = _module(command)
    lines = (getattr(module, command.name).__doc__ or "").splitlines()[1:]
    more = "\n".join(line.strip() for line in lines).strip()
    parser = command_parser(f"mb {name}", command.help, more)
    getattr(module, f"add_{command.name}")(parser)
    return parser


def _module(command: Command) -> Any:
    return import_module(f"syncd.mb.{command.module}")


def _call(name: str, arguments: list[str]) -> int:
    if is_handed_over(name, arguments):
        from syncd.mb.handing import handed_over

        if (code := handed_over(name, arguments)) is not None:
            return code
    return run(name, options_of(name, arguments))


_HERE = frozenset({"--dry-run", "--help", "-h"})


def is_handed_over(name: str, arguments: Sequence[str]) -> bool:
    """Whether the daemon, where there is one, does this command."""
    return name in _WRITES and _HERE.isdisjoint(arguments)


def options_of(name: str, arguments: Sequence[str]) -> dict[str, Any]:
    """The options that ``arguments`` give the command. Raises `UsageError`."""
    return vars(parser_of(name).parse_args(arguments))


def run(name: str, options: dict[str, Any]) -> int:
    """Run the command; its exit code. Raises `SyncdError`."""
    code: int = getattr(_module(COMMANDS[name]), COMMANDS[name].name)(**options)
    return code
