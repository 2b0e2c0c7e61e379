"""The measurements of `bench.curves`, each for one size, inside the process that is measured."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import bare

Both = dict[str, list[float]]


def turns(times: int, ours: Callable[[], float], floor: Callable[[], float]) -> Both:
    """Samples of both in milliseconds, by turns, after one of each that is not counted where there are several."""
    for work in (floor, ours) * (times > 1):
        work()
    found: Both = {"ours": [], "floor": []}
    for _ in range(times):
        found["floor"].append(floor())
        found["ours"].append(ours())
    return found


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


class Subject:
    """A bank with its engine, and a bare database beside it."""

    def __init__(self, bank: Path) -> None:
        from syncd.config import Config
        from syncd.daemon.daemon import load_all
        from syncd.engine import Engine

        load_all()
        self.bank = bank
        self.imported: Both = {"floor": [bare.first_import(bank, bank.with_name("import.db")) * 1000], "ours": []}
        self.engine = Engine.open(bank, create=True, config=Config(max_document_mb=1000))
        self.imported["ours"].append(timed(self.engine.converge))
        self.bare = bare.database(bank.with_name("floor.db"))
        self.bare.execute("CREATE TABLE saved(id INTEGER PRIMARY KEY, path TEXT, size INTEGER, line TEXT)")
        self._history = bank / "edit_history.md"
        self._number = 0

    def edit(self, lines: int) -> tuple[float, int]:
        """So many lines of the history are worded anew; milliseconds until the rows are durable, and lines edited."""
        self._number += 1
        data, count = re.subn(rb"( - line \d+: [^\n]*?)(?: again \d+)?\n", rb"\1 again %d\n" % self._number,
                              self._history.read_bytes(), count=lines)  # fmt: skip
        self._history.write_bytes(data)
        return timed(self._converge), count

    def _converge(self) -> None:
        report = self.engine.converge(["edit_history.md"], settle=False)
        assert report.transaction is not None, report

    def bare_edit(self, lines: int) -> float:
        """The file is read, and so many rows are committed."""

        def work() -> None:
            data = self._history.read_bytes()
            rows = [(str(self._history), len(data), data[-100:].decode(errors="replace"))] * lines
            _commit(self.bare, "INSERT INTO saved(path, size, line) VALUES (?, ?, ?)", rows)

        return timed(work)

    def rows(self, number: int) -> float:
        """So many rows are changed in one commit; milliseconds until the file is durable."""
        self._number += 1
        db, wording = self.engine.db, f" row {self._number}"

        def work() -> None:
            db.run("UPDATE file_modifications SET description = description || ? WHERE id <= ?", (wording, number))
            report = self.engine.converge((), settle=False)
            assert report.emitted, report

        return timed(work)

    def bare_rows(self, number: int) -> float:
        """So many rows are changed, and a file is written durably."""
        beside = self.bank.with_name("beside.md")

        def work() -> None:
            self.bare.execute("UPDATE saved SET line = line || '.' WHERE id <= ?", (number,))
            descriptor = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
            os.write(descriptor, self._history.read_bytes())
            os.fsync(descriptor)
            os.close(descriptor)
            os.rename(beside, beside.with_suffix(".done"))

        return timed(work)


def _commit(connection: sqlite3.Connection, sql: str, rows: list[tuple[str, int, str]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(sql, rows)
    connection.execute("COMMIT")


def curve_documents(bank: str) -> dict[str, Both]:
    """A first import, converges that find nothing, and edits of one document."""
    subject = Subject(Path(bank))
    nothing = turns(5, lambda: timed(subject.engine.converge), lambda: bare.scan(subject.bank) * 1000)
    edits = turns(15, lambda: subject.edit(1)[0], lambda: subject.bare_edit(1))
    return {"documents_import": subject.imported, "documents_nothing": nothing, "documents_edit": edits}


def curve_history(bank: str) -> dict[str, Both]:
    """A first import, and edits of one entry."""
    subject = Subject(Path(bank))
    return {"history_import": subject.imported,
            "history_edit": turns(7, lambda: subject.edit(1)[0], lambda: subject.bare_edit(1))}  # fmt: skip


def curve_changes(bank: str, sizes: Sequence[int]) -> dict[int, dict[str, Both]]:
    """By their number, changes in one transaction: from the file, and from the rows."""
    subject = Subject(Path(bank))
    return {number: _changed(subject, number) for number in sizes}


def _changed(subject: Subject, number: int) -> dict[str, Both]:
    times = 7 if number <= 100 else 1

    def ours() -> float:
        took, edited = subject.edit(number)
        assert edited == number, edited
        return took

    file = turns(times, ours, lambda: subject.bare_edit(number))
    rows = turns(times, lambda: subject.rows(number), lambda: subject.bare_rows(number))
    return {"changes_file": file, "changes_rows": rows}
