"""Transactions and the changes of rows in them.

Triggers write the changes; here they are read, sealed into a transaction, and folded into net changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from schema import deltas, jsontext, store
from schema.columns import RECORD_COLUMNS
from schema.db import Database
from schema.errors import UnknownTransaction
from schema.patterns import pattern
from schema.records import Action, Value

_LONG = 1500
"""Characters of JSON from which on a change is stored compressed, its ``before`` as a delta of its ``after``."""

HISTORY_BEGINS = "history_begins"
"""The name of the state that holds the first transaction's number, where what came before it was folded into it."""

Values = Mapping[str, Value]


class RowChange(Struct, frozen=True):
    """One change of one row. ``transaction`` is None while a change by another client is not sealed.

    ``before`` and ``after`` hold whole rows for a deletion and an insertion, only what changed for an update.
    ``table`` may also be ``sections``: prose that another client edited (columns ``document_id, position, text``).
    """

    id: int
    transaction: int | None
    table: str
    key: str
    operation: Action
    before: Values | None
    after: Values | None


class Net(Struct, frozen=True):
    """What several changes of one row come to. An update holds only what differs."""

    operation: Action
    before: Values | None
    after: Values | None


class Open(Struct, frozen=True):
    """A transaction that has begun: its number and its public id."""

    number: int
    transaction_id: str


class Transaction(Struct, frozen=True):
    """A row of ``transaction_log``. ``timestamp`` is UTC in ISO 8601, ``note`` what it was made for, in words."""

    number: int
    transaction_id: str
    timestamp: str
    operation_type: str
    origin: str
    affected_tables: str | None
    row_count: int | None
    status: str | None
    error_message: str | None
    duration_ms: float | None
    note: str | None


_LOG = """SELECT id, transaction_id, timestamp, operation_type, origin, affected_tables, row_count, status,
error_message, duration_ms, note FROM transaction_log"""
_CHANGES = 'SELECT id, "transaction", "table", key, operation, before, after FROM row_changes'


def begin_transaction(
    db: Database, operation_type: str, origin: str, now: datetime | None = None, note: str | None = None
) -> Open:
    """Begin a transaction of ours: from here on, changes of rows belong to it. Call inside `Database.atomic`.

    ``now`` defaults to the system's time. Public ids never go backwards, whatever the clock does.
    """
    assert db.in_transaction, "others would see the open transaction and journal their rows into it"
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    last = db.value("SELECT transaction_id FROM transaction_log ORDER BY id DESC LIMIT 1")
    transaction_id = new_id(moment, last or "")
    number = db.insert(
        """INSERT INTO transaction_log(transaction_id, timestamp, operation_type, origin, status, note)
        VALUES (?, ?, ?, ?, 'open', ?)""",
        (transaction_id, moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), operation_type, origin, note),
    )
    db.run(
        "INSERT INTO state(name, value) VALUES ('open_transaction', ?1) ON CONFLICT(name) DO UPDATE SET value = ?1",
        (number,),
    )
    return Open(number, transaction_id)


_ID = pattern(r"\d{8}-\d{6}\.\d{3}-[0-9a-f]+")


def new_id(moment: datetime, last: str = "") -> str:
    """A public transaction id such as ``20251113-174800.123-9f3a``, sorted behind ``last``."""
    stamp = f"{moment:%Y%m%d-%H%M%S}.{moment.microsecond // 1000:03}"
    return f"{max(stamp, last[: len(stamp)])}-{os.urandom(3).hex()}"


def finish(
    db: Database,
    transaction: Open,
    tables: Iterable[str],
    row_count: int,
    duration_ms: float,
    status: str = "completed",
    error_message: str | None = None,
) -> None:
    """Note what the transaction did. Changes of rows from here on are not its own."""
    _close(db)
    db.run(
        """UPDATE transaction_log SET affected_tables = ?, row_count = ?, duration_ms = ?, status = ?, error_message = ?
        WHERE id = ?""",
        (", ".join(sorted(set(tables))), row_count, round(duration_ms, 3), status, error_message, transaction.number),
    )
    _shrink(db, transaction.number)


def drop_transaction(db: Database, transaction: Open) -> None:
    """Leave no trace of a transaction that had nothing to do."""
    _close(db)
    db.run("DELETE FROM transaction_log WHERE id = ?", (transaction.number,))
    db.run("UPDATE sqlite_sequence SET seq = ? WHERE name = 'transaction_log'", (transaction.number - 1,))


def _close(db: Database) -> None:
    db.run("DELETE FROM state WHERE name = 'open_transaction'")


def pending(db: Database) -> list[RowChange]:
    """Changes by other clients that no transaction has yet, in the order in which they were made."""
    return [_change(row) for row in db.rows(f'{_CHANGES} WHERE "transaction" IS NULL ORDER BY id')]


