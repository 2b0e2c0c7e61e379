"""A bank that a daemon watches, and another client of its database."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prove.frame import ROOT


class NotInTime(Exception):
    """Something that the daemon should do did not happen; with the end of its log."""


class WatchedBank:
    """A copy of the sample bank in ``folder``, under a daemon that is ready."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(shutil.copytree(ROOT / "syncd" / "sample", folder / "memory-bank"))
        self._log = folder / "daemon.log"
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "syncd", "run", str(self.folder)], cwd=ROOT, stdout=out, stderr=out
            )
        self.wait(self._ready, "ready", 30.0)

    def _ready(self) -> bool:
        try:
            holder = json.loads((self.folder / ".syncd" / "lock").read_text())
        except (OSError, ValueError):
            return False
        return bool(holder["ready"] and holder["pid"] == self.process.pid)

    def stop(self) -> int:
        """End the daemon; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement by another program: the SQLite of the standard library."""
        db = sqlite3.connect(self.folder / ".syncd" / "memory_bank.db", timeout=10)
        try:
            rows = db.execute(statement, values).fetchall()
            db.commit()
            return rows
        finally:
            db.close()

    def stored(self, path: str) -> str:
        """The text of a document as the database has it."""
        return "".join(
            text for (text,) in self.sql(
                "SELECT s.text FROM sections s JOIN documents d ON d.id = s.document_id WHERE d.path = ? "
                "ORDER BY s.position",
                path,
            )
        )  # fmt: skip

    def log(self) -> str:
        """What the daemon said so far."""
        return self._log.read_text(errors="replace")

    def read(self, path: str) -> str:
        """The text of its file."""
        return (self.folder / path).read_text()

    def wait(self, true: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
        """Until something holds. Raises `NotInTime`."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise NotInTime(f"not within {seconds} s: {what}\n{self.log()[-2000:]}")
            time.sleep(0.005)

    def wait_equal(self, path: str) -> None:
        """Until file and database hold the same text."""

        def equal() -> bool:
            try:
                return self.stored(path) == self.read(path)
            except FileNotFoundError:
                return False

        self.wait(equal, f"{path} equal on both sides")

    def count(self, table: str) -> int:
        """How many rows a table has; a condition may follow its name."""
        return int(self.sql(f"SELECT count(*) FROM {table}")[0][0])
