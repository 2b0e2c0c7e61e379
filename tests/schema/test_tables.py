"""What the database refuses and keeps by itself, whoever writes."""

from __future__ import annotations

import re
import sqlite3

import pytest

from parser.kinds import TASK_ID
from schema.columns import RECORD_COLUMNS
from schema.db import Database
from schema.records import FIELDS, Table

COLUMNS = {
    "edit_entries": "id, date, time, timezone, timestamp, task_id, task_description, created_at",
    "file_modifications": "id, edit_entry_id, action, file_path, description",
    "tasks": "id, title, status, priority, started, completed, last_updated, details",
    "task_dependencies": "task_id, depends_on",
    "sessions": "id, session_date, session_period, focus_task, start_time, end_time, status, content",
    "session_cache": "current_session_id, current_focus_task, active_count, paused_count, completed_count,"
    " last_updated",
    "error_logs": "id, timestamp, task_id, file_path, error_message, cause, fix_applied",
    "transaction_log": "id, transaction_id, timestamp, operation_type, origin, affected_tables, row_count, status,"
    " error_message, duration_ms",
    "task_subtasks": "id, task_id, section, position, text, status",
    "task_items": "id, title, status, priority, started, completed, last_updated, details",
}


@pytest.mark.parametrize("table", COLUMNS)
def test_the_public_tables_have_their_columns(db: Database, table: str) -> None:
    """Names that other programs rely on."""
    assert db.query(f"SELECT {COLUMNS[table]} FROM {table}")[0] == tuple(COLUMNS[table].split(", "))


def test_dependencies_have_two_columns_only(client: sqlite3.Connection) -> None:
    """Whoever selects all of them gets pairs."""
    assert [c[0] for c in client.execute("SELECT * FROM task_dependencies").description] == ["task_id", "depends_on"]


@pytest.mark.parametrize("table", [t for t in Table if t not in (Table.HEADER, Table.COUNTS)])
def test_every_field_of_a_reading_has_a_column(db: Database, table: Table) -> None:
    """And the columns that triggers journal are all that the table has."""
    have = [name for _, name, *_ in db.rows(f"PRAGMA table_info({table})")]
    assert list(RECORD_COLUMNS[table]) == have
    assert set(FIELDS[table]) - {"dependencies"} <= set(have)


IDS = ["T1", "T21", "T20a", "T5b", "META-1", "T999", "T27f", "T5ab2", "T-4", "META3", "21", "T", "t1", "T1.2", "T1-2",
       "[TASK ID]", "2025-05-02", "", "T1 ", " T1", "META--1", "T1A", "-", "T1a2b", "Ta1"]  # fmt: skip


@pytest.mark.parametrize("text", IDS)
def test_what_a_document_calls_an_id_may_be_stored(client: sqlite3.Connection, text: str) -> None:
    """Every id that the parser knows passes, and nothing passes that is not shaped like one."""
    shaped = re.fullmatch(r"[A-Z]+-?\d+[a-z]*\d*", text) is not None
    assert shaped or re.fullmatch(TASK_ID, text) is None
    statements = (
        ("INSERT INTO tasks(id) VALUES (?)", "id must look like T21"),
        ("INSERT INTO task_dependencies VALUES ('T77', ?)", "depends_on must look like T21"),
    )
    client.execute("INSERT INTO tasks(id) VALUES ('T77')")
    for statement, message in statements:
        if shaped:
            client.execute(statement, (text,))
        else:
            with pytest.raises(sqlite3.IntegrityError, match=message):
                client.execute(statement, (text,))


REFUSED = [
    ("INSERT INTO tasks(id, status) VALUES ('T1', 'done')", "status must be one of pending, .*cancelled, or NULL"),
    ("INSERT INTO tasks(id, priority) VALUES ('T1', 'high')", "priority must be one of CRITICAL, HIGH, MEDIUM, LOW"),
    ("INSERT INTO tasks(id, started) VALUES ('T1', 'Nov 3')", "started must be a date like 2025-11-13"),
    ("INSERT INTO tasks(id, completed) VALUES ('T1', '-')", "completed must be a date"),
    ("INSERT INTO edit_entries(date) VALUES ('2025-11-13 10:00')", "date must be a date"),
    ("INSERT INTO edit_entries(time) VALUES ('9:05')", "time must be a time like 17:48"),
    ("INSERT INTO sessions(session_date) VALUES ('20250422')", "session_date must be a date"),
    ("INSERT INTO session_cache(id) VALUES (2)", "session_cache has one row"),
    ("INSERT INTO file_modifications(edit_entry_id, action) VALUES (9, 'Modified')", "edit_entry_id must be the id of"),
    ("INSERT INTO task_dependencies VALUES ('T9', 'T1')", "task_id must be the id of a row of tasks"),
    ("INSERT INTO task_subtasks(task_id, text) VALUES ('T9', 'x')", "task_id must be the id of a row of tasks"),
    ("INSERT INTO tasks(id, title) VALUES ('T1', x'00ff')", "BLOB"),
]


