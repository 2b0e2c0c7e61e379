"""Records that belong to others: where an edit beats a deletion, what it cannot stand without stays too.

Reads rows; changes only verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from msgspec.structs import replace

from parser.document import At, Document
from schema import store
from schema.db import Database
from schema.journal import Net
from schema.records import Action, Role, Table
from syncd.model import Clash, Keyed, Side, Sides, Verdict
from syncd.plan.gather import Delta, RecordId
from syncd.plan.owners import Parents
from syncd.plan.reconcile import file_row, leaving, reached
from writer.lines import lines_below


def keep_together(db: Database, sides: Mapping[RecordId, Sides], verdicts: dict[RecordId, Verdict]) -> None:
    """Keep what a line or an item that was edited by row, or came, belongs to, though the text of that is gone.

    And with an entry or a task that is kept so, or was edited itself, all that went below it.
    """
    leaves = any(r[0] in _HEADS and v.row is None for r, v in verdicts.items())
    for record in [r for r, v in verdicts.items() if leaves and r[0] in _OWNER and v.insert and v.row is not None]:
        _keep(_owner_of(db, record), sides, verdicts)
    owners = {r for r, v in verdicts.items() if r[0] in _HEADS and _came_back(v, sides[r])}
    for record in [r for r in verdicts if r[0] in _OWNER] if owners else ():
        if _owner_of(db, record) in owners:
            _keep(record, sides, verdicts)


def bring_owners_back(
    parents: Parents,
    nets: Mapping[RecordId, Net],
    sides: Mapping[RecordId, Sides],
    verdicts: dict[RecordId, Verdict],
    deltas: Mapping[str, Delta],
) -> None:
    """Keep whole what was deleted by row while it was edited by hand: the entry or task with all that is below it.

    Where not it but a line or an item below it was edited, or came, the deletion is told here: it can be taken. So it
    is where words were put into its block that stand for no record.
    """
    owners = {r for r in nets.keys() & verdicts.keys() if r[0] in _HEADS and _returns(verdicts[r], sides[r])}
    removed = {r: sides[r] for r, v in verdicts.items() if v.remove and r[0] in _BLOCKS}
    for record in {r for delta in deltas.values() for r in _with_new_words(removed, delta)} if removed else ():
        verdicts[record] = _standing(record, sides[record])
        owners.add(record)
    for record, verdict in list(verdicts.items()):
        if record[0] in _OWNER and _returns(verdict, sides[record]):
            link = parents.links(verdict, sides[record]).get(_OWNER[record[0]])
            owner = (_OWNERS[record[0]], str(link))
            if owner in verdicts and verdicts[owner].remove:
                verdicts[owner] = _standing(owner, sides[owner])
                owners.add(owner)
    for record, net in nets.items() if owners else ():
        below = (_OWNERS.get(record[0]), str((net.before or {}).get(_OWNER.get(record[0], ""))))
        if below in owners and record in verdicts and verdicts[record].remove:
            row = file_row(sides[record])
            if row is not None and not sides[record].after:  # no document shows it: nothing else tells its owner
                row = {**row, _OWNER[record[0]]: below[1]}
            verdicts[record] = Verdict(*record, row)


_BLOCKS = {
    Table.ENTRIES: "task_description", Table.ERRORS: "error_message", Table.TASKS: "title",
    Table.MODIFICATIONS: "file_path",
}  # fmt: skip
"""Records that are whole stretches of a document, prose among it, each with the field that is told of it."""


def _with_new_words(removed: Mapping[RecordId, Sides], delta: Delta) -> set[RecordId]:
    """Those of ``removed`` with whom words would go that a document's edit put there, in deeper sections too."""
    if delta.base is None or delta.new is None:
        return set()
    base, new = delta.base.document, delta.new.document
    places: dict[RecordId, tuple[list[At], list[At]]] = {}
    for record, side in removed.items():
        before = [s.at for s in side.before if s.path == delta.path and reached(record[0], s)]
        after = [s.at for s in leaving(side, with_task=False) if s.path == delta.path]
        if before and after:
            places[record] = before, after
    # All at once: to ask for each of many is needed only where one has such words.
    everywhere = [[at for pair in places.values() for at in pair[n]] for n in (0, 1)]
    if not places or not _taken(new, everywhere[1]) - _taken(base, everywhere[0]):
        return set()
    found = {record for record, (old, now) in places.items() if _taken(new, now) - _taken(base, old)}
    return found or set(places)


