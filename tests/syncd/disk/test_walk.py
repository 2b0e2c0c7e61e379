"""The walk over a bank: documents by stat alone, and a word about all that was left out."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import astuple

from syncd.disk.walk import BankGone, walk


def put(root: Path, *paths: str) -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)


def test_finds_documents_at_any_depth_and_nothing_else(tmp_path: Path) -> None:
    """Only regular files named *.md count, wherever they lie, and folders of ours and git's are not entered."""
    put(tmp_path, "tasks.md", "tasks/T1.md", "a/b/c/deep.md", "notes.txt", "x.md.bak", "folder.md/inside.md")
    put(tmp_path, ".syncd/held/x.md", ".git/x.md", "sub/.git/x.md", ".hidden/x.md")
    found = walk(tmp_path)
    assert set(found.stats) == {"tasks.md", "tasks/T1.md", "a/b/c/deep.md", "folder.md/inside.md", ".hidden/x.md"}
    assert not found.unreadable
    assert not found.skipped


def test_stat_values_are_those_of_the_file(tmp_path: Path) -> None:
    """Size, both times, inode and mode are what lstat says."""
    put(tmp_path, "a.md")
    os.chmod(tmp_path / "a.md", 0o640)
    says, is_ = walk(tmp_path).stats["a.md"], os.lstat(tmp_path / "a.md")
    assert astuple(says) == (is_.st_size, is_.st_mtime_ns, is_.st_ctime_ns, is_.st_ino, is_.st_mode)
    assert says.racy(time.time_ns())
    assert not says.racy(time.time_ns() + 10**10)


def test_links_are_named_and_not_followed(tmp_path: Path) -> None:
    """A link to a file or folder, even inside the bank, is no document; an editor's dangling lock is passed over."""
    bank = tmp_path / "bank"
    put(tmp_path, "outside/secret.md")
    put(bank, "real.md")
    (bank / "link.md").symlink_to(bank / "real.md")
    (bank / "out").symlink_to(tmp_path / "outside")
    (bank / "loop").symlink_to("loop")
    (bank / ".#real.md").symlink_to("user@host.1234")
    found = walk(bank)
    assert set(found.stats) == {"real.md"}
    assert set(found.skipped) == {"link.md", "out"}
    assert "not followed" in found.skipped["link.md"]


def test_fifos_and_sockets_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is named like a document but could block a reader for ever is left out with a reason."""
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo("pipe.md")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.md")
        found = walk(tmp_path)
    assert not found.stats
    assert found.skipped == {"pipe.md": "a FIFO is no document", "socket.md": "a socket or device is no document"}


def test_names_that_are_odd_but_text_are_kept(tmp_path: Path) -> None:
    """A newline, spaces and icons in a name are allowed."""
    put(tmp_path, "new\nline.md", "spa ce/ü 🔄.md", "#.md")
    assert set(walk(tmp_path).stats) == {"new\nline.md", "spa ce/ü 🔄.md", "#.md"}


def test_names_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    """Such a name cannot be stored as text, so the file or the folder is left out and told."""
    (tmp_path / os.fsdecode(b"bad\xff.md")).write_text("x")
    put(tmp_path / os.fsdecode(b"dir\xfe"), "a.md")
    found = walk(tmp_path)
    assert not found.stats
    assert set(found.skipped) == {r"bad\udcff.md", r"dir\udcfe"}


def test_conflict_copies_of_sync_tools_are_left_out(tmp_path: Path) -> None:
    """They repeat the records of the document that they are a copy of."""
    put(tmp_path, "tasks.md", "tasks.sync-conflict-20250101-000000-ABCDEFG.md", "._tasks.md")
    found = walk(tmp_path)
    assert set(found.stats) == {"tasks.md"}
    assert set(found.skipped) == {"tasks.sync-conflict-20250101-000000-ABCDEFG.md"}


def test_a_folder_that_cannot_be_listed_is_no_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be hidden there must not look deleted."""
    put(tmp_path, "a.md", "closed/b.md")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("closed/"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = walk(tmp_path)
    assert set(found.stats) == {"a.md"}
    assert found.unreadable == {"closed": "permission denied"}


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("x")], ids=["missing", "a file"])
def test_a_bank_that_is_gone_is_an_error(tmp_path: Path, make: object) -> None:
    """No folder is not the same as an empty folder."""
    make(tmp_path / "bank")  # type: ignore[operator]
    with pytest.raises(BankGone, match="bring the folder back"):
        walk(tmp_path / "bank")


def test_costs_at_most_twice_a_bare_scan(tmp_path: Path) -> None:
    """The figure that the daemon's idle round hangs on, measured against the same system calls alone."""
    for folder in range(20):
        (tmp_path / str(folder)).mkdir()
        for number in range(100):
            (tmp_path / str(folder) / f"{number}.md").touch()

    def bare() -> None:
        for folder in os.scandir(tmp_path):
            for entry in os.scandir(folder.path):
                entry.stat(follow_symlinks=False)

    def cost(work: Callable[[], object]) -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    pairs = [(cost(bare), cost(lambda: walk(tmp_path))) for _ in range(25)]
    assert min(walked for _, walked in pairs) < 2 * min(scanned for scanned, _ in pairs)


def test_a_folder_that_is_listed_by_half_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a document that was moved within it only the new name may have been listed: it is neither new nor gone."""
    put(tmp_path, "a.md", "half/b.md", "half/deeper/c.md", "other/d.md")
    whole = os.scandir

    class Half:
        """Lists all there is, and then fails."""

        def __init__(self, path: str) -> None:
            self.entries, self.fails = whole(path), path.endswith("half/")

        def __enter__(self) -> Half:
            return self

        def __exit__(self, *_: object) -> None:
            self.entries.close()

        def __iter__(self) -> Iterator[os.DirEntry[str]]:
            yield from self.entries
            if self.fails:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "scandir", Half)
    found = walk(tmp_path)
    assert found.stats.keys() == {"a.md", "other/d.md"}
    assert found.unreadable.keys() == {"half"}
