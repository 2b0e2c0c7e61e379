"""Edits on an edit history."""

from __future__ import annotations

from writer.kinds.entries import insert, remove, set_fields

__all__ = ["insert", "remove", "set_fields"]
