"""Checks of the place where a bank lies: its file system, what that can do, the room on it, who may do what."""

from __future__ import annotations

import errno
import os
import pwd
import stat
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from syncd.bank import state_of
from syncd.disk import exchange as exchanging
from syncd.disk.exchange import Unsupported, Writers, leased
from syncd.disk.walk import walk
from syncd.doctor.check import Check, fail, ok, warn
from syncd.output import counted

_LOCAL = "keep the bank on a local disk (ext4, XFS, btrfs, ZFS, APFS)"
_NETWORK = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "ncpfs", "afpfs", "webdav",
    "davfs", "vboxsf", "virtiofs", "prl_fs", "vmhgfs",
}  # fmt: skip
_LITTLE, _TOO_LITTLE = 50_000_000, 2_000_000  # bytes: an absorb and a checkpoint need room for a copy of what changed
_FEW = 64  # free inodes


@contextmanager
def _scratch(bank: Path) -> Iterator[Path]:
    """A folder inside ``.syncd`` that is gone behind the block. OSError where there can be none."""
    state = state_of(bank)
    if state.is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, "a link, and links out of a bank are not followed", str(state))
    folder = Path(mkdtemp(prefix="doctor-", dir=state))
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def exchange(bank: Path) -> Check:
    """Whether two files can trade names in one step."""
    try:
        with _scratch(bank) as folder:
            (folder / "one").write_text("1")
            (folder / "other").write_text("2")
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                exchanging.exchange(descriptor, "one", "other")
            finally:
                os.close(descriptor)
            traded = (folder / "one").read_text() == "2" and (folder / "other").read_text() == "1"
    except Unsupported:
        return warn(
            "exchange", "files cannot trade names here: a document is missing for a moment while it is written", _LOCAL
        )
    except OSError as error:
        return _cannot_try("exchange", error)
    if not traded:
        return fail("exchange", "files that should have traded names did not", _LOCAL)
    return ok("exchange", "files can trade names in one step")


def lease(bank: Path) -> Check:
    """Whether it can be seen that another program has a file open for writing."""
    try:
        with _scratch(bank) as folder:
            file = folder / "one"
            file.touch()
            free, busy = _writers(file, os.O_RDONLY), _writers(file, os.O_WRONLY)
    except OSError as error:
        return _cannot_try("lease", error)
    if (free, busy) == (Writers.NONE, Writers.SOME):
        return ok("lease", "it can be seen whether a program has a file open for writing")
    if sys.platform == "linux":
        return warn("lease", "it cannot be seen whether a program has a file open for writing", _LOCAL)
    return ok("lease", "this system cannot tell who has a file open: displaced files are kept a while instead")


def _writers(file: Path, flags: int) -> Writers:
    """What a lease says while ``file`` is open with ``flags`` as well."""
    other, own = os.open(file, flags), os.open(file, os.O_RDONLY)
    try:
        with leased(own) as answer:
            return answer
    finally:
        os.close(own)
        os.close(other)


def file_system(bank: Path, mounts: Path = Path("/proc/self/mountinfo")) -> Check:
    """What kind of file system the bank lies on. The write-ahead log needs one on this machine."""
    kind = _kind(bank, mounts)
    if kind is None:
        return ok("file system", "its kind is not told by this system")
    if kind in _NETWORK or kind in ("fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.davfs"):
        return fail("file system", f"{kind} is shared with other machines, and their locks are not ours", _LOCAL)
    if kind.startswith("fuse"):
        return warn("file system", f"{kind}: what it can do depends on the program behind it", _LOCAL)
    state = state_of(bank)
    if state.exists() and os.stat(bank).st_dev != os.stat(state).st_dev:
        return fail("file system", ".syncd lies on another file system than the bank", "keep both on one")
    return ok("file system", kind)


