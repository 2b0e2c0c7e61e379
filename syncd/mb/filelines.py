"""Options that say what was done to files: ``--modified path:what`` and its like."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from schema.checks import MODES
from syncd.errors import UsageError

if TYPE_CHECKING:
    from syncd.api import Transaction

OPTIONS = ("Created", "Modified", "Deleted", "Updated", "Renamed", "Moved", "Fixed")
"""The modes that have an option of their own; the others are given with ``--file``."""


class FileLine(Struct, frozen=True):
    """What was done to one file."""

    mode: str
    path: str
    what: str | None


class _Append(Action):
    """Appends to one list, so that the order in which different options were given stays."""

    def __call__(self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None) -> None:
        lines = [*getattr(namespace, self.dest)]
        mode, text = (self.const, str(values)) if self.const else _mode(str(values))
        lines.append(_line(mode, text))
        setattr(namespace, self.dest, lines)


def add(parser: ArgumentParser) -> None:
    """Add the options; they may be repeated, and their order stays."""
    for mode in OPTIONS:
        parser.add_argument(
            f"--{mode.lower()}", dest="files", action=_Append, const=mode, default=[], metavar="PATH:WHAT",
            help=f"a file that was {mode.lower()}, and what for",
        )  # fmt: skip
    parser.add_argument(
        "--file", dest="files", action=_Append, default=[], metavar="MODE:PATH:WHAT",
        help=f"the same with any mode: {', '.join(MODES)}",
    )  # fmt: skip


def _mode(text: str) -> tuple[str, str]:
    mode, colon, rest = text.partition(":")
    if not colon:
        raise UsageError(f"{text!r:.80} is not MODE:PATH:WHAT", hint="one is Renamed:src/a.ts:to src/b.ts")
    return mode, rest


def _line(mode: str, text: str) -> FileLine:
    """A path, and behind a colon what was done. A drive's colon (``C:\\x``) belongs to the path."""
    match = re.match(r"(?:[A-Za-z]:[\\/])?[^:]*", text)
    assert match is not None
    path, what = match[0], text[match.end() + 1 :]
    return FileLine(mode, path, what.strip() or None)


def record(tx: Transaction, entry: int, lines: Sequence[FileLine], key: str | None = None) -> list[int]:
    """The ids of the rows that say what an entry's work did to files."""
    return [
        tx.insert_file_modification(
            entry, line.mode, line.path, line.what, key=None if key is None else f"{key}/{number}"
        )
        for number, line in enumerate(lines, 1)
    ]
