"""Checks of what is in a bank: its database, times that cannot be, its lock, its daemon, git around it."""

from __future__ import annotations

import subprocess
import time
from datetime import datetime
from pathlib import Path

from schema import overview
from schema.errors import NoDatabase, OlderSchema
from syncd import lock as locks
from syncd.bank import STATE, database_of
from syncd.disk.git import git_busy, git_folder, git_unfinished
from syncd.disk.walk import walk
from syncd.doctor.check import Check, fail, ok, warn
from syncd.errors import SyncdError
from syncd.inspect import reading
from syncd.output import counted

_SLACK = 120.0  # seconds by which another machine's clock may be ahead
_LONGEST_GIT = 10.0


def database(bank: Path) -> Check:
    """Whether the database is whole."""
    try:
        with reading(bank) as db:
            damage = [str(line) for (line,) in db.rows("PRAGMA quick_check") if line != "ok"]
    except NoDatabase:
        return warn("database", "there is none yet", f"syncd init {bank}")
    except OlderSchema:
        return warn("database", "it was written by an older version", f"`syncd sync {bank}` brings it up to date")
    except SyncdError as error:
        return fail("database", error.what, error.hint)
    if damage:
        return fail("database", f"damaged: {damage[0]}", "stop the daemon, then: syncd restore FILE, with a backup")
    return ok("database", f"whole, {database_of(bank).stat().st_size / 1e6:,.1f} MB")


def times(bank: Path, now: float | None = None) -> Check:
    """Whether files or the history are dated in the future: then a clock was or is wrong."""
    now = time.time() if now is None else now
    ahead = {path: s.mtime_ns / 1e9 - now for path, s in walk(bank).stats.items() if s.mtime_ns / 1e9 > now + _SLACK}
    if ahead:
        worst = max(ahead, key=lambda path: ahead[path])
        says = f"{counted(len(ahead), 'document')} dated in the future, {worst} by {ahead[worst] / 3600:,.1f} hours"
        return warn("times", says, f"touch {bank / worst}, after a look at the clock")
    last = _last_transaction(bank)
    if last is not None and last > now + _SLACK:
        return warn("times", "the last transaction is dated in the future: the clock was set back", "look at the clock")
    return ok("times", "nothing is dated in the future")


def _last_transaction(bank: Path) -> float | None:
    try:
        with reading(bank) as db:
            last = overview.last_transaction(db)
    except SyncdError:
        return None
    return datetime.fromisoformat(last["timestamp"]).timestamp() if last else None


def daemon(bank: Path) -> Check:
    """Who serves the bank, if anybody; what a dead process left is harmless."""
    holder = locks.holder(bank)
    if holder is None:
        left = (bank / STATE / "lock").exists()
        says = "nobody serves this bank" + (" (its lock is free)" if left else "")
        return ok("daemon", says, "changes wait for `syncd sync`, or start `syncd run`")
    if holder.role is locks.LockRole.DAEMON and holder.ready:
        return ok("daemon", f"process {holder.pid} serves this bank since {holder.since}")
    if holder.role is locks.LockRole.DAEMON:
        return warn("daemon", f"process {holder.pid} is still reading the bank", "wait, then look again")
    return ok("daemon", f"a command (process {holder.pid}) works on this bank just now")


def git(bank: Path) -> Check:
    """Whether git is in the middle of something here, and keeps its hands off the database."""
    folder = git_folder(bank)
    if folder is None:
        return ok("git", "the bank is in no repository")
    reason = git_busy(bank) or git_unfinished(bank)
    if reason:
        return warn("git", reason, "finish that; until then documents are not written")
    if _would_commit(bank):
        return warn(
            "git", "git would commit the database", f"echo '/{bank.name}/{STATE}/' >> {folder.parent / '.gitignore'}"
        )
    return ok("git", f"at rest, and {STATE} is ignored")


def _would_commit(bank: Path) -> bool:
    """Whether the database is tracked or not ignored. False where git is not there to be asked."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(bank), "check-ignore", "--quiet", "--", f"{STATE}/memory_bank.db"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_LONGEST_GIT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 1  # 0: ignored; 128: git refuses to look here
