"""Labelled values (``**Status**: x`` in all its spellings), checklist items and header moments, with their spans."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from parser.lines import Line, open_lines
from parser.moments import USUAL_MOMENT
from parser.values import ICON, read_moment, read_status
from schema.patterns import pattern
from schema.records import Span, Status

_PREFIX = pattern(r"[ \t]*(?:(?:[-*+>]|\d{1,9}[.)]|#{1,6})[ \t]+)*")
_BOLD = pattern(r"(?P<mark>\*\*|__)(?P<name>[^\s*_:|`][^*:|\n`]{0,48}?)(?:[ \t]*:[ \t]*(?P=mark)|(?P=mark)[ \t]*:)")
_ITALIC = pattern(r"(?P<mark>[*_])(?P<name>[^\W\d_][^*:|\n`]{0,48}?)(?:[ \t]*:(?P=mark)?|(?P=mark)[ \t]*:)(?=\s|$)")
_PLAIN = pattern(r"(?P<name>[^\W\d_][\w /&()#.'-]{0,48}?)[ \t]*:(?=\s|$)")
_BAR = pattern(r"[ \t]\|[ \t]+")
_CODE = pattern(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_ITEM = pattern(rf"([ \t]*)([-*+]|\d{{1,9}}[.)])[ \t]+(?:(\*{{0,2}}(?:\[[ xX]\](?=\s|$|\*)|{ICON}))[ \t]*)?")
_UPDATED = frozenset({"last updated", "updated"})
_USUAL = "*Last Updated: "


UNDERLINED = pattern(r"\ufeff?(?P<head>[^\s#>|`~*+-][^\n]*?)[ \t]*\r?\n=+[ \t]*\r?(?:\n|$)")
"""A title of the first level with a line below it."""


class Label(Struct, frozen=True):
    """A labelled value. ``name`` is lower-case and bare; ``span`` covers label and value.

    ``value`` has no trailing spaces and no closing ``*`` or ``_`` of an italic line; where nothing stands behind the
    label, ``value_span`` is empty and lies at the label's end.
    """

    name: str
    span: Span
    value: str
    value_span: Span
    line: Line


class Item(Struct, frozen=True):
    """A list item. ``status_span`` is its icon or its ``[x]`` box; empty, at the text, for an item without either."""

    line: Line
    indent: int
    marker_span: Span
    status: Status | None
    status_span: Span
    text: str
    text_span: Span


class _Mark(Struct, frozen=True):
    """Where a label starts, where it ends, its name, and the mark that closes its value (of an italic line)."""

    start: int
    end: int
    name: str
    closing: str


def labels(line: Line) -> list[Label]:
    """The labelled values of a line, in order. The first stands at the line's start, behind bullets or hashes.

    The next ones are bold anywhere in the line, or of any spelling behind `` | ``.
    """
    text = line.text
    if ":" not in text or text.lstrip(" \t").startswith("|"):
        return []
    prefix = _PREFIX.match(text)
    first = _mark(text, prefix.end() if prefix else 0)
    if first is None:
        return []
    marks = [first]
    hidden = [m.span() for m in _CODE.finditer(text)] if "`" in text else []
    position = first.end
    while (found := _next(text, position)) is not None:
        position = found.end
        if not any(start <= found.start < end for start, end in hidden):
            marks.append(found)
    if len(marks) > 1 and not marks[-1].closing:  # one italic line around several labels
        marks[-1] = replace(marks[-1], closing=first.closing)
    ends = [m.start for m in marks[1:]] + [len(text)]
    return [_label(line, mark, end) for mark, end in zip(marks, ends, strict=True)]


def _mark(text: str, position: int) -> _Mark | None:
    """The label that starts at ``position``, of any spelling."""
    if match := _BOLD.match(text, position):
        return _Mark(match.start(), match.end(), match["name"], "")
    if match := _ITALIC.match(text, position):
        open_still = match[0].count(match["mark"]) == 1
        return _Mark(match.start(), match.end(), match["name"], match["mark"] if open_still else "")
    if match := _PLAIN.match(text, position):
        return _Mark(match.start(), match.end(), match["name"], "")
    return None


def _next(text: str, position: int) -> _Mark | None:
    bold = _BOLD.search(text, position)
    found = _Mark(bold.start(), bold.end(), bold["name"], "") if bold else None
    for bar in _BAR.finditer(text, position):
        if found is not None and bar.end() >= found.start:
            break
        if mark := _mark(text, bar.end()):
            return mark
    return found


def _label(line: Line, mark: _Mark, end: int) -> Label:
    text = line.text
    start = mark.end
    while start < end and text[start] in " \t":
        start += 1
    value = text[start:end].rstrip()
    if end < len(text):
        value = value.removesuffix("|").rstrip()
    if mark.closing and value.endswith(mark.closing) and not value.endswith(mark.closing * 2):
        value = value[:-1].rstrip()
    if not value:
        start = mark.end
    stop = start + len(value)
    name = mark.name.strip(" \t*_").lower()
    offset = line.start
    return Label(
        name, Span(offset + mark.start, offset + max(stop, mark.end)), value, Span(offset + start, offset + stop), line
    )


def checklist(text: str) -> list[Item]:
    """All list items of ``text`` outside fences, in order. Those without an icon or a box have no status."""
    items = []
    for line in open_lines(text):
        match = _ITEM.match(line.text)
        if match is None:
            continue
        sign = match[3] or ""
        bare = sign.lstrip("*")
        at = match.end() if not sign else match.start(3) + len(sign) - len(bare)
        begin = line.start + match.end()
        content = line.text[match.end() :].rstrip()
        items.append(
            Item(
                line,
                len(match[1].expandtabs(4)),
                Span(line.start + match.start(2), line.start + match.end(2)),
                read_status(bare) if bare else None,
                Span(line.start + at, line.start + at + len(bare)),
                content,
                Span(begin, begin + len(content)),
            )
        )
    return items


def _usual(line: Line, value: str) -> Label:
    """What `labels` finds in a line that is written as most are."""
    start = line.start + len(_USUAL)
    end = start + len(value)
    return Label("last updated", Span(line.start, end), value, Span(start, end), line)


def header_moment(line: Line) -> Label | None:
    """The ``*Last Updated: …*`` of a document, whose ``value_span`` is the moment's text alone.

    None where the line is something else, or holds no date.
    """
    text = line.text.lstrip(" \t")
    if not text.startswith(("*", "_")) or text.startswith(("**", "__", "* ")):
        return None
    if "updated" not in text.lower():
        return None
    value = line.text.removeprefix(_USUAL).removesuffix("*")
    if len(value) == len(line.text) - len(_USUAL) - 1 and USUAL_MOMENT.fullmatch(value):
        labelled = [_usual(line, value)]
    else:
        labelled = labels(line)
    for label in labelled:
        if label.name in _UPDATED and (moment := read_moment(label.value)) is not None and moment.date is not None:
            start = label.value_span.start
            span = Span(start + moment.span.start, start + moment.span.end)
            return replace(label, value=label.value[moment.span.start : moment.span.end], value_span=span)
    return None
