"""A process is killed before one of its system calls; the next one must find old or new, and finish the work.

Each point is one call of one scenario: a write or sync of the database's files too. A third of the points kill the
recovery as well, before a call of its own.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prove import strike
from prove.frame import Budget, Result, less, scratch, spread
from prove.oracle import Oracle
from prove.scenarios import SCENARIOS, Scenario, converge
from syncd.daemon import daemon

WHAT = f"kills before a system call, in {len(SCENARIOS)} scenarios; then a new process, killed too at a third of them"
WHOLE = Budget(10_000, 1000, 2)
SHORT = Budget(110, 25)


@dataclass(frozen=True, slots=True)
class _Point:
    """``call`` number ``number`` of a scenario's act ("" counts what hooks count), and of the recovery."""

    scenario: str
    call: str
    number: int
    again: int | None

    def __str__(self) -> str:
        second = f", then {self.again} of the recovery" if self.again else ""
        return f"{self.scenario}, before {self.call or 'hooked call'} {self.number}{second}"


def run(budget: Budget, seed: int) -> Result:
    """Points are spread over all scenarios and calls by chance; where strace is not, hooks in Python count calls."""
    daemon.load_all()
    began = time.monotonic()
    whole = budget.workers > 1
    kernel = whole and strike.has_strace()
    total = Result()
    if whole and not kernel:
        total.skipped.append("system calls of SQLite: strace is not installed; calls were counted in Python")
    with scratch("kill") as folder:
        oracles = {s.name: Oracle(s, folder / str(n)) for n, s in enumerate(_chosen(budget, seed))}
        points, possible = _points(oracles, kernel, budget.points, random.Random(seed))
        total.notes.append(f"{possible:,} different points, {len(oracles)} scenarios")
        total.add(spread(lambda point: _try(oracles, point), points, strike.busy(less(budget, began))))
    return total


def _chosen(budget: Budget, seed: int) -> Sequence[Scenario]:
    """All scenarios; for a short run as many as it has points for."""
    return SCENARIOS if budget.workers > 1 else random.Random(seed).sample(SCENARIOS, 14)


def _points(oracles: dict[str, Oracle], kernel: bool, wanted: int, chance: random.Random) -> tuple[list[_Point], int]:
    """Points without a second kill in an order of chance, all scenarios by turns; how many different there are."""
    queues = []
    for name, oracle in oracles.items():
        bank = oracle.copy("counted")
        act = oracle.scenario.act
        counts = strike.calls_of(act, bank) if kernel else {"": strike.hooks_of(act, bank)}
        shutil.rmtree(bank.parent)
        all_points = [(name, call, number) for call, count in counts.items() for number in range(1, count + 1)]
        chance.shuffle(all_points)
        queues.append(all_points)
    possible = sum(len(queue) for queue in queues)
    turns = list(_by_turns(queues))
    chosen = [turns[n % possible] for n in range(wanted + 50)]
    more = [n >= possible or chance.random() < 1 / 3 for n in range(len(chosen))]
    return [_Point(*p, chance.randrange(1, 200) if m else None) for p, m in zip(chosen, more, strict=True)], possible


def _by_turns(queues: list[list[tuple[str, str, int]]]) -> Iterator[tuple[str, str, int]]:
    for rank in range(max(len(queue) for queue in queues)):
        for queue in queues:
            if rank < len(queue):
                yield queue[rank]


def _try(oracles: dict[str, Oracle], point: _Point) -> Result:
    oracle = oracles[point.scenario]
    bank = oracle.copy(f"{point.call}-{point.number}-{point.again}")
    try:
        told = _strike(oracle.scenario.act, bank, point.call, point.number)
        told += oracle.at_once(bank)
        if point.again is not None:
            strike.hooked(converge, bank, point.again)
            told += oracle.at_once(bank)
        told += oracle.afterwards(bank)
    finally:
        shutil.rmtree(bank.parent)
    return Result(1, [f"{point}: {problem}" for problem in told[:3]])


def _strike(act: strike.Act, bank: Path, call: str, number: int) -> list[str]:
    """Kill; a call that did not come this time (another length of a name, a cache) is no failure."""
    if call:
        ending = strike.struck(act, bank, f"{call}:signal=SIGKILL:when={number}")
    else:
        ending = strike.hooked(act, bank, number)
    if ending.killed or ending.code == strike.WELL:
        return []
    return [f"ended with {ending.code}: {ending.said}"]
