"""Putting new texts in the place of documents so that nothing anybody saves is lost.

May import the standard library and syncd's errors, names, folders, exchange, walk, look and held. Reading is in
`syncd.disk.look`, what happens to displaced files in `syncd.disk.held`; their names can be imported from here.

How a text is put in place (`Prepared.publish`): the new text lies complete and synced beside its document. If nobody
has the document open for writing and it still is what was expected, the two files trade names in one step. What comes
out is then looked at: it is what anybody saved up to that moment. If it is not what was expected it goes back in the
same way, and the caller merges again. What came out is kept for a while and looked at once more (`held`), for
a program that had found the file by name but not opened it yet.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from syncd.disk.exchange import Unsupported, exchange, move_new
from syncd.disk.folders import WriteFailed, open_file, open_folder, remove, split, write_failed
from syncd.disk.held import Held, Late, Leftover, drop_leftover, sweep_temporaries
from syncd.disk.look import Busy, Content, Missing, Read, Same, Unreadable, digest, read_at, read_stable
from syncd.disk.names import Use, temporary, with_use
from syncd.disk.walk import BankGone, Stat, require_root

__all__ = [
    "BankGone", "Busy", "Changed", "Content", "Held", "Late", "Leftover", "Missing", "Outcome", "Prepared", "Read",
    "Stat", "Unreadable", "WriteFailed", "Written", "digest", "drop_leftover", "prepare", "read_stable",
    "sweep_temporaries",
]  # fmt: skip

_QUIET_S = 0.1  # how long a writer of the displaced file is waited for before its file is put back under its name
_POLL_S = 0.0005
_ROUNDS = 100  # exchanges against somebody who saves all the time


class Written(Struct, frozen=True):
    """The new text is in place, or the document is removed.

    ``stat`` goes with just this text; None where the document is removed or was touched by somebody since: then it
    has to be read.
    """

    stat: Stat | None


class Changed(Struct, frozen=True):
    """The document was not what was expected. It holds what its last writer saved; nothing of ours stands there.

    ``now`` is what was found, `Missing` where it is gone.
    """

    now: Content | Missing | Unreadable


Outcome = Written | Changed | Busy
"""`Busy`: somebody has the document open for writing; it is as it was, try again when they are done."""


_Known = tuple[bytes, str] | None
"""A text and its digest, so that the same text need not be digested twice."""


class _Out(Struct, frozen=True):
    """What stood under our temporary name after an exchange."""

    read: Content | Missing | Busy | Unreadable
    inode: int
    digest: str | None  # None where it could not be read because somebody writes


class Prepared:
    """A text that lies complete and durable beside its document, or the intention to remove it (``data`` None).

    Used once: after `publish` or `discard`, whatever comes of it, nothing of it is left.
    """

    def __init__(self, root: Path, path: str, name: str, text_digest: str | None, made: Stat | None) -> None:
        self.path = path
        self.digest = text_digest
        self._root = root
        self._folders, self._target = split(path)
        self._name = name
        self._made = made
        self._spent = False

    def publish(self, expected: str | None, held: Held, seen: Stat | None = None) -> Outcome:
        """Put the text in place if the document's content still has the digest ``expected`` (None: no file is there).

        ``seen`` are the stat values that went with that content, if they are known: while they hold, the document is
        not read before the exchange (what comes out of it is, always). Raises `WriteFailed` where the system refuses;
        the document is as it was then.
        """
        if self._spent:
            raise ValueError(f"used twice: {self.path}")
        try:
            with open_folder(self._root, self._folders) as folder:
                outcome = self._publish(folder, expected, held, seen)
        except FileNotFoundError:
            require_root(self._root)
            outcome = Changed(Missing())  # the folder was moved or removed, with our file in it
        except OSError as error:
            raise write_failed(error, self.path) from error
        finally:
            self.discard()
        return outcome

    def discard(self) -> None:
        """Remove the prepared file unless it was used. Does not fail: what stays is swept up at the next start."""
        if self._spent or self._made is None:
            return
        self._spent = True
        with suppress(OSError), open_folder(self._root, self._folders) as folder:
            remove(folder, self._name)

    def _publish(self, folder: int, expected: str | None, held: Held, seen: Stat | None) -> Outcome:
        """Look first, then take the way that fits: a new file, a removal, a replacement."""
        now = read_at(folder, self._target, unless=seen)
        if isinstance(now, Busy):
            return now
        if not isinstance(now, Same):
            found = now.digest if isinstance(now, Content) else None
            if isinstance(now, Unreadable) or found != expected:
                return Changed(now)
        if expected is None:
            return self._create(folder, held)
        known = (now.data, expected) if isinstance(now, Content) else None
        if self._made is None:
            return self._remove(folder, expected, known, held)
        return self._replace(folder, expected, known, held)

    def _create(self, folder: int, held: Held) -> Outcome:
        if self._made is None:
            return Written(None)  # to be removed, and not there
        try:
            move_new(folder, self._name, folder, self._target)
        except FileExistsError:
            return _changed(read_at(folder, self._target))
        return self._written(folder, held)

    def _replace(self, folder: int, expected: str, known: _Known, held: Held) -> Outcome:
        self._spent = True  # from here our name may hold a text that somebody saved: it is not ours to remove
        try:
            exchange(folder, self._name, self._target)
        except Unsupported:
            return self._replace_by_two_renames(folder, expected, known, held)
        except OSError:
            self._spent = False  # nothing has moved
            raise
        out = _take_out(folder, self._name, known)
        if out.digest == expected:
            held.keep(folder, self._name, self.path, expected, sure=_sure(out.read))
            return self._written(folder, held)
        held.touch(self._folders)
        return self._give_back(folder, out, held)

    def _give_back(self, folder: int, theirs: _Out, held: Held) -> Outcome:
        """Exchange until what comes out is what we had put in: then what stands there is the newest save.

        Each text of somebody's that is not left standing is kept, to be told.
        """
        assert self._made is not None
        placed = _Out(Missing(), self._made.inode, self.digest)
        for _ in range(_ROUNDS):
            try:
                exchange(folder, self._name, self._target)
            except FileNotFoundError:
                held.keep(folder, self._name, self.path, None)
                return Changed(Missing())  # and our text, that stood there, was taken away by somebody
            came = _take_out(folder, self._name)
            if came.inode == placed.inode and (placed.digest is None or came.digest == placed.digest):
                held.keep(folder, self._name, self.path, self.digest if placed.digest == self.digest else None)
                return theirs.read if isinstance(theirs.read, Busy) else _changed(theirs.read)
            placed, theirs = theirs, came
        held.keep(folder, self._name, self.path, None)
        return Busy("saved again and again by another program")

    def _replace_by_two_renames(self, folder: int, expected: str, known: _Known, held: Held) -> Outcome:
        """Where files cannot trade names: the document goes away, then ours takes the name if it is still free.

        RACE: for the microseconds between the two there is no file. Worst outcome: a reader is told that the document
        is missing; a kill leaves it so until `sweep_temporaries` puts it back. No text is lost.
        """
        self._spent = False
        away = temporary(self._target, expected, Use.AWAY)
        outcome = self._take_away(folder, away, expected, known, held)
        if outcome is not None:
            return outcome
        try:
            move_new(folder, self._name, folder, self._target)
        except FileExistsError:
            held.keep(folder, away, self.path, expected)
            return _changed(read_at(folder, self._target))
        except OSError:
            self._put_back(folder, away, held)
            raise
        held.keep(folder, away, self.path, expected)
        return self._written(folder, held)

    def _remove(self, folder: int, expected: str, known: _Known, held: Held) -> Outcome:
        away = temporary(self._target, expected, Use.AWAY)
        outcome = self._take_away(folder, away, expected, known, held)
        if outcome is not None:
            return outcome
        held.keep(folder, away, self.path, expected)
        held.touch(self._folders)
        return Written(None)

    def _take_away(self, folder: int, away: str, expected: str, known: _Known, held: Held) -> Outcome | None:
        """Rename the document to ``away``; put it back, and say what it is, if it is not what was expected."""
        move_new(folder, self._target, folder, away)
        out = _take_out(folder, away, known)
        if out.digest == expected:
            return None
        if self._put_back(folder, away, held):
            return out.read if isinstance(out.read, Busy) else _changed(out.read)
        return _changed(read_at(folder, self._target))

    def _put_back(self, folder: int, away: str, held: Held) -> bool:
        """Whether the document has its file again; if its name is taken by now, the file is kept to be told."""
        try:
            move_new(folder, away, folder, self._target)
        except FileExistsError:
            held.keep(folder, away, self.path, None)
            return False
        return True

    def _written(self, folder: int, held: Held) -> Written:
        """Our text is in place: its stat values, if they are still those of the file that we made."""
        self._spent = True
        held.touch(self._folders)
        assert self._made is not None
        try:
            now = Stat.of(os.stat(self._target, dir_fd=folder, follow_symlinks=False))
        except OSError:
            return Written(None)
        same = (now.inode, now.size, now.mtime_ns) == (self._made.inode, self._made.size, self._made.mtime_ns)
        return Written(now if same else None)


def prepare(root: Path, path: str, data: bytes | None) -> Prepared:
    """Write ``data`` to a file beside the document ``path``, durably, with the mode and owner of what it will replace.

    Missing folders inside the bank are made. ``data`` None prepares a removal. Raises `WriteFailed`, and leaves nothing
    behind then: a file whose fsync failed is thrown away, because a second fsync may succeed without its data.
    """
    folders, name = split(path)
    if data is None:
        return Prepared(root, path, "", None, None)
    text_digest = digest(data)
    ready = temporary(name, text_digest, Use.TEMPORARY)
    try:
        with open_folder(root, folders, create=True) as folder:
            made = _write(folder, ready, name, data)
    except OSError as error:
        require_root(root)
        raise write_failed(error, path) from error
    return Prepared(root, path, ready, text_digest, made)


def _write(folder: int, ready: str, target: str, data: bytes) -> Stat:
    """Write and sync a file that has the name ``ready`` once it is whole; on any failure it is removed."""
    old = _regular(folder, target)
    part = with_use(ready, Use.PART)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(part, flags, 0o600 if old else 0o666, dir_fd=folder)
    try:
        try:
            _write_all(descriptor, data)
            if old is not None:
                _imitate(descriptor, old)
                _copy_attributes(folder, target, descriptor)
            _sync(descriptor)
            made = Stat.of(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        os.rename(part, ready, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            remove(folder, part)
        raise
    return made


def _regular(folder: int, name: str) -> os.stat_result | None:
    """The stat values of the file that will be replaced, None where there is none. Raises OSError if it is no file."""
    try:
        old = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, "not a regular file, and links are not followed", name)
    return old


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _imitate(descriptor: int, old: os.stat_result) -> None:
    """Give the new file the old one's owner and mode. Raises PermissionError where that owner may not be given."""
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _copy_attributes(folder: int, target: str, descriptor: int) -> None:
    """Extended attributes (access lists among them) of the old file, as far as this user may set them."""
    if not hasattr(os, "listxattr"):
        return
    with suppress(OSError), open_file(folder, target) as old:  # refused: this file system has none, nothing to keep
        for name in os.listxattr(old):
            with suppress(PermissionError):
                os.setxattr(descriptor, name, os.getxattr(old, name))


def _sync(descriptor: int) -> None:
    """Through the disk's own cache too, where the system makes a difference (macOS)."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def _take_out(folder: int, name: str, known: _Known = None) -> _Out:
    """What our name holds now, once its writers are done or the time for that is up."""
    deadline = time.monotonic() + _QUIET_S
    while True:
        read = read_at(folder, name)
        if not isinstance(read, Busy) or time.monotonic() > deadline:
            break
        time.sleep(_POLL_S)
    if isinstance(read, Content):
        same = known is not None and known[0] == read.data
        return _Out(read, read.stat.inode, known[1] if known is not None and same else read.digest)
    inode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_ino
    return _Out(read, inode, None)


def _changed(read: Read) -> Changed | Busy:
    return read if isinstance(read, Busy) else Changed(read)


def _sure(read: Read) -> bool:
    return isinstance(read, Content) and read.sure
