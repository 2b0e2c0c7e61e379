"""The commands, one module each, and what their options and answers have in common."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Sequence
from typing import Any

from syncd.errors import Exit, UsageError

_CODES = {"converged": Exit.CONVERGED, "failed": Exit.FAILED}


def exit_code(states: Iterable[str]) -> int:
    """The exit code for the states of one or several banks: the worst of them."""
    return max((_CODES.get(state, Exit.ATTENTION) for state in states), default=Exit.CONVERGED)


def common(parser: ArgumentParser, bank: bool = False, banks: bool = False) -> None:
    """Add ``--bank`` and ``--json``; with ``bank`` or ``banks`` the bank may be an argument too."""
    if bank:
        parser.add_argument("argument", nargs="?", metavar="BANK", help="the bank's folder")
    if banks:
        parser.add_argument("arguments", nargs="*", metavar="BANK", help="the banks' folders")
    parser.add_argument(
        "--bank", metavar="PATH", help="the bank's folder (default: $SYNCD_BANK, else the nearest memory-bank/)"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")


def whole_number(text: str) -> int:
    """The value of an option that is a number from 0 on. Raises argparse's error, which names the option."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def ids_or_all(parser: ArgumentParser, what: str) -> None:
    """Add ``ID…`` and ``--all``."""
    parser.add_argument("ids", nargs="*", metavar="ID", type=whole_number, help=f"ids as `syncd {what}` shows them")
    parser.add_argument("--all", action="store_true", dest="everything", help=f"all open {what}")


def chosen_ids(ids: Sequence[int], everything: bool, what: str) -> dict[str, Any]:
    """The arguments of a request about ``ids``, or about all. Raises `UsageError` where neither or both are given."""
    if bool(ids) == everything:
        raise UsageError("name ids or --all, one of the two", hint=f"`syncd {what}` lists them")
    return {"all": True} if everything else {"ids": [*ids]}  # the module `list` of this package hides the type
