"""One execution of the fuzzer: bytes become a document, changes and an edit of it, and the laws are the oracle."""

from __future__ import annotations

import random

from parser.document import parse, parse_bytes
from syncd.plan.merge import merge_texts, nearest
from tests.laws.changing import broken_law, random_changes
from tests.laws.strategies import OF_KIND
from writer.put import put

PATHS = tuple(OF_KIND)


class Broken(AssertionError):
    """A law did not hold."""


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def one(data: bytes) -> None:
    """Try ``data``: its first byte names the kind, the next two the changes, the rest is the text."""
    if len(data) < 4:
        return
    path, chance = PATHS[data[0] % len(PATHS)], random.Random(data[1:3])
    text = data[3:].decode("utf-8", "ignore")
    document = parse(path, text)
    _require(document.text == text, "tiling")
    _require(put(document, []).document is document, "GetPut")
    broken = broken_law(document, random_changes(document, chance, 3))
    _require(broken is None, f"PutGet or locality: {broken}")
    edited = _edited(text, chance)
    whole = parse(path, edited)
    _require(parse(path, edited, document) == whole, "an incremental parse is a parse")
    again = parse_bytes(path, edited.encode(), document, text.encode())
    _require(again == whole, "so is one of the bytes that differ")
    _merges(text, edited, _edited(text, chance))


def _edited(text: str, chance: random.Random) -> str:
    start = chance.randint(0, len(text))
    end = chance.randint(start, min(len(text), start + 80))
    new = chance.choice(("", "x", "\n", "## New\n", text[chance.randint(0, len(text)) :][:60]))
    return text[:start] + new + text[end:]


def _lines(text: str) -> set[str]:
    """Its lines; a line break at the end is no line, and an empty text has none."""
    return set(text.removesuffix("\n").split("\n")) if text else set()


def _merges(base: str, file: str, db: str) -> None:
    _require(merge_texts(base, file, base).text == file, "a merge with an unchanged side is the other")
    _require(merge_texts(base, base, db).text == db, "a merge with an unchanged side is the other")
    merged = merge_texts(base, file, db)
    _require(_lines(file) - _lines(base) <= _lines(merged.text), "a line of the file's side is lost in a merge")
    kept = _lines(merged.text).union(*(_lines(clash.db) for clash in merged.clashes))
    _require(_lines(db) - _lines(base) <= kept, "a line of the database's side is lost and not told")
    _require(nearest(file, [db, file]) == (0 if db == file else 1), "a text is nearest to itself")
