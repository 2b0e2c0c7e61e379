"""Existing records, as `syncd.plan.match` asks for them."""

from __future__ import annotations

from schema.db import Database
from syncd.model import Row

_ENTRY = "id, date, time, timezone, task_id, task_description"


class RowLookup:
    """Answers from the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._empty: bool | None = None

    def entries_at(self, minute: str) -> list[tuple[str, Row]]:
        """Entries whose time starts with ``minute`` (``HH:MM``)."""
        if self._empty is None:
            self._empty = not self._db.value("SELECT EXISTS (SELECT 1 FROM edit_entries)")
        if self._empty:
            return []
        rows = self._db.rows(
            f"SELECT {_ENTRY} FROM edit_entries WHERE time >= ?1 AND time < ?1 || '~' ORDER BY id",  # noqa: S608
            (minute,),
        )
        names = _ENTRY.split(", ")[1:]
        return [(str(row[0]), dict(zip(names, row[1:], strict=True))) for row in rows]

    def lines_of(self, entry: str) -> list[tuple[str, Row]]:
        """File modifications of an entry, in order."""
        rows = self._db.rows(
            "SELECT id, action, file_path, description FROM file_modifications WHERE edit_entry_id = ? ORDER BY id",
            (entry,),
        )
        names = ("action", "file_path", "description")
        return [(str(row[0]), dict(zip(names, row[1:], strict=True))) for row in rows]

    def session_at(self, path: str) -> str | None:
        """The session whose document is at ``path``."""
        found = self._db.value("SELECT id FROM sessions WHERE path = ?", (path,))
        return None if found is None else str(found)
