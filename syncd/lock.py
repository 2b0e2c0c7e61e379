"""One writer per bank: a lock of the operating system on ``.syncd/lock``.

May import the standard library and syncd's errors, folders and walk. The kernel releases the lock of a process that
ends in whatever way; the text in the file only tells people (and other commands) who holds it.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from schema import jsontext
from schema.errors import SyncdError
from syncd.disk.folders import open_folder
from syncd.disk.walk import require_root
from syncd.errors import BusyError, from_os

_STATE = ".syncd"
_NAME = "lock"
_WIDTH = 160  # bytes; the text is padded to it, so that one write replaces all of it
_POLL_S = 0.02
WAIT = 60.0
"""Seconds a command waits for the daemon, or for another command."""

_ASKED_S = 0.002  # `holder` takes a shared lock for microseconds, which is not to count as somebody's


class LockRole(StrEnum):
    """What the holder of the lock is."""

    DAEMON = "daemon"
    COMMAND = "command"


class Holder(Struct, frozen=True):
    """Who holds a bank's lock. ``since`` is UTC, ISO 8601; ``ready`` says that a daemon watches by now.

    ``pid`` is 0 and ``since`` empty in the moment before a new holder has written who it is.
    """

    pid: int
    since: str
    role: LockRole
    ready: bool


class BankLock:
    """The lock of one bank. As a context manager it releases on the way out."""

    def __init__(self, bank: Path) -> None:
        self._bank = bank
        self._file: int | None = None
        self._holder: Holder | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def try_acquire(self, role: LockRole | str) -> bool:
        """Take the lock if it is free, making ``.syncd`` if needed. False where another process holds it.

        Raises `SyncdError` where the lock file cannot be made, `syncd.disk.walk.BankGone` where there is no bank.
        """
        if self._file is not None:
            raise ValueError("held already")
        file = self._open()
        try:
            if not _flock(file):
                time.sleep(_ASKED_S)
                if not _flock(file):
                    return False
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._write(file, Holder(os.getpid(), now, LockRole(role), ready=False))
            self._file, file = file, -1
        finally:
            if file >= 0:
                os.close(file)
        return True

    def acquire(self, role: LockRole | str, timeout: float = 0.0) -> None:
        """Take the lock, waiting up to ``timeout`` seconds. Raises `BusyError` naming who has it."""
        end = time.monotonic() + timeout
        while not self.try_acquire(role):
            if time.monotonic() >= end:
                raise busy(self._bank)
            time.sleep(_POLL_S)

    def announce_ready(self) -> None:
        """Let others see that this process is set up: what is saved from now on will be noticed."""
        if self._file is None or self._holder is None:
            raise ValueError("not held")
        self._write(self._file, Holder(self._holder.pid, self._holder.since, self._holder.role, ready=True))

    def release(self) -> None:
        """Let go of the lock, if it is held. The file stays: removing it would let two processes lock two files."""
        if self._file is not None:
            os.close(self._file)
            self._file = self._holder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _open(self) -> int:
        try:
            with open_folder(self._bank, (_STATE,), create=True, mode=0o700) as folder:
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                return os.open(_NAME, flags, 0o600, dir_fd=folder)
        except OSError as error:
            require_root(self._bank)
            refusal = from_os(error)
            raise SyncdError(f"no lock, {refusal.what}", str(self._bank / _STATE / _NAME), refusal.hint) from error

    def _write(self, file: int, holder: Holder) -> None:
        text = {"pid": holder.pid, "since": holder.since, "role": holder.role, "ready": holder.ready}
        try:
            os.pwrite(file, jsontext.dumps(text).ljust(_WIDTH - 1).encode() + b"\n", 0)
        except OSError as error:
            refusal = from_os(error)
            raise SyncdError(f"no lock, {refusal.what}", str(self._bank / _STATE / _NAME), refusal.hint) from error
        self._holder = holder


def holder(bank: Path) -> Holder | None:
    """Who holds the lock of ``bank`` now, without taking it. None too where there is no bank or no lock yet."""
    try:
        with open_folder(bank, (_STATE,)) as folder:
            file = os.open(_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        refusal = from_os(error)
        raise SyncdError(refusal.what, str(bank / _STATE / _NAME), refusal.hint) from error
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode) or _flock(file, fcntl.LOCK_SH):
            return None
        return _parsed(os.pread(file, 4096, 0))
    finally:
        os.close(file)


def busy(bank: Path) -> BusyError:
    """The error for a bank whose lock somebody else holds."""
    other = holder(bank)
    if other is None or not other.pid:
        return BusyError("in use by another process", str(bank), "try again")
    hint = "stop it first, or let it do the work" if other.role is LockRole.DAEMON else "wait for it to end"
    return BusyError(f"in use by the {other.role} with process id {other.pid}", str(bank), hint)


def _flock(file: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _parsed(text: bytes) -> Holder:
    """What the file says; a holder that has not written yet is one too."""
    try:
        says = jsontext.loads(text)
        return Holder(int(says["pid"]), str(says["since"]), LockRole(says["role"]), bool(says["ready"]))
    except (ValueError, KeyError, TypeError):
        return Holder(0, "", LockRole.COMMAND, ready=False)
