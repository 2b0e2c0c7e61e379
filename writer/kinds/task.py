"""How the fields, dependencies and checklists of a task file are written; its archived copy is written the same way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from parser.document import At, Document
from parser.fields import Label, labels
from parser.kinds import TASK_ID
from parser.kinds.task import line_ids
from parser.kinds.task_fields import LABELS
from parser.lines import Line, lines, open_lines
from parser.values import render, render_ids
from schema.patterns import pattern
from schema.records import Field, Place, Reading, Span, Table, Value
from writer.changes import Insert, SetFields
from writer.edits import Edit, Plan
from writer.places import behind_section, line_behind, newline

_NAMES = {
    "title": "Title",
    "status": "Status",
    "priority": "Priority",
    "started": "Started",
    "completed": "Completed",
    "last_updated": "Last Updated",
    "description": "Description",
    "dependencies": "Dependencies",
}
_ANCHORS = ("status", "priority", "started", "dependencies", "completed", "last_updated", "title")
_BEHIND = {
    "started": ("priority",),
    "completed": ("started", "priority"),
    "dependencies": ("completed", "started", "priority"),
}
"""Behind which fields a new one goes, rather than behind the status, if they stand in the same section."""
_FIRST = {"status": "🔄 IN PROGRESS", "last_updated": "2000-01-01", "started": "2000-01-01", "completed": "2000-01-01"}
_BARE_HEADING = pattern(
    rf"(#+[ \t]+)(Task\b:?[ \t]*)?({TASK_ID})([ \t]*[:\-–—][ \t]*{TASK_ID})?[ \t]*(?=\r?\n|$)", re.I
)
_ITEM = pattern(r"([ \t]*)(?:([-*+])|(\d+)([.)]))([ \t]+)")
_BOX = pattern(r"\[[ xX]\]")


class _Anchor(Struct, frozen=True):
    """A labelled field of the header next to which another one may be written."""

    section: int
    line: Line
    label: Label


def set_fields(document: Document, change: SetFields) -> Iterator[list[Edit]]:
    """Plan what the general way cannot: listed dependencies, and fields that the file does not show so far."""
    from writer.kinds import replacements, unlabelled

    reading = document.at(change.at)
    if reading.table is not Table.TASKS:
        return
    ways: list[list[list[Edit]]] = []
    special = False
    for name, value in change.values.items():
        field = reading.fields.get(name)
        if field is not None and field.value == value:
            continue
        if field is None:
            special = True
            ways.append(list(_added(document, name, value)))
        elif name == "dependencies" and field.place is Place.BLOCK and isinstance(value, tuple | None):
            special = True
            ways.append(list(_listed(document, change.at, field, value or ())))
        else:
            bare = unlabelled(document, change, name, field) if not value else []
            ways.append([[e] for e in (*bare, *replacements(document, change.at.section, name, field, value))])
    if not special or not all(ways):
        return
    for number in range(max(len(way) for way in ways)):
        yield [edit for way in ways for edit in way[min(number, len(way) - 1)]]


def insert(document: Document, change: Insert) -> Iterator[list[Edit]]:
    """A line of a checklist: behind the last one of its section, else as the first there, else in a new section."""
    text = change.values.get("text")
    if change.table is not Table.SUBTASKS or not isinstance(text, str) or "\n" in text:
        return
    wanted = change.values.get("section")
    status = change.values.get("status")
    items = [(at, r) for at, r in document.readings() if r.table is Table.SUBTASKS]
    there = [(at, r) for at, r in items if not wanted or document.sections[at.section].heading == wanted]
    if there:
        yield [_item_behind(document, *there[-1], text, status)]
    line = f"- {render('status', _sign(document, items), status)} {text}"
    named = [n for n, s in enumerate(document.sections) if wanted and s.heading == wanted]
    for number in named:
        listed = _ITEM.match(document.sections[number].text.rstrip().rpartition("\n")[2])
        yield [behind_section(document, number, line, blank=0 if listed else 1)]
    if not named:
        heading = wanted or "Subtasks"
        yield [behind_section(document, len(document.sections) - 1, f"## {heading}\n\n{line}")]


def insert_all(document: Document, changes: Sequence[Insert]) -> Plan:
    """Lines of checklists, those of one section in the order given. A section without one gets its first alone."""
    items = [(at, r) for at, r in document.readings() if r.table is Table.SUBTASKS]
    last = {document.sections[at.section].heading: (at, r) for at, r in items}
    if items:
        last[""] = items[-1]
    edits, without, counts = [], set(), Counter[At]()
    for number, change in enumerate(changes):
        text, model = change.values.get("text"), last.get(str(change.values.get("section") or ""))
        if model is None or change.table is not Table.SUBTASKS or not isinstance(text, str) or "\n" in text:
            without.add(number)
            continue
        counts[model[0]] += 1
        edits.append(_item_behind(document, *model, text, change.values.get("status"), counts[model[0]]))
    return Plan(edits, frozenset(without))


def _sign(document: Document, items: list[tuple[At, Reading]]) -> str:
    """How this file marks an item: by a box where it has any, else by an icon."""
    for at, reading in items:
        span = reading.fields["status"].span
        if _BOX.fullmatch(sign := document.sections[at.section].text[span.start : span.end]):
            return sign
    return "⬜"


def _item_behind(document: Document, at: At, reading: Reading, text: str, status: Value, number: int = 1) -> Edit:
    """A line with the marker and the kind of sign of the item at ``at``, as the so many-th behind it."""
    section = document.sections[at.section].text
    span = reading.fields["status"].span
    start = reading.span.start
    match = _ITEM.match(section, start)
    assert match is not None
    marker = match[2] or f"{int(match[3]) + number}{match[4]}"
    sign = render("status", section[span.start : span.end], status)
    gap = section[span.end : reading.fields["text"].span.start]
    line = f"{match[1]}{marker}{match[5]}{sign}{gap.lstrip('*') or ' '}{text}"
    return line_behind(document, at.section, reading.fields["text"].span.start, line)


def _listed(document: Document, at: At, field: Field, ids: tuple[str, ...]) -> Iterator[list[Edit]]:
    """Lines taken out of and added to a list of dependencies; with other ids in another order, the list anew."""
    text = document.sections[at.section].text
    held = [line for line in lines(text) if field.span.start <= line.start and line.end <= field.span.end]
    kept, removed = _kept(held, ids)
    have = tuple(dict.fromkeys(i for line in kept for i in line_ids(line)))
    added = [_line_like(held, i) for i in ids if i not in have]
    if not kept and not added:
        added = [_line_like(held, "None")]
    break_ = newline(document)
    if removed or added:
        yield [Edit(at.section, field.span, break_.join([*kept, *added]))]
    single = {found[0]: line for line in kept if len(found := line_ids(line)) == 1}
    others = [line for line in kept if not line_ids(line)]
    yield [Edit(at.section, field.span, break_.join([*(single.get(i) or _line_like(held, i) for i in ids), *others]))]


def _kept(held: list[Line], ids: tuple[str, ...]) -> tuple[list[str], bool]:
    """The lines that stay, those of several ids without the ones that go; and whether anything goes."""
    kept: list[str] = []
    removed = False
    for line in held:
        found = line_ids(line.text)
        stay = tuple(i for i in found if i in ids)
        if stay == found:
            kept.append(line.text)
            continue
        removed = True
        match = _ITEM.match(line.text)
        if stay and match:
            kept.append(line.text[: match.end()] + render_ids(line.text[match.end() :], stay))
    return kept, removed


def _line_like(held: list[Line], task: str) -> str:
    """A list line for ``task`` with the marker of the last one that names a task."""
    model = next((line.text for line in reversed(held) if line_ids(line.text)), "- ")
    match = _ITEM.match(model)
    if match is None:
        return f"- {task}"
    marker = match[2] or f"{int(match[3]) + 1}{match[4]}"
    return f"{match[1]}{marker}{match[5]}{task}"


def _added(document: Document, name: str, value: Value) -> Iterator[list[Edit]]:
    """Show a field that the file does not show so far: in its heading (a title), or as a line in the header's style."""
    label = _NAMES.get(name)
    shown = ", ".join(value) if isinstance(value, tuple) else value
    if label is None or not shown or "\n" in shown or _shows(document, name):
        return
    if name == "title":
        yield from _into_heading(document, shown)
    text = render(name, _FIRST.get(name, ""), value)
    for anchor in _anchors(document, name):
        yield [line_behind(document, anchor.section, anchor.line.start, _label_line(anchor, label, text))]
    yield [_below_title(document, f"**{label}**: {text}")]


