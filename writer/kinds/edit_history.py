"""Edits on an edit history."""

from __future__ import annotations

from writer.kinds.entries import insert, insert_all, remove, remove_all, set_all, set_fields

__all__ = ["insert", "insert_all", "remove", "remove_all", "set_all", "set_fields"]
