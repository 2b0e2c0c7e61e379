"""One writer per bank."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import syncd
from schema.errors import SyncdError
from syncd.disk.walk import BankGone
from syncd.errors import BusyError
from syncd.lock import BankLock, LockRole, holder

_HOLD = """
import sys, time
from pathlib import Path
from syncd.lock import BankLock
lock = BankLock(Path(sys.argv[1]))
assert lock.try_acquire("daemon")
lock.announce_ready()
print("held", flush=True)
time.sleep(60)
"""


def other_process(bank: Path) -> subprocess.Popen[str]:
    """A process that holds the lock of ``bank`` until it is ended."""
    home = Path(syncd.__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(bank)], cwd=home, stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    process.send_signal(number)
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()


def test_another_process_is_kept_out_and_named(tmp_path: Path) -> None:
    """The second one is told who has it, and since the holder can be asked for without taking the lock."""
    process = other_process(tmp_path)
    try:
        lock = BankLock(tmp_path)
        assert not lock.try_acquire("command")
        other = holder(tmp_path)
        assert other is not None
        assert (other.pid, other.role, other.ready) == (process.pid, LockRole.DAEMON, True)
        with pytest.raises(BusyError, match=f"daemon with process id {process.pid}"):
            lock.acquire("command", timeout=0.05)
        assert not lock.held
    finally:
        end(process)


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """What it wrote stays in the file and is believed by nobody."""
    end(other_process(tmp_path))
    assert str(os.getpid()) not in (tmp_path / ".syncd" / "lock").read_text()
    assert holder(tmp_path) is None
    with BankLock(tmp_path) as lock:
        assert lock.try_acquire("command")


def test_waits_until_the_holder_ends(tmp_path: Path) -> None:
    """With a timeout, a lock that becomes free in time is taken."""
    process = other_process(tmp_path)
    lock = BankLock(tmp_path)
    assert not lock.try_acquire("command")
    end(process)
    lock.acquire("command", timeout=5)
    assert lock.held
    lock.release()


def test_tells_who_holds_it_and_when_it_is_ready(tmp_path: Path) -> None:
    """A command asks for this to know whether a daemon will see what it writes."""
    assert holder(tmp_path) is None
    with BankLock(tmp_path) as lock:
        lock.acquire("daemon")
        first = holder(tmp_path)
        lock.announce_ready()
        second = holder(tmp_path)
    assert first is not None
    assert second is not None
    assert (first.pid, first.ready, second.ready) == (os.getpid(), False, True)
    assert first.since == second.since
    assert holder(tmp_path) is None


def test_asking_does_not_keep_anybody_from_taking_it(tmp_path: Path) -> None:
    """`holder` takes the lock for a moment; whoever tries in that moment gets it all the same."""
    with BankLock(tmp_path) as lock:
        lock.acquire("command")
    from syncd import lock as module

    real, refused = module._flock, []

    def asked_meanwhile(file: int, kind: int = module.fcntl.LOCK_EX) -> bool:
        if not refused:
            refused.append(file)
            return False
        return real(file, kind)

    module._flock = asked_meanwhile
    try:
        assert BankLock(tmp_path).try_acquire("command")
    finally:
        module._flock = real


def test_nobody_else_may_read_the_state(tmp_path: Path) -> None:
    """The folder and the file are the owner's alone."""
    with BankLock(tmp_path) as lock:
        lock.acquire("command")
    assert stat.S_IMODE((tmp_path / ".syncd").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / ".syncd" / "lock").stat().st_mode) == 0o600


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    """Neither the lock nor its folder may lead out of the bank."""
    victim = tmp_path / "victim"
    victim.write_text("keep")
    bank = tmp_path / "bank"
    (bank / ".syncd").mkdir(parents=True)
    (bank / ".syncd" / "lock").symlink_to(victim)
    with pytest.raises(SyncdError, match="lock"):
        BankLock(bank).try_acquire("command")
    assert victim.read_text() == "keep"


def test_no_bank_no_lock(tmp_path: Path) -> None:
    """A folder that is not there is not made."""
    with pytest.raises(BankGone):
        BankLock(tmp_path / "none").try_acquire("command")
    assert holder(tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_a_torn_text_is_still_a_holder(tmp_path: Path) -> None:
    """Between the lock and its text nobody knows who it is, but it is somebody."""
    with BankLock(tmp_path) as lock:
        lock.acquire("daemon")
        (tmp_path / ".syncd" / "lock").write_text("{")
        other = holder(tmp_path)
    assert other is not None
    assert other.pid == 0


def test_time_stands_in_the_file(tmp_path: Path) -> None:
    """`since` is now, in UTC."""
    with BankLock(tmp_path) as lock:
        lock.acquire("daemon")
        other = holder(tmp_path)
    assert other is not None
    assert other.since.startswith(time.strftime("%Y-%m-%dT", time.gmtime()))
    assert other.since.endswith("+00:00")
