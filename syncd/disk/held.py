"""What a publish leaves to be done off the latency path: displaced files to look at once more, folders to sync.

May import the standard library and syncd's errors, names, folders, exchange, look and walk.

A displaced file is kept in ``.syncd/held`` and read again before it is dropped, because a program may have found its
inode by name before the exchange and opened it for writing after we looked. What a crash leaves is found by
`sweep_temporaries`; names say what each file was (`syncd.disk.names`), so that nothing is dropped that is not known.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from syncd.disk.exchange import move_new
from syncd.disk.folders import open_folder, remove, split, write_failed
from syncd.disk.look import Busy, Content, Missing, Unreadable, digest, read_at
from syncd.disk.names import MARK, Use, held, read_held, read_own
from syncd.disk.walk import walk

_FOLDER = (".syncd", "held")
_HOLD_S = 1.0 if sys.platform == "linux" else 60.0
_HOLD_UNSURE_S = 60.0  # where nobody can say whether a file is open for writing


class _Kept(Struct):
    """One displaced file. ``mark`` is the start of the digest of the text it should have, None if it must be told."""

    path: str
    folders: tuple[str, ...]
    name: str
    mark: str | None
    due: float
    told: bool = False


class Late(Struct, frozen=True):
    """A text that somebody saved into a file after it was replaced, or that another save replaced at once.

    It stands in no document. ``path`` names the document that it was meant for. It is kept on disk until it is
    given to `Held.drop`.
    """

    path: str
    data: bytes
    kept: _Kept


class Leftover(Struct, frozen=True):
    """A file of ours that a crash left, and that holds a text which is not the one its name names.

    ``path`` is the document it belongs to (None where the name was too long to say), ``file`` where it lies. It stays
    there until `drop_leftover`. ``data`` is None where it cannot be read, for the ``reason``.
    """

    path: str | None
    file: str
    data: bytes | None
    reason: str | None = None


class Held:
    """Displaced files of one bank, and folders whose entries changed. Used by one thread, under the bank's lock."""

    def __init__(self, root: Path, hold: float = _HOLD_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._hold = hold
        self._clock = clock
        self._kept: list[_Kept] = []
        self._touched: set[tuple[str, ...]] = set()
        self.stuck: dict[str, str] = {}  # files that could not be looked at, with the reason; they stay where they are

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, folder: int, name: str, path: str, known: str | None, *, sure: bool = True) -> None:
        """Take the file ``name`` away from directory ``folder``, where document ``path`` lies.

        ``known`` is the digest of the text that it should hold; None says that it must be told as `Late`. Never raises:
        where it cannot be moved it stays where it is and is looked at there.
        """
        folders = split(path)[0]
        kept = _Kept(path, folders, name, known[:MARK] if known else None, self._clock() + self._hold)
        if not sure:
            kept.due += _HOLD_UNSURE_S
        new = held(path, known)
        with suppress(OSError), open_folder(self._root, _FOLDER, create=True, mode=0o700) as target:
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=target)
            kept.folders, kept.name = _FOLDER, new
        self._kept.append(kept)

    def owns(self, file: str) -> bool:
        """Whether the file (its path below the bank) is one of those that are kept here at this moment."""
        return any(file == "/".join((*kept.folders, kept.name)) for kept in self._kept)

    def touch(self, folders: tuple[str, ...]) -> None:
        """Note that names in this folder changed, so that `flush_directories` makes it durable."""
        self._touched.add(folders)

    def due(self) -> float | None:
        """When, on the clock given, `settle` has something to look at; None where nothing is held."""
        return min((kept.due for kept in self._kept if not kept.told), default=None)

    def settle(self, now: float | None = None) -> list[Late]:
        """Look at what was held long enough: drop what is as it was, return what is not (once each).

        ``now`` is the clock's time, read if not given. A file that is open for writing is kept for another while.
        """
        now = self._clock() if now is None else now
        late = []
        for kept in [kept for kept in self._kept if not kept.told and kept.due <= now]:
            found = self._look(kept)
            if found is None:
                self._kept.remove(kept)
            elif isinstance(found, Busy):
                kept.due = now + self._hold
            else:
                kept.told = True
                late.append(Late(kept.path, found.data, kept))
        return late

    def _look(self, kept: _Kept) -> Content | Busy | None:
        """The file's content if it is not what it should be; None where nothing is left to keep."""
        try:
            with open_folder(self._root, kept.folders) as folder:
                match read_at(folder, kept.name):
                    case Content(data) as content:
                        if digest(data)[:MARK] != kept.mark:
                            return content
                        remove(folder, kept.name)
                    case Busy() as busy:
                        return busy
                    case Unreadable(reason):
                        self.stuck["/".join((*kept.folders, kept.name))] = reason
                    case Missing():
                        pass  # somebody emptied .syncd/held
        except OSError as error:
            self.stuck["/".join((*kept.folders, kept.name))] = error.strerror or str(error)
        return None

    def drop(self, late: Late) -> None:
        """Forget a text that the caller has stored durably."""
        if late.kept in self._kept:
            self._kept.remove(late.kept)
        with suppress(FileNotFoundError), open_folder(self._root, late.kept.folders) as folder:
            remove(folder, late.kept.name)

    def flush_directories(self) -> None:
        """Make the changed names durable. Raises `syncd.disk.folders.WriteFailed`; what failed is not tried again."""
        touched, self._touched = self._touched, set()
        for folders in sorted(touched):
            try:
                with open_folder(self._root, folders) as folder:
                    os.fsync(folder)
            except FileNotFoundError:
                continue  # the folder itself is gone, with all that was in it
            except OSError as error:
                raise write_failed(error, "/".join(folders) or os.fspath(self._root)) from error


