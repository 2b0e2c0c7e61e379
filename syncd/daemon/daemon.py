"""The daemon: waits for a hint, lets the banks that have something to do take a step, waits again.

One control thread; the watcher and the signals only wake it. What a bank does is `bankloop`'s.
"""

from __future__ import annotations

import gc
import os
import pkgutil
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from schema import patterns
from syncd import config
from syncd.config import Config
from syncd.daemon.answers import Answers
from syncd.daemon.bankloop import BankLoop
from syncd.daemon.control import Control
from syncd.daemon.hooks import Hooks
from syncd.daemon.inotify import Hub
from syncd.daemon.listing import Listing
from syncd.daemon.notify import Notifier
from syncd.daemon.signals import Told
from syncd.daemon.wake import Wake
from syncd.errors import Exit, SyncdError
from syncd.log import configure
from syncd.state import share_among
from syncd.userfiles import runtime_folders, user_config

_START_S = 300.0  # seconds that the service manager is asked for, each time a bank is about to be read at start


class Daemon:
    """All banks of one process and the loop over them."""

    def __init__(self, log: Any, notifier: Notifier) -> None:
        self.log = log
        self.loops: dict[Path, BankLoop] = {}
        self.wake = Wake()
        self._told = Told(self.wake)
        self.hub = Hub()
        self._notifier = notifier
        self._ready = False
        self._listing: Listing | None = None
        self._hooks = Hooks(log)
        self._answers = Answers()
        self._control = Control(self.wake, self.doing)
        self._doing: tuple[str, float] | None = None

    def add(self, bank: Path) -> None:
        """Serve one more bank from the next round on."""
        self.loops[bank] = BankLoop(bank, self.wake, self.log, self.hub, self._hooks)
        self._share()

    def remove(self, bank: Path) -> None:
        """Let go of a bank."""
        self.loops.pop(bank).close()
        self._share()

    def listen(self) -> None:
        """Heed signals from now on: before anything is announced that could make somebody send one."""
        self._told.listen()

    def follow(self, listing: Listing) -> None:
        """Serve what the user's list names, also when it changes."""
        self._listing = listing
        listing.start()
        self._take_up(listing)

    def open_only(self) -> None:
        """Open the one bank there is. Raises `SyncdError`."""
        (loop,) = self.loops.values()
        self._notifier.starting(_START_S, f"reading {loop.bank}")
        loop.open()

    def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit code."""
        if why := self._control.start(runtime_folders()):
            self.log.warning("control.none", reason=why)
        try:
            while not self._told.stop:
                self.round()
                self._wait()
        finally:
            self._notifier.stopping()
            if self._listing:
                self._listing.stop()
            self._control.close()
            self._hooks.close()
            for loop in self.loops.values():
                loop.close()
            self._notifier.close()
        self.log.info("stopped")
        return Exit.CONVERGED

    def round(self) -> None:
        """Do what was told and what is due, once."""
        if self._told.reload or (self._listing and self._listing.changed()):
            self._reload()
        if self._told.dump:
            self._told.dump = False
            self.log.warning("state", **self._answers.about(self.loops.values()))
        self._step_all()
        for request in self._control.take():
            self._answers.answer(request, self.loops.values())
        if not self._ready and all(loop.tried for loop in self.loops.values()):
            self._become_ready()
        elif self._ready:
            self._notifier.status(self.sentence())

    def doing(self) -> dict[str, Any] | None:
        """Which bank takes a step right now, and for how many seconds by now; for another thread."""
        doing = self._doing
        return None if doing is None else {"bank": doing[0], "seconds": round(time.monotonic() - doing[1], 1)}

    def sentence(self) -> str:
        """One line for the service manager."""
        failing = [loop for loop in self.loops.values() if loop.failure]
        text = f"{len(self.loops)} bank{'s' * (len(self.loops) != 1)}"
        return f"{text}, of which {len(failing)} cannot be served: {failing[0].failure}" if failing else text

    def _step_all(self) -> None:
        now = time.monotonic()
        due = [loop for loop in self.loops.values() if loop.due(now)]
        if due and not any(loop.told for loop in due):  # it is a timer that woke us
            for loop in self.loops.values():
                loop.scan_with_others(now)
            due = [loop for loop in self.loops.values() if loop.due(now)]
        opening = 0
        for loop in due:
            if self._told.stop:
                return
            if not loop.is_open:
                opening += 1
                if opening > 1:  # those that are open are served in between
                    continue
                if not self._ready:
                    self._notifier.starting(_START_S, f"reading {loop.bank}")
            began = time.monotonic()
            self._doing = (str(loop.bank), began)
            loop.step()
            self._doing = None
            loop.meter.worked(began, time.monotonic())
            self._notifier.progress(time.monotonic())

    def _become_ready(self) -> None:
        # What is there now stays for good: a collection need not look at it each time.
        gc.collect()
        gc.freeze()
        self._ready = True
        self._notifier.ready(self.sentence())

    def _reload(self) -> None:
        self._told.reload = False
        self._notifier.reloading()
        if self._listing:
            self._take_up(self._listing)
        for loop in self.loops.values():
            loop.reload()
        self.log.info("config.read", banks=len(self.loops))
        if self._ready:
            self._notifier.ready(self.sentence())

    def _take_up(self, listing: Listing) -> None:
        """Add and remove what the list says. Without a list, or with one that cannot be read, the old one holds on."""
        try:
            banks = listing.banks()
        except SyncdError as error:
            self.log.error("config.refused", reason=str(error))
            return
        if banks is None:
            return
        for bank in [bank for bank in self.loops if bank not in banks]:
            self.remove(bank)
            self.log.info("bank.removed", bank=str(bank))
        for bank in [bank for bank in banks if bank not in self.loops]:
            self.add(bank)
            if self._ready:
                self.log.info("bank.added", bank=str(bank))

    def _wait(self) -> None:
        """Until something is told, or until a bank or the service manager's watchdog is due."""
        until = min((loop.deadline() for loop in self.loops.values()), default=float("inf")) - time.monotonic()
        for limit in (self._notifier.every, self._listing.every if self._listing else None):
            until = until if limit is None else min(until, limit)
        self.wake.wait(None if until == float("inf") else max(0.0, until))
        self._notifier.progress(time.monotonic())

    def _share(self) -> None:
        for loop in self.loops.values():
            loop.share = max(1, len(self.loops))
        share_among(len(self.loops))


