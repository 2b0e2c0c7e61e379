"""Fold old history into one state, after a backup. What came since stays exact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from schema import fold, journal
from syncd import backups
from syncd.engine import Engine
from syncd.history.since import moment

_YOUNG = timedelta(hours=1)
"""Somebody may still save what they read then: its texts are needed to know what they started from."""


def prune(engine: Engine, before: str, *, dry_run: bool = False, now: datetime | None = None) -> dict[str, Any]:
    """Fold what came before a date or time; what was folded, as JSON. Raises `SyncdError`.

    ``transaction`` is the one with which history begins then, None where nothing is old enough; nothing of the last
    hour is folded.
    """
    young = ((now or datetime.now(UTC)) - _YOUNG).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    number = fold.last_before(engine.db, min(moment(before), young))
    size = fold.file_size(engine.db)
    if number is None:
        return _told(None, fold.Folded(0, 0, 0, 0), size, size, None)
    found = fold.measure(engine.db, number)
    if dry_run:
        return _told(number, found, size, None, None)
    backup = backups.make(engine.db, engine.bank, backups.Why.PRUNE, engine.config)
    fold.fold(engine.db, number)
    fold.shrink(engine.db)
    return _told(number, found, size, fold.file_size(engine.db), str(backup)) | {
        "begins": journal.transaction(engine.db, number).timestamp
    }


def _told(
    number: int | None, found: fold.Folded, size: int, after: int | None, backup: str | None
) -> dict[str, Any]:
    return {
        "transaction": number,
        "folded": {"transactions": found.transactions, "versions": found.versions, "changes": found.changes},
        "bytes": found.size,
        "size_before": size,
        "size_after": after,
        "backup": backup,
    }


def answer(engine: Engine, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out a request: ``before`` and ``dry_run``."""
    return prune(engine, str(arguments.get("before")), dry_run=bool(arguments.get("dry_run")))
