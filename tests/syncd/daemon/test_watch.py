"""What the file system tells: which documents, when to scan, and that nothing holds it up."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.daemon import watch
from syncd.daemon.watch import Dirty, Watcher
from syncd.disk.files import Held, digest, prepare

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    root = tmp_path / "bank"
    (root / "tasks" / "old").mkdir(parents=True)
    (root / ".syncd").mkdir()
    (root / ".git" / "refs").mkdir(parents=True)
    (root / "tasks.md").write_text("old")
    (root / "tasks" / "T1.md").write_text("old")
    return root


@pytest.fixture
def watcher(bank: Path) -> Iterator[Watcher]:
    with Watcher(bank, threading.Event()) as made:
        assert made.reason is None
        yield made


def collected(watcher: Watcher, enough: Callable[[Dirty], bool], seconds: float = 5.0) -> Dirty:
    """All that is told until it is enough."""
    end, total = time.monotonic() + seconds, Dirty()
    while not enough(total):
        left = end - time.monotonic()
        assert left > 0, f"only this was told: {total}"
        watcher.wake.wait(left)
        watcher.wake.clear()
        more = watcher.take()
        total = Dirty(total.paths | more.paths, total.scan or more.scan, total.database or more.database)
    return total


def quiet(watcher: Watcher, bank: Path) -> Dirty:
    """All that is told until a mark that is set now comes through."""
    (bank / "mark.tmp").write_text("x")
    (bank / "mark.tmp").rename(bank / "mark.md")  # one event: a second one would come late, into what follows
    dirty = collected(watcher, lambda d: "mark.md" in d.paths)
    return Dirty(dirty.paths - {"mark.md"}, dirty.scan, dirty.database)


@pytest.mark.parametrize(
    ("save", "path"),
    [
        (lambda b: (b / "tasks.md").write_text("new"), "tasks.md"),
        (lambda b: (b / "tasks" / "T1.md").write_text("new"), "tasks/T1.md"),
        (lambda b: ((b / "x.tmp").write_text("new"), (b / "x.tmp").rename(b / "tasks" / "T1.md")), "tasks/T1.md"),
        (lambda b: (b / "tasks" / "old" / "new\nname.md").write_text("new"), "tasks/old/new\nname.md"),
        (lambda b: (b / "tasks.md").unlink(), "tasks.md"),
        (lambda b: (b / "tasks.md").rename(b / "tasks.txt"), "tasks.md"),
        (lambda b: os.link(b / "tasks.md", b / "copy.md"), "copy.md"),
        (lambda b: (b / "s.md").symlink_to("tasks.md"), "s.md"),
    ],
    ids=["in place", "in a folder", "rename-in", "newline", "removed", "moved away", "hard link", "link"],
)
def test_every_way_to_save_is_told(watcher: Watcher, bank: Path, save: Callable[[Path], object], path: str) -> None:
    """By its name, without a scan, and it wakes whoever waits."""
    save(bank)
    dirty = collected(watcher, lambda d: path in d.paths)
    assert dirty == Dirty(frozenset({path}))
    assert watcher.take() == Dirty()


def test_a_created_file_wakes_when_it_is_closed(watcher: Watcher, bank: Path) -> None:
    """Before that there is nothing to read."""
    with (bank / "new.md").open("w") as writer:
        while not watcher._paths:
            time.sleep(0.001)
        assert not watcher.wake.is_set()
        writer.write("text")
    assert watcher.wake.wait(5)
    assert watcher.take().paths == {"new.md"}


def test_other_files_do_not_wake(watcher: Watcher, bank: Path) -> None:
    """Neither what is no document, nor git's and our own folders, nor temporary names."""
    (bank / "tasks" / "notes.txt").write_text("x")
    (bank / "tasks" / ".T1.md.swp").write_text("x")
    (bank / ".git" / "refs" / "x.md").write_text("x")
    (bank / ".git" / "new").mkdir()
    (bank / ".syncd" / "held").mkdir()
    (bank / ".syncd" / "held" / "x.md").write_text("x")
    (bank / ".syncd" / "memory_bank.db").write_text("x")
    (bank / ".syncd" / "x.md").write_text("x")
    os.chmod(bank / "tasks.md", 0o600)
    assert (bank / "tasks.md").read_text() == "old"
    assert quiet(watcher, bank) == Dirty()


def test_a_text_that_we_put_in_place_is_told_by_its_own_name_only(watcher: Watcher, bank: Path) -> None:
    """The reader of the file then finds that it is ours; the names beside it never appear."""
    held = Held(bank, hold=0.0)
    prepare(bank, "tasks/T1.md", b"new").publish(digest(b"old"), held)
    held.settle()
    assert quiet(watcher, bank) == Dirty(frozenset({"tasks/T1.md"}))


