"""The first text of a document that does not exist yet, in the plain form of FORMATS' first examples. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from parser.document import Document, parse
from schema.records import Table, Value
from writer.changes import Insert
from writer.put import put

_TITLES = {
    "edit_history.md": "# Edit History\n",
    "tasks.md": "# Tasks\n",
    "errorLog.md": "# Error Log\n",
}
_STATUS = {
    "pending": "⬜ PENDING",
    "in_progress": "🔄 IN PROGRESS",
    "completed": "✅ COMPLETED",
    "paused": "⏸️ PAUSED",
    "blocked": "🛑 BLOCKED",
    "cancelled": "❌ CANCELLED",
}


def blank(path: str) -> Document:
    """The document at ``path`` with nothing but its title."""
    return parse(path, _TITLES.get(path, ""))


def task_document(task: str, values: Mapping[str, Value]) -> Document:
    """``tasks/<ID>.md`` for a task of which only its row is known."""
    title = values.get("title")
    lines = [f"# {task}: {title}" if title else f"# {task}", ""]
    if status := values.get("status"):
        lines.append(f"**Status**: {_STATUS[str(status)]}")
    for name in ("priority", "started", "completed"):
        if value := values.get(name):
            lines.append(f"**{name.capitalize()}**: {value}")
    dependencies = values.get("dependencies")
    if dependencies:
        lines.append(f"**Dependencies**: {', '.join(dependencies)}")
    if description := values.get("description"):
        lines += ["", f"**Description**: {description}"]
    return parse(f"tasks/{task}.md", "\n".join(lines) + "\n")


def session_document(path: str, values: Mapping[str, Value]) -> Document:
    """``sessions/<date>-<period>.md`` for a session of which only its row is known."""
    period = str(values.get("session_period") or "").replace("-", " ").title()
    lines = [f"# Session: {values['session_date']} {period}".rstrip(), ""]
    for label, name in (("Started", "start_time"), ("Ended", "end_time"), ("Focus Task", "focus_task")):
        if value := values.get(name):
            lines.append(f"**{label}**: {value}")
    if status := values.get("status"):
        lines.append(f"**Status**: {_STATUS.get(str(status), status)}")
    if content := values.get("content"):
        lines += ["", str(content)]
    return parse(path, "\n".join(lines) + "\n")


def first(path: str, table: Table, values: Mapping[str, Value], children: tuple[Mapping[str, Value], ...]) -> Document:
    """A new document at ``path`` that shows one record."""
    return put(blank(path), [Insert(table, values, None, children)]).document
