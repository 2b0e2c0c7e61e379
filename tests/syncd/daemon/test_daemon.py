"""The daemon as a process: it is started, told things by files, rows, commands and signals, killed and stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.syncd.daemons import ROOT, Daemon, command, edit, ready, sql, until, value

Start = Callable[..., Daemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a daemon for a bank and waits until it is ready; what still runs is killed at the end."""
    running: list[Daemon] = []

    def begin(bank: Path, *, wait: bool = True, **settings: Any) -> Daemon:
        if settings:
            (bank / ".syncd").mkdir(exist_ok=True, mode=0o700)
            lines = [f"{name} = {json.dumps(setting)}\n" for name, setting in settings.items()]
            (bank / ".syncd" / "config.toml").write_text("".join(lines))
        running.append(Daemon(bank, tmp_path / "daemon.log"))
        return running[-1].wait_ready() if wait else running[-1]

    yield begin
    for daemon in running:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()


def test_a_save_is_absorbed_a_row_is_written_and_sigterm_ends_it(bank: Path, start: Start) -> None:
    """The day of a daemon: ready is told by status, both ways work, and it stops at once with exit code 0."""
    daemon = start(bank, follow_after=-1.0)
    (told,) = json.loads(command("status", bank, "--json").stdout)["banks"]
    assert told["daemon"]["pid"] == daemon.process.pid
    assert told["state"] == "converged"

    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed", daemon)
    sql(bank, "UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    until(lambda: "**Status**: ✅ COMPLETED" in (bank / "tasks/T6.md").read_text(), "written", daemon)

    second = command("run", bank)
    assert second.returncode == 3
    assert (len(second.stderr.strip().splitlines()), "Traceback" in second.stderr) == (1, False)
    assert str(daemon.process.pid) in second.stderr

    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 2.0
    assert json.loads(command("status", bank, "--json").stdout)["banks"][0]["daemon"] is None
    assert value(bank, "SELECT count(*) FROM outbox") == 0


def test_commands_go_through_the_daemon(bank: Path, start: Start) -> None:
    """`sync`, `accept`, `resolve`: each answers with what the daemon did, and the daemon goes on."""
    daemon = start(bank, settle_seconds=0.1)
    edit(bank / "tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    answer = json.loads(command("sync", bank, "--json", "--follow").stdout)
    assert answer["state"] == "converged"
    assert re.search(r"\| T6 .*\| HIGH ", (bank / "tasks.md").read_text())

    (bank / "errorLog.md").write_bytes(b"")
    until(lambda: value(bank, "SELECT count(*) FROM holds WHERE state = 'open'") == 1, "held", daemon)
    accepted = command("accept", "--all", "--bank", bank, "--json")
    assert accepted.returncode == 0, accepted
    assert value(bank, "SELECT count(*) FROM error_logs") == 0

    daemon.process.send_signal(signal.SIGSTOP)
    edit(bank / "tasks/T5.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    sql(bank, "UPDATE tasks SET priority = 'LOW' WHERE id = 'T5'")
    daemon.process.send_signal(signal.SIGCONT)
    until(lambda: value(bank, "SELECT count(*) FROM conflicts WHERE resolved_at IS NULL") == 1, "conflict", daemon)
    resolved = command("resolve", "--all", "--take", "db", "--bank", bank, "--json")
    assert resolved.returncode == 0, resolved
    assert "**Priority**: LOW" in (bank / "tasks/T5.md").read_text()
    wrong = command("resolve", "77", "--take", "db", "--bank", bank)
    assert (wrong.returncode, len(wrong.stderr.strip().splitlines())) == (2, 1)
    assert daemon.process.poll() is None


def test_other_places_follow_after_quiet(bank: Path, start: Start) -> None:
    """Not while somebody is still editing, and then without another hint."""
    daemon = start(bank, follow_after=0.3)
    edit(bank / "tasks/T6.md", "**Status**: ⬜ NOT STARTED", "**Status**: 🔄 IN PROGRESS")
    until(lambda: value(bank, "SELECT status FROM tasks WHERE id = 'T6'") == "in_progress", "absorbed", daemon)
    until(lambda: re.search(r"\| T6 .*\| 🔄 IN PROGRESS \|", (bank / "tasks.md").read_text()), "followed", daemon)
    until(lambda: "- T6: Printable Month Sheet - 🔄" in (bank / "session_cache.md").read_text(), "followed", daemon)


def test_nothing_follows_where_it_is_switched_off(bank: Path, start: Start) -> None:
    """Neither after quiet nor at the next start."""
    daemon = start(bank, follow_after=-1.0)
    edit(bank / "tasks/T6.md", "**Status**: ⬜ NOT STARTED", "**Status**: 🔄 IN PROGRESS")
    until(lambda: value(bank, "SELECT count(*) FROM follows") == 1, "noted", daemon)
    daemon.stop()
    before = (bank / "tasks.md").read_bytes()
    daemon = start(bank)
    sql(bank, "UPDATE tasks SET title = 'Packs' WHERE id = 'T4'")
    until(lambda: "# T4: Packs" in (bank / "tasks/T4.md").read_text(), "written", daemon)
    row = next(line for line in before.decode().split("\n") if line.startswith("| T6 "))
    assert row in (bank / "tasks.md").read_text().split("\n")


def test_a_burst_of_saves_is_absorbed(bank: Path, start: Start) -> None:
    """Twenty documents at once, half of them new."""
    daemon = start(bank)
    old = sorted((bank / "tasks").glob("*.md")) + sorted((bank / "sessions").glob("*.md"))
    for number, file in enumerate(old[:10]):
        file.write_text(file.read_text() + f"\nLine {number} of the burst.\n")
    for number in range(10):
        (bank / f"note-{number}.md").write_text(f"# Note {number}\n\nLine of the burst.\n")
    query = "SELECT count(DISTINCT document_id) FROM sections WHERE text LIKE '%of the burst.%'"
    until(lambda: value(bank, query) == 20, "all absorbed", daemon)


def test_a_file_that_moved_out_delays_no_other_and_is_seen_to_be_gone(bank: Path, start: Start) -> None:
    """The next save is absorbed at once; after a moment the missing document is, although others were saved since."""
    daemon = start(bank, settle_seconds=0.8)
    (bank / "progress.md").rename(bank.parent / "progress.md")
    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    took = until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed", daemon)
    assert took < 0.4
    time.sleep(0.2)
    edit(bank / "tasks/T4.md", "**Priority**: HIGH", "**Priority**: LOW")
    until(lambda: value(bank, "SELECT count(*) FROM documents WHERE path = 'progress.md'") == 0, "gone", daemon, 5.0)


def test_sighup_scans(bank: Path, start: Start) -> None:
    """What no event told is found: a write through a hard link outside the bank."""
    os.link(bank / "progress.md", bank.parent / "elsewhere.md")
    daemon = start(bank)
    with (bank.parent / "elsewhere.md").open("a") as file:
        file.write("\nThrough another name.\n")
    daemon.process.send_signal(signal.SIGHUP)
    query = "SELECT count(*) FROM sections WHERE text LIKE '%Through another name%'"
    until(lambda: value(bank, query) == 1, "found by the scan", daemon)


def test_while_git_works_nothing_is_written_and_nothing_is_forgotten(bank: Path, start: Start) -> None:
    """A save and a row change made under `index.lock` are both done as soon as it goes."""
    subprocess.run(["git", "init", "-q", bank], check=True)
    daemon = start(bank)
    lock = bank / ".git" / "index.lock"
    lock.touch()
    sql(bank, "UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    time.sleep(0.3)
    assert "NOT STARTED" in (bank / "tasks/T6.md").read_text()
    lock.unlink()
    until(lambda: "✅ COMPLETED" in (bank / "tasks/T6.md").read_text(), "written", daemon, 5.0)
    lock.touch()
    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    time.sleep(0.2)
    assert value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "MEDIUM"
    lock.unlink()
    until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed", daemon, 5.0)


def test_a_bank_that_vanishes_halts_and_goes_on_when_it_is_back(bank: Path, start: Start) -> None:
    """Moved away and back: no document is taken for deleted, and it is watched again."""
    daemon = start(bank)
    away = bank.with_name("away")
    bank.rename(away)
    until(lambda: "bank.halted" in daemon.said(), "halted", daemon)
    assert not bank.exists()
    away.rename(bank)
    until(lambda: "bank.recovered" in daemon.said(), "recovered", daemon)
    assert value(bank, "SELECT count(*) FROM documents") > 20
    assert value(bank, "SELECT count(*) FROM holds") == 0
    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed again", daemon)


def test_an_empty_folder_in_the_place_of_the_bank_is_not_the_bank(bank: Path, start: Start) -> None:
    """As a disk that is not mounted: nothing is made in it, nothing is deleted."""
    daemon = start(bank)
    away = bank.with_name("away")
    bank.rename(away)
    bank.mkdir()
    until(lambda: "bank.halted" in daemon.said() or "bank.failed" in daemon.said(), "told", daemon)
    time.sleep(0.3)
    assert list(bank.iterdir()) == []
    bank.rmdir()
    away.rename(bank)
    until(lambda: "bank.recovered" in daemon.said(), "recovered", daemon)
    assert value(bank, "SELECT count(*) FROM holds") == 0


def test_a_database_that_is_deleted_is_made_anew(bank: Path, start: Start) -> None:
    """It goes on with a new one; what it would write into the old one nobody could read."""
    daemon = start(bank, scan_seconds=1.0)
    files = {p: p.read_bytes() for p in bank.rglob("*.md")}
    for file in (bank / ".syncd").glob("memory_bank.db*"):
        file.unlink()
    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    files[bank / "tasks/T4.md"] = (bank / "tasks/T4.md").read_bytes()

    def again() -> bool:
        try:
            return bool(value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH")
        except sqlite3.OperationalError:
            return False

    until(lambda: (bank / ".syncd" / "memory_bank.db").exists() and again(), "made anew", daemon)
    assert {p: p.read_bytes() for p in bank.rglob("*.md")} == files


def test_after_kill_9_the_next_one_finishes(bank: Path, start: Start) -> None:
    """In the middle of much work on both sides; nothing is lost and nothing is left lying about."""
    daemon = start(bank, follow_after=0.0)
    for number in range(30):
        sql(bank, "UPDATE tasks SET title = ? WHERE id = 'T6'", f"Sheet {number}")
        with (bank / "progress.md").open("a") as file:
            file.write(f"\nNote {number}\n")
        if number == 20:
            daemon.process.kill()
            daemon.process.wait()
    daemon = start(bank)
    until(lambda: "# T6: Sheet 29" in (bank / "tasks/T6.md").read_text(), "finished", daemon)
    text = (bank / "progress.md").read_text()
    assert all(f"\nNote {number}\n" in text for number in range(30))
    stored = sql(bank, "SELECT s.text FROM sections s JOIN documents d ON d.id = s.document_id "
                       "WHERE d.path = 'progress.md' ORDER BY s.position")  # fmt: skip
    assert "".join(t for (t,) in stored) == text
    assert value(bank, "SELECT count(*) FROM outbox") == 0
    assert daemon.stop() == 0
    names = [p.name for p in bank.rglob("*") if p.is_file() and ".syncd" not in p.parts]
    assert all(name.endswith(".md") and not name.startswith(".") for name in names)


def test_two_banks_are_served_by_one_daemon(bank: Path, tmp_path: Path, start: Start) -> None:
    """Each has its own lock and database."""
    other = Path(shutil.copytree(bank, tmp_path / "other"))
    daemon = start(bank, wait=False)
    daemon.process.kill()
    daemon.process.wait()
    process = subprocess.Popen(
        [sys.executable, "-m", "syncd", "run", str(bank), str(other)], cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: ready(bank) == ready(other) == process.pid, "both ready")
        edit(other / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
        until(lambda: value(other, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed")
        assert value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "MEDIUM"
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()


_WORKS = """
import sys
from pathlib import Path
from prove import scenarios
from syncd.daemon import daemon
daemon.load_all()
before, bank = set(sys.modules), Path(sys.argv[1])
scenarios.converge(bank)
scenarios._BURST(bank)
scenarios.sql(*scenarios._ROWS, scenarios._ENTRY, scenarios._SESSION)(bank)
scenarios.follow(bank)
print(*sorted(set(sys.modules) - before))
"""


def test_a_daemon_loads_nothing_any_more_when_it_works(bank: Path) -> None:
    """Where it may open no file, its own modules would be what is told of. A new database needs its tables."""
    done = subprocess.run(
        [sys.executable, "-c", _WORKS, str(bank)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= {"schema.tables"}