def test_a_write_to_the_databases_log_is_told(watcher: Watcher, bank: Path) -> None:
    """As such, and not as a document."""
    (bank / ".syncd" / "memory_bank.db-wal").write_bytes(b"frame")
    assert collected(watcher, lambda d: d.database) == Dirty(database=True)


def test_a_database_made_later_or_elsewhere_is_watched(bank: Path, tmp_path: Path) -> None:
    """Its folder may appear after the watcher started."""
    (bank / ".syncd").rmdir()
    with Watcher(bank, threading.Event()) as watcher:
        (bank / ".syncd").mkdir()
        quiet(watcher, bank)
        (bank / ".syncd" / "memory_bank.db-wal").write_bytes(b"frame")
        collected(watcher, lambda d: d.database)
    with Watcher(bank, threading.Event(), bank / "own.db") as watcher:
        (bank / "own.db-wal").write_bytes(b"frame")
        (bank / "tasks.md").write_text("new")
        dirty = collected(watcher, lambda d: d.database and bool(d.paths))
        assert dirty == Dirty(frozenset({"tasks.md"}), database=True)


@linux
def test_a_file_moved_away_delays_no_other(watcher: Watcher, bank: Path) -> None:
    """The observer of the library would wait half a second for where it went."""
    waits = []
    for number in range(20):
        gone = bank / f"{number}.md"
        gone.write_text("x")
        collected(watcher, lambda d, name=gone.name: name in d.paths)
        gone.rename(bank.parent / gone.name)
        (bank / "tasks.md").write_text(f"{number}")
        start = time.monotonic()
        collected(watcher, lambda d: "tasks.md" in d.paths)
        waits.append(time.monotonic() - start)
    assert sorted(waits)[10] < 0.01, waits
    assert max(waits) < 0.25, waits


def test_new_folders_are_watched_and_cause_a_scan(watcher: Watcher, bank: Path) -> None:
    """Files that were made in them before they were watched are found by the scan, later ones are told."""
    for number in range(30):
        deep = bank / f"new{number}" / "a" / "b"
        deep.mkdir(parents=True)
        (deep / "early.md").write_text("x")
        collected(watcher, lambda d: d.scan)
        quiet(watcher, bank)
        (deep / "later.md").write_text("x")
        collected(watcher, lambda d, n=number: f"new{n}/a/b/later.md" in d.paths)


def test_a_folder_that_moves_is_told_under_its_new_name(watcher: Watcher, bank: Path) -> None:
    """The kernel alone would go on to report the old path, or nothing."""
    (bank / "tasks").rename(bank / "moved")
    assert collected(watcher, lambda d: d.scan).scan
    quiet(watcher, bank)
    (bank / "moved" / "old" / "a.md").write_text("x")
    assert collected(watcher, lambda d: bool(d.paths)) == Dirty(frozenset({"moved/old/a.md"}))
    (bank / "moved").rename(bank.parent / "outside")
    assert collected(watcher, lambda d: d.scan).scan
    (bank.parent / "outside" / "b.md").write_text("x")
    assert quiet(watcher, bank) == Dirty()
    (bank.parent / "outside").rename(bank / "back")
    assert collected(watcher, lambda d: d.scan).scan
    quiet(watcher, bank)
    (bank / "back" / "c.md").write_text("x")
    collected(watcher, lambda d: d.paths == {"back/c.md"})


def test_a_removed_folder_causes_a_scan(watcher: Watcher, bank: Path) -> None:
    """Its documents are gone with it; one of the same name is watched again."""
    (bank / "tasks" / "old").rmdir()
    collected(watcher, lambda d: d.scan)
    (bank / "tasks" / "old").mkdir()
    collected(watcher, lambda d: d.scan)
    quiet(watcher, bank)
    (bank / "tasks" / "old" / "a.md").write_text("x")
    collected(watcher, lambda d: "tasks/old/a.md" in d.paths)


@linux
@pytest.mark.parametrize(
    "end",
    [lambda b: b.rename(b.parent / "elsewhere"), lambda b: __import__("shutil").rmtree(b)],
    ids=["moved", "removed"],
)
def test_a_bank_that_goes_is_told(watcher: Watcher, bank: Path, end: Callable[[Path], object]) -> None:
    """It is not that all documents were deleted."""
    end(bank)
    stop = time.monotonic() + 5
    while not watcher.gone:
        assert time.monotonic() < stop
        watcher.wake.wait(0.1)
        watcher.wake.clear()
    assert watcher.reason == "the bank's folder was moved or removed"
    assert watcher.take().scan


