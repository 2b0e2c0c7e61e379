"""Three-way merges of whole texts, and the choice of their base. Pure. The line merge is the library ``merge3``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from parser.text import common_prefix, common_suffix
from schema.patterns import pattern
from schema.records import TASK_ID

_OWN_WORDS = 3


class LineClash(Struct, frozen=True):
    """Lines that both sides changed differently; the file's stand in the merged text."""

    base: str
    file: str
    db: str


class Merged(Struct, frozen=True):
    """The merged text and the clashes that were settled for the file."""

    text: str
    clashes: tuple[LineClash, ...] = ()


def merge_texts(base: str, file: str, db: str) -> Merged:
    """Merge by lines. Where both sides inserted at one place, both stand, the file's first; so do lines that one side
    added around those that the other changed. Else the file's lines win.
    """
    if file == db or db == base:
        return Merged(file)
    if file == base:
        return Merged(db)
    if base and not base.endswith("\n") and _ended(base, file) and _ended(base, db):
        base += "\n"  # both sides ended the last line: what each added below it need not meet
    from merge3 import Merge3

    parts: list[str] = []
    clashes: list[LineClash] = []
    for group in Merge3(_split(base), _split(file), _split(db)).merge_groups():
        if group[0] != "conflict":
            parts += group[1]
            continue
        b, f, d = ("".join(part) for part in group[1:])
        if (merged := _beside(b, f, d) or _beside(b, d, f)) is not None:
            parts.append(merged)
        elif not b:
            parts += [f] if f.endswith("\n") or not d else [f, "\n"]
            parts.append("" if _holds_lines(f, d) else d)
        else:
            parts.append(f)
            clashes.append(LineClash(b, f, d))
    return Merged("".join(parts), tuple(clashes))


def _holds_lines(text: str, lines: str) -> bool:
    """Whether ``lines`` stand in ``text`` one behind the other, each as a whole."""
    have, wanted = text.removesuffix("\n").split("\n"), lines.removesuffix("\n").split("\n")
    return any(have[n : n + len(wanted)] == wanted for n in range(len(have) - len(wanted) + 1))


def _ended(base: str, text: str) -> bool:
    """Whether the last line of ``base``, which has no end there, has one in ``text``, or that ends with one."""
    last = base.rpartition("\n")[2]
    return text.endswith("\n") or f"\n{last}\n" in f"\n{text}"


def _beside(base: str, changed: str, other: str) -> str | None:
    """The lines of ``changed`` where ``other`` only added lines around those of ``base``; None where it did more."""
    if not base.endswith("\n") or (changed and not changed.endswith("\n")) or other.count(base) != 1:
        return None
    before, _, behind = other.partition(base)
    return None if before and not before.endswith("\n") else before + changed + behind


def _split(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends a line."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def overlooked(text: str, before: str, after: str) -> bool:
    """Whether ``text`` still shows what the step from ``before`` to ``after`` took away and lacks what it brought.

    Then whoever saved it had not seen that step. Who says a sentence that the step brought in other words has seen it,
    and who gives another value to a label that it brought, right where it stands, or other words to the row of a task;
    of headings, list items and other table rows two that are alike are two. And who has one line of those that it
    brought, which nobody else would write so, has seen all: a step comes to the disk at once.
    """
    has, old, new = (Counter(line for line in t.split("\n") if line.strip()) for t in (text, before, after))
    gone, came = old - new, new - old
    lacks = [line for line in came if has[line] < new[line]]
    if gone:
        return any(has[line] > new[line] for line in gone) and (not came or bool(lacks))
    fresh = [line for line in has if line not in old and line not in new and _is_prose(line)]
    words, said = [set(_words(line)) for line in fresh], set(_words(before))
    if any(has[line] >= new[line] and _is_its_own(line, said) for line in came):
        return False
    rows = [row for line in has if line not in old and line not in new and (row := _row(line))]
    here = {place for line, place in _labels(text) if line in fresh}
    there = dict(_labels(after))
    return not came or not all(
        (_is_prose(line) and (_reworded(set(_words(line)), words, said) or there.get(line) in here))
        or _is_same_row(_row(line), rows)
        for line in lacks
    )


_ROW = pattern(rf"[ \t]*\|[ \t*`\[]*({TASK_ID})\b")


def _row(line: str) -> tuple[str, set[str]] | None:
    """The task and the words of the row of a task; None for any other line."""
    found = _ROW.match(line)
    return (found[1], set(_words(line))) if found else None


def _is_same_row(row: tuple[str, set[str]] | None, rows: Sequence[tuple[str, set[str]]]) -> bool:
    """Whether one of ``rows`` is of the same task, with most words of ``row``."""
    return row is not None and any(
        task == row[0] and 3 * len(words & row[1]) >= 2 * len(row[1]) for task, words in rows
    )


def _is_its_own(line: str, said: set[str]) -> bool:
    """Whether a line has a number and several new words: two who write do not come upon the same one."""
    new = [word for word in set(_words(line)) - said if word.isalpha()]
    return len(new) >= _OWN_WORDS and any(c.isdigit() for c in line)


_LABEL = pattern(r"[ \t]*\*\*([^\W\d][^*:]*)(?::\*\*|\*\*:)(?=\s|$)")


def _labels(text: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each line with a label and a value, with where it is looked for: the line above, and the label."""
    above = ""
    for line in text.split("\n"):
        if label := _LABEL.match(line):
            yield line, (above, label[1])
        above = line if line.strip() else above


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _is_prose(line: str) -> bool:
    """Whether a line is none of those that stand for a record, or belong to its structure. A label with a value is."""
    return re.match(r"[ \t]*(?:[-*+|#>=`~]|\d+[.)])", line) is None or _LABEL.match(line) is not None


def _reworded(line: set[str], fresh: Sequence[set[str]], said: set[str]) -> bool:
    """Whether one of the new lines has most words of ``line``, and one among them that was not ``said`` before."""
    return any(3 * len(line & other) >= 2 * len(line) and (line & other) - said for other in fresh)


def distance(a: str, b: str) -> int:
    """Number of lines that stand in one of the two texts only."""
    left, right = map(Counter, _apart(a, b))
    return (left - right).total() + (right - left).total()


def _apart(a: str, b: str) -> tuple[list[str], list[str]]:
    """The lines of both without those that begin both and those that end both: these count on neither side."""
    start = a.rfind("\n", 0, common_prefix(a, b)) + 1
    shared = common_suffix(a, b, min(len(a), len(b)) - start)
    line_end = a.find("\n", len(a) - shared)  # from here on whole lines are shared
    shared = len(a) - line_end if line_end >= 0 else 0
    return a[start : len(a) - shared].split("\n"), b[start : len(b) - shared].split("\n")


def nearest(text: str, versions: Sequence[str]) -> int:
    """Index of the version that ``text`` was most likely made from. Versions come newest first.

    Ties go to the newer, but for one that it equals.
    """
    if text in versions:
        return versions.index(text)
    scores = [distance(text, version) for version in versions]
    return scores.index(min(scores))
