"""Run the parts, tell of each as it ends, and write the report. Exit 0: nothing failed; 1: something did."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from prove.frame import ROOT
from prove.parts import PARTS, load
from prove.report import Outcome, merged


def main() -> int:
    options = _options()
    outcomes: list[Outcome] = []
    for name in options.part or PARTS:
        part = load(name)
        budget = part.WHOLE.scaled(options.scale)
        print(f"{name}: {part.WHAT}; {budget.points:,} points or {budget.seconds:,.0f} s", file=sys.stderr, flush=True)
        began = time.monotonic()
        result = part.run(budget, options.seed)
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        outcome = Outcome(name, part.WHAT, part.WHOLE.points, result, time.monotonic() - began, options.seed, day)
        outcomes.append(outcome)
        print(outcome.line(), *outcome.remarks(), sep="\n", flush=True)
        old = options.report.read_text() if options.report.exists() else ""
        options.report.write_text(merged(old, PARTS, outcomes))
    return 1 if any(outcome.result.failures for outcome in outcomes) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m prove", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one (may be repeated)")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the points and the time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "proof.md", help="where the report is kept")
    return parser.parse_args()


sys.exit(main())
