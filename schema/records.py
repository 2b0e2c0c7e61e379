"""Values that every layer shares: tables, fields, roles, readings and their spans.

May import the standard library and `schema.patterns` only. Nothing here does I/O.

A *record* is a row of one of the tables below. A *reading* is one appearance of a record in a document: the values
that stand there, each with the *span* of text that shows it. Spans are half-open offsets into the text of the section
that holds the reading, so that a section which moved as a whole keeps its readings. Spans take no part in equality.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct, field

from schema.patterns import pattern

NO_TASKS = (
    "AES", "CVE", "COVID", "ES", "GMT", "GPT", "HTTP", "IEEE", "ISO", "MD", "RFC", "RTX", "SHA", "TLS", "USB", "UTC",
    "UTF", "WCAG",
)  # fmt: skip
"""What is written like a tracker's id, and is none: ``UTF-8``."""
OTHER_ID = rf"(?-i:(?!(?:{'|'.join(NO_TASKS)})-)[A-Z]{{2,10}}-\d+[a-z]?)"
"""An id as trackers give them, such as PROJ-12: in capitals, and none of the names that are written alike."""
TASK_ID = rf"(?:(?:META|T)-?\d+[a-z]*\d*|{OTHER_ID})"
"""What a task's id looks like: T21, T20a, T5b, META-1, T999, PROJ-12."""
_TASK_ID = pattern(TASK_ID)
_LIKE_A_TASK = pattern(r"([A-Z]+)-?\d+[a-z]*\d*")


def is_task_id(text: str) -> bool:
    """Whether ``text`` is just what `TASK_ID` matches, which takes long to compile and is asked where it has to be."""
    like = _LIKE_A_TASK.fullmatch(text)
    return like is not None and (like[1] in ("T", "META") or _TASK_ID.fullmatch(text) is not None)


Value = str | None | tuple[str, ...]
"""What one field holds: text, nothing, or an ordered tuple of texts (the ids of ``dependencies``)."""


class Table(StrEnum):
    """The tables that documents show. ``HEADER`` and ``COUNTS`` are derived values of a document, never rows."""

    TASKS = "tasks"
    SUBTASKS = "task_subtasks"
    ENTRIES = "edit_entries"
    MODIFICATIONS = "file_modifications"
    SESSIONS = "sessions"
    CACHE = "session_cache"
    ERRORS = "error_logs"
    HEADER = "header"
    COUNTS = "counts"


class Role(StrEnum):
    """In which capacity a document shows a record. The order of definition is the precedence on first import."""

    OWN = "own"  # tasks/T21.md; the one session file; the error log
    REGISTRY = "registry"  # a table row of tasks.md
    DETAILS = "details"  # a task's section below the registry's tables
    CACHE = "cache"  # session_cache.md, the first of stacked caches
    CONTEXT = "context"  # activeContext.md
    HISTORY = "history"  # edit_history.md
    CHUNK = "chunk"  # edits/<date>/*.md
    ARCHIVE = "archive"  # archive/**: never brought along


PRECEDENCE: Mapping[Role, int] = {role: rank for rank, role in enumerate(Role)}

FOLLOWING = frozenset({Role.OWN, Role.REGISTRY, Role.DETAILS, Role.CACHE, Role.CONTEXT})
"""Roles that show what holds now: these readings follow their record. The others are history."""


class Status(StrEnum):
    """What a task's ``status`` column may hold (FORMATS: status)."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    PAUSED = "paused"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """What a task's ``priority`` column may hold."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


FIELDS: Mapping[Table, tuple[str, ...]] = {
    Table.TASKS: (
        "title", "status", "priority", "started", "completed", "last_updated", "details", "description", "dependencies",
    ),
    Table.SUBTASKS: ("section", "text", "status"),
    Table.ENTRIES: ("date", "time", "timezone", "task_id", "task_description"),
    Table.MODIFICATIONS: ("action", "file_path", "description"),
    Table.SESSIONS: ("session_date", "session_period", "focus_task", "start_time", "end_time", "status", "content"),
    Table.CACHE: (
        "current_session_id", "current_focus_task", "active_count", "paused_count", "completed_count", "last_updated",
    ),
    Table.ERRORS: ("timestamp", "task_id", "file_path", "error_message", "cause", "fix_applied"),
    Table.HEADER: ("last_updated",),
    Table.COUNTS: (
        "active", "in_progress", "pending", "paused", "completed", "cancelled", "blocked", "total", "latest",
    ),
}  # fmt: skip
"""The fields that a reading of each table may carry. Columns that only the database knows are not listed."""


class Span(Struct, frozen=True, order=True, gc=False):
    """Half-open range of offsets (in characters) into the text of one section. Unpacks as a pair.

    Not a named tuple: those take three times as long to make, and a history has thousands of spans.
    """

    start: int
    end: int

    def __iter__(self) -> Iterator[int]:
        yield self.start
        yield self.end


class Place(StrEnum):
    """Where a field stands, which decides how its text is replaced."""

    CELL = "cell"  # a table cell: span is the content without its padding
    LINE = "line"  # the rest of a line or part of it
    BLOCK = "block"  # several lines: the body below a label


class Field(Struct, frozen=True, gc=False):
    """One value as it stands in a section.

    ``value`` is normalized as the row holds it (a status is ``in_progress``, a date ``2025-11-13``); the text at
    ``span`` is how this place writes it. Where it stands takes no part in equality.
    """

    value: Value
    span: Span
    place: Place = Place.LINE

    def __eq__(self, other: object) -> bool:
        return type(other) is Field and self.value == other.value

    def __ne__(self, other: object) -> bool:  # that of `Struct` would look at the span
        return not self == other

    def __hash__(self) -> int:
        return hash(self.value)


class Reading(Struct, frozen=True, gc=False):
    """One appearance of a record in a section.

    ``key`` is what the text itself says the record is: the id of a task; for records without an id a text made of
    their values, used to align readings and never stored as identity. ``inherited`` holds values that come from
    the surroundings (the date heading above an entry, the section that gives a registry table its status, a session's
    date from its file name): known here, but not editable at this place. ``span`` covers everything that would go
    if the record were removed from here; it takes no part in equality.
    """

    table: Table
    key: str
    role: Role
    fields: Mapping[str, Field]
    span: Span
    inherited: Mapping[str, Value] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return type(other) is Reading and self._said() == other._said()

    def __ne__(self, other: object) -> bool:  # that of `Struct` would look at the span
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def _said(self) -> tuple[object, ...]:
        return self.table, self.key, self.role, self.fields, self.inherited

    def value(self, name: str) -> Value:
        """The value of field ``name``: its own, else the inherited one, else None."""
        own = self.fields.get(name)
        return own.value if own is not None else self.inherited.get(name)

    def shows(self, name: str) -> bool:
        """Whether this place says anything about ``name``."""
        return name in self.fields or name in self.inherited

    def values(self) -> dict[str, Value]:
        """All values that this place shows, own and inherited."""
        return {**self.inherited, **{name: f.value for name, f in self.fields.items()}}


class Problem(Struct, frozen=True, gc=False):
    """A line that stands where a record is expected and was not understood. It is kept to the byte."""

    line: int  # counted from 0 within the section
    reason: str


class Action(StrEnum):
    """What a transaction did to a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
