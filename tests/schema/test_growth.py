"""The whole recorded history of real banks, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from schema import history, journal
from schema.db import Database


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["process-monitor", "super-chat"])
def test_every_recorded_state_comes_back_and_costs_little(
    db: Database, steps: Callable[[str], Iterator[dict[str, str | None]]], name: str
) -> None:
    """Each text is kept as its difference from the next: a fraction of what was written over time."""
    past: list[tuple[int, dict[str, bytes]]] = []
    tree: dict[str, bytes] = {}
    written = 0
    for changes in steps(name):
        with db.atomic():
            transaction = journal.begin_transaction(db, "sync", "file")
            for path, text in changes.items():
                after = None if text is None else text.encode()
                history.record_version(db, path, transaction.number, tree.pop(path, None), after, emitted=False)
                _store(db, path, after)
                if after is not None:
                    tree[path] = after
                    written += len(after)
            journal.finish(db, transaction, [], 0, 0)
        past.append((transaction.number, dict(tree)))
    for number, then in past:
        assert history.paths_at(db, number) == then
    kept = db.value("SELECT sum(length(before)) FROM versions")
    assert kept < 0.1 * written


def _store(db: Database, path: str, text: bytes | None) -> None:
    """The document as one section."""
    db.run("DELETE FROM documents WHERE path = ?", (path,))
    if text is not None:
        number = db.insert(
            "INSERT INTO documents(path, kind, hash, size, mtime_ns, ctime_ns, inode) VALUES (?, '', '', 0, 0, 0, 0)",
            (path,),
        )
        db.run(
            "INSERT INTO sections(document_id, position, level, heading, text) VALUES (?, 1, 0, '', ?)",
            (number, text.decode()),
        )
