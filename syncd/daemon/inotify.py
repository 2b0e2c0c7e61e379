"""inotify through watchdog's reader: one for the whole process, the folders of a bank, and a single file.

With `watch` the only module that imports watchdog. May import the standard library and syncd's walk.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from syncd.daemon.wake import Wakes
from syncd.disk.walk import OMITTED

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import CallbackId, InotifyEvent, InotifyFD, WatchDescriptor

    from syncd.daemon.watch import Watcher

_STATE = ".syncd"
LIMITS = {
    errno.ENOSPC: "no more folders can be watched, so files are looked at by a timer: "
    "`sudo sysctl fs.inotify.max_user_watches=1048576` allows more",
    errno.EMFILE: "no more watchers can be made, so files are looked at by a timer: "
    "`sudo sysctl fs.inotify.max_user_instances=1024` allows more",
    errno.ENFILE: "the system has too many open files, so files are looked at by a timer: "
    "`sudo sysctl fs.file-max=1048576` allows more",
}


class _User(Protocol):
    def broken(self) -> None: ...


class Hub:
    """What several watchers share: one inotify reader with its thread, there while any of them watches."""

    def __init__(self) -> None:
        self._reader: InotifyFD | None = None
        self._users: list[_User] = []
        self._numbers = itertools.count(1)

    def join(self, source: _User) -> InotifyFD:
        """The reader, running. Raises OSError where the system gives none, ImportError where watchdog has none."""
        from watchdog.observers.inotify_c import InotifyFD

        if self._reader is None or not self._reader.is_alive():
            reader = InotifyFD()
            reader.start()
            self._reader = reader
        self._users.append(source)
        return self._reader

    def leave(self, source: _User) -> None:
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
            source.broken()


class Inotify:
    """The folders of one bank on the hub's inotify reader. Its callbacks run in watchdog's reading thread."""

    def __init__(self, watcher: Watcher, hub: Hub) -> None:
        from watchdog.observers.inotify_c import InotifyConstants as In

        self._watcher = watcher
        self._hub = hub
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
        self._reader = hub.join(self)
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
        self._hub.leave(self)

    def broken(self) -> None:
        self._watcher.cannot_watch(OSError("the watching thread ended, which is a bug"), self._watcher.root)

    # Called by watchdog, in its thread.

    def on_event(self, event: InotifyEvent) -> None:
        """One event of one folder."""
        with self._guard:
            try:
                self._on_event(event)
            except OSError as error:
                self._watcher.cannot_watch(error, self._watcher.root)
            except Exception:  # a bug ends this thread with its traceback; its users go on by a timer
                self._hub.broken()
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
                self._watcher.tell_scan()
            else:
                self._watcher.tell_gone()

    def on_queue_overflow(self) -> None:
        """Events were lost, perhaps those of new folders: all are watched anew before the scan."""
        with self._guard:
            if self._stopped:
                return
            try:
                self._watch_all()
            except OSError as error:
                self._watcher.cannot_watch(error, self._watcher.root)
            self._watcher.tell_overflow()

    def _on_event(self, event: InotifyEvent) -> None:
        name = os.fsdecode(event.name)
        if event.wd == self._log_watch and name == self._log:
            self._watcher.tell_database()
            return
        folder = self._folders.get(event.wd)
        if folder is None:
            return
        if not name:
            if not folder and (event.is_delete_self or event.is_move_self or event.mask & self._unmounted):
                self._watcher.tell_gone()
        elif event.is_directory:
            self._on_folder(folder, name, event)
        elif name.endswith(".md"):
            # A file that was just created is told again when it is closed. A second name of an old file is not.
            wake = not event.is_create or self._is_link(folder + name)
            self._watcher.tell(folder + name, wake=wake)

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
        self._watcher.tell_scan()

    def _is_link(self, path: str) -> bool:
        try:
            found = os.lstat(self._watcher.root / path)
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
            full = self._watcher.root / folder
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
            if error.errno in LIMITS or not folder:
                raise
            return False
        self._folders[wd] = folder
        return True

    def _watch_log(self) -> None:
        """Watch the folder of the database for writes to its log; it may not be there yet."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._log_watch = self._add(self._watcher.database.parent, self._log_mask)

    def _add(self, full: Path, mask: int) -> WatchDescriptor:
        """Watch one folder. The kernel gives the same descriptor for one that is watched already, under any name."""
        from watchdog.observers.inotify_c import Mask

        new = self._hub.number()
        wd = self._reader.add_callback(os.fsencode(full), Mask(mask), self, new)
        if wd < 0:  # the one refusal that watchdog does not raise
            self._watcher.cannot_watch(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), full)
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


class FileHints:
    """Sets ``wake`` when something happens to ``file``: it was written, replaced, made, or removed.

    ``polling`` says that the system cannot tell so; then the caller has to look at a timer.
    """

    def __init__(self, file: Path, wake: Wakes, hub: Hub) -> None:
        self.polling = True
        self._names = {os.fsencode(file.name), os.fsencode(Path(os.path.realpath(file)).name)}
        self._folders = {file.parent, Path(os.path.realpath(file)).parent}  # it may be a link to where it really lies
        self._wake = wake
        self._hub = hub
        self._ids: list[tuple[WatchDescriptor, CallbackId]] = []
        self._reader: InotifyFD | None = None

    def start(self) -> None:
        """Begin; does not raise."""
        with suppress(OSError, ImportError):
            from watchdog.observers.inotify_c import InotifyConstants as In
            from watchdog.observers.inotify_c import Mask

            self._reader = self._hub.join(self)
            mask = Mask(In.IN_CLOSE_WRITE | In.IN_MOVE | In.IN_CREATE | In.IN_DELETE | In.IN_MASK_ADD | In.IN_ONLYDIR)
            for folder in self._folders:
                number = self._hub.number()
                self._ids.append((self._reader.add_callback(os.fsencode(folder), mask, self, number), number))
            self.polling = False

    def stop(self) -> None:
        """End; again is no harm."""
        if self._reader is not None:
            self._reader.remove_callbacks(self._ids)
            self._ids, self._reader = [], None
        self._hub.leave(self)

    def broken(self) -> None:
        """The reader ended."""
        self.polling = True
        self._wake.set()

    def on_event(self, event: InotifyEvent) -> None:
        """One event of the folder."""
        if event.name in self._names:
            self._wake.set()

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """The folder is gone."""
        self.broken()

    def on_queue_overflow(self) -> None:
        """Events were lost."""
        self._wake.set()
