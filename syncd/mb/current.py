"""The session that is open now: which one it is, how one begins, how the session cache names it and its task."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from parser.moments import render_date
from schema import checks, store
from schema.db import Database
from syncd.mb import cacheblock, stamps
from syncd.plan.derive import stamp

if TYPE_CHECKING:
    from syncd.api import Transaction


def open_now(db: Database, moment: datetime) -> int | None:
    """The newest session of that day that has not ended; the one that the cache names, where it is among them."""
    rows = db.rows(
        """SELECT id, path FROM sessions WHERE session_date = ? AND end_time IS NULL
        AND coalesce(status, 'in_progress') NOT IN ('completed', 'cancelled') ORDER BY start_time DESC, id DESC""",
        (f"{moment:%Y-%m-%d}",),
    )
    named = name_of(db.value("SELECT current_session_id FROM session_cache"))
    return next((number for number, path in rows if path and name_of(path) == named), rows[0][0] if rows else None)


def name_of(text: object) -> str:
    """The name of a session's document in a path, a link or a bare name."""
    match = re.search(r"([\w-]+?)(?:\.md)?[`)\]]*$", str(text or ""))
    return match[1] if match else ""


def begin(tx: Transaction, focus: str | None) -> int:
    """Begin a session, make it the cache's current one; its id. Raises `InvalidOperation`."""
    if focus is None:
        focus = _focus_so_far(tx.db)
    session = tx.create_session(focus_task=None if focus is None else _titled(tx.db, focus, "{id}: {title}"))
    path = _free_path(tx.db, session)
    _show_in_prose(tx, session, path)
    tx.db.run("UPDATE sessions SET path = ? WHERE id = ?", (path, session))
    _show_in_cache(tx, path, focus)
    return session


def _show_in_prose(tx: Transaction, session: int, path: str) -> None:
    named = name_of(tx.db.value("SELECT current_session_id FROM session_cache"))
    before = tx.db.value("SELECT path FROM sessions WHERE path LIKE '%/' || ? || '.md'", (named,)) if named else None
    row = store.fetch(tx.db, "sessions", str(session)) or {}
    focus = row.get("focus_task")
    begun = cacheblock.Begun(
        path, before, str(row["session_period"]), None if focus is None else str(focus), tx.moment
    )  # fmt: skip
    _keep(tx, cacheblock.shown(_cache_parts(tx.db), begun))


def _cache_parts(db: Database) -> list[cacheblock.Part]:
    rows = db.rows(
        """SELECT s.id, s.heading, s.text FROM sections AS s JOIN documents AS d ON d.id = s.document_id
        WHERE d.path = ? AND d.problem IS NULL ORDER BY s.position""",
        (cacheblock.PATH,),
    )
    return [cacheblock.Part(*row) for row in rows]


def _keep(tx: Transaction, parts: Sequence[cacheblock.Part]) -> None:
    for part in parts:
        tx.db.run("UPDATE sections SET text = ? WHERE id = ?", (part.text, part.id))


def focus_on(tx: Transaction, session: int, task: str) -> None:
    """Make ``task`` the focus of a session and of the cache. Raises `InvalidOperation`."""
    row = store.fetch(tx.db, "sessions", str(session)) or {}
    form = _form(tx.db, str(row.get("focus_task") or ""), "{id}: {title}")
    tx.update_session(session, focus_task=_titled(tx.db, task, form))
    _show_in_cache(tx, document_of(tx.db, session), task)


def rename(tx: Transaction, task: str, title: str) -> None:
    """Give a task another title, also where it is the focus of the cache or of the session that is open now.

    Raises `InvalidOperation`.
    """
    before = tx.db.value("SELECT title FROM tasks WHERE id = ?", (task,))
    tx.rename_task(task, title)
    new = tx.db.value("SELECT title FROM tasks WHERE id = ?", (task,))
    session = open_now(tx.db, tx.moment)
    places = [("session_cache", "1", "current_focus_task")]
    places += [("sessions", str(session), "focus_task")] if session is not None else []
    for table, key, column in places if before else ():
        told = str((store.fetch(tx.db, table, key) or {}).get(column) or "")
        words = told.removeprefix(task)
        if words != told and words.count(str(before)) == 1 and not re.match(r"\w", words):
            store.update_record(tx.db, table, key, {column: task + words.replace(str(before), str(new))})


