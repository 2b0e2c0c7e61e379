"""Which record a reading shows, after its document was edited. Pure.

Readings of an edited document are aligned with those of its base: sections that did not change first, then equal
readings in order, then alike ones within the gaps between, never across an equal one. What is left over is matched
with what vanished elsewhere (an entry moved to ``archive/``), and at last with records that already exist (the same
entry in its edit chunk).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from parser.document import At, Document, Section
from schema.records import Reading, Table
from syncd.model import Keyed

UNKNOWN = None
_ROUNDING = 1e-9
_ALIKE = 0.5  # readings at least this alike, in the same gap, are the same record

Matches = dict[At, str]


class Placed(Struct, frozen=True):
    """A reading with its address and, for one of the base, the key of its record."""

    at: At
    reading: Reading
    key: str = ""


class Alignment(Struct, frozen=True):
    """Keys for the readings of a document that was edited.

    Sections before ``first`` are those of the base; those from ``end_new`` on are the base's from ``end_old`` on. Keys
    within the window are in ``matches``; a reading there that is not in it is new.
    """

    new: Document
    base: Keyed | None
    first: int
    end_old: int
    end_new: int
    matches: Matches

    def keyed(self, missing: str | None = None) -> Keyed:
        """The document with its keys; ``missing`` for readings without one (None: there are none)."""
        window = tuple(
            tuple(self._key(At(n, i), missing) for i in range(len(self.new.sections[n].readings)))
            for n in range(self.first, self.end_new)
        )
        before = self.base.keys[: self.first] if self.base else ()
        behind = self.base.keys[self.end_old :] if self.base else ()
        return Keyed(self.new, (*before, *window, *behind))

    def _key(self, at: At, missing: str | None) -> str:
        key = self.matches.get(at, missing)
        assert key is not None
        return key

    def placed(self) -> list[Placed]:
        """The readings of the window."""
        return [
            Placed(At(n, i), reading)
            for n in range(self.first, self.end_new)
            for i, reading in enumerate(self.new.sections[n].readings)
        ]

    def entry_before(self) -> str | None:
        """The key of the entry that is open where the window begins."""
        if self.base is None:
            return None
        for number in range(self.first - 1, -1, -1):
            readings = self.base.document.sections[number].readings
            for index in range(len(readings) - 1, -1, -1):
                if readings[index].table is Table.ENTRIES:
                    return self.base.keys[number][index]
        return None


def align(base: Keyed | None, new: Document) -> Alignment:
    """Find the readings of ``new`` that continue a reading of ``base`` or whose text names their record."""
    if base is None:
        matches = {at: key for at, r in new.readings() if (key := natural_key(r)) is not None}
        return Alignment(new, None, 0, 0, len(new.sections), matches)
    first, end_old, end_new = window(base.document, new)
    old = [
        Placed(At(n, i), reading, base.keys[n][i])
        for n in range(first, end_old)
        for i, reading in enumerate(base.document.sections[n].readings)
        if base.keys[n][i] or natural_key(reading) is not None  # "" is a reading whose record is not known yet
    ]
    alignment = Alignment(new, base, first, end_old, end_new, {})
    _align_window(old, alignment.placed(), alignment.matches)
    return alignment


def natural_key(reading: Reading) -> str | None:
    """The key that a reading's own text gives: a task's id, the one session cache, "" for derived values."""
    match reading.table:
        case Table.TASKS:
            return reading.key
        case Table.CACHE:
            return "1"
        case Table.HEADER | Table.COUNTS:
            return ""
    return None


def window(base: Document, new: Document) -> tuple[int, int, int]:
    """``(first, end in base, end in new)``: the sections outside this window have equal text and say the same."""
    a, b = base.sections, new.sections
    limit = min(len(a), len(b))
    first = _shared(a, b, limit)
    while first < limit and _same_section(a[first], b[first]):
        first += 1
    tail = _shared(a[::-1], b[::-1], limit - first)
    while tail < limit - first and _same_section(a[-1 - tail], b[-1 - tail]):
        tail += 1
    return first, len(a) - tail, len(b) - tail


def _shared(a: Sequence[Section], b: Sequence[Section], limit: int) -> int:
    """How many sections from the start are equal, as those are that the parser took over, in whole runs."""
    number = 0
    while number < limit and a[number : number + _RUN] == b[number : number + _RUN]:
        number += _RUN
    return min(number, limit)


_RUN = 64  # sections that are the same objects are equal at a glance; one run of others is compared one by one


def _same_section(a: Section, b: Section) -> bool:
    """Whether both say the same: a heading above may give equal texts another date or status."""
    return a is b or (a.text == b.text and a.readings == b.readings)


def _align_window(old: list[Placed], new: list[Placed], matches: Matches) -> None:
    for placed in new:
        key = natural_key(placed.reading)
        if key is not None:
            matches[placed.at] = key
    for table in (Table.ENTRIES, Table.ERRORS, Table.SUBTASKS):
        _pair([p for p in old if p.reading.table is table], [p for p in new if p.reading.table is table], matches)
    for o, n in zip(_of(old, Table.SESSIONS), _of(new, Table.SESSIONS), strict=False):
        matches[n.at] = o.key
    for n in _of(new, Table.SESSIONS):  # a session has one record, however many readings
        if n.at not in matches and (known := next((o.key for o in _of(old, Table.SESSIONS)), None)):
            matches[n.at] = known
    _align_children(old, new, matches)


def _of(placed: Sequence[Placed], table: Table) -> list[Placed]:
    return [p for p in placed if p.reading.table is table]


def _align_children(old: list[Placed], new: list[Placed], matches: Matches) -> None:
    """File modifications are aligned below the entry that they belong to."""
    old_groups = {parent.key if parent else None: lines for parent, lines in families(old)}
    for parent, lines in families(new):
        key = matches.get(parent.at) if parent else None
        if parent is None or key is not None:
            _pair(old_groups.get(key, []), lines, matches)


def families(placed: Sequence[Placed]) -> list[tuple[Placed | None, list[Placed]]]:
    """Entries with the file modifications that follow each; None for those before the first entry."""
    groups: list[tuple[Placed | None, list[Placed]]] = [(None, [])]
    for p in placed:
        if p.reading.table is Table.ENTRIES:
            groups.append((p, []))
        elif p.reading.table is Table.MODIFICATIONS:
            groups[-1][1].append(p)
    return groups


def _pair(old: Sequence[Placed], new: Sequence[Placed], matches: Matches) -> None:
    """Pair equal readings in order, alike ones within the gaps, then equal ones that moved."""
    from difflib import SequenceMatcher

    left, right = [_identity(p.reading) for p in old], [_identity(p.reading) for p in new]
    used: set[int] = set()
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        equal = tag == "equal"
        pairs = list(zip(range(i1, i2), range(j1, j2), strict=True)) if equal else _gap(old, new, i1, i2, j1, j2)
        for i, j in pairs:
            matches[new[j].at] = old[i].key
            used.add(i)
    moved: dict[object, list[int]] = {}
    for i, identity in enumerate(left):
        if i not in used:
            moved.setdefault(identity, []).append(i)
    for j, identity in enumerate(right):
        if new[j].at not in matches and moved.get(identity):
            matches[new[j].at] = old[moved[identity].pop(0)].key


def _gap(
    old: Sequence[Placed], new: Sequence[Placed], i1: int, i2: int, j1: int, j2: int
) -> list[tuple[int, int]]:
    """Pairs of alike readings between two equal ones, in order."""
    pairs = []
    start = j1
    for i in range(i1, i2):
        best, at = 0.0, start
        for j in range(start, min(j2, start + 40)):
            score = likeness(old[i].reading, new[j].reading, best)
            if score > best:
                best, at = score, j
        if best >= _ALIKE:
            pairs.append((i, at))
            start = at + 1
    return pairs


def _identity(reading: Reading) -> object:
    return tuple(sorted((name, value) for name, value in reading.values().items() if name != "status"))


def likeness(a: Reading, b: Reading, beat: float = -1.0) -> float:
    """How alike two readings of one table are: 1.0 for equal ones; 0.5 and more is the same record, edited.

    Words, which take time, are compared only where the outcome can ``beat`` another's; else it is 0.0.
    """
    match a.table:
        case Table.ENTRIES:
            when = (a.value("date") == b.value("date")) + (_minute(a) == _minute(b) and _minute(a) != "")
            tasks = a.value("task_id") == b.value("task_id")
            known = 0.15 * when + 0.15 * tasks + (0.1 if when == 2 else 0.0)
            if known + 0.55 < beat - _ROUNDING:
                return 0.0
            words = _words(a.value("task_description"), b.value("task_description"))
            return 0.15 * when + 0.15 * tasks + 0.55 * words + (0.1 if when == 2 else 0.0)
        case Table.MODIFICATIONS:
            path = a.value("file_path") == b.value("file_path")
            action, most = a.value("action") == b.value("action"), 0.5 if path else 0.45
            if 0.55 * path + 0.1 * action + most < beat - _ROUNDING:
                return 0.0
            words = _words(a.value("description"), b.value("description"))
            return 0.55 * path + 0.1 * action + 0.5 * words * (1.0 if path else 0.9)
        case Table.ERRORS:
            when = a.value("timestamp") == b.value("timestamp")
            words = _words(a.value("error_message"), b.value("error_message"))
            return 0.4 * when + 0.1 * (a.value("task_id") == b.value("task_id")) + 0.6 * words
        case Table.SUBTASKS:
            return _words(a.value("text"), b.value("text"))
        case Table.SESSIONS if a.fields:
            # The name of its document gives a session its date and period; a renamed one says the same otherwise.
            return 1.0 if a.key == b.key or a.fields == b.fields else 0.0
    return 1.0 if a.key == b.key else 0.0


def _minute(reading: Reading) -> str:
    time = reading.value("time")
    return time[:5] if isinstance(time, str) else ""


def _words(a: object, b: object) -> float:
    if a == b:
        return 1.0
    if not isinstance(a, str) or not isinstance(b, str):
        return 0.0
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, a.split(), b.split(), autojunk=False)
    return matcher.ratio() if len(a) + len(b) > 40 else SequenceMatcher(None, a, b, autojunk=False).ratio()


def same_entry(a: Reading, values: Callable[[str], object]) -> float:
    """How surely a reading shows an existing entry (``values`` gives its fields); 0 where it cannot be the same.

    Time to the shared precision, tasks and date must agree where both are known; the wording must be alike.
    """
    for name in ("date", "task_id"):
        mine, theirs = a.value(name), values(name)
        if mine is not None and theirs is not None and _squeeze(mine) != _squeeze(theirs):
            return 0.0
    mine, theirs = a.value("time"), values("time")
    if not isinstance(mine, str) or not isinstance(theirs, str):
        return 0.0
    length = min(len(mine), len(theirs))
    if mine[:length] != theirs[:length]:
        return 0.0
    words = _words(a.value("task_description"), values("task_description"))
    return words if words >= _ALIKE else 0.0


def _squeeze(value: object) -> str:
    return str(value).replace(" ", "")
