"""Rows as the daemon reads and writes them: documents with their sections, records, and single values.

Texts of sections are str here. A document that is not UTF-8 has its odd bytes as lone surrogates (``surrogateescape``)
and is stored as bytes. Values of records are text, also where a column counts.
"""

# ruff: noqa: S608 - the names in these statements are those of our own tables

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from msgspec import Struct
from msgspec.structs import astuple

from schema.columns import RECORD_COLUMNS
from schema.db import Database, Sql
from schema.patterns import pattern
from schema.records import Value
from schema.sections import NewSection, ReadingRow, SectionRow, replace_sections, text_of

__all__ = [
    "DocumentRow", "NewSection", "ReadingRow", "SectionRow", "delete_record", "document", "documents", "drop_document",
    "fetch", "fetch_all", "insert_record", "load_sections", "readings_of", "replace_sections", "save_document",
    "state_get", "state_set", "timestamp_of", "touch_document", "update_record", "write_document", "write_row",
    "write_rows",
]  # fmt: skip


class DocumentRow(Struct, frozen=True):
    """The base of one document: what its file was when both sides last agreed.

    ``hash`` is the hexadecimal blake2b-16 of its bytes; times are in nanoseconds; ``problem`` says
    why it is left alone.
    """

    id: int
    path: str
    kind: str
    hash: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    transaction: int | None
    problem: str | None


class Where(Struct, frozen=True):
    """A place that shows a record."""

    path: str
    section_id: int
    ordinal: int
    role: str


_DOCUMENT = 'SELECT id, path, kind, hash, size, mtime_ns, ctime_ns, inode, "transaction", problem FROM documents'


def documents(db: Database) -> dict[str, DocumentRow]:
    """All documents, by path, in the order of their paths."""
    return {row[1]: DocumentRow(*row) for row in db.rows(f"{_DOCUMENT} ORDER BY path")}


def document(db: Database, path: str) -> DocumentRow | None:
    """The document at ``path``, None where the database has none."""
    row = db.row(f"{_DOCUMENT} WHERE path = ?", (path,))
    return DocumentRow(*row) if row else None


def write_document(db: Database, row: DocumentRow) -> None:
    """Make the document with this row's id be what the row says. Its path stays."""
    db.run(
        """UPDATE documents SET kind = ?, hash = ?, size = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, "transaction" = ?,
        problem = ? WHERE id = ?""",
        (*astuple(row)[2:], row.id),
    )


def save_document(
    db: Database,
    path: str,
    *,
    kind: str,
    hash: str,  # noqa: A002
    size: int,
    mtime_ns: int,
    ctime_ns: int,
    inode: int,
    transaction: int | None,
    problem: str | None = None,
) -> int:
    """Insert the document at ``path`` or update it; its id."""
    return int(
        db.value(
            """INSERT INTO documents(path, kind, hash, size, mtime_ns, ctime_ns, inode, "transaction", problem)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(path) DO UPDATE SET kind = excluded.kind,
            hash = excluded.hash, size = excluded.size, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns,
            inode = excluded.inode, "transaction" = excluded."transaction", problem = excluded.problem RETURNING id""",
            (path, kind, hash, size, mtime_ns, ctime_ns, inode, transaction, problem),
        )
    )


def touch_document(db: Database, document_id: int, *, size: int, mtime_ns: int, ctime_ns: int, inode: int) -> None:
    """Remember what stat says of a file whose content is the same."""
    db.run(
        "UPDATE documents SET size = ?, mtime_ns = ?, ctime_ns = ?, inode = ? WHERE id = ?",
        (size, mtime_ns, ctime_ns, inode, document_id),
    )


def drop_document(db: Database, path: str) -> None:
    """Remove a document with its sections and readings. Its versions stay."""
    db.run("DELETE FROM documents WHERE path = ?", (path,))


def load_sections(db: Database, document_id: int) -> list[SectionRow]:
    """The sections of a document in order, each with its readings."""
    found = db.rows(
        """SELECT r.section_id, r."table", r.key, r.role FROM sections AS s JOIN readings AS r ON r.section_id = s.id
        WHERE s.document_id = ? ORDER BY r.section_id, r.ordinal""",
        (document_id,),
    )
    readings = {section: tuple(ReadingRow(*r[1:]) for r in rows) for section, rows in groupby(found, itemgetter(0))}
    rows = db.rows("SELECT id, position, text FROM sections WHERE document_id = ? ORDER BY position", (document_id,))
    return [SectionRow(n, position, text_of(text), readings.get(n, ())) for n, position, text in rows]


