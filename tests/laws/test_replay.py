"""Each state that was ever agreed on comes back to the byte."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from schema import history
from tests.laws.banks import Tree, bank_of, change_a_row, engine_of, files, save, trees
from tests.laws.profile import examples
from tests.laws.strategies import OF_KIND, body_of


@examples(25, shrink=False)
@given(trees(), st.randoms(use_true_random=False), st.data())
def test_the_text_of_each_document_after_each_transaction_is_what_it_was(
    tree: Tree, chance: random.Random, data: st.DataObject
) -> None:
    """After edits, new files, removed files and changes of rows, in any order."""
    known: dict[int, dict[str, bytes]] = {}
    with bank_of(tree) as bank, engine_of(bank) as engine:
        for _ in range(chance.randint(2, 6)):
            report = engine.converge(follow=chance.random() < 0.5)
            if report.number is not None and not report.holds:
                known[report.number] = files(bank)
            match chance.choice(("edit", "edit", "new", "remove", "row", "row", "both")):
                case "edit" | "new":
                    path = chance.choice(sorted(OF_KIND))
                    save(bank, path, data.draw(body_of(path, 5)))
                case "remove":
                    save(bank, chance.choice(sorted(tree)), None)
                case "both":
                    path = chance.choice(sorted(tree))
                    save(bank, path, data.draw(body_of(path, 5)))
                    change_a_row(engine.db, chance)
                case _:
                    change_a_row(engine.db, chance)
        for number, texts in known.items():
            assert history.paths_at(engine.db, number) == texts
            for path in texts:
                assert history.text_at(engine.db, path, number) == texts[path]
