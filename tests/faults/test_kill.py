"""Killed at any point of a converge that moves both sides: files are old or new, and the next run finishes the work.

A child of this process converges and kills itself with SIGKILL right before the n-th call that could leave a trace:
each statement to the database, each call that changes a file or its name. The bank is then opened as by a new process.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prove.strike import Hooks
from schema.db import Database, open_database
from syncd.bank import database_of
from syncd.config import Config
from syncd.engine import Engine

ROOT = Path(__file__).resolve().parents[2]
POINTS = 100
NOW = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
CONFIG = Config(settle_seconds=0.0)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a child of this process")


def open_engine(bank: Path) -> Engine:
    """An engine whose time stands still, so that two runs write the same bytes."""
    return Engine.open(bank, create=True, config=CONFIG, clock=lambda: NOW)


def documents(bank: Path) -> dict[str, bytes]:
    files = (p for p in bank.rglob("*") if p.is_file() and ".syncd" not in p.relative_to(bank).parts)
    return {str(p.relative_to(bank)): p.read_bytes() for p in files}


def rows(db: Database) -> list[Any]:
    """What the tables say, but for ids and times of the run."""
    return [
        db.rows("SELECT id, title, status, priority, started, completed FROM tasks ORDER BY id"),
        db.rows("SELECT * FROM task_dependencies ORDER BY 1, 2"),
        db.rows("SELECT task_id, text, status FROM task_subtasks ORDER BY task_id, position, text"),
        db.rows("SELECT date, time, task_id, task_description FROM edit_entries ORDER BY 1, 2, 3, 4"),
        db.rows("SELECT action, file_path, description FROM file_modifications ORDER BY 1, 2, 3"),
        db.rows("SELECT session_date, focus_task, status FROM sessions ORDER BY 1"),
        db.rows("SELECT timestamp, task_id, cause FROM error_logs ORDER BY 1"),
    ]


def edit(bank: Path, path: str, old: str, new: str) -> None:
    text = (bank / path).read_text()
    assert old in text
    (bank / path).write_text(text.replace(old, new, 1))


def change_both_sides(bank: Path) -> None:
    """Files edited, made and removed by hand; rows changed, inserted and deleted by another client."""
    edit(bank, "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    edit(bank, "projectbrief.md", "within one second", "within half a second")
    edit(bank, "edit_history.md", "T3: Canvas in place of SVG", "T3: A canvas")
    (bank / "notes.md").write_text("# Notes\n\nMade by hand.\n")
    (bank / "progress.md").unlink()
    client = open_database(database_of(bank), create=False)
    try:
        for statement in (
            "UPDATE tasks SET status = 'completed' WHERE id = 'T6'",
            "UPDATE tasks SET title = 'Packs' WHERE id = 'T4'",
            "INSERT INTO task_dependencies VALUES ('T4', 'T1')",
            "DELETE FROM tasks WHERE id = 'T5'",
            "DELETE FROM error_logs WHERE task_id = 'T2'",
            "INSERT INTO edit_entries(date, time, timezone, task_id, task_description) "
            "VALUES ('2026-03-06', '18:40:00', 'UTC', 'T3', 'By row')",
            "INSERT INTO sessions(session_date, session_period, focus_task) VALUES ('2026-03-07', 'morning', 'T4')",
            "UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'",
        ):
            client.run(statement)
    finally:
        client.close()


def converge_all(engine: Engine) -> None:
    """Converge, and give the removal of T5's document its yes."""
    engine.converge()
    if engine.db.run("UPDATE holds SET state = 'accepted' WHERE state = 'open'"):
        engine.converge()


