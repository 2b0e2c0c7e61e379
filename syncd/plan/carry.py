"""Which record each reading shows after its document was written: what stood there keeps its key, in order. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set

from msgspec import Struct

from parser.document import At, Document
from schema.records import Reading, Span, Table, Value
from syncd.model import Keyed, Keys
from syncd.plan.identify import align, natural_key, window
from writer.changes import Insert, SetFields
from writer.put import Put
from writer.verify import Mark, mark_of


class Birth(Struct, frozen=True):
    """A record to be inserted, with the keys that its readings will have: its own and its children's."""

    insert: Insert
    table: Table
    key: str
    parent: str | None = None  # key of the entry that a file modification belongs to
    children: tuple[str, ...] = ()


def places_in(new: Keyed, old: Keyed, asked: Sequence[At]) -> dict[At, At | None]:
    """Where the readings of ``old`` at ``asked`` stand in ``new``, each as one in order of those of its record."""
    if new is old:
        return {at: at for at in asked}
    records = {at: (old.document.at(at).table, old.keys[at.section][at.reading]) for at in asked}
    before, after = (_by_record(each, set(records.values())) for each in (old, new))
    found: dict[At, At | None] = {}
    for at, record in records.items():
        number, there = before[record].index(at), after.get(record, [])
        found[at] = there[number] if number < len(there) else None
    return found


def _by_record(keyed: Keyed, wanted: Set[tuple[Table, str]]) -> dict[tuple[Table, str], list[At]]:
    found: dict[tuple[Table, str], list[At]] = {}
    for at, reading, key in keyed.readings():
        if (reading.table, key) in wanted:
            found.setdefault((reading.table, key), []).append(at)
    return found


def inserted(old: Keyed, done: Put, born: Sequence[Birth]) -> Keyed:
    """The document with records put in: what begins in a stretch that was put in is new, all else is as it was."""
    if done.added is None:
        return carry(old, done.document, born)
    first, end_old, end_new = window(old.document, done.document)
    kept = [key for n in range(first, end_old) for key in old.keys[n]]
    tables = [r.table for n in range(first, end_old) for r in old.document.sections[n].readings]
    spots = list(_spots(done.document, first, end_new, done.added))
    if [reading.table for reading, fresh in spots if not fresh] != tables:
        return carry(old, done.document, born)
    names, standing, newborn = [], iter(kept), _Newborn(born)
    entry = _entry_before(old, first)
    for reading, fresh in spots:
        key = newborn.take(reading, entry) if fresh else next(standing)
        if key is None:
            return carry(old, done.document, born)
        entry = key if reading.table is Table.ENTRIES else entry
        names.append(key)
    left = iter(names)
    middle = (tuple(next(left) for _ in s.readings) for s in done.document.sections[first:end_new])
    return Keyed(done.document, (*old.keys[:first], *middle, *old.keys[end_old:]))


def _spots(document: Document, first: int, end: int, added: Sequence[Span]) -> Iterator[tuple[Reading, bool]]:
    """The readings of some sections, each with whether it begins in one of the stretches ``added``."""
    starts = [span.start for span in added]
    offset = sum(len(section.text) for section in document.sections[:first])
    for section in document.sections[first:end]:
        for reading in section.readings:
            place = offset + reading.span.start
            number = bisect_right(starts, place) - 1
            yield reading, number >= 0 and place < added[number].end
        offset += len(section.text)


def _entry_before(keyed: Keyed, section: int) -> str | None:
    """The key of the entry that is open where a section begins."""
    for number in range(section - 1, -1, -1):
        for reading, key in zip(reversed(keyed.document.sections[number].readings), reversed(keyed.keys[number])):  # noqa: B905
            if reading.table is Table.ENTRIES:
                return key
    return None


