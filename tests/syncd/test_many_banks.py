"""Many banks in one daemon: what happens to one is nothing to the others."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.daemon.bankloop import BankLoop
from syncd.daemon.inotify import Hub
from syncd.daemon.watch import Watcher
from tests.syncd.daemons import ROOT, Daemon, command, edit, ready, until, value


@pytest.fixture
def banks(bank: Path, tmp_path: Path) -> list[Path]:
    """Three copies of the sample bank."""
    return [bank, *(Path(shutil.copytree(bank, tmp_path / name)) for name in ("second", "third"))]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's settings, for this process and those that it starts."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "syncd").mkdir(parents=True)
    return tmp_path / "config" / "syncd" / "config.toml"


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts `syncd run` with these arguments."""
    running: list[Daemon] = []

    def make(*arguments: str | Path) -> Daemon:
        running.append(Daemon(tmp_path, tmp_path / "daemon.log", *(arguments or ("--json",))))
        return running[-1]

    yield make
    for daemon in running:
        daemon.process.kill()
        daemon.process.wait()


def absorbed(bank: Path, word: str, daemon: Daemon) -> None:
    """A save is absorbed by now, or soon."""
    word = f"zz-{word}"
    (bank / "progress.md").write_text(f"# Progress\n\n{word}\n")
    query = f"SELECT count(*) FROM sections WHERE text LIKE '%{word}%'"
    until(lambda: value(bank, query) == 1, f"{word} absorbed in {bank.name}", daemon)


def test_of_several_banks_those_that_fail_at_start_hinder_none(banks: list[Path], begin: Callable[..., Daemon]) -> None:
    """Missing, with bad settings, with a damaged database: each is told, tried again, and served once it is well."""
    good, bad, damaged = banks
    (bad / ".syncd").mkdir(mode=0o700)
    (bad / ".syncd" / "config.toml").write_text("hold_recrods = 1\n")
    command("init", damaged)
    database = damaged / ".syncd" / "memory_bank.db"
    intact = database.read_bytes()
    database.write_bytes(b"no database at all, but long enough to look at" * 100)
    daemon = begin(*banks, good.parent / "missing")
    until(lambda: ready(good) == daemon.process.pid, "the good one is served", daemon)
    until(lambda: len({e["bank"] for e in daemon.events("bank.failed") + daemon.events("bank.halted")}) == 3,
          "all three told", daemon)  # fmt: skip
    told = {e["bank"]: e["reason"] for e in daemon.events("bank.failed") + daemon.events("bank.halted")}
    assert "unknown setting `hold_recrods`" in told[str(bad)]
    absorbed(good, "meanwhile", daemon)

    (bad / ".syncd" / "config.toml").unlink()
    database.write_bytes(intact)
    shutil.copytree(good, good.parent / "missing", ignore=shutil.ignore_patterns(".syncd"))
    for bank in (bad, damaged, good.parent / "missing"):
        until(lambda b=bank: ready(b) == daemon.process.pid, f"{bank.name} is served", daemon, 20)
    until(lambda: len(daemon.events("bank.recovered")) == 3, "recovery told", daemon)
    absorbed(damaged, "again", daemon)
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(10) == 0


def test_a_bank_that_another_process_serves_is_taken_over_when_it_ends(
    banks: list[Path], begin: Callable[..., Daemon]
) -> None:
    """At start it is only told."""
    first = begin(banks[0])
    until(lambda: ready(banks[0]) == first.process.pid, "ready", first)
    second = begin(banks[0], banks[1])
    until(lambda: ready(banks[1]) == second.process.pid, "the free one is served", second)
    until(lambda: any(str(first.process.pid) in e["reason"] for e in second.events("bank.failed")), "told", second)
    assert first.stop() == 0
    until(lambda: ready(banks[0]) == second.process.pid, "taken over", second)