def readings_of(db: Database, table: str, key: str) -> list[Where]:
    """All places that show the record ``key`` of ``table``, by path and in the order of the text."""
    rows = db.rows(
        """SELECT d.path, r.section_id, r.ordinal, r.role FROM readings AS r JOIN sections AS s ON s.id = r.section_id
        JOIN documents AS d ON d.id = s.document_id WHERE r."table" = ? AND r.key = ?
        ORDER BY d.path, s.position, r.ordinal""",
        (str(table), key),
    )
    return [Where(*row) for row in rows]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def fetch(db: Database, table: str, key: str) -> dict[str, Value] | None:
    """All columns of a record; of a task also ``dependencies``, sorted. None where there is no such row."""
    columns = RECORD_COLUMNS[table]
    where, params = _is(table, key)
    row = db.row(f"SELECT {', '.join(columns)} FROM {table} WHERE {where}", params)
    if row is None:
        return None
    values: dict[str, Value] = dict(zip(columns, map(_text, row), strict=True))
    if table == "tasks":
        values["dependencies"] = _dependencies(db, key)
    return values


def fetch_all(db: Database, table: str) -> dict[str, dict[str, Value]]:
    """All records of a table, by key, in the order of their keys."""
    columns = RECORD_COLUMNS[table]
    result: dict[str, dict[str, Value]] = {}
    for row in db.rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1, 2"):
        key = ">".join(row) if table == "task_dependencies" else str(row[0])
        result[key] = dict(zip(columns, map(_text, row), strict=True))
    if table == "tasks":
        pairs = db.rows("SELECT task_id, depends_on FROM task_dependencies ORDER BY task_id, depends_on")
        needs = {task: tuple(need for _, need in rows) for task, rows in groupby(pairs, itemgetter(0))}
        for key, values in result.items():
            values["dependencies"] = needs.get(key, ())
    return result


def _dependencies(db: Database, task: str) -> tuple[str, ...]:
    rows = db.rows("SELECT depends_on FROM task_dependencies WHERE task_id = ? ORDER BY depends_on", (task,))
    return tuple(need for (need,) in rows)


def insert_record(db: Database, table: str, values: Mapping[str, Value]) -> str:
    """Insert a record; its key. Columns that are not named get their defaults. Raises `RowRefused`."""
    plain, needs = _split(table, values)
    if table == "edit_entries" and plain.get("timestamp") is None:
        plain["timestamp"] = timestamp_of(*(_text(plain.get(c)) for c in ("date", "time", "timezone")))
    columns = f"({', '.join(plain)}) VALUES ({', '.join('?' * len(plain))})" if plain else " DEFAULT VALUES"
    number = db.insert(f"INSERT INTO {table}{columns}", tuple(plain.values()))
    if table == "task_dependencies":
        return ">".join(str(values[column]) for column in RECORD_COLUMNS[table])
    key = str(plain["id"]) if table == "tasks" else str(number)
    if needs is not None:
        _set_dependencies(db, key, needs)
    return key


def update_record(db: Database, table: str, key: str, values: Mapping[str, Value]) -> None:
    """Give columns of a record new values. Raises `RowRefused`; `KeyError` where there is no such row."""
    plain, needs = _split(table, values)
    if table == "edit_entries" and "timestamp" not in plain and plain.keys() & {"date", "time", "timezone"}:
        now = fetch(db, table, key)
        if now is None:
            raise KeyError(f"{table}:{key}")
        moment = {**now, **plain}
        plain["timestamp"] = timestamp_of(*(_text(moment[c]) for c in ("date", "time", "timezone")))
    if plain:
        assignments = ", ".join(f"{name} = ?" for name in plain)
        where, params = _is(table, key)
        if not db.run(f"UPDATE {table} SET {assignments} WHERE {where}", (*plain.values(), *params)):
            raise KeyError(f"{table}:{key}")
    if needs is not None:
        _set_dependencies(db, key, needs)


def delete_record(db: Database, table: str, key: str) -> None:
    """Delete a record and what belongs to it. No error where there is none."""
    if table not in RECORD_COLUMNS:
        raise KeyError(table)
    where, params = _is(table, key)
    db.run(f"DELETE FROM {table} WHERE {where}", params)


