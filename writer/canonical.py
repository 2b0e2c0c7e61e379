"""Documents in their plain form, from values alone: what a bank gets where it has no document and no model. Pure.

One form a kind. What is written here is parsed again by whoever uses it; a value that a document cannot hold is left
out or refused there (`writer.regenerate`). What reads and writes entries is imported late: few commands need it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from parser.document import Document, parse
from parser.values import render
from schema.patterns import pattern
from schema.records import FIELDS, Status, Table, Value
from writer.cells import escape
from writer.told import agrees, said

Values = Mapping[str, Value]

STATUS_WORDS: Mapping[str, str] = {
    "pending": "⬜ PENDING",
    "in_progress": "🔄 IN PROGRESS",
    "completed": "✅ COMPLETED",
    "paused": "⏸️ PAUSED",
    "blocked": "🛑 BLOCKED",
    "cancelled": "❌ CANCELLED",
}
TITLES: Mapping[str, str] = {
    "edit_history.md": "Edit History",
    "tasks.md": "Task Registry",
    "errorLog.md": "Error Log",
    "session_cache.md": "Session Cache",
    "activeContext.md": "Active Context",
    "changelog.md": "Changelog",
}
_SECTIONS: tuple[tuple[str, frozenset[str | None]], ...] = (
    ("Active Tasks", frozenset({None, Status.IN_PROGRESS, Status.PENDING, Status.BLOCKED})),
    ("Paused Tasks", frozenset({Status.PAUSED})),
    ("Completed Tasks", frozenset({Status.COMPLETED})),
    ("Cancelled Tasks", frozenset({Status.CANCELLED})),
)
_COLUMNS = {
    "id": "ID", "title": "Title", "status": "Status", "priority": "Priority", "started": "Started",
    "completed": "Completed", "last_updated": "Last Updated", "dependencies": "Dependencies", "details": "Details",
}  # fmt: skip
_OPTIONAL = frozenset({"completed", "last_updated", "details"})
OPEN = (Status.IN_PROGRESS, Status.BLOCKED, Status.PAUSED)
_TASK_LABELS = {
    "status": "Status", "priority": "Priority", "started": "Started", "completed": "Completed",
    "last_updated": "Last Updated", "dependencies": "Dependencies", "description": "Description",
}  # fmt: skip
SESSION_LABELS = {"start_time": "Started", "end_time": "Ended", "focus_task": "Focus Task", "status": "Status"}
_CACHE_LABELS = {"current_focus_task": "Focus Task", "current_session_id": "Session File"}
_FENCE = pattern(r"^[ ]{0,3}(`{3,})", re.M)


def blank(path: str, updated: str | None = None) -> Document:
    """The document at ``path`` with nothing but its title, and when it was last updated where that is given."""
    return parse(path, head(path, updated) + "\n" if path in TITLES else "")


def head(path: str, updated: str | None) -> str:
    """Title and stamp of the document at ``path``, without a final line break."""
    title = f"# {TITLES[path]}"
    return f"{title}\n\n*Last Updated: {updated}*" if updated else title


def shown(name: str, value: Value) -> str:
    """``value`` of the field ``name`` as these forms write it; ``-`` for nothing."""
    if value in (None, (), ""):
        return "-"
    if name == "status":
        return STATUS_WORDS.get(str(value), str(value))
    return ", ".join(value) if isinstance(value, tuple) else str(value)


# -- one record a document -------------------------------------------------------------------------------------------


def task_document(task: str, values: Values, created: str | None = None) -> Document:
    """``tasks/<ID>.md`` for a task of which only its row is known; with the stamp ``created`` where that is given."""
    title = values.get("title")
    lines = [f"# {task}: {title}" if title else f"# {task}", ""]
    if created:
        values = {n: v for n, v in values.items() if n != "last_updated" or v}
        lines += [f"*Created: {created}*", *([] if values.get("last_updated") else [f"*Last Updated: {created}*"]), ""]
    for name, label in _TASK_LABELS.items():
        if values.get(name) not in (None, (), ""):
            lines += [""] if name == "description" and lines[-1] else []
            lines.append(f"**{label}**: {shown(name, values[name])}")
    return _readable(f"tasks/{task}.md", lines, Table.TASKS, values)


def session_document(path: str, values: Values) -> Document:
    """``sessions/<date>-<period>.md`` for a session of which only its row is known."""
    period = str(values.get("session_period") or "").replace("-", " ").title()
    lines = [f"# Session {values['session_date']}" + (f" - {period}" if period else ""), ""]
    for name, label in SESSION_LABELS.items():
        if values.get(name):
            lines.append(f"**{label}**: {shown(name, values[name])}")
    # The name of the document may number the period.
    plain = _readable(path, lines, Table.SESSIONS, {n: v for n, v in values.items() if n != "session_period"})
    return with_content(plain, str(values.get("content") or ""))


def with_content(plain: Document, text: str) -> Document:
    """A session's document with a text below its header, in a code block where its words would read as something."""
    path, content = plain.path, text.replace("\r\n", "\n").strip("\n")
    if not content:
        return plain
    head_lines = plain.text.rstrip("\n")
    fence = "`" * (max((len(m[1]) for m in _FENCE.finditer(content)), default=2) + 1)
    for body in (content, f"{fence}text\n{content}\n{fence}"):
        document = parse(path, f"{head_lines}\n\n{body}\n")
        if said(document, Table.SESSIONS) == said(plain, Table.SESSIONS):
            return document
    return plain


