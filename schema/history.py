"""Every text that a document ever had, as a chain of reverse deltas from the one it has now.

A version is what one transaction did to one document (or one step of it: absorbed, then emitted). Its delta gives the
text before it from the text after it; the text after the newest version is what the sections hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from operator import itemgetter
from typing import Any

from msgspec import Struct

from schema import deltas
from schema.db import Database
from schema.digests import text_digest
from schema.errors import CorruptDatabase, WrongBase
from schema.journal import has_pending, pending, resolve_transaction
from schema.records import Action

__all__ = [
    "Version", "current_text", "lost", "paths_at", "record_version", "resolve_transaction", "steps", "text_at",
    "text_before", "texts", "version_rows", "versions",
]  # fmt: skip

_AGAIN = "run `syncd sync` again, then `syncd check`; nothing was changed"


class Version(Struct, frozen=True):
    """One step in the life of a document.

    ``emitted``: our own writing, from database to file. ``existed`` and ``exists``: whether there was a document
    before and after. ``size`` in bytes and ``hash_after`` (blake2b-16, hexadecimal) are of the text after it.
    """

    id: int
    path: str
    transaction: int
    emitted: bool
    existed: bool
    exists: bool
    size: int | None
    hash_after: str | None


_VERSION = 'SELECT id, path, "transaction", emitted, before IS NOT NULL, NOT deleted, size, hash_after FROM versions'


def record_version(
    db: Database,
    path: str,
    transaction: int,
    before: bytes | None,
    after: bytes | None,
    *,
    emitted: bool,
    hash_before: str | None = None,
    hash_after: str | None = None,
) -> int:
    """Remember that ``transaction`` turned the text ``before`` into ``after``; None: no document. The version's id.

    ``before`` must be the text after the newest version of this path, or what was recorded is lost: raises `WrongBase`
    where it is another. The digests of both are computed where the caller does not have them.
    """
    if not _follows(db, path, hash_before or _digest(before)):
        raise WrongBase("the new version does not follow from the last one, and was not recorded", path, _AGAIN)
    delta = None if before is None else deltas.encode(before, after or b"")
    digest = hash_after or (None if after is None else text_digest(after))
    return db.insert(
        """INSERT INTO versions(path, "transaction", before, emitted, size, hash_after, deleted)
        VALUES (?, ?, ?, ?, ?, ?, ?)""",
        (path, transaction, delta, int(emitted), None if after is None else len(after), digest, int(after is None)),
    )


def _follows(db: Database, path: str, before: str | None) -> bool:
    """Whether the newest version left the text of this digest. Where its text is lost already, any goes on from there.
    """
    newest = db.rows("SELECT deleted, hash_after FROM versions WHERE path = ? ORDER BY id DESC LIMIT 1", (path,))
    if not newest:
        return True
    deleted, known = newest[0]
    if known is None and not deleted:
        return True
    return bool(known == before or known != _digest(current_text(db, path)))


def _digest(text: bytes | None) -> str | None:
    return None if text is None else text_digest(text)


def current_text(db: Database, path: str) -> bytes | None:
    """The text of the document after the last transaction, None where there is none.

    That is what its sections join to, without what other clients did to them since (`schema.journal.pending`).
    """
    document = db.value("SELECT id FROM documents WHERE path = ?", (path,))
    if document is None:
        return None
    rows = db.rows("SELECT id, position, text FROM sections WHERE document_id = ? ORDER BY position", (document,))
    if has_pending(db):
        rows = _settled(db, document, rows)
    return b"".join(t if isinstance(t, bytes) else t.encode() for _, _, t in rows)


def _settled(db: Database, document: int, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The sections without the pending changes of other clients."""
    sections = {str(row[0]): row for row in rows}
    for change in reversed(pending(db)):
        if change.table != "sections":
            continue
        if change.operation is Action.INSERT:
            sections.pop(change.key, None)
            continue
        before = change.before or {}
        if change.operation is Action.UPDATE and change.key in sections:
            number, position, _ = sections[change.key]
            sections[change.key] = (number, position, before["text"])
        elif change.operation is Action.DELETE and before["document_id"] == str(document):
            sections[change.key] = (int(change.key), float(str(before["position"])), before["text"])
    return sorted(sections.values(), key=itemgetter(1))


def text_at(db: Database, path: str, transaction: int | None) -> bytes | None:
    """The document as it stood after ``transaction`` (None: now); None where it did not exist."""
    text = current_text(db, path)
    return text if transaction is None else _before(db, path, text, _first_after(db, path, transaction))


def text_before(db: Database, version: int) -> bytes | None:
    """The text before the version with this id; None where the document did not exist. Raises `KeyError`."""
    path = db.value("SELECT path FROM versions WHERE id = ?", (version,))
    if path is None:
        raise KeyError(version)
    return _before(db, path, current_text(db, path), version)


def _first_after(db: Database, path: str, transaction: int) -> int | None:
    found = db.value('SELECT min(id) FROM versions WHERE path = ? AND "transaction" > ?', (path, transaction))
    return None if found is None else int(found)


def _before(db: Database, path: str, text: bytes | None, version: int | None) -> bytes | None:
    """``text``, the current one, taken back to before ``version``; None: not at all. Raises `CorruptDatabase`."""
    if version is None:
        return text
    with suppress(deltas.BadDelta):
        before = text
        for delta, deleted in db.rows(
            "SELECT before, deleted FROM versions WHERE path = ? AND id >= ? ORDER BY id DESC", (path, version)
        ):
            before = _step_back(delta, deleted, before)
        known = db.value(
            "SELECT hash_after FROM versions WHERE path = ? AND id < ? ORDER BY id DESC LIMIT 1", (path, version)
        )
        if known is None or before is None or known == text_digest(before):
            return before
    return _past_damage(db, path, version)


