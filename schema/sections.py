"""The sections of a document: what a run of them is replaced by, with as few statements as that takes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from msgspec import Struct

from schema.db import Database

_STEP = 1.0
"""Distance between the positions of neighbours that were inserted together."""

_CLOSE = 1e-7
"""Neighbours nearer than this are numbered anew."""


class ReadingRow(Struct, frozen=True):
    """One appearance of a record: its table, its key ("" for derived values) and its role."""

    table: str
    key: str
    role: str


class SectionRow(Struct, frozen=True):
    """A stored section. Positions order the sections of a document."""

    id: int
    position: float
    text: str
    readings: tuple[ReadingRow, ...]


class NewSection(Struct, frozen=True):
    """A section as it is to be stored."""

    text: str
    level: int
    heading: str
    readings: tuple[ReadingRow, ...]


def text_of(stored: str | bytes) -> str:
    """A stored text as str; odd bytes become lone surrogates."""
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogateescape")


def stored_text(text: str) -> str | bytes:
    """What a section's text is stored as: bytes where it is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return text


def replace_sections(
    db: Database, document_id: int, old: Sequence[SectionRow], new: Sequence[NewSection]
) -> list[int]:
    """Replace the run ``old`` of a document's sections by ``new``; the ids of the new ones, in order.

    ``old`` is what the database holds from its first section to its last; only the ids, texts and readings in it
    count. A section that lines up with an old one keeps its id. An empty ``old`` appends.
    """
    pairs = _pair(old, new)
    kept = {row.id for row in pairs if row is not None}
    bounds = _bounds(db, document_id, old) if len(kept) < len(new) else None
    db.run_many("DELETE FROM sections WHERE id = ?", [(row.id,) for row in old if row.id not in kept])
    for row, section in zip(pairs, new, strict=True):
        if row is not None:
            _update(db, row, section)
    if bounds is None:
        return [row.id for row in pairs if row is not None]
    positions = _positions(db, document_id, pairs, bounds)
    return _insert(db, document_id, pairs, new, positions)


def _pair(old: Sequence[SectionRow], new: Sequence[NewSection]) -> list[SectionRow | None]:
    """For each new section the old one whose id it keeps: equal texts at both ends, then equal first lines."""
    shorter = min(len(old), len(new))
    prefix = next((i for i in range(shorter) if old[i].text != new[i].text), shorter)
    rest = shorter - prefix
    suffix = next((i for i in range(rest) if old[-1 - i].text != new[-1 - i].text), rest)
    middle, fresh = old[prefix : len(old) - suffix], new[prefix : len(new) - suffix]
    return [*old[:prefix], *_pair_middle(middle, fresh), *old[len(old) - suffix :]]


def _pair_middle(old: Sequence[SectionRow], new: Sequence[NewSection]) -> list[SectionRow | None]:
    if not old or len(old) == len(new):
        return list(old) or [None] * len(new)
    places: dict[str, list[int]] = {}
    for index, row in enumerate(old):
        places.setdefault(_first_line(row.text), []).append(index)
    pairs: list[SectionRow | None] = []
    position = 0
    for section in new:
        found = places.get(_first_line(section.text), [])
        index = bisect_left(found, position)
        if index < len(found):
            pairs.append(old[found[index]])
            position = found[index] + 1
        else:
            pairs.append(None)
    return pairs


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _update(db: Database, row: SectionRow, section: NewSection) -> None:
    if row.text != section.text:
        db.run(
            "UPDATE sections SET level = ?, heading = ?, text = ? WHERE id = ?",
            (section.level, stored_text(section.heading), stored_text(section.text), row.id),
        )
    if row.readings != section.readings:
        db.run("DELETE FROM readings WHERE section_id = ?", (row.id,))
        _insert_readings(db, [(row.id, section)])


