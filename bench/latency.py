"""From a saved file to its row, and from a row to its file: the real daemon against a bare loop, by turns.

The clock starts before the file is opened for writing (or when the row's commit has returned) and stops when another
process sees the row (or the file). A row that another connection sees is durable: the commit syncs the log before it
shows it. So is a file's text: it is synced before it gets its name.
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import bare
from bench.processes import Failed, daemon, started
from bench.setting import Setting

_LIMIT_S = 20.0
_PAUSE_S = 0.02  # between two samples: both loops are at rest again
_NUMBERS = itertools.count(1)  # no wording twice in a run: it would be there before it is saved
Samples = list[float]


def until(seen: Callable[[], object], began: float, who: str = "syncd") -> float:
    """Milliseconds from ``began`` until ``seen``, asked without a pause. Raises `Failed`."""
    while not seen():
        if time.perf_counter() - began > _LIMIT_S:
            raise Failed(f"{who}: a change did not arrive within {_LIMIT_S:g} s")
    return (time.perf_counter() - began) * 1000


def save(path: Path, data: bytes) -> None:
    """Save as most programs do: truncate, write, close."""
    descriptor = path.open("wb", buffering=0)
    descriptor.write(data)
    descriptor.close()


def connect(bank: Path) -> sqlite3.Connection:
    """Another client of a bank's database. This process never opens it through apsw."""
    return sqlite3.connect(bank / ".syncd" / "memory_bank.db", isolation_level=None, timeout=10)


@dataclass(slots=True)
class History:
    """An edit history whose lines are edited one at a time, in an order that looks like chance."""

    bank: Path
    text: str
    lines: int

    @classmethod
    def of(cls, bank: Path) -> History:
        text = (bank / "edit_history.md").read_bytes().decode()
        return cls(bank, text, text.count(" - line "))

    def edit(self) -> tuple[bytes, int, str]:
        """The next text, the number of the line that is worded differently in it, and its description."""
        count = next(_NUMBERS)
        number = count * 7919 % self.lines + 1
        start = self.text.index(f" - line {number}: ") + 3
        end = self.text.index("\n", start)
        wording = f"{self.text[start:end].partition(' again ')[0]} again {count}"
        self.text = self.text[:start] + wording + self.text[end:]
        return self.text.encode(), number, wording

    def saved(self, client: sqlite3.Connection, before: Callable[[], None] = lambda: None) -> float:
        """Edit, save, wait for the row: milliseconds. ``before`` is done first, on the clock's other side."""
        data, number, wording = self.edit()
        (row,) = client.execute(
            "SELECT id FROM file_modifications WHERE description LIKE ?", (f"line {number}: %",)
        ).fetchone()
        path = self.bank / "edit_history.md"
        before()
        began = time.perf_counter()
        save(path, data)
        question = "SELECT 1 FROM file_modifications WHERE id = ? AND description = ?"
        return until(lambda: client.execute(question, (row, wording)).fetchone(), began)


@dataclass(slots=True)
class Floor:
    """The bare loop that absorbs: its folder, and the connection that sees its rows."""

    folder: Path
    client: sqlite3.Connection
    rows: int = 0

    def saved(self, files: Sequence[tuple[str, bytes]]) -> float:
        """Save all, wait for as many rows: milliseconds."""
        self.rows += len(files)
        wanted = (self.rows,)
        began = time.perf_counter()
        for name, data in files:
            save(self.folder / name, data)
        return until(lambda: self.client.execute("SELECT max(id) FROM saved").fetchone() == wanted, began, "floor")


@contextmanager
def bare_loop(setting: Setting, what: str, name: str) -> Generator[tuple[Path, Path, int]]:
    """A floor's process: its folder of documents, its database, its number."""
    folder, data = setting.folder(f"{name}-floor"), setting.folder(f"{name}-floor-db")
    log = setting.scratch / f"{name}-floor.log"
    command = [sys.executable, "-m", "bench.bare", what, str(folder), str(data / "floor.db")]
    with started(command, setting.env, log) as process:
        deadline = time.monotonic() + 10
        while "ready" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"the floor did not come up: {log.read_text()[-300:]}")
            time.sleep(0.02)
        yield folder, data / "floor.db", process.pid


@contextmanager
def absorber(setting: Setting, name: str) -> Generator[Floor]:
    """The bare loop that absorbs."""
    with bare_loop(setting, "absorb", name) as (folder, data, _), closing(bare.database(data)) as client:
        yield Floor(folder, client)


def turns(times: int, ours: Callable[[], float], floor: Callable[[], float]) -> tuple[Samples, Samples]:
    """Samples of both, by turns, after some that are not counted."""
    a: Samples = []
    b: Samples = []
    for number in range(times + 3):
        time.sleep(_PAUSE_S)
        first = floor()
        time.sleep(_PAUSE_S)
        second = ours()
        if number >= 3:
            a.append(second)
            b.append(first)
    return a, b


def history_to_row(setting: Setting, bank: Path, times: int) -> tuple[Samples, Samples]:
    """One entry's line is edited in the edit history."""
    history = History.of(bank)
    with daemon(bank, setting.env), absorber(setting, "history") as floor, closing(connect(bank)) as client:
        return turns(
            times,
            lambda: history.saved(client),
            lambda: floor.saved([("edit_history.md", history.text.encode())]),
        )


