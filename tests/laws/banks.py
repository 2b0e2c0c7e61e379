"""Small random banks, their engine, and what can be seen of both sides."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hypothesis import strategies as st

from schema.db import Database
from syncd.config import Config
from syncd.engine import Engine
from syncd.model import Shown
from syncd.plan.gather import ROWS as TABLE_ROWS
from syncd.plan.gather import row_of
from syncd.plan.reconcile import reached, settled
from tests.laws.strategies import IDS, OF_KIND, body_of

Tree = dict[str, str]
CONFIG = Config(settle_seconds=0.0, hold_share=1.0)
"""Nothing is waited for, and an edit that deletes much is not held back."""

ROWS = {
    "tasks": "SELECT * FROM tasks",
    "task_dependencies": "SELECT * FROM task_dependencies",
    "task_subtasks": "SELECT task_id, section, text, status FROM task_subtasks",
    "edit_entries": "SELECT date, time, timezone, task_id, task_description FROM edit_entries",
    "file_modifications": """SELECT e.date, e.time, e.task_description, m.action, m.file_path, m.description
        FROM file_modifications AS m LEFT JOIN edit_entries AS e ON e.id = m.edit_entry_id""",
    "sessions": """SELECT session_date, session_period, focus_task, start_time, end_time, status, content
        FROM sessions""",
    "session_cache": """SELECT current_focus_task, active_count, paused_count, completed_count, last_updated
        FROM session_cache""",
    "error_logs": "SELECT timestamp, task_id, file_path, error_message, cause, fix_applied FROM error_logs",
    "sections": """SELECT d.path, s.level, s.heading, s.text FROM sections AS s
        JOIN documents AS d ON d.id = s.document_id""",
    "readings": """SELECT d.path, r."table", r.role, r.ordinal FROM readings AS r
        JOIN sections AS s ON s.id = r.section_id JOIN documents AS d ON d.id = s.document_id""",
}
"""What a file shows, without the numbers that rows are given."""


@st.composite
def trees(draw: st.DrawFn, least: int = 2, most: int = 6) -> Tree:
    """The documents of a small bank, by path."""
    paths = draw(st.lists(st.sampled_from(sorted(OF_KIND)), min_size=least, max_size=most, unique=True))
    return {path: draw(body_of(path, 6)) for path in paths}


@contextmanager
def bank_of(tree: Mapping[str, str]) -> Iterator[Path]:
    """A bank with these documents, gone afterwards."""
    root = Path(tempfile.mkdtemp(prefix="bank"))
    try:
        for path, text in tree.items():
            save(root, path, text)
        yield root
    finally:
        shutil.rmtree(root)


@contextmanager
def engine_of(bank: Path) -> Iterator[Engine]:
    """The engine of a bank, with its database, closed afterwards."""
    engine = Engine.open(bank, create=True, config=CONFIG)
    try:
        yield engine
    finally:
        engine.close()


def save(bank: Path, path: str, text: str | None) -> None:
    """Write a document, or remove it."""
    file = bank / path
    if text is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode("utf-8", "replace"))


def files(bank: Path) -> dict[str, bytes]:
    """The documents of a bank as they are on disk."""
    found = ((str(p.relative_to(bank)), p) for p in sorted(bank.rglob("*.md")))
    return {path: p.read_bytes() for path, p in found if not path.startswith(".syncd/")}


def times(bank: Path) -> dict[str, tuple[int, int]]:
    """Which file each document is and when it was last written."""
    return {path: ((bank / path).stat().st_ino, (bank / path).stat().st_mtime_ns) for path in files(bank)}


def rows(db: Database) -> dict[str, list[tuple[object, ...]]]:
    """The rows of every table by value, in an order that does not depend on when they came."""
    return {table: sorted(db.rows(query), key=repr) for table, query in ROWS.items()}


def stored(db: Database) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the database, ids and bookkeeping included."""
    names = [str(name) for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {name: db.rows(f'SELECT * FROM "{name}"') for name in names}


def change_a_row(db: Database, chance: random.Random) -> str | None:
    """Change, add or delete a row as any client might; the statement, None where there was nothing to change."""
    task = chance.choice(IDS)
    statements = [
        f"UPDATE tasks SET status = '{chance.choice(('paused', 'completed', 'blocked'))}' WHERE id = '{task}'",
        f"UPDATE tasks SET title = 'Title {chance.randint(0, 99)}' WHERE id = '{task}'",
        f"UPDATE tasks SET priority = '{chance.choice(('LOW', 'CRITICAL'))}' WHERE id = '{task}'",
        f"INSERT OR IGNORE INTO task_dependencies SELECT id, 'T{chance.randint(1, 9)}' FROM tasks WHERE id = '{task}'",
        f"DELETE FROM task_dependencies WHERE task_id = '{task}'",
        "UPDATE edit_entries SET task_description = task_description || ' more'"
        " WHERE id = (SELECT max(id) FROM edit_entries)",
        "UPDATE file_modifications SET description = 'new words' WHERE id = (SELECT min(id) FROM file_modifications)",
        "DELETE FROM file_modifications WHERE id = (SELECT max(id) FROM file_modifications)",
        "DELETE FROM edit_entries WHERE id = (SELECT min(id) FROM edit_entries)",
        "UPDATE error_logs SET cause = 'a new cause' WHERE id = (SELECT min(id) FROM error_logs)",
        "UPDATE task_subtasks SET status = 'completed' WHERE id = (SELECT min(id) FROM task_subtasks)",
        f"INSERT INTO edit_entries(date, time, task_id, task_description)"
        f" VALUES ('2026-03-07', '10:{chance.randint(10, 59)}', 'T3', 'From a row')",
        "INSERT INTO tasks(id, title, status, priority) VALUES ('T88', 'From a row', 'pending', 'LOW')"
        " ON CONFLICT DO NOTHING",
    ]
    statement = chance.choice(statements)
    before = db.value("SELECT total_changes()")
    db.run(statement)
    return statement if db.value("SELECT total_changes()") != before else None


def shown(engine: Engine) -> list[tuple[object, ...]]:
    """What the rows say of each field that a current place in the files shows, in the order of the text."""
    found: list[tuple[object, ...]] = []
    for path in sorted(engine.state.rows):
        keyed = engine.state.base(path)
        for at, reading, key in keyed.readings() if keyed else ():
            if reading.table in TABLE_ROWS and reached(reading.table, Shown(path, at, reading)):
                row = row_of(engine.db, reading.table, key)
                assert row is not None, f"{path} {at}: {reading.table} {key} has no row"
                said = {n: settled(n, row[n]) for n in sorted(reading.values()) if n in row}
                found.append((path, at, reading.table, said))
    return found