class _Newborn:
    """The records that were put in, to be named as they are met in the text."""

    def __init__(self, born: Sequence[Birth]) -> None:
        self._left: dict[object, list[tuple[Mapping[str, Value], str]]] = {}
        for birth in born:
            self._add(birth.parent, birth.table, birth.insert.values, birth.key)
            for key, values in zip(birth.children, birth.insert.children, strict=False):
                self._add(birth.key, Table.MODIFICATIONS, values, key)

    def _add(self, parent: str | None, table: Table, values: Mapping[str, Value], key: str) -> None:
        self._left.setdefault(self._place(parent, mark_of(table, values)), []).append((values, key))

    @staticmethod
    def _place(parent: str | None, mark: Mark) -> object:
        return parent, mark

    def take(self, reading: Reading, entry: str | None) -> str | None:
        """The key of the next record that ``reading``, below ``entry``, shows; None where there is none."""
        if (natural := natural_key(reading)) is not None:
            return natural
        owner = entry if reading.table is Table.MODIFICATIONS else None
        left = self._left.get(self._place(owner, mark_of(reading.table, reading.values())), [])
        for number, (values, key) in enumerate(left):
            if all(value in (None, ()) or reading.value(name) == value for name, value in values.items()):
                del left[number]
                return key
        return None


def without(old: Keyed, gone: Set[At], new: Document) -> Keyed:
    """``new`` with the keys of ``old`` but for the readings at ``gone``, which were taken out.

    Twins differ by place.
    """
    left = [(reading.table, key) for at, reading, key in old.readings() if at not in gone]
    if [table for table, _ in left] != [reading.table for _, reading in new.readings()]:
        return carry(old, new)
    keys = iter([key for _, key in left])
    return Keyed(new, tuple(tuple(next(keys) for _ in section.readings) for section in new.sections))


def carry(old: Keyed, new: Document, born: Sequence[Birth] = ()) -> Keyed:
    """``new`` with the keys of ``old``: readings keep their order; those of ``born`` are the ones that were added."""
    bounds, before, after = _differing(old, new)
    names = [(b.table, b.key) for b in born]
    names += [(Table.MODIFICATIONS, child) for b in born for child in b.children]
    return _in_window(old, new, bounds, _by_values(old.keys, before, after, names))


def with_values(old: Keyed, new: Document, sets: Sequence[SetFields]) -> Keyed:
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
    groups, fresh = _families(before), _families(after)
    spare = {spot[:2]: spot for spot, _ in groups if spot is not None}
    lines = {spot[:2] if spot else None: children for spot, children in groups}  # an entry may stand twice
    pairs: dict[tuple[int, int], tuple[int, int]] = {}
    for expects in (True, False):
        twins: dict[object, list[tuple[int, int]]] = {}
        for place, spot in reversed(spare.items()):
            twins.setdefault(_shown(spot, asked.get(place, {}) if expects else {}), []).append(place)
        for entry, _ in fresh:
            if entry is not None and entry[:2] not in pairs and (alike := twins.get(_shown(entry, {}))):
                pairs[entry[:2]] = alike.pop()
                del spare[pairs[entry[:2]]]
    rest = [entry[:2] for entry, _ in fresh if entry is not None and entry[:2] not in pairs]
    pairs |= zip(rest, spare, strict=False)
    found = {entry: keys[n][i] for entry, (n, i) in pairs.items()}
    for entry, children in fresh:
        old_lines = lines.get(pairs.get(entry[:2]) if entry else None, [])
        found |= {c[:2]: keys[o[0]][o[1]] for c, o in zip(children, old_lines, strict=False)}
    others = [[s for s in spots if s[2].table not in (Table.ENTRIES, Table.MODIFICATIONS)] for spots in (before, after)]
    return found | {a[:2]: keys[b[0]][b[1]] for b, a in zip(*others, strict=False) if a[2].table is b[2].table}


def _shown(spot: _Spot, changed: Mapping[str, Value]) -> object:
    return frozenset((n, v) for n, v in {**spot[2].values(), **changed}.items() if v is not None)


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
    from difflib import SequenceMatcher

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
