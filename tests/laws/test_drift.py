"""What each transaction notes of drift is what a look at all places finds."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from schema import overview
from syncd import drift
from syncd.engine import Engine
from tests.laws.banks import Tree, bank_of, change_a_row, engine_of, save, trees
from tests.laws.profile import examples
from tests.laws.strategies import body_of


@examples(40, shrink=False)
@given(trees(least=3), st.randoms(use_true_random=False), st.data())
def test_what_is_noted_is_what_is_found(tree: Tree, chance: random.Random, data: st.DataObject) -> None:
    """After the first import, after rows and documents were changed, and after a document is gone."""
    with bank_of(tree) as bank, engine_of(bank) as engine:
        engine.converge()
        _is_known(engine)
        for _ in range(3):
            for _ in range(chance.randint(0, 2)):
                change_a_row(engine.db, chance)
            path = chance.choice(sorted(tree))
            save(bank, path, None if chance.random() < 0.15 else data.draw(body_of(path, 5)))
            engine.converge(follow=chance.random() < 0.3)
            _is_known(engine)


def _is_known(engine: Engine) -> None:
    # A bank whose documents are all empty, or held, has no transaction yet, or rows that wait.
    if overview.unsealed(engine.db):
        return
    found = {(d.key, d.field) for d in drift.find(engine.db)}
    assert overview.noted_fields(engine.db) == found
    if found or overview.noted_drift(engine.db) is not None:
        assert overview.noted_drift(engine.db) == drift.count(engine.db)
