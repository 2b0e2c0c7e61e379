"""Real editors and tools save a document under a running daemon, while a row that it shows changes: both arrive.

The text is absorbed once, no torn text is ever taken for one, no record is lost, nothing is held, and the file keeps
its mode where the program keeps it. The bank lies outside the folder for temporary files, where some save otherwise.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from prove.frame import Budget, Result, scratch
from prove.watched import NotInTime, WatchedBank
from prove.ways import WAYS, Refused, Way, installed
from schema import history
from schema.db import open_database

WHAT = f"saves by {len(WAYS)} programs and ways of saving, each with a row change in flight, under a running daemon"
WHOLE = Budget(3 * len(WAYS), 300)
SHORT = Budget(6, 30)

_TASK = "tasks/T6.md"
_LAST = "- ⬜ Readable in black and white"
_TRIES = 6


def run(budget: Budget, seed: int) -> Result:
    """All ways by turns, round after round, against one daemon: what one leaves behind, the next must cope with."""
    total, end = Result(), time.monotonic() + budget.seconds
    total.skipped = sorted({f"{way.needs}: not installed" for way in WAYS if not installed(way)})
    with scratch("editors", memory=False) as folder:
        bank = WatchedBank(folder)
        try:
            for number, way in _turns(budget.points, seed):
                if time.monotonic() > end:
                    break
                total.points += 1
                total.failures += _try(bank, way, f"Word {number} by {way.name}.")
        finally:
            code = bank.stop()
    if code != 0:
        total.failures.append(f"the daemon ended with {code}")
    return total


def _turns(points: int, seed: int) -> Iterator[tuple[int, Way]]:
    ways = [way for way in WAYS if installed(way)]
    random.Random(seed).shuffle(ways)
    for number in range(points):
        yield number, ways[number % len(ways)]


def _try(bank: WatchedBank, way: Way, word: str) -> list[str]:
    try:
        return [f"{way.name}: {problem}" for problem in _saved(bank, way, word)]
    except (NotInTime, Refused) as error:
        return [f"{way.name}: {error}"]


def _saved(bank: WatchedBank, way: Way, word: str) -> list[str]:
    file = bank.folder / _TASK
    bank.wait_equal(_TASK)
    file.chmod(0o640)
    records = [bank.count(table) for table in ("tasks", "task_subtasks", "edit_entries")]
    versions = bank.sql("SELECT coalesce(max(id), 0) FROM versions")[0][0]
    title = f"Sheet with {word.rstrip('.')}"
    _save(bank, way, file, title, word)
    bank.wait(lambda: file.exists() and title in bank.read(_TASK), "the row's title in the file")
    bank.wait(lambda: word in bank.stored(_TASK), "the word in the database")
    bank.wait_equal(_TASK)
    told = []
    if bank.read(_TASK).count(word) != 1 or bank.sql("SELECT title FROM tasks WHERE id = 'T6'") != [(title,)]:
        told.append(f"the sides hold {bank.read(_TASK)!r}")
    if [bank.count(table) for table in ("tasks", "task_subtasks", "edit_entries")] != records:
        told.append("records came or went")
    if bank.count("holds WHERE state = 'open'"):
        told.append(f"held: {bank.sql('SELECT path, reason FROM holds')}")
    if way.keeps and file.stat().st_mode & 0o777 != 0o640:
        told.append(f"its mode is {file.stat().st_mode & 0o777:o}")
    return told + _torn(bank.folder, versions)


def _save(bank: WatchedBank, way: Way, file: Path, title: str, word: str) -> None:
    """Change the row and save at once (later, by a way that puts other files back).

    An editor that sees the row's text come in between refuses: a person does it again, from the text of then.
    """
    bank.sql("UPDATE tasks SET title = ? WHERE id = 'T6'", title)
    if way.alone:
        bank.wait(lambda: title in bank.read(_TASK) and title in bank.read("tasks.md"), "the row's title in the files")
        bank.wait_equal(_TASK)
    for attempt in range(_TRIES):
        try:
            way.save(file, bank.read(_TASK).rstrip("\n") + f"\n{word}\n")
            return
        except (Refused, FileNotFoundError):
            if attempt == _TRIES - 1:
                raise
            bank.wait_equal(_TASK)
            for lock in (f".#{file.name}", f".{file.name}.swp"):  # of the editor that was ended
                file.with_name(lock).unlink(missing_ok=True)


def _torn(bank: Path, since: int) -> list[str]:
    """Texts that were absorbed since a version and are not whole."""
    db = open_database(bank / ".syncd" / "memory_bank.db", readonly=True)
    try:
        texts = [text for version, text in history.texts(db, _TASK, 12) if version.id > since]
        return [f"torn: {t!r}" for t in texts if t is None or not t.startswith(b"# T6") or _LAST.encode() not in t]
    finally:
        db.close()
