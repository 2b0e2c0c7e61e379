"""Every text that a document ever had can be had again."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import deltas, history, journal, store
from schema.db import Database
from schema.errors import CorruptDatabase, WrongBase


def write(db: Database, *texts: tuple[str, bytes | None], emitted: bool = False) -> int:
    """One transaction that gives documents new texts; its number."""
    with db.atomic():
        transaction = journal.begin_transaction(db, "sync", "file")
        for path, text in texts:
            put(db, transaction.number, path, text, emitted)
        journal.finish(db, transaction, [], 0, 0)
    return transaction.number


def put(db: Database, transaction: int, path: str, text: bytes | None, emitted: bool = False) -> None:
    """A document's text as the daemon stores it: a version, then sections (here: one a line)."""
    history.record_version(db, path, transaction, history.current_text(db, path), text, emitted=emitted)
    if text is None:
        store.drop_document(db, path)
        return
    number = store.save_document(
        db, path, kind="prose", hash="", size=len(text), mtime_ns=0, ctime_ns=0, inode=0, transaction=transaction
    )
    new = [
        store.NewSection(line.decode("utf-8", "surrogateescape"), 0, "", ())
        for line in text.splitlines(keepends=True)
    ]
    store.replace_sections(db, number, store.load_sections(db, number), new)


def test_a_document_as_it_stood_after_each_transaction(db: Database) -> None:
    """Before it existed, changed, removed, and made again."""
    life = [b"one\n", b"one\ntwo\n", b"", None, b"anew\r\n\xff", None, b"\xef\xbb\xbfend"]
    numbers = [write(db, ("other.md", b"x"))] + [write(db, ("a.md", text)) for text in life]
    assert [history.text_at(db, "a.md", n) for n in numbers] == [None, *life]
    assert history.text_at(db, "a.md", None) == life[-1]
    assert history.text_at(db, "missing.md", None) is None
    assert history.current_text(db, "a.md") == life[-1]


def test_a_transaction_may_touch_a_document_twice(db: Database) -> None:
    """Absorbed and then emitted: both texts were on disk, and the second is what the transaction left."""
    first = write(db, ("a.md", b"1"))
    with db.atomic():
        transaction = journal.begin_transaction(db, "sync", "file")
        put(db, transaction.number, "a.md", b"2")
        put(db, transaction.number, "a.md", b"3", emitted=True)
        journal.finish(db, transaction, [], 0, 0)
    assert history.text_at(db, "a.md", first) == b"1"
    assert history.text_at(db, "a.md", transaction.number) == b"3"
    assert history.versions(db, "a.md") == [(transaction.number, True), (transaction.number, False), (first, False)]
    assert [(v.emitted, v.existed, v.exists, text) for v, text in history.texts(db, "a.md")] == [
        (True, True, True, b"3"), (False, True, True, b"2"), (False, False, True, b"1"),
    ]  # fmt: skip


def test_the_text_before_a_version(db: Database) -> None:
    """As a merge needs it for a writer who read long ago."""
    write(db, ("a.md", b"1"))
    write(db, ("a.md", b"2"))
    rows = history.version_rows(db, "a.md")
    assert [history.text_before(db, row.id) for row in rows] == [b"1", None]
    with pytest.raises(KeyError):
        history.text_before(db, 99)


def test_the_whole_bank_at_a_time(db: Database) -> None:
    """Only what existed then, by path."""
    first = write(db, ("b.md", b"1"), ("a.md", b"1"))
    second = write(db, ("a.md", None), ("c.md", b"2"))
    assert list(history.paths_at(db, first).items()) == [("a.md", b"1"), ("b.md", b"1")]
    assert history.paths_at(db, second) == history.paths_at(db, None) == {"b.md": b"1", "c.md": b"2"}
    assert [v.path for v in history.version_rows(db, transaction=second)] == ["c.md", "a.md"]


def test_a_version_knows_size_and_hash_of_what_it_left(db: Database) -> None:
    """So that a text on disk can be found among them."""
    write(db, ("a.md", b"hello"), ("a.md", None))
    assert [v.transaction for v in history.version_rows(db, "a.md", limit=1)] == [1]
    gone, made = history.version_rows(db, "a.md")
    assert (made.size, made.hash_after) == (5, "46fb7408d4f285228f4af516ea25851b")
    assert (gone.size, gone.hash_after, gone.exists) == (None, None, False)


