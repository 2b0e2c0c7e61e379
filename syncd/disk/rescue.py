"""Texts that somebody saved into a file at the very moment it was replaced, or that a crash left beside its document.

They stand in no document. What the history knows is dropped; what it does not know is merged like any other save.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from schema.db import Database
from syncd.disk.files import Held, Late, Leftover, digest, drop_leftover, sweep_temporaries


class Rescued(Struct, frozen=True):
    """A text for the document at ``path``, and how to let go of the file that holds it once it is durable."""

    path: str
    data: bytes
    drop: Callable[[], None]


def rescued(db: Database, bank: Path, held: Held, leftovers: list[str] | None) -> list[Rescued]:
    """All such texts that are not in the history yet. ``leftovers`` are files of ours that a walk met, None.

    None made.
    """
    found: list[Rescued] = []
    for late in held.settle():
        found += _new(db, late.path, late.data, _dropper(held, late))
    if leftovers is not None:
        for left in sweep_temporaries(bank, leftovers, held, _removed(db) if leftovers else ()):
            if left.data is not None:
                found += _new(db, left.path, left.data, _remover(bank, left))
    return found


def _removed(db: Database) -> set[str]:
    """Documents that we took away last, or were about to."""
    last = "SELECT max(id) FROM versions GROUP BY path"
    rows = db.rows(f"SELECT path, deleted AND emitted FROM versions WHERE id IN ({last})")  # noqa: S608
    return {path for path, taken in rows if taken}


def _dropper(held: Held, late: Late) -> Callable[[], None]:
    return lambda: held.drop(late)


def _remover(bank: Path, left: Leftover) -> Callable[[], None]:
    return lambda: drop_leftover(bank, left)


def _new(db: Database, path: str | None, data: bytes, drop: Callable[[], None]) -> list[Rescued]:
    """The text, unless it is stored already. One whose document is not known is stored as a settled conflict."""
    known = db.value("SELECT EXISTS (SELECT 1 FROM versions WHERE hash_after = ?)", (digest(data),))
    if known:
        drop()
        return []
    if path is None or not _is_text(data):
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        db.run(
            """INSERT INTO conflicts(document, "table", key, field, file, kept, created_at)
            VALUES (?, 'documents', ?, 'text', ?, 'db', ?)""",
            (path or "", path or "", data.decode("utf-8", "backslashreplace"), now),
        )
        drop()
        return []
    return [Rescued(path, data, drop)]


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
