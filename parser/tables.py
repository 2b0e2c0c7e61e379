"""Pipe tables: header, rows and cells with their spans. What the cells mean is for the grammars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from parser.kinds import TASK_ID
from parser.lines import Line, open_lines
from schema.patterns import pattern
from schema.records import Span

_DELIMITER = pattern(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_PIPE = pattern(r"\\.|(`+)|\|", re.S)
_ID = pattern(rf"[*\s\[`]*{TASK_ID}(?![\w-])")


class Cell(Struct, frozen=True):
    """A cell: its text without padding and with escaped pipes unescaped, and the span of that text as it stands.

    The span of an empty cell is empty and lies behind the first padding space.
    """

    text: str
    span: Span


class Row(Struct, frozen=True):
    line: Line
    cells: tuple[Cell, ...]


class TableBlock(Struct, frozen=True):
    """A table: its rows may have more or fewer cells than the header. The span ends before the last line break."""

    header: Row
    rows: tuple[Row, ...]
    span: Span


def find_tables(text: str) -> list[TableBlock]:
    """The tables of ``text`` outside fences, in order.

    A header with its delimiter row in the middle of a table starts a new one. Rows that stand behind blank lines
    belong to the table before them, unless they start a table of their own.
    """
    if "|" not in text:
        return []
    candidates = [line for line in open_lines(text) if "|" in line.text]
    found: list[TableBlock] = []
    header: Row | None = None
    rows: list[Row] = []
    last = -1
    for index, line in enumerate(candidates):
        below = candidates[index + 1] if index + 1 < len(candidates) else None
        if header is not None and not _continues(text, last, line):
            found.append(_block(header, rows))
            header = None
        if _starts(line, below, header is not None):
            if header is not None:
                found.append(_block(header, rows))
            header, rows = Row(line, _cells(line, 0)), []
        elif header is not None and not _is_delimiter(line):
            rows.append(Row(line, _cells(line, len(header.cells))))
        last = line.end
    return [*found, _block(header, rows)] if header is not None else found


def column(table: TableBlock, *names: str) -> int | None:
    """Index of the first of ``names`` that is a column of ``table``; case, ``*`` and spaces around do not matter."""
    titles = [cell.text.strip("*_ \t").casefold() for cell in table.header.cells]
    return next((titles.index(name.casefold()) for name in names if name.casefold() in titles), None)


def _is_delimiter(line: Line) -> bool:
    return _DELIMITER.match(line.text) is not None


def _starts(line: Line, below: Line | None, inside: bool) -> bool:
    """Whether ``line`` is a header: its delimiter row follows. Inside a table, a row with a task's id is none."""
    if below is None or below.number != line.number + 1 or not _is_delimiter(below) or _is_delimiter(line):
        return False
    return not (inside and _ID.match(line.text.lstrip(" \t|")))


def _continues(text: str, last: int, line: Line) -> bool:
    """Whether ``line`` goes on with the table whose row ended at ``last``, if need be behind blank lines."""
    between = text[last : line.start]
    return not between.strip() and (between.count("\n") == 1 or line.text.lstrip(" \t").startswith("|"))


def _block(header: Row, rows: Sequence[Row]) -> TableBlock:
    return TableBlock(header, tuple(rows), Span(header.line.start, (rows[-1] if rows else header).line.end))


def _cells(line: Line, expected: int) -> tuple[Cell, ...]:
    """The cells of ``line``. Pipes in code spans do not split, unless only so the row has the ``expected`` cells."""
    pipes = _pipes(line.text, code=True)
    if expected and "`" in line.text and len(pipes) != len(plain := _pipes(line.text, code=False)):
        cells, others = _between(line, pipes), _between(line, plain)
        return others if len(cells) < expected == len(others) else cells
    return _between(line, pipes)


def _pipes(text: str, code: bool) -> list[int]:
    """Offsets of the pipes that split cells."""
    found, position = [], 0
    while match := _PIPE.search(text, position):
        position = match.end()
        if match[0] == "|":
            found.append(match.start())
        elif match[1] and code:
            closing = re.compile(rf"(?<!`){match[1]}(?!`)").search(text, position)
            position = closing.end() if closing else position
    return found


def _between(line: Line, pipes: list[int]) -> tuple[Cell, ...]:
    text = line.text
    bounds = [-1, *pipes, len(text)]
    if pipes and not text[: pipes[0]].strip():
        bounds.pop(0)
    if pipes and not text[pipes[-1] + 1 :].strip() and len(bounds) > 2:
        bounds.pop()
    cells = []
    for left, right in pairwise(bounds):
        raw = text[left + 1 : right]
        content = raw.strip()
        start = left + 1 + (len(raw) - len(raw.lstrip()) if content else min(1, len(raw)))
        span = Span(line.start + start, line.start + start + len(content))
        cells.append(Cell(content.replace("\\|", "|"), span))
    return tuple(cells)
