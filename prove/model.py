"""The whole engine under a model: any order of edits, row changes, crashes, lost events, old writers, old databases.

Each item is a bank of its own, with its steps from its number; after every converge the guarantees are looked at
(`tests.model.oracle`). What fails is told with the number of its bank: ``python -m tests.model --seed N`` runs it again
and makes it shorter.
"""

from __future__ import annotations

from itertools import count

from prove.frame import Budget, Result, spread
from tests.model import machine

WHAT = "steps of people, programs, crashes and old databases on a bank, with every guarantee looked at after each"
WHOLE = Budget(10_000_000, 360, 2)
SHORT = Budget(60, 12)

_LENGTH = 40


def _tried(seed: int) -> Result:
    done = machine.run(seed, machine.steps_of(seed, _LENGTH))
    return Result(len(done.trace), [f"bank {seed}: {done.broken}"] if done.broken else [])


def run(budget: Budget, seed: int) -> Result:
    """Bank by bank, from the number that the seed gives."""
    return spread(_tried, count(seed * 1_000_000), budget)