def sweep_temporaries(
    root: Path, found: Iterable[str] | None = None, living: Held | None = None, removed: Collection[str] = ()
) -> list[Leftover]:
    """Clear away what a crash left of ours; return what holds a text that is not known to be ours.

    ``found`` is `Walk.leftovers` if a walk was just made. Only under the bank's lock and with no text prepared: a
    living process has such files too. Those that it holds itself, in ``living``, are passed over: their time is not up.
    A document that was moved away and not put back is put back here, unless it is one of ``removed``: those were to go.
    """
    leftovers = []
    for file in walk(root).leftovers if found is None else found:
        folders, name = split(file)
        own = read_own(name)
        if own is None or (living is not None and living.owns(file)):
            continue
        with suppress(FileNotFoundError), open_folder(root, folders) as folder:
            if own.use is Use.PART:
                remove(folder, name)
                continue
            target = None if own.target is None else "/".join((*folders, own.target))
            kept = own.use is Use.AWAY and target not in removed
            if kept and own.target is not None and _put_back(folder, name, own.target):
                continue
            leftovers += _unknown(folder, name, file, target, own.mark)
    return leftovers + _sweep_held(root, living)


def drop_leftover(root: Path, leftover: Leftover) -> None:
    """Remove a leftover whose text the caller has stored durably."""
    folders, name = split(leftover.file)
    with suppress(FileNotFoundError), open_folder(root, folders) as folder:
        remove(folder, name)


def _sweep_held(root: Path, living: Held | None) -> list[Leftover]:
    leftovers = []
    with suppress(FileNotFoundError), open_folder(root, _FOLDER) as folder:
        for name in sorted(os.listdir(folder)):
            says, file = read_held(name), "/".join((*_FOLDER, name))
            if says is not None and not (living is not None and living.owns(file)):
                leftovers += _unknown(folder, name, file, says[0], says[1])
    return leftovers


def _put_back(folder: int, name: str, target: str) -> bool:
    """Whether the document's name was free, and now has its file again."""
    try:
        move_new(folder, name, folder, target)
    except FileExistsError:
        return False
    return True


def _unknown(folder: int, name: str, file: str, target: str | None, mark: str | None) -> list[Leftover]:
    """The file as a leftover, unless it holds the text that its name names: then it is removed."""
    match read_at(folder, name):
        case Content(data):
            if digest(data)[:MARK] != mark:
                return [Leftover(target, file, data)]
            remove(folder, name)
            return []
        case Missing():
            return []
        case Busy(reason) | Unreadable(reason):
            return [Leftover(target, file, None, reason)]
