"""What waits for a person, as the database keeps it: holds and conflicts; and what waits for quiet: follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from schema.db import Database
from schema.records import Table, Value
from syncd.disk.scan import Scan
from syncd.model import Clash, Side
from syncd.plan.decide import Hold
from syncd.plan.gather import TABLE_NAMES, RecordId

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


class Standing(Struct, frozen=True):
    """The holds that count for a converge; mostly there are none. Only who has the bank's lock changes them.

    ``accepted`` got their yes and were not absorbed yet, as ``(path, kind, hash)``; ``flipping`` are documents that
    another program rewrites again and again, with the sentence; ``open`` are ``(id, path, kind, hash)`` of those of
    documents that wait.
    """

    accepted: frozenset[tuple[str, str, str | None]]
    flipping: dict[str, str]
    open: Sequence[tuple[int, str, str, str | None]]


def standing(db: Database) -> Standing:
    """What the database has of them now."""
    rows = db.rows(
        """SELECT id, path, kind, hash, reason, state FROM holds
        WHERE state = 'open' OR state = 'accepted' AND settled_at IS NULL"""
    )
    opened = [row for row in rows if row[5] == "open"]
    return Standing(
        frozenset((path, kind, digest) for _, path, kind, digest, _, state in rows if state == "accepted"),
        {path: reason for _, path, kind, _, reason, _ in opened if kind == "flips"},
        [row[:4] for row in opened if row[2] != "database"],
    )


def follows(db: Database) -> frozenset[tuple[RecordId, str]]:
    """Fields that a manual edit changed in one place while other current readings still wait."""
    rows = db.rows('SELECT "table", key, field FROM follows')
    return frozenset(((Table(table), key), name) for table, key, name in rows)


def note(
    db: Database, known: Sequence[tuple[int, str, str, str | None]], held: Sequence[Hold], found: Scan, now: datetime
) -> None:
    """Bring the open holds, which are ``known`` (`Standing.open`), to what is held now. Writes only what differs."""
    wanted = {(h.path, h.kind, h.hash): h for h in held}
    rows: list[tuple[int, str, str, str | None]] = []
    for number, path, kind, digest in known:
        # A program that goes on rewriting a held document is still the same case.
        again = next((h for h in held if kind == "flips" and (h.path, h.kind) == (path, kind)), None)
        if again is not None and again.hash != digest:
            db.run("UPDATE holds SET hash = ? WHERE id = ?", (again.hash, number))
        rows.append((number, path, kind, again.hash if again is not None else digest))
    present = {(path, kind, digest) for _, path, kind, digest in rows}
    gone = [number for number, *key in rows if tuple(key) not in wanted and _looked_at(found, str(key[0]))]
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


def note_clashes(
    db: Database, clashes: Sequence[Clash], names: Mapping[RecordId, str], number: int, now: datetime
) -> None:
    """Keep the clashes of a transaction as conflicts. ``names`` gives the keys that new records got."""
    created = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    for c in _news(db, clashes, created):
        key = names.get((Table(c.table), c.key), c.key) if c.table in TABLE_NAMES else c.key
        db.run(
            """INSERT INTO conflicts(document, "table", key, field, base, file, db, kept, gone, "transaction",
            created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (c.document, c.table, key, c.field, _text(c.base), _text(c.file), _text(c.db), Side(c.kept).value,
             int(c.gone), number, created),
        )


def _news(db: Database, clashes: Sequence[Clash], now: str) -> list[Clash]:
    """Clashes that no open conflict tells already. One that a newer save of its place goes beyond is closed."""
    news = []
    for c in clashes:
        if c.kept is not Side.DB:
            news.append(c)
            continue
        rows = db.rows(
            """SELECT id, base, file, db, gone FROM conflicts WHERE resolved_at IS NULL AND kept = 'db'
            AND document = ? AND "table" = ? AND key IS ? AND field IS ?""",
            (c.document, c.table, c.key, c.field),
        )
        said = (_text(c.base), _text(c.file), _text(c.db), int(c.gone))
        if said in [row[1:] for row in rows]:
            continue
        beyond = [row[0] for row in rows if c.replaces and _goes_beyond(c, row[2])]
        db.run_many(
            "UPDATE conflicts SET resolved_at = ?, resolution = 'replaced' WHERE id = ?", [(now, n) for n in beyond]
        )
        news.append(c)
    return news


def _goes_beyond(clash: Clash, earlier: str | None) -> bool:
    """Whether a save holds all that an earlier one of the same place said."""
    if clash.table != "documents":
        return True
    return set((earlier or "").split("\n")) <= set((_text(clash.file) or "").split("\n"))


def _text(value: Value) -> str | None:
    if not isinstance(value, tuple):
        return value
    import json  # not our own notes' form: it is compared with what conflicts have noted before

    return json.dumps(value, ensure_ascii=False)
