"""What people ask of a database: how many rows, what waits for them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from schema import jsontext
from schema.columns import RECORD_COLUMNS
from schema.db import Database

_TRANSACTION = (
    "number", "transaction_id", "timestamp", "operation_type", "origin", "affected_tables", "row_count", "status",
    "error_message", "duration_ms",
)  # fmt: skip


def named(db: Database, name: str) -> str | None:
    """A single value by its name."""
    value = db.value("SELECT value FROM state WHERE name = ?", (name,))
    return None if value is None else str(value)


def last_transaction(db: Database) -> dict[str, Any] | None:
    """The last transaction by the names that JSON shows, None in a new database."""
    row = db.row(f"SELECT id, {', '.join(_TRANSACTION[1:])} FROM transaction_log ORDER BY id DESC LIMIT 1")  # noqa: S608
    return dict(zip(_TRANSACTION, row, strict=True)) if row else None


def recent(db: Database, number: int) -> list[dict[str, Any]]:
    """So many of the last transactions, the newest first: number, timestamp, operation_type, origin."""
    names = ("number", "timestamp", "operation_type", "origin")
    rows = db.rows(
        "SELECT id, timestamp, operation_type, origin FROM transaction_log ORDER BY id DESC LIMIT ?", (number,)
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def document_count(db: Database) -> int:
    """How many documents there are."""
    return int(db.value("SELECT count(*) FROM documents"))


def stats(db: Database) -> dict[str, tuple[int, int, int, int]]:
    """What stat said of each document when both sides last agreed: size, mtime, ctime (ns), inode."""
    rows = db.rows("SELECT path, size, mtime_ns, ctime_ns, inode FROM documents")
    return {path: (size, mtime, ctime, inode) for path, size, mtime, ctime, inode in rows}


def record_counts(db: Database) -> dict[str, int]:
    """How many rows each table of records has."""
    sums = ", ".join(f"(SELECT count(*) FROM {table})" for table in RECORD_COLUMNS)  # noqa: S608
    row = db.row(f"SELECT {sums}")
    assert row is not None
    return dict(zip(RECORD_COLUMNS, row, strict=True))


def kind_counts(db: Database) -> dict[str, int]:
    """How many documents there are of each kind."""
    return dict(db.rows("SELECT kind, count(*) FROM documents GROUP BY kind ORDER BY count(*) DESC, kind"))


def open_conflicts(db: Database) -> int:
    """How many conflicts nobody has settled."""
    return int(db.value("SELECT count(*) FROM conflicts WHERE resolved_at IS NULL"))


def held(db: Database) -> list[str]:
    """The documents of the open holds, one for each hold."""
    return [path for (path,) in db.rows("SELECT path FROM holds WHERE state = 'open' ORDER BY id")]


def is_quiet(db: Database) -> bool:
    """Whether nothing waits: for the files, for a person, or for its turn."""
    return not db.value(
        """SELECT EXISTS (SELECT 1 FROM row_changes WHERE "transaction" IS NULL) OR EXISTS (SELECT 1 FROM outbox)
        OR EXISTS (SELECT 1 FROM conflicts WHERE resolved_at IS NULL) OR EXISTS (SELECT 1 FROM follows)
        OR EXISTS (SELECT 1 FROM holds WHERE state = 'open' OR state = 'accepted' AND settled_at IS NULL)"""
    )


def pending_rows(db: Database) -> int:
    """How many rows were changed by other programs and have not reached the files yet."""
    return int(
        db.value("""SELECT count(*) FROM (SELECT DISTINCT "table", key FROM row_changes WHERE "transaction" IS NULL)""")
    )


def unwritten(db: Database) -> list[str]:
    """Documents whose new text is in the database and not in the file yet."""
    return [path for (path,) in db.rows("SELECT path FROM outbox ORDER BY path")]


def refused(db: Database) -> dict[str, str]:
    """Those of `unwritten` that the system refused to write at the last try, with the reason."""
    text = named(db, REFUSED)
    if text is None:
        return {}
    noted: dict[str, str] = jsontext.loads(text)
    return {path: noted[path] for path in unwritten(db) if path in noted}


REFUSED = "unwritten"
"""The name of a single value: paths and reasons as JSON."""


def dangling_dependencies(db: Database) -> list[tuple[str, str]]:
    """Dependencies on tasks that the bank does not have."""
    rows = db.rows(
        """SELECT task_id, depends_on FROM task_dependencies WHERE depends_on NOT IN (SELECT id FROM tasks)
        ORDER BY task_id, depends_on"""
    )
    return [(task, need) for task, need in rows]


def unsealed(db: Database) -> set[tuple[str, str]]:
    """Table and key of the rows that other programs changed and that no transaction has yet."""
    return set(db.rows("""SELECT "table", key FROM row_changes WHERE "transaction" IS NULL"""))


def follows(db: Database) -> set[tuple[str, str, str]]:
    """Table, key and field of what was edited in one place and is to be written to the others."""
    return set(db.rows("""SELECT "table", key, field FROM follows"""))


def noted_drift(db: Database) -> int | None:
    """What `note_drift` noted, None where there were transactions since."""
    noted = (named(db, "drift") or "").split()
    return int(noted[1]) if noted and noted[0] == _last_number(db) else None


class Noted(Struct, frozen=True):
    """What `note_drift` noted: the fields of tasks, as key and name, that places differ in, and their text in the
    database. ``fields`` is None where there were transactions since. Those that will follow are among them.
    ``refused`` is the text of what `note_unshown` noted."""

    fields: set[tuple[str, str]] | None
    text: str | None
    refused: str | None = None

    def unshown(self) -> set[tuple[str, str]]:
        """What `note_unshown` noted."""
        return {(table, key) for table, key in jsontext.loads(self.refused or "[]")}


def drift_noted(db: Database) -> Noted:
    """The fields that were noted, and as what."""
    last, count, text, refused = db.rows(
        """SELECT (SELECT max(id) FROM transaction_log), (SELECT value FROM state WHERE name = 'drift'),
        (SELECT value FROM state WHERE name = 'drift_fields'), (SELECT value FROM state WHERE name = 'unshown')"""
    )[0]
    if last is None:
        return Noted(set(), text, refused)
    if text is None or (count or "").split()[:1] != [str(last)]:
        return Noted(None, text, refused)
    return Noted({(key, name) for key, name in jsontext.loads(text)}, text, refused)


def noted_fields(db: Database) -> set[tuple[str, str]] | None:
    """The fields of `drift_noted`."""
    return drift_noted(db).fields


def note_drift(
    db: Database, fields: Collection[tuple[str, str]], number: int | None = None, noted: str | None = None
) -> None:
    """Note that as of the last transaction these fields differ, as key and name.

    ``number`` is that transaction's and ``noted`` the text that the database has of the fields, where they are known.
    """
    following = {(key, name) for table, key, name in follows(db) if table == "tasks"} if fields else set()
    told = jsontext.dumps(sorted(fields))
    values = [("drift", f"{_last_number(db) if number is None else number} {len(set(fields) - following)}")]
    if told != (noted if noted is not None else named(db, "drift_fields")):
        values.append(("drift_fields", told))
    db.run_many("INSERT OR REPLACE INTO state(name, value) VALUES (?, ?)", values)


def noted_unshown(db: Database) -> set[tuple[str, str]]:
    """The records, as table and key, that no document shows as their rows are, or that have text and no row."""
    return drift_noted(db).unshown()


def note_unshown(db: Database, records: Collection[tuple[str, str]], noted: Noted) -> None:
    """Note that as of the last transaction it is these; ``noted`` is what the database has."""
    told = jsontext.dumps(sorted(records))
    if told != (noted.refused or "[]"):
        db.run("INSERT OR REPLACE INTO state(name, value) VALUES ('unshown', ?)", (told,))


def _last_number(db: Database) -> str:
    return str(db.value("SELECT max(id) FROM transaction_log"))
