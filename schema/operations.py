"""What can be recorded, as plain functions that write rows; called inside `Database.atomic`, all that belong together.

Texts of one line lose the spaces around them; what a file cannot show is refused with `InvalidOperation`. A ``moment``
is an aware datetime, by default the system's time in its zone. Where a caller gives a ``key``, a second call with it
changes nothing and answers as the first did.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from schema import checks, store
from schema.checks import MODES, InvalidOperation
from schema.db import Database
from schema.records import Status, Value
from schema.when import When, aware, when

__all__ = [
    "MODES", "InvalidOperation", "When", "add_dependency", "add_subtask", "complete_session", "create_session",
    "create_task", "describe_task", "done", "insert_edit_entry", "insert_error_log", "insert_file_modification",
    "remove_dependency", "remove_subtask", "remove_task", "rename_task", "set_task_priority", "tick_subtask",
    "update_session", "update_session_cache", "update_task_status", "when",
]  # fmt: skip

_PERIODS = ((5, "night"), (12, "morning"), (17, "afternoon"), (21, "evening"), (24, "night"))  # until which hour


def done(db: Database, key: str) -> str | None:
    """The id of the record that an operation with this ``key`` made, None where there was none."""
    found = db.value("SELECT record FROM operation_keys WHERE key = ?", (checks.words("key", key),))
    return None if found is None else str(found)


def _earlier(db: Database, key: str | None, table: str) -> str | None:
    if key is None:
        return None
    row = db.row('SELECT "table", record FROM operation_keys WHERE key = ?', (checks.words("key", key),))
    if row is None:
        return None
    if row[0] != table:
        raise InvalidOperation(f"the key {key!r:.60} was used for another operation, on {row[0]}")
    return str(row[1])


def _insert(db: Database, table: str, key: str | None, values: dict[str, Value]) -> str:
    """Insert the record unless the key was used; its id."""
    if (known := _earlier(db, key, table)) is not None:
        return known
    record = store.insert_record(db, table, {n: v for n, v in values.items() if v is not None})
    if key is not None:
        db.run('INSERT INTO operation_keys(key, "table", record) VALUES (?, ?, ?)', (key.strip(), table, record))
    return record


# -- edit history --------------------------------------------------------------------------------------------------


def insert_edit_entry(
    db: Database,
    *,
    description: str,
    task_ids: Sequence[str] = (),
    moment: datetime | None = None,
    date: str | None = None,
    time: str | None = None,
    timezone: str | None = None,
    key: str | None = None,
) -> int:
    """Record that work was done on ``task_ids``; the entry's id.

    When is told by ``moment``, or by ``date`` (``YYYY-MM-DD``), ``time`` (``HH:MM`` or ``HH:MM:SS``) and ``timezone``
    (a label). Raises `InvalidOperation`.
    """
    said = checks.words("description", description)
    tasks = [checks.known_task(db, task) for task in _several("task_ids", task_ids)]
    given = (checks.day("date", date), checks.clock("time", time), checks.zone(timezone))
    if moment is not None and any(given):
        raise InvalidOperation("give either moment, or date, time and timezone")
    if given[2] and not given[1]:
        raise InvalidOperation("a timezone without a time says nothing")
    stamp = given if any(given) else when(db, moment)
    values: dict[str, Value] = dict(zip(("date", "time", "timezone"), stamp, strict=True))
    values |= {"task_id": ", ".join(dict.fromkeys(tasks)) or None, "task_description": said}
    return int(_insert(db, "edit_entries", key, values))


def _several(name: str, values: Sequence[str]) -> Sequence[str]:
    if isinstance(values, str):
        raise InvalidOperation(f"{name} must be a list of texts, not one text")
    return values


def insert_file_modification(
    db: Database, entry: int, action: str, path: str, description: str | None = None, *, key: str | None = None
) -> int:
    """Record what an entry's work did to a file; the row's id. ``action`` is one of `MODES`.

    Raises `InvalidOperation`.
    """
    parent = checks.number(db, "edit_entries", entry)
    values: dict[str, Value] = {
        "edit_entry_id": str(parent),
        "action": checks.mode(action),
        "file_path": checks.words("path", path),
        "description": checks.line("description", description),
    }
    return int(_insert(db, "file_modifications", key, values))


# -- tasks ---------------------------------------------------------------------------------------------------------


def create_task(
    db: Database,
    task_id: str,
    title: str,
    *,
    status: str = "pending",
    priority: str | None = None,
    started: str | None = None,
    depends_on: Sequence[str] = (),
    description: str | None = None,
    details: str | None = None,
    moment: datetime | None = None,
    key: str | None = None,
) -> str:
    """Make a task; its id. One that is in progress or completed gets its dates from ``moment``.

    Raises `InvalidOperation`.
    """
    task = checks.task_id(task_id)
    if (known := _earlier(db, key, "tasks")) is not None:
        return known
    if store.fetch(db, "tasks", task) is not None:
        raise InvalidOperation("there is a task with this id already", task, "`mb task set` changes it")
    now = checks.status(status)
    needs = _needs(db, task, depends_on)
    values: dict[str, Value] = {
        "id": task,
        "title": checks.words("title", title),
        "status": now.value,
        "priority": _text(checks.priority(priority)),
        "started": checks.day_and_clock("started", started),
        "description": checks.line("description", description),
        "details": checks.line("details", details),
        "dependencies": needs or None,
    }
    return _insert(db, "tasks", key, {**values, **_dates(values, now, moment)})


def _text(value: str | None) -> str | None:
    return None if value is None else str(value)


def _dates(row: dict[str, Value], status: Status, moment: datetime | None) -> dict[str, Value]:
    """The dates that come with a status, as far as the row has none."""
    today = f"{aware(moment):%Y-%m-%d}"
    begun = row.get("status") in (Status.PAUSED, Status.COMPLETED)  # once, on a day that nobody noted
    if status is Status.IN_PROGRESS and not row.get("started") and not begun:
        return {"started": today}
    if status is Status.COMPLETED and not row.get("completed"):
        return {"completed": today}
    return {}


def _task(db: Database, task_id: str) -> dict[str, Value]:
    return store.fetch(db, "tasks", checks.known_task(db, task_id)) or {}


def rename_task(db: Database, task_id: str, title: str) -> None:
    """Give a task another title. Raises `InvalidOperation`."""
    store.update_record(db, "tasks", checks.known_task(db, task_id), {"title": checks.words("title", title)})


def describe_task(db: Database, task_id: str, description: str | None) -> None:
    """Give a task another description of one line. Raises `InvalidOperation`."""
    values: dict[str, Value] = {"description": checks.line("description", description)}
    store.update_record(db, "tasks", checks.known_task(db, task_id), values)


def update_task_status(db: Database, task_id: str, status: str, *, moment: datetime | None = None) -> None:
    """Give a task another status.

    A completed task gets its completion date from ``moment`` and one in progress its start, where they have none; one
    that is no longer completed loses its completion date. Raises `InvalidOperation`.
    """
    row, now = _task(db, task_id), checks.status(status)
    values: dict[str, Value] = {"status": now.value}
    if row.get("status") == Status.COMPLETED and now is not Status.COMPLETED and row.get("completed"):
        values["completed"] = None
    if row.get("status") != now:
        values |= _dates(row, now, moment)
    store.update_record(db, "tasks", task_id, values)


def set_task_priority(db: Database, task_id: str, priority: str | None) -> None:
    """Give a task another priority, or none. Raises `InvalidOperation`."""
    task, value = checks.known_task(db, task_id), checks.priority(priority)
    store.update_record(db, "tasks", task, {"priority": _text(value)})


def remove_task(db: Database, task_id: str) -> None:
    """Delete a task with its checklist and dependencies. Its own document goes only after a yes.

    Raises `InvalidOperation`.
    """
    store.delete_record(db, "tasks", checks.known_task(db, task_id))


def add_dependency(db: Database, task_id: str, depends_on: str) -> None:
    """Make a task depend on another, which may be outside the bank. Raises `InvalidOperation`, also for a cycle."""
    task = checks.known_task(db, task_id)
    for need in _needs(db, task, [depends_on]):
        db.run("INSERT OR IGNORE INTO task_dependencies(task_id, depends_on) VALUES (?, ?)", (task, need))


def remove_dependency(db: Database, task_id: str, depends_on: str) -> None:
    """Make a task no longer depend on another. Raises `InvalidOperation` where it does not."""
    task, need = checks.known_task(db, task_id), checks.task_id(depends_on)
    if not db.run("DELETE FROM task_dependencies WHERE task_id = ? AND depends_on = ?", (task, need)):
        raise InvalidOperation(f"{task} does not depend on {need}")


def _needs(db: Database, task: str, depends_on: Sequence[str]) -> tuple[str, ...]:
    """Ids that ``task`` may depend on, each once. Raises `InvalidOperation` where that would be a cycle."""
    needs = tuple(dict.fromkeys(checks.task_id(need) for need in _several("depends_on", depends_on)))
    for need in needs:
        if path := _way(db, need, task):
            raise InvalidOperation(f"that would be a cycle: {' → '.join((task, *path))}")
    return needs


def _way(db: Database, start: str, end: str) -> list[str]:
    """The ids from one task to another along dependencies; nothing where there is no way."""
    ways: dict[str, list[str]] = {start: [start]}
    waiting = [start]
    while waiting:
        task = waiting.pop()
        if task == end:
            return ways[task]
        for (need,) in db.rows("SELECT depends_on FROM task_dependencies WHERE task_id = ?", (task,)):
            if need not in ways:
                ways[need] = [*ways[task], need]
                waiting.append(need)
    return []


def add_subtask(
    db: Database,
    task_id: str,
    text: str,
    *,
    section: str | None = None,
    status: str = "pending",
    key: str | None = None,
) -> int:
    """Add a line to a task's checklist, under the heading ``section`` where one is named; its id.

    Raises `InvalidOperation`.
    """
    values: dict[str, Value] = {
        "task_id": checks.known_task(db, task_id),
        "section": checks.line("section", section),
        "text": checks.words("text", text),
        "status": checks.status(status).value,
    }
    return int(_insert(db, "task_subtasks", key, values))


def tick_subtask(db: Database, subtask: int, status: str = "completed") -> None:
    """Give a line of a checklist another status. Raises `InvalidOperation`."""
    key = str(checks.number(db, "task_subtasks", subtask))
    store.update_record(db, "task_subtasks", key, {"status": checks.status(status).value})


def remove_subtask(db: Database, subtask: int) -> None:
    """Take a line out of a checklist. Raises `InvalidOperation`."""
    store.delete_record(db, "task_subtasks", str(checks.number(db, "task_subtasks", subtask)))


# -- sessions ------------------------------------------------------------------------------------------------------


def create_session(
    db: Database,
    *,
    focus_task: str | None = None,
    moment: datetime | None = None,
    period: str | None = None,
    content: str | None = None,
    status: str = "in_progress",
    key: str | None = None,
) -> int:
    """Begin a session; its id. Its document is named by the date and the ``period`` of ``moment``.

    Two sessions of one period get a document each. ``content`` is the text below the header, of any number of lines.
    Raises `InvalidOperation`.
    """
    now = aware(moment)
    named = checks.line("period", period)
    if named is not None and not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", named):
        raise InvalidOperation(f"period {named!r:.60} cannot be part of a file's name", hint="one looks like morning")
    values: dict[str, Value] = {
        "session_date": f"{now:%Y-%m-%d}",
        "session_period": named or next(name for hour, name in _PERIODS if now.hour < hour),
        "focus_task": checks.line("focus_task", focus_task),
        "start_time": f"{now:%Y-%m-%d} {_clock(db, now)}",
        "status": checks.status(status).value,
        "content": content,
    }
    return int(_insert(db, "sessions", key, values))


def _clock(db: Database, moment: datetime) -> str:
    return when(db, moment).time


def update_session(
    db: Database, session: int, *, focus_task: str | None = None, status: str | None = None, note: str | None = None
) -> None:
    """Change a session's focus or status, or add a note of one line to its document. Raises `InvalidOperation`."""
    key = str(checks.number(db, "sessions", session))
    values: dict[str, Value] = {}
    if focus_task is not None:
        values["focus_task"] = checks.words("focus_task", focus_task)
    if status is not None:
        values["status"] = checks.status(status).value
    store.update_record(db, "sessions", key, values)
    if note is not None:
        _add_note(db, key, checks.words("note", note))


