"""Which transaction brought each line of a document.

Transactions are walked from the newest back, each with the lines that it changed: a line that has no partner before a
transaction came with it. One that took a save and put the document back changed nothing. What was left alone
costs no comparison, so a long history costs what changed in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby

from schema import history
from schema.db import Database

Pairs = list[tuple[int, int]]

UNSEEN = 0
"""Instead of a transaction's number: the line stands in the file, and no transaction has it yet."""


def blame(db: Database, path: str, text: bytes, transaction: int | None = None) -> list[tuple[int, bytes]]:
    """Each line of ``text`` with the number of the transaction that brought it, or `UNSEEN`.

    ``text`` is what the document's file holds now, or, with ``transaction``, what it was after that one.
    """
    lines = _lines(text)
    owners = [UNSEEN] * len(lines)
    open_lines: dict[int, int] | None = None  # place in the text of the version at hand -> place in ``text``
    for number, before, after in _steps(db, path):
        if transaction is not None and number > transaction:
            continue
        if open_lines is None:
            open_lines = dict(pairs(_lines(after), lines))
        if not open_lines:
            break
        kept = {new: old for old, new in pairs(_lines(before), _lines(after))}
        left: dict[int, int] = {}
        for place, line in open_lines.items():
            if place in kept:
                left[kept[place]] = line
            else:
                owners[line] = number
        open_lines = left
    return list(zip(owners, lines, strict=True))


def _steps(db: Database, path: str) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """Each transaction with the text before and after it, newest first, whatever steps it took."""
    for number, steps in groupby(history.steps(db, path), lambda step: step[0].transaction):
        (_, before, after), *earlier = steps
        yield number, earlier[-1][1] if earlier else before, after


def pairs(before: Sequence[bytes], after: Sequence[bytes]) -> Pairs:
    """Places of the lines that stand in both, in order."""
    first, limit = 0, min(len(before), len(after))
    while first < limit and before[first] == after[first]:
        first += 1
    last = 0
    while last < limit - first and before[-1 - last] == after[-1 - last]:
        last += 1
    found = [(place, place) for place in range(first)]
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    if old and new:
        for a, b, size in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
            found += [(first + a + step, first + b + step) for step in range(size)]
    return found + [(len(before) - step, len(after) - step) for step in range(last, 0, -1)]


def _lines(text: bytes | None) -> list[bytes]:
    """Lines without their ends; only a line feed ends a line."""
    if not text:
        return []
    lines = text.split(b"\n")
    return lines[:-1] if not lines[-1] else lines
