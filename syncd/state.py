"""What the database knows of the documents: their base texts, parsed, with the record of each reading.

Parsed documents are kept between converges, so that an edit of one section costs one section.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from parser.document import Document, parse
from schema import journal, store
from schema.db import Database
from schema.store import DocumentRow, SectionRow, Where
from syncd.model import Keyed, Keys

_KEPT_BYTES = 24_000_000  # of text; the documents that were not used for longest are dropped beyond it
_SHARED_BYTES = 8_000_000  # of all banks together where there are several; parsed it takes ten times as much
_LEAST_BYTES = 50_000
_budget = _KEPT_BYTES


def share_among(banks: int) -> None:
    """So many banks are served by this process: what is remembered of all together is bounded."""
    global _budget  # noqa: PLW0603 (it is the process's memory that is shared)
    _budget = _KEPT_BYTES if banks < 2 else max(_LEAST_BYTES, _SHARED_BYTES // banks)


class Kept(Struct, frozen=True):
    """A base that is remembered: parsed, as it is stored, and its bytes, with their digest where it was computed."""

    keyed: Keyed
    sections: list[SectionRow]
    data: bytes
    digest: str | None = None


class BankState:
    """The base side of a bank, read from its database when it is asked for."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.rows: dict[str, DocumentRow] = store.documents(db)
        # Places (section and number there) that show another record than they did, each with table, old and new key.
        # The new one is empty where the number went to another row.
        self.renamed: Mapping[str, Mapping[tuple[int, int], tuple[str, str, str]]] = {}
        self._earlier: dict[tuple[str, str], str] = {}  # the old keys of those that have another
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._size = 0

    def base(self, path: str) -> Keyed | None:
        """The base of a document; None where it has none, or is not text."""
        loaded = self._load(path)
        return loaded.keyed if loaded else None

    def sections(self, path: str) -> list[SectionRow]:
        """The stored sections of a document, in order."""
        loaded = self._load(path)
        return loaded.sections if loaded else []

    def data(self, path: str) -> bytes | None:
        """The bytes of a document's base; None where it has none."""
        loaded = self._load(path)
        if loaded is not None:
            return loaded.data
        row = self.rows.get(path)
        if row is None:
            return None
        return "".join(s.text for s in self._agreed(row.id)).encode("utf-8", "surrogateescape")

    def digest(self, path: str) -> str | None:
        """What identifies the `data` of a document, where it was computed from just these bytes."""
        loaded = self._load(path)
        return loaded.digest if loaded else None

    def keep(self, path: str, kept: Kept) -> None:
        """Remember the new base of a document."""
        self.forget(path)
        self._kept[path] = kept
        self._size += len(kept.data)
        while self._size > _budget and len(self._kept) > 1:
            self.forget(next(iter(self._kept)))

    def rename(self, places: Mapping[str, Mapping[tuple[int, int], tuple[str, str, str]]]) -> None:
        """Let just these places show other records than they did."""
        for path in self.renamed.keys() | places.keys():
            self.forget(path)
        self.renamed = places
        moved = (place for there in places.values() for place in there.values())
        self._earlier = {(table, new): old for table, old, new in moved if new}

    def places(self, table: str, key: str) -> list[Where]:
        """All places that show a record, also those that do by the number that it had."""
        old = self._earlier.get((table, key))
        return [place for k in (key, old) if k is not None for place in store.readings_of(self.db, table, k)]

    def forget(self, path: str) -> None:
        """Drop what is remembered of a document; it is read again when needed."""
        dropped = self._kept.pop(path, None)
        if dropped:
            self._size -= len(dropped.data)

    def _load(self, path: str) -> Kept | None:
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        row = self.rows.get(path)
        if row is None or row.kind == "opaque":
            return None
        sections = self._agreed(row.id)
        if path in self.renamed:
            sections = _renamed(sections, self.renamed[path])
        text = "".join(s.text for s in sections)
        document = parse(path, text)
        self.keep(path, Kept(Keyed(document, _keys(document, sections)), sections, text.encode()))
        return self._kept[path]

    def _agreed(self, document: int) -> list[SectionRow]:
        """The sections as both sides agreed on them: without what other clients did to them since."""
        sections, before = store.load_sections(self.db, document), journal.sections_before(self.db)
        return [replace(s, text=before.get(s.id, s.text)) for s in sections] if before else sections


def _renamed(rows: list[SectionRow], places: Mapping[tuple[int, int], tuple[str, str, str]]) -> list[SectionRow]:
    new: dict[int, dict[int, str]] = {}
    for (section, number), (_, _, key) in places.items():
        new.setdefault(section, {})[number] = key
    return [
        replace(row, readings=tuple(replace(r, key=keys.get(n, r.key)) for n, r in enumerate(row.readings)))
        if (keys := new.get(row.id))
        else row
        for row in rows
    ]


def _keys(document: Document, rows: list[SectionRow]) -> Keys:
    """Keys of the readings as they were stored.

    Where the grammar has learnt to see more or less than when the document was stored, readings are paired table by
    table in order, and one without a partner has the key "": the next converge finds its record.
    """
    stored = [[(r.table, r.key) for r in row.readings] for row in rows]
    found = [[r.table.value for r in section.readings] for section in document.sections]
    if [[table for table, _ in section] for section in stored] == found:
        return tuple(tuple(key for _, key in section) for section in stored)
    queues: dict[str, list[str]] = {}
    for section in stored:
        for table, key in section:
            queues.setdefault(table, []).append(key)
    return tuple(tuple(queues[t].pop(0) if queues.get(t) else "" for t in section) for section in found)
