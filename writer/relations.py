"""A fenced list of tasks and what they need, as some banks keep instead of a graph. Pure.

    T27: Publish the client (depends on T13, T25)

It counts below a heading about relationships or dependencies, if every line of it is of that form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from parser.kinds import TASK_ID
from parser.lines import Line, lines
from parser.text import heading
from parser.values import read_ids, render_ids
from schema.patterns import pattern
from schema.records import Span, Value
from writer.edits import Edit, apply_edits
from writer.lines import newline_of

Values = Mapping[str, Value]

_ABOUT = pattern(r"\b(?:relationships?|dependenc(?:y|ies))\b", re.I)
_FENCE = pattern(r"(?:`{3,}|~{3,})[ \t]*$")
_LINE = pattern(rf"(?P<id>{TASK_ID}): (?P<words>\S.*?)(?P<needs> \(depends on (?P<ids>[^()]+)\))?$")
_DIGITS = pattern(r"\d+")


class _Listed(Struct, frozen=True):
    """A line of the list."""

    line: Line
    task: str
    words: str
    ids: str
    start: int  # of the words in the line
    end: int


def listed(text: str, task: str, before: Values | None, after: Values | None) -> str:
    """The section ``text`` with its list of relations showing a task that changed. Where it keeps none, as it is."""
    if "```" not in text or not _ABOUT.search(heading(text)[1]):
        return text
    rows = _rows(text)
    edit = _edit(text, rows, task, before, after) if rows else None
    changed = apply_edits([text], [edit])[0] if edit is not None else text
    return changed if edit is None or _rows(changed) or len(rows) == 1 else text


def _rows(text: str) -> list[_Listed]:
    """The lines of the section's first fence, if it is a list of relations."""
    rows: list[_Listed] = []
    inside = False
    for line in lines(text):
        if _FENCE.match(line.text):
            if inside:
                return rows
            inside = True
        elif inside:
            match = _LINE.match(line.text)
            if match is None:
                return []
            rows.append(_Listed(line, match["id"], match["words"], match["ids"] or "", *match.span("words")))
    return []


def _edit(text: str, rows: Sequence[_Listed], task: str, before: Values | None, after: Values | None) -> Edit | None:
    own = next((row for row in rows if row.task == task), None)
    if after is None:
        if own is None or len(rows) == 1:  # an empty fence would be none of ours
            return None
        end = text.find("\n", own.line.end)
        return Edit(0, Span(own.line.start, end + 1), "")
    title, needs = after.get("title"), after.get("dependencies") or ()
    if own is None:
        if before is not None or not isinstance(title, str) or "\n" in title or "\r" in title or not title.strip():
            return None
        new = f"{task}: {title}{_needs('', needs)}"
        if _newest_first(rows):
            return Edit(0, Span(rows[0].line.start, rows[0].line.start), new + newline_of(text))
        return Edit(0, Span(rows[-1].line.end, rows[-1].line.end), newline_of(text) + new)
    words = own.words
    if before is not None and before.get("title") == words and isinstance(title, str) and "\n" not in title:
        words = title
    ids = own.ids
    if before is not None and set(before.get("dependencies") or ()) != set(needs):
        gone = set(before.get("dependencies") or ()) - set(needs)
        there = [i for i in read_ids(own.ids) if i not in gone]
        ids = own.ids if set(needs) <= set(there) == set(read_ids(own.ids)) else _joined(own.ids, there, needs)
    clause = f" (depends on {ids})" if ids else ""
    new = f"{own.task}: {words}{clause}"
    return None if new == own.line.text else Edit(0, Span(own.line.start, own.line.end), new)


def _joined(old: str, there: Sequence[str], needs: Sequence[str]) -> str:
    wanted = (*there, *(i for i in needs if i not in there))
    return render_ids(old, wanted) if wanted else ""


def _needs(old: str, needs: Value) -> str:
    ids = render_ids(old, tuple(needs)) if needs else ""
    return f" (depends on {ids})" if ids else ""


def _newest_first(rows: Sequence[_Listed]) -> bool:
    ids = [_DIGITS.sub(lambda match: match[0].zfill(8), row.task) for row in rows]
    return sum((a < b) - (a > b) for a, b in pairwise(ids)) < 0
