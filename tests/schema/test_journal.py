"""Transactions, what they did, and what several changes come to."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from schema import journal, store
from schema.db import Database
from schema.errors import UnknownTransaction
from schema.journal import Net, RowChange, coalesce
from schema.records import Action

NOON = datetime(2025, 11, 13, 12, 0, 0, 123456, tzinfo=UTC)


def commit(db: Database, *statements: str, now: datetime = NOON) -> int:
    """One transaction of ours that runs ``statements``; its number."""
    with db.atomic():
        transaction = journal.begin_transaction(db, "sync", "file", now)
        for statement in statements:
            db.run(statement)
        journal.finish(db, transaction, ["tasks", "sessions", "tasks"], len(statements), 1.23456)
    return transaction.number


def test_our_changes_belong_to_our_transaction(db: Database, client: sqlite3.Connection) -> None:
    """Those of others wait for one."""
    number = commit(db, "INSERT INTO tasks(id, title) VALUES ('T1', 'One')")
    client.execute("UPDATE tasks SET title = 'Two'")
    assert [(c.transaction, c.operation) for c in journal.changes_of(db, number)] == [(number, Action.INSERT)]
    (change,) = journal.pending(db)
    assert (change.transaction, change.table, change.key, change.before, change.after) == (
        None, "tasks", "T1", {"title": "One"}, {"title": "Two"},
    )  # fmt: skip


def test_sealing_takes_what_was_seen_and_no_more(db: Database, client: sqlite3.Connection) -> None:
    """A change that came in between waits for the next transaction."""
    client.execute("INSERT INTO tasks(id) VALUES ('T1'), ('T2')")
    seen = journal.pending(db)
    client.execute("INSERT INTO tasks(id) VALUES ('T3')")
    assert journal.has_pending(db)
    number = commit(db)
    assert journal.seal(db, number, seen[-1].id) == 2
    assert [c.key for c in journal.changes_of(db, number)] == ["T1", "T2"]
    assert [c.key for c in journal.pending(db)] == ["T3"]
    journal.seal(db, number, journal.pending(db)[-1].id)
    assert not journal.has_pending(db)


def test_the_log_says_what_was_done(db: Database) -> None:
    """One row a transaction."""
    number = commit(db, "INSERT INTO tasks(id) VALUES ('T1')")
    last = journal.latest(db)
    assert last is not None
    assert last == journal.transaction(db, number)
    said = astuple(last)
    assert said[2:8] == ("2025-11-13T12:00:00.123456Z", "sync", "file", "sessions, tasks", 1, "completed")
    assert said[8:] == (None, 1.235, None)
    assert last.transaction_id.startswith("20251113-120000.123-")
    assert store.state_get(db, "open_transaction") is None


def test_a_transaction_with_nothing_to_do_leaves_no_trace(db: Database) -> None:
    """Not even a gap in the numbers."""
    first = commit(db)
    with db.atomic():
        transaction = journal.begin_transaction(db, "sync", "file", NOON)
        journal.drop_transaction(db, transaction)
    assert journal.latest(db) == journal.transaction(db, first)
    assert commit(db) == first + 1


def test_a_transaction_that_failed_is_not_open_afterwards(db: Database) -> None:
    """Later changes of others are not taken for its own."""
    with pytest.raises(RuntimeError), db.atomic():  # noqa: PT012 - the block is the subject
        journal.begin_transaction(db, "sync", "file", NOON)
        raise RuntimeError
    db.run("INSERT INTO tasks(id) VALUES ('T1')")
    assert [c.transaction for c in journal.pending(db)] == [None]
    assert journal.latest(db) is None


def test_public_ids_never_go_backwards(db: Database) -> None:
    """Whatever the clock and its zone do; two in one moment differ."""
    east = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    for moment in (NOON, NOON - timedelta(days=1), east, NOON + timedelta(seconds=1)):
        commit(db, now=moment)
    found = [t.transaction_id for t in journal.transactions(db)]
    stamps = [transaction_id[:19] for transaction_id in found]
    assert stamps == sorted(stamps, reverse=True)
    assert len(set(found)) == 4
    assert journal.new_id(NOON, "")[:19] == stamps[1]


def test_a_transaction_is_found_by_number_and_by_public_id(db: Database) -> None:
    """Anything else says how to find out."""
    numbers = [commit(db), commit(db)]
    last = journal.latest(db)
    assert last is not None
    assert journal.resolve_transaction(db, str(numbers[0])) == numbers[0]
    assert journal.resolve_transaction(db, last.transaction_id) == numbers[1]
    for text in ("3", "0", "-1", "", "latest", "9" * 30, "٣", "1.0"):
        with pytest.raises(UnknownTransaction, match="syncd log"):
            journal.resolve_transaction(db, text)
    with pytest.raises(UnknownTransaction):
        journal.transaction(db, 99)


def test_transactions_are_found_by_what_they_touched(db: Database) -> None:
    """Newest first, as many as asked for."""
    first = commit(db, "INSERT INTO tasks(id) VALUES ('T1')", "INSERT INTO tasks(id) VALUES ('T2')")
    second = commit(db, "UPDATE tasks SET title = 'x' WHERE id = 'T1'")
    insert = 'INSERT INTO versions(path, "transaction", emitted, deleted) VALUES (\'tasks.md\', {}, 0, 0)'
    db.run(insert.format(second))
    assert [t.number for t in journal.transactions(db)] == [second, first]
    assert [t.number for t in journal.transactions(db, limit=1)] == [second]
    assert [t.number for t in journal.transactions(db, record=("tasks", "T2"))] == [first]
    assert [t.number for t in journal.transactions(db, path="tasks.md")] == [second]
    assert journal.transactions(db, path="tasks.md", record=("tasks", "T2")) == []
    assert [c.transaction for c in journal.changes_of_record(db, "tasks", "T1")] == [first, second]


def test_long_texts_are_not_kept_twice(db: Database) -> None:
    """One word in a long text costs little, and reads as it was."""
    text = " ".join(f"word{n}" for n in range(4000))
    with db.atomic():
        first = journal.begin_transaction(db, "sync", "file", NOON)
        store.insert_record(db, "sessions", {"content": text})
        journal.finish(db, first, [], 1, 0)
    with db.atomic():
        second = journal.begin_transaction(db, "sync", "file", NOON)
        store.update_record(db, "sessions", "1", {"content": text.replace("word2000", "🔄 ends")})
        journal.finish(db, second, [], 1, 0)
    (insertion,), (update,) = (journal.changes_of(db, t.number) for t in (first, second))
    assert insertion.after is not None
    assert insertion.after["content"] == text
    assert update.before == {"content": text}
    assert update.after == {"content": text.replace("word2000", "🔄 ends")}
    sizes = db.rows("SELECT coalesce(length(before), 0), coalesce(length(after), 0) FROM row_changes")
    assert sizes[1][0] < 60
    assert sum(map(sum, sizes)) < len(text) / 2


def change(operation: Action, before: dict[str, str | None] | None, after: dict[str, str | None] | None) -> RowChange:
    """A change of one task."""
    return RowChange(1, None, "tasks", "T1", operation, before, after)


INSERT, UPDATE, DELETE = Action.INSERT, Action.UPDATE, Action.DELETE
FOLDED = {
    "an insertion and an update are an insertion": (
        [change(INSERT, None, {"a": "1", "b": "2"}), change(UPDATE, {"a": "1"}, {"a": "3"})],
        Net(INSERT, None, {"a": "3", "b": "2"}),
    ),
    "an insertion and a deletion are nothing": (
        [change(INSERT, None, {"a": "1"}), change(DELETE, {"a": "1"}, None)], None,
    ),
    "there and back is nothing": (
        [change(UPDATE, {"a": "1"}, {"a": "2"}), change(UPDATE, {"a": "2"}, {"a": "1"})], None,
    ),
    "updates of different columns are one": (
        [change(UPDATE, {"a": "1"}, {"a": "2"}), change(UPDATE, {"b": None}, {"b": "1"})],
        Net(UPDATE, {"a": "1", "b": None}, {"a": "2", "b": "1"}),
    ),
    "what went back is left out": (
        [change(UPDATE, {"a": "1", "b": "1"}, {"a": "2", "b": "2"}), change(UPDATE, {"a": "2"}, {"a": "1"})],
        Net(UPDATE, {"b": "1"}, {"b": "2"}),
    ),
    "a deletion tells the row as it was before all": (
        [change(UPDATE, {"a": "1"}, {"a": "2"}), change(DELETE, {"a": "2", "b": "3"}, None)],
        Net(DELETE, {"a": "1", "b": "3"}, None),
    ),
    "a deletion and an insertion are an update": (
        [change(DELETE, {"a": "1", "b": "2"}, None), change(INSERT, None, {"a": "1", "b": "3"})],
        Net(UPDATE, {"b": "2"}, {"b": "3"}),
    ),
    "a row that came back as it was is nothing": (
        [change(DELETE, {"a": "1"}, None), change(INSERT, None, {"a": "1"})], None,
    ),
    "an insertion behind nothing is an insertion": (
        [change(INSERT, None, {"a": "1"}), change(DELETE, {"a": "1"}, None), change(INSERT, None, {"a": "2"})],
        Net(INSERT, None, {"a": "2"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDED)
def test_changes_of_a_row_fold(name: str) -> None:
    """What is left of several changes is what somebody sees who looks before and after."""
    changes, net = FOLDED[name]
    assert coalesce(changes) == ({("tasks", "T1"): net} if net else {})


_rows = st.one_of(st.none(), st.fixed_dictionaries({"a": st.sampled_from("12"), "b": st.sampled_from(["1", None])}))


@given(st.lists(_rows, min_size=1, max_size=7))
def test_folding_is_the_difference_of_first_and_last(states: list[dict[str, str | None] | None]) -> None:
    """For any life of a row."""
    changes = []
    for old, new in pairwise(states):
        if old == new:
            continue
        if old is None or new is None:
            changes.append(change(INSERT if old is None else DELETE, old, new))
        else:
            differing = [n for n in old if old[n] != new[n]]
            changes.append(change(UPDATE, {n: old[n] for n in differing}, {n: new[n] for n in differing}))
    first, last = states[0], states[-1]
    net = coalesce(changes).get(("tasks", "T1"))
    if first == last:
        assert net is None
    else:
        assert net is not None
        kept = {**(first or {}), **(net.after or {})} if net.operation is not DELETE else None
        assert kept == last
        assert net.before is None if first is None else (net.before or {}).items() <= first.items()
