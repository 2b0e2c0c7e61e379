"""Edits on the text of one section, and how they are applied."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from msgspec import Struct

from schema.records import Span


class Edit(Struct, frozen=True, order=True):
    """Replace ``span`` of the text of section number ``section`` by ``new``. An empty span inserts.

    Text for behind the last section is inserted at that section's end.
    """

    section: int
    span: Span
    new: str


class Plan(Struct, frozen=True):
    """Edits that make several changes of one document at once, those for one place in their order there.

    ``without`` are the numbers of the changes that are not among them: they need one that is made before.
    """

    edits: list[Edit]
    without: frozenset[int] = frozenset()


class Overlap(ValueError):
    """Two edits touch the same text: a bug in a writer, or two changes of one field."""


def apply_edits(texts: list[str], edits: Iterable[Edit]) -> list[str]:
    """The section texts with ``edits`` applied. Raises `Overlap` where two of them are not disjoint.

    Edits equal to each other count once: two records may share one span (a line that names two files).
    Several insertions at one place keep the order in which they were given.
    """
    changed = list(texts)
    by_section: dict[int, list[Edit]] = {}
    seen: set[Edit] = set()
    for edit in edits:
        if edit.span.start == edit.span.end or edit not in seen:
            seen.add(edit)
            by_section.setdefault(edit.section, []).append(edit)
    for section, group in by_section.items():
        group.sort(key=lambda edit: edit.span)
        text, position, parts = texts[section], 0, []
        for edit in group:
            if edit.span.start < position:
                raise Overlap(f"section {section}: {edit.span} overlaps the edit before it")
            parts += [text[position : edit.span.start], edit.new]
            position = edit.span.end
        changed[section] = "".join([*parts, text[position:]])
    return changed


def added(texts: Sequence[str], edits: Sequence[Edit], before: Sequence[Span]) -> tuple[Span, ...] | None:
    """The stretches of the whole text that ``edits`` put into ``texts``, with those put in ``before``, in order.

    None where they do more than insert.
    """
    if any(edit.span.start != edit.span.end for edit in edits):
        return None
    starts = [0, *accumulate(map(len, texts))]
    put_in = sorted((starts[edit.section] + edit.span.start, len(edit.new)) for edit in edits)
    offsets, shifts = [offset for offset, _ in put_in], [0, *accumulate(length for _, length in put_in)]
    moved = [
        Span(start + shifts[bisect_right(offsets, start)], end + shifts[bisect_left(offsets, end)])
        for start, end in before
    ]
    fresh = [Span(offset + shifts[n], offset + shifts[n + 1]) for n, (offset, _) in enumerate(put_in)]
    found: list[Span] = []
    for span in sorted([*moved, *fresh]):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)
