"""What a part of the proof is: how much it may do, what it tried, what failed.

A part is a module of this package with

- ``WHAT``: one line for the report, what is tried;
- ``WHOLE``: its `Budget` in ``make prove``;
- ``SHORT``: its `Budget` in ``make test``;
- ``run(budget, seed) -> Result``: the same seed and points try the same things.

It is registered in `prove.parts`. It writes only below a scratch folder of its own, removes that, and needs no network.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol, TypeVar

ROOT = Path(__file__).resolve().parent.parent

_Item = TypeVar("_Item")
_FAILURES = 100


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a part does: it ends at ``points`` things tried or after ``seconds``, whichever comes first.

    A part whose points are worth processes of their own keeps ``workers`` of them busy; one that mostly waits for
    others says 0.
    """

    points: int
    seconds: float
    workers: int = 1

    def scaled(self, factor: float) -> Budget:
        """So many times as much of both."""
        return replace(self, points=max(1, round(self.points * factor)), seconds=self.seconds * factor)


@dataclass(slots=True)
class Result:
    """What a part did. ``points`` are things tried, counted when they were tried; ``failures`` a sentence each.

    ``skipped`` names what was left out and why (``"emacs: not installed"``); ``notes`` are figures for the report.
    """

    points: int = 0
    failures: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Result) -> None:
        """Count another result in."""
        self.points += other.points
        self.failures += other.failures
        self.skipped += [s for s in other.skipped if s not in self.skipped]
        self.notes += [n for n in other.notes if n not in self.notes]


def less(budget: Budget, began: float) -> Budget:
    """What is left of a budget whose time began at ``began`` (monotonic seconds), a third of it at least.

    In a short run making ready is most of it, and nothing would be tried.
    """
    return replace(budget, seconds=max(budget.seconds / 3, budget.seconds - (time.monotonic() - began)))


class Part(Protocol):
    """What `prove.parts.load` gives: a module of this shape."""

    WHAT: str
    WHOLE: Budget
    SHORT: Budget

    def run(self, budget: Budget, seed: int) -> Result:
        """Try things until the budget is used up."""


@contextmanager
def scratch(name: str, *, memory: bool = True) -> Iterator[Path]:
    """A folder that is removed behind the block: in memory where that can be, else outside the temporary folder,
    where some editors save in another way."""
    homes = ["/dev/shm"] if memory else []
    home = next((h for h in [*homes, "/var/tmp"] if os.path.isdir(h) and os.access(h, os.W_OK)), None)
    with tempfile.TemporaryDirectory(prefix=f"syncd-{name}-", dir=home, ignore_cleanup_errors=True) as made:
        yield Path(made)


def spread(tried: Callable[[_Item], Result], items: Iterable[_Item], budget: Budget) -> Result:
    """Try items, each a point or more, until the budget is used up; by several processes where it asks for them.

    An exception of ``tried`` is a failure of its item. Items are taken in order. Where much fails, it ends early.
    """
    total, end, source = Result(), time.monotonic() + budget.seconds, iter(items)
    if budget.workers == 1:
        for item in source:
            total.add(_guarded(tried, item))
            if total.points >= budget.points or time.monotonic() > end or len(total.failures) > _FAILURES:
                break
        return total
    _tried.append(tried)  # the processes are forks of this one: they know it, and whatever it holds
    with ProcessPoolExecutor(budget.workers, get_context("fork")) as pool:
        running: set[Future[Result]] = set()
        while True:
            more = total.points + len(running) < budget.points and len(total.failures) <= _FAILURES
            if more and time.monotonic() < end:
                free = 2 * budget.workers - len(running)
                running |= {pool.submit(_guarded_there, item) for item in islice(source, free)}
            if not running:
                return total
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                total.add(future.result())


_tried: list[Callable[..., Result]] = []


def _guarded_there(item: object) -> Result:
    return _guarded(_tried[-1], item)


def _guarded(tried: Callable[[_Item], Result], item: _Item) -> Result:
    try:
        return tried(item)
    except Exception as error:
        return Result(1, [f"{item}: {type(error).__name__}: {error}"])


def absent(*programs: str) -> list[str]:
    """``skipped`` lines for the programs that are not installed."""
    return [f"{program}: not installed" for program in programs if shutil.which(program) is None]
