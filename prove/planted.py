"""Bugs of one line, planted in a copy of the code one at a time: the tests that are named for each must notice it.

The list is data, ``planted.toml``. The short form, in ``make test``, looks whether each text to be replaced still
stands in the code exactly once, so that the list cannot rot; the whole form runs the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prove.frame import ROOT, Budget, Result, scratch, spread

LIST = Path(__file__).with_name("planted.toml")
WHAT = "bugs of one line, planted one at a time; a point is one that the tests noticed or let live"
WHOLE = Budget(1_000, 900, 2)
SHORT = Budget(0, 10)

_LEFT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "scratch", "build", "dist", "results")
_LIMIT_S = 240


@dataclass(frozen=True, slots=True)
class Bug:
    """``old`` stands in ``file`` once and is replaced by ``new``; one of ``tests`` must fail then."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.file})"


def bugs() -> list[Bug]:
    """The list. Raises `ValueError` where it is not well formed."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["bug"]
    found = [Bug(e["name"], e["file"], e["old"], e["new"], tuple(e["tests"])) for e in entries]
    if len({bug.name for bug in found}) < len(found):
        raise ValueError("two bugs have one name")
    return found


def misplaced(bug: Bug) -> str | None:
    """Why a bug cannot be planted any more; None where it can."""
    count = (ROOT / bug.file).read_text(encoding="utf-8").count(bug.old)
    if count != 1:
        return f"{bug}: its text stands in the file {count} times"
    missing = [test for test in bug.tests if not (ROOT / test).exists()]
    return f"{bug}: no such tests: {missing}" if missing else None


def run(budget: Budget, seed: int) -> Result:
    """Plant each; without points in the budget, only look whether they can be planted."""
    known = bugs()
    total = Result(failures=[why for bug in known if (why := misplaced(bug)) is not None])
    if budget.points == 0:
        total.points = len(known)
        return total
    with scratch("planted") as folder:
        sound = Bug("no bug at all", "README.md", "", "", tuple(sorted({t for bug in known for t in bug.tests})))
        if why := _noticed(sound, folder, 4 * _LIMIT_S):
            return Result(0, [f"the tests fail without a bug: {why}"])
        plantable = [bug for bug in known if misplaced(bug) is None]
        total.add(spread(_planting(folder), plantable, budget))
    total.notes.append(f"{total.points} of {len(known)} bugs planted")
    return total


def _planting(folder: Path) -> Callable[[Bug], Result]:
    def plant(bug: Bug) -> Result:
        return Result(1, [] if _noticed(bug, folder) else [f"survived: {bug}"])

    return plant


def _noticed(bug: Bug, folder: Path, limit: float = _LIMIT_S) -> str:
    """The end of the tests' output where they failed, "" where they passed, with the bug planted in a copy."""
    place = folder / f"{abs(hash(bug.name)):x}"
    try:
        shutil.copytree(ROOT, place, ignore=_LEFT)
        file = place / bug.file
        file.write_text(file.read_text(encoding="utf-8").replace(bug.old, bug.new, 1) if bug.old else file.read_text())
        return _failed(place, bug.tests, limit)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _failed(place: Path, tests: tuple[str, ...], limit: float) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return "a test hangs"
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the tests could not run: {done.stdout[-500:]} {done.stderr[-500:]}")
    return done.stdout[-1500:] if done.returncode else ""
