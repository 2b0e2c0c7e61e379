"""What somebody saved into a document whose files are output (mode database-first). Pure.

The document is put back to the text that the database has. What the save would have changed is kept as conflicts that
the database won: field by field where it changed fields of records, the rest as the lines that differ.
"""

from __future__ import annotations

from parser.document import Document, parse
from schema.records import Value
from syncd.model import Clash, Keyed, Side
from syncd.plan.rebase import keyed_like, places
from syncd.plan.reconcile import Decision, decide, settled
from writer.changes import Change, SetFields
from writer.put import put


def put_back(had: str, now: Keyed, saved: str) -> tuple[Clash, ...]:
    """The conflicts of a save ``saved``, made from the text ``had``, while the database has the document ``now``."""
    rest, fields = split(had, now, saved)
    path = now.document.path
    if rest == had:
        return fields
    before, after = differing(had, rest)
    return (*fields, Clash(path, "documents", path, "text", before, after, before, Side.DB, replaces=True))


def split(had: str, now: Keyed, saved: str) -> tuple[str, tuple[Clash, ...]]:
    """The save without its changes of record fields, and those changes as conflicts."""
    path = now.document.path
    base = keyed_like(now, parse(path, had, now.document))
    theirs = keyed_like(base, parse(path, saved, base.document))
    old, new, file = places(base), places(now), places(theirs)
    clashes: dict[tuple[object, ...], Clash] = {}
    back: list[Change] = []
    for place, (_, before) in old.items():
        if place not in file:
            continue
        at, reading = file[place]
        changed: dict[str, Value] = {}
        for name in before.fields.keys() & reading.fields.keys():
            b, f = before.value(name), reading.value(name)
            d = new[place][1].value(name) if place in new else b
            if settled(name, b) == settled(name, f):
                continue
            changed[name] = b
            if decide(settled(name, b), settled(name, f), settled(name, d), Side.DB) is not Decision.ADOPT:
                clash = Clash(path, place[0].value, place[1], name, b, f, d, Side.DB, replaces=True)
                clashes.setdefault((*place[:2], name, str(f)), clash)
        if changed:
            back.append(SetFields(at, changed))
    done = put(theirs.document, back)
    if done.refused:  # a field that cannot be told apart from its surroundings is kept with them
        return saved, ()
    return done.document.text, tuple(clashes.values())


def unreadable(now: Keyed, saved: bytes) -> tuple[Clash, ...]:
    """The conflict of a save that is no text. The history has its bytes."""
    path, text = now.document.path, now.document.text
    return (Clash(path, "documents", path, "text", text, saved.decode("utf-8", "replace"), text, Side.DB),)


def deleted(document: Document) -> tuple[Clash, ...]:
    """The conflict of a document that was deleted by hand."""
    path = document.path
    return (Clash(path, "documents", path, "text", None, None, None, Side.DB, gone=True),)


def differing(a: str, b: str) -> tuple[str, str]:
    """The lines of each text between those that both begin and end with."""
    left, right = a.splitlines(keepends=True), b.splitlines(keepends=True)
    shorter = min(len(left), len(right))
    start = next((n for n in range(shorter) if left[n] != right[n]), shorter)
    most = shorter - start
    end = next((n for n in range(most) if left[-1 - n] != right[-1 - n]), most)
    return "".join(left[start : len(left) - end]), "".join(right[start : len(right) - end])
