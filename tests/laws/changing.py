"""Random changes of what a document shows, and what must then be so."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from parser.document import At, Document, parse
from schema.records import FIELDS, Place, Priority, Reading, Role, Span, Status, Table, Value
from writer.changes import Change, Remove, SetFields
from writer.put import Put, put

_TEXTS = (
    "Tide tables",
    "x",
    "Höhe | Breite",
    "two  spaces",
    "`code` and **bold**",
    "🙂",
    "a — b: c",
    "T1: T2",
    "# hash",
)
_DATES = ("2026-01-02", "2025-12-31 23:59", "2026-03-06 18:35:10")
_IDS = ("T1", "T3a", "META-1", "T77")


def new_value(table: Table, name: str, chance: random.Random) -> Value:
    """A value that a row could hold for this field; now and then nothing."""
    if chance.random() < 0.1:
        return () if name == "dependencies" else None
    if name == "status" and table in (Table.TASKS, Table.SUBTASKS):
        return chance.choice(list(Status)).value
    if name == "priority":
        return chance.choice(list(Priority)).value
    if name == "dependencies":
        return tuple(chance.sample(_IDS, chance.randint(0, 3)))
    if name in ("started", "completed", "last_updated", "timestamp", "start_time", "end_time"):
        return chance.choice(_DATES)
    if name in ("date", "session_date"):
        return chance.choice(_DATES)[:10]
    if name == "time":
        return chance.choice(("07:05", "19:30:00"))
    if name == "timezone":
        return chance.choice(("UTC", "IST"))
    if name == "task_id":
        return chance.choice(("T1", "T3a, T4"))
    if table is Table.COUNTS or name.endswith("_count"):
        return str(chance.randint(0, 40))
    return chance.choice(_TEXTS)


def random_changes(document: Document, chance: random.Random, most: int) -> list[Change]:
    """Up to ``most`` changes, of as many readings. A text that shows two records is asked for one value at most."""
    asked: set[tuple[int, Span]] = set()
    fixed = (Table.SESSIONS, Table.CACHE) if chance.random() < 0.8 else ()
    readings = [(at, r) for at, r in document.readings() if r.fields or r.table not in fixed]
    chosen = chance.sample(readings, min(len(readings), chance.randint(1, most)))
    changes: list[Change] = []
    for at, reading in sorted(chosen, key=lambda item: item[0]):
        names = [
            name
            for name, field in reading.fields.items()
            if name in FIELDS[reading.table] and (at.section, field.span) not in asked
        ]
        if names and chance.random() < 0.85:
            picked = chance.sample(names, min(len(names), chance.choice((1, 1, 1, 2))))
            changes.append(SetFields(at, {n: new_value(reading.table, n, chance) for n in picked}))
            asked |= {(at.section, reading.fields[name].span) for name in picked}
        elif reading.table not in (Table.HEADER, Table.COUNTS, *fixed):
            changes.append(Remove(at))
    return changes


def broken_law(document: Document, changes: Sequence[Change]) -> str | None:
    """Whether PutGet or locality is broken by making ``changes``: which, and by what. None if both hold."""
    done = put(document, changes)
    refused = [refusal.change for refusal in done.refused]
    made = [change for change in changes if change not in refused]
    if not made:
        return None if done.document.text == document.text else "refused changes moved a byte"
    again = parse(document.path, done.document.text)
    if again != done.document:
        return "the document that was given back is not the parse of its text"
    if all(isinstance(change, SetFields) for change in made):
        sets = [change for change in made if isinstance(change, SetFields)]
        if _tasks(document) != _tasks(done.document):  # rows went to the table of their new status
            return _lost(document, done, sets) or _missing(document, done, sets)
        return _lost(document, done, sets) or _strayed(document, done, sets)
    return _lost_readings(document, done, made)


def _plain(name: str, value: Value) -> object:
    if name == "dependencies":
        return frozenset(value or ())
    return value or None


def _lost(document: Document, done: Put, sets: Sequence[SetFields]) -> str | None:
    """Whether a reading is not what it was with the changes. Fields that share a span change together."""
    before, after = list(document.readings()), [reading for _, reading in done.document.readings()]
    if len(before) != len(after):
        return f"{len(before)} readings became {len(after)}"
    asked: dict[At, dict[str, Value]] = {}
    for change in sets:
        asked.setdefault(change.at, {}).update(change.values)
    touched = {
        (change.at.section, document.at(change.at).fields[name].span)
        for change in sets
        for name in change.values
        if name in document.at(change.at).fields
    }
    if _tasks(document) != _tasks(done.document):
        if len({key for _, key in _tasks(document)}) < len(_tasks(document)):
            return None  # which of two rows of one task went where cannot be told by their places
        before.sort(key=lambda item: _of_task(item[1]))
        after.sort(key=_of_task)
    for (at, old), new in zip(before, after, strict=True):
        wrong = _differing(at, old, new, asked.get(at, {}), touched)
        if wrong:
            return f"{old.table} {old.key!r} {wrong}"
    return None


def _tasks(document: Document) -> list[tuple[int, str]]:
    return [(at.section, reading.key) for at, reading in document.readings() if reading.role is Role.REGISTRY]


def _of_task(reading: Reading) -> tuple[str, str, str]:
    return reading.table.value, reading.role.value, reading.key if reading.table is Table.TASKS else ""


def _differing(
    at: At, old: Reading, new: Reading, asked: Mapping[str, Value], touched: set[tuple[int, object]]
) -> str | None:
    if (old.table, old.role) != (new.table, new.role) or (old.table is Table.TASKS and old.key != new.key):
        return f"became {new.table} {new.key!r}"
    for name in sorted(old.values().keys() | new.values().keys()):
        wanted = asked.get(name, old.value(name))
        if _plain(name, new.value(name)) == _plain(name, wanted):
            continue
        if name in asked:
            return f"{name} is {new.value(name)!r}, not {wanted!r}"
        if not _depends(at, old, name, touched):
            return f"{name} was {old.value(name)!r} and became {new.value(name)!r}"
    return None


def _depends(at: At, old: Reading, name: str, touched: set[tuple[int, object]]) -> bool:
    """Whether the field holds, or is the same text as, one that was changed; or says what a place above it says."""
    own = old.fields.get(name)
    if own is None:
        return True
    return any(
        section == at.section and not (span.end < own.span.start or own.span.end < span.start)  # type: ignore[attr-defined]
        for section, span in touched
    )


def _strayed(document: Document, done: Put, sets: Sequence[SetFields]) -> str | None:
    """Whether text outside the changed fields differs.

    A value that is replaced by another allows its own characters (and the padding of its cell, the blank lines around
    its block) to differ. Where a value comes or goes, what separates it goes with it: its lines are allowed, as is a
    line that names files, which may be split; and of an error, whose values come with labels, its section.
    """
    text = document.text
    allowed = bytearray(len(text) + 1)
    offset, starts = 0, []
    for section in document.sections:
        starts.append(offset)
        offset += len(section.text)
    for change in sets:
        reading, start = document.at(change.at), starts[change.at.section]
        for name, value in change.values.items():
            field = reading.fields[name]
            first, last = start + field.span.start, start + field.span.end
            if reading.table is Table.ERRORS:
                first, last = start + reading.span.start, start + reading.span.end
            elif not value or not field.value or reading.table is Table.MODIFICATIONS:
                first, last = text.rfind("\n", 0, first) + 1, (text.find("\n", last) + 1 or len(text) + 1) - 1
            elif field.place is not Place.LINE:
                first, last = _padding(text, first, last)
            allowed[first : last + 1] = b"\1" * (last + 1 - first)
    return _outside(text, done.document.text, allowed)


def _missing(document: Document, done: Put, sets: Sequence[SetFields]) -> str | None:
    """Whether a line went that shows nothing of what was changed."""
    allowed: Counter[str] = Counter()
    for change in sets:
        text, reading = document.sections[change.at.section].text, document.at(change.at)
        for span in (reading.span, *(field.span for field in reading.fields.values())):
            first = text.rfind("\n", 0, span.start) + 1
            allowed.update(text[first : (text.find("\n", span.end) + 1 or len(text) + 1) - 1].split("\n"))
    gone = Counter(document.text.split("\n")) - Counter(done.document.text.split("\n")) - allowed
    strayed = [line for line in gone if line.strip()]
    return f"lines that nothing was asked of are gone: {strayed[:2]}" if strayed else None


def _padding(text: str, first: int, last: int) -> tuple[int, int]:
    while first > 0 and text[first - 1] in " \t\r\n":
        first -= 1
    while last < len(text) and text[last] in " \t\r\n":
        last += 1
    return first, last


def _outside(old: str, new: str, allowed: bytearray) -> str | None:
    """Walk through the stretches that may not differ: each must stand in ``new``, in order, the ends at the ends."""
    kept, start = [], None
    for number in range(len(old)):
        if not allowed[number]:
            start = number if start is None else start
        elif start is not None:
            kept.append(old[start:number])
            start = None
    if start is not None:
        kept.append(old[start:])
    position = 0
    for piece in kept:
        found = new.find(piece, position)
        if found < 0:
            return f"text outside the changed fields is not what it was: {piece[:80]!r}"
        position = found + len(piece)
    if old and not allowed[0] and kept and not new.startswith(kept[0]):
        return "text before the first changed field differs"
    if start is not None and not new.endswith(kept[-1]):
        return "text behind the last changed field differs"
    return None


def _lost_readings(document: Document, done: Put, made: Sequence[Change]) -> str | None:
    """Records that went or came without being asked for."""
    gone = {change.at for change in made if isinstance(change, Remove)}
    sets = [change for change in made if isinstance(change, SetFields)]
    spans = {(c.at.section, document.at(c.at).fields[n].span) for c in sets for n in c.values}
    changed = {at for at, r in document.readings() if any((at.section, f.span) in spans for f in r.fields.values())}
    changed |= {change.at for change in sets}
    after = [(r.table, r.role, _look(r)) for _, r in done.document.readings()]
    removed = [(at.section, document.at(at).span) for at in gone]
    for at, reading in document.readings():
        within = any(
            s == at.section and span.start <= reading.span.start and reading.span.end <= span.end for s, span in removed
        )
        if at in gone or at in changed or within or _belongs(document, at, gone):
            continue
        look = (reading.table, reading.role, _look(reading))
        if look in after:
            after.remove(look)
        elif not _around(document, at, gone):
            return f"{reading.table} {reading.key!r} is gone"
    return None


def _look(reading: Reading) -> object:
    return tuple(sorted((n, str(_plain(n, v))) for n, v in reading.values().items() if _plain(n, v)))


def _around(document: Document, at: At, gone: set[At]) -> bool:
    """Whether a field of the reading holds the place of a removed one: then it says less now."""
    return any(
        at.section == g.section
        and any(
            f.span.start <= document.at(g).span.start and document.at(g).span.end <= f.span.end
            for f in document.at(at).fields.values()
        )
        for g in gone
    )


def _belongs(document: Document, at: At, gone: set[At]) -> bool:
    """Modifications go with their entry, checklist items and other places of one document with their task."""
    reading = document.at(at)
    if reading.table is Table.MODIFICATIONS:
        above = [a for a, r in document.readings() if r.table is Table.ENTRIES and a < at]
        return bool(above) and above[-1] in gone
    tasks = {document.at(g).key for g in gone if document.at(g).table is Table.TASKS}
    return (reading.table is Table.TASKS and reading.key in tasks) or (reading.table is Table.SUBTASKS and bool(tasks))