def _insert(
    db: Database,
    document_id: int,
    pairs: Sequence[SectionRow | None],
    new: Sequence[NewSection],
    positions: Sequence[float],
) -> list[int]:
    """Insert the new sections that have no old one; the ids of all."""
    number = int(db.value("SELECT coalesce(max(id), 0) FROM sections"))
    ids: list[int] = []
    fresh: list[tuple[int, NewSection]] = []
    rows = []
    for row, section, position in zip(pairs, new, positions, strict=True):
        if row is not None:
            ids.append(row.id)
            continue
        number += 1
        ids.append(number)
        fresh.append((number, section))
        text, heading = stored_text(section.text), stored_text(section.heading)
        rows.append((number, document_id, position, section.level, heading, text))
    db.run_many("INSERT INTO sections(id, document_id, position, level, heading, text) VALUES (?, ?, ?, ?, ?, ?)", rows)
    _insert_readings(db, fresh)
    return ids


def _insert_readings(db: Database, sections: Sequence[tuple[int, NewSection]]) -> None:
    db.run_many(
        'INSERT INTO readings(section_id, ordinal, "table", key, role) VALUES (?, ?, ?, ?, ?)',
        [
            (number, ordinal, reading.table, reading.key, reading.role)
            for number, section in sections
            for ordinal, reading in enumerate(section.readings)
        ],
    )


class _Bounds(Struct, frozen=True):
    """The sections around a run: their ids, None where the document begins or ends."""

    before: int | None
    behind: int | None


def _bounds(db: Database, document_id: int, old: Sequence[SectionRow]) -> _Bounds:
    last = "SELECT id FROM sections WHERE document_id = ? ORDER BY position DESC LIMIT 1"
    if not old:
        return _Bounds(db.value(last, (document_id,)), None)
    around = (
        "SELECT id FROM sections WHERE document_id = ? AND position {0} (SELECT position FROM sections WHERE id = ?)"
        " ORDER BY position {1} LIMIT 1"
    )
    return _Bounds(
        db.value(around.format("<", "DESC"), (document_id, old[0].id)),
        db.value(around.format(">", "ASC"), (document_id, old[-1].id)),
    )


def _positions(
    db: Database, document_id: int, pairs: Sequence[SectionRow | None], bounds: _Bounds
) -> list[float]:
    """A position for each new section, between its neighbours; where none is left the document is numbered anew."""
    found = _between(db, pairs, bounds)
    if found is None:
        db.run(
            """UPDATE sections SET position = n.number FROM (SELECT id, row_number() OVER (ORDER BY position) AS number
            FROM sections WHERE document_id = ?1) AS n WHERE sections.id = n.id AND document_id = ?1""",
            (document_id,),
        )
        found = _between(db, pairs, bounds)
    assert found is not None, "whole numbers leave room for a million sections between two"
    return found


def _between(db: Database, pairs: Sequence[SectionRow | None], bounds: _Bounds) -> list[float] | None:
    """The positions of the kept sections, with positions for the new ones spread between; None where too narrow."""
    ids = [bounds.before, *(row.id if row else None for row in pairs), bounds.behind]
    return _spread([None if number is None else _position(db, number) for number in ids])


def _spread(fixed: Sequence[float | None]) -> list[float] | None:
    """All of ``fixed`` but its ends, with its gaps filled evenly; None where a gap is too narrow to tell them apart.

    Where the run begins or ends the document (an end is None) positions go on in whole steps.
    """
    places: list[float] = []
    low, index = fixed[0], 1
    while index < len(fixed) - 1:
        following = next((i for i in range(index, len(fixed)) if fixed[i] is not None), len(fixed) - 1)
        high, left = fixed[following], following - index
        if high is None:
            step, first = _STEP, (0.0 if low is None else low) + _STEP
        elif low is None:
            step, first = _STEP, high - left * _STEP
        else:
            step = (high - low) / (left + 1)
            first = low + step
        if left and step < _CLOSE:
            return None
        places += (first + step * i for i in range(left))
        if following < len(fixed) - 1 and high is not None:
            places.append(high)
        low, index = high, following + 1
    return places


def _position(db: Database, section_id: int) -> float:
    return float(db.value("SELECT position FROM sections WHERE id = ?", (section_id,)))
