"""Whether a text that was written holds exactly what was intended: the old readings with the changes, nothing else.

Both documents are compared reading by reading. Sections at both ends that the parser took over as they are need no
look. `why_not` answers with a sentence; no sentence means well.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct, field

from parser.document import At, Document, Section
from schema.records import Field, Place, Reading, Role, Span, Table, Value
from writer.changes import Change, Insert, Remove, SetFields
from writer.edits import Edit

CHILDREN: Mapping[Table, Table] = {Table.ENTRIES: Table.MODIFICATIONS, Table.TASKS: Table.SUBTASKS}
"""What belongs to a record and comes and goes with its block."""

_IDENTITY = frozenset({"date", "time", "task_id", "task_description"})  # of the entry that a modification belongs to


class _Shown(Struct, eq=False):
    """A reading as it has to be afterwards, or as it is. Of the names in ``free`` any value will do."""

    table: Table
    key: str | None  # of a task; the keys of other records are made of their values
    role: Role
    values: dict[str, Value]
    own: frozenset[str]
    parent: _Shown | None = None
    free: set[str] = field(default_factory=set)
    arrived: set[str] = field(default_factory=set)  # names that come to be shown as the record goes to another place
    may_lack: frozenset[str] | None = None  # of a record that goes to another place: what that need not show

    def fits(self, found: _Shown) -> bool:
        """Whether ``found`` is what this has to be."""
        names = (self.values.keys() | found.values.keys()) - self.free
        if self.may_lack is not None:
            names -= self.may_lack - found.values.keys()
        if self.arrived:  # the new place may show less
            names &= found.values.keys() | self.arrived
        if any(self.values.get(name) != found.values.get(name) for name in names):
            return False
        return self.stands_as(found)

    def stands_as(self, found: _Shown) -> bool:
        """Whether both belong to the same entry, or to none."""
        return self.parent is found.parent or (
            self.parent is not None and found.parent is not None and self.parent.is_entry(found.parent)
        )

    def is_entry(self, found: _Shown) -> bool:
        return all(self.values.get(name) == found.values.get(name) for name in _IDENTITY - self.free)

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value!r:.60}" for name, value in self.values.items())
        return f"{self.table} {self.key or ''}({values})"


def why_not(document: Document, changes: Sequence[Change], edits: Iterable[Edit], after: Document) -> str | None:
    """Why ``after``, the parse of ``document`` with ``edits``, is not what ``changes`` ask for. None if it is."""
    edits = list(edits)
    if reason := _strayed(document, edits, after):
        return reason
    head, tail = taken_over(document.sections, after.sections)
    wanted = _readings(document, head, len(document.sections) - tail)
    found = list(_readings(after, head, len(after.sections) - tail).values())
    reason = _expect(document, changes, edits, wanted)
    if reason:
        return reason
    missing, left = _unmatched(list(wanted.values()), found)
    extra = _Extra(left)
    for change in changes:
        if isinstance(change, Insert) and (reason := _arrived(document, change, extra)):
            return reason
    if missing:
        return f"it would lose or change {missing[0]}"
    first = next(iter(extra.shown.values()), None)
    return f"it would also make {first}" if first else None


def _strayed(document: Document, edits: Sequence[Edit], after: Document) -> str | None:
    """Whether a section before or behind all edits became another one, as when a fence was opened."""
    if not edits:
        return None
    old, new = document.sections, after.sections
    first, last = min(e.section for e in edits), max(e.section for e in edits)
    # The section just before may grow: it takes what a removed heading leaves behind.
    if any(a is not b and a.text != b.text for a, b in zip(old[: max(first - 1, 0)], new, strict=False)):
        return "a section before it would change"
    behind = len(old) - last - 1
    rest = new[len(new) - behind :] if len(new) >= behind else ()
    if len(rest) < behind or any(a is not b and a.text != b.text for a, b in zip(old[last + 1 :], rest, strict=True)):
        return "a section behind it would change"
    return None


def taken_over(old: Sequence[Section], new: Sequence[Section]) -> tuple[int, int]:
    """How many sections at the start and at the end are the same objects."""
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] is new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] is new[-1 - tail]:
        tail += 1
    return head, tail


def _readings(document: Document, first: int, last: int) -> dict[At, _Shown]:
    """The readings of some sections, each modification with the entry that it belongs to."""
    found: dict[At, _Shown] = {}
    parent = _entry_before(document, first)
    for number in range(first, last):
        for index, reading in enumerate(document.sections[number].readings):
            shown = _shown(reading)
            if reading.table is Table.ENTRIES:
                parent = shown
            elif reading.table is Table.MODIFICATIONS:
                shown.parent = parent
            found[At(number, index)] = shown
    return found


def _entry_before(document: Document, section: int) -> _Shown | None:
    for number in range(section - 1, -1, -1):
        for reading in reversed(document.sections[number].readings):
            if reading.table is Table.ENTRIES:
                return _shown(reading)
    return None


def _shown(reading: Reading) -> _Shown:
    key = reading.key if reading.table is Table.TASKS else None
    return _Shown(reading.table, key, reading.role, plain(reading.values()), frozenset(reading.fields))


def plain(values: Mapping[str, Value]) -> dict[str, Value]:
    """``values`` without those that say nothing (a dash and a missing column mean the same); ids as a set."""
    return {
        name: tuple(sorted(value)) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value not in (None, (), "")
    }


def _expect(
    document: Document, changes: Sequence[Change], edits: Sequence[Edit], wanted: dict[At, _Shown]
) -> str | None:
    """Turn ``wanted`` from what is there into what has to be there; inserted records are left to `_arrived`."""
    sets = [change for change in changes if isinstance(change, SetFields)]
    removals = {change.at for change in changes if isinstance(change, Remove)}
    _set_free(document, edits, sets, wanted)
    deleted = _Deleted(edits)
    shared = _Shared(document, wanted) if sets else None
    for change in sets:
        at = change.at if change.at in wanted else _elsewhere(document, change, wanted)
        if at is not None and shared is not None:
            _set(document, SetFields(at, change.values), wanted, shared)
            if change.record and deleted.covers(at, document.at(at).span):
                _set_out(wanted[at], change)
        elif any(plain({n: v}) != plain({n: document.at(change.at).value(n)}) for n, v in change.values.items()):
            return "nothing would change"
    if not removals:
        return None
    gone = {at for at in wanted if deleted.covers(at, document.at(at).span)} | (removals & wanted.keys())
    if removals - gone:
        return "it would still stand there"
    allowed = {CHILDREN.get(document.at(at).table) for at in removals}
    keys = {(wanted[at].table, wanted[at].key) for at in removals if wanted[at].key is not None}
    for at in gone - removals:
        if wanted[at].table not in allowed and (wanted[at].table, wanted[at].key) not in keys:
            return f"it would take {wanted[at]} along"
    for at in gone:
        del wanted[at]
    return None


def _elsewhere(document: Document, change: SetFields, wanted: Mapping[At, _Shown]) -> At | None:
    """Another place of the same task for values that the place asked for does not show: a block of fields below."""
    asked = document.at(change.at)
    if asked.table is not Table.TASKS or change.values.keys() & asked.values().keys():
        return None
    same = (asked.table, asked.key, asked.role)
    readings = ((at, document.at(at)) for at in wanted)
    return next((at for at, r in readings if (r.table, r.key, r.role) == same), None)


class _Deleted:
    """What a group of edits deletes, by section and in order."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._spans: dict[int, list[Span]] = {}
        for edit in edits:
            if not edit.new.strip():
                self._spans.setdefault(edit.section, []).append(edit.span)
        for spans in self._spans.values():
            spans.sort()

    def covers(self, at: At, span: Span) -> bool:
        """Whether one of the edits deletes all of ``span``. They are disjoint: it is the last that starts before."""
        spans = self._spans.get(at.section, [])
        number = bisect_right(spans, span.start, key=_start)
        # Edits that are equal count once, and an insertion may stand at the start of a deletion.
        return any(span.end <= spans[n].end for n in range(max(number - 2, 0), number))


