"""Run the parts, tell of each as it ends, and write the report. Exit 0: nothing failed; 1: something did.

Parts that keep one processor busy run two at a time, those that need two by themselves; what mostly waits runs beside
any other.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from prove.alone import Running
from prove.frame import ROOT, Result, scratch
from prove.parts import PARTS, load
from prove.report import Outcome, merged

_CORES = 2


def main() -> int:
    options = _options()
    outcomes: list[Outcome] = []
    for ended, result in _finished(options.part or PARTS, options.scale, options.seed):
        day, goal = f"{datetime.now(UTC):%Y-%m-%d}", ended.part.WHOLE.points
        outcome = Outcome(ended.name, ended.part.WHAT, goal, result, ended.seconds, options.seed, day)
        outcomes.append(outcome)
        print(outcome.line(), *outcome.remarks(), sep="\n", flush=True)
        old = options.report.read_text() if options.report.exists() else ""
        options.report.write_text(merged(old, PARTS, outcomes))
    return 1 if any(outcome.result.failures for outcome in outcomes) else 0


def _finished(names: Sequence[str], scale: float, seed: int) -> Iterator[tuple[Running, Result]]:
    """The parts as they end. In the order of their names each begins when there is room for it."""
    waiting, running = list(names), list[Running]()
    with scratch("prove") as folder:
        try:
            while waiting or running:
                for name in list(waiting):
                    if _fits(load(name).WHOLE.workers, running):
                        _announce(name, scale)
                        waiting.remove(name)
                        running.append(Running(name, scale, seed, folder))
                for one in list(running):
                    if (result := one.result()) is not None:
                        running.remove(one)
                        yield one, result
                time.sleep(0.2)
        finally:
            for one in running:
                one.end()


def _fits(cores: int, running: Sequence[Running]) -> bool:
    """Whether a part that keeps so many processors busy can begin beside the others."""
    if cores == 0:
        return all(one.cores for one in running)
    return sum(one.cores for one in running) + cores <= _CORES


def _announce(name: str, scale: float) -> None:
    part = load(name)
    budget = part.WHOLE.scaled(scale)
    print(f"{name}: {part.WHAT}; {budget.points:,} points or {budget.seconds:,.0f} s", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m prove", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one (may be repeated)")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the points and the time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "proof.md", help="where the report is kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
