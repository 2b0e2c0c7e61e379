"""What stands below ``.syncd`` for a moment: the copy of a database that waits for its restore, a file that is being
written. It is gone afterwards, and what a process left that was killed goes when the next one begins."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from syncd.bank import state_of

_PREFIX = "restore-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def place(bank: Path) -> Iterator[Path]:
    """A new folder in that of the bank's database; it and what is in it is removed behind the block."""
    folder, held = _made(bank)
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(held)


def clear(bank: Path, written: str) -> None:
    """Remove what processes left that were killed. The file ``written`` is written as ``written.PROCESS``."""
    with suppress(OSError):
        for name in os.listdir(state_of(bank)):
            if name.startswith(_PREFIX):
                _clear(state_of(bank) / name)
            elif name.startswith(f"{written}.") and not _lives(name.rpartition(".")[2]):
                (state_of(bank) / name).unlink()


def _lives(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OSError, OverflowError):
        return True
    return True


def _made(bank: Path) -> tuple[Path, int]:
    """A folder, and the descriptor by whose lock `clear` knows that it is in use."""
    import tempfile

    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=state_of(bank)))
        try:
            held = os.open(folder, _FOLDER)
        except FileNotFoundError:
            continue  # somebody cleared it away before it was locked
        fcntl.flock(held, fcntl.LOCK_EX)
        if os.fstat(held).st_nlink:
            return folder, held
        os.close(held)


def _clear(folder: Path) -> None:
    held = os.open(folder, _FOLDER)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # a restore goes on there
    else:
        _remove(folder)
    finally:
        os.close(held)


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
