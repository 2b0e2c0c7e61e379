"""Somebody saves while we write the same file, as badly timed as can be: nothing lost, nothing torn.

A save counts as lost if its text neither stands in the document, nor was returned by the publish, nor is told by the
files that were held. Of two savers that meet, one may replace the other's text: the last one's must be found. The
races through the whole engine ask more: both the save and the row change stand on both sides, or in a conflict.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from prove.frame import Budget, Result, scratch, spread
from prove.savers import WAYS, Saver, spin
from syncd.config import Config
from syncd.disk import files
from syncd.disk.files import Changed, Content, Held, Written, digest, prepare, read_stable
from syncd.engine import Engine
from syncd.errors import InTheWay
from syncd.history.undo import undo

WHAT = "rounds of somebody saving a file, in place or by renaming, while it is written from rows"
WHOLE = Budget(1_000_000, 420, 2)
SHORT = Budget(600, 20)

_TASK = """# T1: {title}

**Status**: 🔄 IN PROGRESS
**Priority**: HIGH

## Description

{sentence}
"""


@dataclass(slots=True)
class _Rounds(Result):
    """With what came of the rounds, counted."""

    counts: Counter[str] = field(default_factory=Counter)


_Run = Callable[[int, float, random.Random, Path], _Rounds]


@dataclass(frozen=True, slots=True)
class _Race:
    """``share`` of the rounds go to it."""

    name: str
    share: float
    run: _Run

    @property
    def time(self) -> float:
        """Its share of the time: a converge takes longer than a publish."""
        return self.share * (3 if self.share <= 0.01 else 1)


@contextmanager
def without_sync() -> Iterator[None]:
    """The order of names is tried here, not the disk."""
    real = files._sync
    files._sync = lambda descriptor: None
    try:
        yield
    finally:
        files._sync = real


def publishing(way: str, hint: bool, savers: int = 1) -> _Run:
    """A race of `Prepared.publish` against ``savers`` that save by ``way``; with ``hint`` it does not read first."""

    def race(rounds: int, seconds: float, chance: random.Random, folder: Path) -> _Rounds:
        bank = folder / "bank"
        bank.mkdir()
        file = bank / "a.md"
        file.write_bytes(b"start")
        people = [Saver(file, way, f"person {n}") for n in range(savers)]
        try:
            with without_sync():
                return _publish_rounds(bank, people, rounds, seconds, chance, hint)
        finally:
            for person in people:
                person.end()

    return race


def _publish_rounds(
    bank: Path, people: list[Saver], rounds: int, seconds: float, chance: random.Random, hint: bool
) -> _Rounds:
    result, end = _Rounds(), time.monotonic() + seconds
    held, file, lead = Held(bank, hold=0.0), bank / "a.md", 0.0002
    for turn in range(1, rounds + 1):
        if time.monotonic() > end:
            break
        base = read_stable(bank, "a.md")
        assert isinstance(base, Content), base
        ours = b"text %d of the daemon" % turn
        prepared = prepare(bank, "a.md", ours)
        theirs = {person.go(turn, chance.uniform(0, 0.0002) + max(0.0, -lead)) for person in people}
        spin(chance.uniform(lead - 0.0002, lead + 0.0002))
        outcome = prepared.publish(digest(base.data), held, base.stat if hint else None)
        for person in people:
            person.wait(turn)
        result.counts[type(outcome).__name__] += 1
        # Half of the saves come before the exchange and half behind it, however busy the machine is.
        lead = min(0.02, lead + 0.00001) if isinstance(outcome, Written) else max(-0.02, lead - 0.00001)
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
    return result


def converging(way: str, stale: bool) -> _Run:
    """A race of a whole converge, with a row change to write, against a save of the same document.

    With ``stale``, what is saved was read before an earlier change of the row was written.
    """

    def race(rounds: int, seconds: float, chance: random.Random, folder: Path) -> _Rounds:
        with _watched(folder, way) as (engine, file, person):
            return _converge_rounds(engine, file, person, rounds, seconds, chance, stale)

    return race


@contextmanager
def _watched(folder: Path, way: str) -> Iterator[tuple[Engine, Path, Saver]]:
    """A bank of one task, its engine, the task's document, and somebody who saves that."""
    bank = folder / "bank"
    (bank / "tasks").mkdir(parents=True)
    file = bank / "tasks" / "T1.md"
    file.write_text(_TASK.format(title="Title 0", sentence="Sentence 0."))
    engine = Engine.open(bank, create=True, config=Config(settle_seconds=0.5))
    person = Saver(file, way)
    try:
        engine.converge()
        yield engine, file, person
    finally:
        person.end()
        engine.close()