@dataclass
class Case:
    """A bank with both sides changed, ready to be copied; what it was, and what a run without a kill makes of it.

    ``asked`` is how the documents stand while the removal of one waits for its yes.
    """

    ready: Path
    old: dict[str, bytes]
    asked: dict[str, bytes]
    new: dict[str, bytes]
    rows: list[Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """In memory where that can be: a hundred kills wait for a disk most of their time."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        with tempfile.TemporaryDirectory(prefix="syncd-kill-", dir=memory) as made:
            yield Path(made)
    else:
        yield tmp_path_factory.mktemp("kill")


@pytest.fixture(scope="module")
def case(folder: Path) -> Case:
    ready = Path(shutil.copytree(ROOT / "syncd" / "sample", folder / "ready"))
    first = open_engine(ready)
    first.converge()
    first.close()
    change_both_sides(ready)
    whole = Path(shutil.copytree(ready, folder / "whole"))
    engine = open_engine(whole)
    engine.converge()
    asked = documents(whole)
    converge_all(engine)
    made = Case(ready, documents(ready), asked, documents(whole), rows(engine.db))
    engine.close()
    return made


def converge_until(bank: Path, fatal: int | None) -> int:
    """Converge in a child that dies before call ``fatal``; how many calls it made, 0 if it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            engine = open_engine(bank)
            hooks = Hooks(fatal)
            hooks.install()
            converge_all(engine)
            calls = hooks.calls
            engine.close()
            os.write(write, str(calls).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        calls = told.read()
    os.waitpid(child, 0)
    return int(calls or 0)


def assert_finished(bank: Path, case: Case) -> None:
    """A new run ends where a run without a kill does, and then rests."""
    engine = open_engine(bank)
    try:
        converge_all(engine)
        assert documents(bank) == case.new
        assert rows(engine.db) == case.rows
        assert engine.converge().transaction is None
        assert engine.db.value("SELECT count(*) FROM outbox") == 0
        assert engine.db.value('SELECT count(*) FROM row_changes WHERE "transaction" IS NULL') == 0
        assert engine.db.value("SELECT count(*) FROM conflicts") == 0
    finally:
        engine.close()


def points(case: Case, folder: Path, wanted: int) -> list[int]:
    """Numbers of calls, spread evenly over a whole run."""
    counted = Path(shutil.copytree(case.ready, folder / "counted"))
    calls = converge_until(counted, None)
    shutil.rmtree(counted)
    assert calls > 100
    return sorted({round(1 + n * (calls - 1) / (wanted - 1)) for n in range(wanted)})


def test_killed_anywhere_the_next_run_finishes(case: Case, folder: Path) -> None:
    """Old or correct new at every moment, and afterwards exactly what a run without a kill gives."""
    for fatal in points(case, folder, POINTS):
        bank = Path(shutil.copytree(case.ready, folder / f"at-{fatal}"))
        assert converge_until(bank, fatal) == 0
        for path, content in documents(bank).items():
            if path in case.old or path in case.new:
                assert content in (case.old.get(path), case.asked.get(path), case.new.get(path)), (fatal, path)
            else:
                assert path.rsplit("/")[-1].startswith("."), (fatal, path)
        assert_finished(bank, case)
        shutil.rmtree(bank)


def test_killed_anywhere_and_saved_meanwhile_nothing_is_lost(case: Case, folder: Path) -> None:
    """What somebody saves while no process runs is merged with what the killed one had begun."""
    for fatal in points(case, folder, POINTS // 3):
        bank = Path(shutil.copytree(case.ready, folder / f"at-{fatal}"))
        converge_until(bank, fatal)
        edit(bank, "tasks/T6.md", "## Description\n", "## Description\n\nSaved after the kill.\n")
        edit(bank, "tasks/T4.md", "**Started**: 2026-03-04", "**Started**: 2026-03-01")
        engine = open_engine(bank)
        try:
            converge_all(engine)
            assert engine.converge().transaction is None
            task = (bank / "tasks/T6.md").read_text()
            assert ("Saved after the kill." in task, "✅ COMPLETED" in task) == (True, True), fatal
            own = (bank / "tasks/T4.md").read_text()
            assert ["**Priority**: HIGH" in own, "2026-03-01" in own, "# T4: Packs" in own] == [True, True, True], fatal
            assert engine.db.rows("SELECT title, priority, started FROM tasks WHERE id = 'T4'") == [
                ("Packs", "HIGH", "2026-03-01")
            ], fatal
            assert engine.db.value("SELECT count(*) FROM outbox") == 0
            assert "By row" in (bank / "edit_history.md").read_text()
        finally:
            engine.close()
        shutil.rmtree(bank)


def killed_at(bank: Path, call: str, number: int) -> bool:
    """Whether `syncd sync` was killed before its ``number``-th system call ``call``."""
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", "signal=none",
         "-e", f"inject={call}:signal=SIGKILL:when={number}", sys.executable, "-m", "syncd", "sync", str(bank)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "fsync", "renameat2", "ftruncate", "unlinkat"])
def test_killed_before_a_system_call_the_next_run_finishes(case: Case, folder: Path, call: str) -> None:
    """SQLite's own calls too, in a process of the command line."""
    for number in (1, 2, 3, 5, 8, 13, 21, 34):
        bank = Path(shutil.copytree(case.ready, folder / f"at-{number}"))
        killed = killed_at(bank, call, number)
        engine = open_engine(bank)
        try:
            converge_all(engine)
            assert rows(engine.db) == case.rows
            assert engine.db.value("SELECT count(*) FROM outbox") == 0
            assert engine.converge().transaction is None
        finally:
            engine.close()
        shutil.rmtree(bank)
        if not killed:
            break
