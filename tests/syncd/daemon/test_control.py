"""The daemon's socket: who may ask, what is answered, and that nothing depends on it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from syncd.daemon import ask as asking
from syncd.daemon import sockets
from syncd.daemon.ask import Silence, ask
from syncd.daemon.control import Control
from tests.syncd.daemons import ROOT, Daemon, command, edit, ready, until, value


@pytest.fixture
def control(runtime: Path) -> Iterator[Control]:
    """A socket whose main loop is the test."""
    made = Control(threading.Event(), lambda: {"bank": "/b", "seconds": 1.0})
    assert made.start([runtime]) is None
    yield made
    made.close()


def connected(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(5.0)
    with sockets.address(path) as where:
        client.connect(where)
    return client


def line(client: socket.socket) -> Any:
    text = b""
    while not text.endswith(b"\n"):
        text += client.recv(65536) or pytest.fail("closed")
    return json.loads(text)


def test_the_folder_and_the_socket_are_for_their_owner_only(control: Control, runtime: Path) -> None:
    """And the socket goes with the daemon."""
    assert control.path == runtime / f"{os.getpid()}.sock"
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert stat.S_IMODE(control.path.stat().st_mode) == 0o600
    control.path.unlink()


def test_a_request_reaches_the_main_loop_and_its_answer_the_client(control: Control) -> None:
    """Several on one connection, in any pieces."""
    assert control.path
    with connected(control.path) as client:
        client.sendall(b'{"do": "pau')
        client.sendall(b'se", "bank": "/b"}\n{"do": "sync"}\n')
        seen: list[Any] = []
        until(lambda: seen.extend(control.take()) or len(seen) == 2, "both arrived")
        assert [(r.do, r.bank) for r in seen] == [("pause", "/b"), ("sync", None)]
        seen[0].answer(paused="now")
        assert line(client) == {"ok": True, "paused": "now"}
        seen[1].refuse("no", "try later")
        seen[1].answer(late=True)
        assert line(client) == {"ok": False, "error": "no", "hint": "try later"}


@pytest.mark.parametrize("text", [b"nonsense", b"[]", b'{"do": 1}', b'{"do": "format"}', b"\xff", b"[" * 5000, b""])
def test_nonsense_is_refused_and_costs_nothing(control: Control, text: bytes) -> None:
    """The main loop never sees it."""
    assert control.path
    with connected(control.path) as client:
        client.sendall(text + b"\n")
        assert line(client)["ok"] is False
        assert list(control.take()) == []
    with connected(control.path) as client:
        client.sendall(b'{"do": "status"}\n')
        until(lambda: [r.answer() for r in control.take()], "arrived")
        assert line(client) == {"ok": True}


def test_a_line_without_end_and_too_many_clients_are_cut_off(control: Control) -> None:
    """Others are served."""
    assert control.path
    with connected(control.path) as client:
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(10):
                client.sendall(b"x" * 10_000)
        with suppress(ConnectionResetError):
            assert client.recv(10) == b""
    many = []
    for _ in range(40):
        many.append(connected(control.path))
        time.sleep(0.005)  # a listener's queue has an end
    until(lambda: len(control._clients) == 32, "as many as are served")
    for client in many:
        client.close()
    until(lambda: not control._clients, "all gone")
    assert ask(os.getpid(), {"do": "status"}) == {"ok": True, "busy": {"bank": "/b", "seconds": 1.0}}


def test_a_busy_main_loop_is_told_apart_from_a_hung_daemon(control: Control) -> None:
    """The thread answers in its place after a tenth of a second."""
    began = time.monotonic()
    assert ask(os.getpid(), {"do": "status"}) == {"ok": True, "busy": {"bank": "/b", "seconds": 1.0}}
    assert 0.09 < time.monotonic() - began < 0.5


def test_another_user_is_not_served(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the folder's mode let him in; and a client does not speak to another user's daemon."""
    monkeypatch.setattr("syncd.daemon.control.peer_uid", lambda connection: os.getuid() + 1)
    assert control.path
    with connected(control.path) as client:
        assert client.recv(10) == b""
    monkeypatch.undo()
    monkeypatch.setattr("syncd.daemon.sockets.peer_uid", lambda connection: os.getuid() + 1)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(control.path.parent.parent))
    assert ask(os.getpid(), {"do": "status"}) == Silence(hung=False)