def _shows(document: Document, name: str) -> bool:
    return any(name in r.fields for _, r in document.readings() if r.table is Table.TASKS)


def _into_heading(document: Document, title: str) -> Iterator[list[Edit]]:
    """``# T18`` and ``# T18: T18`` take the title; ``# Task: T18`` leaves it to a label."""
    for number, section in enumerate(document.sections):
        match = _BARE_HEADING.match(section.text)
        if match is not None:
            if match[2] is None:
                yield [Edit(number, Span(match.end(3), match.end()), f": {title}")]
            return
        if section.level:
            return


def _anchors(document: Document, name: str) -> Iterator[_Anchor]:
    """The labelled fields of the header, those that ``name`` follows first, then the status; none of headings."""
    found: dict[str, _Anchor] = {}
    for at, reading in document.readings():
        if reading.table is not Table.TASKS:
            continue
        text = document.sections[at.section].text
        starts = {f.span.start: name for name, f in reading.fields.items()}
        for line in open_lines(text):
            first = next(iter(labels(line)), None)
            if first is None or first.value_span.start not in starts or line.text.startswith("#"):
                continue
            if LABELS.get(first.name) == starts[first.value_span.start]:
                found.setdefault(starts[first.value_span.start], _Anchor(at.section, line, first))
    status = found.get("status")
    near = (n for n in _BEHIND.get(name, ()) if n in found and status and found[n].section == status.section)
    for known in dict.fromkeys((*near, *_ANCHORS)):
        if known in found:
            yield found[known]


def _label_line(anchor: _Anchor, name: str, value: str) -> str:
    """A line for the field ``name`` with the bullet, emphasis and line end of the anchor's line."""
    line, label = anchor.line, anchor.label
    begin = label.span.start - line.start
    markup = line.text[begin : label.value_span.start - line.start]
    spelled = re.sub(re.escape(label.name), name.lower() if label.name in markup else name, markup, count=1, flags=re.I)
    if not spelled.endswith((" ", "\t")):
        spelled += " "
    mark = re.match(r"[*_]", markup)
    closing = mark[0] if mark and markup.count(mark[0]) == 1 else ""
    tail = "  " if line.text.endswith("  ") else ""
    return line.text[:begin] + spelled + value + closing + tail


def _below_title(document: Document, line: str) -> Edit:
    """``line`` below the title and the lines that follow it at once, a blank line between."""
    for number, section in enumerate(document.sections):
        if section.level:
            last = section.text.partition("\n\n")[0].rstrip()
            return line_behind(document, number, len(last), "\n" + line)
    return behind_section(document, 0, line)
