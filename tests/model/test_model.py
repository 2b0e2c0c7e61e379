"""The model in short: a few seeds, chosen by hypothesis, which makes a run that fails shorter by itself.

The whole is part of ``make prove``; ``python -m tests.model --seconds 600`` runs it by hand.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.profile import examples
from tests.model.machine import run, steps_of

numbers = st.integers(0, 2**32 - 1)


@examples(5)
@given(st.integers(0, 1000), st.lists(numbers, min_size=10, max_size=25))
def test_the_guarantees_hold_after_every_step(bank: int, steps: list[int]) -> None:
    """Edits, row changes, crashes, lost events, stale writers, restored databases, in any order."""
    done = run(bank, steps)
    assert done.broken is None, "\n".join([*done.trace, done.broken or "", f"python -m tests.model --only {bank}:…"])


def test_the_same_seed_gives_the_same_trace() -> None:
    """So a run that failed can be run again: what was done, what came of it, the numbers of rows."""
    for seed in (5, 6):
        first, second = (run(seed, steps_of(seed, 25)) for _ in range(2))
        assert first.trace == second.trace
        assert len(first.trace) == 27