def run(banks: Sequence[Path]) -> int:
    """Keep ``banks`` converged until SIGTERM or SIGINT; the exit code.

    Of several, one that fails is tried again and hinders no other. Raises `SyncdError` where a single one fails.
    """
    alone = len(banks) == 1
    daemon = _made(config.load(banks[0]) if alone else config.load_user())
    for bank in banks:
        daemon.add(bank)
    if alone:
        daemon.open_only()
    return daemon.run()


def run_listed() -> int:
    """Keep the banks of the user's list converged, and follow the list as it changes. Raises `SyncdError` at start."""
    daemon = _made(config.load_user())
    daemon.follow(Listing(user_config(), daemon.wake, daemon.hub))
    return daemon.run()


def _made(settings: Config) -> Daemon:
    notifier = Notifier(os.environ)
    os.environ.pop("NOTIFY_SOCKET", None)  # what runs below this process is not the service
    load_all()
    daemon = Daemon(configure(settings.log_level), notifier)
    daemon.listen()
    return daemon


_LATE = tuple(f"syncd.{name}" for name in ("apply", "drift", "incoming", "settle"))


def load_all() -> None:
    """Import what commands import late, so that the first edit does not pay for it, nor fails where no file can be
    opened any more."""
    for package in ("parser.kinds", "writer", "writer.kinds", "syncd.plan"):
        for module in pkgutil.iter_modules(import_module(package).__path__):
            import_module(f"{package}.{module.name}")
    for name in (*_LATE, "difflib", "merge3", "ctypes"):
        import_module(name)
    patterns.compile_all()
