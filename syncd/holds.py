"""What waits for a person, as the database keeps it: holds and conflicts; and what waits for quiet: follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schema.db import Database
from schema.records import Table
from syncd.decide import Hold
from syncd.gather import RecordId
from syncd.scan import Scan

_CONFLICT = ("id", "document", "table", "key", "field", "base", "file", "db", "kept", "transaction")
_HOLD = ("id", "path", "kind", "reason", "deletes", "created_at")


def open_conflicts(db: Database) -> tuple[dict[str, object], ...]:
    """Conflicts that nobody has settled, as `conflicts --json` gives them."""
    return conflicts(db, resolved=False)


def conflicts(db: Database, *, resolved: bool) -> tuple[dict[str, object], ...]:
    """Conflicts: the open ones, or with ``resolved`` those that were settled."""
    columns = ", ".join(f'"{name}"' for name in _CONFLICT)
    word = "NOT NULL" if resolved else "NULL"
    rows = db.rows(f"SELECT {columns} FROM conflicts WHERE resolved_at IS {word} ORDER BY id")  # noqa: S608
    return tuple(dict(zip(_CONFLICT, row, strict=True)) for row in rows)


def open_holds(db: Database) -> tuple[dict[str, object], ...]:
    """Holds that wait for a yes or a no, as `holds --json` gives them."""
    rows = db.rows(f"SELECT {', '.join(_HOLD)} FROM holds WHERE state = 'open' ORDER BY id")  # noqa: S608
    return tuple(dict(zip(_HOLD, row, strict=True)) for row in rows)


def accepted(db: Database) -> frozenset[tuple[str, str, str | None]]:
    """Holds that got their yes and were not absorbed yet."""
    return frozenset(db.rows("SELECT path, kind, hash FROM holds WHERE state = 'accepted' AND settled_at IS NULL"))


def follows(db: Database) -> frozenset[tuple[RecordId, str]]:
    """Fields that a manual edit changed in one place while other current readings still wait."""
    rows = db.rows('SELECT "table", key, field FROM follows')
    return frozenset(((Table(table), key), name) for table, key, name in rows)


def note(db: Database, held: Sequence[Hold], found: Scan, now: datetime) -> None:
    """Bring the open holds to what is held now. Writes only what differs."""
    wanted = {(h.path, h.kind, h.hash): h for h in held}
    rows = db.rows("SELECT id, path, kind, hash FROM holds WHERE state = 'open'")
    present = {(path, kind, digest) for _, path, kind, digest in rows}
    gone = [number for number, *key in rows if tuple(key) not in wanted and _looked_at(found, key[0])]
    new = [h for key, h in wanted.items() if key not in present]
    if not gone and not new:
        return
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    with db.atomic():
        for number in gone:
            db.run("UPDATE holds SET state = 'withdrawn', settled_at = ? WHERE id = ?", (stamp, number))
        for h in new:
            db.run(
                "INSERT INTO holds(path, kind, reason, hash, deletes, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                (h.path, h.kind, h.reason, h.hash, h.deletes, stamp),
            )


def _looked_at(found: Scan, path: str) -> bool:
    """Whether this scan can tell that a document is no longer what was held."""
    if path in found.waiting:
        return False
    return found.complete or path in found.changed or path in found.missing
