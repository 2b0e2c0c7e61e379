"""Edit chunks of new entries, in banks that keep one for each of their recent entries. Reads rows; writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from parser.document import Document
from schema import store
from schema.db import Database
from schema.records import Role, Table, Value
from syncd.model import Keyed
from writer.chunk_likeness import chunk_like, chunk_path

_RECENT = 3  # how many of the newest entries tell whether the bank keeps chunks


class Chunks:
    """Makes the chunks of a batch. ``fresh`` are the keys of its new entries, which tell nothing about the bank."""

    def __init__(self, db: Database, current: Callable[[str], Keyed | None], fresh: Collection[str]) -> None:
        self._db = db
        self._current = current
        self._fresh = fresh
        self._model: Document | None = None
        self._looked = False

    def model(self) -> Document | None:
        """The newest chunk, where most of the newest entries have one; else None."""
        if not self._looked:
            self._looked = True
            paths = self._newest()
            kept = [path for path in paths if path is not None]
            if 2 * len(kept) > len(paths):
                keyed = self._current(kept[0])
                self._model = keyed.document if keyed is not None else None
        return self._model

    def _newest(self) -> list[str | None]:
        """For each of the newest dated entries, the path of its chunk; None for one that has none."""
        rows = self._db.rows(
            "SELECT id FROM edit_entries WHERE date IS NOT NULL ORDER BY date DESC, time DESC, id LIMIT ?",
            (_RECENT + len(self._fresh),),
        )
        keys = [str(key) for (key,) in rows if str(key) not in self._fresh][:_RECENT]
        return [next(iter(chunks_of(self._db, key)), None) for key in keys]

    def make(
        self, values: Mapping[str, Value], rows: Sequence[Mapping[str, Value]], taken: Collection[str]
    ) -> Document | None:
        """The chunk of an entry; None where the bank keeps none, or cannot have it. ``taken`` are other paths."""
        model = self.model()
        number = 1
        path = chunk_path(model.path, values) if model is not None else None
        while model is not None and path is not None and (self._current(path) is not None or path in taken):
            number += 1
            path = chunk_path(model.path, values, number)
        return None if model is None or path is None else chunk_like(model, path, values, rows)


def chunks_of(db: Database, entry: str) -> list[str]:
    """The paths of the chunks that show an entry."""
    return [where.path for where in store.readings_of(db, Table.ENTRIES.value, entry) if where.role == Role.CHUNK.value]


def keyed(document: Document, entry: str, lines: Sequence[str]) -> Keyed:
    """A chunk with the keys of its entry and of its lines, in order."""
    left = list(lines)
    return Keyed(
        document,
        tuple(
            tuple(
                entry if r.table is Table.ENTRIES else left.pop(0) if r.table is Table.MODIFICATIONS else ""
                for r in section.readings
            )
            for section in document.sections
        ),
    )
