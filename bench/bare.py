"""The floors: loops that do the I/O of the work and nothing else. Run as ``python -m bench.bare WHAT …``.

They use the standard library's sqlite3 and inotify by ctypes: no watcher thread, no parser, no comparison.
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import time
from pathlib import Path

from bench.inotify import CLOSE_WRITE, MODIFY, MOVED_TO, Inotify

_LOOKS, _LOOK_S = 4000, 0.0005


def database(path: Path) -> sqlite3.Connection:
    """A database in the same mode as the daemon's: write-ahead log, every commit durable."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def absorb(folder: Path, path: Path) -> None:
    """A file was saved: read it, commit a row for it."""
    connection = database(path)
    connection.execute("CREATE TABLE IF NOT EXISTS saved(id INTEGER PRIMARY KEY, path TEXT, size INTEGER, line TEXT)")
    watched = Inotify(folder, CLOSE_WRITE | MOVED_TO)
    print("ready", flush=True)
    while True:
        rows = []
        for name in watched.names():
            data = (folder / name).read_bytes()
            rows.append((name, len(data), data[-100:].decode(errors="replace")))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO saved(path, size, line) VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")


def emit(folder: Path, path: Path) -> None:
    """A row was committed: put its text into the file, durably."""
    connection = database(path)
    connection.execute("CREATE TABLE IF NOT EXISTS shown(id INTEGER PRIMARY KEY, text TEXT)")
    connection.execute("INSERT OR IGNORE INTO shown VALUES (1, '')")
    target, beside = folder / "shown.md", folder / "shown.tmp"
    watched = Inotify(path.parent, MODIFY)
    version = connection.execute("PRAGMA data_version").fetchone()
    print("ready", flush=True)
    while True:
        watched.names()
        for _ in range(_LOOKS):  # the log is written before the commit can be seen, by as much as the disk's sync takes
            seen = connection.execute("PRAGMA data_version").fetchone()
            if seen != version:
                version = seen
                (text,) = connection.execute("SELECT text FROM shown WHERE id = 1").fetchone()
                _rewrite(text.encode(), target, beside)
                watched.forget()
                break
            time.sleep(_LOOK_S)


def put_back(folder: Path, path: Path) -> None:
    """A file was saved: commit its text as a row, and put the text that it had when it was first seen back, durably."""
    connection = database(path)
    connection.execute("CREATE TABLE IF NOT EXISTS saved(id INTEGER PRIMARY KEY, path TEXT, text BLOB)")
    beside = path.parent / "beside.tmp"
    had: dict[str, bytes] = {}
    watched = Inotify(folder, CLOSE_WRITE)
    print("ready", flush=True)
    while True:
        for name in watched.names():
            data = (folder / name).read_bytes()
            if data != had.setdefault(name, data):
                connection.execute("INSERT INTO saved(path, text) VALUES (?, ?)", (name, data))
                _rewrite(had[name], folder / name, beside)


def _rewrite(data: bytes, target: Path, beside: Path) -> None:
    descriptor = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    os.write(descriptor, data)
    os.fsync(descriptor)
    os.close(descriptor)
    os.rename(beside, target)


_HEADING = re.compile(r"#{1,6} ")
_RECORD = re.compile(r"\||- |\d+\. |\*\*|#{3,4} ")


def first_import(bank: Path, path: Path) -> float:
    """Seconds to read every document, cut it at its headings, and insert sections and what looks like a record."""
    began = time.perf_counter()
    connection = database(path)
    connection.execute("CREATE TABLE documents(id INTEGER PRIMARY KEY, path TEXT, size INTEGER)")
    connection.execute("CREATE TABLE sections(id INTEGER PRIMARY KEY, document INTEGER, text TEXT)")
    connection.execute("CREATE TABLE records(id INTEGER PRIMARY KEY, section INTEGER, line TEXT)")
    connection.execute("BEGIN IMMEDIATE")
    section = 0
    for number, file in enumerate(sorted(bank.rglob("*.md"))):
        text = file.read_bytes().decode(errors="replace")
        connection.execute("INSERT INTO documents VALUES (?, ?, ?)", (number, str(file), len(text)))
        for lines in _sections(text):
            section += 1
            connection.execute("INSERT INTO sections VALUES (?, ?, ?)", (section, number, "".join(lines)))
            records = [(section, line) for line in lines if _RECORD.match(line)]
            connection.executemany("INSERT INTO records(section, line) VALUES (?, ?)", records)
    connection.execute("COMMIT")
    connection.close()
    return time.perf_counter() - began


def _sections(text: str) -> list[list[str]]:
    found: list[list[str]] = [[]]
    fenced = False
    for line in text.splitlines(keepends=True):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and _HEADING.match(line):
            found.append([])
        found[-1].append(line)
    return found


def scan(bank: Path) -> float:
    """Seconds to list every folder and stat every document."""
    began, waiting, count = time.perf_counter(), [str(bank)], 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        waiting.append(entry.path)
                elif entry.name.endswith(".md"):
                    entry.stat(follow_symlinks=False)
                    count += 1
    assert count
    return time.perf_counter() - began


def watch(folder: Path, path: Path) -> None:
    """What a daemon cannot do without, loaded and waiting: watchdog on ``folder`` and apsw on ``path``."""
    import apsw
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    observer = Observer()
    observer.schedule(FileSystemEventHandler(), str(folder), recursive=True)
    observer.start()
    print("ready", flush=True)
    observer.join()


if __name__ == "__main__":
    loops = {"absorb": absorb, "emit": emit, "put_back": put_back, "watch": watch}
    loops[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
