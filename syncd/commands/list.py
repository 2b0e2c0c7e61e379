"""The banks on the list, and whether a daemon serves each by now."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from syncd import bank as banks
from syncd import lock, output, userbanks
from syncd.commands import common
from syncd.errors import Exit, SyncdError, line_of


def add(parser: ArgumentParser) -> None:
    """The options of `syncd list`."""
    common(parser)


def run(bank: str | None, as_json: bool) -> int:
    """Show them, or only ``bank``; exit code 1 where one cannot be served."""
    listed = userbanks.listed() or []
    entries = [_entry(folder) for folder in listed if bank is None or folder == Path(bank).resolve()]
    if as_json:
        output.show_json(entries)
    elif entries:
        output.show_table(
            ("bank", "daemon", "problem"),
            [(e["path"], e["daemon"] or "", e["problem"] or "") for e in entries],
        )
    else:
        output.say("no bank is listed: `syncd add PATH` adds one")
    return Exit.ATTENTION if any(entry["problem"] for entry in entries) else Exit.CONVERGED


def _entry(folder: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": str(folder), "daemon": None, "problem": None}
    try:
        banks.require_documents(banks.find(str(folder)))
        holder = lock.holder(folder)
    except SyncdError as error:
        return entry | {"problem": line_of(error)}
    if holder is not None and holder.role is lock.LockRole.DAEMON:
        entry["daemon"] = holder.pid
    return entry
