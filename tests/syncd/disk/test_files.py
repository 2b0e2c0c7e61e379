"""Stable reads, texts put in place, and what is kept of files that were displaced."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import syncd
from syncd.disk import files, held, look
from syncd.disk.exchange import Unsupported
from syncd.disk.files import (
    BankGone,
    Busy,
    Changed,
    Content,
    Held,
    Missing,
    Unreadable,
    WriteFailed,
    Written,
    digest,
    drop_leftover,
    prepare,
    read_stable,
    sweep_temporaries,
)
from syncd.disk.walk import Stat, walk

OLD, NEW = b"old text\n", b"new text of another length\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    root = tmp_path / "bank"
    (root / "tasks").mkdir(parents=True)
    (root / "tasks" / "T1.md").write_bytes(OLD)
    wait_for_quiet(root)
    return root


def wait_for_quiet(root: Path) -> None:
    """A process that another thread of the test run forks has our descriptors, open for writing, until it executes."""
    deadline = time.monotonic() + 5
    while isinstance(read_stable(root, "tasks/T1.md"), Busy):
        assert time.monotonic() < deadline, "somebody keeps the fixture's document open for writing"
        time.sleep(0.001)


@pytest.fixture
def kept(bank: Path) -> Held:
    return Held(bank, hold=0.0)


@pytest.fixture(params=["exchange", "two renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both protocols: that of file systems which can exchange, and that of the others."""
    if request.param == "two renames":
        no_exchange(monkeypatch)
    return str(request.param)


def no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise Unsupported(errno.EINVAL, "refused")

    monkeypatch.setattr(files, "exchange", refuse)


def names(bank: Path) -> set[str]:
    """All files of the bank, those in ``.syncd`` too."""
    return {str(p.relative_to(bank)) for p in bank.rglob("*") if not p.is_dir()}


def only_document(bank: Path) -> bool:
    return names(bank) == {"tasks/T1.md"}


# Reading.


def test_reads_bytes_and_the_stat_values_that_go_with_them(bank: Path) -> None:
    """The stat values are those of the walk, so that an unchanged file can be skipped."""
    read = read_stable(bank, "tasks/T1.md")
    assert read == Content(OLD, walk(bank).stats["tasks/T1.md"])
    assert isinstance(read, Content)
    assert read.digest == digest(OLD)
    assert len(read.digest) == 32


@linux
def test_a_file_that_is_open_for_writing_is_not_read(bank: Path) -> None:
    """Half of a save is nobody's text."""
    with (bank / "tasks" / "T1.md").open("ab") as writer:
        writer.write(b"ha")
        writer.flush()
        assert read_stable(bank, "tasks/T1.md") == Busy("open for writing")
    assert isinstance(read_stable(bank, "tasks/T1.md"), Content)