def _past_damage(db: Database, path: str, version: int) -> bytes | None:
    """The text before a version where the way there is broken. Raises `CorruptDatabase` where it is lost."""
    found: bytes | Lost | None = _LOST
    for number, before, after in _walk(db, path):
        if number < version:  # what it left, checked by its digest
            found = after
            break
        found = before
    if isinstance(found, Lost):
        raise _damaged(db, path, version)
    return found


class Lost(Struct, frozen=True):
    """In place of a text that its chain of versions does not lead to any more."""


_LOST = Lost()


def _walk(db: Database, path: str) -> Iterator[tuple[int, bytes | Lost | None, bytes | Lost | None]]:
    """Each version's id with the text before and after it, newest first, each checked against its digest.

    Behind a break in the chain they are lost, up to a text that a newer version had too, or to a document that came
    anew.
    """
    again = {
        digest
        for (digest,) in db.rows(
            "SELECT hash_after FROM versions WHERE path = ? GROUP BY hash_after HAVING count(*) > 1", (path,)
        )
    }
    known: dict[str, bytes] = {}
    text: bytes | Lost | None = current_text(db, path)
    newest = db.rows("SELECT id, before, deleted, hash_after FROM versions WHERE path = ? ORDER BY id DESC", (path,))
    for number, delta, deleted, digest in newest:
        if deleted:
            text = None
        elif digest is not None and (not isinstance(text, bytes) or text_digest(text) != digest):
            text = known.get(digest, _LOST)
        if digest in again and isinstance(text, bytes):
            known[digest] = text
        after = text
        try:
            text = _LOST if isinstance(text, Lost) and delta is not None else _back(delta, deleted, text)
        except deltas.BadDelta:
            text = _LOST
        yield number, text, after


def _back(delta: bytes | None, deleted: int, text: bytes | Lost | None) -> bytes | None:
    return _step_back(delta, deleted, None if isinstance(text, Lost) else text)


def lost(db: Database, path: str) -> list[int]:
    """The transactions that left a text of this document which is lost, newest first."""
    gone = [number for number, _, after in _walk(db, path) if isinstance(after, Lost)]
    if not gone:
        return []
    of = dict(db.rows('SELECT id, "transaction" FROM versions WHERE path = ?', (path,)))
    return list(dict.fromkeys(int(of[number]) for number in gone))


def _damaged(db: Database, path: str, version: int) -> CorruptDatabase:
    what = f"the history of {path} is damaged before version {version}"
    hint = "`syncd check` says what is lost, `syncd restore FILE` brings back a backup that has it"
    return CorruptDatabase(what, db.path, hint)


def _step_back(delta: bytes | None, deleted: int, text: bytes | None) -> bytes | None:
    return None if delta is None else deltas.decode(delta, b"" if deleted or text is None else text)


def paths_at(db: Database, transaction: int | None, gone: list[str] | None = None) -> dict[str, bytes]:
    """All documents as they stood after ``transaction`` (None: now), by path in order.

    Raises `CorruptDatabase` where the text of one is lost, unless there is a list ``gone`` to add its path to.
    """
    found = {}
    for (path,) in db.rows("SELECT path FROM documents UNION SELECT path FROM versions ORDER BY 1"):
        try:
            text = text_at(db, path, transaction)
        except CorruptDatabase:
            if gone is None:
                raise
            gone.append(path)
            continue
        if text is not None:
            found[path] = text
    return found


def version_rows(
    db: Database, path: str | None = None, transaction: int | None = None, limit: int | None = None
) -> list[Version]:
    """The versions of a path, of a transaction, or of both, newest first, at most ``limit``."""
    wanted: dict[str, str | int] = {}
    if path is not None:
        wanted["path = ?"] = path
    if transaction is not None:
        wanted['"transaction" = ?'] = transaction
    where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    rows = db.rows(
        f"{_VERSION} {where} ORDER BY id DESC LIMIT ?", (*wanted.values(), -1 if limit is None else limit)
    )
    return [Version(i, p, t, bool(e), bool(b), bool(a), size, digest) for i, p, t, e, b, a, size, digest in rows]


def emitted_lately(db: Database, path: str, number: int) -> bool:
    """Whether one of the last so many versions of a document was our own writing."""
    return bool(
        db.value(
            """SELECT EXISTS (SELECT 1 FROM (SELECT emitted FROM versions WHERE path = ? ORDER BY id DESC LIMIT ?)
            WHERE emitted)""",
            (path, number),
        )
    )


def versions(db: Database, path: str) -> list[tuple[int, bool]]:
    """``(transaction, emitted)`` of each version of a document, newest first."""
    return [(version.transaction, version.emitted) for version in version_rows(db, path)]


def texts(db: Database, path: str, limit: int | None = None) -> Iterator[tuple[Version, bytes | None]]:
    """Each version with the text after it, newest first: all texts that were ever on disk, made one by one.

    It ends where the chain of versions is broken, so that what is looked for among them is looked for in the rest.
    """
    with suppress(CorruptDatabase):
        for version, _, after in steps(db, path, limit):
            yield version, after


def steps(
    db: Database, path: str, limit: int | None = None
) -> Iterator[tuple[Version, bytes | None, bytes | None]]:
    """Each version with the text before and after it, newest first; None where there was no document.

    Raises `CorruptDatabase` where the chain of versions is broken.
    """
    after = current_text(db, path)
    for version in version_rows(db, path, limit=limit):
        delta = db.value("SELECT before FROM versions WHERE id = ?", (version.id,))
        try:
            before = _step_back(delta, not version.exists, after)
        except deltas.BadDelta as error:
            raise _damaged(db, path, version.id) from error
        yield version, before, after
        after = before
