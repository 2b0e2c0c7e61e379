"""Checks of the installation: the libraries, the packages' names, the clock, the limits for watching, the service."""

from __future__ import annotations

import os
import re
import socket
import stat
import sys
import time
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import syncd
from syncd.doctor.check import Check, fail, ok, warn
from syncd.userfiles import runtime_folders
from syncd.versions import LIBRARIES, versions

FIXED_SQLITE = (3, 51, 3)
"""The first SQLite whose write-ahead log cannot lose commits while two programs write and checkpoint at once."""

_PACKAGES = ("parser", "schema", "writer")
_MADE = 1_767_225_600  # 2026-01-01, in seconds: this program is not older
_PLENTY = 0.8  # of a limit; beyond it other programs are about to find nothing left
_SYSCTL = Path("/proc/sys/fs/inotify")


def python(found: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Whether this Python is new enough."""
    text = ".".join(map(str, found))
    if found < (3, 11):
        return fail("python", f"Python {text} is too old", "install syncd with Python 3.11 or later")
    return ok("python", f"Python {text}")


def sqlite(found: str | None = None) -> Check:
    """Whether the SQLite that apsw brings has the fix of its write-ahead log."""
    known = versions()
    found = known["sqlite"] if found is None else found
    numbers = re.findall(r"\d+", found)
    if not numbers:
        return fail("sqlite", f"apsw cannot be used: {found}", "pip install --force-reinstall apsw")
    if tuple(map(int, numbers[:3])) < FIXED_SQLITE:
        return fail("sqlite", f"SQLite {found} can lose commits while two programs write", "pip install --upgrade apsw")
    says = f"SQLite {found} through apsw {known['apsw']}"
    theirs = known["sqlite of python"]
    if tuple(map(int, theirs.split(".")[:3])) < FIXED_SQLITE:
        return ok("sqlite", f"{says}; Python's own is {theirs}", "let programs write through `mb` or `syncd.open_bank`")
    return ok("sqlite", says)


def libraries(names: Iterable[str] = LIBRARIES) -> Check:
    """Whether all that syncd needs can be found."""
    absent = [name for name in names if find_spec(name) is None]
    if absent:
        return fail(
            "libraries", f"not installed: {', '.join(absent)}", "install syncd anew: pipx install, or pip install"
        )
    return ok("libraries", "all installed")


def packages(names: Iterable[str] = _PACKAGES) -> Check:
    """Whether our packages, whose names others use too, are the ones that are found."""
    home = Path(syncd.__file__).resolve().parent.parent
    for name in names:
        spec = find_spec(name)
        place = Path(spec.origin).resolve() if spec and spec.origin else None
        if place is None or place.parent.parent != home:
            where = f"another one comes first ({place})" if place else "it is not there"
            return fail(
                "packages", f"the package `{name}` is not syncd's: {where}", "give syncd an environment of its own"
            )
    return ok("packages", f"{', '.join(names)} are syncd's own")


def clock(now: float | None = None) -> Check:
    """Whether the clock can be right. Nothing is decided by it, but the history tells its times."""
    now = time.time() if now is None else now
    if now < _MADE:
        return warn(
            "clock", f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}, before this program was made",
            "set the clock: timedatectl set-ntp true",
        )  # fmt: skip
    before = time.monotonic()
    if time.monotonic() < before:
        return fail("clock", "the monotonic clock runs backwards", "tell whoever runs this machine")
    return ok("clock", time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now)))


def watching(need: int, limits: Path = _SYSCTL, used: tuple[int, int] | None = None) -> Check:
    """Whether ``need`` more folders can be watched. ``used`` are this user's watchers and watched folders by now."""
    if sys.platform != "linux":
        return ok("watching", "this system has no limits for it")
    try:
        instances, watches = (int((limits / f"max_user_{kind}").read_text()) for kind in ("instances", "watches"))
    except (OSError, ValueError):
        return warn("watching", "the limits for watching cannot be read", "look at sysctl fs.inotify")
    watchers, folders = _in_use() if used is None else used
    for kind, have, want, limit in (
        ("watches", folders, need, watches), ("instances", watchers, 1, instances),
    ):  # fmt: skip
        if have + want > _PLENTY * limit:
            more = max(2 * limit, have + 2 * want)
            return warn(
                "watching", f"{have:,} of {limit:,} inotify {kind} are used, and {want:,} are needed",
                f"sudo sysctl fs.inotify.max_user_{kind}={more} (without: files are looked at by a timer)",
            )  # fmt: skip
    return ok("watching", f"{folders:,} of {watches:,} folders are watched, by {watchers} of {instances} watchers")


def _in_use(proc: Path = Path("/proc")) -> tuple[int, int]:
    """Watchers and watched folders of this user's processes, as far as they can be seen."""
    watchers = folders = 0
    for process in proc.glob("[0-9]*"):
        try:
            if process.stat().st_uid != os.getuid():
                continue
            handles = [h.name for h in (process / "fd").iterdir() if os.readlink(h) == "anon_inode:inotify"]
            texts = [(process / "fdinfo" / handle).read_text() for handle in handles]
        except OSError:  # it ended, or is not ours to look at
            continue
        watchers += len(texts)
        folders += sum(text.count("inotify wd:") for text in texts)
    return watchers, folders


def sockets(folders: Iterable[Path] | None = None) -> Check:
    """Whether the daemons' sockets are this user's alone; those of daemons that ended are harmless."""
    answering, left = 0, 0
    for folder in runtime_folders() if folders is None else folders:
        try:
            found = folder.lstat()
        except OSError:
            continue
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
            if folder.parent == Path("/run"):
                continue  # that of a service of another user
            return fail("sockets", f"{folder} is not this user's folder", "remove it, or ask whose it is")
        for file in (folder, *sorted(folder.glob("*.sock"))):
            try:
                mode = stat.S_IMODE(file.lstat().st_mode)
            except FileNotFoundError:  # its daemon ended just now
                continue
            if mode & 0o077:
                return warn("sockets", f"others may use {file}", f"chmod go= {file}")
            if file != folder:
                answers = _answers(file)
                answering, left = answering + answers, left + (not answers)
    says = f"{answering} in use" if answering else "none in use"
    return ok("sockets", f"{says}, {left} left behind by daemons that ended (harmless)" if left else says)


def _answers(file: Path) -> bool:
    """Whether a process listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(file))
        except OSError:  # refused, gone, or its path is too long
            return False
    return True


def service() -> Check:
    """How the service of this user is, if there is one."""
    from syncd.errors import SyncdError
    from syncd.service import here
    from syncd.service.manager import ServiceError

    try:
        found = here.service(None, system=False, user=None).status()
    except ServiceError as error:
        return ok("service", error.what)
    except SyncdError as error:
        return warn("service", error.what, error.hint)
    if not found.installed:
        return ok("service", "not installed", "`syncd service install` runs the daemon as a service")
    if found.state == "failed":
        return fail("service", "the service has failed", found.notes[-1] if found.notes else found.log)
    if not found.running:
        return warn("service", f"the service is {found.state}", "`syncd service install` starts it")
    if found.current is False:
        return warn("service", "the unit was written by another version", "`syncd service install` renews it")
    says = f"{found.state}, process {found.pid}, started again {found.restarts} times"
    return ok("service", says, found.notes[-1] if found.notes else None)
