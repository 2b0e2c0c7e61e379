"""What may be given to an operation: one-line texts, ids, dates, words of a list. What a file cannot show is refused.

A text that passes here may still mean something else in its place in a file; that is found when the file is written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date as calendar_date
from typing import Any

from schema import records
from schema.db import Database
from schema.errors import SyncdError
from schema.patterns import pattern
from schema.records import Priority, Status

TASK_ID = pattern(records.TASK_ID)
"""What a task's id looks like, as the documents and their names are read."""

MODES = (
    "Created", "Modified", "Updated", "Deleted", "Added", "Removed", "Renamed", "Moved", "Copied", "Fixed", "Enhanced",
    "Refactored", "Rewrote", "Replaced", "Restored", "Archived", "Verified", "Examined", "Compared",
)  # fmt: skip
"""What can be done to a file, in the words that histories use."""

_BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, lone surrogates, line and paragraph separators
_DATE = pattern(r"\d{4}-\d{2}-\d{2}")
_TIME = pattern(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?")
_ZONE = pattern(r"[A-Z]{2,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|\+\d{2}:?\d{2}|Z")


class InvalidOperation(SyncdError):
    """An operation was asked for with values that it cannot have. Nothing was done."""

    exit_code = 2


def line(name: str, value: str | None) -> str | None:
    """``value`` without the spaces around it, None where nothing is left. Raises `InvalidOperation` for lines."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidOperation(f"{name} must be a text, not {type(value).__name__}")
    for character in value:
        if unicodedata.category(character) in _BREAKS:
            shown = character.encode("unicode_escape", "backslashreplace").decode()
            raise InvalidOperation(
                f"{name} must be one line of text and holds {shown}", hint="replace line breaks by spaces"
            )
    return value.strip() or None


def words(name: str, value: str | None) -> str:
    """A line that says something. Raises `InvalidOperation` where it is empty."""
    found = line(name, value)
    if found is None:
        raise InvalidOperation(f"{name} must not be empty")
    return found


def one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    """``value`` as ``allowed`` writes it, whatever its case. Raises `InvalidOperation` naming them all."""
    known = {word.lower(): word for word in allowed}
    found = known.get(str(value).strip().lower().replace("-", "_").replace(" ", "_"))
    if found is None:
        raise InvalidOperation(f"{name} {value!r:.60} is not known", hint=f"one of {', '.join(known.values())}")
    return found


def status(value: str) -> Status:
    """A status. Raises `InvalidOperation`."""
    return Status(one_of("status", value, [s.value for s in Status]))


def priority(value: str | None) -> Priority | None:
    """A priority or none. Raises `InvalidOperation`."""
    return None if value is None else Priority(one_of("priority", value, [p.value for p in Priority]))


def mode(value: str) -> str:
    """What was done to a file. Raises `InvalidOperation`."""
    return one_of("file mode", value, MODES)


def task_id(value: str) -> str:
    """The id of a task, whether the bank has it or not. Raises `InvalidOperation`."""
    if not isinstance(value, str) or not records.is_task_id(value):
        raise InvalidOperation(f"{value!r:.60} is not a task id", hint="an id looks like T21, T20a, META-1 or PROJ-12")
    return value


def known_task(db: Database, value: str) -> str:
    """The id of a task that the bank has. Raises `InvalidOperation`."""
    task = task_id(value)
    if not db.value("SELECT EXISTS (SELECT 1 FROM tasks WHERE id = ?)", (task,)):
        raise InvalidOperation("there is no such task", task, "`mb task list` shows them, `mb task add` makes one")
    return task


def day(name: str, value: str | None) -> str | None:
    """A date ``YYYY-MM-DD`` of the calendar. Raises `InvalidOperation`."""
    if value is None:
        return None
    try:
        if not _DATE.fullmatch(value):
            raise ValueError
        return calendar_date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise InvalidOperation(f"{name} {value!r:.60} is no date", hint="a date looks like 2025-11-13") from None


def clock(name: str, value: str | None) -> str | None:
    """A time ``HH:MM`` or ``HH:MM:SS``. Raises `InvalidOperation`."""
    if value is not None and (not isinstance(value, str) or not _TIME.fullmatch(value)):
        raise InvalidOperation(f"{name} {value!r:.60} is no time", hint="a time looks like 17:48 or 17:48:05")
    return value


def day_and_clock(name: str, value: str | None) -> str | None:
    """``YYYY-MM-DD``, alone or followed by a time. Raises `InvalidOperation`."""
    if value is None:
        return None
    first, _, second = str(value).partition(" ")
    day(name, first)
    clock(name, second or None)
    return value


def zone(value: str | None) -> str | None:
    """A label of a time zone as histories write it. Raises `InvalidOperation`."""
    if value is not None and (not isinstance(value, str) or not _ZONE.fullmatch(value)):
        raise InvalidOperation(f"{value!r:.60} is no label of a time zone", hint="one looks like IST, UTC or UTC+05:30")
    return value


def number(db: Database, table: str, value: Any) -> int:
    """The id of a row that ``table`` has. Raises `InvalidOperation`."""
    text = str(value)
    known = text.isascii() and text.isdigit() and len(text) < 18
    if not known or not db.value(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE id = ?)", (int(text),)):  # noqa: S608
        raise InvalidOperation(f"{table} has no row with the id {text:.40}")
    return int(text)
