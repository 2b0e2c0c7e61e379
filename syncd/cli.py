"""The command line: finds the command's module, loads that one only, and is the one place where errors end.

Each command is a module of `syncd.commands` with ``add(parser)`` (its options) and ``run(...) -> int`` (plain arguments
named as the options are).
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module

from syncd import __version__
from syncd.errors import Exit, UsageError
from syncd.program import command_parser, guarded, overview

COMMANDS = {
    "init": "make the database from what is there, writing no file",
    "run": "the daemon, in the foreground",
    "sync": "converge once, or show what that would do",
    "status": "is all well, and if not, what to do",
    "check": "lines not understood, drift, dangling dependencies, duplicate ids, integrity, round trip",
    "log": "history of the bank, of a file or of a record",
    "show": "what one transaction did",
    "blame": "for each line of a document the transaction that brought it",
    "cat": "a document as it is, or as it stood after a transaction",
    "export": "write the whole bank, as it is or as it stood after a transaction, to a folder",
    "undo": "take transactions back, on rows and files together",
    "prune": "fold old history into one state, after a backup",
    "conflicts": "fields that both sides changed to different values",
    "resolve": "settle conflicts: take the file's value or the database's",
    "holds": "changes that wait for a yes",
    "accept": "say yes to held changes",
    "reject": "say no to held changes: the files are put back",
    "mode": "show the mode or change it",
    "cutover": "make the database first, where every criterion is met; or list them",
    "rollback": "go back from database-first to coexist",
    "backup": "copy the database to a file, checked",
    "restore": "bring back a backup, or a document or record as it stood",
    "config": "the settings that hold and where each comes from",
    "add": "put banks on the list that the daemon serves",
    "remove": "take banks off that list",
    "list": "the banks on that list",
    "pause": "have the daemon leave a bank alone",
    "resume": "have the daemon serve a paused bank again",
    "query": "ask the database with SQL, read only",
    "service": "run the daemon as a service: systemd or launchd",
    "doctor": "whether syncd can do its work here, and what to do where it cannot",
    "completion": "a script by which bash, zsh or fish completes syncd and mb",
}
"""Every command with the line that `syncd --help` shows for it."""


_ABOUT = "Keeps a memory bank of markdown files and its database equal, in both directions."


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``argv`` (default: the process's own); the exit code. Raises nothing but bugs and argparse's exit."""
    return guarded("syncd", _dispatch, argv)


def _dispatch(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    if name == "--version":
        return _version(arguments[1:])
    if name in COMMANDS:
        return _call(name, arguments[1:])
    overview("syncd", _ABOUT, COMMANDS).parse_args(arguments)
    raise UsageError("no command given", hint="see `syncd --help`")


def _version(options: list[str]) -> int:
    """One line, or with --verbose all versions that matter in a report of a bug."""
    if options == ["--verbose"]:
        from syncd.output import show_pairs
        from syncd.versions import versions

        show_pairs(versions())
    elif options:
        raise UsageError(f"--version with {options[0]}", hint="`syncd --version --verbose` prints all versions")
    else:
        print(f"syncd {__version__}")
    return Exit.CONVERGED


def parser_of(name: str) -> ArgumentParser:
    """The parser of the command ``name``."""
    module = import_module(f"syncd.commands.{name}")
    more = (module.__doc__ or "").partition("\n")[2].strip()
    parser = command_parser(f"syncd {name}", COMMANDS[name], more)
    module.add(parser)
    return parser


def _call(name: str, arguments: list[str]) -> int:
    options = vars(parser_of(name).parse_args(arguments))
    code: int = import_module(f"syncd.commands.{name}").run(**options)
    return code
