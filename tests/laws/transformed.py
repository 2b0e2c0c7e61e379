"""Other ways to write the same bank: each is a function from a path and a text to the same said differently.

Fences and front matter are left as they are. What a transformation would make ambiguous is left as it is, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Way = Callable[[str, str], str]

_FENCE = re.compile(r"^\s{0,3}(```|~~~)")


def _outside(text: str, change: Callable[[str], str]) -> str:
    """Each line outside of fences and front matter changed."""
    lines, fenced, front = text.split("\n"), None, text.startswith("---\n")
    out = []
    for number, line in enumerate(lines):
        opened = _FENCE.match(line)
        if front:
            front = not (number and line == "---")
        elif opened and fenced in (None, opened[1]):
            fenced = opened[1] if fenced is None else None
        elif fenced is None:
            line = change(line)
        out.append(line)
    return "\n".join(out)


def crlf(_: str, text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def bom(_: str, text: str) -> str:
    return "\ufeff" + text.removeprefix("\ufeff")


def no_final_newline(_: str, text: str) -> str:
    return text.rstrip("\n")


def tight_tables(_: str, text: str) -> str:
    """No padding in tables."""

    def tight(line: str) -> str:
        if not line.startswith("|"):
            return line
        return re.sub(r"[ \t]*(?<!\\)\|[ \t]*", "|", line).strip()

    return _outside(text, tight)


def wide_tables(_: str, text: str) -> str:
    """More padding, and colons in the rule."""

    def wide(line: str) -> str:
        if re.fullmatch(r"\|[\s:|-]+\|", line):
            return re.sub(r"-(?=[\s:]*\|)", "-:", line)
        return re.sub(r"(?<!\\)\|(?=.)", "|   ", line) if line.startswith("|") else line

    return _outside(text, wide)


def open_tables(_: str, text: str) -> str:
    """Tables without the pipes at their edges."""

    def opened(line: str) -> str:
        if line.startswith("|") and line.rstrip().endswith("|") and line.count("|") > 3 and line[1:].strip("| \t"):
            first = re.sub(r"^\|[ \t]*", "", line)
            return re.sub(r"[ \t]*\|\s*$", "", first) if first and not first.startswith("|") else line
        return line

    return _outside(text, opened)


def _tables(text: str, change: Callable[[list[list[str]]], list[list[str]]]) -> str:
    lines, out, table = text.split("\n"), [], []

    def flush() -> Iterator[str]:
        if len(table) > 2 and re.fullmatch(r"\|[\s:|-]+\|?\s*", table[1]):
            rows = [re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|")) for line in table]
            if len({len(row) for row in rows}) == 1:
                yield from ("|" + "|".join(row) + "|" for row in change(rows))
                return
        yield from table

    fenced = False
    for line in lines:
        fenced ^= bool(_FENCE.match(line))
        if line.startswith("|") and not fenced:
            table.append(line)
            continue
        out += flush()
        table.clear()
        out.append(line)
    return "\n".join(out + list(flush()))


def other_order(_: str, text: str) -> str:
    """Columns in the opposite order."""
    return _tables(text, lambda rows: [row[::-1] for row in rows])


def more_columns(_: str, text: str) -> str:
    """A column that nobody knows, in front."""
    return _tables(
        text, lambda rows: [[" Team ", *rows[0]], ["------", *rows[1]], *([" core ", *row] for row in rows[2:])]
    )


def stars(_: str, text: str) -> str:
    """Other bullets."""
    return _outside(text, lambda line: re.sub(r"^(\s*)- ", r"\1* ", line))


def pluses(_: str, text: str) -> str:
    return _outside(text, lambda line: re.sub(r"^(\s*)- ", r"\1+ ", line))


def indented(_: str, text: str) -> str:
    """Lists that stand two columns to the right."""
    return _outside(text, lambda line: re.sub(r"^(\s*)([-*] |\d+\. )", r"  \1\2", line))


def colon_inside(_: str, text: str) -> str:
    return _outside(text, lambda line: re.sub(r"\*\*([A-Z][\w ]{1,24})\*\*:", r"**\1:**", line))


def colon_outside(_: str, text: str) -> str:
    return _outside(text, lambda line: re.sub(r"\*\*([A-Z][\w ]{1,24}):\*\*", r"**\1**:", line))


def underscores(_: str, text: str) -> str:
    """The other marks of strong and emphasis."""
    def other(line: str) -> str:
        line = re.sub(r"(?<![\w*_])\*\*([^*\n_]+)\*\*(?![\w*_])", r"__\1__", line)
        return re.sub(r"^\*([^*\n_]+)\*(\s*)$", r"_\1_\2", line)
    return _outside(text, other)


def closed_headings(_: str, text: str) -> str:
    """Headings with signs behind them as well."""
    return _outside(text, lambda line: re.sub(r"^(#{1,6}) (.*[^#\s])\s*$", r"\1 \2 \1", line))


def deeper(_: str, text: str) -> str:
    """Every heading one level further down."""
    return _outside(text, lambda line: re.sub(r"^(#{1,5}) ", r"#\1 ", line))


def setext(_: str, text: str) -> str:
    """Titles of the first level with a line below them."""
    return _outside(text, lambda line: re.sub(r"^# (.+)$", lambda m: f"{m[1]}\n{'=' * len(m[1])}", line))


def front_matter(_: str, text: str) -> str:
    return text if text.startswith("---\n") or not text else f"---\nowner: somebody\nkind: note\n---\n{text}"


def spaced(_: str, text: str) -> str:
    """Two spaces behind bullets and signs of headings."""
    return _outside(text, lambda line: re.sub(r"^(\s*(?:[-*]|#{1,6})) ", r"\1  ", line))


def trailing(_: str, text: str) -> str:
    """Spaces at the end of lines."""
    return _outside(text, lambda line: line + "  " if line.strip() and not line.startswith("|") else line)


def tabs(_: str, text: str) -> str:
    """Lists that are indented with tabs."""
    return _outside(
        text, lambda line: re.sub(r"^( +)(?=[-*] |\d+\. )", lambda m: "\t" * ((len(m[1]) + 1) // 2), line)
    )


_WORDS = {"🔄": "In Progress", "✅": "Done", "⬜": "Todo", "⏸️": "Paused", "❌": "Cancelled", "🛑": "Blocked"}


def words_only(_: str, text: str) -> str:
    """Statuses as words: an icon with words loses the icon, one alone becomes words."""

    def said(line: str) -> str:
        line = re.sub(r"(🔄|✅|⬜|⏸️|❌|🛑) (?=\**[A-Z][A-Z_ ]{3,})", "", line)
        if line.startswith("|") or re.match(r"^\W*(Status|\*\*Status)", line):
            for icon, word in _WORDS.items():
                line = line.replace(icon, word)
        return line

    return _outside(text, said)


def other_ids(path: str, text: str) -> str:
    """``T12`` becomes ``PROJ-12``."""
    return re.sub(r"\bT(\d+)([a-z]?)\b(?![-\w])", r"PROJ-\1\2", text)


def other_path(way: Way, path: str) -> str:
    """The name of a document in the transformed bank."""
    return re.sub(r"(?<=/)T(\d+)([a-z]?)(?=\.md$)", r"PROJ-\1\2", path) if way is other_ids else path


WAYS: tuple[Way, ...] = (
    crlf, bom, no_final_newline, tight_tables, wide_tables, open_tables, other_order, more_columns, stars, pluses,
    indented, colon_inside, colon_outside, underscores, closed_headings, deeper, setext, front_matter, spaced, trailing,
    tabs, words_only, other_ids,
)  # fmt: skip
