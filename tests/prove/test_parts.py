"""A short form of each part of the proof, and the report that the long form writes."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

import pytest

from prove import soak
from prove.frame import Budget, Result, spread
from prove.parts import PARTS, load
from prove.report import Outcome, merged
from tests.model.world import World


@pytest.mark.parametrize("name", PARTS)
def test_the_short_form_of_each_part_finds_nothing(name: str) -> None:
    """Things were tried, and none failed."""
    part = load(name)
    result = part.run(part.SHORT, 1)
    assert result.failures == []
    if result.skipped and not result.points:
        pytest.skip("; ".join(result.skipped))
    assert result.points > 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="memory and descriptors are read from /proc")
def test_the_soak_notices_what_leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three megabytes and one descriptor a minute."""
    leaked: list[mmap.mmap] = []
    descriptors: list[int] = []
    real = World.pass_time

    def leak(world: World, seconds: float) -> None:
        # Not from the heap: what an earlier test gave back there would be used, and the process would not grow.
        leaked.append(mmap.mmap(-1, 3_000_000))
        leaked[-1].write(b"x" * 3_000_000)
        descriptors.append(os.open("/dev/null", os.O_RDONLY))
        real(world, seconds)

    monkeypatch.setattr(soak, "_HOUR", 3)
    monkeypatch.setattr(World, "pass_time", leak)
    try:
        result = soak.run(Budget(24, 60.0), 1)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    assert sorted(failure.split(" ")[0] for failure in result.failures) == ["descriptors", "memory"]


def _try(item: int) -> Result:
    if item == 3:
        raise ValueError("three")
    return Result(1, ["seven failed"] if item == 7 else [])


@pytest.mark.parametrize("workers", [1, 2])
def test_items_are_tried_until_the_points_are_reached(workers: int) -> None:
    """What raises is a failure, and counts as tried."""
    result = spread(_try, range(1000), Budget(10, 60.0, workers))
    assert result.points >= 10
    assert result.points <= 10 + 2 * workers
    assert sorted(result.failures) == ["3: ValueError: three", "seven failed"]


def test_items_are_tried_until_the_time_is_up() -> None:
    """The first item always gets its turn."""
    began = time.monotonic()
    result = spread(lambda _: Result(1), range(10**9), Budget(10**9, 0.05))
    assert result.points >= 1
    assert time.monotonic() - began < 10


def test_the_report_keeps_the_lines_of_parts_that_did_not_run() -> None:
    """A part that runs again replaces its line and its remarks only."""
    first = merged("", ("one", "two"), [_outcome("one", 5, ["it broke"]), _outcome("two", 7, [])])
    again = merged(first, ("one", "two"), [_outcome("one", 8, [])])
    assert "| `one` | tries one | 5 of 8 | 1 |" in first
    assert "- `one`: **failed**: it broke" in first
    assert "| `one` | tries one | 8 | 0 |" in again
    assert "it broke" not in again
    two = next(line for line in first.splitlines() if "`two`" in line)
    assert two in again.splitlines()
    assert "| `two` | tries two | 7 of 8 | 0 |" in again
    assert "- `two`: left out: emacs: not installed" in again


def _outcome(part: str, points: int, failures: list[str]) -> Outcome:
    result = Result(points, failures, ["emacs: not installed"])
    return Outcome(part, f"tries {part}", 8, result, 1.5, 1, "2026-03-07")
