"""Which documents may have changed, as the file system tells it. Hints only: the truth is a scan and the content.

This module and `inotify` are the only ones that import watchdog. May import the standard library and syncd's walk.

On Linux watchdog's inotify reader is used without its observer: one thread instead of three, nothing is held back
behind a file that was moved away (the observer waits half a second for where it went), and an overflow of the queue is
told instead of logged. All banks of a process share one reader (`Hub`): a user has 128 of them. On other systems, or
with a watchdog that has no such reader, the observer is used as it comes.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from msgspec import Struct

from syncd.daemon.inotify import LIMITS, Hub, Inotify
from syncd.daemon.wake import Wakes
from syncd.disk.walk import OMITTED

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

_STATE = ".syncd"


class Dirty(Struct, frozen=True):
    """What was told since the last `Watcher.take`.

    ``paths`` are documents (relative to the bank, with ``/``) that were written, renamed, made or removed; ``scan``
    says that anything may have changed; ``database`` that some process, perhaps this one, wrote to the database;
    ``since`` is when the first of it was told, on the monotonic clock.
    """

    paths: frozenset[str] = frozenset()
    scan: bool = False
    database: bool = False
    since: float | None = None

    def __bool__(self) -> bool:
        return bool(self.paths or self.scan or self.database)


class _Source(Protocol):
    def stop(self) -> None: ...


class Watcher:
    """Tells of changes in the bank ``root`` by setting ``wake``; what changed is then taken with `take`.

    ``reason`` says what cannot be watched, None if all is well. ``polling`` is set where the caller has to scan at a
    timer, because the system's limits are used up or it cannot watch. ``gone`` is set when the bank's folder was
    removed or moved. ``overflows`` counts how often the system lost events.
    """

    def __init__(
        self, root: Path, wake: Wakes, database: Path | None = None, hub: Hub | None = None
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

    def renewed(self) -> Watcher | None:
        """Another one that watches where this one only polls, and has stopped; None where that cannot be yet.

        It tells to scan, for what changed in between.
        """
        fresh = Watcher(self.root, self.wake, self.database, self.hub)
        fresh.overflows = self.overflows
        fresh.start()
        if fresh.polling:
            fresh.stop()
            return None
        self.stop()
        fresh.tell_scan()
        return fresh

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
        self.reason = LIMITS.get(error.errno or 0) or f"{folder}: not watched, {error.strerror or error}"
        self.tell_scan()


def _open_source(watcher: Watcher) -> _Source:
    """A running source of events for ``watcher``. Raises OSError where the system's limits are used up."""
    try:
        return Inotify(watcher, watcher.hub)
    except ImportError:  # not Linux, or another watchdog
        return _Observed(watcher)


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
