"""Run an act in a child of this process, and strike it at a chosen call: by the kernel (strace) or by hooks in Python.

The kernel's way reaches every system call, SQLite's too; hooks need nothing but fork, and count statements to the
database and the calls that change files.
"""

from __future__ import annotations

import mmap
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from prove.frame import Budget
from schema.db import Database
from schema.errors import SyncdError
from syncd.disk import exchange

CALLS = (
    "pwrite64", "write", "fsync", "fdatasync", "ftruncate", "renameat2", "renameat", "rename", "unlinkat", "unlink",
    "openat", "mkdirat", "mkdir", "fchmod", "linkat",
)  # fmt: skip
"""System calls that can leave a trace; those that an act does not make are not tried."""

Act = Callable[[Path], None]

_LIMIT_S = 60.0
_SAYS = 8192


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended: ``code`` is its exit code, or minus the signal that killed it; ``said`` is an error's text."""

    code: int
    said: str = ""

    @property
    def killed(self) -> bool:
        """Whether it was killed, as it was to be."""
        return self.code == -signal.SIGKILL


WELL, EXPECTED, BUG = 0, 3, 70
"""Exit codes of a child: the act ended well, with an expected error, with a traceback."""


def has_strace() -> bool:
    """Whether the kernel's way is possible here."""
    return shutil.which("strace") is not None and os.path.isdir("/proc/self")


def busy(budget: Budget) -> Budget:
    """One worker more: each waits for its child and for strace now and then."""
    return replace(budget, workers=budget.workers + (budget.workers > 1))


def run(act: Act, bank: Path, prepare: Callable[[], Any] | None = None, started: Callable[[int], Any] = int) -> Ending:
    """``act(bank)`` in a child. ``prepare`` runs in it first; ``started`` here, with its pid, before it goes on."""
    says = mmap.mmap(-1, _SAYS)
    gate, opened = os.pipe()
    child = os.fork()
    if child == 0:
        code = BUG
        try:
            with suppress(OSError):  # it is the first call that can be struck
                os.read(gate, 1)
            if prepare is not None:
                prepare()
            act(bank)
            code = WELL
        except SyncdError as error:
            code = EXPECTED
            _say(says, str(error))
        except BaseException:
            _say(says, traceback.format_exc())
        finally:
            os._exit(code)
    try:
        started(child)
        os.write(opened, b"x")
        code = _wait(child)
    finally:
        os.close(gate)
        os.close(opened)
    text = says[:].rstrip(b"\0").decode(errors="replace")
    says.close()
    return Ending(code, text)


def _say(says: mmap.mmap, text: str) -> None:
    data = text.encode()[-_SAYS:]
    says[: len(data)] = data


def _wait(child: int) -> int:
    if not _ends(child):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return -signal.SIGALRM
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _ends(child: int) -> bool:
    """Wait until a child is at its end, which it leaves to be read; whether it is."""
    if sys.platform == "linux":  # without a look at it every so often, which would cost more than most acts
        ended = os.pidfd_open(child)
        try:
            return bool(select.select([ended], [], [], _LIMIT_S)[0])
        finally:
            os.close(ended)
    end = time.monotonic() + _LIMIT_S
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


# -- the kernel's way -------------------------------------------------------------------------------------------------


def struck(act: Act, bank: Path, inject: str) -> Ending:
    """``act`` with strace injecting, as in ``pwrite64:signal=SIGKILL:when=3`` or ``fsync:error=EIO:when=2+``."""
    call = inject.partition(":")[0]
    return _traced(act, bank, ["-e", f"trace={call}", "-e", f"inject={inject}", "-o", os.devnull])


def calls_of(act: Act, bank: Path, calls: Sequence[str] = CALLS) -> Counter[str]:
    """How often ``act`` makes each of the ``calls``."""
    with tempfile.NamedTemporaryFile("r", prefix="syncd-calls-") as log:
        ending = _traced(act, bank, ["-e", f"trace={','.join(calls)}", "-o", log.name])
        if ending.code != WELL:
            raise RuntimeError(f"the act fails without being struck: {ending}")
        return Counter(re.findall(r"^\d+ +(\w+)\(", log.read(), re.M))


def _traced(act: Act, bank: Path, options: list[str]) -> Ending:
    tracers: list[subprocess.Popen[bytes]] = []

    def attach(child: int) -> None:
        tracers.append(
            subprocess.Popen(["strace", "-f", "-qq", "-e", "signal=none", *options, "-p", str(child)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )  # fmt: skip
        end = time.monotonic() + 10
        while re.search(r"^TracerPid:\t0$", Path(f"/proc/{child}/status").read_text(), re.M):
            if tracers[0].poll() is not None or time.monotonic() > end:
                raise RuntimeError("strace could not attach")
            time.sleep(0.0005)

    try:
        return run(act, bank, started=attach)
    finally:
        for tracer in tracers:
            with suppress(subprocess.TimeoutExpired):
                tracer.wait(10)


# -- by hooks ---------------------------------------------------------------------------------------------------------


class Hooks:
    """Counts calls that leave a trace; kills the process right before the one whose number is given (None: never)."""

    def __init__(self, fatal: int | None) -> None:
        self.calls = 0
        self._fatal = fatal

    def __call__(self) -> None:
        """One call more."""
        self.calls += 1
        if self.calls == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """For the rest of this process's life."""
        for name in ("open", "write", "rename", "unlink", "mkdir", "rmdir", "fsync", "fchmod", "link"):
            self._around(os, name)
        for name in ("run", "insert", "run_many"):
            self._around(Database, name)
        self._around(exchange, "_rename")

    def _around(self, owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self()
            return real(*args, **kwargs)

        mock.patch.object(owner, name, counted).start()


def hooked(act: Act, bank: Path, fatal: int) -> Ending:
    """``act``, killed before its call number ``fatal``."""
    return run(act, bank, Hooks(fatal).install)


def hooks_of(act: Act, bank: Path) -> int:
    """How many such calls ``act`` makes."""
    counted = mmap.mmap(-1, 8)
    hooks = Hooks(None)

    def whole(where: Path) -> None:
        act(where)
        counted[:] = hooks.calls.to_bytes(8, "little")

    ending = run(whole, bank, hooks.install)
    if ending.code != WELL:
        raise RuntimeError(f"the act fails without being struck: {ending}")
    return int.from_bytes(counted[:], "little")
