"""What a bank is like, as `syncd status` tells. Reads only.

`syncd status` is called by prompts and watchers, so what costs time to import is loaded when it is needed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schema import overview
from schema.db import Database, open_database
from schema.errors import CorruptDatabase, NotADatabase, OlderSchema
from syncd import backups, config, lineage, standing
from syncd import bank as banks
from syncd.daemon.served import Asked
from syncd.disk.git import git_unfinished
from syncd.disk.walk import Stat, walk
from syncd.errors import line_of


@contextmanager
def reading(bank: Path) -> Iterator[Database]:
    """The bank's database, for reading. Raises the errors of `schema.errors`, `NoDatabase` where there is none."""
    db = open_database(banks.require_database(bank), readonly=True)
    try:
        yield db
    finally:
        db.close()


def mode(db: Database) -> str:
    """The bank's mode."""
    return overview.named(db, "mode") or "coexist"


def status(bank: Path, asked: Asked | None = None) -> dict[str, Any]:
    """One bank as `syncd status --json` shows it. ``asked`` remembers what daemons answered for other banks."""
    with reading(bank) as db:
        conflicts, held, refused = overview.open_conflicts(db), overview.held(db), overview.refused(db)
        pending = {"files": _pending_files(bank, db, set(held)), "db": _pending_rows(db)}
        last, backup = overview.last_transaction(db), backups.told(bank, db, config.load(bank))
        sentence, halted = _out_of_line(bank, db)
        entry = {
            "path": str(bank),
            "mode": mode(db),
            "state": "",
            "reason": None,
            "next": None,
            "documents": overview.document_count(db),
            "records": overview.record_counts(db),
            "pending": pending,
            "conflicts": conflicts,
            "holds": len(held),
            "unwritten": [{"path": path, "reason": why} for path, why in refused.items()],
            "drift": _drift(db),
            "unshown": len(overview.noted_unshown(db)),
            "last_transaction": last,
            "recent": overview.recent(db, 5),
            "backup": backup,
            "database": {"reason": sentence, "halted": halted},
            "failure": overview.named(db, "failure"),
            "paused": overview.named(db, "paused"),
            "unfinished": git_unfinished(bank),
            "daemon": (asked or Asked()).daemon(bank),
        }
    entry["state"] = standing.state(entry)
    entry["reason"], entry["next"] = standing.advice(entry)
    return entry


def at_rest(bank: Path) -> bool:
    """Whether stat values and a few counts prove that a converge would find nothing to do or to tell."""
    if not banks.database_of(bank).is_file():
        return False
    listing = walk(bank)
    if listing.leftovers or listing.unreadable or any((bank / ".syncd" / "held").glob("*")):
        return False
    try:
        with reading(bank) as db:
            known = lineage.standing(db, lineage.read(bank)) in (lineage.Standing.SAME, lineage.Standing.NEW)
            united = overview.named(db, lineage.UNION) is None
            quiet = known and united and overview.is_quiet(db)
            return quiet and _as_noted(listing.stats, overview.stats(db), time.time_ns())
    except (OlderSchema, CorruptDatabase, NotADatabase):
        return False


def _out_of_line(bank: Path, db: Database) -> tuple[str | None, bool]:
    """What is wrong with the database as a whole, and whether nothing is done before a person looked."""
    match lineage.standing(db, lineage.read(bank)):
        case lineage.Standing.FOREIGN:
            return line_of(lineage.foreign(bank)), True
        case lineage.Standing.OLDER:
            return "the database is older than the files; `syncd sync` brings both together", False
    return None, False


def _pending_files(bank: Path, db: Database, held: set[str]) -> int:
    """How many documents differ from what both sides last agreed on, but for those that are held."""
    now_ns = time.time_ns()
    if _as_noted(walk(bank).stats, overview.stats(db), now_ns):
        return 0
    from schema import store
    from syncd.disk.scan import scan

    limit = config.load(bank).max_document_mb * 1_000_000
    found = scan(bank, store.documents(db), only=None, always=(), limit=limit, now_ns=now_ns)
    return len((found.changed.keys() | found.missing | found.waiting.keys()) - held)


def _as_noted(stats: dict[str, Stat], noted: dict[str, tuple[int, int, int, int]], now_ns: int) -> bool:
    """Whether stat alone proves that no document differs from its base."""
    return stats.keys() == noted.keys() and all(
        stat.content == noted[path] and not stat.racy(now_ns) for path, stat in stats.items()
    )


def _pending_rows(db: Database) -> int:
    """How many rows and texts are on their way from the database to the files."""
    return overview.pending_rows(db) + len(overview.unwritten(db))


def _drift(db: Database) -> int:
    noted = overview.noted_drift(db)
    if noted is not None:
        return noted
    from syncd import drift

    return drift.count(db)