def has_pending(db: Database) -> bool:
    """Whether `pending` has anything."""
    return bool(db.value('SELECT EXISTS (SELECT 1 FROM row_changes WHERE "transaction" IS NULL)'))


def sections_before(db: Database) -> dict[int, str]:
    """What sections with `pending` edits held before the first of them, by id; nothing where they are new."""
    found: dict[int, str] = {}
    for key, before in db.rows(
        """SELECT key, json_extract(before, '$.text') FROM row_changes WHERE "transaction" IS NULL
        AND "table" = 'sections' ORDER BY id"""
    ):
        found.setdefault(int(key), before or "")
    return found


def edited_documents(db: Database) -> set[str]:
    """Paths of the documents of which other clients edited sections, and no transaction has it yet."""
    return {
        path
        for (path,) in db.rows(
            """SELECT DISTINCT d.path FROM row_changes AS c JOIN sections AS s ON s.id = CAST(c.key AS INTEGER)
            JOIN documents AS d ON d.id = s.document_id WHERE c."transaction" IS NULL AND c."table" = 'sections'"""
        )
    }


def seal(db: Database, transaction: int, upto: int) -> int:
    """Make the pending changes up to id ``upto`` part of a transaction; how many there were."""
    count = db.run(
        'UPDATE row_changes SET "transaction" = ? WHERE "transaction" IS NULL AND id <= ?', (transaction, upto)
    )
    db.run("DELETE FROM replaced")
    return count


def _shrink(db: Database, transaction: int) -> None:
    """Long texts are kept compressed, and what was before as its difference from what came after.

    What an insertion put there is in the row itself and in the changes behind it: it is not kept twice.
    """
    rows = db.rows(
        """SELECT id, operation, before, after FROM row_changes WHERE "transaction" = ?1 AND
        (operation = 'insert' AND after IS NOT NULL OR coalesce(length(before), 0) + coalesce(length(after), 0) > ?2
        AND typeof(coalesce(before, after)) = 'text')""",
        (transaction, _LONG),
    )
    packed: list[tuple[bytes | None, bytes | None, int]] = []
    for number, operation, before, after in rows:
        if operation == Action.INSERT:
            packed.append((None, None, number))
            continue
        base = (after or "").encode()
        packed.append((
            None if before is None else deltas.encode(before.encode(), base),
            None if after is None else deltas.encode(base, b""),
            number,
        ))  # fmt: skip
    db.run_many("UPDATE row_changes SET before = ?, after = ? WHERE id = ?", packed)


def _change(row: tuple[Any, ...]) -> RowChange:
    number, transaction, table, key, operation, before, after = row
    if isinstance(after, bytes):
        after = deltas.decode(after, b"").decode()
    if isinstance(before, bytes):
        before = deltas.decode(before, (after or "").encode()).decode()
    return RowChange(number, transaction, table, key, Action(operation), _values(before), _values(after))


def _values(text: str | None) -> Values | None:
    if text is None:
        return None
    values = jsontext.loads(text)
    return {name: None if value is None else str(value) for name, value in values.items()}


def coalesce(changes: Iterable[RowChange]) -> dict[tuple[str, str], Net]:
    """The net change of each row, by table and key. Rows that end as they began are left out. Pure."""
    found: dict[tuple[str, str], Net | None] = {}
    for change in changes:
        key = (change.table, change.key)
        earlier = found.get(key)
        found[key] = _follow(earlier, change) if earlier else Net(change.operation, change.before, change.after)
    return {key: net for key, net in found.items() if net is not None}


def _follow(earlier: Net, change: RowChange) -> Net | None:
    """``earlier`` with one more change of the same row behind it."""
    before = {**(change.before or {}), **(earlier.before or {})}
    after = {**(earlier.after or {}), **(change.after or {})}
    existed = earlier.operation is not Action.INSERT
    if change.operation is Action.DELETE:
        return Net(Action.DELETE, before, None) if existed else None
    if not existed:
        return Net(Action.INSERT, None, after)
    differing = [name for name in after if before.get(name) != after[name]]
    if not differing:
        return None
    return Net(Action.UPDATE, {n: before.get(n) for n in differing}, {n: after[n] for n in differing})


def latest(db: Database) -> Transaction | None:
    """The last transaction, None in a new database."""
    row = db.row(f"{_LOG} ORDER BY id DESC LIMIT 1")
    return Transaction(*row) if row else None


