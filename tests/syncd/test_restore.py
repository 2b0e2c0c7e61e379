"""A backup is brought back after a look at what that does; the files' newer content stays."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd import lineage, staging
from syncd.bank import database_of
from syncd.engine import Engine
from tests.syncd.test_backups import Log, loop_of

Syncd = Callable[..., Any]


def sql(bank: Path, query: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(database_of(bank), timeout=10)
    try:
        rows = db.execute(query).fetchall()
        db.commit()
        return rows
    finally:
        db.close()


def tree(bank: Path) -> dict[str, bytes]:
    return {str(p.relative_to(bank)): p.read_bytes() for p in bank.rglob("*.md") if ".syncd" not in p.parts}


@pytest.fixture
def backup(syncd: Syncd, synced: Path, tmp_path: Path) -> Path:
    """A backup of the sample bank, which has moved on since: an edit, a new document, one deleted, a conflict."""
    file = tmp_path / "backup.db"
    assert syncd("backup", file, "--bank", synced).code == 0
    text = (synced / "tasks/T4.md").read_text()
    (synced / "tasks/T4.md").write_text(text.replace("**Priority**: MEDIUM", "**Priority**: HIGH"))
    (synced / "notes.md").write_text("# New\n\nSince the backup.\n")
    (synced / "techContext.md").unlink()
    sql(synced, "UPDATE tasks SET priority = 'LOW' WHERE id = 'T4'")
    assert syncd("sync", synced).code == 1
    return file


def test_a_dry_run_shows_counts_and_what_would_be_written_and_changes_nothing(
    syncd: Syncd, synced: Path, backup: Path
) -> None:
    """The backup itself stays as it is too."""
    before, rows, content = tree(synced), sql(synced, "SELECT * FROM transaction_log"), backup.read_bytes()
    shown = syncd("restore", backup, "--dry-run", "--bank", synced, "--json").json
    assert shown["written"] == ["techContext.md"]
    assert shown["conflicts_lost"] == 1
    assert shown["records"]["tasks"] == {"now": 8, "then": 8}
    assert "tasks T4: priority 'MEDIUM' -> 'HIGH'" in shown["row_diffs"]
    text = syncd("restore", backup, "--dry-run", "--bank", synced).out
    assert "+++ techContext.md" in text
    assert "would write 1 document" in text
    assert (tree(synced), sql(synced, "SELECT * FROM transaction_log")) == (before, rows)
    assert backup.read_bytes() == content
    assert not list(synced.glob(".syncd/restore-*"))


def test_without_a_yes_nothing_is_done(syncd: Syncd, synced: Path, backup: Path) -> None:
    """Where nobody can be asked it says which option is missing."""
    ran = subprocess.run(
        [sys.executable, "-m", "syncd", "restore", str(backup), "--bank", str(synced)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "--yes" in ran.stderr
    assert not (synced / "techContext.md").exists()


def test_a_restore_keeps_what_it_replaces_and_the_files_newer_content(
    syncd: Syncd, synced: Path, backup: Path
) -> None:
    """The union: what only the backup had comes back, what only the files had is absorbed."""
    before = tree(synced)
    given = syncd("restore", backup, "--yes", "--bank", synced, "--json").json
    (kept,) = syncd("backup", "--list", "--bank", synced, "--json").json
    assert (kept["why"], given["kept"]) == ("before-restore", kept["file"])
    replaced = sqlite3.connect(kept["file"])
    assert replaced.execute("SELECT count(*) FROM conflicts").fetchone() == (1,)
    replaced.close()
    now = tree(synced)
    assert now.pop("techContext.md") == (Path(__file__).parents[2] / "syncd/sample/techContext.md").read_bytes()
    assert now == before
    assert sql(synced, "SELECT priority FROM tasks WHERE id = 'T4'") == [("HIGH",)]
    assert sql(synced, "SELECT count(*) FROM documents WHERE path = 'notes.md'") == [(1,)]
    assert sql(synced, "SELECT count(*) FROM conflicts") == [(0,)]
    assert syncd("sync", synced).out == "converged, nothing to do\n"
    assert syncd("check", synced).code in (0, 1)


def test_a_running_daemon_does_it_and_answers(syncd: Syncd, synced: Path, backup: Path) -> None:
    """The request is not in the backup, and is answered all the same; the daemon goes on with what it has then."""
    loop = loop_of(synced, Log())
    answers: list[Any] = []
    try:
        asking = threading.Thread(target=lambda: answers.append(_restored(synced, backup)))
        asking.start()
        while asking.is_alive():
            loop._scan_at = 0.0
            loop.step()
        asking.join()
        assert answers[0].returncode == 0, answers[0].stderr
        assert "the database that was replaced is kept: " in answers[0].stdout
        assert (synced / "techContext.md").exists()
        assert sql(synced, "SELECT count(*) FROM requests") == [(0,)]
        sql(synced, "UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T6'")
        loop._scan_at = 0.0
        loop.step()
        assert "CRITICAL" in (synced / "tasks/T6.md").read_text()
    finally:
        loop.close()


def _restored(bank: Path, backup: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncd", "restore", str(backup), "--yes", "--bank", str(bank)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("lost", ["deleted", "damaged"])
def test_a_backup_comes_back_where_there_is_no_database(
    syncd: Syncd, synced: Path, backup: Path, lost: str
) -> None:
    """After a loss, and after a damaged one was kept aside."""
    for file in (synced / ".syncd").glob("memory_bank.db*"):
        file.unlink()
    if lost == "damaged":
        database_of(synced).write_bytes(b"garbage" * 1000)
    ran = syncd("restore", backup, "--yes", "--bank", synced)
    assert ran.code == 0, ran
    assert (synced / "techContext.md").exists()
    assert sql(synced, "SELECT priority FROM tasks WHERE id = 'T4'") == [("HIGH",)]
    assert len(list((synced / ".syncd").glob("*.damaged-*"))) == (lost == "damaged")
    assert syncd("sync", synced).out == "converged, nothing to do\n"


def test_a_backup_of_another_bank_needs_a_word(syncd: Syncd, synced: Path, tmp_path: Path) -> None:
    """As does what is no backup at all."""
    other = tmp_path / "other"
    shutil.copytree(Path(__file__).parents[2] / "syncd" / "sample", other)
    syncd("sync", other)
    assert syncd("backup", tmp_path / "theirs.db", "--bank", other).code == 0
    refused = syncd("restore", tmp_path / "theirs.db", "--yes", "--bank", synced)
    assert (refused.code, "--foreign" in refused.err) == (2, True)
    assert syncd("restore", tmp_path / "theirs.db", "--foreign", "--dry-run", "--bank", synced).code == 0
    (tmp_path / "no.db").write_text("no database")
    for name in ("no.db", "absent.db"):
        ran = syncd("restore", tmp_path / name, "--yes", "--bank", synced)
        assert ran.code in (2, 3)
        assert len(ran.err.splitlines()) == 1


def test_what_a_killed_process_left_is_removed_by_the_next(synced: Path) -> None:
    """A copy that waits for its restore is of a process that lives, and stays."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    half, whole = synced / f".syncd/known.json.{gone.pid}", synced / f".syncd/known.json.{os.getpid()}"
    half.touch()
    whole.touch()
    dead = synced / ".syncd" / "restore-dead"
    dead.mkdir()
    (dead / "staged.db").write_bytes(b"half of a copy")
    with staging.place(synced) as living:
        Engine.open(synced, create=True).close()
        assert sorted(synced.glob(".syncd/restore-*")) == [living]
        assert (half.exists(), whole.exists()) == (False, True)
    assert not list(synced.glob(".syncd/restore-*"))


@pytest.mark.parametrize("name", ["united", "note"])
def test_a_restore_that_is_killed_at_its_end_is_no_older_database_to_the_next_process(
    syncd: Syncd, synced: Path, backup: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It was asked for: what is left of it is done, and nothing waits for a person."""

    class Killed(BaseException):
        pass

    after = getattr(lineage, name)

    def kill(*given: Any, **named: Any) -> None:
        after(*given, **named)
        if name == "united" or named.get("anew"):
            raise Killed

    with monkeypatch.context() as struck:
        struck.setattr(lineage, name, kill)
        with pytest.raises(Killed):
            syncd("restore", backup, "--yes", "--bank", synced)
    report = syncd("sync", synced, "--json").json
    assert [hold["kind"] for hold in report["holds"]] == []
    assert syncd("sync", synced).out.startswith("converged, nothing to do")
