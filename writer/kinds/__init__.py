"""How a change is planned in a document of each kind. One module a kind, mirroring ``parser.kinds``.

A kind may define ``insert(document, change)``, ``set_fields(document, change)`` and ``remove(document, change)``, each
an iterator of candidates. What comes after them is planned here: a field is replaced where it stands, a record is
removed by deleting its span. Records of the tables that a kind names in ``FIXED`` are not removed at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from itertools import chain
from types import ModuleType

from parser.document import At, Document
from parser.fields import labels
from parser.lines import lines
from parser.values import render
from schema.records import Field, Place, Span, Value
from writer.changes import Change, Insert, Remove, SetFields
from writer.edits import Edit, Plan
from writer.lines import replace_block, replace_value
from writer.places import whole_lines

Candidate = list[Edit]


def candidates(document: Document, change: Change) -> Iterator[Candidate]:
    """Ways to make ``change``, best first: the kind's own, then the general ones. None where it has no place."""
    module = _module(document.kind)
    match change:
        case SetFields():
            return chain(_own(module, "set_fields", document, change), set_fields(document, change))
        case Remove():
            if document.at(change.at).table in getattr(module, "FIXED", ()):
                return iter(())
            return chain(_own(module, "remove", document, change), remove(document, change))
        case Insert():
            return _own(module, "insert", document, change)


def together(document: Document, units: Sequence[Sequence[Change]]) -> Plan:
    """One way to make all of ``units``, changes of one sort, at once. A unit is one change, or removals of one block.

    A kind may define ``insert_all(document, changes)``, ``remove_all`` and ``set_all``; otherwise each has its first
    candidate.
    """
    firsts = [unit[0] for unit in units]
    name = {Insert: "insert_all", Remove: "remove_all", SetFields: "set_all"}[type(firsts[0])]
    plan: Callable[[Document, Sequence[Change]], Plan] | None = getattr(_module(document.kind), name, None)
    if plan is not None:
        return plan(document, firsts)
    ways = [next(candidates(document, change), None) for change in firsts]
    missing = frozenset(n for n, way in enumerate(ways) if way is None and isinstance(firsts[n], Insert))
    return Plan([edit for way in ways for edit in way or ()], missing)


@cache
def _module(kind: str) -> ModuleType | None:
    """The writer of a kind; archived tasks are written as tasks are."""
    name = f"writer.kinds.{'task' if kind == 'archived_task' else kind}"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def _own(module: ModuleType | None, name: str, document: Document, change: Change) -> Iterator[Candidate]:
    plan: Callable[[Document, Change], Iterator[Candidate]] | None = getattr(module, name, None)
    return plan(document, change) if plan is not None else iter(())


def set_fields(document: Document, change: SetFields) -> Iterator[Candidate]:
    """Replace each field where it stands, in the style of that place. None where a field does not stand here."""
    reading = document.at(change.at)
    ways = []
    for name, value in change.values.items():
        if _same(reading.value(name), value):
            continue
        if name not in reading.fields:
            return
        bare = unlabelled(document, change, name, reading.fields[name]) if not value else []
        ways.append([*bare, *replacements(document, change.at.section, name, reading.fields[name], value)])
    if not all(ways):
        return
    for number in range(max((len(way) for way in ways), default=1)):
        yield [way[min(number, len(way) - 1)] for way in ways]


def _same(old: Value, new: Value) -> bool:
    """Whether two values are equal; the order of ids does not count."""
    if isinstance(old, tuple) or isinstance(new, tuple):
        return set(old or ()) == set(new or ())
    return (old or None) == (new or None)


def replacements(document: Document, section: int, name: str, field: Field, value: Value) -> list[Edit]:
    """Edits, best first, each of which makes ``field`` show ``value``. None where this place cannot show it."""
    text = document.sections[section].text
    old = text[field.span.start : field.span.end]
    if field.place is Place.CELL:
        from writer.cells import replace_cell, unescape  # late: histories have no tables

        return _known(replace_cell(section, text, field.span, new) for new in _texts(name, unescape(old), value))
    if field.place is Place.BLOCK:
        return [e for new in _texts(name, old, value) for e in replace_block(section, text, field.span, new)]
    ways = _known(replace_value(section, text, field.span, new) for new in _texts(name, old, value))
    before, behind = field.span.start - 1, field.span.end
    if not value and text[max(before, 0) : before + 1] == "`" == text[behind : behind + 1]:  # `-` would be a name
        ways += _known(iter([replace_value(section, text, Span(before, behind + 1), render(name, old, value))]))
    return ways


def unlabelled(document: Document, change: SetFields, name: str, field: Field) -> list[Edit]:
    """The edit that takes a field out with its label, and with its line where nothing else stands there.

    None where the bank keeps such labels, and where the field is no labelled value.
    """
    if name not in change.unlabelled or field.place is not Place.LINE:
        return []
    text = document.sections[change.at.section].text
    line = next(line for line in lines(text) if line.start <= field.span.start <= line.end)
    known = [label for label in labels(line) if label.value_span.start <= field.span.start < label.value_span.end]
    if not known or line.text.startswith("#"):
        return []
    start, end = known[0].span.start, known[0].value_span.end
    if text[line.start : start].strip("-*+ \t") or text[end : line.end].strip("*_ \t"):
        gap = len(text[line.start : start]) - len(text[line.start : start].rstrip())
        return [Edit(change.at.section, Span(start - gap, end), "")]
    end = text.find("\n", line.end) + 1 or len(text)
    return [Edit(change.at.section, Span(line.start, end), "")]


def _texts(name: str, old: str, value: Value) -> list[str]:
    """How ``value`` may be written: in the style of ``old``; nothing also as nothing; a value also plainly."""
    new = render(name, old, value)
    plain = value if isinstance(value, str) else ", ".join(value or ())
    return [new] if new == plain else [new, plain]


def _known(edits: Iterator[Edit | None]) -> list[Edit]:
    return [edit for edit in edits if edit is not None]


def remove(document: Document, change: Remove) -> Iterator[Candidate]:
    """Delete the block of a reading: whole lines, with the deeper sections below it where it is a whole section."""
    section, reading = document.sections[change.at.section], document.at(change.at)
    exact = Edit(change.at.section, reading.span, "")
    span = whole_lines(section.text, reading)
    lines = Edit(change.at.section, span, "")
    if section.level and reading.span.start == 0 and not section.text[reading.span.end :].strip():
        whole = Edit(change.at.section, Span(0, len(section.text)), "")
        below = list(_below(document, change.at))
        yield [whole, *below]
        if below:
            yield [whole]
    yield [lines]
    if exact != lines:
        yield [exact]


def _below(document: Document, at: At) -> Iterator[Edit]:
    """The deletion of every section that stands under the heading of the one at ``at``."""
    level = document.sections[at.section].level
    for number in range(at.section + 1, len(document.sections)):
        section = document.sections[number]
        if section.level <= level:
            return
        yield Edit(number, Span(0, len(section.text)), "")
