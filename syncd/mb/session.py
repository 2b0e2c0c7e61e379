"""`mb session`: the sessions, and one of them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from schema import history
from schema.db import Database
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common, whole_number
from syncd.errors import Exit, UsageError
from syncd.mb.doing import found

_COLUMNS = ("id", "session_date", "session_period", "status", "focus_task", "start_time", "end_time", "path")
_SQL = f"SELECT {', '.join(_COLUMNS)} FROM sessions"  # noqa: S608 - names of our own table
_NEWEST = "ORDER BY session_date DESC, start_time DESC, id DESC"


def add_list_sessions(parser: ArgumentParser) -> None:
    """The options of `mb session list`."""
    parser.add_argument("--limit", metavar="N", type=whole_number, default=20, help="at most N (default 20; 0: all)")
    common(parser)


def list_sessions(limit: int, bank: str | None, as_json: bool) -> int:
    """List the sessions, newest first."""
    with inspect.reading(banks.find(bank)) as db:
        rows = [_row(row) for row in db.rows(f"{_SQL} {_NEWEST} LIMIT ?", (limit or -1,))]
    return found(rows, ("id", "session_date", "session_period", "status", "focus_task", "path"), as_json)


def _row(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(_COLUMNS, row, strict=True))


def add_show_session(parser: ArgumentParser) -> None:
    """The options of `mb session show`."""
    parser.add_argument("session", nargs="?", metavar="ID", help="its id, or its document (default: the current one)")
    common(parser)


def show_session(session: str | None, bank: str | None, as_json: bool) -> int:
    """Show one session and its document."""
    with inspect.reading(banks.find(bank)) as db:
        known = _row(_one(db, session))
        data = history.current_text(db, known["path"]) if known["path"] else None
    text = None if data is None else data.decode("utf-8", "surrogateescape")
    if as_json:
        output.show_json({**known, "text": text})
        return Exit.CONVERGED
    output.show_pairs({name: value for name, value in known.items() if value is not None})
    if text is not None:
        output.say()
        sys.stdout.write(text.encode("utf-8", "backslashreplace").decode())
    return Exit.CONVERGED


def _one(db: Database, session: str | None) -> tuple[Any, ...]:
    if session is None:
        from syncd.mb import current

        named = current.name_of(db.value("SELECT current_session_id FROM session_cache"))
        rows = db.rows(f"{_SQL} WHERE path LIKE '%/' || ? || '.md'", (named,)) or db.rows(f"{_SQL} {_NEWEST}")
    elif session.isdecimal() and len(session) < 18:
        rows = db.rows(f"{_SQL} WHERE id = ?", (int(session),))
    else:
        rows = db.rows(f"{_SQL} WHERE path = ?", (session,))
    if not rows:
        raise UsageError("no such session", session, "`mb session list` shows them")
    return rows[0]