def _converge_rounds(
    engine: Engine, file: Path, person: Saver, rounds: int, seconds: float, chance: random.Random, stale: bool
) -> _Rounds:
    result, end, title = _Rounds(), time.monotonic() + seconds, "Title 0"
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
        _settled(engine)
        result.points += 1
        wanted = read.replace(f"Sentence {turn - 1}.", sentence).replace(read.split("\n")[0], f"# T1: {title}")
        result.failures += _differences(engine, file, turn, wanted, title)
        if result.failures:
            break
    return result


def _settled(engine: Engine) -> None:
    """Converge, also with what was displaced: it is looked at now, not in a second."""
    engine.held._hold = 0.0
    for kept in engine.held._kept:
        kept.due = 0.0
    engine.converge()


def _differences(engine: Engine, file: Path, turn: int, text: str, title: str) -> list[str]:
    """What is not so: the file holds ``text`` and so does the base, the row ``title``."""
    told, now, row = [], file.read_text(), engine.db.value("SELECT title FROM tasks WHERE id = 'T1'")
    if now != text:
        told.append(f"turn {turn}: the file holds {now!r} in place of {text!r}")
    if row != title:
        told.append(f"turn {turn}: the row holds {row!r} in place of {title!r}")
    if engine.state.data("tasks/T1.md") != now.encode():
        told.append(f"turn {turn}: the sides differ")
    return told


def undoing(way: str) -> _Run:
    """A race of the undo of a row's change against a save of the document that shows it, read before."""

    def race(rounds: int, seconds: float, chance: random.Random, folder: Path) -> _Rounds:
        with _watched(folder, way) as (engine, file, person):
            return _undo_rounds(engine, file, person, rounds, seconds, chance)

    return race


def _undo_rounds(
    engine: Engine, file: Path, person: Saver, rounds: int, seconds: float, chance: random.Random
) -> _Rounds:
    result, end = _Rounds(), time.monotonic() + seconds
    for turn in range(1, rounds + 1):
        if time.monotonic() > end:
            break
        old = engine.db.value("SELECT title FROM tasks WHERE id = 'T1'")
        engine.db.run("UPDATE tasks SET title = ? WHERE id = 'T1'", (title := f"Title {turn}",))
        number = engine.converge().number
        read = file.read_text()
        saved = read.replace(f"Sentence {turn - 1}.", f"Sentence {turn}.")
        assert saved != read, read
        person.go(turn, chance.uniform(0, 0.03), saved.encode())
        try:
            undo(engine, [str(number)])
            result.counts["undone"] += 1
        except InTheWay:  # the save came between the look and the plan: it says so, and does nothing
            result.counts["told that a save stands in the way"] += 1
            old = title
        person.wait(turn)
        _settled(engine)
        result.points += 1
        result.failures += _differences(engine, file, turn, saved.replace(f"# T1: {title}\n", f"# T1: {old}\n"), old)
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
    _Race("undo, in place", 0.01, undoing("in place")),
    _Race("undo, rename", 0.01, undoing("rename")),
]  # fmt: skip


def run(budget: Budget, seed: int) -> Result:
    """Each process goes through all races, with its share of the rounds."""
    if sys.platform != "linux":
        return Result(skipped=["all: the timing relies on exchange and leases of Linux"])
    share = replace(budget, points=budget.points // budget.workers)
    done = spread(lambda lane: _lane(share, f"{seed} {lane}"), range(budget.workers), budget)
    told = defaultdict[str, Counter[str]](Counter)
    for note in done.notes:
        race, _, counts = note.partition(": ")
        told[race].update(json.loads(counts))
    done.notes = [f"{race}: {', '.join(f'{n:,} {what}' for what, n in told[race].items())}" for race in told]
    return done


def _lane(budget: Budget, seed: str) -> Result:
    """Each race has its share of the rounds, and at most its share of the time that is left."""
    total, end = Result(), time.monotonic() + budget.seconds
    for number, race in enumerate(RACES):
        left = sum(other.time for other in RACES[number:])
        seconds = (end - time.monotonic()) * race.time / left
        rounds = max(1, round(budget.points * race.share))
        with scratch("race") as folder:
            done = race.run(rounds, max(seconds, 0.2), random.Random(f"{seed} {race.name}"), folder)
        done.failures = [f"{race.name}: {failure}" for failure in done.failures]
        done.notes = [f"{race.name}: {json.dumps({'rounds': done.points} | done.counts)}"]
        total.add(done)
    return total
