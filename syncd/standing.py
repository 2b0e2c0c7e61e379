"""From what is known of a bank: its state, one sentence why, and the next command to run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Entry = Mapping[str, Any]


def state(entry: Entry) -> str:
    """The worst of what is known, as `syncd.model.State` names it."""
    daemon = entry["daemon"]
    if entry["database"]["halted"]:
        return "halted"
    if entry["failure"] or (daemon and daemon["hung"]):
        return "failed"
    waiting = entry["conflicts"] or entry["holds"] or entry["database"]["reason"]
    if waiting or entry["unwritten"] or entry["backup"]["failure"]:
        return "attention"
    return "pending" if sum(entry["pending"].values()) else "converged"


def advice(entry: Entry) -> tuple[str | None, str | None]:
    """Why the bank is as it is, and what to do: the most urgent that there is to tell; (None, None) if all is well."""
    return _failing(entry) or _waiting(entry) or _working(entry) or (None, None)


def _failing(entry: Entry) -> tuple[str, str | None] | None:
    daemon, bank = entry["daemon"], entry["path"]
    if entry["database"]["reason"]:  # its sentence names the commands: which one is a person's choice
        return entry["database"]["reason"], None
    if daemon and daemon["hung"]:
        why = f"the daemon (process {daemon['pid']}) does not answer: end it, and start another; nothing is lost"
        return why, f"kill -KILL {daemon['pid']}"
    if entry["failure"]:
        return entry["failure"], f"syncd check --bank {bank}"
    return None


def _waiting(entry: Entry) -> tuple[str, str | None] | None:
    bank = entry["path"]
    if entry["holds"]:
        return f"{_times(entry['holds'], 'change waits', 'changes wait')} for a yes", f"syncd holds --bank {bank}"
    if entry["conflicts"]:
        told = _times(entry["conflicts"], "field was", "fields were")
        return f"{told} changed on both sides", f"syncd conflicts --bank {bank}"
    if entry["unwritten"]:
        first = entry["unwritten"][0]
        return f"{first['path']} cannot be written: {first['reason']}", None
    if entry["backup"]["failure"]:
        return f"the daily backup failed: {entry['backup']['failure']}", f"syncd backup --bank {bank}"
    return None


def _working(entry: Entry) -> tuple[str, str | None] | None:
    daemon, bank = entry["daemon"], entry["path"]
    if entry["paused"]:
        return f"paused since {entry['paused']}", f"syncd resume {bank}"
    if sum(entry["pending"].values()):
        if entry["unfinished"]:
            return entry["unfinished"], None
        if daemon is None:
            return "no daemon does the work", f"syncd sync {bank}"
        busy = daemon["busy"]
        return f"the daemon is busy with {busy['bank']}" if busy else "the daemon is about to do it", None
    if daemon and daemon["polling"]:
        return daemon["polling"], _sysctl(daemon["polling"])
    if entry["unshown"]:
        told = _times(entry["unshown"], "row is", "rows are")
        return f"{told} not shown by any document as given", f"syncd check {bank}"
    if entry["drift"]:
        told = _times(entry["drift"], "field is", "fields are")
        return f"{told} shown differently in different places", f"syncd check {bank}"
    return None


def _sysctl(sentence: str) -> str | None:
    """The command that a sentence names in backquotes."""
    parts = sentence.split("`")
    return parts[1] if len(parts) > 2 else None


def _times(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
