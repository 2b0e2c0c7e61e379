"""Every way in which programs save a file, beside a running daemon with a row change in flight: both arrive.

The scratch bank does not lie in the directory for temporary files, where vim and others would save differently.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prove.watched import WatchedBank
from prove.ways import (
    Save,
    away_and_create,
    away_and_rename_in,
    delete_and_create,
    in_place,
    rename_in,
    slowly,
    touched_first,
    traded,
)

NOTE = "progress.md"
TASK = "tasks/T6.md"


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
def bank(folder: Path) -> Iterator[WatchedBank]:
    """One daemon for all editors: what one of them leaves behind, the next must cope with."""
    running = WatchedBank(folder)
    yield running
    assert running.stop() == 0


CLASSES: list[Save] = [
    in_place, slowly, away_and_create, away_and_rename_in, delete_and_create, rename_in, traded, touched_first,
]  # fmt: skip


def save_with_a_row_in_flight(bank: WatchedBank, save: Save, word: str) -> None:
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
def test_a_save_and_a_row_change_that_meet_both_arrive(bank: WatchedBank, save: Save) -> None:
    """Whatever the order of the program's calls: no text lost, no record deleted, no hold."""
    save_with_a_row_in_flight(bank, save, save.__name__)


@pytest.mark.parametrize("save", CLASSES, ids=lambda save: save.__name__)
def test_every_way_of_saving_is_noticed(bank: WatchedBank, save: Save) -> None:
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
        "nvim", lambda f: ["nvim", "--headless", "-nu", "NONE", "-c", "$s/$/\\rWord by nvim/", "-c", "wq", f], None,
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
def test_a_real_editor_and_a_row_change_both_arrive(bank: WatchedBank, name: str) -> None:
    """The same with the programs themselves, as far as they are installed."""
    program, arguments, given = EDITORS[name]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if given == "tty":
        pytest.skip(f"{program} needs a terminal")
    bank.wait_equal(TASK)

    def save(file: Path, _: str) -> None:
        # An editor that sees the row's change arrive between its read and its write refuses to save: a person reloads.
        done: Exception | None = None
        for _ in range(5):
            run = arguments(str(file))
            try:
                subprocess.run(run, input=given or "", text=True, capture_output=True, timeout=20, check=True)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as refused:  # neovim asks, and waits
                done = refused
                bank.wait_equal(TASK)
            else:
                return
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