def _add_note(db: Database, key: str, note: str) -> None:
    """A bullet at the end of the document's notes; in the row where it has no document yet."""
    sections = db.rows(
        """SELECT s.id, s.heading, s.text FROM sections AS s JOIN documents AS d ON d.id = s.document_id
        JOIN sessions ON sessions.path = d.path WHERE sessions.id = ? ORDER BY s.position""",
        (key,),
    )
    if not sections:
        row = store.fetch(db, "sessions", key) or {}
        before = str(row.get("content") or "## Notes\n")
        store.update_record(db, "sessions", key, {"content": f"{before.rstrip()}\n{_gap(before)}- {note}\n"})
        return
    notes = [s for s in sections if re.search(r"\b(?:notes|progress|work done|activities)\b", s[1], re.I)]
    number, _, text = (notes or sections)[-1]
    ends = "\r\n" if "\r\n" in text else "\n"
    tail = text[len(text.rstrip()) :]
    added = f"{_gap(text)}- {note}" if notes else f"\n## Notes\n\n- {note}"
    text = text.rstrip() + ("\n" + added).replace("\n", ends) + (tail or ends)
    db.run("UPDATE sections SET text = ? WHERE id = ?", (text, number))


def _gap(before: str) -> str:
    """The empty line before the first bullet; none behind another one."""
    last = before.rstrip().rpartition("\n")[2]
    return "" if re.match(r"[ \t]*(?:[-*+]|\d+[.)]) ", last) else "\n"


