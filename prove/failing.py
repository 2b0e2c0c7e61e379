"""A running daemon whose system calls fail for a while, from then on: what it says, what it costs, how it comes back.

Meanwhile somebody saves a document and a row changes. The daemon says that it cannot work, tries again at longer and
longer intervals and not in a busy loop; when the calls work again both changes stand on both sides.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from prove.frame import Result, scratch
from prove.watched import NotInTime, WatchedBank

INJECTIONS = (
    "pwrite64:error=ENOSPC:when=1+",
    "pwrite64:error=EIO:when=1+",
    "fsync,fdatasync:error=EIO:when=1+",
    "renameat2,rename,renameat:error=EACCES:when=1+",
    "openat:error=EMFILE:when=1+",
    "fchmod:error=EIO:when=1+",
    "pread64:error=EIO:when=1+",
    "getdents64:error=EIO:when=1+",
    "newfstatat:error=EIO:when=1+",
)
_NOT_NEEDED = "getdents64"  # folders are listed by a scan only
_FAILING_S = 3.0
_MOST_S = 1.2
"""Processor time that it may use meanwhile, strace's stops included."""


def run(chosen: Sequence[str], seed: int) -> Result:
    """Each of the injections against one daemon, one after another: what one leaves, the next has to cope with."""
    total, order = Result(), list(chosen)
    random.Random(seed).shuffle(order)
    with scratch("failing") as folder:
        bank = WatchedBank(folder)
        try:
            for number, injection in enumerate(order):
                told = _try(bank, injection, number)
                total.add(Result(1, [f"a daemon, {injection}: {problem}" for problem in told]))
                if bank.process.poll() is not None:
                    total.failures.append(f"a daemon, {injection}: it ended with {bank.process.returncode}")
                    return total
        finally:
            if bank.process.poll() is None and (code := bank.stop()):
                total.failures.append(f"the daemon ended with {code}")
    return total


def _try(bank: WatchedBank, injection: str, number: int) -> list[str]:
    word, title = f"Said while calls failed {number}.", f"Sheet {number}"
    lines, used = len(bank.log().splitlines()), _processor_time(bank.process.pid)
    tracer = _traced(bank.process.pid, injection)
    try:
        with (bank.folder / "tasks" / "T3.md").open("a") as document:
            document.write(f"\n{word}\n")
        bank.sql("UPDATE tasks SET title = ? WHERE id = 'T6'", title)
        time.sleep(_FAILING_S)
    finally:
        tracer.send_signal(signal.SIGINT)  # it lets go of the daemon, whose calls work again then
        tracer.wait(10)
    used = _processor_time(bank.process.pid) - used
    said = bank.log().splitlines()[lines:]
    problems = [f"it used {used:.1f} s of processor time in {_FAILING_S:g} s"] if used > _MOST_S else []
    if len(said) > 20 or any("Traceback" in line or "bank.bug" in line for line in said):
        problems.append(f"it said {len(said)} lines: {said[-3:]}")
    if not any('"reason"' in line for line in said) and not injection.startswith(_NOT_NEEDED):
        problems.append(f"it said nothing of it: {said}")
    try:
        bank.wait(lambda: _arrived(bank, word, title), "both changes on both sides", 45.0)
    except (NotInTime, sqlite3.Error) as error:
        problems.append(str(error))
    return problems


def _arrived(bank: WatchedBank, word: str, title: str) -> bool:
    return (
        word in bank.stored("tasks/T3.md")
        and word in bank.read("tasks/T3.md")
        and title in bank.read("tasks/T6.md")
        and title in bank.read("tasks.md")
        and not bank.count("outbox")
    )


def _traced(process: int, injection: str) -> subprocess.Popen[bytes]:
    """strace on a process and its threads, when it has hold of it."""
    calls = injection.partition(":")[0]
    command = ["strace", "-f", "-qq", "-e", "signal=none", "-e", f"trace={calls}", "-e", f"inject={injection}",
               "-o", os.devnull, "-p", str(process)]  # fmt: skip
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 10
    while "TracerPid:\t0\n" in Path(f"/proc/{process}/status").read_text():
        if tracer.poll() is not None or time.monotonic() > end:
            tracer.kill()
            raise RuntimeError("strace could not attach")
        time.sleep(0.005)
    return tracer


def _processor_time(process: int) -> float:
    """Seconds that a process used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
