"""Which documents differ from their base. Events are hints; content decides. Reads files, changes nothing."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from pathlib import Path

from msgspec import Struct, field

from schema.store import DocumentRow
from syncd.disk.files import Busy, Content, Missing, Stat, Unreadable, read_stable
from syncd.disk.walk import Walk, walk

Walked = tuple[int, Walk]
"""What lies in a bank, and the wall clock in nanoseconds before that was looked at."""


class Scan(Struct):
    """What a scan found, by path.

    ``changed`` holds documents that are new or differ from their base; ``missing`` those that have a base and no
    file; ``same`` those that were read, hold what their base holds, and have other stat values than were noted;
    ``waiting`` those that cannot be read at this moment, ``problems`` those that cannot be read at all, with the
    reason; of both, those without a base are ``hidden``. ``complete`` says that the whole bank was looked at; then
    ``leftovers`` are files of ours that lie about.
    """

    changed: dict[str, Content] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    same: dict[str, Stat] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    complete: bool = True
    leftovers: list[str] = field(default_factory=list)


def scan(
    root: Path,
    rows: Mapping[str, DocumentRow],
    *,
    only: Collection[str] | None,
    always: Collection[str],
    limit: int,
    now_ns: int,
    walked: Walked | None = None,
) -> Scan:
    """Compare the bank with its bases.

    ``only`` restricts the look to these documents. Those in ``always`` are read even if stat says that nothing
    happened. ``limit`` is the largest size in bytes that is read, ``now_ns`` the wall clock. The bank is walked
    through here, unless it was ``walked`` just now. Raises `BankGone`.
    """
    found = Scan(complete=only is None)
    if only is None:
        now_ns, listing = walked or (now_ns, walk(root))
        found.problems.update(listing.unreadable)
        found.leftovers = listing.leftovers
        candidates = _suspects(listing, rows, always, now_ns)
        found.missing.update(_missing(listing, rows))
    else:
        candidates = sorted(path for path in set(only) | set(always) if path.endswith(".md"))
    for path in candidates:
        _look(root, path, rows.get(path), limit, found)
    found.hidden = {path: why for path, why in (found.problems | found.waiting).items() if path not in rows}
    return found


class Missed:
    """Documents without a file that may be about to come back, and since when each is missed."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def young(self, found: Scan, rows: Mapping[str, DocumentRow], patience: float) -> set[str]:
        """Those missed for less than ``patience`` seconds. One whose text stands elsewhere now was moved."""
        now = time.monotonic()
        appeared = {content.digest for path, content in found.changed.items() if path not in rows}
        for path in list(self._since):
            if found.complete and path not in found.missing:
                del self._since[path]
        young = set()
        for path in found.missing:
            since = self._since.setdefault(path, now)
            if now - since < patience and rows[path].hash not in appeared:
                young.add(path)
        return young


def _suspects(listing: Walk, rows: Mapping[str, DocumentRow], always: Collection[str], now_ns: int) -> list[str]:
    """Documents whose stat values are not those of their base, or could not tell a change apart."""
    suspects = []
    for path, stat in listing.stats.items():
        row = rows.get(path)
        if row is None or path in always or _differs(row, stat) or stat.racy(now_ns):
            suspects.append(path)
    return sorted(suspects)


def _differs(row: DocumentRow, stat: Stat) -> bool:
    return (row.size, row.mtime_ns, row.ctime_ns, row.inode) != (stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode)


def _missing(listing: Walk, rows: Mapping[str, DocumentRow]) -> set[str]:
    """Documents without a file, except below what could not be read: nothing is known of those."""
    hidden = tuple(f"{path}/" for path in listing.unreadable)
    return {
        path
        for path in rows.keys() - listing.stats.keys()
        if path not in listing.unreadable and not path.startswith(hidden)
    }


def _look(root: Path, path: str, row: DocumentRow | None, limit: int, found: Scan) -> None:
    match read_stable(root, path, limit):
        case Content() as content:
            if row is None or content.digest != row.hash:
                found.changed[path] = content
            elif _differs(row, content.stat):
                found.same[path] = content.stat
        case Missing():
            if row is not None:
                found.missing.add(path)
        case Busy(reason):
            found.waiting[path] = reason
        case Unreadable(reason):
            found.problems[path] = reason
