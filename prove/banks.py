"""Many banks in one daemon, all of them edited at once, on both sides: nothing is lost, and memory does not grow.

The banks are copies of the recorded ones where those are beside the project, of the sample elsewhere. Each point is one
edit: a line added to a document in place or by renaming, a new document, a row's new title. Every edit carries words of
its own, and at the end all of them have to stand on both sides. Memory is that of the daemon's process.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import apsw

from bench import recorded
from prove.frame import ROOT, Budget, Result, less, scratch

WHAT = "edits on both sides of a hundred banks that one daemon serves: nothing lost, memory level"
WHOLE = Budget(10_000, 560.0)
SHORT = Budget(60, 60.0)

_MOST = 100  # banks
_RATE = 20.0  # edits a second: more would measure this program
_SETTLE_S = 120.0
_GROWTH = 1.10  # of the memory after a third of the edits, at the end


@dataclass(slots=True)
class Bank:
    """One bank, and what has to stand in it in the end."""

    folder: Path
    documents: list[Path]
    tasks: list[str] = field(default_factory=list)
    lines: dict[Path, list[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        """The database's file."""
        return str(self.folder / ".syncd" / "memory_bank.db")


def run(budget: Budget, seed: int) -> Result:
    """Edits until the budget is used up, then the comparison."""
    count = min(_MOST, max(4, budget.points // 20))
    began = time.monotonic()
    with scratch("banks", memory=False) as folder:
        result = Result()
        daemon = _Daemon(folder, list(_laid(folder, count, budget.points > 1000)))
        try:
            daemon.wait_ready(60 + 6 * count)
            for bank in daemon.banks:
                bank.tasks = _tasks(bank)
            samples = _edit(daemon, less(budget, began), random.Random(seed), result)
            _settle(daemon, result)
        finally:
            code = daemon.stop()
        if code:
            result.failures.append(f"the daemon ended with {code}: {daemon.log.read_text(errors='replace')[-300:]}")
        for bank in daemon.banks:
            result.failures += _lost(bank)
        _judge(samples, result)
        result.notes.append(f"{count} banks, {sum(len(bank.documents) for bank in daemon.banks):,} documents")
    return result


def _laid(folder: Path, count: int, whole: bool) -> Iterator[Bank]:
    """The banks, each a copy; the daemon makes their databases."""
    kinds = recorded.names() if whole else []
    originals = [place for name in kinds if (place := recorded.last_state(name, folder / "originals" / name))]
    originals = originals or [ROOT / "syncd" / "sample"]
    for number in range(count):
        bank = folder / f"project {number}" / "memory-bank"
        shutil.copytree(originals[number % len(originals)], bank)
        # Prose, so that an added line is nobody's record: what is lost would be lost by the daemon.
        documents = [file for file in bank.rglob("*.md") if file.parent.name == "tasks" or file.name == "progress.md"]
        yield Bank(bank, sorted(documents))


def _tasks(bank: Bank) -> list[str]:
    """The tasks with a document of their own, whose titles will be changed."""
    own = "SELECT t.id FROM tasks t JOIN documents d ON d.path = 'tasks/' || t.id || '.md' ORDER BY t.id"
    db = apsw.Connection(bank.database, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return [str(key) for (key,) in db.execute(own)]
    finally:
        db.close()


class _Daemon:
    """`syncd run` with a list of banks, in settings of its own."""

    def __init__(self, folder: Path, banks: list[Bank]) -> None:
        self.banks = banks
        self.log = folder / "log"
        settings = folder / "settings" / "syncd"
        settings.mkdir(parents=True)
        listed = json.dumps([str(bank.folder) for bank in banks])
        (settings / "config.toml").write_text(f"banks = {listed}\n", encoding="utf-8")
        environ = {**os.environ, "XDG_CONFIG_HOME": str(settings.parent), "XDG_RUNTIME_DIR": str(folder)}
        environ.pop("SYNCD_BANK", None)
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "syncd", "run"], cwd=ROOT, env=environ, stdout=out, stderr=out
            )

    def wait_ready(self, seconds: float) -> None:
        """Until every bank says that it is served. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while self.log.read_bytes().count(b'"bank.ready"') < len(self.banks):
            if self.process.poll() is not None or time.monotonic() > end:
                raise TimeoutError(f"not ready: {self.log.read_text(errors='replace')[-600:]}")
            time.sleep(0.1)

    def memory(self) -> float:
        """Resident megabytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1000

    def stop(self) -> int:
        """The exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def _edit(daemon: _Daemon, budget: Budget, rng: random.Random, result: Result) -> list[float]:
    """Edit until the budget is used up; the memory at thirty moments."""
    began, samples = time.monotonic(), [daemon.memory()]
    while result.points < budget.points and time.monotonic() < began + budget.seconds:
        if daemon.process.poll() is not None:
            break
        _one(rng.choice(daemon.banks), rng, f"words{result.points}x{rng.randrange(10**9)}")
        result.points += 1
        share = max(result.points / budget.points, (time.monotonic() - began) / budget.seconds)
        if share * 30 > len(samples):
            samples.append(daemon.memory())
        time.sleep(max(0.0, began + result.points / _RATE - time.monotonic()))
    return samples


def _one(bank: Bank, rng: random.Random, words: str) -> None:
    """One edit that can be found again by its words."""
    kind = rng.choice(("in place", "by rename", "by rename", "new", "row", "row"))
    if kind == "row" and bank.tasks:
        key = rng.choice(bank.tasks)
        db = apsw.Connection(bank.database)
        db.set_busy_timeout(30_000)
        db.execute("UPDATE tasks SET title = ? WHERE id = ?", (f"Title {words}", key))
        db.close()
        bank.titles[key] = f"Title {words}"
        return
    if kind == "new" or not bank.documents:
        file = bank.folder / "notes" / f"{words}.md"
        file.parent.mkdir(exist_ok=True)
        text = f"# Notes\n\n{words}\n"
    else:
        file = rng.choice(bank.documents)
        text = ""
    bank.lines.setdefault(file, []).append(words)
    if text or kind == "in place":
        with file.open("a", encoding="utf-8") as out:
            out.write(text or f"\n{words}\n")
        return
    new = file.with_name(f"{file.name}.tmp.{os.getpid()}")
    # RACE: a text that the daemon puts in between these two lines is taken back by this program, as an editor would;
    # the daemon's journal knows it, and merges.
    new.write_bytes(file.read_bytes() + f"\n{words}\n".encode())
    os.replace(new, file)


def _settle(daemon: _Daemon, result: Result) -> None:
    """Wait until every bank is converged: nothing is on its way on either side."""
    end, waiting = time.monotonic() + _SETTLE_S, list(daemon.banks)
    while waiting and time.monotonic() < end:
        waiting = [bank for bank in waiting if _state(bank) == "pending"]
        time.sleep(0.2)
    result.failures += [f"{bank.folder.parent.name}: still pending after {_SETTLE_S:g} s" for bank in waiting[:3]]


def _state(bank: Bank) -> str:
    from syncd import inspect

    return str(inspect.status(bank.folder)["state"])


def _lost(bank: Bank) -> list[str]:
    """What does not stand on both sides."""
    db = apsw.Connection(bank.database, flags=apsw.SQLITE_OPEN_READONLY)
    base = "\n".join(text for (text,) in db.execute("SELECT text FROM sections"))
    rows = dict(db.execute("SELECT id, title FROM tasks"))
    damage = [line for (line,) in db.execute("PRAGMA quick_check") if line != "ok"]
    kept = json.dumps(list(db.execute("SELECT * FROM conflicts")), default=str)
    db.close()
    name, lost = bank.folder.parent.name, [f"{bank.folder.parent.name}: {line}" for line in damage]
    for file, lines in bank.lines.items():
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        lost += [f"{name}: {words} is not in {file.name}" for words in lines if words not in text]
        lost += [f"{name}: {words} of {file.name} is not in the database" for words in lines if words not in base]
    for key, title in bank.titles.items():
        text = (bank.folder / "tasks" / f"{key}.md").read_text(encoding="utf-8", errors="replace")
        if rows.get(key) != title and title not in kept:
            lost.append(f"{name}: {key} has the title {rows.get(key)!r}, not {title!r}")
        elif rows.get(key) == title and title not in text:
            lost.append(f"{name}: the title {title!r} is not in tasks/{key}.md")
    return lost


def _judge(samples: list[float], result: Result) -> None:
    """Memory behind the first third against the end, each the median of some moments."""
    if len(samples) < 20:
        return
    third = len(samples) // 3
    early, late = median(samples[third : third + 5]), median(samples[-5:])
    result.notes.append(f"memory {samples[0]:.0f} MB at start, {early:.0f} after a third, {late:.0f} at the end")
    if late > _GROWTH * early:
        result.failures.append(f"memory grew from {early:.0f} MB after a third of the edits to {late:.0f} MB")
