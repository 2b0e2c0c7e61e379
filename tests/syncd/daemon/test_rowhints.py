"""Whether another process committed, as the log's events and SQLite's counter tell it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from syncd.daemon import rowhints
from syncd.daemon.rowhints import RowHints


class Database:
    """A counter as others drive it, and what this connection wrote."""

    version = 1
    wrote = 0


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made here: other threads of the process sleep by the clock's own module."""
    pauses: list[float] = []
    monkeypatch.setattr(rowhints, "time", SimpleNamespace(sleep=pauses.append))
    return pauses


def hints(db: Database) -> RowHints:
    return RowHints(lambda: db.version, lambda: db.wrote)


def test_a_commit_that_cannot_be_seen_yet_is_waited_for_a_moment(slept: list[float]) -> None:
    """Its event comes first; what is not seen then is looked for again later."""
    db = Database()
    rows = hints(db)
    assert not rows.changed(True, 1.0)
    assert 0.003 < sum(slept) < 0.004
    assert rows.at is not None
    assert 1.0 < rows.at <= 1.004
    db.version += 1
    assert rows.changed(False, rows.at)


def test_behind_an_own_commit_or_before_other_work_nothing_is_waited_for(slept: list[float]) -> None:
    """The event is most likely of that commit; a file that was saved would wait for nothing. The later looks stay."""
    db = Database()
    rows = hints(db)
    db.wrote += 3
    assert not rows.changed(True, 1.0)
    assert not rows.changed(True, 2.0, hurry=True)
    assert slept == []
    assert rows.at is not None
    assert 2.0 < rows.at <= 2.004
    assert not rows.changed(True, 3.0)
    assert slept, "nothing was written since the last event"


def test_a_commit_of_another_behind_an_own_one_is_seen_at_once_or_at_the_next_look() -> None:
    """Both are behind one event."""
    db = Database()
    rows = hints(db)
    db.wrote, db.version = 1, 2
    assert rows.changed(True, 1.0)
    db.wrote = 2
    assert not rows.changed(True, 2.0)
    db.version = 3
    assert rows.at is not None
    assert rows.changed(False, rows.at)
