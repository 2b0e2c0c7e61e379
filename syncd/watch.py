"""Which documents may have changed, as the file system tells it. Hints only: the truth is a scan and the content.

The only module that imports watchdog. May import the standard library and syncd's names and walk.

On Linux watchdog's inotify reader is used without its observer: one thread instead of three, nothing is held back
behind a file that was moved away (the observer waits half a second for where it went), and an overflow of the queue is
told instead of logged. All banks of a process share one reader (`Hub`): a user has 128 of them. On other systems, or
with a watchdog that has no such reader, the observer is used as it comes.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from syncd.walk import OMITTED

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.inotify_c import CallbackId, InotifyEvent, InotifyFD, WatchDescriptor

_STATE = ".syncd"
_LIMITS = {
    errno.ENOSPC: "no more folders can be watched (raise fs.inotify.max_user_watches): looking at a timer instead",
    errno.EMFILE: "no more watchers can be made (raise fs.inotify.max_user_instances): looking at a timer instead",
    errno.ENFILE: "the system has too many open files: looking at a timer instead",
}


@dataclass(frozen=True, slots=True)
class Dirty:
    """What was told since the last `Watcher.take`.

    ``paths`` are documents (relative to the bank, with ``/``) that were written, renamed, made or removed; ``scan``
    says that anything may have changed; ``database`` that some process, perhaps this one, wrote to the database;
    ``since`` is when the first of it was told, on the monotonic clock.
    """

    paths: frozenset[str] = frozenset()
    scan: bool = False
    database: bool = False
    since: float | None = field(default=None, compare=False)

    def __bool__(self) -> bool:
        return bool(self.paths or self.scan or self.database)


class _Source(Protocol):
    def stop(self) -> None: ...


class Hub:
    """What several watchers share: one inotify reader with its thread, there while any of them watches."""

    def __init__(self) -> None:
        self._reader: InotifyFD | None = None
        self._users: list[_Inotify] = []
        self._numbers = itertools.count(1)

    def join(self, source: _Inotify) -> InotifyFD:
        """The reader, running. Raises OSError where the system gives none, ImportError where watchdog has none."""
        from watchdog.observers.inotify_c import InotifyFD

        if self._reader is None or not self._reader.is_alive():
            reader = InotifyFD()
            reader.start()
            self._reader = reader
        self._users.append(source)
        return self._reader

    def leave(self, source: _Inotify) -> None:
        """No more events for ``source``; the last one ends the reader."""
        if source in self._users:
            self._users.remove(source)
        if not self._users and self._reader is not None:
            reader, self._reader = self._reader, None
            reader.stop()
            reader.join()

    def number(self) -> CallbackId:
        """A new id for a callback: banks may lie within each other, and then share a folder's watch."""
        from watchdog.observers.inotify_c import CallbackId

        return CallbackId(next(self._numbers))

    def broken(self) -> None:
        """A bug ended the reader's thread: all its users have to look at a timer."""
        for source in list(self._users):
            source.watcher.cannot_watch(OSError("the watching thread ended, which is a bug"), source.watcher.root)


class Watcher:
    """Tells of changes in the bank ``root`` by setting ``wake``; what changed is then taken with `take`.

    ``reason`` says what cannot be watched, None if all is well. ``polling`` is set where the caller has to scan at a
    timer, because the system's limits are used up or it cannot watch. ``gone`` is set when the bank's folder was
    removed or moved. ``overflows`` counts how often the system lost events.
    """

    def __init__(
        self, root: Path, wake: threading.Event, database: Path | None = None, hub: Hub | None = None
    ) -> None:
        self.hub = hub or Hub()
        self.root = root
        self.wake = wake
        self.database = database if database is not None else root / _STATE / "memory_bank.db"
        self.reason: str | None = None
        self.polling = False
        self.gone = False
        self.overflows = 0
        self._lock = threading.Lock()
        self._paths: set[str] = set()
        self._scan = False
        self._changed = False
        self._since: float | None = None
        self._source: _Source | None = None

    def start(self) -> None:
        """Begin to watch; when this returns, every later change will be told. Does not raise: see ``reason``."""
        try:
            self._source = _open_source(self)
        except OSError as error:
            self.cannot_watch(error, self.root)

    def stop(self) -> None:
        """End the watching thread, if it runs."""
        source, self._source = self._source, None
        if source is not None:
            source.stop()

    @property
    def told(self) -> bool:
        """Whether there is something to take."""
        return bool(self._paths or self._scan or self._changed)

    def take(self) -> Dirty:
        """What was told since the last call, and forget it. A change told while this runs is in it or in the next."""
        with self._lock:
            dirty = Dirty(frozenset(self._paths), self._scan, self._changed, self._since)
            self._paths = set()
            self._scan = self._changed = False
            self._since = None
        return dirty

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def tell(self, path: str, *, wake: bool = True) -> None:
        """A document may have changed."""
        with self._lock:
            self._paths.add(path)
            if wake and self._since is None:  # a file that was only made has nothing to read yet
                self._since = time.monotonic()
        if wake:
            self.wake.set()

    def tell_scan(self) -> None:
        """Anything may have changed."""
        with self._lock:
            self._scan = True
            self._since = time.monotonic() if self._since is None else self._since
        self.wake.set()

    def tell_database(self) -> None:
        """The database's log was written to."""
        with self._lock:
            self._changed = True
            self._since = time.monotonic() if self._since is None else self._since
        self.wake.set()

    def tell_overflow(self) -> None:
        """The system lost events."""
        self.overflows += 1
        self.tell_scan()

    def tell_gone(self) -> None:
        """The bank's folder is not where it was."""
        self.gone = True
        self.reason = "the bank's folder was moved or removed"
        self.tell_scan()

    def cannot_watch(self, error: OSError, folder: Path) -> None:
        """A folder cannot be watched: from now on the caller has to look at a timer."""
        self.polling = True
        self.reason = _LIMITS.get(error.errno or 0) or f"{folder}: not watched, {error.strerror or error}"
        self.tell_scan()


