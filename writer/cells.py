"""Replacing the content of a table cell so that its column stays aligned, and building a row like its neighbours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from parser.tables import Row, TableBlock
from schema.records import Span
from writer.edits import Edit

_PIPE = re.compile(r"(?<!\\)\|")
_PLAIN = re.compile(r"\|(?: [^\s|](?:[^|]*[^\s|])? \|)+\s*")
_COLOURED = "\ufe0f"


def display_width(text: str) -> int:
    """Columns that ``text`` takes in a monospaced editor: wide signs and icons two, marks that combine none."""
    width, last = 0, 0
    for sign in text:
        if sign == _COLOURED:
            width += 2 - last if last else 0
            last = 2
        elif unicodedata.combining(sign) or sign in "\u200b\u200d\ufe0e":
            continue
        else:
            last = 2 if unicodedata.east_asian_width(sign) in "WF" else 1
            width += last
    return width


def escape(value: str) -> str | None:
    """``value`` as the content of a cell, with its pipes escaped; None where no cell can hold it."""
    if "\n" in value or "\r" in value:
        return None
    return _PIPE.sub(r"\\|", value)


def unescape(content: str) -> str:
    """The text of a cell as its reader sees it."""
    return content.replace("\\|", "|")


def replace_cell(section: int, text: str, span: Span, value: str) -> Edit | None:
    """An edit that puts ``value`` where the content at ``span`` of the section ``text`` stands.

    Padding behind the content shrinks or grows so that the pipe keeps its column, down to one space. None where a
    cell cannot hold the value.
    """
    new = escape(value)
    if new is None:
        return None
    end = span.end
    while text.startswith(" ", end):
        end += 1
    padding = end - span.end
    if not text.startswith("|", end):
        return Edit(section, span, new)
    if span.start == span.end and text[: span.start].endswith(" ") and not padding:
        return Edit(section, span, new + " ")
    if padding == 0 or (padding == 1 and not _aligned(text, end)):
        return Edit(section, span, new)
    grown = display_width(new) - display_width(text[span.start : span.end])
    return Edit(section, Span(span.start, end), new + " " * max(1, padding - grown))


def _aligned(text: str, pipe: int) -> bool:
    """Whether the line above or below has a pipe in the column of the one at ``pipe``."""
    start = text.rfind("\n", 0, pipe) + 1
    end = _line_end(text, pipe)
    place = display_width(text[start:pipe])
    above = text[text.rfind("\n", 0, max(start - 1, 0)) + 1 : max(start - 1, 0)]
    below = text[end + 1 : _line_end(text, end + 1)] if end < len(text) else ""
    return any(place in _columns(line) for line in (above, below))


def _line_end(text: str, position: int) -> int:
    found = text.find("\n", position)
    return len(text) if found < 0 else found


def _columns(line: str) -> set[int]:
    return {display_width(line[: match.start()]) for match in _PIPE.finditer(line)}


def row_like(text: str, table: TableBlock, values: Sequence[str]) -> str | None:
    """A row for ``table`` of the section ``text``, without line break, one value a column, padded as its rows are.

    The model is the row that is as wide as most, else the header. None where a cell cannot hold its value.
    """
    contents = [escape(value) for value in values]
    model = table.rows[-1] if table.rows else table.header
    complete = [row for row in table.rows if len(row.cells) == len(values)]
    if complete:
        model = complete[-1]
    line = model.line.text
    # Where no cell is wider than its content, pipes stand above each other by chance.
    if _PLAIN.fullmatch(line) and not any("  |" in row.line.text for row in (table.header, *table.rows)):
        return None if None in contents else f"| {' | '.join(content or '' for content in contents)} |"
    parts = [line[: len(line) - len(line.lstrip())]] if line.lstrip().startswith("|") else []
    outer = bool(parts)
    cells = []
    for index, content in enumerate(contents):
        if content is None:
            return None
        cells.append(_padded(text, model, index, content))
    body = "|".join(cells)
    closed = line.rstrip().endswith("|")
    return (parts[0] + "|" if outer else "") + body + ("|" if closed else "")


def _padded(text: str, model: Row, index: int, content: str) -> str:
    """``content`` between the spaces that the model's cell has, its width kept where there is room."""
    if index >= len(model.cells):
        return f" {content} "
    span = model.cells[index].span
    left = len(text[: span.start]) - len(text[: span.start].rstrip(" "))
    end = span.end
    while text.startswith(" ", end):
        end += 1
    right = end - span.end
    if right == 0:
        return " " * left + content
    grown = display_width(content) - display_width(text[span.start : span.end])
    keep = right > 1 or (text.startswith("|", end) and _aligned(text, end))
    return " " * left + content + " " * (max(1, right - grown) if keep else right)
