"""The cutover: each criterion with its figure, done as one step or not at all, and back again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schema.backups import listing
from schema.errors import SyncdError
from syncd import backups, cutover
from syncd.bank import database_of
from syncd.config import Config
from syncd.model import Mode
from tests.syncd.conftest import Live

Syncd = Callable[..., Any]
READY = Config(settle_seconds=0.0, cutover_days=0, cutover_edits=0)


def unmet(live: Live, config: Config = READY, now: datetime | None = None) -> dict[str, str]:
    """The criteria that are not met, with their figures."""
    found = cutover.checked(live.bank, live.engine.db, config, now or datetime.now(UTC))
    assert len(found) == 8
    assert all(bool(c.how) != c.met for c in found)
    return {c.name: c.figure for c in found if not c.met}


def test_a_clean_bank_meets_every_criterion(live: Live) -> None:
    """The figures say what was looked at; the backup made for the comparison is gone."""
    assert unmet(live) == {}
    found = {c.name: c.figure for c in cutover.checked(live.bank, live.engine.db, READY, datetime.now(UTC))}
    assert found["every document round-trips"] == "25 of 25"
    assert found["a fresh backup, restored, is equal"].startswith("25 documents to the byte and ")
    assert listing(database_of(live.bank)) == []


def test_each_thing_that_waits_is_named(live: Live) -> None:
    """A row on its way, a conflict, a hold, drift, a text that is not stored as it was read."""
    live.sql("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
    assert unmet(live)["both sides are equal"] == "1 row and 0 files on the way"
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: CRITICAL")
    live.sync()
    assert unmet(live)["no open conflict"] == "1"
    live.write("edit_history.md", b"")
    live.sync()
    assert unmet(live)["nothing is held"] == "1"
    live.engine.db.run("UPDATE documents SET hash = 'x' WHERE path = 'tasks.md'")
    assert unmet(live)["every document round-trips"] == "24 of 25"


def test_drift_is_named_with_the_number_of_places(live: Live) -> None:
    """An edit that the other places have not followed yet is one."""
    live.edit("tasks.md", "| LOW      | -  ", "| HIGH     | -  ")
    live.sync()
    assert "no drift" in unmet(live)
    live.sync(follow=True)
    assert "no drift" not in unmet(live)


def test_what_was_unexplained_has_to_be_long_ago(live: Live) -> None:
    """Days and edits both count from the last conflict, hold or line that was not understood."""
    live.edit("tasks.md", "| T6     |", "| T6     | extra |")
    live.sync()
    now = datetime.now(UTC)
    week = Config(cutover_days=7, cutover_edits=2)
    name = "nothing unexplained for 7 days and 2 edits"
    assert name in unmet(live, week, now + timedelta(days=8))
    for number in range(2):
        live.write("progress.md", live.read("progress.md") + f"\nStep {number}.\n")
        live.sync()
    assert "0.0 days and 2 edits since tasks.md:" in unmet(live, week, now)[name]
    assert name not in unmet(live, week, now + timedelta(days=8))


def test_a_file_that_the_backup_would_not_give_is_named(live: Live) -> None:
    """The comparison reads the files themselves."""
    live.write("progress.md", "Not absorbed.\n")
    assert unmet(live)["a fresh backup, restored, is equal"] == "progress.md differs"


def test_the_cutover_is_refused_with_the_unmet_criteria(syncd: Syncd, synced: Path) -> None:
    """Exit code 1, and nothing has changed."""
    (synced / "edit_history.md").write_bytes(b"")
    syncd("sync", synced)
    ran = syncd("cutover", synced)
    assert ran.code == 1
    assert "nothing is held: say `syncd accept` or `syncd reject`" in ran.out
    assert syncd("mode", "--bank", synced, "--json").json == {"mode": "coexist"}
    assert syncd("cutover", synced, "--check").code == 1


def test_cut_over_and_rolled_back(syncd: Syncd, synced: Path) -> None:
    """With a backup; a dry run and a check change nothing; database-first is entered no other way."""
    assert syncd("mode", "database-first", "--bank", synced).code == 2
    assert syncd("rollback", synced).code == 2
    for option in ("--check", "--dry-run"):
        told = syncd("cutover", synced, option, "--json")
        assert (told.code, told.json["ready"], told.json["mode"]) == (0, True, "coexist")
    assert syncd("backup", "--list", "--bank", synced, "--json").json == []
    done = syncd("cutover", synced, "--json").json
    assert (done["ready"], done["mode"]) == (True, "database-first")
    (kept,) = syncd("backup", "--list", "--bank", synced, "--json").json
    assert (kept["file"], kept["why"]) == (done["backup"], "before-cutover")
    text = (synced / "tasks.md").read_text()
    (synced / "tasks.md").write_text(text + "By hand.\n")
    assert syncd("sync", synced).code == 1
    assert (synced / "tasks.md").read_text() == text
    assert syncd("cutover", synced).code == 2
    (synced / "progress.md").unlink()
    assert syncd("rollback", synced).code == 1
    assert (synced / "progress.md").exists()
    assert syncd("status", synced, "--json").json["banks"][0]["mode"] == "coexist"
    (synced / "tasks.md").write_text(text + "By hand again.\n")
    syncd("sync", synced)
    assert (synced / "tasks.md").read_text() == text + "By hand again.\n"
    db = sqlite3.connect(synced / ".syncd" / "memory_bank.db")
    operations = [row[0] for row in db.execute("SELECT operation_type FROM transaction_log ORDER BY id")]
    db.close()
    assert operations == ["absorb", "cutover", "put back", "put back", "rollback", "absorb"]


def test_without_a_backup_there_is_no_cutover(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mode stays as it was."""

    def fail(*_: object) -> Path:
        raise SyncdError("the disk is full")

    monkeypatch.setattr(backups, "make", fail)
    live.engine.config = READY
    with pytest.raises(SyncdError, match="the disk is full"):
        cutover.cut_over(live.engine, dry_run=False)
    assert live.engine.chosen_mode is Mode.COEXIST


def test_files_are_read_only_while_the_database_is_first_if_asked_for(live: Live) -> None:
    """New ones and those that come back too; a rollback gives each the permission that it had."""
    (live.bank / "progress.md").chmod(0o664)
    (live.bank / "techContext.md").chmod(0o400)
    live.sync()
    live.engine.config = replace(READY, read_only_files=True)
    assert cutover.cut_over(live.engine, dry_run=False)["mode"] == "database-first"
    live.sync()

    def modes() -> dict[str, int]:
        return {p: (live.bank / p).stat().st_mode & 0o777 for p in live.tree() if p.endswith(".md")}

    assert {mode & 0o222 for mode in modes().values()} == {0}
    (live.bank / "progress.md").unlink()
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T4'")
    live.sql("INSERT INTO tasks(id, title, status) VALUES ('T77', 'A new one', 'pending')")
    live.sync()
    assert {mode & 0o222 for mode in modes().values()} == {0}
    assert "tasks/T77.md" in modes()
    live.assert_at_rest()
    cutover.roll_back(live.engine)
    live.sync()
    assert modes()["techContext.md"] == 0o400
    assert {mode & 0o200 for path, mode in modes().items() if path != "techContext.md"} == {0o200}
    live.assert_at_rest()
