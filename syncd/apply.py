"""Carry out a plan: one database transaction, then each file. After the commit the change is durable.

A crash before the commit leaves the old state. A crash behind it leaves old files and an outbox, which the next
converge finishes, or merges with what was saved since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter, eq

from msgspec import Struct, field

from schema import announced, history, journal, overview, store
from schema.db import Database
from schema.errors import WrongBase
from schema.records import Table, Value
from schema.sections import SectionRow
from schema.store import DocumentRow
from syncd import drift, holds, numbers, rows, unshown
from syncd.disk.files import Stat, digest
from syncd.model import Clash, Keyed, Sides, Verdict
from syncd.pending import sealable
from syncd.plan.gather import RecordId
from syncd.plan.identify import window
from syncd.plan.owners import Parents
from syncd.state import BankState, Kept

_AGAIN = "run `syncd sync` again, then `syncd check`; nothing was changed"


class Moved(Exception):
    """Another client of the database wrote while the plan was made. Plan again."""


class NewBase(Struct, frozen=True):
    """What becomes of one document.

    ``disk`` are the bytes of its file now (None: no file) with their ``stat`` (None where it was not looked at: then
    they are what it was to hold, and ``disk_digest`` is of what it is known to hold), ``content`` those that it will
    hold (None: gone). ``keyed`` is the document as it will be (None: removed, or not text); ``problem`` says why a
    document that is not text is left alone. ``late`` is a text that was saved into a file which we replaced.
    ``bounds`` is the window of sections that differ from the base (`syncd.plan.identify.window`), where it is known.
    """

    path: str
    disk: bytes | None
    disk_digest: str | None
    stat: Stat | None
    content: bytes | None
    keyed: Keyed | None
    problem: str | None = None
    late: bytes | None = None
    bounds: tuple[int, int, int] | None = None

    def digest(self) -> str | None:
        """What identifies the content."""
        return self.disk_digest if self.content is self.disk else _digest(self.content)


class Batch(Struct):
    """Everything that one transaction is to do.

    ``seen`` is the id of the last row change that the plan knows of; those of ``unsealed`` records stay pending, and
    those that ``kept`` names by table and key.
    ``follow`` are fields that other current readings will be brought to later, ``followed`` those that were.
    ``rows`` are rows to be written as they are (None: deleted), ``note`` what the transaction is for, ``more`` what
    else is to be done in it, given its number.
    ``read`` are the documents in which the readings of ``verdicts`` stand, where those are not the ones of ``bases``:
    what is written for other records moves them.
    """

    operation: str
    origin: str
    verdicts: list[tuple[Verdict, Sides]] = field(default_factory=list)
    bases: list[NewBase] = field(default_factory=list)
    read: Mapping[str, Keyed] | None = None
    clashes: list[Clash] = field(default_factory=list)
    seen: int = 0
    unsealed: set[RecordId] = field(default_factory=set)
    edited_sections: Mapping[int, str] = field(default_factory=dict)
    kept: set[tuple[str, str]] = field(default_factory=set)
    follow: list[tuple[RecordId, str]] = field(default_factory=list)
    followed: list[tuple[RecordId, str]] = field(default_factory=list)
    rows: Mapping[tuple[str, str], Mapping[str, Value] | None] = field(default_factory=dict)
    note: str | None = None
    more: Callable[[int], None] | None = None

    @property
    def does_something(self) -> bool:
        """Whether there is anything to commit but changes of rows that come to nothing."""
        return bool(self.bases or self.verdicts or self.clashes or self.follow)


class Committed(Struct, frozen=True):
    """A transaction that is durable: its names, and the files that are still to be written."""

    number: int
    transaction_id: str
    files: tuple[str, ...]


def commit(db: Database, state: BankState, batch: Batch, now: datetime, milliseconds: float) -> Committed:
    """Do all of ``batch`` in one transaction. Raises `Moved` if rows changed since it was planned.

    Nothing is done then, nor where it raises `WrongBase`: what is remembered of the documents is read again.
    """
    try:
        return _committed(db, state, batch, now, milliseconds)
    except WrongBase:
        for base in batch.bases:
            state.forget(base.path)
        raise


def _committed(db: Database, state: BankState, batch: Batch, now: datetime, milliseconds: float) -> Committed:
    with db.atomic():
        if last_change(db) != batch.seen:
            raise Moved
        noted = overview.drift_noted(db)
        opened = journal.begin_transaction(db, batch.operation, batch.origin, now, batch.note)
        number = opened.number
        numbers.release(db, state)
        store.write_rows(db, batch.rows)
        _restore_sections(db, batch.edited_sections)
        documents = {b.path: b.keyed for b in batch.bases if b.keyed}
        removed = {b.path for b in batch.bases if b.keyed is None}
        parents = Parents(
            documents if batch.read is None else batch.read, lambda path: None if path in removed else state.base(path)
        )
        names, changed = rows.write(db, batch.verdicts, parents, now)
        _seal(db, number, batch)
        _require_met(db, batch)
        stored: dict[str, _Stored] = {}
        files = [base.path for base in batch.bases if _save(db, state, base, names, number, stored)]
        _position_subtasks(db, state, names, batch)
        _name_sessions(db, batch, names)
        holds.note_clashes(db, batch.clashes, names, number, now)
        _note_follows(db, batch, names, number, now)
        _settle_holds(db, batch.bases, now)
        if batch.more is not None:
            batch.more(number)
        tables = {v.table.value for v, _ in batch.verdicts} | {table for table, _ in batch.rows}
        tables |= {"documents"} if batch.bases else set()
        journal.finish(db, opened, tables, changed + len(batch.rows), milliseconds)
        # A document that is only taken in shows what the sides say: just those that are written show something else.
        keyed = {b.path: b.keyed for b in batch.bases if b.keyed is None or b.content != b.disk}
        _note_standing(db, batch, keyed, noted, number)
    for base in batch.bases:
        _refresh(state, base, stored.get(base.path), names)
    return Committed(number, opened.transaction_id, tuple(files))


def _note_standing(
    db: Database, batch: Batch, keyed: Mapping[str, Keyed | None], noted: overview.Noted, number: int
) -> None:
    """Note what differs after this transaction, for `syncd status`: unshown rows, and drift where it was known."""
    refused = unshown.carried(
        noted.unshown() - set(batch.rows), batch.verdicts, keyed, lambda: overview.unsealed(db)
    )  # fmt: skip
    overview.note_unshown(db, refused, noted)
    if noted.fields is not None and not batch.rows:
        fields = drift.carried(noted.fields, batch.verdicts, keyed, lambda: overview.unsealed(db))
        overview.note_drift(db, fields, number, noted.text)


def last_change(db: Database) -> int:
    """The id of the newest row change that no transaction has yet, 0 where there is none."""
    return int(db.value('SELECT coalesce(max(id), 0) FROM row_changes WHERE "transaction" IS NULL'))


def _restore_sections(db: Database, texts: Mapping[int, str]) -> None:
    """Sections edited by other clients go back to their base first: the merged text is written over that."""
    db.run_many("UPDATE sections SET text = ? WHERE id = ?", [(text, number) for number, text in texts.items()])


def _seal(db: Database, number: int, batch: Batch) -> None:
    """Other clients' changes become part of this transaction, except those of records that wait."""
    if not batch.seen:
        return  # there are none
    keep = {(table.value, key) for table, key in batch.unsealed} | batch.kept
    if not keep:
        journal.seal(db, number, batch.seen)
    else:
        for change in sealable(db, batch.seen, keep):
            db.run('UPDATE row_changes SET "transaction" = ? WHERE id = ?', (number, change))
    announced.forget_sealed(db)
    db.run("DELETE FROM row_changes WHERE \"table\" = 'sections' AND \"transaction\" = ?", (number,))


