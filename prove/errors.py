"""System calls fail, once or from then on; disks are full or read-only; descriptors and memory run out.

An act that is refused ends with one clear sentence, never with a traceback or a busy loop; each file is old or correct
new; and when the system works again, the next run finishes the work and has lost nothing.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path

from prove import failing, strike
from prove.frame import Budget, Result, less, scratch, spread
from prove.oracle import Oracle
from prove.scenarios import SCENARIOS, Scenario
from syncd.daemon import daemon

WHAT = "failing calls, full and read-only disks, no descriptors, no memory; then a new process where all works again"
WHOLE = Budget(4_000, 450, 2)
SHORT = Budget(24, 30)

_ERRORS = {
    "pwrite64": ("EIO", "ENOSPC", "EINTR"),
    "write": ("EIO", "ENOSPC", "EINTR"),
    "fsync": ("EIO", "ENOSPC", "EINTR"),
    "fdatasync": ("EIO", "ENOSPC"),
    "ftruncate": ("EIO", "ENOSPC", "EROFS"),
    "renameat2": ("EACCES", "EROFS", "EIO", "ENOSPC"),
    "renameat": ("EACCES", "EROFS", "EIO", "ENOSPC"),
    "rename": ("EACCES", "EROFS", "EIO", "ENOSPC"),
    "unlinkat": ("EACCES", "EROFS", "EIO"),
    "unlink": ("EACCES", "EROFS", "EIO"),
    "openat": ("EACCES", "EROFS", "ENOSPC", "EIO", "EMFILE", "EINTR"),
    "mkdir": ("EACCES", "EROFS", "ENOSPC"),
    "mkdirat": ("EACCES", "EROFS", "ENOSPC"),
    "fchmod": ("EACCES", "EROFS", "EIO"),
    "getdents64": ("EIO", "EACCES"),
    "newfstatat": ("EIO", "EACCES"),
    "pread64": ("EIO", "EINTR"),
    "read": ("EIO", "EINTR"),
}
_LIMITED = ("absorb", "burst of rows", "bursts that meet", "first import", "work recorded", "new rows", "held")
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class _Point:
    """``how`` is an injection, or a limit with its number: "space", "files", "heap", "readonly"."""

    scenario: str
    how: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.scenario}, {self.how}{f' {self.number}' if self.number else ''}"


def run(budget: Budget, seed: int) -> Result:
    """Points of all kinds and scenarios by turns, in an order of chance."""
    daemon.load_all()
    began = time.monotonic()
    total, chance = Result(), random.Random(seed)
    chosen = SCENARIOS if budget.workers > 1 else [s for s in SCENARIOS if s.name in _LIMITED[:3]]
    with scratch("errors") as folder:
        oracles = {s.name: Oracle(s, folder / str(n), follow=True) for n, s in enumerate(chosen)}
        kinds = [_limits(oracles, "files", range(26)), _limits(oracles, "heap", range(40_000, 1_600_000, 9_000))]
        if strike.has_strace():
            kinds.append(_injections(oracles))
        else:
            total.skipped.append("failing system calls: strace is not installed")
        if _may_mount():
            kinds += [_limits(oracles, "space", range(200)), _limits(oracles, "readonly", range(1))]
        else:
            total.skipped.append("full and read-only disks: may not mount here")
        total.notes.append(f"{sum(map(len, kinds)):,} different points, {len(oracles)} scenarios")
        if strike.has_strace():
            total.add(failing.run(failing.INJECTIONS if budget.workers > 1 else failing.INJECTIONS[:2], seed))
        for points in kinds:
            chance.shuffle(points)
        points = [point for turn in zip_longest(*kinds) for point in turn if point is not None]
        total.add(spread(_tried(oracles), points, strike.busy(less(budget, began))))
    return total


def _limits(oracles: dict[str, Oracle], how: str, numbers: range) -> list[_Point]:
    return [_Point(name, how, number) for name in oracles if name in _LIMITED for number in numbers]


def _injections(oracles: dict[str, Oracle]) -> list[_Point]:
    """Every call of every scenario with every error that it can have."""
    points = []
    for name, oracle in oracles.items():
        bank = oracle.copy("counted")
        counts = strike.calls_of(oracle.scenario.act, bank, tuple(_ERRORS))
        shutil.rmtree(bank.parent)
        for call, count in counts.items():
            for number in range(1, count + 1):
                for code in _ERRORS.get(call, ()):
                    once = f"{number}..{number + 2}" if code == "EINTR" else f"{number}"
                    points.append(_Point(name, f"{call}:error={code}:when={once}"))
                    if code != "EINTR":  # a call that is interrupted for ever is tried for ever, by the C library too
                        points.append(_Point(name, f"{call}:error={code}:when={number}+"))
    return points


def _tried(oracles: dict[str, Oracle]) -> Callable[[_Point], Result]:
    return lambda point: _try(oracles[point.scenario], point)


def _try(oracle: Oracle, point: _Point) -> Result:
    if point.how in ("space", "readonly"):
        ending = strike.run(lambda _: _on_a_disk(oracle, point), oracle.folder)
        return Result(1, [] if ending.code == strike.WELL else [f"{point}: {ending.said[-800:] or ending.code}"])
    bank = oracle.copy(f"{point.how.replace('/', '')}-{point.number}")
    try:
        if ":" in point.how:
            ending = strike.struck(oracle.scenario.act, bank, point.how)
        else:
            ending = strike.run(oracle.scenario.act, bank, lambda: _limit(point.how, point.number))
        told = _ended(oracle.scenario, ending) + oracle.at_once(bank) + oracle.afterwards(bank)
    finally:
        shutil.rmtree(bank.parent)
    return Result(1, [f"{point}: {problem}" for problem in told[:3]])


def _ended(scenario: Scenario, ending: strike.Ending) -> list[str]:
    """An act ends well or with an expected error; hanging and tracebacks are failures."""
    if ending.code in (strike.WELL, strike.EXPECTED):
        return []
    return [f"{scenario.name} ended with {ending.code}: …{ending.said[-700:]}"]


def _limit(how: str, number: int) -> None:
    if how == "files":
        used = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 10
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + number, used + number))
    else:
        import apsw

        apsw.hard_heap_limit(number)


def _on_a_disk(oracle: Oracle, point: _Point) -> None:
    """The act on a small disk of its own, in a mount namespace of this process; raises what is wrong."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    disk = oracle.folder / "disk"
    disk.mkdir(exist_ok=True)
    _mount("--make-rprivate", "/")
    _mount("-t", "tmpfs", "-o", "size=12m", "none", str(disk))
    bank = Path(shutil.copytree(oracle.ready, disk / "memory-bank"))
    ballast = disk / "ballast"
    if point.how == "space":
        _fill(ballast, point.number)
    else:
        _mount("-o", "remount,ro", str(disk))
    ending = strike.run(oracle.scenario.act, bank)
    told = _ended(oracle.scenario, ending) + oracle.at_once(bank)
    if point.how == "space":
        ballast.unlink()
    else:
        _mount("-o", "remount,rw", str(disk))
    told += oracle.afterwards(bank)
    if told:
        raise AssertionError("; ".join(told[:3]))


def _fill(ballast: Path, pages: int) -> None:
    """Use up the disk but for so many pages."""
    with ballast.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(_PAGE))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        out.truncate(max(0, out.tell() - pages * _PAGE))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@cache
def _may_mount() -> bool:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    trial = ["unshare", "-m", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs none /mnt"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0
