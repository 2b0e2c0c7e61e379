"""What the files must show because rows changed: changes per document, made by the writer.

Pure but for row look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from parser.document import At, Document
from schema.records import Reading, Role, Table, Value
from syncd.identify import align, natural_key, window
from syncd.model import Keyed, Keys, Sides, Verdict
from syncd.reconcile import reached, settled
from writer.changes import Change, Insert, Remove, SetFields
from writer.put import put


@dataclass(frozen=True, slots=True)
class Birth:
    """A record to be inserted, with the keys that its readings will have: its own and its children's."""

    insert: Insert
    table: Table
    key: str
    parent: str | None = None  # key of the entry that a file modification belongs to
    children: tuple[str, ...] = ()


@dataclass(slots=True)
class DocumentChanges:
    """All that is asked of one document."""

    sets: list[SetFields] = field(default_factory=list)
    removes: list[Remove] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Emitted:
    """A document after its changes, with the sentences for what could not be shown in it."""

    keyed: Keyed
    refused: tuple[str, ...]


Plan = dict[str, DocumentChanges]


def plan_fields(plan: Plan, verdict: Verdict, sides: Sides, names: frozenset[str]) -> None:
    """Ask every reading that a change by row reaches to show ``names`` as the row has them."""
    if verdict.row is None or not names:
        return
    current = [shown for shown in sides.after if reached(sides.table, shown)]
    for shown in current:
        stale = {
            n: _ordered(shown.reading.value(n), verdict.row.get(n))
            for n in names
            if shown.reading.shows(n) and settled(n, shown.reading.value(n)) != settled(n, verdict.row.get(n))
        }
        for group in _groups(shown.reading, stale):
            plan.setdefault(shown.path, DocumentChanges()).sets.append(SetFields(shown.at, group))
    place = next((s for s in current if s.role is Role.OWN or sides.table is not Table.TASKS), None)
    for name in sorted(names):
        value = verdict.row.get(name)
        if place is not None and value not in (None, ()) and not any(s.reading.shows(name) for s in current):
            # No place says anything about it: a line may be given a description, a task's own file a field.
            plan.setdefault(place.path, DocumentChanges()).sets.append(SetFields(place.at, {name: value}))


def _ordered(old: Value, new: Value) -> Value:
    """Dependencies in the order in which this place has them, new ones last."""
    if not isinstance(new, tuple):
        return new
    kept = [item for item in old if item in new] if isinstance(old, tuple) else []
    return (*kept, *(item for item in new if item not in kept))


def _groups(reading: Reading, stale: Mapping[str, Value]) -> list[dict[str, Value]]:
    """Fields that stand in the text together; each other one by itself, so that one refusal stops no other."""
    own = {n: v for n, v in stale.items() if n in reading.fields}
    return [group for group in (own, *({n: v} for n, v in stale.items() if n not in own)) if group]


def plan_removal(plan: Plan, sides: Sides) -> None:
    """Ask every document to take out the text of a record whose row was deleted."""
    for shown in sides.after:
        if reached(sides.table, shown):
            plan.setdefault(shown.path, DocumentChanges()).removes.append(Remove(shown.at))


def make(path: str, keyed: Keyed, changes: DocumentChanges, name: Callable[[At], str]) -> Emitted:
    """Make the changes of one document. ``name`` gives the words for the record at an address, for refusals."""
    refused: list[str] = []
    asked = keyed
    if changes.sets:
        done = put(keyed.document, _merged(changes.sets))
        refused += [f"{name(_at(r.change))} cannot be shown in {path}: {r.reason}" for r in done.refused]
        keyed = _with_values(keyed, done.document, changes.sets)
    if changes.removes:
        now = {change.at: _place_in(keyed, asked, change.at) for change in changes.removes}
        places = {there: at for at, there in now.items() if there is not None}
        lost = [at for at, there in now.items() if there is None]
        refused += [f"{name(at)} cannot be taken out of {path}: it is not found there any more" for at in lost]
        done = put(keyed.document, [Remove(at) for at in places])
        kept = {_at(r.change): r.reason for r in done.refused}
        refused += [f"{name(places[at])} cannot be taken out of {path}: {why}" for at, why in kept.items()]
        keyed = _without(keyed, places.keys() - kept.keys(), done.document)
    groups: dict[object, list[Birth]] = {}
    for birth in changes.births:
        own = (birth.table, birth.key) if birth.parent is None else None
        groups.setdefault(own or birth.parent, []).append(birth)
    for group in groups.values():
        keyed = _born(path, keyed, group, refused)
    return Emitted(keyed, tuple(refused))