def _require_met(db: Database, batch: Batch) -> None:
    """An edit of sections that goes on waiting forbids to write their document: the edit is one of its base.

    Raises `WrongBase`: it is for the plan not to ask for that.
    """
    for path in sorted(journal.edited_documents(db) & {base.path for base in batch.bases}):
        raise WrongBase("a document with an edit that waits in the database is not written", path, _AGAIN)


class _Stored(Struct, frozen=True):
    """A document as it is in the database now."""

    row: DocumentRow
    sections: list[SectionRow]


def _save(
    db: Database,
    state: BankState,
    base: NewBase,
    names: Mapping[RecordId, str],
    number: int,
    stored: dict[str, _Stored],
) -> bool:
    """Write the new base of one document, its history, and the outbox line. Whether its file has to be written."""
    row = state.rows.get(base.path)
    old, old_digest = state.data(base.path), state.digest(base.path)
    new, new_digest = base.content, base.digest()
    on_disk = base.disk
    late = base.late is not None and base.late not in (old, on_disk)
    if late:
        history.record_version(db, base.path, number, old, base.late, emitted=False)
        old, old_digest = base.late, None
    if old != on_disk:
        history.record_version(
            db, base.path, number, old, on_disk, emitted=late, hash_before=old_digest, hash_after=base.disk_digest
        )
    if on_disk != new:
        before = old_digest if on_disk is old else None
        history.record_version(
            db, base.path, number, on_disk, new, emitted=True, hash_before=before, hash_after=new_digest
        )
    if new is None:
        if row is not None:
            store.drop_document(db, base.path)
    else:
        saved = stored[base.path] = _save_document(db, state, base, new, new_digest, names, number)
        if not _holds_text(saved.sections, base, new):
            raise WrongBase("the sections do not join to the text, and were not stored", base.path, _AGAIN)
    if on_disk == new:
        if base.stat is not None or on_disk is None:  # else nobody looked: an earlier text may still wait for its file
            db.run("DELETE FROM outbox WHERE path = ?", (base.path,))
        return False
    db.run(
        'INSERT OR REPLACE INTO outbox(path, expected, text, "transaction") VALUES (?, ?, ?, ?)',
        (base.path, base.disk_digest, new, number),
    )
    return True