def complete_session(db: Database, session: int, *, moment: datetime | None = None, note: str | None = None) -> None:
    """End a session: its status and the time of its end. Raises `InvalidOperation`."""
    key = str(checks.number(db, "sessions", session))
    now = aware(moment)
    values: dict[str, Value] = {"status": "completed", "end_time": f"{now:%Y-%m-%d} {_clock(db, now)}"}
    store.update_record(db, "sessions", key, values)
    if note is not None:
        _add_note(db, key, checks.words("note", note))


def update_session_cache(
    db: Database,
    *,
    current_session_id: str | None = None,
    current_focus_task: str | None = None,
    last_updated: str | None = None,
    clear: Collection[str] = (),
) -> None:
    """Say which session and which task are current; what is not named stays, what ``clear`` names is emptied.

    The counts follow from the tasks by themselves. Raises `InvalidOperation`.
    """
    values: dict[str, Value] = {
        "current_session_id": checks.line("current_session_id", current_session_id),
        "current_focus_task": checks.line("current_focus_task", current_focus_task),
        "last_updated": checks.day_and_clock("last_updated", last_updated),
    }
    if unknown := set(clear) - values.keys():
        raise InvalidOperation(f"the session cache has no {', '.join(sorted(unknown))} to clear")
    values = {name: value for name, value in values.items() if value is not None or name in clear}
    if store.fetch(db, "session_cache", "1") is None:
        store.insert_record(db, "session_cache", {"id": "1", **values})
    else:
        store.update_record(db, "session_cache", "1", values)


# -- errors --------------------------------------------------------------------------------------------------------


def insert_error_log(
    db: Database,
    *,
    error_message: str,
    cause: str | None = None,
    fix_applied: str | None = None,
    file_path: str | None = None,
    task_id: str | None = None,
    moment: datetime | None = None,
    key: str | None = None,
) -> int:
    """Record an error, what caused it and what was done; its id. Raises `InvalidOperation`."""
    now = when(db, moment)
    values: dict[str, Value] = {
        "timestamp": f"{now.date} {now.time[:5]}",
        "task_id": None if task_id is None else checks.known_task(db, task_id),
        "file_path": checks.line("file_path", file_path),
        "error_message": checks.words("error_message", error_message),
        "cause": checks.line("cause", cause),
        "fix_applied": checks.line("fix_applied", fix_applied),
    }
    return int(_insert(db, "error_logs", key, values))
