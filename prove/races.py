"""Somebody saves while we write the same file, as badly timed as can be: nothing lost, nothing torn.

A save counts as lost if its text neither stands in the document, nor was returned by the publish, nor is told by the
files that were held. Of two savers that meet, one may replace the other's text: the last one's must be found. The
races through the whole engine ask more: both the save and the row change stand on both sides, or in a conflict.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prove.frame import Budget, Result, scratch
from prove.savers import WAYS, Saver, spin
from syncd.config import Config
from syncd.disk import files
from syncd.disk.files import Changed, Content, Held, Written, digest, prepare, read_stable
from syncd.engine import Engine

WHAT = "rounds of somebody saving a file, in place or by renaming, while it is written from rows"
WHOLE = Budget(1_000_000, 900)
SHORT = Budget(600, 20)

_TASK = """# T1: {title}

**Status**: 🔄 IN PROGRESS
**Priority**: HIGH

## Description

{sentence}
"""


@dataclass(frozen=True, slots=True)
class _Race:
    """``share`` of the rounds go to it."""

    name: str
    share: float
    run: Callable[[int, float, random.Random, Path], Result]


@contextmanager
def without_sync() -> Iterator[None]:
    """The order of names is tried here, not the disk."""
    real = files._sync
    files._sync = lambda descriptor: None
    try:
        yield
    finally:
        files._sync = real


def publishing(way: str, hint: bool, savers: int = 1) -> Callable[[int, float, random.Random, Path], Result]:
    """A race of `Prepared.publish` against ``savers`` that save by ``way``; with ``hint`` it does not read first."""

    def race(rounds: int, seconds: float, chance: random.Random, folder: Path) -> Result:
        bank = folder / "bank"
        bank.mkdir()
        file = bank / "a.md"
        file.write_bytes(b"start")
        people = [Saver(folder / f"board{n}", file, way, f"person {n}") for n in range(savers)]
        try:
            with without_sync():
                return _publish_rounds(bank, people, rounds, seconds, chance, hint)
        finally:
            for person in people:
                person.end()

    return race


def _publish_rounds(
    bank: Path, people: list[Saver], rounds: int, seconds: float, chance: random.Random, hint: bool
) -> Result:
    result, outcomes, end = Result(), Counter[str](), time.monotonic() + seconds
    held, file, lead = Held(bank, hold=0.0), bank / "a.md", 0.0002
    for turn in range(1, rounds + 1):
        if time.monotonic() > end:
            break
        base = read_stable(bank, "a.md")
        assert isinstance(base, Content), base
        ours = b"text %d of the daemon" % turn
        prepared = prepare(bank, "a.md", ours)
        theirs = {person.go(turn, chance.uniform(0, 0.0002)) for person in people}
        spin(chance.uniform(lead - 0.0002, lead + 0.0002))
        outcome = prepared.publish(digest(base.data), held, base.stat if hint else None)
        for person in people:
            person.wait(turn)
        outcomes[type(outcome).__name__] += 1
        # Half of the saves come before the exchange and half behind it, however busy the machine is.
        lead = min(0.02, lead + 0.00001) if isinstance(outcome, Written) else max(0.0, lead - 0.00001)
        late = held.settle()
        for text in late:
            held.drop(text)
        found = {file.read_bytes(), *(text.data for text in late)}
        if isinstance(outcome, Changed) and isinstance(outcome.now, Content):
            found.add(outcome.now.data)
        result.points += 1
        if not theirs & found:
            result.failures.append(f"turn {turn}: {theirs} lost: {outcome}, found {found}")
        if not isinstance(outcome, Written) and ours in found:
            result.failures.append(f"turn {turn}: said {outcome}, and yet ours was put in place")
        if len(people) == 1 and not found <= {ours, base.data, *theirs}:
            result.failures.append(f"turn {turn}: torn: {found}")
    if sorted(os.listdir(bank)) != [".syncd", "a.md"] or os.listdir(bank / ".syncd" / "held"):
        result.failures.append(f"left behind: {sorted(os.listdir(bank))} {os.listdir(bank / '.syncd' / 'held')}")
    result.notes.append(", ".join(f"{name} {number:,}" for name, number in sorted(outcomes.items())))
    return result


def converging(way: str, stale: bool) -> Callable[[int, float, random.Random, Path], Result]:
    """A race of a whole converge, with a row change to write, against a save of the same document.

    With ``stale``, what is saved was read before an earlier change of the row was written.
    """

    def race(rounds: int, seconds: float, chance: random.Random, folder: Path) -> Result:
        bank = folder / "bank"
        (bank / "tasks").mkdir(parents=True)
        file = bank / "tasks" / "T1.md"
        file.write_text(_TASK.format(title="Title 0", sentence="Sentence 0."))
        person = Saver(folder / "board", file, way)
        engine = Engine.open(bank, create=True, config=Config(settle_seconds=0.5))
        try:
            engine.converge()
            return _converge_rounds(engine, file, person, rounds, seconds, chance, stale)
        finally:
            person.end()
            engine.close()

    return race


def _converge_rounds(
    engine: Engine, file: Path, person: Saver, rounds: int, seconds: float, chance: random.Random, stale: bool
) -> Result:
    result, end, title = Result(), time.monotonic() + seconds, "Title 0"
    for turn in range(1, rounds + 1):
        if time.monotonic() > end:
            break
        read = file.read_text()
        if stale:
            title = f"Title {turn} before"
            engine.db.run("UPDATE tasks SET title = ? WHERE id = 'T1'", (title,))
            engine.converge()
        sentence = f"Sentence {turn}."
        text = read.replace(f"Sentence {turn - 1}.", sentence)
        assert text != read, read
        if not stale or turn % 2:
            title = f"Title {turn}"
            engine.db.run("UPDATE tasks SET title = ? WHERE id = 'T1'", (title,))
        person.go(turn, chance.uniform(0, 0.004), text.encode())
        engine.converge({"tasks/T1.md"} if chance.random() < 0.5 else None)
        person.wait(turn)
        engine.held._hold = 0.0  # what was displaced is looked at now, not in a second
        for kept in engine.held._kept:
            kept.due = 0.0
        engine.converge()
        result.points += 1
        now, row = file.read_text(), engine.db.value("SELECT title FROM tasks WHERE id = 'T1'")
        if now != read.replace(f"Sentence {turn - 1}.", sentence).replace(read.split("\n")[0], f"# T1: {title}"):
            result.failures.append(f"turn {turn}: the file holds {now!r}")
        if row != title:
            result.failures.append(f"turn {turn}: the row holds {row!r} in place of {title!r}")
        if engine.state.data("tasks/T1.md") != now.encode():
            result.failures.append(f"turn {turn}: the sides differ")
        if result.failures:
            break
    return result


RACES = [
    *(_Race(f"{way}, {'by stat' if hint else 'read first'}", 0.11, publishing(way, hint))
      for way in WAYS for hint in (False, True)),
    _Race("two savers", 0.09, publishing("rename", False, 2)),
    _Race("whole converge, in place", 0.01, converging("in place", False)),
    _Race("whole converge, rename", 0.01, converging("rename", False)),
    _Race("stale writer", 0.01, converging("rename", True)),
]  # fmt: skip


def run(budget: Budget, seed: int) -> Result:
    """Each race has its share of the rounds, and at most its share of the time that is left."""
    total = Result()
    if sys.platform != "linux":
        return Result(skipped=["all: the timing relies on exchange and leases of Linux"])
    end = time.monotonic() + budget.seconds
    for number, race in enumerate(RACES):
        left = sum(other.share for other in RACES[number:])
        seconds = (end - time.monotonic()) * race.share / left
        if race.share <= 0.01:
            seconds *= 3  # a converge takes longer than a publish
        rounds = max(1, round(budget.points * race.share))
        with scratch("race") as folder:
            done = race.run(rounds, max(seconds, 0.2), random.Random(f"{seed} {race.name}"), folder)
        done.failures = [f"{race.name}: {failure}" for failure in done.failures]
        done.notes = [f"{race.name}: {done.points:,} rounds{''.join(f'; {n}' for n in done.notes)}"]
        total.add(done)
    return total