def _digest(data: bytes | None) -> str | None:
    return None if data is None else digest(data)


_text = attrgetter("text")


def _holds_text(stored: Sequence[SectionRow], base: NewBase, new: bytes) -> bool:
    """Whether the sections are those of the new base, one by one, or at least join to its text."""
    if base.keyed is None:
        return "".join(s.text for s in stored) == new.decode("utf-8", "surrogateescape")
    sections = base.keyed.document.sections
    if len(stored) == len(sections) and all(map(eq, map(_text, stored), map(_text, sections))):
        return True
    return "".join(map(_text, stored)) == base.keyed.document.text


def _save_document(
    db: Database,
    state: BankState,
    base: NewBase,
    new: bytes,
    found: str | None,
    names: Mapping[RecordId, str],
    number: int,
) -> _Stored:
    """Write the document's row, and those of its sections that differ. ``found`` identifies the ``new`` text."""
    stat = base.stat if base.disk == new else None
    size, mtime, ctime, inode = (stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode) if stat else (len(new), 0, 0, 0)
    document = base.keyed.document if base.keyed else None
    old = state.base(base.path)
    old_sections = state.sections(base.path)
    known = state.rows.get(base.path)
    kind, found = document.kind if document else "opaque", found or digest(new)
    if known is not None:
        row = DocumentRow(known.id, base.path, kind, found, size, mtime, ctime, inode, number, base.problem)
        store.write_document(db, row)
    else:
        new_id = store.save_document(
            db, base.path, kind=kind, hash=found, size=size, mtime_ns=mtime, ctime_ns=ctime, inode=inode,
            transaction=number, problem=base.problem,
        )  # fmt: skip
        row = DocumentRow(new_id, base.path, kind, found, size, mtime, ctime, inode, number, base.problem)
    return _Stored(row, _save_sections(db, row.id, base, new, names, old, old_sections, fresh=known is None))


def _save_sections(
    db: Database,
    document_id: int,
    base: NewBase,
    new: bytes,
    names: Mapping[RecordId, str],
    old: Keyed | None,
    old_sections: list[SectionRow],
    *,
    fresh: bool,
) -> list[SectionRow]:
    """The sections as they are stored now; of a ``fresh`` document there are none yet."""
    if base.keyed is None or old is None or len(old_sections) != len(old.document.sections):
        stored = [] if fresh else store.load_sections(db, document_id)
        return _replace(db, document_id, stored, _sections(base, new, 0, None, names))
    first, end_old, end_new = _window(old, base.keyed, base.bounds)
    if end_old == first and end_new == first:
        return old_sections
    now = _replace(db, document_id, old_sections[first:end_old], _sections(base, new, first, end_new, names))
    return [*old_sections[:first], *now, *old_sections[end_old:]]


def _replace(
    db: Database, document_id: int, old: Sequence[SectionRow], new: Sequence[store.NewSection]
) -> list[SectionRow]:
    ids = store.replace_sections(db, document_id, old, new)
    return [SectionRow(number, 0.0, s.text, s.readings) for number, s in zip(ids, new, strict=True)]


