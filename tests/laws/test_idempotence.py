"""Converging twice is converging once."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from syncd.engine import Engine
from tests.laws.banks import Tree, bank_of, change_a_row, engine_of, files, save, stored, times, trees
from tests.laws.profile import examples
from tests.laws.strategies import body_of


@examples(25, shrink=False)
@given(trees())
def test_the_second_converge_writes_nothing(tree: Tree) -> None:
    """Neither to disk nor to the database; and the first one writes no file."""
    with bank_of(tree) as bank, engine_of(bank) as engine:
        before = files(bank)
        first = engine.converge()
        assert first.transaction is not None
        assert files(bank) == before
        _nothing_happens(bank, engine)
    with bank_of(tree) as bank:
        for _ in range(2):
            with engine_of(bank) as engine:
                engine.converge()
        with engine_of(bank) as engine:
            _nothing_happens(bank, engine)


@examples(40, shrink=False)
@given(trees(), st.randoms(use_true_random=False), st.data())
def test_nothing_is_left_after_changes_of_both_sides(tree: Tree, chance: random.Random, data: st.DataObject) -> None:
    """Documents and rows were changed, and met: one converge settles it."""
    with bank_of(tree) as bank, engine_of(bank) as engine:
        engine.converge()
        for _ in range(chance.randint(1, 4)):
            change_a_row(engine.db, chance)
        if chance.random() < 0.6:
            path = chance.choice(sorted(tree))
            save(bank, path, data.draw(body_of(path, 5)))
        engine.converge(follow=chance.random() < 0.5)
        _nothing_happens(bank, engine)


def _nothing_happens(bank: Path, engine: Engine) -> None:
    known, seen, version = stored(engine.db), times(bank), engine.db.value("PRAGMA data_version")
    changes = engine.db.value("SELECT total_changes()")
    report = engine.converge()
    assert report.transaction is None
    assert (report.absorbed, report.emitted) == ((), ())
    assert times(bank) == seen
    assert stored(engine.db) == known
    assert engine.db.value("SELECT total_changes()") == changes
    assert engine.db.value("PRAGMA data_version") == version