def test_without_leases_a_file_that_moves_is_not_read(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two reads and the stat values must agree where nobody can tell whether it is open."""
    no_leases(monkeypatch)
    read = read_stable(bank, "tasks/T1.md")
    assert isinstance(read, Content)
    assert not read.sure
    monkeypatch.setattr(look.time, "sleep", lambda _: (bank / "tasks" / "T1.md").write_bytes(NEW))
    assert read_stable(bank, "tasks/T1.md") == Busy("changed while it was read")


def no_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    from syncd.disk import exchange

    def refuse(*args: object) -> None:
        raise PermissionError(errno.EACCES, "refused")

    monkeypatch.setattr(exchange.fcntl, "fcntl", refuse)


def test_what_is_no_readable_file_is_a_value_with_a_reason(bank: Path, tmp_path: Path) -> None:
    """Links are not followed, neither as a file nor on the way to it; a FIFO does not block."""
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    (bank / "link.md").symlink_to(secret)
    (bank / "out").symlink_to(tmp_path)
    (bank / "folder.md").mkdir()
    os.mkfifo(bank / "pipe.md")
    assert read_stable(bank, "link.md") == Unreadable("a link is not followed")
    assert read_stable(bank, "out/secret.md") == Unreadable("its folder is a link or no folder")
    assert read_stable(bank, "folder.md") == Unreadable("a folder, not a file")
    assert read_stable(bank, "pipe.md") == Unreadable("not a regular file")
    assert read_stable(bank, "none.md") == Missing()
    assert read_stable(bank, "none/none.md") == Missing()
    assert read_stable(bank, "tasks/T1.md", limit=5) == Unreadable("9 bytes, over the limit of 5")


def test_a_refused_open_is_a_value(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No permission, or a failing disk, is about this document and not about the bank."""
    real = os.open

    def refuse(path: Any, flags: int, *args: Any, **named: Any) -> int:
        if path == "T1.md":
            raise OSError(errno.EIO, "Input/output error")
        return real(path, flags, *args, **named)

    monkeypatch.setattr(os, "open", refuse)
    assert read_stable(bank, "tasks/T1.md") == Unreadable("the disk fails")


def test_a_bank_that_is_gone_is_not_a_missing_document(tmp_path: Path) -> None:
    """Otherwise every document would seem deleted."""
    with pytest.raises(BankGone):
        read_stable(tmp_path / "none", "tasks.md")


@pytest.mark.parametrize("path", ["../x.md", "/etc/passwd", "a/../../x.md", "a//b.md", "", "./x.md", "a\0.md"])
def test_a_path_out_of_the_bank_is_refused(bank: Path, path: str) -> None:
    """Paths may come from rows that any client wrote."""
    with pytest.raises(WriteFailed):
        read_stable(bank, path)
    with pytest.raises(WriteFailed):
        prepare(bank, path, NEW)


# Writing.


def test_replaces_a_document_that_is_as_expected(bank: Path, kept: Held, way: str) -> None:
    """The new text is there with the stat values returned, and nothing else is left."""
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert isinstance(outcome, Written)
    assert outcome.stat == walk(bank).stats["tasks/T1.md"]
    assert (bank / "tasks" / "T1.md").read_bytes() == NEW
    assert kept.settle() == []
    assert only_document(bank)
    kept.flush_directories()


def test_a_document_that_changed_stays(bank: Path, kept: Held, way: str) -> None:
    """Its text is returned for the next merge."""
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(b"something else"), kept)
    assert isinstance(outcome, Changed)
    assert isinstance(outcome.now, Content)
    assert outcome.now.data == OLD
    assert (bank / "tasks" / "T1.md").read_bytes() == OLD
    assert only_document(bank)


@linux
def test_a_document_that_is_open_for_writing_stays(bank: Path, kept: Held, way: str) -> None:
    """Nothing is written under an editor's hands."""
    with (bank / "tasks" / "T1.md").open("ab"):
        outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert isinstance(outcome, Busy)
    assert (bank / "tasks" / "T1.md").read_bytes() == OLD
    assert only_document(bank)


def test_stat_values_spare_the_first_read_and_not_the_last(bank: Path, kept: Held) -> None:
    """With `seen` the document is not read before the exchange; what comes out is, so a lie is found."""
    seen = walk(bank).stats["tasks/T1.md"]
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(b"a lie"), kept, seen)
    assert isinstance(outcome, Changed)
    assert isinstance(outcome.now, Content)
    assert outcome.now.data == OLD
    assert (bank / "tasks" / "T1.md").read_bytes() == OLD
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept, seen), Changed | Written)
    stale = replace(seen, size=1)
    now = (bank / "tasks" / "T1.md").read_bytes()
    assert isinstance(prepare(bank, "tasks/T1.md", b"third").publish(digest(now), kept, stale), Written)


def test_makes_a_new_document_and_its_folders(bank: Path, kept: Held) -> None:
    """A name with a newline too; mode as the umask says."""
    before = os.umask(0o027)
    try:
        outcome = prepare(bank, "a/b/new\nname.md", NEW).publish(None, kept)
    finally:
        os.umask(before)
    assert isinstance(outcome, Written)
    file = bank / "a" / "b" / "new\nname.md"
    assert file.read_bytes() == NEW
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    kept.flush_directories()


def test_a_document_that_appeared_meanwhile_stays(bank: Path, kept: Held) -> None:
    """A new document never replaces one."""
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(None, kept)
    assert isinstance(outcome, Changed)
    assert only_document(bank)
    prepared = prepare(bank, "tasks/T2.md", NEW)
    (bank / "tasks" / "T2.md").write_bytes(OLD)
    assert isinstance(prepared.publish(None, kept), Changed)
    assert (bank / "tasks" / "T2.md").read_bytes() == OLD


