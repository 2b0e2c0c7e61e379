"""Block structure as mistletoe sees it: the arbiter where the line scanner is not sure. The only mistletoe importer.

Never renders, and reads blocks only, not what is in them. mistletoe costs a third of a second to import, so this module
is imported late.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

from mistletoe import block_token, block_tokenizer, token
from mistletoe.markdown_renderer import MarkdownRenderer

from parser.text import front_matter_end
from schema.patterns import pattern

_LOCK = threading.Lock()  # mistletoe's token registries are module globals
_STATE: Any = token
_TOKENIZE: Any = block_tokenizer.tokenize_block
_DEEP = pattern(r"^(?:[ \t>]{200}|(?:[-*+>][ \t]*){60})", re.M)  # takes mistletoe minutes, or its stack
_HEADING_LINE = pattern(r"^#{1,6}(?=[ \t\r]|$)", re.M)


def top_level(text: str) -> list[tuple[str, int]]:
    """Top-level blocks of ``text`` as ``(token class name, line counted from 0)``. ``text`` has no front matter.

    Raises RecursionError on text nested deeper than the interpreter allows.
    """
    lines = [line.removesuffix("\r") + "\n" for line in text.split("\n")]
    with _LOCK, MarkdownRenderer():
        _STATE._root_node = block_token.Document([])  # where definitions of links are collected
        try:
            blocks = _TOKENIZE(lines, block_token._token_types)
        finally:
            _STATE._root_node = None
    return [(kind.__name__, line - 1) for kind, _, line in blocks]


def section_starts(text: str) -> list[int]:
    """Offsets of the sections of all of ``text``, beginning with 0, with headings as mistletoe sees them.

    Raises RecursionError on text nested deeper than the interpreter allows.
    """
    begin = front_matter_end(text)
    return [0, *(start for start in _headings(text, begin, len(text)) if start > 0)]


def next_start(text: str, start: int, doubt: int) -> int | None:
    """Where the section that follows the one at ``start`` begins, which is in doubt up to ``doubt``. None if none does.

    Reads only as far as needed. What mistletoe cannot read (nested without bound) goes up to the next heading line.
    """
    begin = front_matter_end(text) if start == 0 else start
    if _DEEP.search(text, begin, doubt):
        return next(_candidates(text, doubt))
    for candidate in _candidates(text, doubt):
        end = len(text) if candidate is None else text.find("\n", candidate)
        try:
            found = [s for s in _headings(text, begin, len(text) if end < 0 else end) if s > start]
        except RecursionError:
            return candidate
        if candidate is None or candidate in found:
            return found[0] if found else None
    raise AssertionError("the end of the text is the last candidate")


def _candidates(text: str, doubt: int) -> Iterator[int | None]:
    """Heading lines behind ``doubt`` in growing strides, so that all attempts cost twice the last; then the end."""
    stride = wait = 1
    for match in _HEADING_LINE.finditer(text, doubt):
        wait -= 1
        if wait == 0:
            yield match.start()
            stride *= 2
            wait = stride
    yield None


def _headings(text: str, begin: int, end: int) -> list[int]:
    """Offsets of the headings at the left margin in ``text[begin:end]``, where ``begin`` starts a block."""
    body = text[begin:end]
    offsets = [begin]
    for raw in body.split("\n"):
        offsets.append(offsets[-1] + len(raw) + 1)
    headings = (offsets[line] for name, line in top_level(body) if name == "Heading")
    return [offset for offset in headings if text.startswith("#", offset)]
