"""The journal tells the truth about what any client did."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import journal
from schema.db import Database

SMALL = ("title", "status")


def told(client: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """All changes as (table, key, operation, before, after), without columns that are NULL."""

    def values(text: str | None) -> dict[str, Any] | None:
        return None if text is None else {k: v for k, v in json.loads(text).items() if v is not None}

    rows = client.execute('SELECT "table", key, operation, before, after FROM row_changes ORDER BY id').fetchall()
    return [(table, key, op, values(before), values(after)) for table, key, op, before, after in rows]


def test_insert_update_and_delete_are_journalled(client: sqlite3.Connection) -> None:
    """Whole rows where they come and go, for an update what changed."""
    client.executescript("""
        INSERT INTO tasks(id, title, status) VALUES ('T1', 'One', 'pending');
        UPDATE tasks SET status = 'completed', title = title WHERE id = 'T1';
        DELETE FROM tasks;
    """)
    assert told(client) == [
        ("tasks", "T1", "insert", None, {"id": "T1", "title": "One", "status": "pending"}),
        ("tasks", "T1", "update", {"status": "pending"}, {"status": "completed"}),
        ("tasks", "T1", "delete", {"id": "T1", "title": "One", "status": "completed"}, None),
    ]


def test_an_update_that_changes_nothing_is_no_change(client: sqlite3.Connection) -> None:
    """Scripts write whole rows."""
    client.execute("INSERT INTO tasks(id, title) VALUES ('T1', NULL)")
    client.execute("UPDATE tasks SET title = NULL, id = id")
    assert len(told(client)) == 1


def test_null_and_odd_text_are_told_apart(client: sqlite3.Connection) -> None:
    """Quotes, line breaks, characters beyond the BMP, the empty text, NUL."""
    text = "a \"b\" 'c'\n\t\\ 🔄 \u2028 \x00 z"
    client.execute("INSERT INTO error_logs(cause) VALUES (?)", (text,))
    client.execute("UPDATE error_logs SET cause = ''")
    client.execute("UPDATE error_logs SET cause = NULL")
    changes = client.execute("SELECT before, after FROM row_changes WHERE operation = 'update'").fetchall()
    assert [tuple(map(json.loads, c)) for c in changes] == [
        ({"cause": text}, {"cause": ""}),
        ({"cause": ""}, {"cause": None}),
    ]


EVERY_TABLE = {
    "edit_entries": "INSERT INTO edit_entries(date, time, task_description) VALUES ('2025-11-13', '10:00', 'x')",
    "sessions": "INSERT INTO sessions(session_date, content) VALUES ('2025-11-13', 'x')",
    "session_cache": "INSERT INTO session_cache(current_session_id) VALUES ('x')",
    "error_logs": "INSERT INTO error_logs(cause) VALUES ('x')",
}


@pytest.mark.parametrize("table", EVERY_TABLE)
def test_every_table_of_records_is_journalled(client: sqlite3.Connection, table: str) -> None:
    """Keys of rows with a number are that number as text."""
    client.execute(EVERY_TABLE[table])
    client.execute(f"DELETE FROM {table}")
    assert [change[:3] for change in told(client)] == [(table, "1", "insert"), (table, "1", "delete")]


def test_a_changed_key_is_a_deletion_and_an_insertion(db: Database, client: sqlite3.Connection) -> None:
    """And what belongs to the row goes with it."""
    client.executescript("""
        INSERT INTO tasks(id) VALUES ('T1'); INSERT INTO task_dependencies VALUES ('T1', 'T9');
        INSERT INTO task_subtasks(task_id, text) VALUES ('T1', 'x'); DELETE FROM row_changes;
        UPDATE tasks SET id = 'T2';
    """)
    assert sorted(c[:3] for c in told(client)) == [
        ("task_dependencies", "T1>T9", "delete"),
        ("task_dependencies", "T2>T9", "insert"),
        ("task_subtasks", "1", "update"),
        ("tasks", "T1", "delete"),
        ("tasks", "T2", "insert"),
    ]
    assert db.integrity() == []


def test_what_goes_with_a_row_is_journalled_before_it(client: sqlite3.Connection) -> None:
    """Taken back from the end, the parent is there again first."""
    client.executescript("""
        INSERT INTO edit_entries(id) VALUES (1); INSERT INTO file_modifications(edit_entry_id) VALUES (1);
        DELETE FROM row_changes; DELETE FROM edit_entries;
    """)
    assert [c[:3] for c in told(client)] == [("file_modifications", "1", "delete"), ("edit_entries", "1", "delete")]


@pytest.mark.parametrize("recursive", [0, 1])
@pytest.mark.parametrize("foreign_keys", [0, 1])
def test_a_replaced_row_does_not_vanish_silently(
    db: Database, client: sqlite3.Connection, recursive: int, foreign_keys: int
) -> None:
    """INSERT OR REPLACE fires no delete triggers by default; the journal still accounts for every row."""
    client.executescript(f"PRAGMA recursive_triggers = {recursive}; PRAGMA foreign_keys = {foreign_keys}")
    client.executescript("""
        INSERT INTO tasks(id, title, status) VALUES ('T1', 'One', 'pending');
        INSERT INTO task_dependencies VALUES ('T1', 'T9');
        DELETE FROM row_changes;
        INSERT OR REPLACE INTO tasks(id, title) VALUES ('T1', 'Two');
    """)
    net = _net(db)
    assert net[("tasks", "T1")] == ({"title": "One", "status": "pending"}, {"title": "Two", "status": None})
    left = client.execute("SELECT count(*) FROM task_dependencies").fetchone()[0]
    assert (("task_dependencies", "T1>T9") in net) == (left == 0)


def _net(db: Database) -> dict[tuple[str, str], Any]:
    """Before and after of each row that differs, as the journal has it."""
    return {key: (n.before, n.after) for key, n in journal.coalesce(journal.pending(db)).items()}


def test_a_row_that_was_not_replaced_is_not_journalled(client: sqlite3.Connection) -> None:
    """OR IGNORE and upserts meet the same row without removing it; later rows are not mistaken for it."""
    client.executescript("""
        INSERT INTO tasks(id, title) VALUES ('T1', 'One');
        INSERT OR IGNORE INTO tasks(id, title) VALUES ('T1', 'Two');
        INSERT INTO tasks(id, title) VALUES ('T1', 'Three') ON CONFLICT(id) DO NOTHING;
        INSERT INTO tasks(id, title) VALUES ('T1', 'Four') ON CONFLICT(id) DO UPDATE SET title = excluded.title;
        DELETE FROM tasks;
        INSERT INTO tasks(id, title) VALUES ('T1', 'Five');
    """)
    assert [(c[2], (c[4] or {}).get("title")) for c in told(client)] == [
        ("insert", "One"), ("update", "Four"), ("delete", None), ("insert", "Five"),
    ]  # fmt: skip


def test_a_row_that_replaces_itself_is_no_change(client: sqlite3.Connection) -> None:
    """As a script that loads a dump again does."""
    for _ in range(2):
        client.execute("INSERT OR REPLACE INTO error_logs(id, cause) VALUES (7, 'x')")
    assert len(told(client)) == 1


def test_an_update_never_replaces_another_row(client: sqlite3.Connection) -> None:
    """OR REPLACE would remove it without a word."""
    client.execute("INSERT INTO tasks(id) VALUES ('T1'), ('T2')")
    client.execute("INSERT INTO sessions(path) VALUES ('sessions/a.md'), ('sessions/b.md')")
    for statement in (
        "UPDATE OR REPLACE tasks SET id = 'T2' WHERE id = 'T1'",
        "UPDATE OR REPLACE sessions SET path = 'sessions/b.md'",
        "INSERT OR REPLACE INTO sessions(path) VALUES ('sessions/a.md')",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=r"already|another session"):
            client.execute(statement)
    assert len(told(client)) == 4


def test_a_refused_statement_leaves_no_trace(client: sqlite3.Connection) -> None:
    """A statement of several rows of which the last is refused does nothing at all."""
    with pytest.raises(sqlite3.IntegrityError):
        client.execute("INSERT INTO tasks(id, status) VALUES ('T1', 'pending'), ('T2', 'odd')")
    assert told(client) == []


def test_prose_that_another_client_edits_is_journalled(client: sqlite3.Connection) -> None:
    """Text of sections is a part of the database like any other."""
    client.executescript("""
        INSERT INTO documents VALUES (1, 'a.md', 'prose', '', 0, 0, 0, 0, NULL, NULL);
        INSERT INTO sections(document_id, position, level, heading, text) VALUES (1, 1, 0, '', 'old');
        INSERT INTO sections(document_id, position, level, heading, text) VALUES (1, 2, 0, '', x'ff00');
        DELETE FROM row_changes;
        UPDATE sections SET text = 'new' WHERE id = 1; UPDATE sections SET level = 1;
    """)
    assert told(client) == [("sections", "1", "update", {"text": "old"}, {"text": "new"})]
    with pytest.raises(sqlite3.IntegrityError, match="not UTF-8 is left alone"):
        client.execute("UPDATE sections SET text = 'text' WHERE id = 2")


def test_the_daemon_own_sections_are_not_journalled(db: Database) -> None:
    """Their texts are in the versions already."""
    with db.atomic():
        opened = journal.begin_transaction(db, "sync", "file")
        db.run("INSERT INTO documents VALUES (1, 'a.md', 'prose', '', 0, 0, 0, 0, NULL, NULL)")
        db.run("INSERT INTO sections VALUES (1, 1, 1.0, 0, '', 'old')")
        db.run("UPDATE sections SET text = 'new'")
        db.run("DELETE FROM sections")
        assert journal.changes_of(db, opened.number) == []


_ids = st.sampled_from(["T1", "T2"])
_titles = st.sampled_from(["x", "y", None])
_statements = st.one_of(
    st.tuples(st.sampled_from([
        "INSERT OR REPLACE INTO tasks(id, title) VALUES (?, ?)",
        "INSERT OR IGNORE INTO tasks(id, title) VALUES (?, ?)",
        "INSERT INTO tasks(id, title) VALUES (?, ?)",
        "INSERT INTO tasks(id, title) VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET title = excluded.title",
        "UPDATE tasks SET title = ?2 WHERE id = ?1",
        "UPDATE OR IGNORE tasks SET id = ?1, title = ?2",
        "DELETE FROM tasks WHERE id = ?1 OR title IS ?2",
        "INSERT OR IGNORE INTO task_subtasks(task_id, text) VALUES (?, ?)",
        "REPLACE INTO task_subtasks(id, task_id, text) VALUES (1, ?, ?)",
    ]), _ids, _titles),
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(_statements, max_size=8), recursive=st.booleans(), foreign_keys=st.booleans())
def test_the_net_change_is_the_difference_of_the_tables(
    db: Database,
    client: sqlite3.Connection,
    script: list[tuple[str, str, str | None]],
    recursive: bool,
    foreign_keys: bool,
) -> None:
    """For any statements: what the journal says happened is what can be seen to have happened."""
    client.executescript(
        f"PRAGMA recursive_triggers = {int(recursive)}; PRAGMA foreign_keys = {int(foreign_keys)};"
        "DELETE FROM tasks; INSERT INTO tasks(id, title) VALUES ('T1', 'x');"
        "INSERT INTO task_subtasks(id, task_id, text) VALUES (1, 'T1', 'x'); DELETE FROM row_changes;"
    )
    before = _content(client)
    for statement, key, title in script:
        try:
            client.execute(statement, (key, title))
        except sqlite3.IntegrityError:
            continue
    after = _content(client)
    net = _net(db)
    differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert set(net) == differing
    for key, (old, new) in net.items():
        for values, rows in ((old, before), (new, after)):
            assert (values is None) == (key not in rows)
            assert all(rows[key][name] == value for name, value in (values or {}).items())


def _content(client: sqlite3.Connection) -> dict[tuple[str, str], dict[str, str | None]]:
    """All tasks and subtasks by table and key, values as text."""
    found = {}
    for table in ("tasks", "task_subtasks"):
        cursor = client.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        for row in cursor:
            found[table, str(row[0])] = {
                n: None if v is None else str(v) for n, v in zip(names, row, strict=True)
            }
    return found