def test_a_document_that_went_is_not_brought_back(bank: Path, kept: Held, way: str) -> None:
    """Expected but missing: the caller has to decide."""
    prepared = prepare(bank, "tasks/T1.md", NEW)
    (bank / "tasks" / "T1.md").unlink()
    assert prepared.publish(digest(OLD), kept) == Changed(Missing())
    assert names(bank) == set()


def test_a_folder_that_went_takes_nothing_along(bank: Path, kept: Held) -> None:
    """The same for its folder, and the text prepared in it is swept up later."""
    prepared = prepare(bank, "tasks/T1.md", NEW)
    (bank / "tasks").rename(bank / "moved")
    assert prepared.publish(digest(OLD), kept) == Changed(Missing())
    assert sweep_temporaries(bank) == []
    assert names(bank) == {"moved/T1.md"}


def test_removes_a_document(bank: Path, kept: Held) -> None:
    """Only if it is as expected, and it is kept until it was looked at again."""
    assert isinstance(prepare(bank, "tasks/T1.md", None).publish(digest(NEW), kept), Changed)
    assert only_document(bank)
    assert prepare(bank, "tasks/T1.md", None).publish(digest(OLD), kept) == Written(None)
    assert not (bank / "tasks" / "T1.md").exists()
    assert len(names(bank)) == 1
    assert kept.settle() == []
    assert names(bank) == set()
    assert prepare(bank, "tasks/T1.md", None).publish(None, kept) == Written(None)


def test_keeps_mode_and_owner(bank: Path, kept: Held, way: str) -> None:
    """Both are those of the file that is replaced."""
    file = bank / "tasks" / "T1.md"
    os.chmod(file, 0o640)
    root = os.geteuid() == 0
    if root:
        os.chown(file, 1234, 2345)
        os.chmod(file, 0o640)
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)
    now = file.stat()
    assert stat.S_IMODE(now.st_mode) == 0o640
    assert (now.st_uid, now.st_gid) == ((1234, 2345) if root else (os.getuid(), os.getgid()))


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="no extended attributes")
def test_keeps_extended_attributes(bank: Path, kept: Held) -> None:
    """Labels that a person or a file manager gave."""
    file = bank / "tasks" / "T1.md"
    try:
        os.setxattr(file, "user.label", b"red")
    except OSError:
        pytest.skip("this file system keeps no attributes")
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)
    assert os.getxattr(file, "user.label") == b"red"


