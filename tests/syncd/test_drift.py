"""Places of one task that disagree with its row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schema import overview
from schema.db import Database, open_database
from syncd import drift
from syncd.bank import database_of

Syncd = Callable[..., Any]


@pytest.fixture
def drifting(bank: Path, syncd: Syncd) -> Iterator[tuple[Path, Database]]:
    """A bank whose registry says HIGH of T6 where the task's own file says LOW, and its database."""
    file = bank / "tasks.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("| LOW      | -  ", "| HIGH     | -  "), encoding="utf-8")
    assert syncd("sync", bank).code == 0
    db = open_database(database_of(bank))
    yield bank, db
    db.close()


def test_a_place_that_disagrees_is_found_with_both_values(drifting: tuple[Path, Database]) -> None:
    """The own file outranks the registry, so the registry is what drifts."""
    (found,) = drift.find(drifting[1])
    assert (found.key, found.field, found.document) == ("T6", "priority", "tasks.md")
    assert (found.row, found.shown, found.behind) == ("LOW", "HIGH", False)


def test_how_much_there_is_can_be_noted(drifting: tuple[Path, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody needs to look; noting it again costs nothing."""
    db = drifting[1]
    drift.remember(db)
    assert overview.noted_drift(db) == 1
    monkeypatch.setattr(drift, "find", None)
    drift.remember(db)


def test_what_was_noted_holds_until_the_next_transaction(drifting: tuple[Path, Database], syncd: Syncd) -> None:
    """Afterwards it is counted anew."""
    bank, db = drifting
    overview.note_drift(db, {("T6", f"field {number}") for number in range(7)})
    assert syncd("status", bank, "--json").json["banks"][0]["drift"] == 7
    file = bank / "tasks.md"
    file.write_text(file.read_text(encoding="utf-8").replace("| HIGH     | -  ", "| LOW      | -  "), encoding="utf-8")
    syncd("sync", bank)
    assert overview.noted_drift(db) in (None, 0)
    assert syncd("status", bank, "--json").json["banks"][0]["drift"] == 0


def test_the_order_of_dependencies_is_no_drift(bank: Path, syncd: Syncd) -> None:
    """They are a set."""
    file = bank / "tasks.md"
    file.write_text(file.read_text(encoding="utf-8").replace("| T1, T2  ", "| T2, T1  "), encoding="utf-8")
    syncd("sync", bank)
    db = open_database(database_of(bank))
    assert drift.find(db) == []
    db.close()
