"""The command line: finds the command's module, loads that one only, and is the one place where errors end.

Each command is a module of `syncd.commands` with ``add(parser)`` (its options) and ``run(...) -> int`` (plain arguments
named as the options are).
"""

from __future__ import annotations

import os
import sys
from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from syncd import __version__
from syncd.errors import Exit, SyncdError, UsageError, from_os, line_of

COMMANDS = {
    "init": "make the database from what is there, writing no file",
    "run": "the daemon, in the foreground",
    "sync": "converge once, or show what that would do",
    "status": "mode, state, counts, what is pending, the daemon",
    "check": "lines not understood, drift, dangling dependencies, duplicate ids, integrity, round trip",
    "log": "history of the bank, of a file or of a record",
    "show": "what one transaction did",
    "cat": "a document as it is, or as it stood after a transaction",
    "export": "write the whole bank, as it is or as it stood after a transaction, to a folder",
    "conflicts": "fields that both sides changed to different values",
    "resolve": "settle conflicts: take the file's value or the database's",
    "holds": "changes that wait for a yes",
    "accept": "say yes to held changes",
    "reject": "say no to held changes: the files are put back",
    "mode": "show the mode or change it",
    "query": "ask the database with SQL, read only",
}
"""Every command with the line that `syncd --help` shows for it."""


class _Parser(ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"see `{self.prog} --help`")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``argv`` (default: the process's own); the exit code. Raises nothing but bugs and argparse's exit."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except SyncdError as error:
        return _tell(error)
    except OSError as error:
        return _tell(from_os(error))
    return code


def _tell(error: SyncdError) -> int:
    print(f"syncd: {line_of(error)}", file=sys.stderr)
    return error.exit_code


def _dispatch(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    if name == "--version":
        print(f"syncd {__version__}")
        return Exit.CONVERGED
    if name in COMMANDS:
        return _call(name, arguments[1:])
    _overview().parse_args(arguments)
    raise UsageError("no command given", hint="see `syncd --help`")


def _overview() -> ArgumentParser:
    """The parser of `syncd` without a known command: for its help and its complaints."""
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name.ljust(width)}  {help_}" for name, help_ in COMMANDS.items())
    parser = _Parser(
        prog="syncd",
        usage="syncd [--version] [--help] COMMAND …",
        description="Keeps a memory bank of markdown files and its database equal, in both directions.",
        epilog=f"commands:\n{listing}\n\n`syncd COMMAND --help` tells more. "
        "Exit codes: 0 converged, 1 something waits for a person, 2 usage, 3 failed.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=SUPPRESS)
    return parser


def parser_of(name: str) -> ArgumentParser:
    """The parser of the command ``name``."""
    module = import_module(f"syncd.commands.{name}")
    help_ = COMMANDS[name]
    parser = _Parser(
        prog=f"syncd {name}",
        description=f"{help_[0].upper()}{help_[1:]}.",
        epilog=module.__doc__ and module.__doc__.partition("\n")[2].strip(),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add(parser)
    return parser


def _call(name: str, arguments: list[str]) -> int:
    options = vars(parser_of(name).parse_args(arguments))
    code: int = import_module(f"syncd.commands.{name}").run(**options)
    return code