@dataclass(slots=True)
class Steps:
    """Checklists of task files, of which one step each is worded differently at each edit."""

    bank: Path
    tasks: Sequence[int]

    def texts(self, count: int) -> Iterator[tuple[str, bytes]]:
        """The texts of edit ``count``: path and bytes."""
        for task in self.tasks:
            path = f"tasks/T{task}.md"
            text = (self.bank / path).read_bytes().decode()
            start = text.index(f"T{task} step 5:")
            end = text.index("\n", start)
            wording = f"{text[start:end].partition(' again ')[0]} again {count}"
            yield path, (text[:start] + wording + text[end:]).encode()

    def saved(self, client: sqlite3.Connection) -> float:
        """Edit, save all, wait for all rows: milliseconds."""
        count = next(_NUMBERS)
        files = list(self.texts(count))
        rows = [str(id_) for task in self.tasks for id_ in client.execute(
            "SELECT id FROM task_subtasks WHERE text LIKE ?", (f"T{task} step 5:%",)).fetchone()]  # fmt: skip
        question = f"SELECT count(*) FROM task_subtasks WHERE id IN ({','.join(rows)}) AND text LIKE ?"
        wanted, wording = (len(files),), f"% again {count}"
        began = time.perf_counter()
        for path, data in files:
            save(self.bank / path, data)
        return until(lambda: client.execute(question, (wording,)).fetchone() == wanted, began)


def tasks_to_rows(setting: Setting, tasks: Sequence[int], times: int) -> tuple[Samples, Samples]:
    """One step is edited in each of so many task files, saved one behind the other."""
    bank = setting.real()
    steps = Steps(bank, tasks)
    with daemon(bank, setting.env), absorber(setting, "tasks") as floor, closing(connect(bank)) as client:
        bare_files = [(path.replace("/", "-"), data) for path, data in steps.texts(0)]
        return turns(times, lambda: steps.saved(client), lambda: floor.saved(bare_files))


def _shown(path: Path, wording: bytes) -> Callable[[], bool]:
    """Whether the file is another one by now and holds ``wording``."""
    old = path.stat()
    was = (old.st_ino, old.st_mtime_ns)

    def look() -> bool:
        now = path.stat()
        return (now.st_ino, now.st_mtime_ns) != was and wording in path.read_bytes()

    return look


def row_to_file(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """A step's row is changed by another process; its task file, the only place that shows it, follows."""
    bank = setting.real()
    path = bank / "tasks" / "T7.md"

    with (
        daemon(bank, setting.env),
        bare_loop(setting, "emit", "row") as (folder, data, _),
        closing(connect(bank)) as client,
        closing(bare.database(data)) as other,
    ):
        (row,) = client.execute("SELECT id FROM task_subtasks WHERE text LIKE 'T7 step 2:%'").fetchone()
        body, shown = path.read_text(), folder / "shown.md"
        shown.write_text(body)

        def ours() -> float:
            wording = f"T7 step 2: worded by {next(_NUMBERS)}"
            look = _shown(path, wording.encode())
            client.execute("UPDATE task_subtasks SET text = ? WHERE id = ?", (wording, row))
            return until(look, time.perf_counter())

        def floor() -> float:
            wording = f"worded by {next(_NUMBERS)}\n"
            look = _shown(shown, wording.encode())
            other.execute("UPDATE shown SET text = ? WHERE id = 1", (body + wording,))
            return until(look, time.perf_counter(), "floor")

        return turns(times, ours, floor)


_TURNS = 40
"""Documents that are saved in turn: each too seldom to be taken for one that a program rewrites again and again."""


def put_back(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """The database is first: a step is edited in a task file, which gets its text back.

    Each in its turn, so that none is taken for one that a program rewrites again and again.
    """
    bank, tasks = setting.output(), itertools.cycle(range(1, _TURNS + 1))
    with daemon(bank, setting.env), bare_loop(setting, "put_back", "back") as (folder, _, _):
        for number in range(1, _TURNS + 1):
            save(folder / f"T{number}.md", (bank / f"tasks/T{number}.md").read_bytes())
        time.sleep(0.5)  # the floor has seen them

        def ours() -> float:
            ((path, data),) = Steps(bank, [next(tasks)]).texts(next(_NUMBERS))
            return _put_back(bank / path, data, "syncd")

        def floor() -> float:
            path = folder / f"T{next(tasks)}.md"
            return _put_back(path, path.read_bytes() + b"%d\n" % next(_NUMBERS), "floor")

        return turns(times, ours, floor)


def _put_back(path: Path, data: bytes, who: str) -> float:
    """Save ``data``, wait for what the file held: milliseconds."""
    had = path.read_bytes()
    began = time.perf_counter()
    save(path, data)
    return until(lambda: path.read_bytes() == had, began, who)


def small_and_large(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """The same edit of the same history in a bank of 10,000 documents and, by turns, in one of 100."""
    large, small = setting.large(), setting.small()
    a, b = History.of(large), History.of(small)
    with (
        daemon(large, setting.env),
        daemon(small, setting.env),
        closing(connect(large)) as one,
        closing(connect(small)) as two,
    ):
        return turns(times, lambda: a.saved(one), lambda: b.saved(two))
