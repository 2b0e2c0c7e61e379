"""`put`: a document with changes made, or the reason why one of them could not be.

Each change is planned by the writer of its kind as one or more *candidates* (lists of edits, best first). A candidate
counts only if the text it gives parses to exactly the intended readings (`writer.verify`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from parser.document import At, Document, parse
from schema.records import Table
from writer.changes import Change, Insert, Refusal, Remove, SetFields
from writer.edits import Overlap, apply_edits
from writer.kinds import Candidate, candidates
from writer.verify import taken_over, why_not

_NO_PLACE = "there is no place for it in this document"


@dataclass(frozen=True, slots=True)
class Put:
    """The document after the changes that could be made, and the refusals."""

    document: Document
    refused: tuple[Refusal, ...] = ()


def put(document: Document, changes: Sequence[Change]) -> Put:
    """Make ``changes``, whose addresses are those of ``document``. Without changes, the document itself.

    Fields are set first, in one step if that can be; then records are inserted, in the order given, while all their
    models still stand, the lines of one entry in one step if that can be; then records are removed, those that share a
    block at once.
    """
    refused: list[Refusal] = []
    inserts = [change for change in changes if isinstance(change, Insert)]
    steps: list[list[Change]] = [[change for change in changes if isinstance(change, SetFields)]]
    steps += _runs(inserts)
    steps += _blocks(document, [change for change in changes if isinstance(change, Remove)])
    result = document
    for step in steps:
        if step:
            result = _together(document, result, step, refused)
    return Put(result, tuple(refused))


def _runs(inserts: Sequence[Insert]) -> list[list[Change]]:
    """Insertions step by step: of lines that follow on each other in one entry the first, which may open its list, then
    the others at once."""
    steps: list[list[Change]] = []
    parent: At | None = None
    rest: list[Change] | None = None
    for insert in inserts:
        lines = insert.table is Table.MODIFICATIONS
        if not lines or insert.parent is None or insert.parent != parent:
            steps.append([insert])
            parent, rest = (insert.parent if lines else None), None
        elif rest is None:
            rest = [insert]
            steps.append(rest)
        else:
            rest.append(insert)
    return steps


def _blocks(document: Document, removals: Sequence[Remove]) -> list[list[Change]]:
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


def _together(origin: Document, document: Document, changes: Sequence[Change], refused: list[Refusal]) -> Document:
    """Make ``changes``, addressed in ``origin``, on ``document``; half by half where they do not go together."""
    current = []
    places: dict[At, At | None] = {}
    for change in changes:
        moved = _readdressed(change, origin, document, places)
        if moved is None:
            refused.append(Refusal(change, "what it is about is gone"))
        else:
            current.append((change, moved))
    if len(current) == 1 or (current and isinstance(changes[0], Remove)):
        return _alone(document, current, refused)
    edits: Candidate = []
    for _, moved in current:
        edits += next(candidates(document, moved), [])
    done = _attempt(document, [moved for _, moved in current], edits) if current else document
    if isinstance(done, Document):
        return done
    middle = len(current) // 2
    for half in (current[:middle], current[middle:]):
        document = _together(origin, document, [change for change, _ in half], refused)
    return document


def _alone(document: Document, step: Sequence[tuple[Change, Change]], refused: list[Refusal]) -> Document:
    """Make one change, or removals of one block: the first candidate that gives what was intended."""
    reason = _NO_PLACE
    moved = [change for _, change in step]
    for edits in candidates(document, moved[0]):
        done = _attempt(document, moved, edits)
        if isinstance(done, Document):
            return done
        reason = done
    refused += [Refusal(change, reason) for change, _ in step]
    return document


def _attempt(document: Document, changes: Sequence[Change], edits: Candidate) -> Document | str:
    try:
        texts = apply_edits([section.text for section in document.sections], edits)
    except Overlap as error:
        return str(error)
    after = parse(document.path, "".join(texts), document)
    return why_not(document, changes, edits, after) or after


def _readdressed(change: Change, old: Document, new: Document, known: dict[At, At | None]) -> Change | None:
    """``change`` with its address in ``old`` as an address in ``new``; None where that reading is gone.

    ``known`` holds the addresses that were looked up before.
    """
    asked = change.parent if isinstance(change, Insert) else change.at
    if asked is None or old is new:
        return change
    if asked not in known:
        known[asked] = follow(asked, old, new)
    at = known[asked]
    if at is None:
        return None
    return replace(change, parent=at) if isinstance(change, Insert) else replace(change, at=at)


def follow(at: At, old: Document, new: Document) -> At | None:
    """Where the reading at ``at`` of ``old`` stands in ``new``, a later state of the same document."""
    if old is new:
        return at
    head, tail = taken_over(old.sections, new.sections)
    if at.section < head:
        return at
    if at.section >= len(old.sections) - tail:
        return At(at.section + len(new.sections) - len(old.sections), at.reading)
    target = old.at(at)
    before = [a for a, r in old.readings() if head <= a.section < len(old.sections) - tail and r.table is target.table]
    after = [a for a, r in new.readings() if head <= a.section < len(new.sections) - tail and r.table is target.table]
    number = before.index(at)
    if number < len(after) <= len(before) and new.at(after[number]) == target:  # its twins may have changed
        return after[number]
    alike = [a for a in after if new.at(a) == target]
    if alike:
        return alike[min([a for a in before if old.at(a) == target].index(at), len(alike) - 1)]
    if len(before) == len(after):  # its values were changed
        return after[number]
    return None
