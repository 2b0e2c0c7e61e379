"""Old history folded into one state: the transactions up to one become that one, with the documents as they stood.

What came behind it stays exact: versions hold reverse deltas, so each state is reached from the newest text.
"""

from __future__ import annotations

from msgspec import Struct

from schema import store
from schema.db import Database
from schema.journal import HISTORY_BEGINS


class Folded(Struct, frozen=True):
    """How much there is up to a transaction: transactions, versions of documents, changes of rows, their bytes."""

    transactions: int
    versions: int
    changes: int
    size: int


def last_before(db: Database, moment: str) -> int | None:
    """The last transaction behind which none is older than ``moment`` (UTC, as the log has it).

    None where there is at most one such transaction: nothing could be folded.
    """
    first, last = db.rows("SELECT min(id), max(id) FROM transaction_log")[0]
    kept = db.value("SELECT min(id) FROM transaction_log WHERE timestamp >= ?", (moment,))
    number = last if kept is None else int(kept) - 1
    if first is None or number is None:
        return None
    number = db.value("SELECT max(id) FROM transaction_log WHERE id <= ?", (number,))
    return int(number) if number is not None and number > first else None


def measure(db: Database, number: int) -> Folded:
    """What folding up to ``number`` would take away."""
    transactions = db.value("SELECT count(*) FROM transaction_log WHERE id < ?", (number,))
    versions, texts = db.rows(
        'SELECT count(*), coalesce(sum(length(before)), 0) FROM versions WHERE "transaction" <= ?', (number,)
    )[0]
    changes, rows = db.rows(
        """SELECT count(*), coalesce(sum(coalesce(length(before), 0) + coalesce(length(after), 0)), 0)
        FROM row_changes WHERE "transaction" <= ?""",
        (number,),
    )[0]
    return Folded(int(transactions), int(versions), int(changes), int(texts) + int(rows))


def fold(db: Database, number: int) -> None:
    """Make ``number`` the first transaction: what it left is the first state that is known.

    Conflicts and holds that are open stay; those that were settled by then go.
    """
    with db.atomic():
        moment = str(db.value("SELECT timestamp FROM transaction_log WHERE id = ?", (number,)))
        newest = 'SELECT max(id) FROM versions WHERE "transaction" <= ?1 GROUP BY path'
        db.run(
            f"""DELETE FROM versions WHERE "transaction" <= ?1 AND (deleted OR id NOT IN ({newest}))""",  # noqa: S608
            (number,),
        )
        db.run(
            'UPDATE versions SET "transaction" = ?1, before = NULL, emitted = 0 WHERE "transaction" <= ?1', (number,)
        )
        db.run('DELETE FROM row_changes WHERE "transaction" <= ?', (number,))
        db.run("DELETE FROM transaction_log WHERE id < ?", (number,))
        db.run(
            """UPDATE transaction_log SET operation_type = 'fold', origin = 'syncd', affected_tables = NULL,
            row_count = NULL, error_message = NULL, duration_ms = NULL, note = NULL WHERE id = ?""",
            (number,),
        )
        for table, settled in (("conflicts", "resolved_at"), ("holds", "settled_at"), ("requests", "answered_at")):
            db.run(f"DELETE FROM {table} WHERE {settled} < ?", (moment,))  # noqa: S608
        store.state_set(db, HISTORY_BEGINS, number)


def file_size(db: Database) -> int:
    """Bytes of the database's file, without its write-ahead log."""
    return int(db.value("PRAGMA page_count")) * int(db.value("PRAGMA page_size"))


def shrink(db: Database) -> None:
    """Give the space that is free back to the disk."""
    db.run("VACUUM")
    db.checkpoint(truncate=True)
