"""`syncd query`: what it shows, and that it never writes and never runs for ever."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Syncd = Callable[..., Any]


def test_rows_come_as_columns_json_and_csv(syncd: Syncd, synced: Path) -> None:
    """The three forms show the same rows."""
    sql = "SELECT id, title FROM tasks WHERE status = 'completed' ORDER BY id"
    expected = [["T1", "Harmonic Prediction Engine"], ["T2", "Station List Import"]]
    plain = syncd("query", sql, "--bank", synced)
    assert (plain.code, plain.out.splitlines()[0].split()) == (0, ["id", "title"])
    assert [line.split(maxsplit=1) for line in plain.out.splitlines()[1:]] == expected
    assert [list(row.values()) for row in syncd("query", sql, "--json", "--bank", synced).json] == expected
    table = list(csv.reader(io.StringIO(syncd("query", sql, "--csv", "--bank", synced).out)))
    assert table == [["id", "title"], *expected]


def test_columns_of_one_name_are_told_apart(syncd: Syncd, synced: Path) -> None:
    """No column is lost in JSON."""
    found = syncd("query", "SELECT 1 AS id, 2 AS id, 3 AS id_2", "--json", "--bank", synced).json
    assert found == [{"id": 1, "id_2": 2, "id_2_2": 3}]


def test_bytes_and_odd_texts_come_out(syncd: Syncd, synced: Path) -> None:
    """Bytes as SQL writes them; NULL is JSON's null and an empty cell."""
    sql = "SELECT x'00ff' AS b, NULL AS n, 'a\nb,\"c' AS t"
    assert syncd("query", sql, "--json", "--bank", synced).json == [{"b": "x'00ff'", "n": None, "t": 'a\nb,"c'}]
    rows = list(csv.reader(io.StringIO(syncd("query", sql, "--csv", "--bank", synced).out)))
    assert rows[1] == ["x'00ff'", "", 'a\nb,"c']


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM tasks",
        "UPDATE tasks SET title = 'x'",
        "CREATE TABLE other(x)",
        "CREATE TEMP TABLE other(x)",
        "VACUUM INTO '{out}'",
        "ATTACH '{out}' AS other",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 7",
        "SELECT 1; DELETE FROM tasks",
        "WITH gone AS (SELECT 1) DELETE FROM tasks",
    ],
)
def test_nothing_that_writes_is_run(syncd: Syncd, synced: Path, tmp_path: Path, statement: str) -> None:
    """Neither to the database nor to another file, and the refusal is one line."""
    out = tmp_path / "out.db"
    ran = syncd("query", statement.format(out=out), "--bank", synced)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert not out.exists()
    assert syncd("query", "SELECT count(*) AS n FROM tasks", "--json", "--bank", synced).json == [{"n": 8}]


def test_an_endless_statement_is_stopped(syncd: Syncd, synced: Path) -> None:
    """After the time that it is given."""
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    ran = syncd("query", endless, "--seconds", "0.05", "--bank", synced)
    assert ran.code == 2
    assert "stopped after 0.05 seconds" in ran.err


def test_more_rows_than_allowed_are_told(syncd: Syncd, synced: Path) -> None:
    """The first ones are shown, and exactly as many as there are is no reason to tell."""
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
    ran = syncd("query", endless, "--limit", "3", "--json", "--bank", synced)
    assert (ran.code, [row["x"] for row in ran.json]) == (1, [1, 2, 3])
    assert "more than 3 rows" in ran.err
    assert syncd("query", "SELECT id FROM tasks", "--limit", "8", "--bank", synced).code == 0
    assert len(syncd("query", "SELECT id FROM tasks", "--limit", "0", "--bank", synced).out.splitlines()) == 9


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["SELECT * FROM absent"], "no such table: absent"),
        (["SELEC"], "syntax error"),
        ([" "], "no statement"),
        (["SELECT 1", "--json", "--csv"], "exclude each other"),
        (["SELECT 1", "--seconds", "soon"], "not a number of seconds"),
        (["SELECT zeroblob(1000000000)"], "too big"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(
    syncd: Syncd, synced: Path, arguments: list[str], told: str
) -> None:
    """Exit code 2, no traceback."""
    ran = syncd("query", *arguments, "--bank", synced)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert told in ran.err


def test_the_statement_may_come_from_standard_input(
    syncd: Syncd, synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With - in its place."""
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 7 AS x"))
    assert syncd("query", "-", "--json", "--bank", synced).json == [{"x": 7}]
