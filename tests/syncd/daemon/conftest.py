"""A daemon with a socket of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.syncd.daemons import Daemon, ready, until


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime directory of this test alone."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder / "syncd"


@pytest.fixture
def daemon(bank: Path, tmp_path: Path, runtime: Path) -> Iterator[Daemon]:
    """A running daemon with a socket."""
    started = Daemon(bank, tmp_path / "daemon.log")
    until(lambda: ready(bank) == started.process.pid, "ready", started)
    until(lambda: (runtime / f"{started.process.pid}.sock").exists(), "listening", started)
    yield started
    started.process.kill()
    started.process.wait()
