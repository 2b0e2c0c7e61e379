"""A bank is worked on from both sides at random, with undo and restore: every state that ever was comes back.

After each operation the files and rows are remembered. At the end each remembered state is exported and compared, byte
by byte and column by column, and what an operation must give is checked when it is made:

- the undo of the last transaction gives the state before it, the undo of that undo the state behind it;
- the undo of an older one leaves documents alone that it did not write, and keeps what came later in those it wrote;
- one that later changes stand in the way of changes nothing;
- while the database is first, a document that is edited by hand is put back to the byte, and the save is kept;
- behind a prune all states from there on stay exact, and what was folded is refused with a line.

`python -m prove.history SEED/BANK [OPERATIONS]` runs one bank of a seed alone, and leaves it where it says.
"""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from prove.frame import ROOT, Budget, Result, scratch
from prove.livebank import Bank
from prove.races import without_sync

WHAT = "operations: edits, rows, conflicts, holds, undos, restores, prunes, cutovers at random; every state comes back"
WHOLE = Budget(10_000, 420)
SHORT = Budget(60, 20)

_BANK = 250
"""Operations on one bank before the next is begun."""

_OPERATIONS: tuple[tuple[Callable[[Bank], None], float], ...] = (
    (Bank.edit, 6), (Bank.put, 2), (Bank.row, 5), (Bank.both, 2), (Bank.settle, 3), (Bank.undo, 4),
    (Bank.restore, 2), (Bank.work, 1), (Bank.turn, 0.4), (Bank.prune, 0.2),
)  # fmt: skip


def run(budget: Budget, seed: int) -> Result:
    """Banks one after the other, until the budget is used up."""
    result, end, did = Result(), time.monotonic() + budget.seconds, Counter[str]()
    number = 0
    while result.points < budget.points and time.monotonic() < end:
        number += 1
        with scratch("history") as folder:
            did += _one(folder, result, min(_BANK, budget.points - result.points), end, f"{seed}/{number}")
    result.notes.append(", ".join(f"{count} {what}" for what, count in sorted(did.items())))
    return result


def _one(folder: Path, result: Result, most: int, end: float, name: str) -> Counter[str]:
    """Work on the bank ``name``; what was done to it, counted."""
    chance = random.Random(name)
    shutil.copytree(ROOT / "syncd" / "sample", folder / "bank")
    with without_sync():
        bank = Bank(folder / "bank", chance)
        try:
            _work(bank, chance, result, most, end, name)
            return bank.did
        finally:
            bank.close()


def _work(bank: Bank, chance: random.Random, result: Result, most: int, end: float, name: str) -> None:
    operations, weights = zip(*_OPERATIONS, strict=True)
    for turn in range(most):
        if time.monotonic() > end:
            break
        operation = chance.choices(operations, weights)[0]
        result.points += 1
        try:
            operation(bank)
        except Exception as error:
            bank.failures.append(f"{operation.__name__}: {type(error).__name__}: {error}")
        if bank.failures:
            result.failures += [f"bank {name}, operation {turn}: {failure}" for failure in bank.failures]
            return
    bank.check()
    result.failures += [f"bank {name}: {failure}" for failure in bank.failures[:5]]


def main() -> int:
    """Run one bank of a seed."""
    name, most = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else _BANK
    folder = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/var/tmp") / f"syncd-history-{name.replace('/', '-')}"
    shutil.rmtree(folder, ignore_errors=True)
    result = Result()
    did = _one(folder, result, most, time.monotonic() + WHOLE.seconds, name)
    print(f"{folder}: {dict(sorted(did.items()))}", *result.failures, sep="\n")
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())
