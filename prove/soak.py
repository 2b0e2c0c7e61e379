"""A busy project for a day, time compressed: five assistants and two people on one bank, then a daemon for a while.

The bank is the largest recorded one where those lie beside the project, else the sample. Each simulated minute somebody
edits documents, in a burst or alone, from a text of now or an old one, or changes rows; the engine is told of some of
it and finds the rest. Every hour what waits is answered. At the end both sides are one, every word that either side
ever had can be found, and neither memory nor descriptors have grown. Then a real daemon goes through the same for the
rest of the time.
"""

from __future__ import annotations

import json
import lzma
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from prove.frame import ROOT, Budget, Result
from schema import deltas, history
from syncd import settle
from syncd.config import Config
from syncd.engine import Engine
from syncd.errors import SyncdError
from tests.model import oracle, sides
from tests.model.world import Tree, World

WHAT = "simulated minutes of a busy project (and seconds of a real daemon), everything found again at the end"
WHOLE = Budget(24 * 60 + 120, 560)
SHORT = Budget(60, 12)

_CORPORA = ROOT.parent / "shared" / "corpora"
_HOUR = 60
_DAY = 24 * _HOUR
_MEGABYTES = 24.0  # by which memory may differ between the first quarter of the day and its end


def _largest() -> Tree | None:
    """The documents of the largest recorded bank as they were last; None where there is none."""
    files = sorted(_CORPORA.glob("*.jsonl.xz"), key=lambda file: file.stat().st_size)
    if not files:
        return None
    tree: dict[str, str | None] = {}
    with lzma.open(files[-1], "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            tree.update(json.loads(line)["changes"])
    return {path: text.encode() for path, text in tree.items() if text is not None}


def run(budget: Budget, seed: int) -> Result:
    """The day first; what is left of the budget goes to the daemon."""
    began = time.monotonic()
    chance = random.Random(seed)
    whole = budget.points > SHORT.points
    world = World(chance, Config(settle_seconds=0.0), _largest() if whole else None)
    result = Result()
    try:
        _day(world, chance, min(budget.points, _DAY), began + budget.seconds * 0.8, result)
        left = min(budget.seconds - (time.monotonic() - began), budget.points - result.points)
        if whole and left > 5:
            _daemon(world, chance, left, result)
    finally:
        world.remove()
    return result


# -- the day ---------------------------------------------------------------------------------------------------------


def _day(world: World, chance: random.Random, minutes: int, end: float, result: Result) -> None:
    world.engine.converge()
    seen: set[str] = set()
    samples: list[tuple[float, int]] = []
    for minute in range(1, minutes + 1):
        world.pass_time(60.0)
        before = world.tree
        _somebody(world, chance)
        came = _words(world, before)
        told = {path for path in before.keys() | world.tree.keys() if before.get(path) != world.read(path)}
        heard = chance.random() < 0.8
        report = world.engine.converge(told if heard else (), follow=chance.random() < 0.3)
        # What nobody was told of, and what waits for a yes, may be overwritten before it is absorbed.
        waits = {str(hold["path"]) for hold in report.holds} | set(report.pending)
        sure = came - oracle.words_in(oracle.shown_text({p: d for p, d in world.tree.items() if p in waits}))
        seen |= (sure if heard else set()) | (came & oracle.words_in(world.dump()))
        if minute % _HOUR == 0:
            _answer(world)
            samples.append((_memory(os.getpid()), len(os.listdir("/proc/self/fd"))))
        result.points += 1
        if time.monotonic() > end:
            break
    for _ in range(3):
        world.pass_time(5.0)
        _answer(world)
    _check_end(world, seen, result)
    _check_flat(samples, result)
    size = sum(file.stat().st_size for file in (world.bank / ".syncd").glob("memory_bank.db*")) / 1e6
    texts = sum(map(len, world.tree.values())) / 1e6
    result.notes.append(f"{result.points} minutes; {texts:.1f} MB of documents; the database has {size:.1f} MB")


def _somebody(world: World, chance: random.Random) -> None:
    """Of seven: an assistant's burst, a person's edit, or a change of rows."""
    match chance.randrange(7):
        case 0 | 1:
            sides.edit_several(world, chance)
        case 2 | 3:
            sides.change_files(world, chance)
        case 4:
            sides.edit_file(world, chance)
        case _:
            sides.change_database(world, chance)


def _words(world: World, before: Tree) -> set[str]:
    """Words that came into files or rows with what was just done."""
    saved = {path: data for path, data in world.tree.items() if before.get(path) != data}
    pending = world.client.rows('SELECT after FROM row_changes WHERE "transaction" IS NULL')
    return oracle.words_in(oracle.shown_text(saved)) | oracle.words_in(repr(pending))


def _answer(world: World) -> None:
    """A whole converge; a yes for what is held, and both sides of conflicts by turns."""
    world.engine.converge(follow=True)
    for kind, take in (("accept", ""), ("resolve", "file")):
        try:
            settle.act(world.engine, kind, {"all": True, "take": take})
        except SyncdError:
            continue
    world.engine.converge(follow=True)


def _check_end(world: World, seen: set[str], result: Result) -> None:
    """Both sides are one, and nothing is lost."""
    report = world.engine.converge()
    if report.transaction is not None or report.pending:
        result.failures.append(f"not at rest at the end: {report.state} {report.reason}")
    waiting = {str(hold["path"]) for hold in report.holds}
    for path, data in world.tree.items():
        if history.current_text(world.client, path) != data and path not in waiting:
            result.failures.append(f"{path}: both sides differ at the end")
    lost = seen - oracle.words_in(world.dump()) - oracle.words_in(oracle.shown_text(world.tree)) - _past(world, seen)
    if lost:
        result.failures.append(f"{len(lost)} words are found nowhere: {sorted(lost)[:5]}")
    result.notes.append(f"{len(seen)} words looked for")


def _past(world: World, wanted: set[str]) -> set[str]:
    """Words of all texts that documents ever had, and of all changes of rows."""
    found: set[str] = set()
    for (path,) in world.client.rows("SELECT DISTINCT path FROM versions"):
        for _, text in history.texts(world.client, path):
            found |= oracle.words_in((text or b"").decode("utf-8", "replace"))
    for before, after in world.client.rows("SELECT before, after FROM row_changes"):
        new = deltas.decode(after, b"").decode() if isinstance(after, bytes) else after or ""
        old = deltas.decode(before, new.encode()).decode() if isinstance(before, bytes) else before or ""
        found |= oracle.words_in(new) | oracle.words_in(old)
    return found & wanted


def _check_flat(samples: list[tuple[float, int]], result: Result) -> None:
    if len(samples) < 4:
        return
    early, last = samples[len(samples) // 4], samples[-1]
    result.notes.append(f"memory {early[0]:.0f} MB after a quarter, {last[0]:.0f} MB at the end; {last[1]} descriptors")
    if last[0] - early[0] > _MEGABYTES:
        result.failures.append(f"memory grew from {early[0]:.0f} to {last[0]:.0f} MB")
    if last[1] > early[1] + 2:
        result.failures.append(f"descriptors grew from {early[1]} to {last[1]}")


def _memory(process: int) -> float:
    """Resident megabytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# -- the daemon ------------------------------------------------------------------------------------------------------


def _daemon(world: World, chance: random.Random, seconds: float, result: Result) -> None:
    """The daemon while somebody does something twice a second."""
    world.close()
    daemon = subprocess.Popen(
        [sys.executable, "-m", "syncd", "run", str(world.bank)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    world.open()
    samples = []
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end and daemon.poll() is None:
            _somebody(world, chance)
            time.sleep(0.5)
            samples.append((_memory(daemon.pid), len(os.listdir(f"/proc/{daemon.pid}/fd"))))
            result.points += 1
        time.sleep(3.0)
        if daemon.poll() is not None:
            result.failures.append(f"the daemon ended with {daemon.returncode}")
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)
    _check_flat(samples, result)
    engine = Engine.open(world.bank, create=False, config=world.config)
    try:
        report = engine.converge()
        if report.transaction is not None and not report.holds:
            result.failures.append(f"the daemon left something to do: {report.absorbed} {report.emitted}")
    finally:
        engine.close()
