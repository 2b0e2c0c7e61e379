"""`put`: a document with changes made, or the reason why one of them could not be.

Each change is planned by the writer of its kind as one or more *candidates* (lists of edits, best first). A candidate
counts only if the text it gives parses to exactly the intended readings (`writer.verify`). Changes of one sort are
planned on the same text and tried together, so that many cost one parse; where they do not go together, half by half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from parser.document import At, Document, parse
from schema.records import Reading, Role, Span, Table, Value
from writer.changes import Change, Insert, Refusal, Remove, SetFields
from writer.edits import Overlap, added, apply_edits
from writer.kinds import Candidate, candidates, together
from writer.verify import plain, taken_over, why_not

_NO_PLACE = "there is no place for it in this document"
Unit = list[Change]
"""Changes that are made together or not at all: one, or removals of one block."""


class Put(Struct, frozen=True):
    """The document after the changes that could be made, and the refusals.

    ``added`` are the stretches of its text that were put in, in order; None where that is not all that happened.
    """

    document: Document
    refused: tuple[Refusal, ...] = ()
    added: tuple[Span, ...] | None = None


class _Work(Struct):
    """A document on its way: as it was asked about, as it is now."""

    origin: Document
    now: Document
    refused: list[Refusal] = field(default_factory=list)
    added: tuple[Span, ...] | None = ()
    asked: dict[At, dict[str, Value]] = field(default_factory=dict)  # what was set by now, by address in ``origin``
    _places: Places | None = None

    def make(self, changes: Sequence[Change], edits: Candidate) -> str | None:
        """Make ``changes``, addressed in the document as it is now, by ``edits``; the reason if that does not do."""
        old = [section.text for section in self.now.sections]
        try:
            texts = apply_edits(old, edits)
        except Overlap as error:
            return str(error)
        after = parse(self.now.path, "".join(texts), self.now)
        if reason := why_not(self.now, changes, edits, after):
            return reason
        self.added = None if self.added is None else added(old, edits, self.added)
        self.now, self._places = after, None
        return None

    def note(self, changes: Sequence[Change]) -> None:
        """``changes``, addressed in the document as it was asked about, were made."""
        for change in changes:
            if isinstance(change, SetFields):
                self.asked.setdefault(change.at, {}).update(change.values)

    def current(self, unit: Unit) -> list[tuple[Change, Change]]:
        """The changes of ``unit``, each with the address that it has now; those whose reading is gone are refused."""
        moved = [(change, self._readdressed(change)) for change in unit]
        self.refused += [Refusal(change, "what it is about is gone") for change, new in moved if new is None]
        return [(change, new) for change, new in moved if new is not None]

    def _readdressed(self, change: Change) -> Change | None:
        asked = change.parent if isinstance(change, Insert) else change.at
        if asked is None or self.now is self.origin:
            return change
        self._places = self._places or Places(self.origin, self.now, self.asked)
        at = self._places.follow(asked)
        if at is None:
            return None
        return replace(change, parent=at) if isinstance(change, Insert) else replace(change, at=at)


def put(document: Document, changes: Sequence[Change]) -> Put:
    """Make ``changes``, whose addresses are those of ``document``. Without changes, the document itself.

    Fields are set first; then records are inserted while all their models still stand, lines of entries that are there
    before others; then records are removed, those that share a block at once.
    """
    work = _Work(document, document)
    _together(work, [[change] for change in changes if isinstance(change, SetFields)])
    inserts = [change for change in changes if isinstance(change, Insert)]
    _insert(work, [change for change in inserts if change.table is Table.MODIFICATIONS])
    _insert(work, [change for change in inserts if change.table is not Table.MODIFICATIONS])
    _together(work, blocks(document, [change for change in changes if isinstance(change, Remove)]))
    return Put(work.now, tuple(work.refused), work.added)


def _insert(work: _Work, inserts: Sequence[Insert]) -> None:
    """Insert records: those that find a model at once; of the others the first, which may become their model."""
    left: list[Unit] = [[change] for change in inserts]
    while left:
        left = _together(work, left)
        before = work.now
        while left and work.now is before:
            _together(work, [left.pop(0)])


def _together(work: _Work, units: Sequence[Unit]) -> list[Unit]:
    """Make all units at once, half by half where they do not go together; those that have no plan beside others."""
    current = [pairs for unit in units if (pairs := work.current(unit))]
    if len(current) == 1:
        _alone(work, current[0])
    if len(current) < 2:
        return []
    plan = together(work.now, [[new for _, new in pairs] for pairs in current])
    ready = [pairs for number, pairs in enumerate(current) if number not in plan.without]
    left = [[old for old, _ in current[number]] for number in sorted(plan.without)]
    if ready and work.make([new for pairs in ready for _, new in pairs], plan.edits) is None:
        work.note([old for pairs in ready for old, _ in pairs])
    elif ready:
        middle = (len(ready) + 1) // 2
        for half in (ready[:middle], ready[middle:]):
            left += _together(work, [[old for old, _ in pairs] for pairs in half])
    return left


def _alone(work: _Work, pairs: Sequence[tuple[Change, Change]]) -> None:
    """Make one unit: by the first candidate that gives what was intended."""
    reason: str | None = _NO_PLACE
    moved = [new for _, new in pairs]
    for edits in candidates(work.now, moved[0]):
        reason = work.make(moved, edits)
        if reason is None:
            work.note([old for old, _ in pairs])
            return
    work.refused += [Refusal(old, reason or _NO_PLACE) for old, _ in pairs]


def blocks(document: Document, removals: Sequence[Remove]) -> list[list[Change]]:
    """Removals by the block that goes, the last one first: what stands before it keeps its place.

    What shares a span, or belongs to an entry that goes, goes with it in one step: looked for afterwards, it would be
    taken for a line of the same words in another entry.
    """
    asked = {change.at: change for change in removals}
    groups: dict[tuple[int, ...], list[Change]] = {}
    entry: At | None = None
    for at, reading in document.readings() if asked else ():
        if reading.table is Table.ENTRIES:
            entry = at
        if at in asked:
            owner = entry if reading.table is Table.MODIFICATIONS and entry in asked else None
            block = (owner or at).section, *document.at(owner or at).span
            groups.setdefault(block, []).append(asked[at])
    return list(groups.values())[::-1]


class Places:
    """Where the readings of ``old`` stand in ``new``, a later state of the same document.

    ``asked`` are the values that were set since, by address in ``old``: a reading that another one's words have passed
    is known by what it has to show by now.
    """

    def __init__(self, old: Document, new: Document, asked: Mapping[At, Mapping[str, Value]] | None = None) -> None:
        self._old, self._new, self._asked = old, new, asked or {}
        self._head, self._tail = taken_over(old.sections, new.sections)
        self._tables: dict[Table, _Twins] = {}

    def follow(self, at: At) -> At | None:
        """The address of the reading at ``at``; None where it is gone."""
        old, new = self._old, self._new
        if old is new or at.section < self._head:
            return at
        if at.section >= len(old.sections) - self._tail:
            return At(at.section + len(new.sections) - len(old.sections), at.reading)
        table = old.at(at).table
        if table not in self._tables:
            before = _of(old, table, self._head, len(old.sections) - self._tail, self._asked)
            after = _of(new, table, self._head, len(new.sections) - self._tail, {})
            self._tables[table] = _Twins(before, after)
        return self._tables[table].follow(at)


class _Placed(Struct, frozen=True):
    """A reading at its place. ``look`` is what it has to show by now, and below which entry."""

    at: At
    look: tuple[str, Role, object, object]


Alike = dict[object, list[At]]
"""Addresses by what their readings have to show."""


class _Twins:
    """The readings of one table before and after, to be found by what they show."""

    def __init__(self, before: list[_Placed], after: list[_Placed]) -> None:
        self._before, self._after = before, after
        self._numbers = {placed.at: number for number, placed in enumerate(before)}
        self._alike: tuple[Alike, Alike] | None = None
        self._pairs: dict[At, At] | None = None

    def follow(self, at: At) -> At | None:
        number = self._numbers[at]
        target = self._before[number]
        standing = self._after[number] if number < len(self._after) else None
        if standing and len(self._after) <= len(self._before) and standing.look == target.look:
            return standing.at  # its twins may have changed
        if self._alike is None:
            self._alike = _by_look(self._before), _by_look(self._after)
        was, now = (each.get(target.look, []) for each in self._alike)
        if now:
            return now[min(was.index(at), len(now) - 1)]
        return self._changed().get(at)

    def _changed(self) -> dict[At, At]:
        """Where those stand that show something else than was asked for: one that its surroundings tell more.

        Only what has an id, or is alone, is known again: no other record is ever taken for it.
        """
        if self._pairs is None:
            assert self._alike is not None
            lost, new = (_more_in(a, b) for a, b in (self._alike, self._alike[::-1]))
            self._pairs = {}
            for named, places in lost.items():
                others = new.get(named, [])
                if len(places) == len(others) and (len(places) == 1 or named[0]):
                    self._pairs |= zip(places, others, strict=True)
        return self._pairs


def _more_in(these: Alike, those: Alike) -> dict[tuple[str, Role], list[At]]:
    """The addresses of what no reading of ``those`` shows, or fewer; in order, by id and role."""
    found: dict[tuple[str, Role], list[At]] = {}
    for look, places in these.items():
        assert isinstance(look, tuple)
        found.setdefault(look[:2], []).extend(places[len(those.get(look, ())) :])
    return {named: sorted(places) for named, places in found.items() if places}


def _of(
    document: Document, table: Table, first: int, end: int, asked: Mapping[At, Mapping[str, Value]]
) -> list[_Placed]:
    """The readings of ``table`` in some sections. Lines of files are told apart by their entries as well."""
    found: list[_Placed] = []
    entry: object = None
    for number in range(first, end):
        for index, reading in enumerate(document.sections[number].readings):
            at = At(number, index)
            if reading.table is Table.ENTRIES:
                entry = _shows(reading, asked.get(at, {}))
            if reading.table is table:
                below = entry if table is Table.MODIFICATIONS else None
                key = reading.key if table is Table.TASKS else ""  # those of others are made of their values
                look = key, reading.role, _shows(reading, asked.get(at, {})), below
                found.append(_Placed(at, look))
    return found


def _shows(reading: Reading, asked: Mapping[str, Value]) -> object:
    return frozenset(plain({**reading.values(), **asked}).items())


def _by_look(placed: Sequence[_Placed]) -> Alike:
    found: Alike = {}
    for one in placed:
        found.setdefault(one.look, []).append(one.at)
    return found


def follow(at: At, old: Document, new: Document) -> At | None:
    """Where the reading at ``at`` of ``old`` stands in ``new``, a later state of the same document."""
    return Places(old, new).follow(at)
