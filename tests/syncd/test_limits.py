"""The system's limits, as real ones where this machine lets a test set them: the daemon goes on and says what is up."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.syncd.daemons import ROOT, Daemon, command, edit, ready, until, value

LIMITED = """
echo {number} > /proc/sys/user/max_inotify_{what} || exit 77
exec "$@"
"""


class Limited(Daemon):
    """A daemon in a user namespace with a limit of its own."""

    def __init__(self, bank: Path, log: Path, what: str, number: int) -> None:
        self.bank = bank
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                ["unshare", "-Ur", "sh", "-c", LIMITED.format(what=what, number=number), "sh",
                 sys.executable, "-m", "syncd", "run", str(bank)],
                cwd=ROOT, stdout=out, stderr=out,
            )  # fmt: skip


@pytest.fixture
def namespaces() -> None:
    """Skips where no user namespace with a limit of its own can be had."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("user namespaces are Linux's, and need unshare")
    tried = subprocess.run(
        ["unshare", "-Ur", "sh", "-c", LIMITED.format(what="watches", number=100), "sh", "true"], capture_output=True
    )
    if tried.returncode:
        pytest.skip(f"no user namespace here: {tried.stderr.decode().strip()}")


@pytest.fixture
def running() -> Iterator[list[Daemon]]:
    """Daemons that are killed at the end."""
    found: list[Daemon] = []
    yield found
    for daemon in found:
        daemon.process.kill()
        daemon.process.wait()


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize(("what", "number"), [("watches", 2), ("instances", 0)])
def test_without_inotify_files_are_looked_at_by_a_timer_and_status_says_what_to_run(
    bank: Path, tmp_path: Path, running: list[Daemon], what: str, number: int
) -> None:
    """Edits of both sides arrive all the same."""
    daemon = Limited(bank, tmp_path / "daemon.log", what, number)
    running.append(daemon)
    until(lambda: ready(bank) == daemon.process.pid, "ready", daemon)
    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed", daemon)
    value(bank, "UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    until(lambda: "✅ COMPLETED" in (bank / "tasks/T6.md").read_text(), "written", daemon)
    (event,) = daemon.events("bank.ready")
    assert f"sysctl fs.inotify.max_user_{what}=" in event["polling"]


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
def test_without_free_descriptors_a_bank_is_tried_again(bank: Path, tmp_path: Path, running: list[Daemon]) -> None:
    """One bank has what it needs; the next finds none free: that is told, and when some are, it is served."""
    others = [Path(shutil.copytree(bank, tmp_path / f"more-{n}")) for n in range(6)]
    daemon = Daemon(bank, tmp_path / "daemon.log", bank, *others)
    running.append(daemon)
    until(lambda: ready(bank) == daemon.process.pid, "ready", daemon)
    until(lambda: all(ready(other) for other in others), "all ready", daemon, 20)
    used = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
    assert used <= 6 * 7 + 20
    daemon.stop()

    again = Daemon(bank, tmp_path / "limited.log", bank, *others)
    running.append(again)
    resource.prlimit(again.process.pid, resource.RLIMIT_NOFILE, (used - 12, 4096))
    until(lambda: again.events("bank.failed"), "told", again, 20)
    assert ready(bank) == again.process.pid
    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed", again, 20)
    resource.prlimit(again.process.pid, resource.RLIMIT_NOFILE, (4096, 4096))
    until(lambda: all(ready(other) == again.process.pid for other in others), "all served", again, 60)
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(10) == 0


def test_an_overflow_is_counted_and_told(bank: Path, tmp_path: Path, running: list[Daemon]) -> None:
    """The queue overflows while the daemon is stopped; all files are looked at, and status has the number."""
    limit = Path("/proc/sys/fs/inotify/max_queued_events")
    if not limit.exists() or int(limit.read_text()) > 20_000:
        pytest.skip("the queue of this machine is too long to fill, or not inotify's")
    daemon = Daemon(bank, tmp_path / "daemon.log")
    running.append(daemon)
    until(lambda: ready(bank) == daemon.process.pid, "ready", daemon)
    daemon.process.send_signal(signal.SIGSTOP)
    a, b = bank / "x.md", bank / "y.md"
    a.write_text("x")
    for _ in range(int(limit.read_text()) // 4 + 100):
        a.rename(b)
        b.rename(a)
    edit(bank / "tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    daemon.process.send_signal(signal.SIGCONT)
    until(lambda: value(bank, "SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH", "absorbed", daemon, 30)

    def counted() -> int:
        told = json.loads(command("status", bank, "--json").stdout)["banks"][0]["daemon"]
        return told["overflows"] or 0

    until(lambda: counted() >= 1, "counted", daemon, 20)
