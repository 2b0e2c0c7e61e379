"""Keys for all readings of a batch of edited documents: within each, across them, and against existing records.

Pure but for the `Lookup`, which answers from the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from parser.document import At, Document
from schema.records import Reading, Table, Value
from syncd.model import NEW, Keyed, Row
from syncd.plan.identify import Alignment, Placed, align, families, likeness, same_entry

_SURE = 0.8  # an entry that vanished in one document and one that appeared in another are this alike: it moved

class Lookup(Protocol):
    """Existing records, as the database knows them."""

    def entries_at(self, minute: str) -> list[tuple[str, Row]]:
        """Entries whose time starts with ``minute`` (``HH:MM``)."""
        ...

    def lines_of(self, entry: str) -> list[tuple[str, Row]]:
        """File modifications of an entry, in order."""
        ...

    def session_at(self, path: str) -> str | None:
        """The session whose document is at ``path``."""
        ...


class Edited(Struct, frozen=True):
    """A document that differs from its base: what it was and what it is. ``new`` is None where it is gone."""

    path: str
    base: Keyed | None
    new: Document | None


class _Pool(Struct):
    """Records that lost their reading in a document of this batch, by table."""

    lost: dict[Table, list[Placed]] = field(default_factory=dict)

    def take(self, table: Table, reading: Reading) -> str | None:
        """The key of the lost record that ``reading`` shows, if one is equal or surely the same."""
        candidates = self.lost.get(table, [])
        for placed in candidates:
            if placed.reading.values() == reading.values():
                candidates.remove(placed)
                return placed.key
        if table is Table.SUBTASKS:
            return None
        scored = [(likeness(p.reading, reading), n) for n, p in enumerate(candidates)]
        best = max(scored, default=(0.0, 0))
        return candidates.pop(best[1]).key if best[0] >= _SURE else None


class Matcher:
    """Gives every reading of a batch its key. ``new:<n>`` for records without a row."""

    def __init__(self, lookup: Lookup, first: int = 0) -> None:
        self._lookup = lookup
        self._count = first
        self._born_entries: dict[str, list[tuple[str, Reading]]] = {}
        self._born_lines: dict[str, list[tuple[str, Reading]]] = {}
        self._by_minute: dict[str, list[tuple[str, Row]]] = {}

    def match(self, batch: Iterable[Edited]) -> dict[str, tuple[Keyed, tuple[int, int, int]]]:
        """By path: the document with its keys, and the window that differs (first section, end in base, end in it).

        Documents that are gone have none.
        """
        ordered = sorted(batch, key=_order)
        alignments = {e.path: align(e.base, e.new) for e in ordered if e.new is not None}
        pool = _lost(ordered, alignments)
        for edited in ordered:
            if edited.path in alignments:
                self._fill(edited.path, alignments[edited.path], pool)
        return {path: (a.keyed(), (a.first, a.end_old, a.end_new)) for path, a in alignments.items()}

    def _born(self) -> str:
        self._count += 1
        return f"{NEW}{self._count}"

    def _fill(self, path: str, alignment: Alignment, pool: _Pool) -> None:
        matches = alignment.matches
        placed = alignment.placed()
        unmatched = [p for p in placed if p.at not in matches]
        if not unmatched:
            return
        here = _entries_of(alignment, placed) if any(p.reading.table is Table.ENTRIES for p in unmatched) else set()
        for new in unmatched:
            table, reading = new.reading.table, new.reading
            if table is Table.ENTRIES:
                key = pool.take(table, reading) or self._known_entry(reading, here) or self._born()
                self._born_entries.setdefault(_minute(reading), []).append((key, reading))
                matches[new.at] = key
                here.add(key)
            elif table is Table.SESSIONS:
                matches[new.at] = self._session(path, reading, alignment, placed, pool)
            elif table in (Table.ERRORS, Table.SUBTASKS):
                matches[new.at] = pool.take(table, reading) or self._born()
        self._fill_lines(alignment, placed, pool)

    def _known_entry(self, reading: Reading, here: set[str]) -> str | None:
        """An entry that stands elsewhere too. One that already stands in this document must be equal to the word."""
        minute = _minute(reading)
        if not minute:
            return None
        if minute not in self._by_minute:
            self._by_minute[minute] = self._lookup.entries_at(minute)
        found: list[tuple[float, str]] = []
        for key, row in self._by_minute[minute]:
            found.append((self._score(reading, key, row, here), key))
        for key, other in self._born_entries.get(minute, []):
            found.append((self._score(reading, key, other.values(), here), key))
        best: dict[str, float] = {}
        for score, key in found:
            best[key] = max(score, best.get(key, 0.0))
        ranked = sorted(((s, k) for k, s in best.items() if s > 0), reverse=True)
        if not ranked:
            return None
        undated = reading.value("date") is None
        if undated and len(ranked) > 1 and ranked[0][0] < 1.0:
            return None  # which of them it is would be a guess
        return ranked[0][1]

    @staticmethod
    def _score(reading: Reading, key: str, row: Row, here: set[str]) -> float:
        score = same_entry(reading, row.get)
        if key in here:
            equal = all(reading.value(n) == row.get(n) for n in ("date", "time", "task_id", "task_description"))
            return score if equal else 0.0
        return score

    def _session(
        self, path: str, reading: Reading, alignment: Alignment, placed: Sequence[Placed], pool: _Pool
    ) -> str:
        """A document shows one session, however many readings it has."""
        matches = alignment.matches
        same = (matches[p.at] for p in placed if p.reading.table is Table.SESSIONS and p.at in matches)
        older = alignment.base.readings() if alignment.base else ()
        known = next(same, None) or next((k for _, r, k in older if r.table is Table.SESSIONS and k), None)
        return known or self._lookup.session_at(path) or pool.take(Table.SESSIONS, reading) or self._born()

    def _fill_lines(self, alignment: Alignment, placed: Sequence[Placed], pool: _Pool) -> None:
        """File modifications without a key: a line of the same entry in another document, or a new one."""
        matches = alignment.matches
        for parent, lines in families(placed):
            open_lines = [p for p in lines if p.at not in matches]
            if not open_lines:
                continue
            entry = matches[parent.at] if parent else alignment.entry_before() or ""
            used = {matches[p.at] for p in lines if p.at in matches}
            known = [] if not entry or entry.startswith(NEW) else self._lookup.lines_of(entry)
            born = self._born_lines.setdefault(entry, [])
            for line in open_lines:
                key = pool.take(Table.MODIFICATIONS, line.reading) or _same_line(
                    line.reading, [*known, *((k, r.values()) for k, r in born)], used
                )
                key = key or self._born()
                matches[line.at] = key
                used.add(key)
                born.append((key, line.reading))


def _entries_of(alignment: Alignment, placed: Sequence[Placed]) -> set[str]:
    """Keys of all entries that the document shows, in its window and outside."""
    keys = {alignment.matches[p.at] for p in placed if p.reading.table is Table.ENTRIES and p.at in alignment.matches}
    base = alignment.base
    if base is None:
        return keys
    for number, section in enumerate(base.document.sections):
        if number < alignment.first or number >= alignment.end_old:
            keys.update(
                k for r, k in zip(section.readings, base.keys[number], strict=True) if r.table is Table.ENTRIES
            )
    return keys


def _same_line(reading: Reading, candidates: Sequence[tuple[str, Row]], used: set[str]) -> str | None:
    names = ("action", "file_path", "description")
    free = [(key, row) for key, row in candidates if key not in used]
    for key, row in free:
        if all(reading.value(n) == row.get(n) for n in names):
            return key
    alike = [key for key, row in free if reading.value("file_path") == row.get("file_path")]
    return alike[0] if len(alike) == 1 else None


def _lost(batch: Sequence[Edited], alignments: Mapping[str, Alignment]) -> _Pool:
    """Records whose reading vanished from a document and that no other document of the batch still shows."""
    alive = {
        (p.reading.table, alignment.matches[p.at])
        for alignment in alignments.values()
        for p in alignment.placed()
        if p.at in alignment.matches
    }
    pool = _Pool()
    for edited in batch:
        if edited.base is None:
            continue
        alignment = alignments.get(edited.path)
        sections = edited.base.document.sections
        first, end = (alignment.first, alignment.end_old) if alignment else (0, len(sections))
        for number in range(first, end):
            for index, reading in enumerate(sections[number].readings):
                key = edited.base.keys[number][index]
                if reading.table in _UNNAMED and key and (reading.table, key) not in alive:
                    pool.lost.setdefault(reading.table, []).append(Placed(At(number, index), reading, key))
    return pool


_UNNAMED = frozenset({Table.ENTRIES, Table.MODIFICATIONS, Table.ERRORS, Table.SUBTASKS, Table.SESSIONS})


_KINDS = ("task", "registry", "session_cache", "active_context", "edit_history", "edit_chunk")


def _order(edited: Edited) -> tuple[bool, int, str]:
    """Documents whose readings come first in precedence come first: keys do not depend on the order of edits."""
    kind = edited.new.kind if edited.new is not None else ""
    return (edited.path.startswith("archive/"), _KINDS.index(kind) if kind in _KINDS else len(_KINDS), edited.path)


def _minute(reading: Reading) -> str:
    time: Value = reading.value("time")
    return time[:5] if isinstance(time, str) else ""
