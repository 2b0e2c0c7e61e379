"""Cut a text into sections: slices from one heading to the next that join to the text again.

A heading is an ATX heading at the left margin, outside fences, HTML blocks and front matter. Such a line ends every
list, quote and paragraph, so what it is does not depend on them, nor on anything before the section it starts. Where
the line scanner is not certain (an indented fence, raw HTML or a link's title that hold a heading line) the block parser
is asked about that stretch: `parser.blocks`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import AnyStr, NamedTuple

_MARK = re.compile(
    r"^(?:(?P<head>#{1,6}(?=[ \t\r]|$))"
    r"|(?P<indent> {0,3})(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})"
    r"|(?P<html> {0,3}<(?=[A-Za-z/!?]))"
    r"|(?P<link>[ \t]*\[))",
    re.M,
)
_HIDDEN = re.compile(r"^(?:#{1,6}(?=[ \t\r]|$)| {0,3}(?:```|~~~))", re.M)
_HEADING = re.compile(r"\ufeff?(#{1,6})(?:[ \t]+([^\n]*?))?(?:[ \t]+#+)?[ \t]*\r?(?:\n|$)")
_FRONT = re.compile(r"\ufeff?---[ \t]*\r?\n(?:.*\n)*?---[ \t]*\r?(?:\n|$)")
_BLANK = re.compile(r"^[ \t]*\r?$", re.M)
_RAW_ENDS = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>"}
_RAW_TAG = re.compile(r"<(script|pre|style|textarea)(?=[\s>]|$)", re.I)
_DECLARATION = re.compile(r"<![A-Z]")

NO_STOPS: Container[int] = frozenset()


class Cut(NamedTuple):
    """What `scan` found. ``starts`` are section starts, the first where it began.

    ``doubt`` is the end of a stretch, in the last of these sections, about which the scanner is not sure; None if there
    is none. ``stopped`` tells that the last start is one of the stops.
    """

    starts: list[int]
    doubt: int | None = None
    stopped: bool = False


def front_matter_end(text: str) -> int:
    """Offset behind a YAML front matter block (with its BOM), 0 where there is none."""
    match = _FRONT.match(text)
    return match.end() if match else 0


def heading(text: str) -> tuple[int, str]:
    """Level (1 to 6) and title of the heading that starts ``text``; ``(0, "")`` where none does."""
    match = _HEADING.match(text)
    return (len(match[1]), (match[2] or "").strip()) if match else (0, "")


def scan(text: str, position: int = 0, stops: Container[int] = NO_STOPS) -> Cut:
    """Find section starts from ``position`` on, which is 0 or the start of a section.

    Ends at the end of the text, where a section starts at one of ``stops``, or at the first doubt.
    """
    starts = [position]
    if position == 0:
        position = front_matter_end(text)
    while match := _MARK.search(text, position):
        position = match.end()
        if match["head"]:
            if match.start() > starts[-1]:
                starts.append(match.start())
                if match.start() in stops:
                    return Cut(starts, stopped=True)
            continue
        if match["fence"]:
            position, doubt = _fence(text, match)
        else:
            doubt = _html(text, match) if match["html"] else _link(text, match)
        if doubt is not None:
            return Cut(starts, doubt)
    return Cut(starts)


def _fence(text: str, match: re.Match[str]) -> tuple[int, int | None]:
    """Offset behind the fence that ``match`` opens, and the doubt about it.

    An indented fence may stand in a list. Either way it ends where it seems to, if what it holds is indented as well.
    """
    mark = match["fence"]
    close = re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*\r?$", re.M)
    closed = close.search(text, match.end())
    end = closed.end() if closed else len(text)
    if not match["indent"]:
        return end, None
    less = re.compile(rf"^(?!{match['indent']}|[ \t]*\r?$)", re.M).search(text, match.end(), end)
    return end, None if closed and not less else end


def _html(text: str, match: re.Match[str]) -> int | None:
    """The doubt about raw HTML: its end, if what looks like a heading or a fence stands in it."""
    start = match.end() - 1
    ends = next((e for s, e in _RAW_ENDS.items() if text.startswith(s, start)), None)
    if ends is None and (tag := _RAW_TAG.match(text, start)):
        ends = f"</{tag[1].lower()}>"
    elif ends is None and _DECLARATION.match(text, start):
        ends = ">"
    if ends is None:
        return _until_blank(text, match.end())
    found = re.compile(re.escape(ends), re.I).search(text, start)
    end = found.end() if found else len(text)
    return end if _HIDDEN.search(text, match.end(), end) else None


def _link(text: str, match: re.Match[str]) -> int | None:
    """The doubt about what may be the definition of a link, whose title may take several lines."""
    line_end = text.find("\n", match.end())
    if text.find("]:", match.end(), len(text) if line_end < 0 else line_end) < 0:
        return None
    return _until_blank(text, match.end())


def _until_blank(text: str, start: int) -> int | None:
    hidden = _HIDDEN.search(text, start)
    if hidden is None or _BLANK.search(text, start, hidden.start() - 1):
        return None
    blank = _BLANK.search(text, hidden.end())
    return blank.start() if blank else len(text)


def starts_from(text: str, position: int = 0, stops: Container[int] = NO_STOPS) -> Cut:
    """As `scan`, with every doubt settled by the block parser. Up to the first of ``stops``, or to the end."""
    found = scan(text, position, stops)
    starts = found.starts
    while found.doubt is not None:
        from parser import blocks

        settled, position = blocks.settle(text, starts[-1], found.doubt)
        for start in settled:
            starts.append(start)
            if start in stops:
                return Cut(starts, stopped=True)
        if position is None:
            break
        found = scan(text, position, stops)
        starts += found.starts[1:]
    return Cut(starts, stopped=found.stopped)


def cut(text: str) -> list[int]:
    """The starts of all sections of ``text``, beginning with 0. An empty text has one empty section."""
    return starts_from(text).starts


def slices(text: str, starts: list[int]) -> Iterator[str]:
    """The sections themselves; they join to ``text``."""
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text[start:end]


def common_prefix(a: AnyStr, b: AnyStr) -> int:
    """Length of the longest common prefix, by halving: compares slices, never single characters."""
    low, high = 0, min(len(a), len(b))
    if a[:high] == b[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low


def common_suffix(a: AnyStr, b: AnyStr, limit: int) -> int:
    """Length of the longest common suffix, at most ``limit``."""
    low, high = 0, limit
    if high == 0 or a[len(a) - high :] == b[len(b) - high :]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle
    return low