@pytest.mark.parametrize(("statement", "message"), REFUSED)
def test_a_row_that_breaks_the_vocabulary_is_refused_with_what_is_allowed(
    client: sqlite3.Connection, statement: str, message: str
) -> None:
    """By the database itself, so that every client hears it, and without a trace in the journal."""
    with pytest.raises(sqlite3.Error, match=message):
        client.execute(statement)
    assert client.execute("SELECT count(*) FROM row_changes").fetchone() == (0,)


def test_a_child_cannot_be_moved_to_a_parent_that_is_not_there(client: sqlite3.Connection) -> None:
    """The same rule for updates."""
    client.execute("INSERT INTO edit_entries(id) VALUES (1)")
    client.execute("INSERT INTO file_modifications(edit_entry_id) VALUES (1)")
    with pytest.raises(sqlite3.IntegrityError, match="edit_entry_id must be"):
        client.execute("UPDATE file_modifications SET edit_entry_id = 2")


def test_dates_and_times_as_precise_as_written_pass(client: sqlite3.Connection) -> None:
    """With and without time, with and without seconds, and none at all."""
    client.execute("INSERT INTO tasks(id, started, completed) VALUES ('T1', '2025-11-13', '2025-11-13 10:30:00')")
    client.execute("INSERT INTO edit_entries(date, time) VALUES "
                   "('2025-11-13', '10:30'), (NULL, '10:30:05'), (NULL, NULL)")


def test_dependencies_may_point_outside_the_bank(client: sqlite3.Connection) -> None:
    """A task that is not known yet, or no longer."""
    client.execute("INSERT INTO tasks(id) VALUES ('T1')")
    client.execute("INSERT INTO task_dependencies VALUES ('T1', 'T404')")


def test_deleting_a_parent_deletes_what_belongs_to_it(db: Database, client: sqlite3.Connection) -> None:
    """Also for a client that does not enforce foreign keys; nothing dangles."""
    client.executescript("""
        INSERT INTO tasks(id) VALUES ('T1'), ('T2');
        INSERT INTO task_dependencies VALUES ('T1', 'T2'), ('T2', 'T1');
        INSERT INTO task_subtasks(task_id, text) VALUES ('T1', 'one'), ('T2', 'two');
        INSERT INTO edit_entries(id) VALUES (1), (2);
        INSERT INTO file_modifications(edit_entry_id, action) VALUES (1, 'Created'), (2, 'Modified');
        DELETE FROM tasks WHERE id = 'T1'; DELETE FROM edit_entries WHERE id = 1;
    """)
    assert db.rows("SELECT * FROM task_dependencies") == [("T2", "T1")]
    assert db.rows("SELECT text FROM task_subtasks") == [("two",)]
    assert db.rows("SELECT action FROM file_modifications") == [("Modified",)]
    assert db.integrity() == []


QUESTIONS = [
    "SELECT * FROM edit_entries WHERE date = '2025-11-13'",
    "SELECT * FROM edit_entries WHERE task_id = 'T21'",
    "SELECT * FROM file_modifications WHERE file_path = 'src/a.py'",
    "SELECT * FROM file_modifications WHERE edit_entry_id = 1",
    "SELECT * FROM task_dependencies WHERE depends_on = 'T21'",
    "SELECT * FROM task_subtasks WHERE task_id = 'T21' ORDER BY position",
    "SELECT * FROM row_changes WHERE \"transaction\" IS NULL",
    "SELECT * FROM row_changes WHERE \"table\" = 'tasks' AND key = 'T21'",
    "SELECT * FROM versions WHERE path = 'tasks.md' ORDER BY id DESC LIMIT 20",
    "SELECT * FROM versions WHERE \"transaction\" = 7 ORDER BY id DESC",
    "SELECT * FROM sections WHERE document_id = 1 ORDER BY position",
    "SELECT * FROM conflicts WHERE resolved_at IS NULL AND document = 'x'",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_people_ask_is_answered_by_an_index(client: sqlite3.Connection, question: str) -> None:
    """No scan of a whole table, no sorting."""
    plan = " ".join(row[3] for row in client.execute(f"EXPLAIN QUERY PLAN {question}"))
    assert "SEARCH" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
