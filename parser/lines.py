"""Lines of a section, and those of them that are markdown: outside fences and HTML comments."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from schema.patterns import pattern

_FENCE = pattern(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})")
_CLOSE = pattern(r"[ \t]*(`{3,}|~{3,})[ \t]*$")


class Line(Struct, frozen=True):
    """One line: its number (from 0), and the offsets of its text, without the line break and a ``\\r`` before it."""

    number: int
    start: int
    end: int
    text: str


@lru_cache(maxsize=16)
def _split(text: str) -> tuple[Line, ...]:
    found, start = [], 0
    for number, raw in enumerate(text.split("\n")):
        line = raw.removesuffix("\r")
        found.append(Line(number, start, start + len(line), line))
        start += len(raw) + 1
    if not found[-1].text and found[-1].start == len(text):
        found.pop()
    return tuple(found)


def lines(text: str) -> list[Line]:
    """All lines of ``text``. A final line break does not start another line; an empty text has none."""
    return list(_split(text))


def open_lines(text: str) -> Iterator[Line]:
    """The lines of ``text`` that are neither in a fence (nor its marks) nor in an HTML comment.

    A fence may be indented at will, as in a list. One that is not closed runs to the end of the section.
    """
    fence, comment = "", False
    for line in _split(text):
        if fence:
            closing = _CLOSE.match(line.text)
            if closing and closing[1].startswith(fence):
                fence = ""
        elif comment:
            comment = "-->" not in line.text
        elif opening := _FENCE.match(line.text):
            fence = opening[1]
        elif line.text.lstrip(" ").startswith("<!--"):
            comment = "-->" not in line.text
        else:
            yield line