def _readable(path: str, lines: list[str], table: Table, values: Values) -> Document:
    """The document of ``lines``; where it says something else than ``values``, without the lines that do."""
    document = parse(path, "\n".join(lines).rstrip("\n") + "\n")
    if agrees(document, table, values):
        return document
    kept: list[str] = []
    for line in lines:
        if "\n" not in line and agrees(parse(path, "\n".join([*kept, line]) + "\n"), table, values):
            kept.append(line)
    return parse(path, "\n".join(kept).rstrip("\n") + "\n")


def cache_document(values: Values) -> Document:
    """``session_cache.md`` of which only its row is known."""
    return parse("session_cache.md", cache_text(values, ()))


# -- many records a document -----------------------------------------------------------------------------------------


def registry_text(tasks: Sequence[tuple[str, Values]], updated: str | None = None) -> str:
    """``tasks.md``: tables by status, with the columns that any task fills."""
    parts = [head("tasks.md", updated)]
    names = [n for n in _COLUMNS if n not in _OPTIONAL or any(v.get(n) not in (None, "") for _, v in tasks)]
    for title, statuses in _SECTIONS:
        inside = [(task, values) for task, values in tasks if values.get("status") in statuses]
        if inside or title == "Active Tasks":
            rows = [_row(_COLUMNS[n] for n in names), "|" + "|".join("-" * (len(_COLUMNS[n]) + 2) for n in names) + "|"]
            rows += [_row(task if n == "id" else _cell(n, values.get(n)) for n in names) for task, values in inside]
            parts.append(f"## {title}\n\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(name: str, value: Value) -> str:
    text = shown(name, value)
    return escape(text) or text


def history_text(entries: Sequence[tuple[Values, Sequence[Values]]], updated: str | None = None) -> str:
    """``edit_history.md``: entries with their lines, newest first; those without a date before all date headings."""
    parts = [head("edit_history.md", updated)]
    dated = sorted(entries, key=_moment, reverse=True)
    days = [(day, list(group)) for day, group in groupby(dated, lambda e: str(e[0].get("date") or ""))]
    for day, group in sorted(days, key=lambda d: d[0] != ""):  # the undated ones first; the sort is stable
        if day:
            parts.append(f"### {day}")
        nameless = [entry for entry in group if not _words(entry[0])]
        parts += [_entry(*entry) for entry in [*nameless, *(e for e in group if e not in nameless)]]
    return "\n\n".join(parts) + "\n"


def _moment(entry: tuple[Values, Sequence[Values]]) -> tuple[str, str]:
    return str(entry[0].get("date") or ""), str(entry[0].get("time") or "")


def _words(values: Values) -> bool:
    """Whether an entry has anything to say in a line of its own."""
    return any(values.get(name) for name in FIELDS[Table.ENTRIES] if name != "date")


def _entry(values: Values, lines: Sequence[Values]) -> str:
    """An entry's line with the lines of its files; one without words is implied by these lines."""
    from writer.kinds.entry_heads import entry_line
    from writer.kinds.modifications import LineStyle

    own = [entry_line("#### ", values, dated=not values.get("time") and not values.get("task_id"))]
    return "\n".join([*(own if _words(values) else []), *(LineStyle().line(line) for line in lines)])


def cache_text(cache: Values, tasks: Sequence[tuple[str, Values]]) -> str:
    """``session_cache.md``: the current session, the counts that are known, and a line for each task."""
    stamp = cache.get("last_updated")
    parts = [head("session_cache.md", str(stamp) if stamp else None)]
    fields = [f"**{label}**: {_code(name, cache.get(name))}" for name, label in _CACHE_LABELS.items()]
    parts.append("## Current Session\n\n" + "\n".join(fields))
    counters = ("active", "paused", "completed")
    counts = [f"{n.title()}: {cache[f'{n}_count']}" for n in counters if cache.get(f"{n}_count") is not None]
    if counts:
        parts.append(f"## Overview\n\n- {' | '.join(counts)}")
    if tasks:
        parts.append("## Task Registry\n\n" + "\n".join(_listed(task, values) for task, values in tasks))
    return "\n\n".join(parts) + "\n"


def _code(name: str, value: Value) -> str:
    return f"`{value}`" if name == "current_session_id" and value else shown(name, value)


def _listed(task: str, values: Values) -> str:
    status = render("status", "", values["status"]) if values.get("status") else None
    title = str(values["title"]) if values.get("title") else None
    words = " - ".join(part for part in (title, status) if part)
    return f"- {task}: {words}" if words else f"- {task}:"


def context_text(focus: str | None, tasks: Sequence[tuple[str, Values]], updated: str | None = None) -> str:
    """``activeContext.md``: the task in focus, and the others that are open."""
    parts = [head("activeContext.md", updated)]
    known = dict(tasks)
    lines = ["**Task**: -"]
    if focus is not None:
        title = known.get(focus, {}).get("title")
        lines = [f"**Task**: {focus} - {title}" if title else f"**Task**: {focus}"]
        values = known.get(focus, {})
        lines += [f"**{n.title()}**: {shown(n, values[n])}" for n in ("status", "priority") if values.get(n)]
    parts.append("## Current Focus\n\n" + "\n".join(lines))
    others = [(task, values) for task, values in tasks if task != focus and values.get("status") in OPEN]
    if others:
        parts.append("## Active Tasks\n\n" + "\n".join(_mentioned(n, *item) for n, item in enumerate(others, 1)))
    return "\n\n".join(parts) + "\n"


def _mentioned(number: int, task: str, values: Values) -> str:
    priority = f" ({values['priority']} priority)" if values.get("priority") else ""
    line = f"{number}. **[{task}]**: {values.get('title') or task}{priority}"
    return f"{line}\n   - Status: {shown('status', values.get('status'))}"