def transactions(
    db: Database,
    limit: int | None = None,
    path: str | None = None,
    record: tuple[str, str] | None = None,
    *,
    origin: str | None = None,
    since: str | None = None,
    after: int | None = None,
) -> list[Transaction]:
    """Transactions, newest first: all, those that changed the document at ``path``, those that changed a record.

    ``origin`` is one of the origins of a transaction (``file`` also finds ``file+mb``), ``since`` a moment in UTC as
    ``timestamp`` has it, ``after`` the number of the last one that is not wanted.
    """
    terms: list[str] = []
    params: list[str | int] = []
    if origin is not None:
        terms.append("instr('+' || origin || '+', '+' || ? || '+')")
        params.append(origin)
    if since is not None:
        terms.append("timestamp >= ?")
        params.append(since)
    if after is not None:
        terms.append("id > ?")
        params.append(after)
    if path is not None:
        terms.append('id IN (SELECT "transaction" FROM versions WHERE path = ?)')
        params.append(path)
    if record is not None:
        terms.append('id IN (SELECT "transaction" FROM row_changes WHERE "table" = ? AND key = ?)')
        params += [str(record[0]), record[1]]
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    rows = db.rows(f"{_LOG}{where} ORDER BY id DESC LIMIT ?", (*params, -1 if limit is None else limit))
    return [Transaction(*row) for row in rows]


def transaction(db: Database, number: int) -> Transaction:
    """The transaction with this number. Raises `UnknownTransaction`."""
    row = db.row(f"{_LOG} WHERE id = ?", (number,))
    if row is None:
        raise _unknown(str(number))
    return Transaction(*row)


def resolve_transaction(db: Database, text: str) -> int:
    """The number of the transaction that ``text`` names: its number or its transaction_id.

    Raises `UnknownTransaction`.
    """
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
    found = db.value("SELECT id FROM transaction_log WHERE transaction_id = ?1 OR id = ?2", (text, number))
    if found is None:
        _require_kept(db, text, number)
        raise _unknown(text)
    return int(found)


def begins(db: Database) -> int | None:
    """The first transaction's number, where what came before it was folded into it; None where nothing was."""
    value = db.value("SELECT value FROM state WHERE name = ?", (HISTORY_BEGINS,))
    return None if value is None else int(value)


def _require_kept(db: Database, text: str, number: int | None) -> None:
    """Raises `UnknownTransaction` for one that was there and is folded now."""
    first = begins(db)
    if first is None:
        return
    known = transaction(db, first)
    older = number < first if number is not None else _ID.fullmatch(text) and text < known.transaction_id
    if older:
        what = f"this transaction was folded: history begins with {first} ({known.timestamp[:19]}Z)"
        raise UnknownTransaction(what, text, "a backup made before `syncd prune` has it")


def _unknown(name: str) -> UnknownTransaction:
    return UnknownTransaction("there is no such transaction", name, "syncd log shows them")


def changes_of(db: Database, transaction: int) -> list[RowChange]:
    """What a transaction did to rows, in order."""
    changes = [_change(row) for row in db.rows(f'{_CHANGES} WHERE "transaction" = ? ORDER BY id', (transaction,))]
    return [_with_row(db, change) for change in changes]


def counts_of(db: Database, transaction: int) -> dict[tuple[str, Action], int]:
    """How many records of each table a transaction inserted, updated and deleted."""
    rows = db.rows(
        """SELECT "table", operation, count(DISTINCT key) FROM row_changes WHERE "transaction" = ? GROUP BY 1, 2""",
        (transaction,),
    )
    return {(table, Action(operation)): count for table, operation, count in rows}


def changes_of_record(db: Database, table: str, key: str) -> list[RowChange]:
    """All changes of one record, in order."""
    changes = [_change(row) for row in db.rows(f'{_CHANGES} WHERE "table" = ? AND key = ? ORDER BY id', (table, key))]
    values = _stored(db, table, key) if any(_is_bare(change) for change in changes) else None
    found = []
    for change in reversed(changes):
        found.append(replace(change, after=values) if _is_bare(change) else change)
        values = before(change, values)
    return found[::-1]


def before(change: RowChange, values: Values | None) -> Values | None:
    """A row as it was before ``change``, which left it with ``values``."""
    match change.operation:
        case Action.INSERT:
            return None
        case Action.DELETE:
            return dict(change.before or {})
    return {**(values or {}), **(change.before or {})}


def _is_bare(change: RowChange) -> bool:
    """Whether it is an insertion whose row has to be made out."""
    return change.operation is Action.INSERT and change.after is None


def _with_row(db: Database, change: RowChange) -> RowChange:
    if not _is_bare(change):
        return change
    later = db.rows(
        f'{_CHANGES} WHERE "table" = ? AND key = ? AND id > ? ORDER BY id DESC', (change.table, change.key, change.id)
    )
    values = _stored(db, change.table, change.key)
    for row in later:
        values = before(_change(row), values)
    return replace(change, after=values)


def _stored(db: Database, table: str, key: str) -> Values | None:
    """The columns of a row as the journal has them; None where there is none."""
    values = store.fetch(db, table, key) if table in RECORD_COLUMNS else None
    return None if values is None else {name: values[name] for name in RECORD_COLUMNS[table]}