def test_a_single_bank_that_fails_at_start_ends_the_command(tmp_path: Path) -> None:
    """With one line; somebody looks at a terminal. Nothing named, none listed and none near is a mistake, too."""
    ran = command("run", tmp_path / "none")
    assert (ran.returncode, len(ran.stderr.splitlines())) == (3, 1)
    nothing = subprocess.run(
        [sys.executable, "-m", "syncd", "run"], cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (nothing.returncode, len(nothing.stderr.splitlines())) == (2, 1)


def test_the_list_is_served_and_followed_without_a_restart(
    banks: list[Path], home: Path, begin: Callable[..., Daemon]
) -> None:
    """Empty at first; one is added, another, one removed; a list that is spoilt changes nothing."""
    home.write_text("banks = []\n")
    daemon = begin()
    until(lambda: home.exists() and daemon.process.poll() is None, "running", daemon)
    for bank in banks[:2]:
        assert command("add", bank).returncode == 0
        until(lambda b=bank: ready(b) == daemon.process.pid, f"{bank.name} is served", daemon)
        absorbed(bank, "added", daemon)
    assert command("remove", banks[0]).returncode == 0
    until(lambda: len(daemon.events("bank.removed")) == 1, "removed", daemon)
    assert command("sync", banks[0]).returncode == 0  # its lock is free
    home.write_text("banks = [\n")
    until(lambda: daemon.events("config.refused"), "told", daemon)
    absorbed(banks[1], "still", daemon)
    home.write_text(f'banks = ["{banks[1]}", "{banks[2]}"]\n')
    until(lambda: ready(banks[2]) == daemon.process.pid, "served", daemon)
    assert len(daemon.events("bank.removed")) == 1


def test_settings_of_the_user_hold_in_all_banks_and_change_under_a_running_daemon(
    banks: list[Path], home: Path, begin: Callable[..., Daemon]
) -> None:
    """`follow_after` here: the other places of an edit stay until it is allowed."""
    home.write_text(f'banks = ["{banks[0]}"]\nfollow_after = -1.0\n')
    daemon = begin()
    until(lambda: ready(banks[0]) == daemon.process.pid, "ready", daemon)
    edit(banks[0] / "tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    until(lambda: value(banks[0], "SELECT priority FROM tasks WHERE id = 'T6'") == "HIGH", "absorbed", daemon)
    home.write_text(f'banks = ["{banks[0]}"]\nfollow_after = 0.1\n')
    until(lambda: daemon.events("config.read"), "read", daemon)
    absorbed(banks[0], "next", daemon)
    until(lambda: "| HIGH     | -  " in (banks[0] / "tasks.md").read_text(), "followed", daemon)


def test_a_bug_in_one_bank_is_told_with_its_traceback_and_the_bank_begun_anew(
    banks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing escapes from a step."""
    log = _Log()
    loop = BankLoop(banks[0], threading.Event(), log)
    loop.step()
    assert loop.is_open
    assert loop.failure is None
    monkeypatch.setattr("syncd.engine.Engine.converge", lambda *a, **k: 1 / 0)
    loop.reload()
    loop.step()
    assert not loop.is_open
    assert "an error of syncd itself (ZeroDivisionError" in str(loop.failure)
    assert log.said[-2:] == ["bank.bug", "bank.failed"]
    monkeypatch.undo()
    loop.reload()
    loop.step()
    assert loop.failure is None
    assert log.said[-1] == "bank.recovered"
    loop.close()


class _Log:
    """Remembers the names of what was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def bind(self, **values: object) -> _Log:
        return self

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda event, **values: self.said.append(event)


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_all_banks_are_watched_by_one_thread_and_one_inotify_instance(banks: list[Path]) -> None:
    """The system gives a user 128 of them. One bank that is let go of leaves the others watched."""
    hub, wake = Hub(), threading.Event()
    before = threading.active_count()
    watchers = [Watcher(bank, wake, hub=hub) for bank in banks]
    for watcher in watchers:
        watcher.start()
        assert watcher.reason is None
    assert threading.active_count() == before + 1
    watchers[0].stop()
    (banks[0] / "a.md").write_text("x")
    (banks[1] / "b.md").write_text("x")
    until(lambda: "b.md" in watchers[1].take().paths, "told")
    assert not watchers[0].told
    assert not watchers[2].told
    for watcher in watchers:
        watcher.stop()
    assert threading.active_count() == before


def test_a_bank_within_a_bank_is_watched_for_both(banks: list[Path]) -> None:
    """They share the watch of a folder; the one lets go and the other keeps it."""
    inner = Path(shutil.copytree(banks[1], banks[0] / "inner"))
    hub = Hub()
    outside, inside = Watcher(banks[0], threading.Event(), hub=hub), Watcher(inner, threading.Event(), hub=hub)
    outside.start()
    inside.start()
    (inner / "a.md").write_text("x")
    until(lambda: outside.told and inside.told, "told to both")
    assert outside.take().paths == {"inner/a.md"}
    assert inside.take().paths == {"a.md"}
    inside.stop()
    (inner / "a.md").write_text("y")
    until(lambda: outside.told, "told to the one that is left")
    outside.stop()


def test_show_tells_where_each_setting_comes_from(bank: Path, home: Path, syncd: Callable[..., object]) -> None:
    """Default, the user's file, the bank's, which wins; with the line."""
    home.write_text("# mine\nhold_records = 7\nhold_share = 0.5\n")
    (bank / ".syncd").mkdir()
    (bank / ".syncd" / "config.toml").write_text("\n\nhold_share = 0.9\n")
    ran = json.loads(command("config", "show", bank, "--json").stdout)
    rows = {row["name"]: (row["value"], row["from"], row["line"]) for row in ran}
    assert rows["hold_records"] == (7, "user", 2)
    assert rows["hold_share"] == (0.9, "bank", 3)
    assert rows["follow_after"] == (2.0, "default", None)
    paths = json.loads(command("config", "path", "--bank", bank, "--json").stdout)
    assert paths == {
        "user": {"file": str(home), "exists": True},
        "bank": {"file": str(bank / ".syncd" / "config.toml"), "exists": True},
    }


def test_a_bank_cannot_say_what_is_run(bank: Path, home: Path) -> None:
    """It may have come with a clone: commands and the list of banks are the user's own."""
    (bank / ".syncd").mkdir()
    for line in ("banks = []",):
        (bank / ".syncd" / "config.toml").write_text(f"{line}\n")
        ran = command("config", "show", bank)
        assert ran.returncode == 2
        assert f"`{line.split()[0]}` is not read from a bank: {bank}/.syncd/config.toml:1" in ran.stderr
