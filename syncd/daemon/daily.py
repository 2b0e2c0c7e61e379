"""The daily backup of one bank under the daemon: when it is due, and what the log is told of it."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from syncd import backups
from syncd.config import Config
from syncd.engine import Engine

_SOON = 60.0  # seconds from the start until a daily backup that is overdue, if the bank is quiet
_AGAIN = 3600.0  # seconds until one that failed is tried again
_SPREAD = 10.0  # seconds for each further bank, over which the backups of all are spread


class DailyBackup:
    """``at`` is when, on the monotonic clock, the next one is due; None where none is wanted."""

    def __init__(self, bank: Path, log: Any) -> None:
        self.at: float | None = None
        self._bank = bank
        self._log = log

    def plan(self, engine: Engine, config: Config, banks: int = 1, soonest: float | None = None) -> None:
        """Ask the clock again: it may have been set, or have slept.

        Those of many ``banks`` are spread out, so that they do not hold up the others all at once.
        """
        soonest = _SOON if soonest is None else soonest
        due = backups.due(self._bank, config)
        later = random.uniform(0, _SPREAD * (banks - 1))  # noqa: S311 (no secret)
        wait = None if due is None else later + max(soonest, (due - engine.now()).total_seconds())
        self.at = None if wait is None else time.monotonic() + wait

    def make(self, engine: Engine, config: Config) -> None:
        """Make it; one that fails is told and tried again."""
        made, why = backups.make_daily(engine.db, self._bank, config, engine.now())
        if made is None:
            self._log.error("backup.failed", reason=why)
        else:
            self._log.info("backup.made", file=made.name)
        self.plan(engine, config, soonest=_AGAIN)
