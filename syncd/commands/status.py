"""How the bank is: is all well, and if not, what to do.

The exit code tells it too: 0 converged, 1 something is pending or waits for a person, 3 failed. Where no bank is named
and none is near, the banks of the list (`syncd add`) are shown. With --watch it is shown again whenever it changes,
until Ctrl-C. A daemon that does not answer within a fifth of a second is told to hang.
"""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from schema.errors import SyncdError
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common, exit_code
from syncd.daemon.served import Asked
from syncd.errors import UsageError, line_of

_WATCH_S = 1.0


def add(parser: ArgumentParser) -> None:
    """The options of `syncd status`."""
    common(parser, banks=True)
    parser.add_argument("--watch", action="store_true", help="show it again whenever it changes")
    parser.add_argument("--prometheus", action="store_true", help="print metrics in the text format of Prometheus")


def run(arguments: list[str], bank: str | None, as_json: bool, watch: bool, prometheus: bool) -> int:
    """Show the state of the banks."""
    folders = _folders(arguments, bank)
    entries = _entries(folders)
    if prometheus:
        from syncd.prometheus import text

        print(text(entries), end="")
        return exit_code(entry["state"] for entry in entries)
    if watch and not as_json and os.isatty(1):
        _live(folders)
    _show(entries, as_json)
    while watch:
        time.sleep(_WATCH_S)
        shown, entries = entries, _entries(folders)
        if _lasting(entries) != _lasting(shown):
            _show(entries, as_json)
    return exit_code(entry["state"] for entry in entries)


def _folders(arguments: list[str], bank: str | None) -> list[Path]:
    try:
        return banks.several(arguments, bank)
    except UsageError:
        from syncd import userbanks

        listed = None if arguments or bank else userbanks.listed()
        if not listed:
            raise
        return listed


def _entries(folders: list[Path]) -> list[dict[str, Any]]:
    """One entry a bank. Of several, one that fails hides nothing of the others."""
    if len(folders) == 1:
        return [inspect.status(folders[0])]
    entries, asked = [], Asked()
    for folder in folders:
        try:
            entries.append(inspect.status(folder, asked))
        except SyncdError as error:
            entries.append({"path": str(folder), "state": "failed", "reason": line_of(error), "next": None})
    return entries


def _lasting(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries without what changes from second to second."""
    return [entry | {"daemon": bool(entry.get("daemon")) and entry["daemon"]["pid"]} for entry in entries]


def _live(folders: list[Path]) -> None:
    """The screen, drawn anew each second until Ctrl-C."""
    from rich.live import Live
    from rich.text import Text

    with Live(screen=False, auto_refresh=False) as live:
        while True:
            shown = "\n\n".join("\n".join(output.pairs_of(_lines(entry))) for entry in _entries(folders))
            live.update(Text(f"{shown}\n\n{time.strftime('%H:%M:%S')}, Ctrl-C ends this"), refresh=True)
            time.sleep(_WATCH_S)


def _show(entries: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        output.show_json({"banks": entries})
        return
    for number, entry in enumerate(entries):
        if number:
            output.say()
        output.show_pairs(_lines(entry))


def _lines(entry: dict[str, Any]) -> dict[str, object]:
    todo = {"reason": entry["reason"], "next": entry["next"] and f"`{entry['next']}`"}
    first = {"bank": entry["path"], "state": entry["state"], **{name: text for name, text in todo.items() if text}}
    if "mode" not in entry:
        return first
    records = ", ".join(f"{count:,} {table}" for table, count in entry["records"].items() if count)
    waiting = [("conflict", entry["conflicts"]), ("hold", entry["holds"])]
    pending, last = entry["pending"], entry["last_transaction"]
    refused = "; ".join(f"{told['path']}: {told['reason']}" for told in entry["unwritten"])
    return {
        **first,
        **({"unwritten": refused} if refused else {}),
        "mode": entry["mode"],
        **({"paused": f"since {entry['paused']}"} if entry["paused"] else {}),
        "documents": f"{entry['documents']:,}",
        "records": records or "none",
        "pending": f"{output.counted(pending['files'], 'file')}, {output.counted(pending['db'], 'row')}",
        "waiting": ", ".join(output.counted(number, noun) for noun, number in waiting),
        "drift": output.counted(entry["drift"], "field"),
        **({"unshown": output.counted(entry["unshown"], "row")} if entry["unshown"] else {}),
        "last": f"transaction {last['number']}, {last['operation_type']} at {last['timestamp']}" if last else "none",
        **_earlier(entry["recent"][1:3]),
        "backup": _backup(entry["backup"]),
        **_daemon(entry["daemon"]),
    }


def _earlier(recent: list[dict[str, Any]]) -> dict[str, object]:
    told = [f"{one['number']} {one['operation_type']} at {one['timestamp'][:19]}" for one in recent]
    return {"before": ", ".join(told)} if told else {}


def _daemon(daemon: dict[str, Any] | None) -> dict[str, object]:
    if daemon is None:
        return {"daemon": "not running"}
    told = f"process {daemon['pid']} since {daemon['since']}"
    if daemon["hung"]:
        return {"daemon": f"{told}, does not answer"}
    if daemon["memory_mb"] is not None:
        told += f", {daemon['memory_mb']:g} MB"
    lines: dict[str, object] = {"daemon": told}
    if daemon["busy"]:
        lines["busy"] = f"with {daemon['busy']['bank']} for {daemon['busy']['seconds']:g} s"
    for name, label in (("absorb_ms", "absorbs"), ("emit_ms", "emits")):
        if found := daemon[name]:
            lines[label] = (
                f"{found['p50']:g} ms in the middle, 95 % within {found['p95']:g}, the slowest {found['max']:g}, "
                f"of the last {found['count']}"
            )
    if slow := daemon["slow"]:
        lines["slow"] = (
            f"{output.counted(slow['count'], 'step')} of more than a second in the last hour, "
            f"the longest {slow['longest']:g} s: the other banks of this daemon waited"
        )
    if daemon["overflows"]:
        lines["overflows"] = f"{daemon['overflows']}: events were lost and all files looked at instead"
    return lines


def _backup(told: dict[str, Any]) -> str:
    """When the last backup was made and the next is due, or why there is none."""
    if told["failure"]:
        return f"failed: {told['failure']}"
    last = f"{told['last'][:16].replace('T', ' ')} UTC" if told["last"] else "none yet"
    return f"{last}, the next {told['due'][:16].replace('T', ' ')} UTC" if told["due"] else last
