"""Scripts by which a shell completes `syncd` and `mb`, made from the commands' own parsers; they ask no program later.

shtab writes them; it is loaded only for `syncd completion`.
"""

from __future__ import annotations

from argparse import Action, ArgumentParser
from collections.abc import Mapping
from typing import Any

SHELLS = ("bash", "zsh", "fish")
PROGRAMS = ("syncd", "mb")

_FOLDERS = ("BANK", "DIR")
_FILES = ("PATH", "FILE")


def script(shell: str, program: str) -> str:
    """The script for one of `SHELLS` and one of `PROGRAMS`."""
    import shtab

    return f"{shtab.complete(whole(program), shell).strip()}\n"


def whole(program: str) -> ArgumentParser:
    """One parser with all commands of ``program`` below it. Its parsers complete, they do not parse."""
    from syncd import cli
    from syncd.mb import cli as mb

    if program == "syncd":
        named: Mapping[str, ArgumentParser] = {name: cli.parser_of(name) for name in cli.COMMANDS}
        helps: Mapping[str, str] = cli.COMMANDS
    else:
        named = {name: mb.parser_of(name) for name in mb.COMMANDS}
        helps = {name: command.help for name, command in mb.COMMANDS.items()}
    root = ArgumentParser(prog=program)
    root.add_argument("--version", action="store_true", help="print the version")
    if program == "syncd":
        root.add_argument("--verbose", action="store_true", help="with --version: all versions that matter")
    groups: dict[str, Any] = {"": _below(root)}
    for name, parser in named.items():
        group, _, last = name.rpartition(" ")
        if group not in groups:
            groups[group] = _below(groups[""].add_parser(group, help=f"{group} …", made=ArgumentParser(prog=group)))
        for action in parser._actions:
            _mark(action)
        groups[group].add_parser(last, help=helps[name], made=parser)
    return root


def _below(parser: ArgumentParser) -> Any:
    """A place for commands below ``parser``; each is given its parser as ``made``."""
    given: Any = lambda made, **_: made  # noqa: E731 (the stubs know classes only here)
    return parser.add_subparsers(metavar="COMMAND", parser_class=given)


def _mark(action: Action) -> None:
    """Say what an argument that names a place is completed by."""
    import shtab

    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if metavar in _FOLDERS or action.dest == "bank":
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif metavar in _FILES:
        action.complete = shtab.FILE  # type: ignore[attr-defined]
