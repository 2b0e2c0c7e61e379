"""Cells, lines and places: the style of a place is kept."""

from __future__ import annotations

import pytest

from parser.document import parse
from parser.tables import find_tables
from schema.records import Span
from writer.cells import display_width, escape, replace_cell, row_like, unescape
from writer.edits import apply_edits
from writer.lines import replace_block, replace_value
from writer.places import before_section, behind_section, content_end, line_before, line_behind

ALIGNED = """| ID | Title     | Status |
|----|-----------|--------|
| T1 | One       | 🔄     |
| T2 | Two | too | ✅     |
| T3 | A long on | ⏸️     |
"""
TIGHT = "| ID | Title |\n|---|---|\n| T1 | One |\n|T2||\n"


def _set(text: str, old: str, value: str) -> str | None:
    start = text.index(old)
    edit = replace_cell(0, text, Span(start, start + len(old)), value)
    return apply_edits([text], [edit])[0] if edit else None


def _line(text: str | None, number: int) -> str:
    assert text is not None
    return text.split("\n")[number]


@pytest.mark.parametrize(
    ("old", "value", "number", "line"),
    [
        ("One", "Other", 2, "| T1 | Other     | 🔄     |"),
        ("One", "No", 2, "| T1 | No        | 🔄     |"),
        ("One", "Longer than it", 2, "| T1 | Longer than it | 🔄     |"),
        ("🔄", "⏸️", 2, "| T1 | One       | ⏸️     |"),
        ("🔄", "✅ done", 2, "| T1 | One       | ✅ done |"),
        ("A long on", "Short", 4, "| T3 | Short     | ⏸️     |"),
        ("One", "a | b", 2, "| T1 | a \\| b    | 🔄     |"),
    ],
)
def test_a_column_stays_aligned(old: str, value: str, number: int, line: str) -> None:
    """Padding shrinks and grows, down to one space; icons are two wide."""
    assert _line(_set(ALIGNED, old, value), number) == line


def test_a_cell_keeps_its_width_where_its_neighbour_is_padded_to_it() -> None:
    """Also where a longer cell before it has shifted the pipes of its line."""
    text = (
        "| ID | Title | Status |\n|---|---|---|\n| T1 | A longer title | 🔄 IN PROGRESS |\n"
        "| T2 | Short | ✅ DONE        |\n"
    )
    assert _line(_set(text, "🔄 IN PROGRESS", "✅ DONE"), 2) == "| T1 | A longer title | ✅ DONE        |"
    plain = text.replace("✅ DONE        |", "✅ IS PROGRESS |")
    assert _line(_set(plain, "🔄 IN PROGRESS", "✅ DONE"), 2) == "| T1 | A longer title | ✅ DONE |"


def test_a_column_without_alignment_gets_none() -> None:
    """One space stays one space, and none stays none."""
    assert _line(_set(TIGHT, "One", "Longer"), 2) == "| T1 | Longer |"
    assert _line(_set(TIGHT, "One", "A"), 2) == "| T1 | A |"
    assert _line(_set(TIGHT, "T2", "T22"), 3) == "|T22||"


@pytest.mark.parametrize(
    ("row", "filled"),
    [("| T1 |  |", "| T1 | x |"), ("| T1 | |", "| T1 | x |"), ("|T1||", "|T1|x|"), ("| T1 |     |", "| T1 | x   |")],
)
def test_an_empty_cell_is_filled_between_its_spaces(row: str, filled: str) -> None:
    """With as many as there are."""
    text = f"| ID | A |\n|---|---|\n{row}\n"
    span = find_tables(text)[0].rows[0].cells[1].span
    edit = replace_cell(0, text, span, "x")
    assert edit is not None
    assert _line(apply_edits([text], [edit])[0], 2) == filled


def test_a_cell_holds_no_line_break() -> None:
    """Such a value is refused; a pipe is escaped and read back."""
    assert _set(ALIGNED, "One", "a\nb") is None
    assert escape("a\rb") is None
    assert escape("a|b") == "a\\|b"
    assert unescape("a\\|b") == "a|b"


def test_widths_are_those_of_an_editor() -> None:
    """Wide signs count two, with or without the selector; marks that combine, none."""
    assert [display_width(t) for t in ("abc", "🔄", "✅", "⏸️", "é", "e\u0301", "漢")] == [3, 2, 2, 2, 1, 1, 2]


def test_a_new_row_is_padded_as_its_neighbours() -> None:
    """Down to where its values are wider."""
    table = find_tables(ALIGNED)[0]
    assert row_like(ALIGNED, table, ["T4", "Four", "⬜"]) == "| T4 | Four      | ⬜     |"
    assert row_like(ALIGNED, table, ["T40", "A title that is long", "⬜"]) == "| T40 | A title that is long | ⬜     |"
    tight = find_tables(TIGHT)[0]
    assert row_like(TIGHT, tight, ["T4", "x|y"]) == "|T4|x\\|y|"
    assert row_like(TIGHT, tight, ["T4", "x\ny"]) is None
    bare = "ID | A\n---|---\nT1 | x\n"
    assert row_like(bare, find_tables(bare)[0], ["T2", "y"]) == "T2 | y"


def test_a_value_goes_behind_its_label() -> None:
    """With a space where there was none; never over a line's end."""
    text = "**File:**\nnext\n"
    edit = replace_value(0, text, Span(9, 9), "x")
    assert edit is not None
    assert apply_edits([text], [edit])[0] == "**File:** x\nnext\n"
    assert replace_value(0, text, Span(9, 9), "x\ny") is None


def test_a_block_keeps_line_ends_and_indentation() -> None:
    """The indented way comes first, the plain one second."""
    text = "**Fix:**\r\n  one\r\n  two\r\n"
    ways = [apply_edits([text], [e])[0] for e in replace_block(0, text, Span(12, 22), "a\nb")]
    assert ways == ["**Fix:**\r\n  a\r\n  b\r\n", "**Fix:**\r\n  a\r\nb\r\n"]


@pytest.mark.parametrize(("text", "new"), [("a\nb\n", "a\nX\nb\n"), ("a", "a\nX"), ("a\r\nb\r\n", "a\r\nX\r\nb\r\n")])
def test_a_line_is_put_behind_another(text: str, new: str) -> None:
    """With the document's line breaks; a file without a final break stays one."""
    document = parse("notes.md", text)
    assert apply_edits([text], [line_behind(document, 0, 0, "X")])[0] == new


def test_a_block_is_put_around_a_section() -> None:
    """What separates sections stays where it is."""
    document = parse("notes.md", "# A\ntext\n\n# B\ntext")
    texts = [section.text for section in document.sections]
    assert "".join(apply_edits(texts, [behind_section(document, 0, "# X")])) == "# A\ntext\n\n# X\n\n# B\ntext"
    assert "".join(apply_edits(texts, [behind_section(document, 1, "# X")])) == "# A\ntext\n\n# B\ntext\n\n# X"
    assert "".join(apply_edits(texts, [before_section(document, 1, "# X")])) == "# A\ntext\n\n# X\n\n# B\ntext"
    assert "".join(apply_edits(texts, [line_before(document, 0, 5, "X")])) == "# A\nX\ntext\n\n# B\ntext"
    assert content_end("a \n\n") == 1