def _taken(document: Document, places: Sequence[At]) -> set[str]:
    """The words that go with the records at these places."""
    from writer.changes import Remove
    from writer.kinds import together

    texts, words = [section.text for section in document.sections], set[str]()
    for edit in together(document, [[Remove(at)] for at in places]).edits:
        words |= {*texts[edit.section][slice(*edit.span)].split()} - {*edit.new.split()}
    return words


def _returns(verdict: Verdict, sides: Sides) -> bool:
    """Whether the files give the record a row that is not there."""
    return verdict.row is not None and sides.db is None


def _standing(owner: RecordId, sides: Sides) -> Verdict:
    name = _BLOCKS[owner[0]]
    value = (sides.base or {}).get(name)
    told = Clash(sides.after[0].path, *owner, name, value, value, None, Side.FILE, gone=True)
    return Verdict(*owner, file_row(sides), clashes=(told,))


def change_owners(
    nets: Mapping[RecordId, Net], sides: Mapping[RecordId, Sides], verdicts: dict[RecordId, Verdict]
) -> None:
    """Lines and checklist items whose row was given to another owner: their text goes there, or comes there."""
    for record, net in nets.items():
        given = _OWNER.get(record[0]) in (net.after or {}) and net.operation is Action.UPDATE
        verdict = verdicts.get(record)
        if given and verdict and verdict.row is not None and not verdict.insert:
            if _stands_now(sides[record]):
                verdicts[record] = replace(verdict, insert=True, moved=True)
            elif not sides[record].after:  # no document could show it below its old owner; now one may
                verdicts[record] = replace(verdict, insert=True)


def with_task(record: RecordId, sides: Sides, verdicts: Mapping[RecordId, Verdict]) -> bool:
    """Whether a checklist item goes because its whole task does."""
    if record[0] is not Table.SUBTASKS:
        return False
    owners = (verdicts.get((Table.TASKS, str(s.reading.value("task_id")))) for s in sides.after)
    return any(owner is not None and owner.row is None for owner in owners)


def _stands_now(sides: Sides) -> bool:
    """Whether it has a place that is no archive: what stood there is history."""
    return any(s.role is not Role.ARCHIVE for s in sides.after)


def old_places(db: Database, moved: Set[RecordId], documents: Mapping[str, Keyed]) -> dict[str, list[At]]:
    """Where records still stand below their old owner, of those that stand below their row's owner as well.

    With all that people wrote below them: where that could not go along, they stand twice.
    """
    owners = {r: str((store.fetch(db, r[0].value, r[1]) or {}).get(_OWNER[r[0]])) for r in moved}
    arrived: dict[RecordId, set[str]] = {}
    old: list[tuple[str, At, RecordId]] = []
    for path, keyed in documents.items():
        entry = ""
        for at, reading, key in keyed.readings():
            record = (reading.table, key)
            entry = key if reading.table is Table.ENTRIES else entry
            if record not in moved:
                continue
            owner = entry if reading.table is Table.MODIFICATIONS else reading.value("task_id")
            if owner == owners[record]:
                arrived.setdefault(record, set()).add(lines_below(keyed.document, at))
            elif reading.role is not Role.ARCHIVE:
                old.append((path, at, record))
    found: dict[str, list[At]] = {}
    for path, at, record in old:
        if record in arrived and lines_below(documents[path].document, at) in {"", *arrived[record]}:
            found.setdefault(path, []).append(at)
    return found


_OWNER = {Table.MODIFICATIONS: "edit_entry_id", Table.SUBTASKS: "task_id"}
_OWNERS = {Table.MODIFICATIONS: Table.ENTRIES, Table.SUBTASKS: Table.TASKS}
_HEADS = frozenset(_OWNERS.values())


def _came_back(verdict: Verdict, sides: Sides) -> bool:
    """Whether the record's text was deleted by hand and is to be written again."""
    return verdict.insert and bool(sides.before)


def _keep(record: RecordId, sides: Mapping[RecordId, Sides], verdicts: dict[RecordId, Verdict]) -> None:
    known = sides.get(record)
    if known is not None and known.db is not None and verdicts[record].row is None:
        verdicts[record] = Verdict(*record, known.db, insert=True)


def _owner_of(db: Database, record: RecordId) -> RecordId:
    row = store.fetch(db, record[0].value, record[1]) or {}
    return _OWNERS[record[0]], str(row.get(_OWNER[record[0]]) or "")
