"""Carry a text over to a newer base. Pure.

A writer that saves a whole file from what it read earlier knows nothing of what the database wrote since. Its changes
are the difference to the version that it had; those are made on the text of now, record by record and line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from parser.document import At, Document, parse
from schema.records import Reading, Table, Value
from syncd.model import Clash, Keyed, Side
from syncd.plan.identify import align
from syncd.plan.merge import LineClash, merge_texts
from writer.changes import Change, Insert, Remove, SetFields
from writer.put import put

_Places = dict[tuple[Table, str, str, int], tuple[At, Reading]]


class Rebased(Struct, frozen=True):
    """The merged text and what has to be told: the values that met, and the lines that met."""

    text: str
    clashes: tuple[Clash, ...]


def rebase(had: str, now: Keyed, saved: str, *, tell: bool) -> Rebased:
    """What the file should hold after somebody saved ``saved``, made from ``had``, while the bank moved on to ``now``.

    Where both changed one field, the file's value stands and is told as a clash. With ``tell``, the fields that the
    saved text would have reverted are told too (their value of now stands).
    """
    path = now.document.path
    base = keyed_like(now, parse(path, had, now.document))
    theirs = keyed_like(base, parse(path, saved, base.document))
    old, new, file = places(base), places(now), places(theirs)
    merged = merge_texts(had, saved, now.document.text)
    document = parse(path, merged.text, now.document)
    wanted, clashes = _wanted(path, old, new, file, tell)
    document = put(document, list(_field_changes(keyed_like(now, document), wanted))).document
    document = put(document, list(_record_changes(keyed_like(now, document), old, new, file))).document
    text = document.text
    told = _lines_of(clashes, now, new)
    clashes += [c for clash in merged.clashes for c in _line_clash(path, clash, text, told)]
    return Rebased(text, tuple(clashes))


def reverted(had: str, now: Keyed) -> tuple[Clash, ...]:
    """The values that go back when a text is put back to ``had``: told as clashes that the file won."""
    base = keyed_like(now, parse(now.document.path, had, now.document))
    old, new = places(base), places(now)
    return tuple(_wanted(now.document.path, old, new, old, True, Side.FILE)[1])


def keyed_like(base: Keyed, document: Document) -> Keyed:
    """``document`` with the keys that its readings share with ``base``; readings of its own have the key "?"."""
    return align(base, document).keyed("?")


def places(keyed: Keyed) -> _Places:
    """Readings by table, key, role and their number there."""
    found: _Places = {}
    counts: dict[tuple[Table, str, str], int] = {}
    for at, reading, key in keyed.readings():
        if key and key != "?":
            place = (reading.table, key, reading.role.value)
            number = counts[place] = counts.get(place, -1) + 1
            found[(*place, number)] = (at, reading)
    return found


def _wanted(
    path: str, old: _Places, new: _Places, file: _Places, tell: bool, kept: Side = Side.DB
) -> tuple[dict[tuple[Table, str, str, int], dict[str, Value]], list[Clash]]:
    """Field values of ``new`` that the saved text must be given, and the clashes."""
    wanted: dict[tuple[Table, str, str, int], dict[str, Value]] = {}
    clashes: list[Clash] = []
    for place, (_, before) in old.items():
        if place not in new or place not in file:
            continue
        now, saved = new[place][1], file[place][1]
        for name in before.fields.keys() & now.fields.keys() & saved.fields.keys():
            b, d, f = before.value(name), now.value(name), saved.value(name)
            if b == d or f == d:
                continue
            if f == b:
                wanted.setdefault(place, {})[name] = d
                if tell:
                    clashes.append(Clash(path, place[0], place[1], name, b, f, d, kept))
            else:
                clashes.append(Clash(path, place[0], place[1], name, b, f, d, Side.FILE))
    return wanted, list(dict.fromkeys(clashes))


def _field_changes(
    merged: Keyed, wanted: Mapping[tuple[Table, str, str, int], Mapping[str, Value]]
) -> Iterator[Change]:
    there = places(merged)
    for place, values in wanted.items():
        if place in there:
            at, reading = there[place]
            changed = {n: v for n, v in values.items() if n in reading.fields and reading.value(n) != v}
            if changed:
                yield SetFields(at, changed)


def _record_changes(merged: Keyed, old: _Places, new: _Places, file: _Places) -> Iterator[Change]:
    """Records that the bank gained or lost since, where the line merge did not bring that along."""
    there = places(merged)
    for place, (_, reading) in new.items():
        if place not in old and place not in file and place not in there and reading.table is not Table.MODIFICATIONS:
            values = {**reading.values(), "id": place[1]} if reading.table is Table.TASKS else reading.values()
            yield Insert(reading.table, values)
    for place, (at, _) in there.items():
        gone = place in old and place not in new
        if gone and place in file and file[place][1].values() == old[place][1].values():
            yield Remove(at)


def _lines_of(clashes: Iterable[Clash], now: Keyed, there: _Places) -> frozenset[str]:
    """The lines of now that show the fields of ``clashes``: what was lost of them is told with the field."""
    fields = {(clash.table, clash.key, clash.field) for clash in clashes}
    lines: set[str] = set()
    for (table, key, _, _), (at, reading) in there.items():
        text = now.document.sections[at.section].text
        for name, field in reading.fields.items():
            if (table, key, name) in fields:
                start, end = text.rfind("\n", 0, field.span.start) + 1, text.find("\n", field.span.end)
                lines.update(text[start : end if end >= 0 else len(text)].split("\n"))
    return frozenset(lines)


def _line_clash(path: str, clash: LineClash, text: str, told: frozenset[str]) -> Iterator[Clash]:
    """Lines of the database that stand nowhere now, unless they are among those ``told``."""
    lines = (line for line in clash.db.split("\n") if line.strip() and line not in told)
    lost = [line for line in lines if line not in clash.base and line not in text]
    if lost:
        yield Clash(path, "sections", path, "text", clash.base, clash.file, clash.db, Side.FILE)
