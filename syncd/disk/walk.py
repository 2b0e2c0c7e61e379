"""Which documents a bank holds, by their names and stat values alone. No content is read here.

May import the standard library and ``syncd.errors``. No link is followed, neither to a file nor to a folder.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from msgspec import Struct, field

from syncd.disk.names import is_own
from syncd.errors import BankError, SyncdError, from_os, one_line

OMITTED = frozenset({".syncd", ".git"})
"""Folders, wherever they lie in the bank, that hold no documents of it."""

_HINT = "bring the folder back; nothing was changed meanwhile"
_RACY_NS = 2_000_000_000


class BankGone(BankError):
    """The bank's folder was removed, unmounted, or is no folder any more. Nothing may be concluded from that."""


class Stat(Struct, frozen=True):
    """What a document's inode says. Equal values let its content be skipped, unless they are `racy`."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    mode: int  # type and permission bits

    @classmethod
    def of(cls, result: os.stat_result) -> Stat:
        """The values of ``result`` that matter here."""
        return cls(result.st_size, result.st_mtime_ns, result.st_ctime_ns, result.st_ino, result.st_mode)

    @property
    def content(self) -> tuple[int, int, int, int]:
        """What may have another value when the content has. Changing the mode changes ``ctime_ns``."""
        return self.size, self.mtime_ns, self.ctime_ns, self.inode

    def racy(self, now_ns: int) -> bool:
        """Whether a later write could still leave these values as they are (clocks of files tick coarsely).

        ``now_ns`` is the wall clock (`time.time_ns`) when the content was read.
        """
        return now_ns - max(self.mtime_ns, self.ctime_ns) < _RACY_NS


class Walk(Struct):
    """What one walk found. Paths are relative to the bank, with ``/``.

    ``unreadable`` and ``skipped`` give the reason for each file and folder that was not taken in: the first could
    hold documents that are hidden from us (so nothing below it may be called deleted, or new), the second are no
    documents.
    ``leftovers`` are files with a name that only we give.
    """

    stats: dict[str, Stat] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    leftovers: list[str] = field(default_factory=list)


def walk(root: Path) -> Walk:
    """Every regular ``*.md`` file below ``root``.

    Raises `BankGone` where ``root`` cannot be listed.
    """
    found = Walk()
    folders = [""]
    while folders:
        folder = folders.pop()
        documents, deeper = len(found.stats), len(folders)
        try:
            with os.scandir(f"{root}/{folder}") as entries:
                for entry in entries:
                    _take(entry, folder + entry.name, found, folders)
        except FileNotFoundError as error:
            if not folder:
                raise _gone(root, error) from error
            # A folder that went away since its parent was listed: the next walk no longer lists it.
        except OSError as error:
            if not folder:
                raise _gone(root, error) from error
            found.unreadable[_shown(folder[:-1])] = from_os(error).what
            # Of a document that was moved within it only one half may have been listed: all of it is hidden.
            for path in list(found.stats)[documents:]:
                del found.stats[path]
            del folders[deeper:]
    return found


def _take(entry: os.DirEntry[str], path: str, found: Walk, folders: list[str]) -> None:
    """Sort one directory entry into ``found``, or its folder onto ``folders``."""
    name = entry.name
    if name.endswith(".md"):
        try:
            result = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            found.unreadable[_shown(path)] = from_os(error).what
            return
        mode = result.st_mode
        if stat.S_ISREG(mode):
            reason = _not_a_document(name, path)
            if reason is None:
                found.stats[path] = Stat(result.st_size, result.st_mtime_ns, result.st_ctime_ns, result.st_ino, mode)
            elif reason:
                found.skipped[_shown(path)] = reason
        elif stat.S_ISDIR(mode):
            _descend(name, path, found, folders)
        elif not name.startswith(".#"):  # the lock of an editor is a link that dangles
            found.skipped[_shown(path)] = _kind(mode)
    elif entry.is_dir(follow_symlinks=False):
        _descend(name, path, found, folders)
    elif is_own(name):
        found.leftovers.append(path)
    elif entry.is_symlink() and os.path.isdir(entry.path):
        found.skipped[_shown(path)] = "a link to a folder is not followed"


def _descend(name: str, path: str, found: Walk, folders: list[str]) -> None:
    """Walk the folder too, unless its name says that it holds no documents."""
    if name in OMITTED:
        return
    if _is_text(path):
        folders.append(path + "/")
    else:
        found.skipped[_shown(path)] = "the folder's name is not UTF-8"


def _not_a_document(name: str, path: str) -> str | None:
    """Why a regular file is no document, "" where that is not worth a word, None where it is one."""
    if name[0] != "." and path.isascii() and ".sync-" not in name:
        return None  # nearly all of them
    if name.startswith((".#", "._")):
        return ""
    if ".sync-conflict-" in name:
        return "a conflict copy that a sync tool made"
    return None if _is_text(path) else "the file's name is not UTF-8"


def _is_text(path: str) -> bool:
    if path.isascii():
        return True
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link is not followed"
    if stat.S_ISFIFO(mode):
        return "a FIFO is no document"
    return "a socket or device is no document"


def _shown(path: str) -> str:
    """``path`` as text that can be stored and printed: what is no character is spelled out."""
    return path if _is_text(path) else one_line(path)


def require_root(root: Path) -> None:
    """Raises `BankGone` where the bank's folder is not there."""
    if not root.is_dir():
        raise BankGone("the bank's folder is gone", str(root), _HINT)


def _gone(root: Path, error: OSError) -> SyncdError:
    """The folder is gone, or this process has used up what it may have, which says nothing of the folder."""
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        refusal = from_os(error)
        return SyncdError(refusal.what, str(root), refusal.hint)
    return BankGone(from_os(error).what, str(root), _HINT)