def _start(span: Span) -> int:
    return span.start


def _set_free(
    document: Document, edits: Sequence[Edit], sets: Sequence[SetFields], wanted: Mapping[At, _Shown]
) -> None:
    """Fields that hold the place of a change within them, as a description holds a checklist, may read differently."""
    places: dict[int, list[Span]] = {}
    for edit in edits:
        places.setdefault(edit.section, []).append(edit.span)
    for change in sets:
        fields = document.at(change.at).fields
        places.setdefault(change.at.section, []).extend(fields[n].span for n in change.values if n in fields)
    for spans in places.values():
        spans.sort()
    for at, shown in wanted.items():
        if shown.table is Table.MODIFICATIONS:
            continue  # the files of one line share its words; none of them is free to lose them to another
        if inside := places.get(at.section):
            shown.free |= {name for name, f in document.at(at).fields.items() if _holds_any(f, inside)}


def _holds_any(place: Field, spans: Sequence[Span]) -> bool:
    """Whether a field holds one of ``spans``, which are in order."""
    for number in range(bisect_left(spans, place.span.start, key=_start), len(spans)):
        if spans[number].start > place.span.end:
            return False
        if _holds(place, spans[number]):
            return True
    return False


def _holds(place: Field, span: Span) -> bool:
    if span.start == span.end:
        last = place.span.end if place.place is Place.BLOCK else place.span.end - 1
        return place.span.start < span.start <= last
    return place.span.start <= span.start and span.end <= place.span.end