@linux
def test_an_overflow_causes_a_scan_and_loses_no_folder(bank: Path, caplog: pytest.LogCaptureFixture) -> None:
    """More events than the kernel queues: they are lost, that is told, and folders made meanwhile are watched."""
    caplog.set_level(logging.ERROR, logger="watchdog")
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 20_000:
        pytest.skip(f"the queue of this machine is too long to fill: {limit}")
    with Watcher(bank, threading.Event()) as watcher:
        source = watcher._source
        assert isinstance(source, watch.Inotify)
        with source._guard:  # the reading thread waits for it with its first events in hand
            for number in range(limit):
                os.rename(bank / ("tasks.md" if number % 2 == 0 else "x.md"), bank / ("x.md", "tasks.md")[number % 2])
            (bank / "lost").mkdir()
        collected(watcher, lambda d: d.scan and watcher.overflows > 0, 20)
        quiet(watcher, bank)
        (bank / "lost" / "a.md").write_text("x")
        collected(watcher, lambda d: "lost/a.md" in d.paths)
        assert watcher.reason is None
        assert not watcher.polling


@linux
@pytest.mark.parametrize(
    ("code", "says"), [(errno.ENOSPC, "max_user_watches"), (errno.EMFILE, "max_user_instances")], ids=["watches", "fds"]
)
def test_used_up_limits_lead_to_polling(bank: Path, monkeypatch: pytest.MonkeyPatch, code: int, says: str) -> None:
    """It is told what to raise, and that the caller has to look at a timer."""
    from watchdog.observers import inotify_c

    class Full(inotify_c.InotifyFD):
        def __init__(self) -> None:
            if code == errno.EMFILE:
                raise OSError(code, "inotify instance limit reached")
            super().__init__()

        def add_callback(self, *args: object) -> object:
            raise OSError(code, "inotify watch limit reached")

    monkeypatch.setattr(inotify_c, "InotifyFD", Full)
    before = threading.active_count()
    with Watcher(bank, threading.Event()) as watcher:
        assert watcher.polling
        assert watcher.reason is not None
        assert says in watcher.reason
        assert watcher.wake.is_set()
        assert watcher.take().scan
        assert threading.active_count() == before


@linux
def test_a_limit_reached_later_leads_to_polling(watcher: Watcher, bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders that are watched stay so."""
    source = watcher._source
    assert isinstance(source, watch.Inotify)

    def full(*args: object) -> object:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(source._reader, "add_callback", full)
    (bank / "one too many").mkdir()
    assert collected(watcher, lambda d: d.scan).scan
    assert watcher.polling
    (bank / "tasks" / "T1.md").write_text("new")
    collected(watcher, lambda d: "tasks/T1.md" in d.paths)


def test_no_folder_to_watch_is_said_and_not_raised(tmp_path: Path) -> None:
    """The caller learns from its scan what is the matter."""
    with Watcher(tmp_path / "none", threading.Event()) as watcher:
        assert watcher.polling
        assert watcher.reason is not None


def test_stops_within_a_moment_and_leaves_no_thread_or_file(bank: Path) -> None:
    """Many times over, as a service that is restarted."""
    threads, files = threading.active_count(), len(os.listdir("/dev/fd"))
    start = time.monotonic()
    for _ in range(20):
        with Watcher(bank, threading.Event()):
            pass
    assert time.monotonic() - start < 2
    assert threading.active_count() == threads
    assert len(os.listdir("/dev/fd")) == files


def test_the_systems_own_observer_tells_the_same(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way taken on other systems than Linux: documents, folders, the database, and nothing of ours."""
    monkeypatch.setattr(watch, "_open_source", watch._Observed)
    with Watcher(bank, threading.Event()) as watcher:
        (bank / ".syncd" / "held").mkdir()
        (bank / "tasks" / "notes.txt").write_text("x")
        (bank / "tasks" / "T1.md").write_text("new")
        collected(watcher, lambda d: "tasks/T1.md" in d.paths)
        assert not watcher.take().scan
        (bank / ".syncd" / "memory_bank.db-wal").write_bytes(b"frame")
        collected(watcher, lambda d: d.database)
        (bank / "x.md").write_text("x")
        (bank / "x.md").rename(bank / "tasks" / "y.md")
        collected(watcher, lambda d: d.paths >= {"x.md", "tasks/y.md"})
        (bank / "new").mkdir()
        collected(watcher, lambda d: d.scan)
        __import__("shutil").rmtree(bank)
        collected(watcher, lambda d: watcher.gone)
