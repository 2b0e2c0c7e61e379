"""Without its database a bank is what its files say; without its files, what its database says."""

from __future__ import annotations

import random
import shutil

from hypothesis import given
from hypothesis import strategies as st

from schema import history
from tests.laws.banks import Tree, bank_of, change_a_row, engine_of, files, save, shown, trees
from tests.laws.profile import examples
from tests.laws.strategies import body_of


@examples(30, shrink=False)
@given(trees(), st.randoms(use_true_random=False), st.data())
def test_a_database_made_anew_holds_the_values_that_the_files_show(
    tree: Tree, chance: random.Random, data: st.DataObject
) -> None:
    """After changes of both sides: every column that a current place shows, and no file touched."""
    with bank_of(tree) as bank:
        with engine_of(bank) as engine:
            engine.converge()
            for _ in range(chance.randint(0, 3)):
                change_a_row(engine.db, chance)
                if chance.random() < 0.4:
                    path = chance.choice(sorted(tree))
                    save(bank, path, data.draw(body_of(path, 5)))
                if engine.converge(follow=True).problems:
                    return  # a value that has no place in the files cannot come back from them; that was told
            before, texts = shown(engine), files(bank)
        shutil.rmtree(bank / ".syncd")
        with engine_of(bank) as engine:
            engine.converge()
            assert shown(engine) == before
        assert files(bank) == texts


@examples(10, shrink=False)
@given(trees(), st.randoms(use_true_random=False))
def test_files_made_anew_are_the_same_to_the_byte(tree: Tree, chance: random.Random) -> None:
    """What the database gives for each document is what its file held."""
    with bank_of(tree) as bank, engine_of(bank) as engine:
        engine.converge()
        for _ in range(3):
            change_a_row(engine.db, chance)
        engine.converge()
        assert history.paths_at(engine.db, None) == files(bank)
