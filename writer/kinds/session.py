"""Changes of a session's file: fields are set where they stand; the session goes with its file, never by its text."""

from __future__ import annotations

from schema.records import Table

FIXED = frozenset({Table.SESSIONS})
"""What is left of the text would still be the session."""