def write_row(db: Database, table: str, key: str, values: Mapping[str, Value] | None) -> None:
    """Make a row be exactly ``values``, all its columns; None: there is none. Nothing is computed.

    Raises `RowRefused`.
    """
    if values is None:
        delete_record(db, table, key)
        return
    where, params = _is(table, key)
    wanted = {name: value for name in RECORD_COLUMNS[table] if not isinstance(value := values.get(name), tuple)}
    now = fetch(db, table, key)
    if now is None:
        columns = f"({', '.join(wanted)}) VALUES ({', '.join('?' * len(wanted))})"
        db.run(f"INSERT INTO {table}{columns}", tuple(wanted.values()))
        return
    changed = {name: value for name, value in wanted.items() if now[name] != value}
    if changed:
        assignments = ", ".join(f"{name} = ?" for name in changed)
        db.run(f"UPDATE {table} SET {assignments} WHERE {where}", (*changed.values(), *params))


def write_rows(db: Database, rows: Mapping[tuple[str, str], Mapping[str, Value] | None]) -> None:
    """`write_row` for several, by table and key: what belongs to a row goes before it and comes behind it."""
    order = list(RECORD_COLUMNS)  # owners stand before what belongs to them
    ranked = sorted(rows.items(), key=lambda item: order.index(item[0][0]))
    for (table, key), values in reversed(ranked):
        if values is None:
            write_row(db, table, key, None)
    for (table, key), values in ranked:
        if values is not None:
            write_row(db, table, key, values)


def _is(table: str, key: str) -> tuple[str, tuple[str, ...]]:
    """SQL that finds the row with this key. That of a dependency is both its ids, as the journal writes it."""
    if table == "task_dependencies":
        task, _, needed = key.partition(">")
        return "task_id = ? AND depends_on = ?", (task, needed)
    return "id = ?", (key,)


def _split(table: str, values: Mapping[str, Value]) -> tuple[dict[str, Sql], tuple[str, ...] | None]:
    """Columns of the table itself, and the dependencies where they are among the values."""
    plain: dict[str, Sql] = {}
    needs: tuple[str, ...] | None = None
    for name, value in values.items():
        if table == "tasks" and name == "dependencies":
            needs = value if isinstance(value, tuple) else ((value,) if value else ())
        elif name not in RECORD_COLUMNS[table] or isinstance(value, tuple):
            raise KeyError(f"{table} has no column {name} that holds {value!r}")
        else:
            plain[name] = value
    return plain, needs


def _set_dependencies(db: Database, task: str, needs: Iterable[str]) -> None:
    wanted, have = set(needs), set(_dependencies(db, task))
    db.run_many(
        "DELETE FROM task_dependencies WHERE task_id = ? AND depends_on = ?", [(task, n) for n in sorted(have - wanted)]
    )
    db.run_many(
        "INSERT INTO task_dependencies(task_id, depends_on) VALUES (?, ?)", [(task, n) for n in sorted(wanted - have)]
    )


_OFFSETS = {"IST": "+05:30", "UTC": "Z", "GMT": "Z", "Z": "Z"}
_OFFSET = pattern(r"(?:UTC|GMT)?([+-]\d{2}):?(\d{2})")


def timestamp_of(date: str | None, time: str | None, zone: str | None) -> str | None:
    """ISO 8601 of an entry's date and time, None where one of them is missing.

    A zone that cannot be resolved gives a time without an offset.
    """
    if not date or not time:
        return None
    offset = _OFFSETS.get(zone or "", "")
    if zone and not offset and (match := _OFFSET.fullmatch(zone)):
        offset = f"{match[1]}:{match[2]}"
    return f"{date}T{time}{offset}"


def state_get(db: Database, name: str) -> str | None:
    """A single value by its name."""
    return _text(db.value("SELECT value FROM state WHERE name = ?", (name,)))


def state_set(db: Database, name: str, value: Sequence[str] | str | int | None) -> None:
    """Set a single value; None removes it."""
    if value is None:
        db.run("DELETE FROM state WHERE name = ?", (name,))
    else:
        db.run(
            "INSERT INTO state(name, value) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
            (name, value if isinstance(value, int) else str(value)),
        )