def end(tx: Transaction, session: int) -> None:
    """End a session. Where its document says only when it began, the end gets a line below.

    The session cache's line on the status of the current session follows. Raises `InvalidOperation`.
    """
    rows = tx.db.rows(
        """SELECT s.id, s.text FROM sections AS s JOIN documents AS d ON d.id = s.document_id
        JOIN sessions ON sessions.path = d.path WHERE sessions.id = ? ORDER BY s.position LIMIT 3""",
        (session,),
    )
    if not any(re.search(r"^\W*(ended|end|finished)\b", text, re.M | re.I) for _, text in rows):
        for number, text in rows:
            if (new := _with_end(text, tx.moment)) is not None:
                tx.db.run("UPDATE sections SET text = ? WHERE id = ?", (new, number))
                break
    tx.complete_session(session)
    named = name_of(tx.db.value("SELECT current_session_id FROM session_cache"))
    if named and named == name_of(document_of(tx.db, session)) and (parts := cacheblock.ended(_cache_parts(tx.db))):
        _keep(tx, parts)
        _show_in_cache(tx, None, None)


def _with_end(text: str, moment: datetime) -> str | None:
    """``text`` with a line that says when it ended, shaped as that of the start; None where there is none."""
    match = re.search(r"^(?P<mark>\W*)Started(?P<colon>\W+)(?P<value>\d[^\n]*?)[ \t]*(?P<break>\r?\n)", text, re.M)
    value = stamp(match["value"], moment) if match else None
    if match is None or value is None:
        return None
    line = f"{match['mark'].lstrip()}Ended{match['colon']}{render_date(match['value'], value)}{match['break']}"
    return text[: match.end()] + line + text[match.end() :]


def document_of(db: Database, session: int) -> str | None:
    """The document of a session."""
    path = db.value("SELECT path FROM sessions WHERE id = ?", (session,))
    return None if path is None else str(path)


def _focus_so_far(db: Database) -> str | None:
    """The task that the cache names, unless it is done."""
    text = str(db.value("SELECT current_focus_task FROM session_cache") or "")
    match = checks.TASK_ID.match(text)
    known = match and db.row("SELECT status FROM tasks WHERE id = ?", (match[0],))
    return match[0] if match and known and known[0] not in ("completed", "cancelled") else None


def _show_in_cache(tx: Transaction, path: str | None, task: str | None) -> None:
    row = store.fetch(tx.db, "session_cache", "1")
    if row is None:
        return  # the bank keeps none, or not in a form that has a place for it
    before = str(row.get("current_session_id") or "")
    form = _form(tx.db, str(row.get("current_focus_task") or ""), "{id}: {title}")
    tx.update_session_cache(
        current_session_id=_as_before(before, path) if path else None,
        current_focus_task=_titled(tx.db, task, form) if task else None,
        last_updated=stamps.again(tx, row.get("last_updated")),
    )


def _as_before(before: str, path: str) -> str:
    """``path`` as far as the cache names it: with its folder, with its ending."""
    if before and "/" not in before:
        path = path.rpartition("/")[2]
    return path.removesuffix(".md") if before and not before.endswith(".md") else path


def _titled(db: Database, task: str, form: str) -> str:
    """A task in words. Raises `InvalidOperation` where there is none."""
    known = checks.known_task(db, task)
    title = db.value("SELECT title FROM tasks WHERE id = ?", (known,))
    return form.format(id=known, title=title) if title else known


def _form(db: Database, before: str, default: str) -> str:
    """How a place writes a task: ``T3 (Title)``, ``T3 - Title``, ``T3``; ``default`` where it does not tell."""
    match = re.match(rf"({checks.TASK_ID.pattern})(?:( \()(.+)\)|(:|\s[-–—:])\s(.+)|)$", before)
    if match is None:
        return default
    _, bracket, _, dash, rest = match.groups()
    if bracket:
        return "{id} ({title})"
    return f"{{id}}{dash} {{title}}" if rest else "{id}"


def _free_path(db: Database, session: int) -> str:
    """A path for a session's document, named as the newest one beside it is."""
    date, period = db.rows("SELECT session_date, session_period FROM sessions WHERE id = ?", (session,))[0]
    named = db.rows(
        """SELECT path FROM sessions WHERE path LIKE 'sessions/%' AND session_period IS NOT NULL
        ORDER BY session_date DESC, start_time DESC, id DESC LIMIT 5"""
    )
    forms = Counter(match[1] for (path,) in named if (match := re.match(r"sessions/\d{4}([-_])\d\d\1\d\d[-_]", path)))
    glues = Counter(match[1] for (path,) in named if (match := re.match(r"sessions/[\d_-]{10}([-_])[a-z]", path)))
    glue = glues.most_common(1)[0][0] if glues else "-"
    if forms and forms.most_common(1)[0][0] == "_":
        date = date.replace("-", "_")
    stem, number = f"sessions/{date}{glue}{period}", 1
    path = f"{stem}.md"
    taken = "SELECT 1 FROM documents WHERE path = ?1 UNION SELECT 1 FROM sessions WHERE path = ?1"
    while db.row(taken, (path,)) is not None:
        number += 1
        path = f"{stem}-{number}.md"
    return path
