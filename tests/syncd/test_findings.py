"""What `syncd check` finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

Syncd = Callable[..., Any]


def found(syncd: Syncd, bank: Path) -> list[tuple[str, str | None, int | None]]:
    """Kind, document and line of all findings."""
    return [(f["kind"], f["document"], f["line"]) for f in syncd("check", bank, "--json").json]


def test_a_sound_bank_has_no_findings(syncd: Syncd, synced: Path) -> None:
    """The exit code says so too."""
    assert syncd("check", synced).code == 0
    assert found(syncd, synced) == []


def test_drift_of_the_first_import_is_named_with_its_line(syncd: Syncd, bank: Path) -> None:
    """It is told in `check` and counted in `status`; nothing is changed."""
    file = bank / "tasks.md"
    text = file.read_text(encoding="utf-8").replace("⬜ NOT STARTED | LOW ", "⬜ NOT STARTED | HIGH")
    file.write_text(text, encoding="utf-8")
    syncd("sync", bank)
    line = 1 + next(number for number, row in enumerate(text.splitlines()) if row.startswith("| T6 "))
    ran = syncd("check", bank, "--json")
    assert ran.code == 1
    assert [(f["kind"], f["document"], f["line"], f["what"]) for f in ran.json] == [
        ("drift", "tasks.md", line, "T6 priority: HIGH here, LOW in the record")
    ]
    assert syncd("status", bank, "--json").json["banks"][0]["drift"] == 1
    assert file.read_text(encoding="utf-8") == text


def test_a_row_on_its_way_to_the_files_is_no_drift(syncd: Syncd, synced: Path) -> None:
    """It is pending."""
    with sqlite3.connect(synced / ".syncd" / "memory_bank.db") as db:
        db.execute("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
    db.close()
    assert found(syncd, synced) == []


def test_a_dependency_on_nothing_is_named(syncd: Syncd, synced: Path) -> None:
    """It may point outside the bank, so it is told and kept."""
    file = synced / "tasks.md"
    file.write_text(file.read_text(encoding="utf-8").replace("| T1, T2   ", "| T1, T77  "), encoding="utf-8")
    syncd("sync", synced, "--follow")
    (what,) = [f["what"] for f in syncd("check", synced, "--json").json if f["kind"] == "dangling"]
    assert what == "T3 depends on T77, which the bank does not have"


def test_damage_is_a_failure(syncd: Syncd, synced: Path) -> None:
    """A stored section that is not what was read, and a row without its owner."""
    with sqlite3.connect(synced / ".syncd" / "memory_bank.db") as db:
        db.execute("INSERT INTO state VALUES ('open_transaction', 1)")  # or the change would be taken for an edit
        db.execute("UPDATE sections SET text = text || 'x' WHERE id = (SELECT min(id) FROM sections)")
        db.execute("DELETE FROM state WHERE name = 'open_transaction'")
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("INSERT INTO readings VALUES (999999, 0, 'tasks', 'T1', 'own')")
    db.close()
    ran = syncd("check", synced, "--json")
    assert ran.code == 3
    assert [f["kind"] for f in ran.json] == ["round trip", "history", "integrity"]


def test_a_damaged_history_is_told_and_the_rest_goes_on(
    syncd: Syncd, synced: Path, tmp_path: Path
) -> None:
    """`check` and `export` name the document; other documents, later states, sync and prune are as ever."""
    for words in ("first words", "second words", "third words"):
        with (synced / "techContext.md").open("a") as file:
            file.write(f"\n{words}\n")
        assert syncd("sync", synced).code == 0
    with closing(sqlite3.connect(synced / ".syncd/memory_bank.db")) as db, db:
        db.execute("UPDATE versions SET before = x'007f7f' WHERE path = 'techContext.md' AND \"transaction\" = 3")
    told = syncd("check", synced)
    assert told.code == 3
    assert "techContext.md" in told.out
    assert "what it held after 2 transactions from 1 to 2 is lost; all else can be exported" in told.out
    whole = syncd("export", tmp_path / "whole", "--bank", synced, "--at", "3")
    assert whole.code == 0
    assert (tmp_path / "whole/techContext.md").read_text().endswith("second words\n")
    part = syncd("export", tmp_path / "part", "--bank", synced, "--at", "2")
    assert part.code == 3
    assert "techContext.md was not: its history is damaged (`syncd check`)" in part.out
    assert (tmp_path / "part/tasks.md").exists()
    assert not (tmp_path / "part/techContext.md").exists()
    (synced / "techContext.md").write_text("anew\n")
    assert syncd("sync", synced).code == 0
