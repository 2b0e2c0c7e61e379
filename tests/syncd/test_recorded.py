"""Real banks with their whole recorded history, through the engine: every state comes back, and costs little."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schema import history, journal
from schema.db import Database
from syncd.config import Config
from syncd.engine import Engine

Steps = Callable[[str], Iterator[dict[str, str | None]]]
Tree = dict[str, bytes]

HISTORY = ("versions", "row_changes", "transaction_log", "conflicts", "holds")
"""Tables that hold what was; counted with their indexes."""

GIT = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "gc.auto=0", "-c", "core.autocrlf=false"]


def replayed(bank: Path, steps: Iterator[dict[str, str | None]]) -> tuple[Engine, dict[int, Tree]]:
    """The bank after all its recorded steps, and its files after each transaction."""
    bank.mkdir()
    engine, past, tree = None, {}, {}
    for changes in steps:
        for path, text in changes.items():
            file = bank / path
            if text is None:
                file.unlink(missing_ok=True)
                tree.pop(path, None)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                tree[path] = text.encode("utf-8", "surrogateescape")
                file.write_bytes(tree[path])
        # What would be held was committed by its people, so it got their yes.
        engine = engine or Engine.open(
            bank, create=True, config=Config(settle_seconds=0.0, hold_share=1.0, hold_records=10**6)
        )
        while engine.converge().holds:
            engine.db.run("UPDATE holds SET state = 'accepted' WHERE state = 'open'")
        last = journal.latest(engine.db)
        if last is not None:
            past[last.number] = dict(tree)
    assert engine is not None
    return engine, past


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["process-monitor", "super-chat"])
def test_every_recorded_state_can_be_exported(tmp_path: Path, steps: Steps, name: str) -> None:
    """Not a sample: each of them, all documents, to the byte."""
    engine, past = replayed(tmp_path / "bank", steps(name))
    try:
        for number, tree in past.items():
            assert history.paths_at(engine.db, number) == tree, number
        assert len(past) > 3
    finally:
        engine.close()


@pytest.mark.slow
@pytest.mark.corpora
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(("name", "most"), [("qc-diffusion-code", 1.5), ("mb", 2.0)])
def test_history_costs_what_git_needs_for_it(
    tmp_path: Path, steps: Steps, name: str, most: float, record_property: Callable[[str, object], None]
) -> None:
    """Texts, the journal of rows, the log, with their indexes: at most ``most`` times git's pack of the same files.

    Rows have a history that git does not have: a bank whose tasks were renumbered again and again has much of it.
    """
    engine, past = replayed(tmp_path / "bank", steps(name))
    try:
        engine.db.checkpoint(truncate=True)
        ours, whole = history_size(engine.db), Path(engine.db.path).stat().st_size
        for path in {path for tree in past.values() for path in tree}:
            assert texts_of(engine.db, path, past) == {n: tree.get(path) for n, tree in past.items()}, path
    finally:
        engine.close()
    packed = packed_size(tmp_path / "repository", steps(name))
    for what, size in (("history", ours), ("database", whole), ("git", packed)):
        record_property(what, size)
    assert ours <= most * packed, f"{ours:,} bytes of history, {packed:,} of git, the whole database {whole:,}"


def texts_of(db: Database, path: str, past: dict[int, Tree]) -> dict[int, bytes | None]:
    """One document after each transaction, by walking its versions once."""
    found: dict[int, bytes | None] = {}
    left = sorted(past, reverse=True)
    text = history.current_text(db, path)
    for version, before, after in history.steps(db, path):
        while left and left[0] >= version.transaction:
            found[left.pop(0)] = after
        text = before
    found |= dict.fromkeys(left, text)
    return found


def history_size(db: Database) -> int:
    """Bytes of the pages that hold what was."""
    names = db.rows(f"SELECT name FROM sqlite_schema WHERE tbl_name IN ({', '.join('?' * len(HISTORY))})", HISTORY)
    sizes = dict(db.rows("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    return sum(int(sizes.get(name, 0)) for (name,) in names)


def packed_size(folder: Path, steps: Iterator[dict[str, str | None]]) -> int:
    """Bytes of git's pack and its index after a commit for each step."""

    def git(*arguments: str) -> None:
        subprocess.run([*GIT, *arguments], cwd=folder, check=True, capture_output=True)

    folder.mkdir()
    git("init", "-q")
    for changes in steps:
        for path, text in changes.items():
            file = folder / path
            if text is None:
                file.unlink(missing_ok=True)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text.encode("utf-8", "surrogateescape"))
        git("add", "-A")
        git("commit", "-q", "--allow-empty", "-m", "a step")
    git("gc", "-q")
    return sum(file.stat().st_size for file in (folder / ".git/objects/pack").iterdir())
