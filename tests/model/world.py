"""A bank that the model drives: its folder, its engine, another client of its database, and a time of its own.

The folder is a real one, in memory where the system has such a place: leases, exchanges, inodes and SQLite's locks are
what is tried, and a disk made of Python would only be tried itself.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from schema.db import Database, open_database
from syncd.bank import database_of
from syncd.config import Config
from syncd.disk import exchange
from syncd.disk.held import Held
from syncd.engine import Engine
from tests.model import texts

SAMPLE = Path(__file__).resolve().parents[2] / "syncd" / "sample"
Tree = dict[str, bytes]


class Crash(BaseException):
    """The process is gone: nothing that it would still do is done."""


def memory_folder() -> Path | None:
    """A folder in memory, where there is one."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else None


class Interruption:
    """Something that happens right before a call that leaves a trace: a crash, or what ``act`` does."""

    NAMES = ("open", "write", "rename", "unlink", "mkdir", "rmdir", "fsync", "fchmod")

    def __init__(self, number: int, act: Callable[[], None] | None) -> None:
        self._number = number
        self._act = act
        self._inside = False
        self.happened = False

    def __call__(self) -> None:
        if self._inside:
            return
        self._number -= 1
        if self._act is None and self._number < 0:
            self.happened = True
            raise Crash
        if self._act is not None and self._number == 0:
            self.happened = self._inside = True
            try:
                self._act()
            finally:
                self._inside = False

    def around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self()
            return real(*args, **kwargs)

        return counted

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While this lasts, calls are counted."""
        real = [(os, name, getattr(os, name)) for name in self.NAMES]
        real += [(Database, name, getattr(Database, name)) for name in ("run", "insert", "run_many")]
        real.append((exchange, "_rename", exchange._rename))
        for owner, name, call in real:
            setattr(owner, name, self.around(call))
        try:
            yield
        finally:
            for owner, name, call in real:
                setattr(owner, name, call)


class World:
    """One bank. ``tree`` is what its files hold, ``word`` gives words that occur nowhere else."""

    def __init__(self, chance: random.Random, config: Config, documents: Tree | None = None) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="syncd-model-", dir=memory_folder()))
        self.bank = self.root / "memory-bank"
        self.word = texts.Words()
        self.config = config
        self.now = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
        self.seconds = 0.0
        self.copies: dict[str, deque[bytes]] = {}
        self.trees: deque[Tree] = deque(maxlen=8)
        self.backups: list[Path] = []
        self.stale: set[str] = set()  # documents that somebody saved from an older text
        self.told: set[str] = set()  # records of which it was told that a place cannot show them
        self.untaken: set[str] = set()  # records whose line is told to stand where it cannot be taken out
        self.restored = False
        if documents is not None:
            for path, data in documents.items():
                self.save(path, data)
        elif chance.random() < 0.5:
            shutil.copytree(SAMPLE, self.bank)
        else:
            self.bank.mkdir()
            for path in chance.sample(texts.PATHS, chance.randint(2, 8)):
                self.save(path, texts.document(path, chance, self.word))
        self.open()

    def open(self) -> None:
        """Begin as a new process would."""
        self.engine = Engine.open(self.bank, create=True, config=self.config, clock=lambda: self.now)
        self.engine.held = Held(self.bank, clock=lambda: self.seconds)
        self.client = open_database(database_of(self.bank), create=False)

    def close(self) -> None:
        """End as a process does that is killed: what was not committed is gone."""
        self.engine.db._connection.close(force=True)
        self.client._connection.close(force=True)

    def remove(self) -> None:
        """Leave nothing behind."""
        self.close()
        shutil.rmtree(self.root)

    def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        self.seconds += seconds
        self.now += timedelta(seconds=seconds)

    # -- files ---------------------------------------------------------------------------------------------------

    @property
    def tree(self) -> Tree:
        """All documents, by path in order."""
        found: Tree = {}
        folders = [""]
        while folders:
            folder = folders.pop()
            for item in os.scandir(f"{self.bank}/{folder}"):
                name = folder + item.name
                if item.is_dir():
                    if item.name != ".syncd":
                        folders.append(f"{name}/")
                elif name.endswith(".md") and not item.name.startswith("."):
                    with open(item.path, "rb") as file:
                        found[name] = file.read()
        return dict(sorted(found.items()))

    def read(self, path: str) -> bytes | None:
        """What one document holds."""
        try:
            return (self.bank / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def save(self, path: str, data: bytes | None, *, aside: bool = False) -> None:
        """Save a document in place, or beside it and renamed in; None removes it."""
        file = self.bank / path
        if data is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        if aside:
            beside = file.with_name("." + file.name + ".swp")
            beside.write_bytes(data)
            beside.rename(file)
        else:
            file.write_bytes(data)

    def remember(self, path: str, data: bytes) -> None:
        """Somebody read a document, and may save what he read later. The last few are remembered."""
        self.copies.setdefault(path, deque(maxlen=4)).append(data)

    # -- the database's own files --------------------------------------------------------------------------------

    def back_up(self) -> None:
        """Keep the database as it is now."""
        target = self.root / f"backup-{len(self.backups)}"
        self.client.backup_to(target)
        self.backups.append(target)

    def restore(self, backup: Path | None) -> None:
        """Put an earlier database in its place, or none."""
        self.close()
        file = database_of(self.bank)
        for name in ("", "-wal", "-shm"):
            file.with_name(file.name + name).unlink(missing_ok=True)
        if backup is not None:
            shutil.copy(backup, file)
        self.open()

    def dump(self, *without: str) -> str:
        """Every value that the database shows as current, as one text; but for those of the tables ``without``."""
        parts = []
        tables = ("tasks", "task_dependencies", "task_subtasks", "edit_entries", "file_modifications", "sessions",
                  "session_cache", "error_logs", "sections", "conflicts")  # fmt: skip
        for table in (table for table in tables if table not in without):
            parts += [repr(row) for row in self.client.rows(f"SELECT * FROM {table}")]
        return "\n".join(parts)
