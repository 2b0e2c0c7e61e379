"""Bugs of one line, planted in a copy of the code one at a time: the tests that are named for each must notice it.

The list is data, ``planted.toml``. The short form, in ``make test``, looks whether each text to be replaced still
stands in the code exactly once, so that the list cannot rot; the whole form runs the tests.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prove.frame import ROOT, Budget, Result, less, scratch, spread

LIST = Path(__file__).with_name("planted.toml")
WHAT = "bugs of one line, planted one at a time; a point is one that the tests noticed or let live"

_LEFT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "scratch", "build", "dist", "results")
_LIMIT_S = 120


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


WHOLE = Budget(len(bugs()), 420, 2)
SHORT = Budget(0, 10)


def misplaced(bug: Bug) -> str | None:
    """Why a bug cannot be planted any more; None where it can."""
    count = (ROOT / bug.file).read_text(encoding="utf-8").count(bug.old)
    if count != 1:
        return f"{bug}: its text stands in the file {count} times"
    missing = [test for test in bug.tests if not (ROOT / test).exists()]
    return f"{bug}: no such tests: {missing}" if missing else None


def run(budget: Budget, seed: int) -> Result:
    """Plant each; without points in the budget, only look whether they can be planted."""
    known, began = bugs(), time.monotonic()
    total = Result(failures=[why for bug in known if (why := misplaced(bug)) is not None])
    if budget.points == 0:
        total.points = len(known)
        return total
    with scratch("planted") as folder:
        sound = folder / "sound"
        shutil.copytree(ROOT, sound, ignore=_LEFT)
        plantable = [bug for bug in known if misplaced(bug) is None]
        if why := _failed(sound, tuple(sorted({test for bug in plantable for test in bug.tests})), 2 * _LIMIT_S, "2"):
            return Result(0, [*total.failures, f"the tests fail without a bug: {why}"])
        random.Random(seed).shuffle(plantable)
        total.add(spread(_planting(sound), plantable, less(budget, began)))
    total.notes.append(f"{total.points} of {len(known)} bugs planted, each with the tests that are named for it")
    return total


def _planting(sound: Path) -> Callable[[Bug], Result]:
    def plant(bug: Bug) -> Result:
        return Result(1, [] if _noticed(bug, sound) else [f"survived: {bug}"])

    return plant


def _noticed(bug: Bug, sound: Path) -> bool:
    """Whether a test fails with the bug planted in a copy; the tests named first are tried first, and the first
    failure is enough. The copy has the compiled modules of the ``sound`` one, but for the file with the bug."""
    place = sound.with_name(f"{abs(hash(bug.name)):x}")
    try:
        shutil.copytree(sound, place)
        file = place / bug.file
        file.write_text(file.read_text(encoding="utf-8").replace(bug.old, bug.new, 1), encoding="utf-8")
        return bool(_failed(place, bug.tests, _LIMIT_S))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _failed(place: Path, tests: tuple[str, ...], limit: float, processes: str = "0") -> str:
    """The end of the tests' output where they failed or hung, "" where they passed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-n", processes,
               f"--basetemp={place}-pytest", *tests]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(place)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    running = subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = running.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return "a test hangs"
    finally:
        with suppress(ProcessLookupError):  # what a test started, too
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        shutil.rmtree(f"{place}-pytest", ignore_errors=True)
    if running.returncode not in (0, 1) and " failed" not in said:  # with several processes a failure interrupts
        raise RuntimeError(f"the tests could not run: {said[-800:]}")
    return said[-1500:] if running.returncode else ""
