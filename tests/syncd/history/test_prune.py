"""Old history folded into one state; all that came since stays exact."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schema import history, journal
from schema.db import open_database
from schema.errors import UnknownTransaction
from syncd import requests
from syncd.backups import Why
from syncd.bank import database_of
from syncd.history.blame import blame
from syncd.history.prune import prune
from syncd.history.undo import undo
from tests.syncd.test_backups import Log, loop_of

LiveBank = Any
LATER = datetime.now(UTC) + timedelta(days=400)


def past(live: LiveBank) -> dict[int, dict[str, bytes]]:
    """All states that are known."""
    return {t.number: history.paths_at(live.engine.db, t.number) for t in journal.transactions(live.engine.db)}


@pytest.fixture
def worked(live: LiveBank) -> LiveBank:
    """A bank with a history of eight transactions, the first four of them of last year."""
    for number in range(2, 9):
        live.edit("projectbrief.md", "\n", f"\n\nline {number}\n\n")
        if number == 3:
            live.write("gone.md", "# Gone\n")
        if number == 4:
            (live.bank / "gone.md").unlink()
            live.sql("UPDATE tasks SET status = 'paused' WHERE id = 'T4'")
        if number == 6:
            live.sql("UPDATE tasks SET status = 'blocked' WHERE id = 'T4'")
        assert live.sync(follow=True).number == number
    live.sql("UPDATE transaction_log SET timestamp = '2025-01-01T00:00:00.000000Z' WHERE id <= 4")
    return live


def test_states_from_then_on_stay_exact(worked: LiveBank) -> None:
    """To the byte; the state at the fold is the first."""
    before, files = past(worked), worked.tree()
    told = prune(worked.engine, "2025-06-01", now=LATER)
    assert (told["transaction"], told["folded"]["transactions"]) == (4, 3)
    assert past(worked) == {number: before[number] for number in range(4, 9)}
    assert worked.tree() == files
    worked.assert_at_rest()


def test_what_came_before_is_refused_with_where_history_begins(worked: LiveBank) -> None:
    """By number and by id; one that never was is another matter."""
    old = journal.transaction(worked.engine.db, 2).transaction_id
    prune(worked.engine, "2025-06-01", now=LATER)
    for name in ("2", old):
        with pytest.raises(UnknownTransaction, match="history begins with 4"):
            journal.resolve_transaction(worked.engine.db, name)
    with pytest.raises(UnknownTransaction, match="no such transaction"):
        journal.resolve_transaction(worked.engine.db, "99")
    assert journal.resolve_transaction(worked.engine.db, "4") == 4


def test_blame_undo_and_the_journal_go_on(worked: LiveBank) -> None:
    """Lines of before are of the fold; what came since can be undone."""
    prune(worked.engine, "2025-06-01", now=LATER)
    text = (worked.bank / "projectbrief.md").read_bytes()
    owners = {line.decode(): owner for owner, line in blame(worked.engine.db, "projectbrief.md", text)}
    assert (owners["line 3"], owners["line 7"]) == (4, 7)
    undo(worked.engine, ["6"])
    assert worked.value("SELECT status FROM tasks WHERE id = 'T4'") == "paused"
    assert "line 7" in worked.read("projectbrief.md")
    worked.assert_at_rest()


def test_a_backup_has_all_of_it(worked: LiveBank) -> None:
    """It is made before anything goes."""
    before = past(worked)
    told = prune(worked.engine, "2025-06-01", now=LATER)
    assert Why.PRUNE in told["backup"]
    copy = open_database(type(worked.bank)(told["backup"]), readonly=True)
    assert {t.number: history.paths_at(copy, t.number) for t in journal.transactions(copy)} == before
    copy.close()


def test_what_waits_stays_and_what_was_settled_goes(worked: LiveBank) -> None:
    """Conflicts."""
    worked.sql(
        """INSERT INTO conflicts(document, "table", key, field, file, db, kept, "transaction", created_at, resolved_at)
        VALUES ('tasks.md', 'tasks', 'T4', 'title', 'a', 'b', 'file', 2, '2024-12-01T00:00:00Z', NULL),
        ('tasks.md', 'tasks', 'T4', 'title', 'a', 'b', 'file', 2, '2024-12-01T00:00:00Z', '2024-12-02T00:00:00Z')"""
    )
    prune(worked.engine, "2025-06-01", now=LATER)
    assert worked.sql("SELECT id FROM conflicts") == [(1,)]
    assert requests.answer(worked.engine, "resolve", {"take": "db", "all": True})["conflicts"] == ()
    assert worked.value("SELECT title FROM tasks WHERE id = 'T4'") == "b"


def test_the_last_hour_stays_whatever_the_date(worked: LiveBank) -> None:
    """What somebody read then may still be saved."""
    assert prune(worked.engine, "2999-01-01")["transaction"] == 4
    assert prune(worked.engine, "2999-01-01")["transaction"] is None


def test_a_dry_run_tells_and_changes_nothing(worked: LiveBank) -> None:
    """How much it would be."""
    before = past(worked)
    told = prune(worked.engine, "2025-06-01", dry_run=True, now=LATER)
    assert told["folded"]["transactions"] == 3
    assert told["bytes"] > 0
    assert told["backup"] is None
    assert past(worked) == before


def test_a_running_daemon_does_it_and_goes_on(worked: LiveBank) -> None:
    """The command waits for its answer; what was folded is refused by the daemon, what came since is undone by it."""
    before = past(worked)
    worked.engine.close()
    loop = loop_of(worked.bank, Log())
    try:
        told = _asked(loop, "prune", "--before", "2025-06-01", "--json")
        assert json.loads(told.stdout)["transaction"] == 4, told
        assert Path(json.loads(told.stdout)["backup"]).is_file()
        refused = _asked(loop, "undo", "3")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "folded: history begins with 4" in refused.stderr
        assert _asked(loop, "undo", "6").returncode == 0
        worked.edit("projectbrief.md", "line 8", "line 8 again")
        loop._scan_at = 0.0
        loop.step()
        db = open_database(database_of(worked.bank), readonly=True)
        assert {number: history.paths_at(db, number) for number in range(4, 9)} == {n: before[n] for n in range(4, 9)}
        assert history.paths_at(db, None) == {p: t for p, t in worked.tree().items() if p.endswith(".md")}
        db.close()
    finally:
        loop.close()


def _asked(loop: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command's answer while the daemon's loop is stepped."""
    answers: list[subprocess.CompletedProcess[str]] = []
    command = [sys.executable, "-m", "syncd", *arguments, "--bank", str(loop.bank)]
    options: dict[str, Any] = {"cwd": Path(__file__).parents[3], "capture_output": True, "text": True, "timeout": 60}
    asking = threading.Thread(target=lambda: answers.append(subprocess.run(command, **options)))
    asking.start()
    while asking.is_alive():
        loop._scan_at = 0.0
        loop.step()
    asking.join()
    return answers[0]


def test_the_command_tells(syncd: Any, synced: Any) -> None:
    """Also in JSON; a date that is none is refused."""
    assert syncd("prune", "--before", "2999-01-01", "--bank", synced).out == "nothing is that old\n"
    assert syncd("prune", "--before", "2999-01-01", "--bank", synced, "--json").json["transaction"] is None
    assert syncd("prune", "--before", "soon", "--bank", synced).code == 2
