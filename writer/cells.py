"""Replacing the content of a table cell so that its column stays aligned, and building a row like its neighbours."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from parser.tables import Row, TableBlock
from schema.patterns import pattern
from schema.records import Span
from writer.edits import Edit

_PIPE = pattern(r"(?<!\\)\|")
_PLAIN = pattern(r"\|(?: [^\s|](?:[^|]*[^\s|])? \|)+\s*")
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
    """Whether the line above or below has a pipe in the column of the one at ``pipe``, or a padded cell as wide."""
    start = text.rfind("\n", 0, pipe) + 1
    end = _line_end(text, pipe)
    place = display_width(text[start:pipe])
    above = text[text.rfind("\n", 0, max(start - 1, 0)) + 1 : max(start - 1, 0)]
    below = text[end + 1 : _line_end(text, end + 1)] if end < len(text) else ""
    if any(place in _columns(line) for line in (above, below)):
        return True
    cells = _PIPE.split(text[start:pipe])
    return any(_as_wide(line, len(cells) - 1, display_width(cells[-1])) for line in (above, below))


def _as_wide(line: str, number: int, width: int) -> bool:
    """Whether a cell of ``line`` is ``width`` columns wide by more than one space behind its content."""
    cells = _PIPE.split(line)
    return number < len(cells) - 1 and cells[number].endswith("  ") and display_width(cells[number]) == width


def _line_end(text: str, position: int) -> int:
    found = text.find("\n", position)
    return len(text) if found < 0 else found


def _columns(line: str) -> set[int]:
    return {display_width(line[: match.start()]) for match in _PIPE.finditer(line)}


class RowStyle:
    """How the rows of ``table``, of the section ``text``, are padded. For rows of ``width`` cells.

    The model is the last row of that width, else the last, else the header.
    """

    def __init__(self, text: str, table: TableBlock, width: int) -> None:
        self._text = text
        self._model = table.rows[-1] if table.rows else table.header
        self._model = next((row for row in reversed(table.rows) if len(row.cells) == width), self._model)
        # Where no cell is wider than its content, pipes stand above each other by chance.
        rows = (table.header, *table.rows)
        self._plain = bool(_PLAIN.fullmatch(self._model.line.text)) and not any("  |" in r.line.text for r in rows)

        self._pads: dict[int, _Pad] = {}

    def row(self, values: Sequence[str]) -> str | None:
        """A row without line break, one value a column. None where a cell cannot hold its value."""
        cells = []
        for index, value in enumerate(values):
            content = escape(value)
            if content is None:
                return None
            cells.append(f" {content} " if self._plain else self._pad(index).around(content))
        body = "|".join(cells)
        line = self._model.line.text
        if self._plain:
            return f"|{body}|"
        lead = line[: len(line) - len(line.lstrip())] + "|" if line.lstrip().startswith("|") else ""
        return lead + body + ("|" if line.rstrip().endswith("|") else "")

    def _pad(self, index: int) -> _Pad:
        if index not in self._pads:
            self._pads[index] = _pad_of(self._text, self._model, index)
        return self._pads[index]


class _Pad(Struct, frozen=True):
    """The spaces around the content of a cell, and how wide that is; ``keeps``: its cell stays as wide as it is."""

    left: int = 1
    width: int = 0
    right: int = 1
    keeps: bool = False

    def around(self, content: str) -> str:
        """``content`` between these spaces, the width of its cell kept where there is room."""
        grown = display_width(content) - self.width if self.keeps else 0
        return " " * self.left + content + " " * (max(1, self.right - grown) if self.keeps else self.right)


def _pad_of(text: str, model: Row, index: int) -> _Pad:
    if index >= len(model.cells):
        return _Pad()
    start, end = span = model.cells[index].span
    while text.endswith(" ", 0, start):
        start -= 1
    while text.startswith(" ", end):
        end += 1
    right = end - span.end
    keeps = right > 1 or (right == 1 and text.startswith("|", end) and _aligned(text, end))
    return _Pad(span.start - start, display_width(text[span.start : span.end]), right, keeps)


def row_like(text: str, table: TableBlock, values: Sequence[str]) -> str | None:
    """A row for ``table`` of the section ``text``, padded as its rows are. None where a cell cannot hold its value."""
    return RowStyle(text, table, len(values)).row(values)
