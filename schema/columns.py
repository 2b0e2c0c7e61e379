"""What the record tables are made of."""

from __future__ import annotations

from collections.abc import Mapping

RECORD_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "tasks": (
        "id", "title", "status", "priority", "started", "completed", "last_updated", "details", "description",
    ),
    "task_dependencies": ("task_id", "depends_on"),
    "task_subtasks": ("id", "task_id", "section", "position", "text", "status"),
    "edit_entries": (
        "id", "date", "time", "timezone", "timestamp", "task_id", "task_description", "created_at",
    ),
    "file_modifications": ("id", "edit_entry_id", "action", "file_path", "description"),
    "sessions": (
        "id", "session_date", "session_period", "focus_task", "start_time", "end_time", "status", "content", "path",
    ),
    "session_cache": (
        "id", "current_session_id", "current_focus_task", "active_count", "paused_count", "completed_count",
        "last_updated",
    ),
    "error_logs": ("id", "timestamp", "task_id", "file_path", "error_message", "cause", "fix_applied"),
}  # fmt: skip
"""The columns of the record tables, in order. The first is the key, but for ``task_dependencies``."""
