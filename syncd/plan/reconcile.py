"""What becomes of a record whose base, file and database sides are known. Pure: no I/O, no clock.

The table of the fifteen cases (``-`` absent; equal letters are equal values):

====  ====  ====  ====  ===============================  ==================================
 #    base  file  db    meaning                          decision
====  ====  ====  ====  ===============================  ==================================
 1     -     -     -    nothing                          nothing
 2     x     x     x    all agree                        nothing
 3     x     -     -    deleted on both sides            adopt (forget the base)
 4     -     x     x    created alike                    adopt
 5     x     y     y    same edit on both sides          adopt
 6     -     x     -    new in the file                  to db
 7     x     y     x    edited in the file               to db
 8     x     -     x    deleted in the file              to db
 9     -     -     x    new in the database              to file
10     x     x     y    edited in the database           to file
11     x     x     -    deleted in the database          to file
12     -     x     y    created differently              clash
13     x     y     -    edited in file, deleted in db    clash (the edit is kept)
14     x     -     y    deleted in file, edited in db    clash (the edit is kept)
15     x     y     z    edited differently               clash (field by field)
====  ====  ====  ====  ===============================  ==================================
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from schema.records import FIELDS, FOLLOWING, PRECEDENCE, Role, Table, Value
from syncd.model import Clash, Row, Shown, Side, Sides, Verdict


class Decision(Enum):
    """Which side has to move."""

    NOTHING = "nothing"
    ADOPT = "adopt"
    TO_DB = "to db"
    TO_FILE = "to file"
    CLASH = "clash"


def decide(base: object, file: object, db: object, first: Side | None = None) -> Decision:
    """The fifteen cases. Symmetric in ``file`` and ``db``; None means absent.

    ``first`` is the side that alone may change what is there (mode database-first: the database): what only the other
    side changed is a clash too. What is new on the other side is still taken over, since nothing stands against it.
    Symmetric in the sides together with ``first``.
    """
    if file == db:
        return Decision.NOTHING if file == base else Decision.ADOPT
    # Here the sides differ, so at most one of them equals the base.
    if db == base:
        return Decision.CLASH if first is Side.DB and base is not None else Decision.TO_DB
    if file == base:
        return Decision.CLASH if first is Side.FILE and base is not None else Decision.TO_FILE
    # Both moved away from the base, to different places.
    return Decision.CLASH


def merge_sets(base: Sequence[str], file: Sequence[str], db: Sequence[str]) -> tuple[str, ...]:
    """Three-way merge of ordered sets: what either side added is in, what either side removed is out."""
    gone = {item for item in base if item not in file or item not in db}
    merged = [item for item in file if item not in gone]
    merged += [item for item in db if item not in gone and item not in merged]
    return tuple(dict.fromkeys(merged))


def unite(sides: Sides) -> Verdict:
    """Decide one record where the database is no ancestor of the files: nothing is deleted on either side.

    Where both have it, what the files say is newer. Lines that belong to a record which the files still show follow
    their document, whose text is newer as a whole.
    """
    file = file_row(sides)
    if file is None and sides.db is not None and sides.table not in _LINES:
        return Verdict(sides.table, sides.key, sides.db, insert=True)
    if file is not None and sides.db is None:
        return Verdict(sides.table, sides.key, file)
    return reconcile(sides)


_LINES = frozenset({Table.SUBTASKS, Table.MODIFICATIONS})


def reconcile(sides: Sides, winner: Side = Side.FILE, first: Side | None = None) -> Verdict:
    """Decide one record. ``winner`` is the side whose value stands where both changed a field differently.

    ``first`` is the side that alone may change a record which is there (`decide`); the other side's value is kept.
    """
    file = file_row(sides)
    if sides.db is None and file is None:
        return Verdict(sides.table, sides.key, None)
    if file is None and sides.db is not None:
        return _gone_from_file(sides, sides.db)
    assert file is not None
    if sides.db is None:
        return _not_in_database(sides, file)
    if not sides.before and not sides.after:
        # No document shows it, because none could; now that its row is another, one may.
        return Verdict(sides.table, sides.key, sides.db, insert=bool(_changed(sides.table, file, sides.db)))
    return _both_present(sides, file, sides.db, winner, first)


def _gone_from_file(sides: Sides, db: Row) -> Verdict:
    """No reading is left in the files. Here the row exists, so the record was deleted there or never was there."""
    if sides.base is None:
        return Verdict(sides.table, sides.key, db, insert=True)
    changed = _changed(sides.table, sides.base, db)
    if not changed:
        return Verdict(sides.table, sides.key, None)
    # Deleted in the file, edited in the database: the edit is kept and its text comes back.
    clashes = tuple(
        Clash(
            _where(sides.before), sides.table, sides.key, name, sides.base.get(name), None, db.get(name), Side.DB, True
        )
        for name in changed
    )
    return Verdict(sides.table, sides.key, db, insert=True, clashes=clashes)


def _not_in_database(sides: Sides, file: Row) -> Verdict:
    """The files show the record. Here there is no row: it is new in the files, or was deleted in the database."""
    if sides.base is None:
        return Verdict(sides.table, sides.key, file)
    changed = _changed(sides.table, sides.base, file)
    if not changed:
        return Verdict(sides.table, sides.key, None, remove=True)
    # Edited in the file, deleted in the database: the edit is kept and the row comes back.
    clashes = tuple(
        Clash(
            _where(sides.after), sides.table, sides.key, name,
            sides.base.get(name), file.get(name), None, Side.FILE, True,
        )
        for name in changed
    )
    return Verdict(sides.table, sides.key, file, clashes=clashes)


def _both_present(sides: Sides, file: Row, db: Row, winner: Side, first: Side | None) -> Verdict:
    """Both sides have the record: field by field."""
    base = sides.base or {}
    row: dict[str, Value] = {name: db.get(name) for name in FIELDS[sides.table]}
    show, from_file, clashes = set(), set(), []
    for name in FIELDS[sides.table]:
        b, f, d = (settled(name, side.get(name)) for side in (base, file, db))
        match decide(b or None, f or None, d or None, first):
            case Decision.NOTHING | Decision.ADOPT:
                if b != d:
                    show.add(name)  # the readings of other places may still show the old value
            case Decision.TO_DB:
                row[name] = f
                from_file.add(name)
            case Decision.TO_FILE:
                show.add(name)
                clashes += _overruled(sides, name, b, d)
            case Decision.CLASH:
                row[name], kept = _clash(name, b, f, d, winner) if first is None else (d, Side.DB)
                show.add(name)
                if kept is not None:
                    where = _where(tuple(s for s in sides.after if s.reading.value(name) == f) or sides.after)
                    clashes.append(Clash(where, sides.table, sides.key, name, b, f, d, kept))
    follow = frozenset(name for name in from_file if name not in show and _follows(sides, name, row.get(name)))
    edited = [n for n in _changed(sides.table, base, row) if n in show] if sides.base is not None else []
    restore = _deleted_from(sides) if edited else ()
    clashes += [
        Clash(path, sides.table, sides.key, name, base.get(name), None, row.get(name), Side.DB)
        for path in restore
        for name in edited
    ]
    return Verdict(
        sides.table, sides.key, row, show=frozenset(show), follow=follow, restore=restore, clashes=tuple(clashes)
    )


def _overruled(sides: Sides, name: str, base: Value, db: Value) -> list[Clash]:
    """Places that came by hand and say something of their own, which is written over by what the row says now."""
    if not sides.before or sides.before == sides.after:
        return []
    came = [s for s in _came(sides) if reached(sides.table, s) and s.reading.shows(name) and _says(s, name)]
    said = [(s.path, settled(name, s.reading.value(name))) for s in came]
    return [
        Clash(path, sides.table, sides.key, name, base, value, db, Side.DB)
        for path, value in said
        if value not in (base, db)
    ]


def _came(sides: Sides) -> list[Shown]:
    """The places that are shown now and were not before."""
    known = _by_place(sides.before)
    return [s for place, s in _by_place(sides.after).items() if place not in known]


def _deleted_from(sides: Sides) -> tuple[str, ...]:
    """Documents that lost their reading of a record which others still show.

    One that appeared elsewhere moved there.
    """
    if sides.table not in (Table.ENTRIES, Table.MODIFICATIONS):
        return ()
    before, after = {s.path for s in sides.before}, {s.path for s in sides.after}
    return tuple(sorted(before - after)) if after <= before else ()


def _clash(name: str, b: Value, f: Value, d: Value, winner: Side) -> tuple[Value, Side | None]:
    """The value that stands where both sides changed a field, and the side that won; None where both did."""
    if name == "dependencies":
        return merge_sets(_items(b), _items(f), _items(d)), None
    return (f, Side.FILE) if winner is Side.FILE else (d, Side.DB)


def _items(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def file_row(sides: Sides) -> Row | None:
    """The row as the files have it now; None where no reading is left that once was there.

    A record that no file ever showed is on the file side what it is in the base.
    """
    if not sides.after:
        return None if sides.before or sides.base is None else sides.base
    if sides.base is None and not sides.before:
        # Nothing was agreed on yet: the places say what they say, in order of precedence.
        shown = sides.after if len(sides.after) == 1 else tuple(sorted(sides.after, key=_rank))
        return {name: settled(name, _first_said(name, shown)) for name in FIELDS[sides.table]}
    base = sides.base or {}
    return {name: settled(name, file_value(name, base.get(name), sides)) for name in FIELDS[sides.table]}


def file_value(name: str, base: Value, sides: Sides) -> Value:
    """What the files say that field ``name`` is, given what was agreed on.

    1. Where readings changed their value, the one of highest precedence says it; so does a reading that is new and
       outranks all others. 2. Where the agreed value is no longer shown but was, the reading of highest precedence
       says it. 3. Otherwise nothing was said: the agreed value stands, even where readings drift from it.
    """
    after = [s for s in sides.after if s.reading.shows(name)]
    before = [s for s in sides.before if s.reading.shows(name)]
    changed = _news(name, sides)
    if changed:
        return min(changed, key=_rank).reading.value(name)
    if sides.base is None:
        return _first_said(name, sorted(after, key=_rank))
    if not before or any(shows(s, name, base) for s in after):
        return base
    if after and not any(shows(s, name, base) for s in before):
        return base  # drift: no place showed the agreed value before either
    return _first_said(name, sorted(after, key=_rank))


def _first_said(name: str, shown: Sequence[Shown]) -> Value:
    """The first value, in the order of precedence; a place left open (``-``) says nothing."""
    return next((s.reading.value(name) for s in shown if _says(s, name)), None)


def _says(shown: Shown, name: str) -> bool:
    """Whether a reading shows a value for ``name`` and not an open place."""
    return shown.reading.value(name) not in (None, ())


def shows(shown: Shown, name: str, value: Value) -> bool:
    """Whether a reading shows field ``name`` with this value."""
    return shown.reading.shows(name) and settled(name, shown.reading.value(name)) == settled(name, value)


def _news(name: str, sides: Sides) -> list[Shown]:
    """Readings that say something new about ``name``: changed ones, and new ones that outrank all others."""
    earlier = _by_place(sides.before)
    news = []
    for place, shown in _by_place(sides.after).items():
        reading = shown.reading
        if not reading.shows(name):
            continue
        old = earlier.get(place)
        if old is not None and old.reading.shows(name):
            if not shows(old, name, reading.value(name)):
                news.append(shown)
        elif _says(shown, name) and all(
            _rank(shown) < _rank(s) for s in sides.after if s is not shown and _says(s, name)
        ):
            news.append(shown)
    return news


def _by_place(shown: Sequence[Shown]) -> dict[tuple[str, str, int], Shown]:
    """Readings by document, role and their number there: how one reading is found again after an edit."""
    counts: dict[tuple[str, str], int] = {}
    places = {}
    for s in shown:
        place = (s.path, s.role.value)
        number = counts[place] = counts.get(place, -1) + 1
        places[(*place, number)] = s
    return places


def settled(name: str, value: Value) -> Value:
    """The form in which two values of a field are compared and stored: dependencies are a sorted set."""
    return tuple(sorted(set(value or ()))) if name == "dependencies" else value


def _rank(shown: Shown) -> tuple[int, str, int, int]:
    return (PRECEDENCE[shown.role], shown.path, shown.at.section, shown.at.reading)


def reached(table: Table, shown: Shown) -> bool:
    """Whether a reading is brought along when its row changes. A task's readings in history and archives never are."""
    return table is not Table.TASKS or shown.role in FOLLOWING


