"""Backups of a bank's database: when the next one is due, which old ones may go.

They lie in ``.syncd/backups``; `schema.backups` knows their names. A backup that fails is never passed over: a command
that needs one stops, and the daemon notes it for `syncd status`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from schema import overview
from schema.backups import Backup, listing, target
from schema.db import Database
from schema.errors import SyncdError
from syncd.bank import database_of
from syncd.config import Config

FAILURE = "backup_failure"
"""The name of the state that holds the sentence why the last daily backup failed."""

_STEPS = 10  # backups made before a step (a migration, a cutover, a restore …) that stay whatever their age
_DAY = timedelta(days=1)


class Why(StrEnum):
    """Why a backup is made; part of its name. A migration's own is ``before-migration-NNN``."""

    DAILY = "daily"
    ASKED = "asked"
    CUTOVER = "before-cutover"
    RESTORE = "before-restore"
    PRUNE = "before-prune"


def make(db: Database, bank: Path, why: Why, config: Config, now: datetime | None = None) -> Path:
    """Back the database up, checked, and let go of the automatic backups that are too old; the new file.

    Raises `SyncdError`; then nothing was made and nothing let go.
    """
    made = target(database_of(bank), why.value, now)
    db.backup_to(made)
    for backup in superfluous(listing(database_of(bank)), config.daily_backups, config.weekly_backups):
        backup.path.unlink(missing_ok=True)
    _sweep(made.parent)
    return made


def _sweep(folder: Path) -> None:
    """Remove what a copy that was broken off left behind, once nobody can be at work on it any more."""
    import time

    for left in folder.glob("*.partial*"):
        if time.time() - left.stat().st_mtime > _DAY.total_seconds():
            left.unlink(missing_ok=True)


def superfluous(backups: Sequence[Backup], daily: int, weekly: int) -> list[Backup]:
    """Those of ``backups`` (newest first) that rotation removes.

    The newest of each of the last ``daily`` days and ``weekly`` weeks that have any stay, the newest ten that were made
    before a step, and all that somebody asked for.
    """
    automatic = [backup for backup in backups if backup.why != Why.ASKED]
    days = _newest_of(automatic, daily, lambda made: made.date())
    weeks = _newest_of(automatic, weekly, lambda made: made.isocalendar()[:2])
    steps = [backup for backup in automatic if backup.why.startswith("before-")][:_STEPS]
    kept = {backup.path for backup in (*days, *weeks, *steps)}
    return [backup for backup in automatic if backup.path not in kept]


def _newest_of(backups: Iterable[Backup], number: int, period: Any) -> list[Backup]:
    found: dict[object, Backup] = {}
    for backup in backups:
        found.setdefault(period(backup.made), backup)
    return list(found.values())[:number]


def due(bank: Path, config: Config) -> datetime | None:
    """When the next daily backup is due (UTC), in the past where it is overdue; None where none is wanted."""
    if not config.daily_backups and not config.weekly_backups:
        return None
    last = next(iter(listing(database_of(bank))), None)
    return last.made + _DAY if last else datetime.fromtimestamp(0, UTC)


def make_daily(db: Database, bank: Path, config: Config, now: datetime) -> tuple[Path | None, str | None]:
    """Make the daily backup; its file, or the sentence why there is none. `syncd status` knows that sentence too."""
    from schema import store

    try:
        made = make(db, bank, Why.DAILY, config, now)
    except SyncdError as error:
        store.state_set(db, FAILURE, str(error))
        return None, str(error)
    if store.state_get(db, FAILURE) is not None:
        store.state_set(db, FAILURE, None)
    return made, None


def told(bank: Path, db: Database, config: Config) -> dict[str, Any]:
    """What `syncd status` says of backups: the last one, when the next is due (None: now, or never), what failed."""
    last, next_due = next(iter(listing(database_of(bank))), None), due(bank, config)
    return {
        "last": last.made.isoformat() if last else None,
        "due": next_due.isoformat() if next_due and last else None,
        "failure": overview.named(db, FAILURE),
    }
