"""How the bank is.

The exit code tells it too: 0 converged, 1 something is pending or waits for a person, 3 failed. With --watch it is
shown again whenever it changes, until Ctrl-C.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from schema.errors import SyncdError
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common, exit_code
from syncd.errors import line_of

_WATCH_S = 1.0


def add(parser: ArgumentParser) -> None:
    """The options of `syncd status`."""
    common(parser, banks=True)
    parser.add_argument("--watch", action="store_true", help="show it again whenever it changes")


def run(arguments: list[str], bank: str | None, as_json: bool, watch: bool) -> int:
    """Show the state of the banks."""
    folders = banks.several(arguments, bank)
    entries = _entries(folders)
    _show(entries, as_json)
    while watch:
        time.sleep(_WATCH_S)
        shown, entries = entries, _entries(folders)
        if entries != shown:
            _show(entries, as_json)
    return exit_code(entry["state"] for entry in entries)


def _entries(folders: list[Path]) -> list[dict[str, Any]]:
    """One entry a bank. Of several, one that fails hides nothing of the others."""
    if len(folders) == 1:
        return [inspect.status(folders[0])]
    entries = []
    for folder in folders:
        try:
            entries.append(inspect.status(folder))
        except SyncdError as error:
            entries.append({"path": str(folder), "state": "failed", "reason": line_of(error)})
    return entries


def _show(entries: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        output.show_json({"banks": entries})
        return
    for entry in entries:
        output.show_pairs(_lines(entry))


def _lines(entry: dict[str, Any]) -> dict[str, object]:
    if "mode" not in entry:
        return {"bank": entry["path"], "state": entry["state"], "reason": entry["reason"]}
    records = ", ".join(f"{count:,} {table}" for table, count in entry["records"].items() if count)
    waiting = [("conflict", entry["conflicts"]), ("hold", entry["holds"])]
    pending, last, daemon = entry["pending"], entry["last_transaction"], entry["daemon"]
    refused = "; ".join(f"{told['path']}: {told['reason']}" for told in entry["unwritten"])
    reason = {"reason": entry["reason"]} if entry["reason"] else {}
    return {
        "bank": entry["path"],
        "state": entry["state"],
        **reason,
        **({"unwritten": refused} if refused else {}),
        "mode": entry["mode"],
        "documents": f"{entry['documents']:,}",
        "records": records or "none",
        "pending": f"{output.counted(pending['files'], 'file')}, {output.counted(pending['db'], 'row')}",
        "waiting": ", ".join(output.counted(number, noun) for noun, number in waiting),
        "drift": output.counted(entry["drift"], "field"),
        "last": f"transaction {last['number']}, {last['operation_type']} at {last['timestamp']}" if last else "none",
        "backup": _backup(entry["backup"]),
        "daemon": f"process {daemon['pid']} since {daemon['since']}" if daemon else "not running",
    }


def _backup(told: dict[str, Any]) -> str:
    """When the last backup was made and the next is due, or why there is none."""
    if told["failure"]:
        return f"failed: {told['failure']}"
    last = f"{told['last'][:16].replace('T', ' ')} UTC" if told["last"] else "none yet"
    return f"{last}, the next {told['due'][:16].replace('T', ' ')} UTC" if told["due"] else last
