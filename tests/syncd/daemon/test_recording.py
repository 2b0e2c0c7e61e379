"""`mb` beside a daemon: the daemon does what is recorded, with what it has loaded, and nothing of it is done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from schema.checks import InvalidOperation
from syncd import writing
from syncd.config import Config
from syncd.daemon import ask as asking
from syncd.daemon import sides
from syncd.daemon.ask import Silence, ask
from syncd.daemon.control import Control
from syncd.errors import Exit, HaltedError
from syncd.mb import cli, handing
from tests.syncd.daemons import ROOT, Daemon, edit, until, value

LiveBank = Any
WORK = ("workflow", "log-work", "--task", "T4", "--summary", "Packs are checked", "--modified", "src/decode.ts:Sum")


def mb(bank: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`mb` as a process; the last line of stderr says whether it loaded the engine."""
    code = (
        "import sys; from syncd.mb.cli import main; code = main(sys.argv[1:]);"
        "print('here' if 'syncd.engine' in sys.modules else 'there', file=sys.stderr); sys.exit(code)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments, "--bank", str(bank)], cwd=ROOT, capture_output=True, text=True,
        timeout=60, env={**os.environ, **environ},
    )  # fmt: skip


def where(ran: subprocess.CompletedProcess[str]) -> str:
    return ran.stderr.splitlines()[-1]


def entries(bank: Path) -> int:
    return int(value(bank, "SELECT count(*) FROM edit_entries"))


def test_the_daemon_records_and_the_answer_is_as_without_it(bank: Path, daemon: Daemon) -> None:
    """The entry stands in the file when the command returns; what it prints is what it would print by itself."""
    with_it = mb(bank, *WORK, "--json")
    assert (with_it.returncode, where(with_it)) == (0, "there")
    assert "Packs are checked" in (bank / "edit_history.md").read_text()
    assert daemon.events("converged")[-1]["operation"] == "log-work"
    assert daemon.stop() == 0
    without = mb(bank, *WORK, "--json")
    assert (without.returncode, where(without)) == (0, "here")
    there, here = json.loads(with_it.stdout), json.loads(without.stdout)
    assert there.keys() == here.keys()
    assert (there["state"], there["emitted"]) == (here["state"], here["emitted"]) == ("converged", ["edit_history.md"])
    assert value(bank, "SELECT count(*) FROM requests") == 0


def test_what_was_saved_just_before_is_absorbed_first(bank: Path, daemon: Daemon) -> None:
    """By hand, in the file that the entry goes to: both stand in it."""
    for number in range(5):
        edit(bank / "edit_history.md", "# ", f"<!-- by hand {number} -->\n# ")
        assert mb(bank, *WORK[:-1], f"src/{number}.ts:Sum").returncode == 0
    until(lambda: value(bank, "SELECT count(*) FROM sections WHERE text LIKE '%by hand 4%'"), "absorbed", daemon)
    text = (bank / "edit_history.md").read_text()
    assert all(f"by hand {number}" in text and f"`src/{number}.ts`" in text for number in range(5))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (("workflow", "log-work", "--task", "T99", "--summary", "x"), Exit.USAGE),
        (("workflow", "log-work", "--task", "T4"), Exit.USAGE),
        (("workflow", "log-work", "--task", "T4", "--summary", "x", "--nonsense"), Exit.USAGE),
        (("task", "set", "T4", "--status", "odd"), Exit.USAGE),
    ],
)
def test_a_refusal_is_the_one_that_is_told_without_a_daemon(
    bank: Path, daemon: Daemon, wrong: tuple[str, ...], code: Exit
) -> None:
    """Word for word; nothing was written, and the next command is done."""
    before = entries(bank)
    refused = mb(bank, *wrong)
    assert (refused.returncode, entries(bank), refused.stdout) == (code, before, "")
    after = mb(bank, *WORK)
    assert (after.returncode, where(after), entries(bank)) == (0, "there", before + 1)
    daemon.stop()
    assert mb(bank, *wrong).stderr.splitlines()[0] == refused.stderr.splitlines()[0]


@pytest.mark.parametrize(
    "environ", [{"TZ": "Pacific/Auckland"}, {"XDG_CONFIG_HOME": "/nowhere"}], ids=["zone", "settings"]
)
def test_a_command_that_would_do_something_else_there_is_done_here(
    bank: Path, daemon: Daemon, environ: dict[str, str]
) -> None:
    """Another clock, other settings of the user: the daemon is only asked to write the files."""
    ran = mb(bank, *WORK, **environ)
    assert (ran.returncode, where(ran)) == (0, "here")
    assert "Packs are checked" in (bank / "edit_history.md").read_text()


