"""Block structure as mistletoe sees it: the arbiter where the line scanner is not sure. The only mistletoe importer.

Never renders, and reads blocks only, not what is in them. mistletoe costs a third of a second to import, so this module
is imported late.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

from mistletoe import block_token, block_tokenizer
from mistletoe.markdown_renderer import MarkdownRenderer

from parser.text import front_matter_end

_LOCK = threading.Lock()  # mistletoe's token registries are module globals
_HEADING_LINE = re.compile(r"^#{1,6}(?=[ \t\r]|$)", re.M)


def top_level(text: str) -> list[tuple[str, int]]:
    """Top-level blocks of ``text`` as ``(token class name, line counted from 0)``. ``text`` has no front matter.

    Raises RecursionError on text nested deeper than the interpreter allows.
    """
    lines = [line.removesuffix("\r") + "\n" for line in text.split("\n")]
    with _LOCK, MarkdownRenderer():
        block_token.token._root_node = block_token.Document([])
        try:
            blocks = block_tokenizer.tokenize_block(lines, block_token._token_types)
        finally:
            block_token.token._root_node = None
    return [(token.__name__, line - 1) for token, _, line in blocks]


def section_starts(text: str) -> list[int]:
    """Offsets of the sections of all of ``text``, beginning with 0, with headings as mistletoe sees them.

    Raises RecursionError on text nested deeper than the interpreter allows.
    """
    begin = front_matter_end(text)
    return [0, *(start for start in _headings(text, begin, len(text)) if start > 0)]


def settle(text: str, start: int, doubt: int) -> tuple[list[int], int | None]:
    """Section starts behind the section at ``start``, which is in doubt up to ``doubt``.

    Returns them up to the first behind the doubt, and where to go on: that one, or None at the end of the text. Text
    that mistletoe cannot read (nested without bound) is one section up to its next heading line.
    """
    begin = front_matter_end(text) if start == 0 else start
    for candidate in _candidates(text, doubt):
        end = len(text) if candidate is None else text.find("\n", candidate)
        try:
            found = [s for s in _headings(text, begin, len(text) if end < 0 else end) if s > start]
        except RecursionError:
            return ([], None) if candidate is None else ([candidate], candidate)
        if candidate is None:
            return found, None
        if found and found[-1] == candidate:
            return found, candidate
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
    return [offsets[line] for name, line in top_level(body) if name == "Heading" and text.startswith("#", offsets[line])]
