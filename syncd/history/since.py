"""A place in the history as a person names it: a transaction, a date, a time."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from schema import journal
from schema.db import Database
from schema.patterns import pattern
from syncd.errors import UsageError

_TRANSACTION = pattern(r"\d+|\d{8}-\d{6}\.\d{3}-[0-9a-f]+")


class Since(Struct, frozen=True):
    """Where a part of the history begins: a moment (UTC, as the log has it), or the transaction before it."""

    moment: str | None = None
    after: int | None = None


def since(db: Database, text: str) -> Since:
    """What ``text`` names. A time without a zone, and a date, are the system's. Raises `SyncdError`."""
    if _TRANSACTION.fullmatch(text):
        return Since(after=journal.resolve_transaction(db, text))
    return Since(moment=moment(text))


def moment(text: str) -> str:
    """A date or a time as the log has it, in UTC. Raises `UsageError`."""
    try:
        known = datetime.fromisoformat(text)
    except ValueError:
        hint = "a date (2026-03-04), a time (2026-03-04T18:30), or a transaction as `syncd log` gives it"
        raise UsageError("neither a date nor a transaction", text, hint) from None
    try:
        return known.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (OverflowError, OSError, ValueError):
        raise UsageError("a time that no calendar here reaches", text) from None


def local(timestamp: str) -> str:
    """A timestamp of the log in the system's zone, to the second: ``2026-03-04 19:30:05``."""
    try:
        return datetime.fromisoformat(timestamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return timestamp