def test_a_daemon_that_was_killed_while_it_was_asked(bank: Path, daemon: Daemon) -> None:
    """The command says that it does not know; what happened is whole, or did not happen."""
    before = entries(bank)
    daemon.process.send_signal(signal.SIGSTOP)
    killer = threading.Timer(0.7, daemon.process.kill)
    killer.start()
    ran = mb(bank, *WORK)
    killer.join()
    assert (ran.returncode, entries(bank)) == (Exit.FAILED, before)
    assert "the daemon stopped before it answered" in ran.stderr
    assert "syncd log" in ran.stderr
    assert mb(bank, *WORK).returncode == 0
    assert entries(bank) == before + 1


# -- the pieces ------------------------------------------------------------------------------------------------------


def test_a_command_whose_caller_gave_up_is_not_done(runtime: Path) -> None:
    """It waits behind other work, and is taken back; a pause that somebody asked for stays asked for."""
    wake = threading.Event()
    control = Control(wake, lambda: None)
    assert control.start([runtime]) is None
    try:
        for what in ("mb", "pause"):
            assert ask(os.getpid(), {"do": what}, 0.1) == Silence(hung=True, sent=True)
        until(lambda: len(control._requests) == 2 and not control._clients, "dropped")
        assert [request.do for request in control.take()] == ["pause"]
    finally:
        control.close()


def test_it_is_not_known_whether_it_was_done(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that was sent the command and says nothing is told; one that never got it is none."""
    monkeypatch.setattr(handing, "_daemon_of", lambda bank: 1)
    monkeypatch.setattr(handing, "_speaks_utf8", lambda: True)
    answers = iter([Silence(hung=True, sent=True), Silence(hung=False, sent=True), Silence(hung=True), {"ok": False}])
    monkeypatch.setattr(asking, "ask", lambda *_: next(answers))
    arguments = ["--summary", "x", "--bank", str(bank)]
    with pytest.raises(HaltedError, match="did not answer in time"):
        handing.handed_over("workflow log-work", arguments)
    with pytest.raises(HaltedError, match="stopped before it answered"):
        handing.handed_over("workflow log-work", arguments)
    assert handing.handed_over("workflow log-work", arguments) is None
    assert handing.handed_over("workflow log-work", arguments) is None


def test_a_person_is_asked_for_what_is_missing(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon cannot ask; at a terminal the command is done here, where it can be."""
    monkeypatch.setattr(handing, "_daemon_of", lambda bank: 1)
    monkeypatch.setattr(handing, "_speaks_utf8", lambda: True)
    told: Mapping[str, Any] = {"banks": [{"code": int(Exit.USAGE), "out": "", "err": "mb: --summary is missing\n"}]}
    monkeypatch.setattr(asking, "ask", lambda *_: told)
    arguments = ["--bank", str(bank)]
    assert handing.handed_over("workflow log-work", arguments) == Exit.USAGE
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert handing.handed_over("workflow log-work", arguments) is None


def test_what_is_handed_over() -> None:
    """What only looks, rehearses or explains is done here."""
    assert cli.is_handed_over("workflow log-work", ["--task", "T4"])
    assert not cli.is_handed_over("workflow log-work", ["--task", "T4", "--dry-run"])
    assert not cli.is_handed_over("task add", ["--help"])
    assert not cli.is_handed_over("task show", ["T4"])
    assert not cli.is_handed_over("nonsense", [])
    assert set(sides.side()) == {"version", "zone", "settings"}


def test_what_is_rolled_back_leaves_nothing_behind_in_the_engine(live: LiveBank) -> None:
    """The rows, their text and what is remembered of both are as before; the next transaction builds on that."""
    engine, told = live.engine, []

    def add(title: str, *, fails: bool) -> None:
        with (
            writing.at_hand(engine, told.append),
            writing.writing(live.bank, Config(), "mb", "log-work") as made,
        ):
            columns = "INSERT INTO edit_entries(date, time, task_description)"
            made.db.run(f"{columns} VALUES ('2026-01-02', '10:20', ?)", (title,))
            if fails:
                engine.commit_rows()
                raise InvalidOperation("not after all")

    before = (live.bank / "edit_history.md").read_bytes()
    with pytest.raises(InvalidOperation):
        add("Never was", fails=True)
    assert (live.bank / "edit_history.md").read_bytes() == before
    assert engine.state.data("edit_history.md") == before
    add("Was", fails=False)
    text = (live.bank / "edit_history.md").read_text()
    assert "Was" in text
    assert "Never was" not in text
    assert [report.state.value for report in told] == ["converged"]
    assert not list(live.bank.rglob(".*.part"))
    assert engine.converge().transaction is None