class _Shared:
    """The readings that one piece of text shows, by its section, the field's name and its span."""

    def __init__(self, document: Document, wanted: Mapping[At, _Shown]) -> None:
        self._places: dict[tuple[int, str, Span], list[At]] = {}
        for at in wanted:
            for name, f in document.at(at).fields.items():
                self._places.setdefault((at.section, name, f.span), []).append(at)

    def others(self, at: At, name: str, span: Span) -> Iterator[At]:
        """Those beside the one at ``at``."""
        return (other for other in self._places.get((at.section, name, span), ()) if other != at)


def _set(document: Document, change: SetFields, wanted: Mapping[At, _Shown], shared: _Shared) -> None:
    """Give the changed fields their values, here and where other records share the text that shows them."""
    reading = document.at(change.at)
    for name, value in change.values.items():
        for at in shared.others(change.at, name, reading.fields[name].span) if name in reading.fields else ():
            if not reading.table is Table.MODIFICATIONS is document.at(at).table:
                # Another file of the line is its own record, which nobody asked to change.
                _give(wanted[at], name, value)
    target = wanted[change.at]
    target.arrived |= change.values.keys() - reading.fields.keys()
    for name, value in change.values.items():
        _give(target, name, value)


def _set_out(shown: _Shown, change: SetFields) -> None:
    """The record goes to another place: that may show more of it, and need not show what others do."""
    more = {name: value for name, value in plain(change.record).items() if name not in shown.values}
    shown.values |= more
    shown.may_lack = frozenset({*more, *change.elsewhere, "details"})


def _give(shown: _Shown, name: str, value: Value) -> None:
    shown.free.discard(name)
    shown.values.pop(name, None)
    shown.values.update(plain({name: value}))


def _unmatched(wanted: Sequence[_Shown], found: Sequence[_Shown]) -> tuple[list[_Shown], list[_Shown]]:
    """What is wanted and not there, and what is there and not wanted. The strict ones choose first."""
    left = {id(shown): shown for shown in found}
    equals: dict[object, list[_Shown]] = {}
    for shown in reversed(found):
        equals.setdefault(_look(shown), []).append(shown)
    missing, lenient = [], []
    for shown in wanted:
        if shown.free or shown.arrived or shown.may_lack is not None:
            lenient.append(shown)
        elif (match := _take(equals.get(_look(shown), []), shown.stands_as)) is None:
            missing.append(shown)
        else:
            del left[id(match)]
    groups: dict[object, list[_Shown]] = {}
    for shown in reversed(left.values()) if lenient else ():
        groups.setdefault((shown.table, shown.key, shown.role), []).append(shown)
    for shown in lenient:
        match = _take(groups.get((shown.table, shown.key, shown.role), []), shown.fits)
        if match is None:
            missing.append(shown)
        else:
            del left[id(match)]
    return missing, list(left.values())


def _look(shown: _Shown) -> object:
    return (shown.table, shown.key, shown.role, frozenset(shown.values.items()))


