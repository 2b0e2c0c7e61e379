"""Cut a text into sections: slices from one heading to the next that join to the text again.

A heading is an ATX heading at the left margin, outside fences, HTML blocks and front matter. Such a line ends every
list, quote and paragraph, so what it is does not depend on them, nor does where a section ends depend on what stands
before it. Where the line scanner is not certain (an indented fence, raw HTML or a link's title that may hold a heading
line) the block parser is asked about that section: `parser.blocks`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import AnyStr

from msgspec import Struct

from schema.patterns import pattern

_MARK = pattern(
    r"^(?:(?P<head>#{1,6}(?=[ \t\r]|$))"
    r"|(?P<indent> {0,3})(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})"
    r"|(?P<html> {0,3}<(?=[A-Za-z/!?]))"
    r"|(?P<link>[ \t]*\[))",
    re.M,
)
_HIDDEN = pattern(r"^(?:#{1,6}(?=[ \t\r]|$)| {0,3}(?:```|~~~))", re.M)
_HEADING = pattern(r"\ufeff?(#{1,6})(?:[ \t]+([^\n]*?))?(?:[ \t]+#+)?[ \t]*\r?(?:\n|$)")
_BLANK = pattern(r"^[ \t]*\r?$", re.M)
_RAW_ENDS = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>"}
_RAW_TAG = pattern(r"<(script|pre|style|textarea)(?=[\s>]|$)", re.I)
_DECLARATION = pattern(r"<![A-Z]")

NO_STOPS: Container[int] = frozenset()


class Cut(Struct, frozen=True):
    """What `scan` found. ``starts`` are section starts, the first where it began.

    ``doubt`` is the end of a stretch, in the last of these sections, about which the scanner is not sure; None if there
    is none. ``stopped`` tells that the last start is one of the stops.
    """

    starts: list[int]
    doubt: int | None = None
    stopped: bool = False


def front_matter_end(text: str) -> int:
    """Offset behind a YAML front matter block (with its BOM), 0 where there is none."""
    start = int(text.startswith("\ufeff"))
    if not text.startswith("---", start):
        return 0
    end = _fence_end(text, start)
    while end and not (closing := _fence_end(text, end)):
        end = text.find("\n", end) + 1
    return closing if end else 0


def _fence_end(text: str, start: int) -> int:
    """Offset behind the line at ``start`` if it is ``---`` and blanks; else 0."""
    end = text.find("\n", start)
    line = text[start:] if end < 0 else text[start:end]
    if line.startswith("---") and not line[3:].removesuffix("\r").strip(" \t"):
        return len(text) if end < 0 else end + 1
    return 0


def heading(text: str) -> tuple[int, str]:
    """Level (1 to 6) and title of the heading that starts ``text``; ``(0, "")`` where none does."""
    match = _HEADING.match(text)
    return (len(match[1]), (match[2] or "").strip()) if match else (0, "")


def scan(text: str, position: int = 0, stops: Container[int] = NO_STOPS) -> Cut:
    """Find section starts from ``position`` on, which is 0 or the start of a section.

    Ends at the end of the text, where a section starts at one of ``stops``, or at the first doubt.
    """
    starts = [position]
    clear = 0  # up to here no heading is hidden: raw HTML and links need no second look
    if position == 0:
        position = front_matter_end(text)
    while match := _MARK.search(text, position):
        position = match.end()
        if match["head"]:
            if match.start() > starts[-1]:
                starts.append(match.start())
                if match.start() in stops:
                    return Cut(starts, stopped=True)
        elif match["fence"]:
            position, doubt = _fence(text, match)
            if doubt:
                return Cut(starts, position)
        else:
            ends = _raw_ends(text, match)
            if match.start() < clear and (ends is None or clear == len(text)):
                continue
            end = _end_of_raw(text, match, ends)
            if _HIDDEN.search(text, match.end(), end):
                return Cut(starts, end)
            clear = end if ends is None or end == len(text) else clear
    return Cut(starts)


def _fence(text: str, match: re.Match[str]) -> tuple[int, bool]:
    """Offset behind the fence that ``match`` opens, and whether that is in doubt.

    An indented fence may stand in a list. Either way it ends where it seems to, if what it holds is indented as well.
    """
    mark = match["fence"]
    close = re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*\r?$", re.M)
    closed = close.search(text, match.end())
    end = closed.end() if closed else len(text)
    if not match["indent"]:
        return end, False
    less = re.compile(rf"^(?!{match['indent']}|[ \t]*\r?$)", re.M).search(text, match.end(), end)
    return end, not closed or less is not None


def _raw_ends(text: str, match: re.Match[str]) -> str | None:
    """What ends the raw HTML that ``match`` starts; None where an empty line does, as for a link's definition."""
    start = match.end() - 1
    if match["link"]:
        return None
    if tag := _RAW_TAG.match(text, start):
        return f"</{tag[1]}>"
    if _DECLARATION.match(text, start):
        return ">"
    return next((ends for begins, ends in _RAW_ENDS.items() if text.startswith(begins, start)), None)


def _end_of_raw(text: str, match: re.Match[str], ends: str | None) -> int:
    start = match.end()
    if ends is not None:
        found = re.compile(re.escape(ends), re.I).search(text, start)
        return found.end() if found else len(text)
    if match["link"]:
        line_end = text.find("\n", start)
        if text.find("]:", start, len(text) if line_end < 0 else line_end) < 0:
            return start
    blank = _BLANK.search(text, start)
    return blank.start() if blank else len(text)


def starts_from(text: str, position: int = 0, stops: Container[int] = NO_STOPS) -> Cut:
    """As `scan`, with every doubt settled by the block parser. Up to the first of ``stops``, or to the end."""
    found = scan(text, position, stops)
    starts = found.starts
    while found.doubt is not None:
        from parser import blocks

        start = blocks.next_start(text, starts[-1], found.doubt)
        if start is None:
            break
        if start in stops:
            return Cut([*starts, start], stopped=True)
        found = scan(text, start, stops)
        starts += found.starts
    return Cut(starts, stopped=found.stopped)


def cut(text: str) -> list[int]:
    """The starts of all sections of ``text``, beginning with 0. An empty text has one empty section."""
    return starts_from(text).starts


def slices(text: str, starts: list[int]) -> Iterator[str]:
    """The sections themselves; they join to ``text``."""
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text[start:end]


_SLICE = 1 << 16  # what is copied to be compared stays in the processor's cache


def common_prefix(a: AnyStr, b: AnyStr) -> int:
    """Length of the longest common prefix: slice by slice, then by halving; never single characters."""
    low, end = 0, min(len(a), len(b))
    while low < end and a.startswith(b[low : min(low + _SLICE, end)], low):
        low += _SLICE
    if low >= end:
        return end
    high = min(low + _SLICE, end)
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low


def common_suffix(a: AnyStr, b: AnyStr, limit: int) -> int:
    """Length of the longest common suffix, at most ``limit``."""
    low = 0
    while low < limit:
        more = min(low + _SLICE, limit)
        if not a.startswith(b[len(b) - more : len(b) - low], len(a) - more):
            break
        low = more
    if low >= limit:
        return limit
    high = min(low + _SLICE, limit)
    while high - low > 1:
        middle = (low + high) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle
    return low