def _open_source(watcher: Watcher) -> _Source:
    """A running source of events for ``watcher``. Raises OSError where the system's limits are used up."""
    try:
        return _Inotify(watcher)
    except ImportError:  # not Linux, or another watchdog
        return _Observed(watcher)


class _Inotify:
    """The folders of one bank on the hub's inotify reader. Its callbacks run in watchdog's reading thread."""

    def __init__(self, watcher: Watcher) -> None:
        from watchdog.observers.inotify_c import InotifyConstants as In

        self.watcher = watcher
        self._log = watcher.database.name + "-wal"
        every = In.IN_ONLYDIR | In.IN_DONT_FOLLOW | In.IN_EXCL_UNLINK | In.IN_MASK_ADD
        self._mask = every | In.IN_CLOSE_WRITE | In.IN_MOVE | In.IN_CREATE | In.IN_DELETE | In.IN_DELETE_SELF
        self._root_mask = self._mask | In.IN_MOVE_SELF
        self._log_mask = every | In.IN_MODIFY
        self._unmounted = In.IN_UNMOUNT
        self._folders: dict[WatchDescriptor, str] = {}  # "" or "folder/"; folders of documents only
        self._log_watch: WatchDescriptor | None = None
        self._ids: dict[WatchDescriptor, CallbackId] = {}
        self._stopped = False
        self._guard = threading.RLock()
        self._reader = watcher.hub.join(self)
        try:
            with self._guard:
                self._watch_all()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        with self._guard:
            self._stopped = True
            self._reader.remove_callbacks(list(self._ids.items()))
            self._ids, self._folders, self._log_watch = {}, {}, None
        self.watcher.hub.leave(self)

    # Called by watchdog, in its thread.

    def on_event(self, event: InotifyEvent) -> None:
        """One event of one folder."""
        with self._guard:
            try:
                self._on_event(event)
            except OSError as error:
                self.watcher.cannot_watch(error, self.watcher.root)
            except Exception:  # a bug ends this thread with its traceback; its users go on by a timer
                self.watcher.hub.broken()
                raise

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """The kernel dropped a watch, because its folder is gone or was unmounted."""
        with self._guard:
            if self._stopped:
                return
            folder = self._folders.pop(wd, None)
            self._ids.pop(wd, None)
            if wd == self._log_watch:
                self._log_watch = None
            if folder is None:
                return
            if folder:
                self.watcher.tell_scan()
            else:
                self.watcher.tell_gone()

    def on_queue_overflow(self) -> None:
        """Events were lost, perhaps those of new folders: all are watched anew before the scan."""
        with self._guard:
            if self._stopped:
                return
            try:
                self._watch_all()
            except OSError as error:
                self.watcher.cannot_watch(error, self.watcher.root)
            self.watcher.tell_overflow()

    def _on_event(self, event: InotifyEvent) -> None:
        name = os.fsdecode(event.name)
        if event.wd == self._log_watch and name == self._log:
            self.watcher.tell_database()
            return
        folder = self._folders.get(event.wd)
        if folder is None:
            return
        if not name:
            if not folder and (event.is_delete_self or event.is_move_self or event.mask & self._unmounted):
                self.watcher.tell_gone()
        elif event.is_directory:
            self._on_folder(folder, name, event)
        elif name.endswith(".md"):
            # A file that was just created is told again when it is closed. A second name of an old file is not.
            wake = not event.is_create or self._is_link(folder + name)
            self.watcher.tell(folder + name, wake=wake)

    def _on_folder(self, folder: str, name: str, event: InotifyEvent) -> None:
        path = folder + name
        appeared = event.is_create or event.is_moved_to
        if path == _STATE and appeared:
            self._watch_log()
        if name in OMITTED:
            return
        if event.is_moved_from:
            self._unwatch(path + "/")
        elif appeared:
            self._watch_tree(path + "/")
        self.watcher.tell_scan()

    def _is_link(self, path: str) -> bool:
        try:
            found = os.lstat(self.watcher.root / path)
        except OSError:
            return False  # gone by now, which is told too
        return found.st_nlink > 1 or not stat.S_ISREG(found.st_mode)

    # Watching.

    def _watch_all(self) -> None:
        self._watch_tree("")
        self._watch_log()

    def _watch_tree(self, folder: str) -> None:
        """Watch ``folder`` and all below, each before it is listed, so that nothing made meanwhile is missed."""
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            full = self.watcher.root / folder
            if not self._watch_folder(full, folder):
                continue
            with suppress(OSError), os.scandir(full) as entries:  # a scan says why a folder cannot be listed
                waiting += [
                    f"{folder}{entry.name}/"
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False) and entry.name not in OMITTED
                ]

    def _watch_folder(self, full: Path, folder: str) -> bool:
        """Whether the folder is watched now. One that is gone is not; its parent's watch has told so."""
        try:
            wd = self._add(full, self._mask if folder else self._root_mask)
        except OSError as error:
            if error.errno in _LIMITS or not folder:
                raise
            return False
        self._folders[wd] = folder
        return True

    def _watch_log(self) -> None:
        """Watch the folder of the database for writes to its log; it may not be there yet."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._log_watch = self._add(self.watcher.database.parent, self._log_mask)

    def _add(self, full: Path, mask: int) -> WatchDescriptor:
        """Watch one folder. The kernel gives the same descriptor for one that is watched already, under any name."""
        from watchdog.observers.inotify_c import Mask

        new = self.watcher.hub.number()
        wd = self._reader.add_callback(os.fsencode(full), Mask(mask), self, new)
        if wd < 0:  # the one refusal that watchdog does not raise
            self.watcher.cannot_watch(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), full)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(full))
        old = self._ids.get(wd)
        self._ids[wd] = new
        if old is not None:
            self._reader.remove_callbacks([(wd, old)])
        return wd

    def _unwatch(self, folder: str) -> None:
        """Stop watching a folder that was moved away, with all below: the kernel would go on telling the old path."""
        for wd in [wd for wd, path in self._folders.items() if path.startswith(folder)]:
            del self._folders[wd]
            self._reader.remove_callbacks([(wd, self._ids.pop(wd))])


class _Observed:
    """watchdog's own observer for this system, filtered."""

    def __init__(self, watcher: Watcher) -> None:
        from watchdog import events
        from watchdog.observers import Observer

        self._watcher = watcher
        self._log = watcher.database.name + "-wal"
        self._root = os.path.realpath(watcher.root)
        on_event = self._on_event

        class Handler(events.FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                on_event(event)

        self._observer = Observer()
        told: list[type[FileSystemEvent]] = [
            events.FileClosedEvent, events.FileMovedEvent, events.FileCreatedEvent, events.FileDeletedEvent,
            events.FileModifiedEvent, events.DirMovedEvent, events.DirCreatedEvent, events.DirDeletedEvent,
        ]  # fmt: skip
        self._observer.schedule(Handler(), self._root, recursive=True, event_filter=told)
        self._observer.start()

    def stop(self) -> None:
        self._observer.stop()
        self._observer.join()

    def _on_event(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                self._on_path(os.path.relpath(os.path.realpath(os.fsdecode(path)), self._root), event)

    def _on_path(self, path: str, event: FileSystemEvent) -> None:
        parts = path.split(os.sep)
        if parts == ["."]:
            if event.event_type in ("deleted", "moved"):
                self._watcher.tell_gone()
        elif parts[0] == _STATE:
            if parts[-1] == self._log:
                self._watcher.tell_database()
        elif OMITTED.isdisjoint(parts):
            if event.is_directory:
                self._watcher.tell_scan()
            elif path.endswith(".md"):
                self._watcher.tell("/".join(parts))
