"""Which row each reading of a document shows, where nobody kept note of it: by equal values, then by likeness. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from parser.document import At
from schema.records import Reading, Value
from writer.told import same

Values = Mapping[str, Value]


class Pairs(Struct, frozen=True):
    """Readings with the key of their row, in the order of the text; readings and keys that are left over."""

    pairs: list[tuple[At, Reading, str]]
    readings: list[tuple[At, Reading]]
    keys: list[str]


def pair(readings: Sequence[tuple[At, Reading]], rows: Mapping[str, Values], marks: Sequence[str]) -> Pairs:
    """Pair ``readings`` with ``rows``.

    A reading is first paired with a row that has all its values; a row that two places show, with both. The rest go
    with the row that agrees in most of the fields ``marks``, in at least half of them, in order.
    """
    found: dict[At, str] = {}
    free = dict(rows)
    rest: list[tuple[At, Reading]] = []
    for at, reading in readings:
        key = _equal(reading, free) or _equal(reading, rows)
        if key is None:
            rest.append((at, reading))
        else:
            found[at] = key
            free.pop(key, None)
    left: list[tuple[At, Reading]] = []
    for at, reading in rest:
        scored = [(_score(reading, row, marks), -number, key) for number, (key, row) in enumerate(free.items())]
        best = max(scored, default=(0, 0, ""))
        if 2 * best[0] >= len(marks):
            found[at] = best[2]
            del free[best[2]]
        else:
            left.append((at, reading))
    return Pairs([(at, r, found[at]) for at, r in readings if at in found], left, list(free))


def _equal(reading: Reading, rows: Mapping[str, Values]) -> str | None:
    values = {name: value for name, value in reading.values().items() if value not in (None, (), "")}
    if not values:
        return None
    return next((key for key, row in rows.items() if all(row.get(n) == v for n, v in values.items())), None)


def _score(reading: Reading, row: Values, marks: Sequence[str]) -> int:
    return sum(reading.value(name) is not None and reading.value(name) == row.get(name) for name in marks)


def differing(reading: Reading, row: Values) -> dict[str, Value]:
    """The fields that ``reading`` shows with another value than ``row`` has, as the row has them."""
    return {name: row[name] for name, value in reading.values().items() if name in row and not same(value, row[name])}
