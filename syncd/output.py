"""What commands print: JSON for programs, tables on a terminal, plain columns elsewhere.

rich is imported only when something is drawn on a terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from syncd.errors import one_line

Progress = Callable[[int, int], None]
"""``progress(done, total)``: how many of all documents have been read."""


def speaks_utf8(stream: TextIO) -> bool:
    """Whether ``stream`` writes all characters as they are."""
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


def show_json(value: Any) -> None:
    """Print one JSON document. Names that are no UTF-8 come out as escaped surrogates."""
    import json

    text = json.dumps(value, ensure_ascii=not speaks_utf8(sys.stdout), indent=2, default=str)
    print(text.encode("utf-8", "backslashreplace").decode())


def say(text: str = "") -> None:
    """Print one line for a person."""
    print(one_line(text))


def show_text(text: str, *, coloured: bool = True) -> None:
    """Print several lines (a diff) as they are; ``coloured`` by their first character on a terminal that wants it."""
    if not text:
        return
    text = text if text.endswith("\n") else text + "\n"
    text = text.encode("utf-8", "backslashreplace").decode()
    sys.stdout.write(_coloured(text) if coloured and colours() else text)


def colours() -> bool:
    """Whether somebody sees colours: on a terminal, unless `NO_COLOR` is set to anything or `TERM` is ``dumb``."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _coloured(text: str) -> str:
    shades = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
    out = []
    for line in text[:-1].split("\n"):
        colour = shades.get(line[:1])
        out.append(f"{colour}{line}\x1b[0m\n" if colour else line + "\n")
    return "".join(out)


def show_table(headers: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """Print ``rows`` below ``headers``: a rich table on a terminal, padded columns elsewhere."""
    cells = [[one_line("" if cell is None else str(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*headers, box=box.SIMPLE_HEAD, title=title or None, title_justify="left")
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)
        return
    if title:
        print(title)
    widths = [max(len(line[i]) for line in [list(headers), *cells]) for i in range(len(headers))]
    for line in [list(headers), *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def show_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values below each other."""
    for line in pairs_of(pairs):
        print(line)


def pairs_of(pairs: Mapping[str, object]) -> list[str]:
    """Names and values, a line each."""
    width = max(map(len, pairs), default=0)
    return [f"{name.ljust(width)}  {one_line(str(value))}".rstrip() for name, value in pairs.items()]


def counted(number: int, noun: str) -> str:
    """``1 hold``, ``2 holds``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@contextmanager
def progress_bar(title: str) -> Iterator[Progress | None]:
    """A `Progress` that draws a bar on a terminal and goes away when done; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