def test_the_peer_is_who_it_is(control: Control) -> None:
    """As the system tells."""
    left, right = socket.socketpair()
    with left, right:
        assert sockets.peer_uid(left) == os.getuid()


def test_what_a_killed_daemon_left_is_removed_and_a_living_one_stays(control: Control, runtime: Path) -> None:
    """Only while no other daemon makes or removes one."""
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(runtime / "1.sock"))
    dead.close()
    living = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    living.bind(str(runtime / "2.sock"))
    living.listen()
    assert control.path
    control.path.rename(runtime / "3.sock")
    other = Control(threading.Event(), lambda: None)
    assert other.start([runtime]) is None
    assert sorted(p.name for p in runtime.glob("*.sock")) == sorted(["2.sock", "3.sock", f"{os.getpid()}.sock"])
    other.close()
    living.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a way around the limit")
def test_a_path_longer_than_a_socket_may_have_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound and connected to by way of its folder."""
    long = tmp_path / ("x" * 120)
    long.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    made = Control(threading.Event(), lambda: None)
    assert made.start([long / "syncd"]) is None
    assert ask(os.getpid(), {"do": "status"}) == {"ok": True, "busy": {}}
    made.close()
    assert list((long / "syncd").glob("*.sock")) == []


def test_a_folder_of_somebody_else_or_a_link_is_not_used(tmp_path: Path) -> None:
    """The next one is; without any the daemon runs without a socket."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "open").mkdir(mode=0o777)
    assert not sockets.own_folder(tmp_path / "link")
    assert not sockets.own_folder(tmp_path / "none" / "below")
    assert sockets.own_folder(tmp_path / "open")
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o700
    made = Control(threading.Event(), lambda: None)
    assert made.start([tmp_path / "link"]) == "no folder for it that only this user may enter"
    made.close()


def status(bank: Path) -> Any:
    return json.loads(command("status", bank, "--json").stdout)["banks"][0]


