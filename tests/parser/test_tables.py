"""Pipe tables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parser.tables import column, find_tables

TABLE = """Before | it
| ID  | **Title** | Status |
|:---:|-----------|-------:|
| T1  | One       | ✅     |
| T2  | a \\| b    |        | a note
 T3 | `c | d` | x
| T4 |
"""


def _cells(text: str) -> list[list[list[str]]]:
    return [[[cell.text for cell in row.cells] for row in (table.header, *table.rows)] for table in find_tables(text)]


def test_cells_are_read_with_ragged_rows_and_escapes() -> None:
    """Escaped pipes and those in code split nothing; missing outer pipes and extra cells do no harm."""
    assert _cells(TABLE) == [
        [
            ["ID", "**Title**", "Status"],
            ["T1", "One", "✅"],
            ["T2", "a | b", "", "a note"],
            ["T3", "`c | d`", "x"],
            ["T4"],
        ]
    ]


def test_spans_show_the_content_without_its_padding() -> None:
    """Unescaped, the text at a span is the cell's text."""
    for table in find_tables(TABLE):
        for row in (table.header, *table.rows):
            for cell in row.cells:
                assert TABLE[cell.span.start : cell.span.end].replace("\\|", "|") == cell.text
    empty = find_tables(TABLE)[0].rows[1].cells[2].span
    assert empty.start == empty.end
    assert TABLE[empty.start - 2 : empty.start] == "| "


def test_a_header_in_the_middle_starts_a_new_table() -> None:
    """A delimiter row below a row with an id is a line between rows, and no header."""
    text = "| ID | A |\n|---|---|\n| T1 | x |\n| ID | B |\n|---|---|\n| T2 | y |\n|---|---|\n| T3 | z |\n"
    assert _cells(text) == [[["ID", "A"], ["T1", "x"]], [["ID", "B"], ["T2", "y"], ["T3", "z"]]]


def test_rows_behind_blank_lines_belong_to_the_table() -> None:
    """Prose between them ends it."""
    assert _cells("| ID |\n|---|\n| T1 |\n\n| T2 |\n") == [[["ID"], ["T1"], ["T2"]]]
    assert _cells("| ID |\n|---|\n| T1 |\n\nprose\n\n| T2 |\n") == [[["ID"], ["T1"]]]
    assert _cells("| ID |\n|---|\n| T1 |\n\na | b\n") == [[["ID"], ["T1"]]]


def test_tables_in_fences_are_none() -> None:
    """Nor is a row without a delimiter row."""
    assert find_tables("```\n| a |\n|---|\n| b |\n```\n") == []
    assert find_tables("| a | b |\n| c | d |\n") == []


def test_stray_backticks_do_not_join_cells() -> None:
    """Where the header says how many cells there are."""
    assert _cells("| a | b | c |\n|---|---|---|\n| don`t | won`t | x |\n") == [
        [["a", "b", "c"], ["don`t", "won`t", "x"]]
    ]


def test_columns_are_found_by_their_header() -> None:
    """Case, bold and spaces do not matter; the first name that is there counts."""
    table = find_tables(TABLE)[0]
    assert column(table, "title") == 1
    assert column(table, "State", "STATUS") == 2
    assert column(table, "Owner") is None


@given(st.text(alphabet="|-:ab`\\ \n\rT1é", max_size=80))
def test_any_text_gives_spans_within_it(text: str) -> None:
    """In order, in their rows, whatever the text."""
    for table in find_tables(text):
        for row in (table.header, *table.rows):
            assert row.cells
            for cell in row.cells:
                assert row.line.start <= cell.span.start <= cell.span.end <= row.line.end
                assert text[cell.span.start : cell.span.end].replace("\\|", "|") == cell.text
