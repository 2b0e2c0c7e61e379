"""Places in the history as people name them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from schema import journal
from syncd.errors import SyncdError, UsageError
from syncd.history.since import Since, local, moment, since

LiveBank = Any


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two hours east of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XXX-2")
        time.tzset()
        yield
    time.tzset()


def test_a_date_is_the_systems_midnight() -> None:
    """As the log has it, in UTC."""
    assert moment("2026-03-04") == "2026-03-03T22:00:00.000000Z"
    assert moment("2026-03-04T10:30") == "2026-03-04T08:30:00.000000Z"
    assert moment("2026-03-04T10:30Z") == "2026-03-04T10:30:00.000000Z"
    assert local("2026-03-03T22:00:00.000000Z") == "2026-03-04 00:00:00"


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "T21"])
def test_anything_else_is_refused(text: str) -> None:
    """With what would be understood."""
    with pytest.raises(UsageError, match="neither a date nor a transaction"):
        moment(text)


def test_a_transaction_is_the_last_one_that_is_not_wanted(live: LiveBank) -> None:
    """By its number or its id; one that is not there is said."""
    last = journal.latest(live.engine.db)
    assert last is not None
    assert since(live.engine.db, "1") == since(live.engine.db, last.transaction_id) == Since(after=1)
    with pytest.raises(SyncdError, match="no such transaction"):
        since(live.engine.db, "20260101")