def test_prose_edited_by_another_client_does_not_disturb_the_past(db: Database, client: sqlite3.Connection) -> None:
    """Until it is absorbed, what counts is the text after the last transaction."""
    first, second = write(db, ("a.md", b"1\n2\n3\n")), write(db, ("a.md", b"1\n2\nthree\n"))
    ids = [row[0] for row in client.execute("SELECT id FROM sections ORDER BY position")]
    client.execute("UPDATE sections SET text = 'once\n' WHERE id = ?", (ids[0],))
    client.execute("UPDATE sections SET text = 'twice\n' WHERE id = ?", (ids[0],))
    client.execute("UPDATE sections SET text = '' WHERE id = ?", (ids[1],))
    client.execute("INSERT INTO sections(document_id, position, level, heading, text) VALUES (1, 9, 0, '', 'more')")
    assert history.text_at(db, "a.md", first) == b"1\n2\n3\n"
    assert history.text_at(db, "a.md", second) == history.text_at(db, "a.md", None) == b"1\n2\nthree\n"


def test_a_damaged_history_is_told(db: Database) -> None:
    """Rather than a wrong text."""
    first = write(db, ("a.md", b"line\n" * 50))
    write(db, ("a.md", b"line\n" * 20))
    for damage in (b"\x00\x00\x00", b"\x01\x00\x00\xff", b""):
        db.run("UPDATE versions SET before = ? WHERE before IS NOT NULL", (damage,))
        with pytest.raises(CorruptDatabase, match=r"history of a\.md"):
            history.text_at(db, "a.md", first)


def test_what_stands_before_damage_is_found_where_it_came_again(db: Database) -> None:
    """In a newer version, or behind a time at which there was no document."""
    old = write(db, ("a.md", b"an old text\n"))
    write(db, ("a.md", None))
    numbers = [write(db, ("a.md", text)) for text in (b"one\n" * 9, b"two\n" * 9, b"three\n", b"two\n" * 9, b"end\n")]
    db.run('UPDATE versions SET before = ? WHERE "transaction" = ?', (deltas.encode(b"wrong", b"three\n"), numbers[2]))
    assert history.text_at(db, "a.md", numbers[1]) == b"two\n" * 9
    assert history.text_at(db, "a.md", numbers[0]) == b"one\n" * 9
    assert history.lost(db, "a.md") == []
    db.run('UPDATE versions SET before = ? WHERE "transaction" = ?', (b"\x00\x7f\x7f", numbers[1]))
    with pytest.raises(CorruptDatabase, match="syncd check"):
        history.text_at(db, "a.md", numbers[0])
    assert history.lost(db, "a.md") == [numbers[0]]
    assert history.text_at(db, "a.md", old) == b"an old text\n"
    assert [v.transaction for v, _ in history.texts(db, "a.md")] == [*reversed(numbers[2:])]
    gone: list[str] = []
    assert (history.paths_at(db, numbers[0], gone), gone) == ({}, ["a.md"])


def test_a_version_that_does_not_follow_is_refused(db: Database) -> None:
    """Nothing is recorded; where the chain was broken before, it goes on from what there is."""
    first = write(db, ("a.md", b"one\n"))
    with pytest.raises(WrongBase, match=r"a\.md"):
        history.record_version(db, "a.md", first, b"another\n", b"new\n", emitted=False)
    assert len(history.version_rows(db)) == 1
    db.run("UPDATE versions SET hash_after = 'of no text'")
    second = write(db, ("a.md", b"two\n"))
    third = write(db, ("a.md", b"three\n"))
    assert history.text_at(db, "a.md", second) == b"two\n"
    assert history.text_at(db, "a.md", third) == b"three\n"
    assert history.lost(db, "a.md") == [first]


_lines = st.sampled_from([b"# T1\n", b"- x\n", b"\xff\n", b"\r\n", b"last"])
_texts = st.one_of(st.none(), st.lists(_lines, max_size=9).map(b"".join))
_steps = st.lists(st.dictionaries(st.sampled_from(["a.md", "b.md", "c/d.md"]), _texts, min_size=1), max_size=8)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_every_past_state_is_exact(db: Database, steps: list[dict[str, bytes | None]]) -> None:
    """For any life of a bank."""
    tree: dict[str, bytes] = history.paths_at(db, None)
    past = []
    for step in steps:
        number = write(db, *step.items())
        tree = {path: text for path, text in {**tree, **step}.items() if text is not None}
        past.append((number, tree))
    for number, then in past:
        assert history.paths_at(db, number) == then
