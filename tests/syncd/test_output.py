"""What commands print, on a terminal and elsewhere."""

from __future__ import annotations

import io
import json
import sys

import pytest

from syncd import output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_a_table_is_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but text and spaces; a None is empty, a line break in a cell is spelled out."""
    output.show_table(["id", "file"], [[1, "a.md"], [22, None], [3, "b\nc.md"]])
    assert capsys.readouterr().out == "id  file\n1   a.md\n22\n3   b\\nc.md\n"


def test_on_a_terminal_a_table_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Markup in a value is shown as it is."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    output.show_table(["id", "file"], [[1, "[bold]a.md"]])
    assert "[bold]a.md" in terminal.getvalue()
    assert "─" in terminal.getvalue() or "━" in terminal.getvalue()


def test_names_that_are_no_utf_8_survive_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """They come back as they went in."""
    value = {"path": "caf\udce9.md", "title": "naïve ✅"}
    output.show_json(value)
    printed = capsys.readouterr().out
    assert "✅" in printed
    assert json.loads(printed) == value


def test_a_diff_is_coloured_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Elsewhere it can be piped to patch."""
    diff = "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n"
    output.show_text(diff)
    assert capsys.readouterr().out == diff
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    output.show_text(diff)
    assert "\x1b[32m+new\x1b[0m\n" in terminal.getvalue()


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody watches there is no bar at all."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with output.progress_bar("reading") as progress:
        assert progress is None
    monkeypatch.setattr(sys, "stderr", Terminal())
    with output.progress_bar("reading") as progress:
        assert progress is not None
        progress(1, 2)


def test_counts_are_words() -> None:
    """One hold, two holds."""
    assert [output.counted(n, "hold") for n in (0, 1, 2000)] == ["0 holds", "1 hold", "2,000 holds"]