def leaving(sides: Sides, with_task: bool) -> list[Shown]:
    """The readings whose text goes because the record's row was deleted.

    A checklist item stays in an archive, which is history, where its whole task goes (``with_task``) or where it stands
    in another document as well. One that only an archive shows is taken out there: somebody deleted just this.
    """
    places = [s for s in sides.after if reached(sides.table, s)]
    if sides.table is not Table.SUBTASKS:
        return places
    current = [s for s in places if s.role is not Role.ARCHIVE]
    return current if current or with_task else places


def stale_readings(sides: Sides, name: str, value: Value) -> list[Shown]:
    """Current readings of a task that show ``name`` with another value: those that follow a manual edit."""
    if sides.table is not Table.TASKS:
        return []
    return [
        s
        for s in sides.after
        if s.role in FOLLOWING and s.reading.shows(name) and not shows(s, name, value)
    ]


def _follows(sides: Sides, name: str, value: Value) -> bool:
    """Whether other places are brought to a value that was edited by hand.

    Not where a place that was written just now says something else: nothing tells which is meant, so that is drift.
    """
    stale, base = stale_readings(sides, name, value), (sides.base or {}).get(name)
    if not stale:
        return False
    came = _came(sides)
    return not any(s in came and not shows(s, name, base) for s in stale)


def _changed(table: Table, base: Row, row: Row) -> list[str]:
    return [n for n in FIELDS[table] if settled(n, base.get(n)) != settled(n, row.get(n))]


def _where(shown: Sequence[Shown]) -> str:
    return min(shown, key=_rank).path if shown else ""