def _window(old: Keyed, new: Keyed, bounds: tuple[int, int, int] | None) -> tuple[int, int, int]:
    """The sections that are stored differently: first, end in the base, end in the new document.

    Never an empty run of the base beside other sections: what is inserted needs a neighbour to stand by.
    """
    first, end_old, end_new = bounds or window(old.document, new.document)
    while first > 0 and old.keys[first - 1] != new.keys[first - 1]:
        first -= 1
    if first == end_old < end_new and old.keys:
        if first > 0:
            first -= 1
        else:
            end_old, end_new = end_old + 1, end_new + 1
    return first, end_old, end_new


def _sections(
    base: NewBase, new: bytes, first: int, end: int | None, names: Mapping[RecordId, str]
) -> list[store.NewSection]:
    if base.keyed is None:
        return [store.NewSection(new.decode("utf-8", "surrogateescape"), 0, "", ())]
    sections = base.keyed.document.sections
    return [
        store.NewSection(
            section.text,
            section.level,
            section.heading,
            tuple(
                store.ReadingRow(r.table.value, names.get((r.table, key), key), r.role.value)
                for r, key in zip(section.readings, base.keyed.keys[n], strict=True)
            ),
        )
        for n, section in enumerate(sections[first:end], first)
    ]


def _position_subtasks(db: Database, state: BankState, names: Mapping[RecordId, str], batch: Batch) -> None:
    """Checklist items are numbered in the order of their document: of those that are saved, and of those with items
    whose rows came back."""
    documents = {base.path: base.keyed for base in batch.bases}
    for verdict, sides in batch.verdicts:
        if verdict.table is Table.SUBTASKS and verdict.row is not None and sides.db is None:
            documents |= {s.path: state.base(s.path) for s in sides.after if s.path not in documents}
    for keyed in documents.values():
        if keyed is None or keyed.document.kind != "task":
            continue
        keys = [names.get((r.table, k), k) for _, r, k in keyed.readings() if r.table is Table.SUBTASKS]
        db.run_many(
            "UPDATE task_subtasks SET position = ?1 WHERE id = ?2 AND position IS NOT ?1",
            [(position, key) for position, key in enumerate(keys, 1)],
        )


def _name_sessions(db: Database, batch: Batch, names: Mapping[RecordId, str]) -> None:
    """A session's row knows its document."""
    for base in batch.bases:
        if base.keyed is None or base.keyed.document.kind != "session":
            continue
        key = next((k for _, r, k in base.keyed.readings() if r.table is Table.SESSIONS), None)
        if key:
            db.run(
                "UPDATE sessions SET path = ?1 WHERE id = ?2 AND path IS NOT ?1",
                (base.path, names.get((Table.SESSIONS, key), key)),
            )


def _note_follows(
    db: Database, batch: Batch, names: Mapping[RecordId, str], number: int, now: datetime
) -> None:
    for (table, key), name in batch.followed:
        db.run('DELETE FROM follows WHERE "table" = ? AND key = ? AND field = ?', (table.value, key, name))
    created = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    for (table, key), name in batch.follow:
        db.run(
            'INSERT OR REPLACE INTO follows("table", key, field, "transaction", created_at) VALUES (?, ?, ?, ?, ?)',
            (table.value, names.get((table, key), key), name, number, created),
        )


def _settle_holds(db: Database, bases: Sequence[NewBase], now: datetime) -> None:
    """A yes holds for one absorb."""
    db.run_many(
        "UPDATE holds SET settled_at = ? WHERE path = ? AND state = 'accepted' AND settled_at IS NULL",
        [(now.strftime("%Y-%m-%dT%H:%M:%SZ"), base.path) for base in bases],
    )


def _refresh(
    state: BankState, base: NewBase, stored: _Stored | None, names: Mapping[RecordId, str]
) -> None:
    """Remember the document's row, and its parsed form with the keys that new records were given."""
    state.forget(base.path)
    if stored is None:
        state.rows.pop(base.path, None)
        return
    state.rows[base.path] = stored.row
    if base.keyed is not None:
        assert base.content is not None
        # Of a file that nobody looked at now, it is just what it is known to hold.
        known = stored.row.hash if base.stat is not None or base.content is not base.disk else None
        state.keep(base.path, Kept(_renamed(base.keyed, names), stored.sections, base.content, known))


def _renamed(keyed: Keyed, names: Mapping[RecordId, str]) -> Keyed:
    if not names:
        return keyed
    return Keyed(
        keyed.document,
        tuple(
            tuple(names.get((r.table, k), k) for r, k in zip(section.readings, keys, strict=True)) if keys else keys
            for section, keys in zip(keyed.document.sections, keyed.keys, strict=True)
        ),
    )