def _born(path: str, keyed: Keyed, births: Sequence[Birth], refused: list[str]) -> Keyed:
    """Insert one record, or several lines of one entry at once."""
    inserts = [birth.insert for birth in births]
    if births[0].parent is not None:
        parent = _find(keyed, Table.ENTRIES, births[0].parent)
        inserts = [Insert(i.table, i.values, parent, i.children) for i in inserts]
    done = put(keyed.document, inserts)
    why = {id(refusal.change): refusal.reason for refusal in done.refused}
    born: list[tuple[Table, str]] = []
    for birth, insert in zip(births, inserts, strict=True):
        if id(insert) in why:
            refused.append(f"{birth.table.value} {birth.key} cannot be shown in {path}: {why[id(insert)]}")
        else:
            born += [(birth.table, birth.key), *((Table.MODIFICATIONS, child) for child in birth.children)]
    return carry(keyed, done.document, born) if born else keyed


def _merged(sets: Sequence[SetFields]) -> list[SetFields]:
    """Equal requests once."""
    return list({(c.at, tuple(sorted(c.values.items()))): c for c in sets}.values())


def _at(change: Change) -> At:
    assert isinstance(change, SetFields | Remove)
    return change.at


def _find(keyed: Keyed, table: Table, key: str) -> At | None:
    return next((at for at, reading, k in keyed.readings() if k == key and reading.table is table), None)


def _place_in(new: Keyed, old: Keyed, at: At) -> At | None:
    """Where the reading at ``at`` of ``old`` stands in ``new``, as one in order of those that show its record."""
    if new is old:
        return at
    table, key = old.document.at(at).table, old.keys[at.section][at.reading]
    before, after = ([a for a, r, k in each.readings() if r.table is table and k == key] for each in (old, new))
    number = before.index(at)
    return after[number] if number < len(after) else None


def _without(old: Keyed, gone: Set[At], new: Document) -> Keyed:
    """``new`` with the keys of ``old`` but for the readings at ``gone``, which were taken out.

    Twins differ by place.
    """
    left = [(reading.table, key) for at, reading, key in old.readings() if at not in gone]
    if [table for table, _ in left] != [reading.table for _, reading in new.readings()]:
        return carry(old, new, [])
    keys = iter([key for _, key in left])
    return Keyed(new, tuple(tuple(next(keys) for _ in section.readings) for section in new.sections))


def carry(old: Keyed, new: Document, born: Sequence[tuple[Table, str]]) -> Keyed:
    """``new`` with the keys of ``old``: readings keep their order; those of ``born`` are the ones that were added."""
    bounds, before, after = _differing(old, new)
    return _in_window(old, new, bounds, _by_values(old.keys, before, after, list(born)))


def _with_values(old: Keyed, new: Document, sets: Sequence[SetFields]) -> Keyed:
    """``new`` with the keys of ``old``, of which values were changed: no reading was added or removed.

    An entry whose date stands in a heading was moved below another one, with all its lines.
    """
    bounds, before, after = _differing(old, new)
    asked: dict[tuple[int, int], dict[str, Value]] = {}
    for change in sets:
        asked.setdefault((change.at.section, change.at.reading), {}).update(change.values)
    moves = any(
        "date" in values and r.table is Table.ENTRIES and "date" not in r.fields
        for n, i, r in before
        if (values := asked.get((n, i)))
    )
    if moves:
        found = _by_entry(old.keys, before, after, asked)
    elif _in_place(before, after, len(sets)):
        found = {(n, i): old.keys[a][b] for (n, i, _), (a, b, _) in zip(after, before, strict=True)}
    else:
        return align(old, new).keyed("")
    return _in_window(old, new, bounds, found)


def _differing(old: Keyed, new: Document) -> tuple[tuple[int, int, int], list[_Spot], list[_Spot]]:
    """The window of sections that differ, and the readings in it, before and after."""
    first, end_old, end_new = window(old.document, new)
    before = [(n, i, r) for n in range(first, end_old) for i, r in enumerate(old.document.sections[n].readings)]
    after = [(n, i, r) for n in range(first, end_new) for i, r in enumerate(new.sections[n].readings)]
    return (first, end_old, end_new), before, after


def _in_window(old: Keyed, new: Document, bounds: tuple[int, int, int], found: Mapping[tuple[int, int], str]) -> Keyed:
    """``new`` with the keys ``found`` for the window, and those of ``old`` outside."""
    first, end_old, end_new = bounds
    shift = end_new - end_old
    return Keyed(
        new,
        tuple(
            old.keys[n]
            if n < first
            else old.keys[n - shift]
            if n >= end_new
            else tuple(found.get((n, i), "") for i in range(len(section.readings)))
            for n, section in enumerate(new.sections)
        ),
    )


