"""Moments as a bank writes them: as precise as its history, with its label for the time zone."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import NamedTuple

from schema import store
from schema.checks import InvalidOperation
from schema.db import Database


class When(NamedTuple):
    """A moment as the rows hold it. ``timezone`` is a label, None where the bank writes none."""

    date: str
    time: str
    timezone: str | None


def when(db: Database, moment: datetime | None = None) -> When:
    """``moment`` as this bank writes it: as precise as its newest entries, with their label if it fits.

    Raises `InvalidOperation` for a datetime without a zone.
    """
    known = aware(moment)
    newest = db.rows(
        """SELECT timezone, length(time) FROM edit_entries WHERE time IS NOT NULL
        ORDER BY coalesce(timestamp, created_at) DESC LIMIT 10"""
    )
    if not newest:
        return When(f"{known:%Y-%m-%d}", f"{known:%H:%M:%S}", _label(known, None))
    counts = Counter(newest)
    label, length = max(counts, key=counts.__getitem__)
    time = f"{known:%H:%M:%S}" if length > 5 else f"{known:%H:%M}"
    return When(f"{known:%Y-%m-%d}", time, None if label is None else _label(known, label))


def aware(moment: datetime | None) -> datetime:
    """``moment``, by default the system's time in its zone. Raises `InvalidOperation` for one without a zone."""
    known = datetime.now().astimezone() if moment is None else moment
    if known.utcoffset() is None:
        raise InvalidOperation("a moment must have a time zone", hint="datetime.now().astimezone() has one")
    return known


def _label(moment: datetime, shown: str | None) -> str:
    """The label of a moment's zone: ``shown`` if it stands for the same offset, else its own name or its offset."""
    offset = f"{moment:%z}"
    offset = f"{offset[:3]}:{offset[3:5]}"
    names = [name for name in (shown, moment.tzname()) if name and re.fullmatch("[A-Z]{2,5}", name)]
    for name in names:
        known = (store.timestamp_of("2000-01-01", "00:00", name) or "")[16:].replace("Z", "+00:00")
        if known == offset or (not known and name == moment.tzname()):
            return name
    return "UTC" if offset == "+00:00" else f"UTC{offset}"