def _kind(bank: Path, mounts: Path) -> str | None:
    """The type of the mount that ``bank`` lies below, the one mounted last where several cover it."""
    found, longest = None, -1
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(" - ")
        place = before.split(" ")[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
        if bank.is_relative_to(place) and len(place) >= longest:
            found, longest = after.split(" ")[0], len(place)
    return found


def space(bank: Path, free: tuple[int, int] | None = None) -> Check:
    """Whether there is room: ``free`` bytes and inodes, as a person without privileges has them."""
    told = os.statvfs(bank)
    room, inodes = (told.f_bavail * told.f_frsize, told.f_favail) if free is None else free
    says = f"{room / 1e9:,.1f} GB free" if room >= 1e9 else f"{room / 1e6:,.1f} MB free"
    if room < _TOO_LITTLE:
        return fail("space", f"{says}: nothing can be written", "free some space")
    if room < _LITTLE:
        return warn("space", says, "free some space")
    if told.f_files and inodes < _FEW:
        return warn("space", f"{says}, but room for {inodes} files only", "remove files that nobody needs")
    return ok("space", says)


def permissions(bank: Path) -> Check:
    """Whether ``.syncd`` and what is in it belong to this user, and to nobody else's eyes."""
    state, me = state_of(bank), os.geteuid()
    if not os.access(bank, os.R_OK | os.W_OK | os.X_OK):
        return fail("permissions", "this user may not write the bank's folder", f"sudo chown -R {_name(me)} {bank}")
    for path in (state, *sorted(state.glob("memory_bank.db*")), state / "lock"):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(found.st_mode):
            return fail("permissions", f"{path.name} is a link", "put what it leads to in its place")
        if found.st_uid != me and me != 0:
            return fail(
                "permissions", f"{path.name} belongs to {_name(found.st_uid)}", f"sudo chown {_name(me)} {path}"
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            return warn("permissions", f"others may read {path.name}", f"chmod go= {path}")
    return ok("permissions", ".syncd is its owner's alone")


def owners(bank: Path, group: int | None = None) -> Check:
    """Whether the documents are this user's; ``group`` is the group that files of this user get (the primary one)."""
    stats = {path: os.lstat(bank / path) for path in walk(bank).stats}
    theirs = sorted(path for path, found in stats.items() if found.st_uid != os.geteuid())
    if theirs and os.geteuid() != 0:
        return warn("owners", f"{_some(theirs)} of another user", f"sudo chown -R {_name(os.geteuid())} {bank}")
    group = os.getegid() if group is None else group
    other = sorted(path for path, found in stats.items() if found.st_gid != group)
    if other and os.geteuid() != 0:
        return ok(
            "owners", f"{_some(other)} of another group of yours",
            "a service of yours cannot write these: `syncd service install --no-namespaces`",
        )  # fmt: skip
    return ok("owners", "all documents are this user's")


def names(bank: Path) -> Check:
    """Whether names are kept as written, and whether two documents would be one elsewhere."""
    try:
        with _scratch(bank) as folder:
            (folder / "caf\u00e9-A").touch()
            folds = (folder / "caf\u00e9-a").exists()
            composed = (folder / "cafe\u0301-A").exists()
    except OSError as error:
        return _cannot_try("names", error)
    known: dict[str, str] = {}
    for path in sorted(walk(bank).stats):
        other = known.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
        if other != path:
            return warn("names", f"{other} and {path} would be one file on macOS or Windows", "rename one of the two")
    ways = [way for way, there in (("case", folds), ("accents", composed)) if there]
    if ways:
        return ok("names", f"this file system does not tell names apart by {' and '.join(ways)}")
    return ok("names", "names are kept as they are written")


def _cannot_try(name: str, error: OSError) -> Check:
    why = os.strerror(error.errno) if error.errno else str(error)
    if error.errno == errno.ENOENT:
        return warn(name, "there is no .syncd folder yet to try it in", "`syncd init` makes it")
    return fail(name, f"no file can be made in .syncd: {why}", "see the checks for space and permissions")


def _some(paths: list[str]) -> str:
    """``3 documents (tasks.md, …) are``."""
    more = ", …" if len(paths) > 1 else ""
    return f"{counted(len(paths), 'document')} ({paths[0]}{more}) {'is' if len(paths) == 1 else 'are'}"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
