"""Edits on the text of one section, and how they are applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schema.records import Span


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace ``span`` of the text of section number ``section`` by ``new``. An empty span inserts.

    Text for behind the last section is inserted at that section's end.
    """

    section: int
    span: Span
    new: str


class Overlap(ValueError):
    """Two edits touch the same text: a bug in a writer, or two changes of one field."""


def apply_edits(texts: list[str], edits: Iterable[Edit]) -> list[str]:
    """The section texts with ``edits`` applied. Raises `Overlap` where two of them are not disjoint.

    Edits equal to each other count once: two records may share one span (a line that names two files).
    Several insertions at one place keep the order in which they were given.
    """
    changed = list(texts)
    by_section: dict[int, list[Edit]] = {}
    for edit in edits:
        group = by_section.setdefault(edit.section, [])
        if edit.span.start == edit.span.end or edit not in group:
            group.append(edit)
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
