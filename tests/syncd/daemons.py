"""A daemon as a process of its own, and what other programs do beside it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Daemon:
    """A running `syncd run` with its log."""

    def __init__(self, bank: Path, log: Path, *arguments: str | Path, **environ: str) -> None:
        self.bank = bank
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "syncd", "run", *map(str, arguments or (bank,))], cwd=ROOT,
                env={**os.environ, **environ}, stdout=out, stderr=out,
            )  # fmt: skip

    def events(self, name: str) -> list[dict[str, Any]]:
        """What was logged under this name."""
        lines = [json.loads(line) for line in self.said().splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if line["event"] == name]

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self) -> Daemon:
        until(lambda: ready(self.bank) == self.process.pid, "ready", self)
        return self

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def ready(bank: Path) -> int | None:
    """The pid of the daemon that says that it watches the bank."""
    try:
        holder = json.loads((bank / ".syncd" / "lock").read_text())
    except (OSError, ValueError):
        return None
    return int(holder["pid"]) if holder["role"] == "daemon" and holder["ready"] else None


def until(true: Callable[[], Any], what: str, daemon: Daemon | None = None, seconds: float = 10.0) -> float:
    """Wait until something holds; how long that took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            pytest.fail(f"not within {seconds} s: {what}\n{daemon.said() if daemon else ''}")
        time.sleep(0.004)
    return time.monotonic() - began


def sql(bank: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """One statement by another program: the SQLite of the standard library, in this process and not the daemon's."""
    db = sqlite3.connect(bank / ".syncd" / "memory_bank.db", timeout=10)
    try:
        rows = db.execute(statement, values).fetchall()
        db.commit()
        return rows
    finally:
        db.close()


def value(bank: Path, statement: str) -> Any:
    rows = sql(bank, statement)
    return rows[0][0] if rows else None


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncd", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, old
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
