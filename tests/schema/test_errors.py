"""Expected errors as lines."""

from __future__ import annotations

from schema.errors import BadStatement, NoDatabase, SyncdError, UnknownTransaction


def test_an_error_is_one_line_with_the_file_and_what_to_do() -> None:
    """What, where, what next."""
    assert str(NoDatabase("there is no database", "/a/b.db", "run: syncd init")) == (
        "there is no database: /a/b.db (run: syncd init)"
    )
    assert str(SyncdError("nothing more is known")) == "nothing more is known"


def test_a_name_with_a_newline_does_not_break_the_line() -> None:
    """Control characters and bytes that are no text are spelled out."""
    line = str(SyncdError("odd", "a\nb\udcff.md"))
    assert line == "odd: a\\nb\\udcff.md"


def test_what_was_typed_wrongly_is_a_usage_error() -> None:
    """Exit 2 for a bad statement or transaction, 3 for the rest."""
    assert (BadStatement("x").exit_code, UnknownTransaction("x").exit_code, NoDatabase("x").exit_code) == (2, 2, 3)
