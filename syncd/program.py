"""What the programs `syncd` and `mb` have in common: parsers whose complaint is one line, and where errors end."""

from __future__ import annotations

import argparse
import os
import sys
from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

from syncd.errors import Exit, SyncdError, UsageError, from_os, line_of

# It would look on the disk for translations of each of its words, which takes longer than reading the arguments.
argparse._ = str  # type: ignore[attr-defined]


class Parser(ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"see `{self.prog} --help`")


class _Formatter(RawDescriptionHelpFormatter):
    """argparse makes one for each option, and would load `shutil` (and with it three compressors) for its width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    """The width of the terminal, as `shutil.get_terminal_size` tells it."""
    told = os.environ.get("COLUMNS", "")
    if told.isdigit() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 80


def guarded(program: str, dispatch: Callable[[list[str]], int], argv: Sequence[str] | None) -> int:
    """Run ``dispatch`` on ``argv`` (default: the process's own); the exit code.

    On the process's own arguments a command ends the process itself. Raises nothing but bugs and argparse's exit.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    code = _code(program, dispatch, arguments)
    if argv is None and arguments[:1] != ["run"]:  # that one has threads, and more to close
        _end(code)
    return code


def _end(code: int) -> NoReturn:
    """End the process without taking its objects apart one by one, which took a tenth of a command.

    Commands close what they open and register nothing for the end: files, locks and databases are done with by now.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError, ValueError):  # its reader is gone; there never was one; it is closed
            stream.flush()
    os._exit(code)


def _code(program: str, dispatch: Callable[[list[str]], int], arguments: list[str]) -> int:
    """What ``dispatch`` answers, or the exit code of what it raised, which is told."""
    try:
        code = dispatch(arguments)
        if sys.stdout is not None:  # started with its output closed
            sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except SyncdError as error:
        return _tell(program, error)
    except OSError as error:
        return _tell(program, from_os(error))
    return code


def _tell(program: str, error: SyncdError) -> int:
    print(f"{program}: {line_of(error)}", file=sys.stderr)
    return error.exit_code


def overview(program: str, description: str, commands: Mapping[str, str]) -> ArgumentParser:
    """The parser of ``program`` without a known command: for its help and its complaints."""
    width = max(map(len, commands))
    listing = "\n".join(f"  {name.ljust(width)}  {help_}" for name, help_ in commands.items())
    parser = Parser(
        prog=program,
        usage=f"{program} [--version] [--help] COMMAND …",
        description=description,
        epilog=f"commands:\n{listing}\n\n`{program} COMMAND --help` tells more. "
        "Exit codes: 0 converged, 1 something waits for a person, 2 usage, 3 failed.",
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("command", choices=commands, metavar="COMMAND", help=SUPPRESS)
    return parser


def command_parser(program: str, help_: str, more: str | None) -> ArgumentParser:
    """The parser of one command; ``more`` is what its help says below the options."""
    return Parser(
        prog=program,
        description=f"{help_[0].upper()}{help_[1:]}.",
        epilog=more,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
