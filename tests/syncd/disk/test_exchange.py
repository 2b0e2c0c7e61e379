"""Renames that lose nothing, and who writes to a file."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.disk import exchange as module
from syncd.disk.exchange import Unsupported, Writers, exchange, leased, move_new, writers

linux = pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_two_files_trade_names(tmp_path: Path, folder: int) -> None:
    """Each name has the other's file, inode and all."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    inodes = one.stat().st_ino, two.stat().st_ino
    exchange(folder, "one", "two")
    assert (one.read_text(), two.read_text()) == ("2", "1")
    assert (two.stat().st_ino, one.stat().st_ino) == inodes


def test_an_exchange_needs_both(tmp_path: Path, folder: int) -> None:
    """With one name missing nothing moves."""
    (tmp_path / "one").write_text("1")
    with pytest.raises(FileNotFoundError):
        exchange(folder, "one", "two")
    assert os.listdir(tmp_path) == ["one"]


def test_a_move_never_replaces(tmp_path: Path, folder: int) -> None:
    """A file that has the name already stays."""
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2")
    with pytest.raises(FileExistsError):
        move_new(folder, "one", folder, "two")
    assert (tmp_path / "two").read_text() == "2"
    move_new(folder, "one", folder, "three")
    assert sorted(os.listdir(tmp_path)) == ["three", "two"]


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_a_move_without_the_system_call_never_replaces(
    tmp_path: Path, folder: int, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """File systems that refuse the flag are served by a link, or at last by a check."""
    monkeypatch.setattr(module, "_rename_call", lambda: None)
    if not links:
        monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2")
    with pytest.raises(FileExistsError):
        move_new(folder, "one", folder, "two")
    move_new(folder, "one", folder, "three")
    assert {name: (tmp_path / name).read_text() for name in os.listdir(tmp_path)} == {"two": "2", "three": "1"}
    with pytest.raises(Unsupported):
        exchange(folder, "two", "three")


def refuse(code: int) -> object:
    def call(*args: object, **named: object) -> None:
        raise OSError(code, os.strerror(code))

    return call


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_refused_exchange_is_told_apart(
    tmp_path: Path, folder: int, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """NFS and others say that they have no such thing; that is not a failure of the disk."""

    def function(*args: object) -> int:
        ctypes.set_errno(code)
        return -1

    monkeypatch.setattr(module, "_rename_call", lambda: (function, 2, 1))
    with pytest.raises(Unsupported):
        exchange(folder, "one", "two")


@linux
def test_a_writer_is_seen_and_a_reader_is_not(tmp_path: Path) -> None:
    """Only descriptors open for writing count, and only while they are open."""
    file = tmp_path / "a"
    file.write_text("x")
    with file.open("rb") as mine, file.open("rb"):
        assert writers(mine.fileno()) is Writers.NONE
        with file.open("ab"):
            assert writers(mine.fileno()) is Writers.SOME
        assert writers(mine.fileno()) is Writers.NONE


@linux
def test_a_lease_makes_a_writer_wait_and_kills_nobody(tmp_path: Path) -> None:
    """The kernel's signal about the waiting writer does not reach the default action that would end this process."""
    file = tmp_path / "a"
    file.write_text("x")
    opened: list[float] = []

    def write() -> None:
        with file.open("ab"):
            opened.append(time.monotonic())

    with file.open("rb") as mine:
        with leased(mine.fileno()) as answer:
            assert answer is Writers.NONE
            thread = threading.Thread(target=write)
            thread.start()
            time.sleep(0.03)
            assert not opened
        thread.join(5)
    assert opened


@linux
def test_another_users_file_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a lease is refused for another reason than a writer, nobody claims to know."""
    monkeypatch.setattr(module.fcntl, "fcntl", refuse(errno.EACCES))
    (tmp_path / "a").write_text("x")
    with (tmp_path / "a").open("rb") as mine:
        assert writers(mine.fileno()) is Writers.UNKNOWN
