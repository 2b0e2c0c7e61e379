"""Bursts of rows in one transaction: one text for each document, planned once, each row at its own place."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from schema.db import Database
from syncd.plan import emission
from tests.syncd.conftest import Live
from writer.put import Put, put

MANY = 150


def _entries(db: Database, files: int = 0) -> None:
    """Entries over some days, before, between and behind those that are there; all say the same of their files."""
    for number in range(MANY):
        day, minute = f"2026-0{1 + number % 5}-{1 + number % 9:02}", f"{number % 24:02}:{number % 60:02}"
        entry = db.insert(
            "INSERT INTO edit_entries(date, time, task_id, task_description) VALUES (?, ?, 'T3', ?)",
            (day, minute, f"Bulk {number}"),
        )
        for file in range(files):
            db.run(
                "INSERT INTO file_modifications(edit_entry_id, action, file_path, description) VALUES (?, ?, ?, 'x')",
                (entry, "Modified", f"src/{file}.ts"),
            )


def _puts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects how many changes each call of the writer was asked for."""
    asked: list[int] = []

    def counted(document: emission.Document, changes: list[emission.Change]) -> Put:
        asked.append(len(changes))
        return put(document, changes)

    monkeypatch.setattr(emission, "put", counted)
    return asked


def _shown_below(live: Live) -> dict[str, list[str]]:
    """The files of each bulk entry as the history shows them."""
    found: dict[str, list[str]] = {}
    words = ""
    for line in live.read("edit_history.md").splitlines():
        if line.startswith("#"):
            words = line.rpartition(": ")[2]
        elif line.startswith("- ") and words.startswith("Bulk"):
            found.setdefault(words, []).append(line.split("`")[1])
    return found


def test_a_burst_of_entries_with_files_is_one_text(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _puts(monkeypatch)
    with live.engine.db.atomic():
        _entries(live.engine.db, files=2)
    report = live.sync()
    assert report.emitted == ("edit_history.md",)
    assert MANY in asked
    assert len(asked) <= 2  # the stamp of the document, and the entries
    live.assert_at_rest()


def test_each_row_of_a_burst_is_known_at_its_own_place(live: Live) -> None:
    """Though all their lines read the same: what is changed or deleted by row then is that entry's, that line."""
    with live.engine.db.atomic():
        _entries(live.engine.db, files=2)
    live.sync()
    names = live.sql("SELECT id, task_description FROM edit_entries WHERE task_description LIKE 'Bulk%'")
    for key, words in names[::10]:
        live.sql(
            "UPDATE file_modifications SET file_path = ? WHERE edit_entry_id = ? AND file_path = 'src/1.ts'",
            f"of/{words}", key,
        )  # fmt: skip
    live.sync()
    shown = _shown_below(live)
    changed = {words for _, words in names[::10]}
    for _, words in names:
        assert shown[words] == ["src/0.ts", f"of/{words}" if words in changed else "src/1.ts"]
    live.assert_at_rest()


CHANGES: dict[str, tuple[str, ...]] = {
    "updates": ("UPDATE edit_entries SET task_id = 'T3, T4' WHERE task_description LIKE 'Bulk%'",),
    "updates of lines": ("UPDATE file_modifications SET description = 'y' WHERE description = 'x'",),
    "moves to other days": ("UPDATE edit_entries SET date = '2026-02-14' WHERE task_description LIKE 'Bulk%'",),
    "deletes": ("DELETE FROM edit_entries WHERE task_description LIKE 'Bulk%'",),
    "deletes of lines": ("DELETE FROM file_modifications WHERE description = 'x'",),
    "all of them": (
        "UPDATE edit_entries SET task_description = 'Changed ' || id WHERE id % 3 = 0 AND task_id = 'T3'",
        "DELETE FROM edit_entries WHERE id % 3 = 1 AND task_description LIKE 'Bulk%'",
        "INSERT INTO edit_entries(date, time, task_id, task_description) "
        "SELECT date, time, task_id, 'Copy of ' || id FROM edit_entries WHERE id % 3 = 2 AND task_id = 'T3'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_burst_of_changes_is_one_text(live: Live, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    with live.engine.db.atomic():
        _entries(live.engine.db, files=1)
    live.sync()
    asked = _puts(monkeypatch)
    with live.engine.db.atomic():
        for statement in CHANGES[what]:
            live.engine.db.run(statement)
    report = live.sync()
    assert report.emitted == ("edit_history.md",)
    assert report.problems == ()
    assert len(asked) <= 4
    live.assert_at_rest()


def test_a_burst_of_tasks_is_one_text_of_the_registry(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _puts(monkeypatch)
    with live.engine.db.atomic():
        for number in range(40):
            live.engine.db.run(
                "INSERT INTO tasks(id, title, status, priority) VALUES (?, ?, 'pending', 'HIGH')",
                (f"T{100 + number}", f"Task {number}"),
            )
    report = live.sync()
    assert "tasks.md" in report.emitted
    assert max(asked) == 40
    assert [n for n in asked if n > 1] == [40]
    assert live.read("tasks.md").count("| Task ") == 40
    live.assert_at_rest()


def test_the_database_made_anew_from_the_files_of_a_burst_is_equal(
    live: Live, open_live: Callable[..., Live]
) -> None:
    with live.engine.db.atomic():
        _entries(live.engine.db, files=2)
    live.sync()
    select = """SELECT date, time, task_id, task_description, action, file_path, m.description
        FROM edit_entries AS e JOIN file_modifications AS m ON m.edit_entry_id = e.id"""
    before = sorted(live.sql(select), key=str)
    live.engine.close()
    shutil.rmtree(live.engine.db.path.parent)
    again = open_live(live.bank)
    again.sync()
    assert sorted(again.sql(select), key=str) == before


def test_a_pasted_history_is_read_once(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of new entries in a file are one transaction with one version of it."""
    text = "".join(
        f"#### {n % 24:02}:{n % 60:02} - T3: Pasted {n}\n- Modified `src/{n % 3}.ts` - x\n\n" for n in range(1000)
    )
    live.write("edit_history.md", live.read("edit_history.md") + "\n### 2026-01-01\n\n" + text)
    report = live.sync()
    assert report.absorbed == ("edit_history.md",)
    assert live.value("SELECT count(*) FROM edit_entries WHERE task_description LIKE 'Pasted%'") == 1000
    assert live.value('SELECT count(*) FROM versions WHERE "transaction" = ?', report.number) == 1
    live.assert_at_rest()


def test_a_line_keeps_its_entry_where_much_goes_above_it(live: Live) -> None:
    """It is changed in the same transaction in which what stands above it is deleted: it moves up in the text."""
    with live.engine.db.atomic():
        _entries(live.engine.db, files=1)
    live.sync()
    line, owner = live.sql("SELECT id, edit_entry_id FROM file_modifications ORDER BY id")[0]
    with live.engine.db.atomic():
        live.engine.db.run("DELETE FROM edit_entries WHERE task_description LIKE 'Bulk%'")
        live.engine.db.run("UPDATE file_modifications SET description = 'other words' WHERE id = ?", (line,))
    live.sync()
    assert live.value("SELECT edit_entry_id FROM file_modifications WHERE id = ?", line) == owner
    live.assert_at_rest()