def test_status_tells_what_the_daemon_knows(bank: Path, daemon: Daemon) -> None:
    """Uptime, memory, latencies of both ways."""
    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed", daemon)
    value(bank, "UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    until(lambda: "✅ COMPLETED" in (bank / "tasks/T6.md").read_text(), "written", daemon)
    until(lambda: (status(bank)["daemon"]["emit_ms"] or {}).get("count"), "told", daemon)
    told = status(bank)["daemon"]
    assert told["pid"] == daemon.process.pid
    assert told["absorb_ms"]["count"] >= 1
    assert 0 < told["absorb_ms"]["p50"] <= told["absorb_ms"]["p95"] <= told["absorb_ms"]["max"] < 5000
    assert 10 < told["memory_mb"] < 200
    assert (told["hung"], told["busy"], told["overflows"], told["polling"]) == (False, None, 0, None)


def test_a_stopped_daemon_is_said_to_hang_and_status_does_not_wait_for_it(bank: Path, daemon: Daemon) -> None:
    """A fifth of a second; the rest is read from the database."""
    daemon.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert ask(daemon.process.pid, {"do": "status"}) == Silence(hung=True, sent=True)
    assert time.monotonic() - began < asking.PATIENCE_S + 0.3
    ran = command("status", bank, "--json")
    told = json.loads(ran.stdout)["banks"][0]
    assert (ran.returncode, told["state"], told["daemon"]["hung"]) == (3, "failed", True)
    assert "does not answer" in told["reason"]
    assert told["documents"] == 25
    daemon.process.send_signal(signal.SIGCONT)
    until(lambda: status(bank)["state"] == "converged", "well again", daemon)


@pytest.mark.parametrize("with_socket", [True, False], ids=["socket", "database"])
def test_a_paused_bank_is_left_alone_until_it_is_resumed(
    bank: Path, daemon: Daemon, runtime: Path, with_socket: bool
) -> None:
    """Over a restart too; commands still work; what happened meanwhile is found. With or without the socket."""
    if not with_socket:
        (runtime / f"{daemon.process.pid}.sock").unlink()
    assert json.loads(command("pause", bank, "--json").stdout)["paused"]
    until(lambda: daemon.events("bank.paused"), "paused", daemon)
    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    value(bank, "UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    time.sleep(0.5)
    assert value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "MEDIUM"
    assert "✅ COMPLETED" not in (bank / "tasks/T6.md").read_text()
    told = status(bank)
    assert (told["state"], told["next"]) == ("pending", f"syncd resume {bank}")
    assert json.loads(command("sync", bank, "--json").stdout)["absorbed"] == ["tasks/T4.md"]
    assert daemon.stop() == 0
    again = Daemon(bank, daemon.log)
    try:
        until(lambda: ready(bank) == again.process.pid, "ready", again)
        edit(bank / "tasks/T4.md", "**Priority**: HIGH", "**Priority**: LOW")
        time.sleep(0.4)
        assert value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH"
        assert command("resume", bank).stdout == "not paused\n"
        until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "LOW", "absorbed", again)
    finally:
        again.process.kill()
        again.process.wait()


def test_sigusr1_writes_the_state_to_the_log(bank: Path, daemon: Daemon) -> None:
    """Deadlines, failures, watcher, latencies of each bank."""
    daemon.process.send_signal(signal.SIGUSR1)
    until(lambda: daemon.events("state"), "told", daemon)
    told = daemon.events("state")[0]
    assert told["pid"] == daemon.process.pid
    assert told["banks"][0]["path"] == str(bank)
    assert told["banks"][0]["due_in"]["scan"] > 0


def test_no_text_of_a_document_is_in_the_log(bank: Path, daemon: Daemon) -> None:
    """Numbers and names only, whatever happens to the bank: prose, records, conflicts, holds, odd rows."""
    secret = "Xylograph4711"
    (bank / "progress.md").write_text(f"# Progress\n\n{secret}\n")
    edit(bank / "tasks/T5.md", "# T5: ", f"# T5: {secret} ")
    value(bank, f"UPDATE tasks SET title = '{secret} too' WHERE id = 'T4'")
    value(bank, f"INSERT INTO tasks(id, title, status) VALUES ('T77', '{secret}', 'pending')")
    value(bank, f"UPDATE edit_entries SET task_description = '{secret}' WHERE id = 1")
    value(bank, f"INSERT INTO error_logs(timestamp, error_message) VALUES ('nonsense', '{secret} ''')")
    (bank / "errorLog.md").write_text(f"<<<<<<< HEAD\n{secret}\n=======\n>>>>>>> x\n")
    until(lambda: value(bank, "SELECT count(*) FROM holds WHERE state = 'open'"), "held", daemon)
    until(lambda: secret in (bank / "tasks/T4.md").read_text(), "written", daemon)
    converged = until(lambda: len(daemon.events("converged")) > 1, "told", daemon)
    assert converged >= 0
    event = daemon.events("converged")[-1]
    assert {"bank", "origin", "documents", "rows", "ms", "transaction"} <= event.keys()
    assert secret not in daemon.said()


def test_every_request_of_the_manual_is_known() -> None:
    """And the other way round."""
    import re

    from syncd.daemon.control import REQUESTS

    manual = (ROOT / "docs" / "daemon.md").read_text()
    assert set(re.findall(r'^\| `\{"do": "(\w+)"', manual, re.M)) == set(REQUESTS)


def test_hooks_are_run_by_the_daemon(
    bank: Path, tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the user's settings; the loop goes on while one runs."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "syncd").mkdir(parents=True)
    told = tmp_path / "told"
    (tmp_path / "config" / "syncd" / "config.toml").write_text(f"on_hold = \"sh -c 'cat > {told}; sleep 3'\"\n")
    started = Daemon(bank, tmp_path / "daemon.log")
    try:
        until(lambda: ready(bank) == started.process.pid, "ready", started)
        (bank / "errorLog.md").write_bytes(b"")
        until(lambda: told.exists() and told.read_text(), "told", started)
        assert json.loads(told.read_text())["holds"][0]["path"] == "errorLog.md"
        edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
        took = until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed", started)
        assert took < 2.0
        assert started.stop() == 0
    finally:
        started.process.kill()
        started.process.wait()