_Spot = tuple[int, int, Reading]


def _in_place(before: Sequence[_Spot], after: Sequence[_Spot], changed: int) -> bool:
    """Whether no reading moved: the same tables and ids in the same order, and few enough values that differ."""
    if [(r.table, natural_key(r)) for *_, r in before] != [(r.table, natural_key(r)) for *_, r in after]:
        return False
    # A line that names several files shares its description between as many readings.
    differing = sum(a[2].values() != b[2].values() for a, b in zip(before, after, strict=True))
    return differing <= 4 * changed


def _by_entry(
    keys: Keys, before: list[_Spot], after: list[_Spot], asked: Mapping[tuple[int, int], Mapping[str, Value]]
) -> dict[tuple[int, int], str]:
    """Pair entries by what they were asked to show, else by what they showed; their lines in order below each."""
    found: dict[tuple[int, int], str] = {}
    groups = _families(before)
    spare = [spot for spot, _ in groups if spot is not None]
    lines = {keys[s[0]][s[1]] if s else "": children for s, children in groups}
    fresh = _families(after)

    def look(spot: _Spot, changed: Mapping[str, Value]) -> dict[str, Value]:
        return {n: v for n, v in {**spot[2].values(), **changed}.items() if v is not None}

    for expects in (True, False, None):
        for spot, _ in fresh:
            if spot is None or spot[:2] in found:
                continue
            wanted = look(spot, {})
            twins = (s for s in spare if expects is None or look(s, asked.get(s[:2], {}) if expects else {}) == wanted)
            twin = next(twins, None)
            if twin is not None:
                spare.remove(twin)
                found[spot[:2]] = keys[twin[0]][twin[1]]
    for spot, children in fresh:
        old_lines = lines.get(found.get(spot[:2], "") if spot else "", [])
        found |= {c[:2]: keys[o[0]][o[1]] for c, o in zip(children, old_lines, strict=False)}
    rest = [[s for s in spots if s[2].table not in (Table.ENTRIES, Table.MODIFICATIONS)] for spots in (before, after)]
    return found | {a[:2]: keys[b[0]][b[1]] for b, a in zip(*rest, strict=False) if a[2].table is b[2].table}


def _families(spots: Sequence[_Spot]) -> list[tuple[_Spot | None, list[_Spot]]]:
    """Entries with the file modifications below each; None for those below an entry that stands further up."""
    groups: list[tuple[_Spot | None, list[_Spot]]] = [(None, [])]
    for spot in spots:
        if spot[2].table is Table.ENTRIES:
            groups.append((spot, []))
        elif spot[2].table is Table.MODIFICATIONS:
            groups[-1][1].append(spot)
    return groups


def _by_values(
    keys: Keys, before: list[_Spot], after: list[_Spot], born: list[tuple[Table, str]]
) -> dict[tuple[int, int], str]:
    """Pair readings by equal values in order; what is left over was moved, or is one of ``born``."""

    def look(spot: _Spot) -> object:
        reading = spot[2]
        return (reading.table, reading.role, tuple(sorted(reading.values().items(), key=lambda item: item[0])))

    left, right = [look(s) for s in before], [look(s) for s in after]
    found: dict[tuple[int, int], str] = {}
    spare = dict.fromkeys(range(len(before)))
    for a, b, size in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        for step in range(size):
            found[after[b + step][:2]] = keys[before[a + step][0]][before[a + step][1]]
            spare.pop(a + step)
    for number, spot in enumerate(after):
        if spot[:2] in found:
            continue
        natural = natural_key(spot[2])
        twin = next((a for a in spare if left[a] == right[number]), None)
        if natural is not None:
            found[spot[:2]] = natural
        elif twin is not None:
            spare.pop(twin)
            found[spot[:2]] = keys[before[twin][0]][before[twin][1]]
        else:
            position = next((i for i, (table, _) in enumerate(born) if table is spot[2].table), None)
            if position is not None:
                found[spot[:2]] = born.pop(position)[1]
    return found


def describe(table: Table, key: str, sides: Mapping[tuple[Table, str], Sides]) -> str:
    """The words for a record in a message: its table and id, and where it stands."""
    known = sides.get((table, key))
    place = next((f" ({s.path})" for s in known.after), "") if known else ""
    return f"{table.value} {key}{place}"

