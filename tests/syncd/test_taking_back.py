"""Undo and restore as commands: alone, and through a daemon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.syncd.conftest import Live
from tests.syncd.daemon.test_daemon import Start, start
from tests.syncd.daemons import command, edit, ready, until

Syncd = Callable[..., Any]
__all__ = ["start"]


def test_what_is_undone_is_told(syncd: Syncd, synced: Path) -> None:
    """The report of a converge; a dry run with the differences; what stands in the way with exit code 1."""
    edit(synced / "projectbrief.md", "wet gloves", "dry gloves")
    syncd("sync", synced)
    planned = syncd("undo", "2", "--dry-run", "--bank", synced)
    assert planned.code == 0
    assert "+" in planned.out
    assert planned.out.endswith("would write 1 document and 0 rows\n")
    assert "dry gloves" in (synced / "projectbrief.md").read_text()
    ran = syncd("undo", "2", "--bank", synced, "--json")
    assert (ran.code, ran.json["number"], ran.json["emitted"]) == (0, 3, ["projectbrief.md"])
    assert "wet gloves" in (synced / "projectbrief.md").read_text()
    edit(synced / "projectbrief.md", "wet gloves", "no gloves")
    syncd("sync", synced)
    ran = syncd("undo", "3", "--bank", synced)
    assert ran.code == 1
    assert "in transaction 4" in ran.err
    assert "syncd undo 3 4" in ran.err
    assert syncd("undo", "1", "--bank", synced).code == 2
    assert syncd("undo", "9", "--bank", synced).code == 2


def test_what_is_restored_is_told(syncd: Syncd, synced: Path) -> None:
    """A document or a record, at a transaction."""
    edit(synced / "tasks" / "T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    syncd("sync", synced)
    ran = syncd("restore", "--record", "tasks:T6", "--at", "1", "--bank", synced, "--json")
    assert (ran.code, ran.json["number"]) == (0, 3)
    ran = syncd("restore", "--file", "tasks/T6.md", "--at", "2", "--bank", synced)
    assert ran.code == 0
    assert "**Priority**: HIGH" in (synced / "tasks" / "T6.md").read_text()
    for wrong in ([], ["--file", "a.md"], ["--record", "T6", "--at", "1"], ["--record", "tasks:T6"]):
        assert syncd("restore", *wrong, "--bank", synced).code == 2


def test_mode_observe_refuses_them(syncd: Syncd, synced: Path) -> None:
    """With the command to run first; rows stay as they are too."""
    edit(synced / "projectbrief.md", "wet gloves", "dry gloves")
    syncd("sync", synced)
    syncd("mode", "observe", "--bank", synced)
    for asked in (["undo", "2"], ["restore", "--file", "projectbrief.md", "--at", "1"]):
        ran = syncd(*asked, "--bank", synced)
        assert ran.code == 2
        assert "syncd mode coexist" in ran.err
    assert "dry gloves" in (synced / "projectbrief.md").read_text()


def test_a_running_daemon_undoes_and_restores(bank: Path, start: Start) -> None:
    """The answer comes when both sides are durable; what stands in the way is told through it too."""
    start(bank)
    until(lambda: ready(bank), "the daemon is ready")
    file = bank / "projectbrief.md"
    before = file.read_bytes()
    edit(file, "wet gloves", "dry gloves")
    until(lambda: "2" in command("log", "--bank", bank, "--since", "1").stdout, "it is absorbed")
    ran = command("undo", "2", "--bank", bank)
    assert ran.returncode == 0, ran.stderr
    assert file.read_bytes() == before
    ran = command("restore", "--file", "projectbrief.md", "--at", "2", "--bank", bank)
    assert ran.returncode == 0, ran.stderr
    assert "dry gloves" in file.read_text()
    edit(file, "dry gloves", "no gloves")
    until(lambda: "5" in command("log", "--bank", bank, "--since", "4").stdout, "it is absorbed")
    ran = command("undo", "4", "--bank", bank)
    assert ran.returncode == 1
    assert "in transaction 5" in ran.stderr
    assert command("status", "--bank", bank).returncode == 0


BLOCKS = {
    "a task of the cache": (
        "session_cache.md",
        "# Session Cache\n\n## Active Tasks\n\n### T9: Night colours\n**Status**: 🔄 IN PROGRESS\n\n- one\n",
        "DELETE FROM tasks WHERE id = 'T9'",
    ),
    "a deeper section of it": (
        "session_cache.md",
        "# Session Cache\n\n## Active Tasks\n\n### T9: Night colours\n**Status**: 🔄 IN PROGRESS\n\n#### Notes\n\n"
        "- one\n\n### T8: Other\n**Status**: 🔄 IN PROGRESS\n",
        "DELETE FROM tasks WHERE id = 'T9'",
    ),
    "a task below the registry": (
        "tasks.md",
        "# Tasks\n\n| ID | Title | Status |\n|---|---|---|\n| T9 | Night | 🔄 |\n\n## T9: Night\n**Status**: 🔄\n\n"
        "### Notes\n\n- one\n",
        "DELETE FROM tasks WHERE id = 'T9'",
    ),
    "an error": (
        "errorLog.md",
        "# Error Log\n\n## 2026-03-05 10:15: T9 - Boom\n**Error**: `Boom`\n**Cause**: c\n\n### Notes\n\n- one\n\n"
        "## 2026-03-04 10:15: T8 - Bang\n**Error**: `Bang`\n",
        "DELETE FROM error_logs WHERE error_message LIKE '%Boom%'",
    ),
    "an entry": (
        "edit_history.md",
        "# Edit History\n\n### 2026-03-05\n\n#### 10:15 - T2: Later\n- Created `a.py` - x\n\n##### Notes\n\n- one\n",
        "DELETE FROM edit_entries",
    ),
    "a file line": (
        "edit_history.md",
        "# Edit History\n\n### 2026-03-05\n\n#### 10:15 - T2: Later\n- Created `a.py` - x\n  - one\n"
        "- Created `b.py` - y\n",
        "DELETE FROM file_modifications WHERE file_path = 'a.py'",
    ),
}


@pytest.mark.parametrize(("path", "text", "sql"), BLOCKS.values(), ids=BLOCKS)
def test_words_put_where_a_record_stands_keep_it(small: Callable[..., Live], path: str, text: str, sql: str) -> None:
    """A program deletes it while somebody writes into what stands of it: nothing goes, and that is told."""
    live = small({path: text})
    table = sql.split()[2]
    rows = live.value(f"SELECT count(*) FROM {table}")
    live.sql(sql)
    saved = text.replace("- one\n", "- one\n  Only on the large screens, says Ada.\n")
    live.write(path, saved)
    report = live.sync()
    assert live.read(path) == saved
    assert (table, "file") in {(c["table"], c["kept"]) for c in report.conflicts}
    assert live.value(f"SELECT count(*) FROM {table}") == rows
    live.assert_at_rest()


def test_what_came_to_stand_below_an_entry_by_hand_keeps_it(small: Callable[..., Live]) -> None:
    """In a chunk all that follows is the entry's: a heading that somebody makes prose, and the lines below it, too."""
    path = "edits/2026-03-05/101500-T2-curve.md"
    text = "# Work\n\n#### 10:15 - T2: Later\n- Created `a.py` - one\n\n#### 9:05 - T1: Early\n- Created `b.py` - two\n"
    live = small({path: text})
    live.sql("DELETE FROM edit_entries WHERE task_description = 'Later'")
    saved = text.replace("#### 9:05", "#### At about 9:05")
    live.write(path, saved)
    report = live.sync()
    assert live.read(path) == saved
    assert ("edit_entries", "file") in [(c["table"], c["kept"]) for c in report.conflicts]
    assert live.value("SELECT count(*) FROM edit_entries WHERE task_description = 'Later'") == 1
    live.assert_at_rest()
