"""The order in which documents are absorbed makes no difference."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.banks import Tree, bank_of, engine_of, rows, save, trees
from tests.laws.profile import examples


@examples(12, shrink=False)
@given(trees(3, 5), st.randoms(use_true_random=False))
def test_absorbing_documents_in_any_order_gives_the_same_rows(tree: Tree, chance: random.Random) -> None:
    """All at once, and one by one in two orders: the same rows by value."""
    with bank_of(tree) as bank, engine_of(bank) as engine:
        engine.converge()
        at_once = rows(engine.db)
    for _ in range(2):
        order = sorted(tree)
        chance.shuffle(order)
        with bank_of({}) as bank, engine_of(bank) as engine:
            for path in order:
                save(bank, path, tree[path])
                engine.converge()
            assert rows(engine.db) == at_once, order
