"""Derived values: the ``*Last Updated*`` line of a document and the counts of an overview. Pure.

They are brought up to date where a change of rows writes their document, never alone and never as a conflict. A count
is touched only if it is known what its owner counts: if it equals, before the change, what one of the usual ways of
counting gives.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

from parser.document import At
from parser.values import read_moment
from schema.patterns import pattern
from schema.records import Reading, Status, Table, Value
from syncd.model import Keyed
from writer.changes import SetFields

Statuses = Mapping[str, Value]
"""Status by task id."""

_OPEN = frozenset(Status) - {Status.COMPLETED, Status.CANCELLED}
_WAYS: Mapping[str, tuple[frozenset[Status], ...]] = {
    "active": (
        frozenset({Status.IN_PROGRESS}),
        frozenset({Status.IN_PROGRESS, Status.PENDING}),
        frozenset({Status.IN_PROGRESS, Status.PENDING, Status.BLOCKED}),
        _OPEN,
    ),
    "in_progress": (frozenset({Status.IN_PROGRESS}),),
    "pending": (frozenset({Status.PENDING}),),
    "paused": (frozenset({Status.PAUSED}),),
    "completed": (frozenset({Status.COMPLETED}),),
    "cancelled": (frozenset({Status.CANCELLED}),),
    "blocked": (frozenset({Status.BLOCKED}),),
    "total": (frozenset(Status),),
}
_ZONES = {"IST": timedelta(hours=5, minutes=30), "UTC": timedelta(0), "GMT": timedelta(0), "Z": timedelta(0)}
_OFFSET = pattern(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")
_FIRST_SECTIONS = 3  # where a document's own header stands


def recount(name: str, shown: Value, universes: Sequence[tuple[Statuses, Statuses]]) -> str | None:
    """The new count for the counter ``name`` that shows ``shown``; None where it stays or nobody knows what it counts.

    ``universes`` are the sets of tasks that may be meant, each as statuses before and after the change.
    """
    if not isinstance(shown, str) or not shown.isdigit():
        return None
    for before, after in universes:
        for way in _WAYS.get(name, ()):
            if _count(before, way) == int(shown):
                now = str(_count(after, way))
                return None if now == shown else now
    return None


def _newest(shown: Value, universes: Sequence[tuple[Statuses, Statuses]]) -> str | None:
    """The id of a task that is new and stands behind ``shown``, which was the last one of its series."""
    if not isinstance(shown, str) or not universes:
        return None
    before, after = universes[0]
    series = re.match(r"\D*", shown)
    assert series is not None

    def number(task: str) -> int:
        digits = re.match(r"\d+", task[series.end() :]) if task.startswith(series[0]) else None
        return int(digits[0]) if digits else -1

    born = max(after.keys() - before.keys(), key=lambda task: (number(task), task), default=shown)
    return born if number(born) > number(shown) >= max(map(number, before), default=-1) else None


def _count(statuses: Statuses, way: Collection[Status]) -> int:
    return sum(status in way for status in statuses.values())


def stamp(old: str, now: datetime) -> str | None:
    """``now`` as the value for a place that reads ``old``: in its zone and as precise; None where that is not known."""
    moment = read_moment(old)
    if moment is None or moment.date is None:
        return None
    local = now.astimezone() if moment.zone is None else _in_zone(now, moment.zone)
    if local is None:
        return None
    if moment.time is None:
        return f"{local:%Y-%m-%d}"
    return f"{local:%Y-%m-%d %H:%M:%S}" if len(moment.time) > 5 else f"{local:%Y-%m-%d %H:%M}"


def _in_zone(now: datetime, zone: str) -> datetime | None:
    offset = _ZONES.get(zone)
    if offset is None and (match := _OFFSET.fullmatch(zone)):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0)) * (-1 if match[1] == "-" else 1)
    return None if offset is None else now.astimezone(UTC).astimezone(timezone(offset))


def header_changes(keyed: Keyed, now: datetime, counts: Sequence[tuple[Statuses, Statuses]]) -> Iterator[SetFields]:
    """Changes of the derived values of a document that is about to be written."""
    whole = keyed.document.kind in ("registry", "session_cache", "active_context")
    for number, section in enumerate(keyed.document.sections[: None if whole else _FIRST_SECTIONS]):
        for index, reading in enumerate(section.readings):
            values: dict[str, Value] = {}
            if reading.table is Table.HEADER and (new := stamp_of(section.text, reading, now)):
                values["last_updated"] = new
            elif reading.table is Table.COUNTS:
                values = {n: c for n in reading.fields if (c := recount(n, reading.value(n), counts)) is not None}
                if (newest := _newest(reading.value("latest"), counts)) is not None:
                    values["latest"] = newest
            if values:
                yield SetFields(At(number, index), values)


def stamp_of(text: str, reading: Reading, now: datetime) -> str | None:
    """The new value of the ``*Last Updated*`` or ``*Updated*`` line that ``reading`` shows in the section ``text``.

    None for other labels.
    """
    place = reading.fields.get("last_updated")
    if place is None:
        return None
    line = text[text.rfind("\n", 0, place.span.start) + 1 : place.span.start]
    if "updated" not in line.lower():
        return None
    new = stamp(text[place.span.start : place.span.end], now)
    return None if new == place.value else new