def _take(group: list[_Shown], wanted: Callable[[_Shown], bool]) -> _Shown | None:
    """Take the last of ``group`` that is wanted; the groups are kept in reverse, so that taking is cheap."""
    for index in range(len(group) - 1, -1, -1):
        if wanted(group[index]):
            return group.pop(index)
    return None


_MARKS: Mapping[Table, tuple[str, ...]] = {
    Table.MODIFICATIONS: ("action", "file_path", "description"),
    Table.ENTRIES: ("task_id", "task_description", "time"),
    Table.ERRORS: ("timestamp",),
    Table.SUBTASKS: ("text",),
}
"""Fields that a record's own line always shows: by these an inserted one is found among many."""

Mark = tuple[object, ...]


def mark_of(table: Table, values: Mapping[str, Value]) -> Mark:
    """What a record of ``table`` with ``values`` is found by among many."""
    return (table, *(values.get(name) or None for name in _MARKS.get(table, ())))


class _Extra:
    """Readings that are there and were not before: the inserted records are among them."""

    def __init__(self, shown: Sequence[_Shown]) -> None:
        self.shown = {id(one): one for one in shown}
        self._groups: dict[Mark, dict[int, _Shown]] = {}
        for one in shown:
            for mark in self._marks(one):
                self._groups.setdefault(mark, {})[id(one)] = one

    @staticmethod
    def _marks(one: _Shown) -> Iterator[Mark]:
        """What a reading is found by: its values, its id, its values and what it belongs to."""
        mark = mark_of(one.table, one.values)
        yield mark
        yield (one.table, "id", one.key)
        yield (id(one.parent), *mark)

    def find(self, table: Table, values: Mapping[str, Value]) -> Iterator[_Shown]:
        """Those that show ``values``, in the order of the text."""
        mark = (table, "id", values["id"]) if table is Table.TASKS and "id" in values else mark_of(table, values)
        return (one for one in self._groups.get(mark, {}).values() if _shows(one, values))

    def child(self, table: Table, values: Mapping[str, Value], parents: Sequence[_Shown]) -> _Shown | None:
        """The first that shows ``values`` and belongs to one of ``parents``, or to nothing."""
        for parent in (*parents, None):
            below = self._groups.get((id(parent), *mark_of(table, values)), {}).values()
            if (found := next((one for one in below if _shows(one, values)), None)) is not None:
                return found
        return None

    def remove(self, one: _Shown) -> None:
        """One that was asked for."""
        del self.shown[id(one)]
        for mark in self._marks(one):
            del self._groups[mark][id(one)]


def _arrived(document: Document, change: Insert, extra: _Extra) -> str | None:
    """Take the inserted record and its children out of ``extra``; the reason if they are not all there as asked for."""
    parent = _shown(document.at(change.parent)) if change.parent is not None else None
    found = (
        shown
        for shown in extra.find(change.table, change.values)
        if (shown.key is None or shown.key == change.values.get("id", shown.key))
        and (parent is None or (shown.parent is not None and parent.is_entry(shown.parent)))
    )
    places = list(found if change.table is Table.TASKS else islice(found, 1))  # a task may get a row and a section
    if not places:
        return "it would not be read back as it was asked for"
    for shown in places:
        extra.remove(shown)
    table = CHILDREN.get(change.table)
    for values in change.children:
        child = extra.child(table, values, places) if table else None
        if child is None:
            return "what belongs to it would not be read back as it was asked for"
        extra.remove(child)
    return None


_WHOLE = frozenset({Table.ENTRIES, Table.MODIFICATIONS, Table.ERRORS})
"""Records that have one place in the text: it shows all that was asked for, or they would come back as others."""


def _shows(shown: _Shown, values: Mapping[str, Value]) -> bool:
    """Whether what ``shown`` says is something that was asked for, and nothing else but what its surroundings say."""
    asked = plain(values)
    told = {name for name in shown.values if name in values or name in shown.own}
    if shown.table in _WHOLE and any(value not in (None, ()) and name not in told for name, value in asked.items()):
        return False
    return bool(told & asked.keys()) and all(shown.values[name] == asked.get(name) for name in told)