def test_an_owner_that_cannot_be_kept_is_an_error(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document is not handed to another user without a word."""
    fake = os.stat(bank / "tasks" / "T1.md")

    def foreign(folder: int, name: str) -> os.stat_result:
        return os.stat_result((fake.st_mode, fake.st_ino, fake.st_dev, 1, 4711, 4711, 0, 0, 0, 0))

    def refuse(*args: object) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    monkeypatch.setattr(files, "_regular", foreign)
    monkeypatch.setattr(os, "fchown", refuse)
    with pytest.raises(WriteFailed, match=r"not permitted: tasks/T1\.md"):
        prepare(bank, "tasks/T1.md", NEW)
    assert only_document(bank)


def test_a_link_is_not_written_through(bank: Path, kept: Held, tmp_path: Path) -> None:
    """Neither the file it names nor the link itself changes."""
    victim = tmp_path / "victim.md"
    victim.write_bytes(OLD)
    (bank / "link.md").symlink_to(victim)
    (bank / "out").symlink_to(tmp_path)
    for path in ("link.md", "out/victim.md"):
        with pytest.raises(WriteFailed):
            prepare(bank, path, NEW)
    assert victim.read_bytes() == OLD
    assert (bank / "link.md").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["bank", "victim.md"]


def test_a_link_that_takes_the_documents_place_gets_it_back(bank: Path, kept: Held, tmp_path: Path) -> None:
    """A link put there between prepare and publish is what somebody wanted."""
    prepared = prepare(bank, "tasks/T1.md", NEW)
    (bank / "tasks" / "T1.md").unlink()
    (bank / "tasks" / "T1.md").symlink_to(tmp_path)
    assert prepared.publish(digest(OLD), kept) == Changed(Unreadable("a link is not followed"))
    assert (bank / "tasks" / "T1.md").is_symlink()


def test_a_name_as_long_as_names_can_be(bank: Path, kept: Held) -> None:
    """Our own names beside it do not get longer than the system allows."""
    path = "tasks/" + "ü" * 126 + ".md"
    assert isinstance(prepare(bank, path, OLD).publish(None, kept), Written)
    assert isinstance(prepare(bank, path, NEW).publish(digest(OLD), kept), Written)
    assert (bank / path).read_bytes() == NEW
    assert kept.settle() == []
    assert names(bank) == {"tasks/T1.md", path}


def test_is_used_once(bank: Path, kept: Held) -> None:
    """A prepared text cannot be published again, and discarding it twice is harmless."""
    prepared = prepare(bank, "tasks/T1.md", NEW)
    prepared.discard()
    prepared.discard()
    assert only_document(bank)
    with pytest.raises(ValueError, match="used twice"):
        prepared.publish(digest(OLD), kept)


# Saves in the middle: between our look and our exchange, and after it.


def at_exchange(monkeypatch: pytest.MonkeyPatch, *saves: Callable[[], None]) -> list[int]:
    """Call one of ``saves`` just before each exchange, while there are any; counts exchanges."""
    real, left, calls = files.exchange, list(saves), [0]

    def wrapped(folder: int, one: str, other: str) -> None:
        calls[0] += 1
        if left:
            left.pop(0)()
        real(folder, one, other)

    monkeypatch.setattr(files, "exchange", wrapped)
    return calls


def rename_in(file: Path, data: bytes) -> None:
    other = file.with_suffix(".saving")
    other.write_bytes(data)
    other.rename(file)


def append(file: Path, data: bytes) -> None:
    with file.open("ab") as writer:
        writer.write(data)


@pytest.mark.parametrize("save", [rename_in, Path.write_bytes], ids=["by rename", "in place"])
def test_a_save_just_before_the_exchange_stands(
    bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch, save: Callable[[Path, bytes], object]
) -> None:
    """It is exchanged back and returned."""
    file = bank / "tasks" / "T1.md"
    at_exchange(monkeypatch, lambda: (save(file, b"theirs"), None)[1])
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert isinstance(outcome, Changed)
    assert isinstance(outcome.now, Content)
    assert outcome.now.data == b"theirs" == file.read_bytes()
    assert kept.settle() == []
    assert only_document(bank)


@linux
def test_a_writer_that_opened_before_the_exchange_is_waited_for(
    bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text comes when it closes the displaced file: a look at once would have found what was expected."""
    file = bank / "tasks" / "T1.md"
    threads = []

    def open_and_save_later() -> None:
        writer = file.open("r+b", buffering=0)

        def save() -> None:
            time.sleep(0.02)
            writer.write(b"THEIRS!")
            writer.close()

        threads.append(threading.Thread(target=save))
        threads[0].start()

    at_exchange(monkeypatch, open_and_save_later)
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    threads[0].join()
    assert isinstance(outcome, Changed)
    assert isinstance(outcome.now, Content)
    assert outcome.now.data == b"THEIRS!t\n" == file.read_bytes()


@linux
def test_a_writer_that_stays_gets_its_file_back(bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a bounded time; what it goes on to write is in the document."""
    file = bank / "tasks" / "T1.md"
    monkeypatch.setattr(files, "_QUIET_S", 0.02)
    writers = []
    at_exchange(monkeypatch, lambda: writers.append(file.open("ab")))
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert isinstance(outcome, Busy)
    writers[0].write(b"more\n")
    writers[0].close()
    assert file.read_bytes() == OLD + b"more\n"
    assert kept.settle() == []
    assert only_document(bank)


def test_a_second_save_while_the_first_goes_back_stands(
    bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest save ends up in the document; the one that it passed over is told."""
    file = bank / "tasks" / "T1.md"
    calls = at_exchange(monkeypatch, lambda: rename_in(file, b"first"), lambda: rename_in(file, b"second"))
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert isinstance(outcome, Changed)
    assert isinstance(outcome.now, Content)
    assert outcome.now.data == b"second" == file.read_bytes()
    assert calls == [3]
    late = kept.settle()
    assert [(text.path, text.data) for text in late] == [("tasks/T1.md", b"first")]
    assert kept.settle() == []
    kept.drop(late[0])
    assert only_document(bank)


def test_a_writer_of_our_text_is_a_save_too(bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who wrote into our new file before it went out again is not overrun."""
    file = bank / "tasks" / "T1.md"
    at_exchange(monkeypatch, lambda: rename_in(file, b"first"), lambda: append(file, b"+ theirs"))
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert isinstance(outcome, Changed)
    assert file.read_bytes() == NEW + b"+ theirs"
    assert [text.data for text in kept.settle()] == [b"first"]


def test_a_removal_while_a_save_goes_back_stands(bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document is gone as somebody wanted; the save before is told."""
    file = bank / "tasks" / "T1.md"
    at_exchange(monkeypatch, lambda: rename_in(file, b"first"), file.unlink)
    assert prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept) == Changed(Missing())
    assert not file.exists()
    assert [text.data for text in kept.settle()] == [b"first"]


def test_somebody_who_saves_all_the_time_wins(bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends after a number of rounds, every text is in the document or told."""
    file = bank / "tasks" / "T1.md"
    texts = [b"save %d" % n for n in range(200)]
    calls = at_exchange(monkeypatch, *[lambda text=text: rename_in(file, text) for text in texts])
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert isinstance(outcome, Busy)
    assert calls[0] <= 1 + files._ROUNDS
    assert file.read_bytes() in texts


def test_a_save_just_before_the_removal_stands(bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal puts back what is not what it was to remove."""
    file = bank / "tasks" / "T1.md"
    save_before_move(monkeypatch, file, [b"theirs"])
    outcome = prepare(bank, "tasks/T1.md", None).publish(digest(OLD), kept)
    assert isinstance(outcome, Changed)
    assert file.read_bytes() == b"theirs"
    assert only_document(bank)


def save_before_move(monkeypatch: pytest.MonkeyPatch, file: Path, texts: list[bytes]) -> None:
    real = files.move_new

    def wrapped(source: int, name: str, target: int, new: str) -> None:
        if texts:
            rename_in(file, texts.pop(0))
        real(source, name, target, new)

    monkeypatch.setattr(files, "move_new", wrapped)


def test_saves_between_two_renames_stand(bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an exchange: one before the document goes away, one in the moment when it is missing."""
    no_exchange(monkeypatch)
    file = bank / "tasks" / "T1.md"
    save_before_move(monkeypatch, file, [b"first", b"second"])
    outcome = prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert isinstance(outcome, Changed)
    assert file.read_bytes() == b"second"
    assert [text.data for text in kept.settle()] == [b"first"]


# Displaced files.


def test_a_late_write_into_a_displaced_file_is_told(bank: Path) -> None:
    """A program that had found the old file by name but opened it only after we looked."""
    now = [100.0]
    kept = Held(bank, hold=1.0, clock=lambda: now[0])
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)
    (displaced,) = (bank / ".syncd" / "held").iterdir()
    displaced.write_bytes(b"late")
    assert kept.due() == 101.0
    assert kept.settle(100.9) == []
    (late,) = kept.settle(101.0)
    assert (late.path, late.data) == ("tasks/T1.md", b"late")
    assert displaced.exists()
    kept.drop(late)
    assert len(kept) == 0
    assert kept.due() is None
    assert only_document(bank)


@linux
def test_a_displaced_file_that_is_being_written_is_kept(bank: Path) -> None:
    """Until its writer is done."""
    kept = Held(bank, hold=1.0, clock=lambda: 0.0)
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)
    (displaced,) = (bank / ".syncd" / "held").iterdir()
    with displaced.open("ab") as writer:
        assert kept.settle(1.0) == []
        writer.write(b"late")
    assert kept.due() == 2.0
    assert [text.data for text in kept.settle(2.0)] == [OLD + b"late"]


def test_without_leases_a_displaced_file_is_kept_longer(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can say whether it is being written."""
    no_leases(monkeypatch)
    kept = Held(bank, hold=1.0, clock=lambda: 0.0)
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)
    assert kept.due() == 61.0


def test_held_files_need_no_place_of_their_own(bank: Path, kept: Held) -> None:
    """Where `.syncd/held` cannot be made the displaced file waits beside its document."""
    (bank / ".syncd").write_text("not a folder")
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)
    assert len(names(bank)) == 3
    assert kept.settle() == []
    assert names(bank) == {"tasks/T1.md", ".syncd"}


def test_a_failed_directory_sync_is_an_error_once(bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and not tried again on the same folder."""
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WriteFailed, match="the disk fails: tasks"):
        kept.flush_directories()
    kept.flush_directories()


# Failures and crashes.


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        ("fsync", errno.EIO, "the disk fails"),
        ("fsync", errno.ENOSPC, "the disk is full"),
        ("write", errno.ENOSPC, "the disk is full"),
        ("write", errno.EDQUOT, "the disk quota is used up"),
        ("fchmod", errno.EPERM, "not permitted"),
        ("rename", errno.EROFS, "the disk is read-only"),
        ("close", errno.EIO, "the disk fails"),
    ],
)
def test_what_the_system_refuses_is_one_line_and_leaves_nothing(
    bank: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, says: str
) -> None:
    """The document's name is in it, not that of a temporary file; a failed sync is not tried again."""
    calls = []
    real_close = os.close

    def fail(*args: Any, **named: Any) -> None:
        calls.append(args)
        if call == "close":
            writing = fcntl.fcntl(args[0], fcntl.F_GETFL) & os.O_WRONLY
            real_close(args[0])
            if not writing:
                return
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(WriteFailed) as error:
        prepare(bank, "tasks/T1.md", NEW)
    monkeypatch.undo()
    assert str(error.value).startswith(f"not written, {says}: tasks/T1.md")
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 3
    if call == "fsync":
        assert len(calls) == 1
    assert only_document(bank)


def test_short_writes_are_continued(bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system may write less than it was given."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)
    assert (bank / "tasks" / "T1.md").read_bytes() == NEW


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO])
def test_a_refused_exchange_leaves_the_document(
    bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A disk that turned read-only after the text was prepared."""

    def refuse(*args: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files, "exchange", refuse)
    with pytest.raises(WriteFailed, match=r"tasks/T1\.md"):
        prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert only_document(bank)
    assert (bank / "tasks" / "T1.md").read_bytes() == OLD


def test_our_text_that_finds_no_room_lets_the_document_return(
    bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an exchange: the document was moved away, then the second rename fails."""

    real, calls = files.move_new, []

    def second_fails(*args: Any) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise OSError(errno.EIO, "Input/output error")
        real(*args)

    no_exchange(monkeypatch)
    monkeypatch.setattr(files, "move_new", second_fails)
    with pytest.raises(WriteFailed):
        prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    assert (bank / "tasks" / "T1.md").read_bytes() == OLD
    assert only_document(bank)


class Killed(BaseException):
    """Stands for a kill: nothing after it runs but what the next start does."""


@pytest.fixture
def killed_when_looking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process ends right after the exchange, before it looks at what came out."""

    def kill(*args: object) -> None:
        raise Killed

    monkeypatch.setattr(files, "_take_out", kill)
    return


@pytest.mark.usefixtures("killed_when_looking")
def test_a_kill_after_the_exchange_loses_no_text(
    bank: Path, kept: Held, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """What somebody saved in that moment lies under our name and is returned by the sweep, not deleted."""
    file = bank / "tasks" / "T1.md"
    if way == "exchange":
        at_exchange(monkeypatch, lambda: rename_in(file, b"theirs"))
    else:
        save_before_move(monkeypatch, file, [b"theirs"])
    with pytest.raises(Killed):
        prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept)
    leftovers = sweep_temporaries(bank)
    if way == "two renames":
        assert not leftovers  # put back under its name
        assert file.read_bytes() == b"theirs"
        return
    assert [(left.path, left.data) for left in leftovers] == [("tasks/T1.md", b"theirs")]
    assert sweep_temporaries(bank) == leftovers
    drop_leftover(bank, leftovers[0])
    assert only_document(bank)


def test_a_kill_before_the_exchange_leaves_nothing_to_tell(bank: Path) -> None:
    """Our own texts, whole or not, are known by their names."""
    prepare(bank, "tasks/T1.md", NEW)
    prepare(bank, "tasks/T9.md", b"new document")
    part = next(name for name in walk(bank).leftovers if "T9" in name)
    (bank / (part.removesuffix("tmp") + "part")).write_bytes(b"half of i")
    assert len(walk(bank).leftovers) == 3
    assert sweep_temporaries(bank, walk(bank).leftovers) == []
    assert only_document(bank)


def test_a_kill_while_files_are_held_drops_only_what_is_known(bank: Path, kept: Held) -> None:
    """A held file that still has the text that it should have goes; one that was written to is returned."""
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)
    assert isinstance(prepare(bank, "tasks/T1.md", b"third").publish(digest(NEW), kept), Written)
    first, _ = sorted((bank / ".syncd" / "held").iterdir(), key=lambda file: file.read_bytes() != OLD)
    first.write_bytes(b"late")
    (left,) = sweep_temporaries(bank)
    assert (left.path, left.data) == ("tasks/T1.md", b"late")
    drop_leftover(bank, left)
    assert only_document(bank)


def test_a_sweep_beside_held_files_leaves_them_their_time(bank: Path) -> None:
    """A process that sweeps while it runs must not shorten what it waits for itself."""
    kept = Held(bank, hold=1.0, clock=lambda: 0.0)
    assert isinstance(prepare(bank, "tasks/T1.md", NEW).publish(digest(OLD), kept), Written)
    (displaced,) = (bank / ".syncd" / "held").iterdir()
    assert sweep_temporaries(bank, living=kept) == []
    displaced.write_bytes(b"late")
    assert sweep_temporaries(bank, living=kept) == []
    assert [text.data for text in kept.settle(1.0)] == [b"late"]
    assert sweep_temporaries(bank, living=kept) == []  # told, and still the caller's to drop
    assert [left.data for left in sweep_temporaries(bank)] == [b"late"]


def test_files_of_others_are_not_swept(bank: Path) -> None:
    """Only names that we give, and only regular files, are ours."""
    others = [".T1.md.swp", ".T1.md.syncd-12.tmp", "T1.md.tmp", ".goutputstream-ABCDEF", ".syncd-0123.part"]
    for name in others:
        (bank / "tasks" / name).write_text("keep")
    link = ".T1.md.syncd-" + "0" * 24 + ".tmp"
    (bank / "tasks" / link).symlink_to(bank / "tasks" / "T1.md")
    (left,) = sweep_temporaries(bank)
    assert (left.data, left.reason) == (None, "a link is not followed")
    assert names(bank) == {"tasks/T1.md", f"tasks/{link}", *(f"tasks/{name}" for name in others)}


_FULL = """
import sys
from pathlib import Path
from syncd.disk.files import Held, WriteFailed, digest, prepare
root = Path(sys.argv[1])
(root / "a.md").write_bytes(b"old")
(root / "fill").write_bytes(b"x" * 40000)
try:
    prepare(root, "a.md", b"y" * 60000)
except WriteFailed as error:
    print(error)
assert sorted(p.name for p in root.iterdir()) == ["a.md", "fill"], list(root.iterdir())
assert (root / "a.md").read_bytes() == b"old"
"""


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """On a real file system of 64 KB, in a mount namespace of its own."""
    mount = f"mount -t tmpfs -o size=64k none {tmp_path} && exec {sys.executable} - {tmp_path}"
    if sys.platform != "linux" or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("no mount namespaces here")
    home = Path(syncd.__file__).parents[1]
    ran = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount], input=_FULL, capture_output=True, text=True, cwd=home, timeout=30
    )
    if "mount:" in ran.stderr:
        pytest.skip(f"may not mount: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("not written, the disk is full: a.md (")


def test_digest_is_of_the_bytes_alone() -> None:
    """Equal bytes, equal digest, of a length that names can carry."""
    assert digest(b"a") == digest(bytes([97]))
    assert digest(b"a") != digest(b"b")
    assert held._FOLDER == (".syncd", "held")
    assert Stat.of(os.stat(__file__)).size == os.stat(__file__).st_size
