"""Who wrote row changes that no transaction has yet, where the writer says so.

A change of rows by another client is ``external``. One that comes with a name (``mb``, ``api``) says so in the same
commit; the transaction that seals it carries that name. Ids of row changes made in one commit follow on each other,
because SQLite has one writer at a time.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from schema.db import Database

EXTERNAL = "external"


class Named(Struct, frozen=True):
    """Who wrote the pending changes, and what for: each distinct name once, sorted."""

    origins: tuple[str, ...]
    operations: tuple[str, ...]


def newest(db: Database) -> int:
    """The id of the newest row change, 0 where there is none."""
    return int(db.value("SELECT coalesce(max(id), 0) FROM row_changes"))


def announce(db: Database, behind: int, origin: str, operation: str, moment: datetime | None = None) -> int:
    """Put a name to the changes made in this commit, those behind id ``behind``; the id of the last of them.

    ``moment`` is the time that they tell of, where it was given: documents are stamped with it.
    """
    last = newest(db)
    if last > behind:
        db.run(
            "INSERT OR REPLACE INTO announced(first, last, origin, operation, moment) VALUES (?, ?, ?, ?, ?)",
            (behind + 1, last, origin, operation, None if moment is None else moment.isoformat()),
        )
    return last


def of_pending(db: Database, upto: int) -> Named:
    """The names of the pending changes up to id ``upto``; 0: there are none."""
    if not upto:
        return Named((), ())
    rows = db.rows(
        """SELECT DISTINCT a.origin, a.operation FROM row_changes AS c
        LEFT JOIN announced AS a ON c.id BETWEEN a.first AND a.last WHERE c."transaction" IS NULL AND c.id <= ?""",
        (upto,),
    )
    origins = {origin or EXTERNAL for origin, _ in rows}
    return Named(tuple(sorted(origins)), tuple(sorted({operation or EXTERNAL for _, operation in rows})))


class Told(Struct, frozen=True):
    """What the pending changes tell of: when it was, and whether all of them came with a name: are recorded work."""

    moment: datetime
    recorded: bool = False


def told(db: Database, upto: int, now: datetime) -> Told:
    """What the pending changes tell of. The time is ``now`` where one was not given it, or they tell of several.

    ``upto`` is the id of the last of them, 0 where there are none.
    """
    if not upto:
        return Told(now)
    rows = db.rows(
        """SELECT DISTINCT a.moment, a.origin IS NOT NULL FROM row_changes AS c
        LEFT JOIN announced AS a ON c.id BETWEEN a.first AND a.last WHERE c."transaction" IS NULL LIMIT 3"""
    )
    given = rows[0][0] if len(rows) == 1 else None
    return Told(now if given is None else datetime.fromisoformat(given), all(named for _, named in rows))


def forget_sealed(db: Database) -> None:
    """Drop the names of changes that have their transaction now."""
    db.run(
        """DELETE FROM announced WHERE NOT EXISTS (SELECT 1 FROM row_changes AS c
        WHERE c.id BETWEEN announced.first AND announced.last AND c."transaction" IS NULL)"""
    )
