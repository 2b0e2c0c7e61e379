"""The daemon: waits for a hint, converges, logs, waits again. One control thread; the watcher only wakes it."""

from __future__ import annotations

import gc
import os
import pkgutil
import random
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from schema.store import state_set
from syncd import backups, config, drift, lock, requests
from syncd.bank import database_of, require_documents
from syncd.config import Config
from syncd.engine import Engine
from syncd.errors import Exit, SyncdError
from syncd.git import git_busy
from syncd.holds import follows
from syncd.lock import BankLock, LockRole
from syncd.model import Report
from syncd.notify import Notifier
from syncd.walk import BankGone, require_root
from syncd.watch import Watcher

_RETRY = 0.02  # seconds until a file that was missing or open for writing is looked at again, doubling
_LONGEST_RETRY = 1.0
_SHARE = 12_000  # a scan that finds nothing takes less than a ten-thousandth of the time
_POLLING = 2.0  # seconds between two scans where the system cannot tell of changes
_QUIET = 1.0  # seconds without work until what can wait is done
_BACK_OFF = 30.0  # seconds between two tries of a bank that fails, at most
_GONE_BACK_OFF = 2.0  # of one that is not there: a look costs nothing
_GIT_WAIT = 0.1  # seconds between two looks whether git is done
_START_S = 300.0  # seconds that the service manager is asked for, each time a bank is about to be read at start
_BACKUP_SOON = 60.0  # seconds from the start until a daily backup that is overdue, if the bank is quiet
_BACKUP_AGAIN = 3600.0  # seconds until one that failed is tried again
_CONFIRM = (0.0, 0.0005, 0.001, 0.002)  # the log is written before the commit can be seen: seconds between two looks
_CONFIRM_LATER = (0.004, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # and behind those, for a disk that takes its time


class BankLoop:
    """One bank under the daemon: its lock, engine and watcher, and when it has to be looked at next."""

    def __init__(self, bank: Path, config: Config, wake: threading.Event, log: Any) -> None:
        self.bank = bank
        self._config = config
        self._wake = wake
        self._log = log
        self._lock = BankLock(bank)
        self._watcher = Watcher(bank, wake)
        self._engine: Engine | None = None
        self._version = 0
        self._retry: set[str] = set()
        self._retry_after = _RETRY
        self._retry_at: float | None = None
        self._scan_at = 0.0
        self._scan_took = 0.0
        self._follow_at: float | None = None
        self._drift_at: float | None = None
        self._backup_at: float | None = None
        self._failures = 0
        self._rows_due = False
        self._confirm_at: float | None = None
        self._confirmed = 0
        self._not_before = 0.0
        self._database: tuple[int, int] | None = None

    def start(self) -> None:
        """Take the lock, watch, scan once, and only then be ready. Raises `SyncdError`."""
        if not self._lock.try_acquire(LockRole.DAEMON):
            raise lock.busy(self.bank)
        self._engine = Engine.open(self.bank, create=True, config=self._config)
        self._database = _identity(database_of(self.bank))
        self._watcher.start()
        self._version = self._engine.db.data_version()
        self._done(self._engine.converge(None, settle=True))
        self._serve(self._engine)
        self._scan_at = self._next_scan()
        self._backup_at = self._next_backup(_BACKUP_SOON)
        self._lock.announce_ready()
        self._log.info("bank.ready", bank=str(self.bank), polling=self._watcher.reason)

    def stop(self) -> None:
        """Stop watching and let go of everything."""
        self._watcher.stop()
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._lock.release()

    def reload(self) -> None:
        """Read the settings again and make the next step a whole scan. Bad settings are told, the old ones stay."""
        try:
            self._config = config.load(self.bank)
        except SyncdError as error:
            self._log.error("config.refused", bank=str(self.bank), reason=str(error))
        if self._engine is not None:
            self._engine.config = self._config
            self._backup_at = self._next_backup(_BACKUP_SOON)
        self._scan_at = 0.0

    @property
    def failing(self) -> bool:
        """Whether the last look at this bank ended in an error."""
        return self._failures > 0

    def deadline(self) -> float:
        """When, on the monotonic clock, this bank wants to be looked at if nothing happens."""
        held = self._engine.held.due() if self._engine else None
        times = (
            self._scan_at, self._retry_at, self._follow_at, self._drift_at, self._confirm_at, self._backup_at, held,
        )  # fmt: skip
        return max(self._not_before, min(t for t in times if t is not None))

    def step(self) -> None:
        """Do what the hints and the clock ask for. An expected error makes the bank wait, longer each time."""
        try:
            self._step()
        except SyncdError as error:
            self._failures += 1
            wait = min(0.5 * 2**self._failures, _GONE_BACK_OFF if isinstance(error, BankGone) else _BACK_OFF)
            self._scan_at = self._not_before = time.monotonic() + wait
            self._retry_at = None
            self._tell_failure(error, wait)
        else:
            if self._failures:
                self._log.info("bank.recovered", bank=str(self.bank), failures=self._failures)
                self._failures = 0
                self._note_failure(None)

    def _tell_failure(self, error: SyncdError, wait: float) -> None:
        event = "bank.halted" if isinstance(error, BankGone) else "bank.failed"
        if self._failures & (self._failures - 1) == 0:  # the first, second, fourth, eighth … in a row
            self._log.error(event, bank=str(self.bank), reason=str(error), retry_seconds=round(wait, 1))
        self._note_failure(str(error))

    def _note_failure(self, sentence: str | None) -> None:
        """Let `status` know. Where the database itself fails there is nowhere to write it: the log has it."""
        if self._engine is not None:
            with suppress(SyncdError):
                state_set(self._engine.db, "failure", sentence)

    def _step(self) -> None:
        now = time.monotonic()
        dirty = self._watcher.take()
        if self._engine is None or self._is_another():
            self._reopen()
            return
        engine = self._engine
        paths = set(dirty.paths)
        if self._retry_at is not None and now >= self._retry_at:
            paths |= self._retry
            self._retry_at = None
        scan = dirty.scan or now >= self._scan_at
        rows = self._rows_changed(engine, dirty.database, now) or scan or self._rows_due
        follow = self._follow_at is not None and now >= self._follow_at
        due = engine.held.due()
        if not (paths or scan or rows or follow or (due is not None and now >= due)):
            self._tidy(engine, now)
            return
        if reason := git_busy(self.bank):
            self._wait_for_git(paths, scan, rows, reason)
            return
        self._rows_due, self._not_before = False, 0.0
        began = time.monotonic()
        report = engine.converge(None if scan else paths, settle=False, follow=follow)
        if scan:
            self._scan_took = time.monotonic() - began if report.transaction is None else self._scan_took
            self._scan_at = self._next_scan()
        if engine.unfinished is not None:  # nothing tells when the merge is done
            self._scan_at = min(self._scan_at, time.monotonic() + max(_POLLING, 100 * self._scan_took))
        self._done(report, None if scan else paths)
        if follow:
            self._follow_at = None
        if rows:
            self._serve(engine)

    def _serve(self, engine: Engine) -> None:
        """Answer the commands that wait; what they absorbed, or an earlier run did, is to be followed too."""
        answered = requests.serve(engine)
        never = self._config.follow_after < 0
        if not never and self._follow_at is None and (answered or self._scan_at == 0.0) and follows(engine.db):
            self._follow_at = time.monotonic() + self._config.follow_after

    def _is_another(self) -> bool:
        """Whether the folder or its database is no longer the one that was opened: what we wrote would be nowhere."""
        return self._watcher.gone or _identity(database_of(self.bank)) != self._database

    def _reopen(self) -> None:
        """Begin anew with what is there now. Raises `SyncdError`; then nothing is open."""
        self.stop()
        require_root(self.bank)
        if _identity(database_of(self.bank)) is None:
            require_documents(self.bank)  # an empty folder may be a disk that is not mounted
        self._lock, self._watcher = BankLock(self.bank), Watcher(self.bank, self._wake)
        self._retry, self._retry_at, self._follow_at, self._confirm_at, self._scan_at = set(), None, None, None, 0.0
        try:
            self.start()
        except SyncdError:
            self.stop()
            raise
        self._not_before = 0.0

    def _tidy(self, engine: Engine, now: float) -> None:
        """What can wait for a quiet moment: noting the drift for `status`, and folding the log into the database."""
        if self._drift_at is not None and now >= self._drift_at:
            self._drift_at = None
            drift.remember(engine.db, engine.state)
            engine.db.checkpoint()
        elif self._backup_at is not None and now >= self._backup_at:
            self._back_up(engine)

    def _back_up(self, engine: Engine) -> None:
        """The daily backup; one that fails is told and tried again."""
        made, why = backups.make_daily(engine.db, self.bank, self._config, engine.now())
        if made is None:
            self._log.error("backup.failed", bank=str(self.bank), reason=why)
        else:
            self._log.info("backup.made", bank=str(self.bank), file=made.name)
        self._backup_at = self._next_backup(_BACKUP_AGAIN)

    def _next_backup(self, soonest: float) -> float | None:
        """When, on the monotonic clock, the next daily backup is due. A clock that was set, or slept, is asked again
        after each scan."""
        assert self._engine is not None
        due = backups.due(self.bank, self._config)
        if due is None:
            return None
        return time.monotonic() + max(soonest, (due - self._engine.now()).total_seconds())

    def _rows_changed(self, engine: Engine, told: bool, now: float) -> bool:
        """Whether another process committed.

        The log's event comes before the commit can be seen: by microseconds, or by as long as the disk takes to sync.
        One event may stand for several commits. So after each there are more looks, later and later.
        """
        if told:
            self._confirmed, self._confirm_at = 0, now + _CONFIRM_LATER[0]
            return self._others_wrote(engine, _CONFIRM)
        if self._confirm_at is None or now < self._confirm_at:
            return False
        self._confirmed += 1
        more = self._confirmed < len(_CONFIRM_LATER)
        self._confirm_at = now + _CONFIRM_LATER[self._confirmed] if more else None
        return self._others_wrote(engine, (0.0,))

    def _others_wrote(self, engine: Engine, pauses: Sequence[float]) -> bool:
        for pause in pauses:
            if pause:
                time.sleep(pause)
            version = engine.db.data_version()
            if version != self._version:
                self._version = version
                return True
        return False

    def _wait_for_git(self, paths: set[str], scan: bool, rows: bool, reason: str) -> None:
        """Look again in a moment. Until then nothing is forgotten and nothing done."""
        self._retry |= paths
        self._rows_due |= rows
        self._retry_at = self._not_before = time.monotonic() + _GIT_WAIT
        if scan:
            self._scan_at = self._retry_at
        self._log.debug("bank.waits", bank=str(self.bank), reason=reason)

    def _done(self, report: Report, looked_at: set[str] | None = None) -> None:
        """Plan what comes next, and say what was done. ``looked_at`` are the documents in question, None: all."""
        now = time.monotonic()
        self._retry = set(report.pending) | (set() if looked_at is None else self._retry - looked_at)
        if self._retry:
            self._retry_at = now + self._retry_after
            self._retry_after = min(2 * self._retry_after, _LONGEST_RETRY)
        else:
            self._retry_at, self._retry_after = None, _RETRY
        if report.transaction is None:
            return
        self._drift_at = now + _QUIET
        if report.absorbed and self._config.follow_after >= 0:
            self._follow_at = now + self._config.follow_after
        self._log.info(
            "converged", bank=str(self.bank), transaction=report.number, absorbed=len(report.absorbed),
            emitted=len(report.emitted), conflicts=len(report.conflicts), holds=len(report.holds),
        )  # fmt: skip
        for problem in report.problems:
            self._log.warning("not shown", bank=str(self.bank), reason=problem)

    def _next_scan(self) -> float:
        """When to look at everything again: rarely enough that scans take a ten-thousandth of the time."""
        seconds = max(self._config.scan_seconds, _SHARE * self._scan_took)
        if self._watcher.polling:
            seconds = _POLLING
        return time.monotonic() + seconds * random.uniform(0.9, 1.1)  # noqa: S311 (jitter, not a secret)


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file this is. The database's own files are never opened here: that would drop SQLite's locks."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def run(banks: Sequence[Path], configs: Mapping[Path, Config]) -> int:
    """Keep ``banks`` converged until SIGTERM or SIGINT. SIGHUP scans. Returns the exit code.

    Raises `SyncdError` at start.
    """
    from syncd.log import configure

    log = configure(configs[banks[0]].log_level)
    _load_all()
    wake, stop, rescan = threading.Event(), threading.Event(), threading.Event()
    _on_signals(wake, stop, rescan)
    notifier = Notifier(os.environ)
    os.environ.pop("NOTIFY_SOCKET", None)  # what runs below this process is not the service
    loops = [BankLoop(bank, configs[bank], wake, log) for bank in banks]
    try:
        for loop in loops:
            notifier.starting(_START_S, f"reading {loop.bank}")
            loop.start()
        # What is there now stays for good: a collection need not look at it each time.
        gc.collect()
        gc.freeze()
        notifier.ready(_status(loops))
        while not stop.is_set():
            _wait(wake, loops, notifier)
            if rescan.is_set():
                rescan.clear()
                notifier.reloading()
                for loop in loops:
                    loop.reload()
                notifier.ready(_status(loops))
            for loop in loops:
                if stop.is_set():
                    break
                loop.step()
                notifier.progress(time.monotonic())
            notifier.status(_status(loops))
    finally:
        notifier.stopping()
        for loop in loops:
            loop.stop()
    log.info("stopped")
    return Exit.CONVERGED


def _wait(wake: threading.Event, loops: Sequence[BankLoop], notifier: Notifier) -> None:
    """Until a hint, or until a bank or the service manager's watchdog is due."""
    until = min(loop.deadline() for loop in loops) - time.monotonic()
    wake.wait(max(0.0, until if notifier.every is None else min(until, notifier.every)))
    wake.clear()


def _status(loops: Sequence[BankLoop]) -> str:
    """One line for the service manager."""
    failing = [loop.bank for loop in loops if loop.failing]
    text = f"{len(loops)} bank{'s' * (len(loops) != 1)}"
    return f"{text}, of which {len(failing)} cannot be served: {failing[0]}" if failing else text


def _load_all() -> None:
    """Import what commands import late, so that the first edit does not pay for it."""
    for package in ("parser.kinds", "writer.kinds"):
        for module in pkgutil.iter_modules(import_module(package).__path__):
            import_module(f"{package}.{module.name}")
    import_module("writer.canonical")


def _on_signals(wake: threading.Event, stop: threading.Event, rescan: threading.Event) -> None:
    def told(number: int, frame: FrameType | None) -> None:
        (rescan if number == signal.SIGHUP else stop).set()
        wake.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, told)
