"""What the files must show because rows changed: changes per document, made by the writer.

Pure but for row look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from parser.document import At
from schema.records import Reading, Role, Table, Value
from syncd.model import Keyed, Shown, Sides, Verdict
from syncd.plan.carry import Birth, inserted, places_in, with_values, without
from syncd.plan.reconcile import reached, settled, shows
from writer.changes import Change, Remove, SetFields
from writer.put import put


class DocumentChanges(Struct):
    """All that is asked of one document. ``derived`` is brought along, and never the reason to write it."""

    sets: list[SetFields] = field(default_factory=list)
    removes: list[Remove] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    derived: list[SetFields] = field(default_factory=list)

    @property
    def asked(self) -> bool:
        """Whether rows ask for anything."""
        return bool(self.sets or self.removes or self.births)


class Emitted(Struct, frozen=True):
    """A document after its changes, with the sentences for what could not be shown in it."""

    keyed: Keyed
    refused: tuple[str, ...]


Plan = dict[str, DocumentChanges]


def plan_fields(
    plan: Plan, verdict: Verdict, sides: Sides, names: frozenset[str], unlabelled: frozenset[str] = frozenset(),
    usual: frozenset[str] = frozenset()
) -> None:
    """Ask every reading that a change by row reaches to show ``names`` as the row has them.

    Of those in ``unlabelled`` the bank has no label without a value; those in ``usual`` its tasks' own files have too.
    """
    if verdict.row is None or not names:
        return
    current = [shown for shown in sides.after if reached(sides.table, shown)]
    for shown in current:
        apart = _apart(sides, current, shown)
        stale = {
            n: _ordered(shown.reading.value(n), verdict.row.get(n))
            for n in names - apart
            if shown.reading.shows(n) and settled(n, shown.reading.value(n)) != settled(n, verdict.row.get(n))
        }
        elsewhere = _elsewhere(sides.table, shown, current)
        for group in _groups(shown.reading, stale):
            asked = SetFields(shown.at, group, verdict.row, elsewhere, unlabelled)
            plan.setdefault(shown.path, DocumentChanges()).sets.append(asked)
    place = next((s for s in current if s.role is Role.OWN or sides.table is not Table.TASKS), None)
    for name in sorted(names):
        value = verdict.row.get(name)
        own = name in usual and place is not None and place.role is Role.OWN
        telling = [s for s in current if s.reading.shows(name) and (s.role is Role.OWN or not own)]
        if place is not None and value not in (None, ()) and not telling:
            # No place says anything about it: a line may be given a description, a task's own file a field.
            plan.setdefault(place.path, DocumentChanges()).sets.append(SetFields(place.at, {name: value}))


def plan_derived(plan: Plan, verdict: Verdict, sides: Sides) -> None:
    """Ask for the derived values that ``verdict`` shows to be brought along where something else is written."""
    brought = Plan()
    plan_fields(brought, verdict, sides, verdict.show)
    for path, changes in brought.items():
        plan.setdefault(path, DocumentChanges()).derived += changes.sets


_HISTORY = frozenset({Table.ENTRIES, Table.MODIFICATIONS})


def _apart(sides: Sides, current: Sequence[Shown], shown: Shown) -> frozenset[str]:
    """The fields of an entry or its line that this place said otherwise before, while another said what the row did.

    History that disagreed is told in its own words; it does not follow.
    """
    if sides.table not in _HISTORY or len(current) < 2 or sides.base is None:
        return frozenset()
    base, apart = sides.base, set()
    for name in shown.reading.fields:
        agree = [s for s in current if s.reading.shows(name) and s.reading.value(name) == base.get(name)]
        if agree and shown not in agree:
            apart.add(name)
    return frozenset(apart)


def _elsewhere(table: Table, shown: Shown, current: Sequence[Shown]) -> frozenset[str]:
    """The fields of a task that its own document, or its section in another, shows too, and alike."""
    if table is not Table.TASKS or shown.role is not Role.REGISTRY:
        return frozenset()
    others = [s.reading for s in current if s.role in (Role.OWN, Role.DETAILS)]
    return frozenset(
        name
        for reading in others
        for name in reading.fields
        if name not in shown.reading.fields or shows(shown, name, reading.value(name))
    )


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


def plan_removal(plan: Plan, places: Sequence[Shown]) -> None:
    """Ask the documents to take out the text of a record whose row was deleted, at these ``places``."""
    for shown in places:
        plan.setdefault(shown.path, DocumentChanges()).removes.append(Remove(shown.at))


def make(path: str, keyed: Keyed, changes: DocumentChanges, name: Callable[[At], str]) -> Emitted:
    """Make the changes of one document. ``name`` gives the words for the record at an address, for refusals."""
    refused: list[str] = []
    asked, made = keyed, not changes.asked
    if sets := [*changes.sets, *changes.derived]:
        done = put(keyed.document, list(_merged(sets).values()))
        refused += [f"{name(_at(r.change))} cannot be shown in {path}: {r.reason}" for r in done.refused]
        keyed = with_values(keyed, done.document, sets)
        made |= not _merged(changes.sets).keys() <= {_asks(_set(r.change)) for r in done.refused}
    if changes.removes:
        now = places_in(keyed, asked, [change.at for change in changes.removes])
        places = {there: at for at, there in now.items() if there is not None}
        lost = [at for at, there in now.items() if there is None]
        refused += [f"{name(at)} cannot be taken out of {path}: it is not found there any more" for at in lost]
        done = put(keyed.document, [Remove(at) for at in places])
        kept = {_at(r.change): r.reason for r in done.refused}
        refused += [f"{name(places[at])} cannot be taken out of {path}: {why}" for at, why in kept.items()]
        keyed = without(keyed, places.keys() - kept.keys(), done.document)
        made |= places.keys() > kept.keys()
    for lines in (False, True):
        if births := [birth for birth in changes.births if (birth.parent is not None) is lines]:
            before, keyed = keyed, _born(path, keyed, births, refused)
            made |= keyed is not before
    return Emitted(keyed if made else asked, tuple(refused))


def _born(path: str, keyed: Keyed, births: Sequence[Birth], refused: list[str]) -> Keyed:
    """Insert records, all at once: such as stand by themselves, or lines of entries."""
    entries: dict[str, At] = {}
    if births[0].parent is not None:
        entries = {key: at for at, reading, key in _reversed(keyed) if reading.table is Table.ENTRIES}
    inserts = [replace(b.insert, parent=entries.get(b.parent)) if b.parent is not None else b.insert for b in births]
    done = put(keyed.document, inserts)
    why = {id(refusal.change): refusal.reason for refusal in done.refused}
    born: list[Birth] = []
    for birth, insert in zip(births, inserts, strict=True):
        if id(insert) in why:
            refused.append(f"{birth.table.value} {birth.key} cannot be shown in {path}: {why[id(insert)]}")
        else:
            born.append(birth)
    return inserted(keyed, done, born) if born else keyed


def _reversed(keyed: Keyed) -> Iterator[tuple[At, Reading, str]]:
    return reversed(list(keyed.readings()))


def _merged(sets: Sequence[SetFields]) -> dict[object, SetFields]:
    """Equal requests once, by what they ask."""
    return {_asks(change): change for change in sets}


def _asks(change: SetFields) -> object:
    return change.at, tuple(sorted(change.values.items()))


def _set(change: Change) -> SetFields:
    assert isinstance(change, SetFields)
    return change


def _at(change: Change) -> At:
    assert isinstance(change, SetFields | Remove)
    return change.at


def describe(table: Table, key: str, sides: Mapping[tuple[Table, str], Sides]) -> str:
    """The words for a record in a message: its table and id, and where it stands."""
    known = sides.get((table, key))
    place = next((f" ({s.path})" for s in known.after), "") if known else ""
    return f"{table.value} {key}{place}"
