"""What the database knows of the documents: their base texts, parsed, with the record of each reading.

Parsed documents are kept between converges, so that an edit of one section costs one section.
"""

from __future__ import annotations

from collections import OrderedDict

from parser.document import Document, parse
from schema import store
from schema.db import Database
from schema.store import DocumentRow, SectionRow
from syncd.model import Keyed, Keys

_KEPT_CHARACTERS = 24_000_000  # about 10 MB of text with icons; older documents are dropped beyond it


class BankState:
    """The base side of a bank, read from its database when it is asked for."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.rows: dict[str, DocumentRow] = store.documents(db)
        self.overlay: dict[int, str] = {}  # base texts of sections that another client edited since, by id
        self._kept: OrderedDict[str, tuple[Keyed, list[SectionRow]]] = OrderedDict()
        self._size = 0

    def base(self, path: str) -> Keyed | None:
        """The base of a document; None where it has none, or is not text."""
        loaded = self._load(path)
        return loaded[0] if loaded else None

    def sections(self, path: str) -> list[SectionRow]:
        """The stored sections of a document, in order."""
        loaded = self._load(path)
        return loaded[1] if loaded else []

    def keep(self, path: str, keyed: Keyed, sections: list[SectionRow]) -> None:
        """Remember the new base of a document."""
        self.forget(path)
        self._kept[path] = (keyed, sections)
        self._size += _weight(keyed.document)
        while self._size > _KEPT_CHARACTERS and len(self._kept) > 1:
            self.forget(next(iter(self._kept)))

    def forget(self, path: str) -> None:
        """Drop what is remembered of a document; it is read again when needed."""
        dropped = self._kept.pop(path, None)
        if dropped:
            self._size -= _weight(dropped[0].document)

    def _load(self, path: str) -> tuple[Keyed, list[SectionRow]] | None:
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        row = self.rows.get(path)
        if row is None or row.kind == "opaque":
            return None
        sections = store.load_sections(self.db, row.id)
        if self.overlay:
            sections = [s._replace(text=self.overlay.get(s.id, s.text)) for s in sections]
        document = parse(path, "".join(str(s.text) for s in sections))
        self.keep(path, Keyed(document, _keys(document, sections)), sections)
        return self._kept[path]


def _weight(document: Document) -> int:
    return sum(len(section.text) for section in document.sections)


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
