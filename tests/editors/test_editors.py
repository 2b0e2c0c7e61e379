"""Every way in which programs save a file, beside a running daemon with a row change in flight: both arrive.

The scratch bank does not lie in the directory for temporary files, where vim and others would save differently.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTE = "progress.md"
TASK = "tasks/T6.md"

Save = Callable[[Path, str], None]


class Bank:
    """A bank that a daemon watches."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self._log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "syncd", "run", str(folder)], cwd=ROOT, stdout=out, stderr=out
            )
        self.wait(self._ready, "ready")

    def _ready(self) -> bool:
        try:
            holder = json.loads((self.folder / ".syncd" / "lock").read_text())
        except (OSError, ValueError):
            return False
        return bool(holder["ready"] and holder["pid"] == self.process.pid)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(self.folder / ".syncd" / "memory_bank.db", timeout=10)
        try:
            rows = db.execute(statement, values).fetchall()
            db.commit()
            return rows
        finally:
            db.close()

    def stored(self, path: str) -> str:
        """The text of a document as the database has it."""
        return "".join(
            text for (text,) in self.sql(
                "SELECT s.text FROM sections s JOIN documents d ON d.id = s.document_id WHERE d.path = ? "
                "ORDER BY s.position",
                path,
            )
        )  # fmt: skip

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def wait(self, true: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                pytest.fail(f"not within {seconds} s: {what}\n{self._log.read_text(errors='replace')}")
            time.sleep(0.005)

    def wait_equal(self, path: str) -> None:
        def equal() -> bool:
            try:
                return self.stored(path) == self.read(path)
            except FileNotFoundError:
                return False

        self.wait(equal, f"{path} equal on both sides")

    def count(self, table: str) -> int:
        return int(self.sql(f"SELECT count(*) FROM {table}")[0][0])


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A scratch folder outside the directory for temporary files where that can be."""
    try:
        made = Path(tempfile.mkdtemp(prefix="editors-", dir="/var/tmp"))
    except OSError:
        made = Path(tempfile.mkdtemp(prefix="editors-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def bank(folder: Path) -> Iterator[Bank]:
    """One daemon for all editors: what one of them leaves behind, the next must cope with."""
    path = Path(shutil.copytree(ROOT / "syncd" / "sample", folder / "memory-bank"))
    running = Bank(path, folder / "daemon.log")
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0


# -- the classes of saving -------------------------------------------------------------------------------------------


def in_place(file: Path, text: str) -> None:
    """nano, VS Code, Obsidian, a shell's `>`."""
    file.write_text(text)


def slowly(file: Path, text: str) -> None:
    """Truncated, then written in pieces: what stands there meanwhile is no text of anybody's."""
    with file.open("w") as out:
        third = len(text) // 3 + 1
        for start in range(0, len(text), third):
            out.write(text[start : start + third])
            out.flush()
            time.sleep(0.12)


def away_and_create(file: Path, text: str) -> None:
    """vim, emacs: the old file is renamed, a new one written under its name."""
    backup = file.with_name(file.name + "~")
    file.rename(backup)
    time.sleep(0.05)
    with file.open("w") as out:
        out.write(text[: len(text) // 2])
        out.flush()
        time.sleep(0.05)
        out.write(text[len(text) // 2 :])
    backup.unlink()


def away_and_rename_in(file: Path, text: str) -> None:
    """JetBrains' safe write, `sed -i.bak`."""
    new, old = file.with_name(file.name + "~jb_tmp~"), file.with_name(file.name + "~jb_old~")
    new.write_text(text)
    file.rename(old)
    time.sleep(0.05)
    new.rename(file)
    old.unlink()


def delete_and_create(file: Path, text: str) -> None:
    """git, install, cp --remove-destination."""
    file.unlink()
    time.sleep(0.05)
    file.write_text(text)


def rename_in(file: Path, text: str) -> None:
    """sed -i, perl -i, rsync, most assistants."""
    new = file.with_name(file.name + ".tmp.123")
    new.write_text(text)
    new.replace(file)


def traded(file: Path, text: str) -> None:
    """Names exchanged in one step."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(text)
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None or renameat2(-100, os.fsencode(new), -100, os.fsencode(file), 2) != 0:
        pytest.skip("no exchange here")
    new.unlink()


def touched_first(file: Path, text: str) -> None:
    """gio, micro: the first event comes with the old content."""
    file.touch()
    file.chmod(0o640)
    time.sleep(0.02)
    file.write_text(text)


CLASSES: list[Save] = [
    in_place, slowly, away_and_create, away_and_rename_in, delete_and_create, rename_in, traded, touched_first,
]  # fmt: skip


def save_with_a_row_in_flight(bank: Bank, save: Save, word: str) -> None:
    """Save a document by hand while rows of it change; both must be on both sides in the end."""
    records = [bank.count(t) for t in ("tasks", "task_subtasks", "edit_entries")]
    text = bank.read(TASK)
    edited = text.replace("## Acceptance Criteria", f"Said by {word}.\n\n## Acceptance Criteria", 1)
    assert edited != text
    bank.sql("UPDATE tasks SET title = ? WHERE id = 'T6'", f"Sheet after {word}")
    save(bank.folder / TASK, edited)
    file = bank.folder / TASK
    bank.wait(lambda: file.exists() and f"Sheet after {word}" in bank.read(TASK), "the row's title in the file")
    bank.wait(lambda: f"Said by {word}." in bank.stored(TASK), "the sentence in the database")
    bank.wait_equal(TASK)
    assert f"Said by {word}." in bank.read(TASK)
    assert bank.sql("SELECT title FROM tasks WHERE id = 'T6'") == [(f"Sheet after {word}",)]
    assert [bank.count(t) for t in ("tasks", "task_subtasks", "edit_entries")] == records
    assert bank.count("holds WHERE state = 'open'") == 0
    assert bank.process.poll() is None


@pytest.mark.parametrize("save", CLASSES, ids=lambda save: save.__name__)
def test_a_save_and_a_row_change_that_meet_both_arrive(bank: Bank, save: Save) -> None:
    """Whatever the order of the program's calls: no text lost, no record deleted, no hold."""
    save_with_a_row_in_flight(bank, save, save.__name__)


@pytest.mark.parametrize("save", CLASSES, ids=lambda save: save.__name__)
def test_every_way_of_saving_is_noticed(bank: Bank, save: Save) -> None:
    """A document of prose is stored as it was saved, within moments."""
    text = bank.read(NOTE) + f"\n- Noted by {save.__name__}\n"
    save(bank.folder / NOTE, text)
    bank.wait(lambda: bank.stored(NOTE) == text, "stored", 5.0)
    assert bank.read(NOTE) == text


# -- real editors ----------------------------------------------------------------------------------------------------

EDITORS: dict[str, tuple[str, Callable[[str], list[str]], str | None]] = {
    "vim": ("vim", lambda f: ["vim", "-es", "-u", "NONE", "-c", "$s/$/\\rWord by vim/", "-c", "wq", f], None),
    "vim-in-place": (
        "vim", lambda f: ["vim", "-es", "-u", "NONE", "-c", "set bkc=yes", "-c", "$s/$/\\rWord by vim-in-place/",
                          "-c", "wq", f], None,
    ),
    "nvim": (
        "nvim", lambda f: ["nvim", "--headless", "-u", "NONE", "-c", "$s/$/\\rWord by nvim/", "-c", "wq", f], None,
    ),
    "nano": ("nano", lambda f: ["nano", f], "tty"),
    "ed": ("ed", lambda f: ["ed", "-s", f], "$a\nWord by ed\n.\nw\nq\n"),
    "sed": ("sed", lambda f: ["sed", "-i", "-e", "$a Word by sed", f], None),
    "sed-backup": ("sed", lambda f: ["sed", "-i.bak", "-e", "$a Word by sed-backup", f], None),
    "perl": ("perl", lambda f: ["perl", "-pi", "-e", "$_ .= \"Word by perl\\n\" if eof", f], None),
    "emacs": (
        "emacs", lambda f: ["emacs", "--batch", "-Q", f, "--eval",
                            '(progn (goto-char (point-max)) (insert "\\nWord by emacs\\n") (save-buffer))'], None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITORS)
def test_a_real_editor_and_a_row_change_both_arrive(bank: Bank, name: str) -> None:
    """The same with the programs themselves, as far as they are installed."""
    program, arguments, given = EDITORS[name]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if given == "tty":
        pytest.skip(f"{program} needs a terminal")
    bank.wait_equal(TASK)

    def save(file: Path, _: str) -> None:
        # An editor that sees the row's change arrive between its read and its write refuses to save: a person reloads.
        for _ in range(5):
            run = arguments(str(file))
            done = subprocess.run(run, input=given, text=True, capture_output=True, timeout=20, check=False)
            if done.returncode == 0:
                return
            bank.wait_equal(TASK)
        pytest.fail(f"{name} did not save: {done}")

    records = [bank.count(t) for t in ("tasks", "task_subtasks", "edit_entries")]
    bank.sql("UPDATE tasks SET title = ? WHERE id = 'T6'", f"Sheet with {name}")
    save(bank.folder / TASK, "")
    bank.wait(lambda: f"Word by {name}" in bank.stored(TASK), "the word in the database")
    bank.wait(lambda: f"Sheet with {name}" in bank.read(TASK), "the row's title in the file")
    bank.wait_equal(TASK)
    assert f"Word by {name}" in bank.read(TASK)
    assert [bank.count(t) for t in ("tasks", "task_subtasks", "edit_entries")] == records
    assert bank.count("holds WHERE state = 'open'") == 0
