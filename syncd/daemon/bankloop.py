"""One bank under the daemon: its lock, engine and watcher, what is due, and what becomes of it when it fails.

Knows nothing of other banks, signals or the service manager. `BankLoop.step` is all that is done for a bank; it neither
waits nor starts a thread, so that tests can call it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from schema import overview
from schema.errors import CorruptDatabase, NotADatabase
from schema.store import state_set
from syncd import config, drift, lineage, lock, requests, writing
from syncd.bank import database_of, require_documents
from syncd.config import Config
from syncd.daemon import telling
from syncd.daemon.daily import DailyBackup
from syncd.daemon.hooks import Hooks
from syncd.daemon.inotify import Hub
from syncd.daemon.itsfile import ItsFile
from syncd.daemon.meter import Meter
from syncd.daemon.news import News
from syncd.daemon.rowhints import RowHints
from syncd.daemon.timers import POLLING, Again, BackOff, scan_interval
from syncd.daemon.wake import Wakes
from syncd.daemon.watch import Watcher
from syncd.disk.git import git_busy
from syncd.disk.walk import BankGone, require_root
from syncd.engine import Engine
from syncd.errors import HaltedError, SyncdError, from_os, line_of
from syncd.holds import follows
from syncd.lock import BankLock, LockRole
from syncd.model import Report

PAUSED = "paused"
"""The name of the state that says since when a bank is paused."""

_QUIET = 1.0  # seconds without work until what can wait is done
_BACK_OFF = 30.0  # seconds between two tries of a bank that fails, at most
_GONE_BACK_OFF = 2.0  # of one that is not there: a look costs nothing
_REFUSED = 1.0  # seconds until a document that the system refuses to write is tried again, doubling up to that
_GIT_WAIT = 0.1  # seconds between two looks whether git is done
_WATCH_AGAIN = 600.0  # seconds until a bank that could not be watched is tried again; a reload does so at once
_TOGETHER = 0.15  # a scan may come so much of its interval early, to go with those of other banks


class BankLoop:
    """One bank under the daemon. ``hub`` watches for all banks of the process, ``wake`` is set when something is told.

    ``share`` is told how many banks there are: all their scans together take their part of the time.
    """

    def __init__(
        self, bank: Path, wake: Wakes, log: Any, hub: Hub | None = None, hooks: Hooks | None = None
    ) -> None:
        self.bank = bank
        self._file = ItsFile(database_of(bank))
        self.config = Config()
        self.tried = False  # whether it was opened, or failed to be, at least once
        self.share = 1
        self.meter = Meter()
        self.paused: str | None = None
        self._wake = wake
        self._log = log.bind(bank=str(bank))
        self._hub = hub or Hub()
        self._news = News(str(bank), hooks)
        self._lock = BankLock(bank)
        self._watcher = Watcher(bank, wake, hub=self._hub)
        self._engine: Engine | None = None
        self._rows: RowHints | None = None
        self._rows_due = False
        self._hinted: float | None = None
        self._again = Again()
        self._refused = Again(_REFUSED, _BACK_OFF)
        self._back_off = BackOff()
        self._scan_at = 0.0
        self._scan_took = 0.0
        self._interval = 0.0
        self._follow_at: float | None = None
        self._drift_at: float | None = None
        self._daily = DailyBackup(bank, self._log)
        self._not_before = 0.0
        self._watch_at = 0.0

    # -- for the main loop ---------------------------------------------------------------------------------------

    @property
    def failure(self) -> str | None:
        """Why the bank cannot be served now; None where it is."""
        return self._back_off.reason

    @property
    def is_open(self) -> bool:
        """Whether its lock is held and its database open."""
        return self._engine is not None

    @property
    def polling(self) -> str | None:
        """Why files are looked at by a timer instead of when the system tells; None where it does."""
        return self._watcher.reason if self._watcher.polling else None

    @property
    def overflows(self) -> int:
        """How often the system lost events, so that all was scanned."""
        return self._watcher.overflows

    def times(self) -> dict[str, float | None]:
        """What is planned, on the monotonic clock."""
        return {
            "scan": self._scan_at, "again": self._again.at, "refused": self._refused.at, "follow": self._follow_at,
            "drift": self._drift_at, "backup": self._daily.at, "rows": self._rows.at if self._rows else None,
            "held": self._engine.held.due() if self._engine else None,
        }  # fmt: skip

    def deadline(self) -> float:
        """When, on the monotonic clock, this bank wants to be looked at if nothing more happens."""
        if self.told:
            return self._not_before
        return max(self._not_before, min(t for t in self.times().values() if t is not None))

    @property
    def told(self) -> bool:
        """Whether the watcher told something."""
        return self._watcher.told

    def due(self, now: float) -> bool:
        """Whether something was told, or the time of something has come."""
        return self.deadline() <= now

    def scan_with_others(self, now: float) -> None:
        """Another bank is scanned now: if this one's time is near it goes along, so that the process wakes once."""
        if self.is_open and self._scan_at - _TOGETHER * self._interval <= now:
            self._scan_at = min(self._scan_at, now)

    def open(self) -> None:
        """Take the lock, watch, scan once, and only then be ready. Raises `SyncdError`; then nothing is open."""
        self.tried = True
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop watching and let go of everything."""
        self._watcher.stop()
        if self._engine is not None:
            self._engine.close()
            self._engine = self._rows = None
        self._lock.release()

    def reload(self) -> None:
        """Read the settings again and make the next step a whole scan. Bad settings are told, the old ones stay."""
        try:
            self.config = config.load(self.bank)
        except SyncdError as error:
            self._log.error("config.refused", reason=str(error))
        if self._engine is not None:
            self._engine.config = self.config
            self._daily.plan(self._engine, self.config, self.share)
            if self._watcher.polling:
                self._watch_anew()
        self._scan_at = self._not_before = 0.0

    def sync(self) -> dict[str, Any]:
        """Converge now, as somebody asked for it; the report as `sync --json` prints it. Raises `SyncdError`."""
        return requests.answer(self._opened(), "sync", {})

    def pause(self, since: str | None) -> str | None:
        """Do nothing by itself any more, or (None) go on; since when it is paused. Raises `SyncdError`."""
        engine = self._opened()
        if (self.paused is None) != (since is None):
            state_set(engine.db, PAUSED, since)
            self._read_pause(engine)
        return self.paused

    def _opened(self) -> Engine:
        if self._engine is None:
            raise SyncdError("cannot be served now", str(self.bank), self.failure)
        return self._engine

    def step(self) -> None:
        """Do what the hints and the clock ask for. What fails makes this bank wait, longer each time, and no other."""
        try:
            self._step()
        except Exception as error:
            self.failed(error)
        else:
            self._worked()

    def record(self, act: Callable[[], int]) -> int | None:
        """``act()``, which writes to this bank, with the engine that is open; None where that cannot be used now."""
        self.step()  # what was saved by hand comes first
        if self._engine is None or self.failure or git_busy(self.bank):
            return None
        with writing.at_hand(self._engine, self._done):
            return act()

    def failed(self, error: Exception) -> SyncdError:
        """Leave the bank alone for a while, and say so unless it was said; how ``error`` is told."""
        if isinstance(error, (CorruptDatabase, NotADatabase)):
            told = self._examined(error)
        elif isinstance(error, OSError):
            told = from_os(error)
        elif isinstance(error, SyncdError):
            told = error
        else:  # a bug; the others are served, and this bank is begun anew
            self._log.error("bank.bug", exc_info=error)
            self.close()
            told = SyncdError(f"an error of syncd itself ({type(error).__name__}: its traceback is in the log)")
        gone = isinstance(told, BankGone)
        wait = self._back_off.failed(line_of(told), _GONE_BACK_OFF if gone else _BACK_OFF)
        self._scan_at = self._not_before = time.monotonic() + wait
        self._again.at = None
        self.meter.failures += 1
        self._news.failed(self._back_off.failures, str(told), self.config)
        if self._back_off.telling:
            event = "bank.halted" if gone or isinstance(told, HaltedError) else "bank.failed"
            self._log.error(event, reason=str(told), failures=self._back_off.failures, retry_seconds=round(wait, 1))
        self._note_failure(str(told))
        return told

    # -- one step ------------------------------------------------------------------------------------------------

    def _worked(self) -> None:
        failures = self._back_off.worked()
        if failures:
            self._log.info("bank.recovered", failures=failures)
            self._note_failure(None)

    def _examined(self, error: SyncdError) -> SyncdError:
        """A database that is damaged is kept aside, and nothing is done until a person looked."""
        if self._engine is None:
            return error
        self._engine.abandon()
        self._engine = self._rows = None
        self.close()
        return lineage.examined(self.bank, error)

    def _note_failure(self, sentence: str | None) -> None:
        """Let `status` know. Where the database itself fails there is nowhere to write it: the log has it."""
        if self._engine is not None:
            with suppress(SyncdError):
                state_set(self._engine.db, "failure", sentence)

    def _open(self) -> None:
        if not self._lock.try_acquire(LockRole.DAEMON):
            raise lock.busy(self.bank)
        self.config = config.load(self.bank)
        engine = self._engine = Engine.open(self.bank, create=True, config=self.config)
        self._file.opened()
        if engine.found is not None:
            self._log.warning("database.replaced", reason=engine.found)
        self._watcher.start()
        self._watch_at = time.monotonic() + _WATCH_AGAIN
        self._rows = RowHints(engine.db.data_version, engine.db.changes)
        self.paused = overview.named(engine.db, PAUSED)
        self._news.know(engine.db)
        if self.paused is None:
            self._done(engine.converge(None, settle=self.share == 1))  # with others, none waits for a missing file
        if overview.named(engine.db, "failure"):  # of a run before this one
            self._note_failure(None)
        self._serve(engine)
        self._scan_at = self._next_scan()
        self._daily.plan(self._engine, self.config, self.share)
        self._file.known()
        self._lock.announce_ready()
        self._log.info("bank.ready", polling=self._watcher.reason, paused=self.paused)

    def _step(self) -> None:
        now = time.monotonic()
        dirty = self._watcher.take()
        another = self._watcher.gone or self._file.is_another()  # what we wrote would be nowhere
        if another or self._engine is None or self._rows is None or self._overwritten(self._engine):
            self._reopen()
            return
        engine = self._open_again() if self._back_off.failures else self._engine
        paths = dirty.paths | self._again.due(now) | self._refused.due(now)
        scan = dirty.scan or now >= self._scan_at
        changed = self._rows.changed(dirty.database, now, hurry=bool(paths or scan))
        if self._hinted is None:
            self._hinted = dirty.since if dirty.since is not None or not changed else self._rows.told_at
        rows = changed or scan or self._rows_due
        follow = self._follow_at is not None and now >= self._follow_at
        if rows:
            self._read_pause(engine)
        if self.paused is not None:
            self._rest(engine, rows)
            return
        due = engine.held.due()
        if not (paths or scan or rows or follow or (due is not None and now >= due)):
            self._hinted = None
            self._tidy(engine, now)
            return
        if reason := git_busy(self.bank):
            self._wait_for_git(paths, scan, rows, reason)
            return
        self._rows_due, self._not_before = False, 0.0
        began = time.monotonic()
        report = engine.converge(None if scan else paths, settle=False, follow=follow)
        if scan:
            if self._watcher.polling and now >= self._watch_at:
                self._watch_anew()
            self._scan_took = time.monotonic() - began if report.transaction is None else self._scan_took
            self._scan_at = self._next_scan()
        if engine.unfinished is not None:  # nothing tells when the merge is done
            self._scan_at = min(self._scan_at, time.monotonic() + max(POLLING, 100 * self._scan_took))
        self._done(report, None if scan else paths, self._hinted if paths or changed else None)
        if not self._again.paths:  # else what waits was hinted at then
            self._hinted = None
        if follow:
            self._follow_at = None
        if rows:
            self._serve(engine)

    def _serve(self, engine: Engine) -> None:
        """Answer the commands that wait; what they absorbed, or an earlier run did, is to be followed too."""
        answered = requests.serve(engine)
        if answered:
            self._news.look(engine.db, self.config)
        never = self.config.follow_after < 0
        if not never and self._follow_at is None and (answered or self._scan_at == 0.0) and follows(engine.db):
            self._follow_at = time.monotonic() + self.config.follow_after

    def _read_pause(self, engine: Engine) -> None:
        """What `syncd pause` and `syncd resume` left in the database. What happened meanwhile is found by a scan."""
        before, self.paused = self.paused, overview.named(engine.db, PAUSED)
        if before != self.paused:
            self._log.info("bank.paused" if self.paused else "bank.resumed")
            self._scan_at = 0.0
            self._daily.plan(engine, self.config, self.share)
            self._watcher.wake.set()

    def _rest(self, engine: Engine, rows: bool) -> None:
        """Paused: what somebody asks for by a command is done, nothing else."""
        if rows:
            self._serve(engine)
        self._again, self._follow_at, self._drift_at, self._rows_due = Again(), None, None, False
        self._scan_at, self._daily.at = self._next_scan(), None

    def _overwritten(self, engine: Engine) -> bool:
        """Whether another program wrote an older or a damaged database over this one, in its very file.

        Raises `CorruptDatabase`.
        """
        if not self._file.was_written():
            return False
        if lineage.is_same(self.bank):
            self._file.harmless()
            return False
        engine.db.checkpoint(truncate=True)  # what is in the log stands in the file that is gone
        engine.abandon()
        self._engine = None
        return True

    def _reopen(self) -> None:
        """Begin anew with what is there now. Raises `SyncdError`; then nothing is open."""
        self.close()
        self.tried = True
        require_root(self.bank)
        if self._file.is_gone():
            require_documents(self.bank)  # an empty folder may be a disk that is not mounted
        self._lock, self._watcher = BankLock(self.bank), Watcher(self.bank, self._wake, hub=self._hub)
        self._again, self._refused = Again(), Again(_REFUSED, _BACK_OFF)
        self._follow_at, self._scan_at = None, 0.0
        self.open()
        self._not_before = 0.0

    def _open_again(self) -> Engine:
        """Another connection behind a failure: what the last one has cached may not be on the disk."""
        assert self._engine is not None
        last, self._engine, self._rows = self._engine, None, None
        last.close()
        self._engine = Engine.open(self.bank, create=False, config=self.config)
        self._rows = RowHints(self._engine.db.data_version, self._engine.db.changes)
        return self._engine

    def _watch_anew(self) -> None:
        """Try whether the system can watch by now; if so a scan follows, for what changed in between."""
        self._watch_at = time.monotonic() + _WATCH_AGAIN
        if (fresh := self._watcher.renewed()) is not None:
            self._watcher = fresh
            self._log.info("bank.watched")

    def _tidy(self, engine: Engine, now: float) -> None:
        """What can wait for a quiet moment: noting the drift for `status`, and folding the log into the database."""
        if self._drift_at is not None and now >= self._drift_at:
            self._drift_at = None
            drift.remember(engine.db, engine.state)
            engine.db.checkpoint()
            self._file.known()
            lineage.note(self.bank, engine.db)
            if self.share > 1:
                engine.db.run("PRAGMA shrink_memory")
        elif self._daily.at is not None and now >= self._daily.at:
            self._daily.make(engine, self.config)

    def _wait_for_git(self, paths: frozenset[str] | set[str], scan: bool, rows: bool, reason: str) -> None:
        """Look again in a moment. Until then nothing is forgotten and nothing done."""
        at = self._not_before = time.monotonic() + _GIT_WAIT
        self._again.put_off(paths, at)
        self._rows_due |= rows
        if scan:
            self._scan_at = at
        self._log.debug("bank.waits", reason=reason)

    def _done(
        self, report: Report, looked_at: frozenset[str] | set[str] | None = None, since: float | None = None
    ) -> None:
        """Plan what comes next, and say what was done.

        ``looked_at`` are the documents in question, None: all; ``since`` is when the first hint of it came.
        """
        now = time.monotonic()
        self._plan_refused(report, now)
        self._again.plan(set(report.pending) - self._refused.paths, looked_at, now)
        self._news.compare(report.conflicts, report.holds, self.config)
        if report.transaction is None:
            return
        self.meter.done(len(report.absorbed), len(report.emitted), None if since is None else now - since)
        self._drift_at = now + _QUIET
        if report.absorbed and self.config.follow_after >= 0:
            self._follow_at = now + self.config.follow_after
        assert self._engine is not None
        telling.converged(self._log, self._engine.db, report)

    def _plan_refused(self, report: Report, now: float) -> None:
        """Documents that the system refuses to write are tried again by and by, and told when that is news."""
        refused = {told["path"] for told in report.unwritten}
        for told in report.unwritten:
            if told["path"] not in self._refused.paths:
                self._log.warning("not written", document=told["path"], reason=told["reason"])
        for path in self._refused.paths - refused:
            self._log.info("written", document=path)
        if self._refused.at is None or refused != self._refused.paths:
            self._refused.plan(refused, None, now)

    def _next_scan(self) -> float:
        """When to look at everything again: rarely enough that scans take a ten-thousandth of the time."""
        least = self.config.scan_seconds
        self._interval = scan_interval(least, self._scan_took, self.share, polling=self._watcher.polling)
        return time.monotonic() + self._interval * random.uniform(0.9, 1.1)  # noqa: S311 (jitter, not a secret)
