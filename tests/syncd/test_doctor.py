"""`syncd doctor`: each check tells what is wrong and what to do, and nothing of what was tried stays."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schema.db import open_database
from syncd import versions
from syncd.bank import database_of
from syncd.disk import exchange as exchanging
from syncd.disk.exchange import Unsupported, Writers
from syncd.doctor import contents, examine, installation, place
from syncd.doctor.check import Check, Level
from syncd.errors import Exit
from syncd.lock import BankLock, LockRole

ROOT = Path(__file__).resolve().parent.parent.parent
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="leases and limits are Linux's")
NOT_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may do anything")


def test_all_is_well_in_a_bank_that_is(synced: Path, syncd: Callable[..., Any]) -> None:
    """Every check of the bank has its line; the exit code is that of the worst."""
    ran = syncd("doctor", synced)
    assert ran.code in (Exit.CONVERGED, Exit.ATTENTION), ran
    assert all(f"  ok    {check.__name__.replace('_', ' ')}" in ran.out for check in examine.OF_BANK), ran.out


def test_nothing_that_was_tried_stays(synced: Path, syncd: Callable[..., Any]) -> None:
    """No file is made or changed, in the bank or in .syncd; the -wal and -shm are SQLite's."""

    def seen() -> dict[str, int]:
        files = (file for file in synced.rglob("*") if not file.name.endswith(("-wal", "-shm")))
        return {str(file): file.stat().st_mtime_ns for file in files if file.is_file()}

    before = seen()
    assert syncd("doctor", synced).code != Exit.FAILED
    assert seen() == before


def test_json_has_the_versions_and_every_check(synced: Path, syncd: Callable[..., Any]) -> None:
    """Those of the installation have no bank."""
    told = syncd("doctor", synced, "--json").json
    assert told["versions"] == versions.versions()
    assert {frozenset(check) for check in told["checks"]} == {frozenset({"bank", "name", "level", "says", "hint"})}
    of_bank = [check["name"] for check in told["checks"] if check["bank"] == str(synced)]
    assert of_bank == [check.__name__.replace("_", " ") for check in examine.OF_BANK]
    assert {check["bank"] for check in told["checks"]} == {None, str(synced)}


def test_without_a_bank_the_installation_is_checked(
    syncd: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that it was only that is said; a bank that is named must be there."""
    monkeypatch.chdir(tmp_path)
    assert "no bank here" in syncd("doctor").out
    assert syncd("doctor", tmp_path / "none").err.startswith("syncd: no such folder")


def test_the_exit_code_is_the_worst_of_the_answers(
    synced: Path, syncd: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """0, 1 and 3, as for the other commands; what a check did not expect is a failed check."""
    for level, code in ((Level.OK, 0), (Level.WARN, 1), (Level.FAIL, 3)):
        monkeypatch.setattr(examine, "installed", lambda banks, level=level: [Check("x", level, "says", "hint")])
        monkeypatch.setattr(examine, "OF_BANK", ())
        assert syncd("doctor", "--json", synced).code == code

    def space(bank: Path) -> Check:
        raise PermissionError(13, "Permission denied", "x")

    monkeypatch.setattr(examine, "OF_BANK", (space,))
    ran = syncd("doctor", synced)
    assert ran.code == Exit.FAILED
    assert "fail  space  permission denied: x" in ran.out


# The installation


def test_an_old_python_or_sqlite_fails() -> None:
    """The SQLite is apsw's; 3.51.3 is the first that cannot lose commits."""
    assert installation.python((3, 10, 9)).level == Level.FAIL
    assert installation.python().level == Level.OK
    assert installation.sqlite("3.51.2").level == Level.FAIL
    assert installation.sqlite("3.51.3").level == Level.OK
    assert installation.sqlite("not there (no module)").level == Level.FAIL


def test_what_is_not_installed_is_named() -> None:
    """All at once."""
    check = installation.libraries(["json", "no_such_one", "nor_this"])
    assert check.says == "not installed: no_such_one, nor_this"
    assert installation.libraries().level == Level.OK


def test_a_package_of_somebody_else_is_noticed() -> None:
    """`schema` and `parser` are names of other projects too."""
    assert installation.packages().level == Level.OK
    check = installation.packages(["schema", "json"])
    assert check.level == Level.FAIL
    assert "`json` is not syncd's: another one comes first" in check.says
    assert "it is not there" in installation.packages(["no_such_package"]).says


def test_a_clock_before_this_program_was_made_is_wrong() -> None:
    """As after an empty battery."""
    assert installation.clock(0.0).level == Level.WARN
    assert installation.clock().level == Level.OK


@LINUX
def test_used_up_limits_are_told_with_the_line_to_run(tmp_path: Path) -> None:
    """Before they are reached."""
    (tmp_path / "max_user_watches").write_text("1000\n")
    (tmp_path / "max_user_instances").write_text("128\n")
    assert installation.watching(10, tmp_path, (3, 700)).level == Level.OK
    full = installation.watching(200, tmp_path, (3, 700))
    assert full.says == "700 of 1,000 inotify watches are used, and 200 are needed"
    assert full.hint is not None
    assert full.hint.startswith("sudo sysctl fs.inotify.max_user_watches=2000 ")
    assert "instances" in installation.watching(1, tmp_path, (120, 1)).says
    assert installation.watching(1, tmp_path / "none", (0, 0)).level == Level.WARN


@LINUX
def test_what_this_user_watches_is_counted() -> None:
    """Watchers and folders, from what the kernel shows of each process."""
    script = (
        "import ctypes, os, sys; libc = ctypes.CDLL(None); fd = libc.inotify_init1(0)\n"
        "libc.inotify_add_watch(fd, b'/', 2); libc.inotify_add_watch(fd, b'/usr', 2); print('ready', flush=True)\n"
        "sys.stdin.read()"
    )
    before = installation._in_use()
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        watchers, folders = installation._in_use()
        other.communicate()
    # Other tests run beside this one, so at least what was added is there.
    assert watchers >= 1
    assert folders >= 2
    assert (watchers, folders) != before


def test_sockets_that_others_may_use_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a daemon that ended left behind is harmless, and counted apart from those that answer."""
    folder = tmp_path / "r"
    folder.mkdir(mode=0o700)
    monkeypatch.chdir(folder)  # a test's folder may be longer than a socket's name can be
    assert installation.sockets([folder, tmp_path / "none"]).says == "none in use"
    with socket.socket(socket.AF_UNIX) as live, socket.socket(socket.AF_UNIX) as dead:
        for sock, name in ((live, "1.sock"), (dead, "2.sock")):
            sock.bind(name)
            os.chmod(name, 0o600)
        live.listen()
        assert installation.sockets([Path()]).says == "1 in use, 1 left behind by daemons that ended (harmless)"
        os.chmod("1.sock", 0o666)
        assert installation.sockets([folder]).level == Level.WARN
    (tmp_path / "file").touch()
    assert installation.sockets([tmp_path / "file"]).level == Level.FAIL


# The place


def test_a_file_system_without_exchange_is_told(synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it costs stands in the sentence; one that does not do what it says is worse."""

    def refuse(*_: object) -> None:
        raise Unsupported(22, "Invalid argument")

    monkeypatch.setattr(exchanging, "exchange", refuse)
    assert place.exchange(synced).level == Level.WARN
    monkeypatch.setattr(exchanging, "exchange", lambda *_: None)
    assert place.exchange(synced).level == Level.FAIL


@LINUX
def test_a_file_system_without_leases_is_told(synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must say both: that nobody writes, and that somebody does."""
    assert place.lease(synced).level == Level.OK
    monkeypatch.setattr(place, "_writers", lambda *_: Writers.UNKNOWN)
    assert place.lease(synced).level == Level.WARN
    monkeypatch.setattr(place, "_writers", lambda *_: Writers.NONE)
    assert place.lease(synced).level == Level.WARN


def test_a_bank_without_a_database_is_told_how_to_get_one(bank: Path, syncd: Callable[..., Any]) -> None:
    """There is nowhere to try anything, and nothing is made."""
    ran = syncd("doctor", bank)
    assert ran.code == Exit.ATTENTION
    assert f"syncd init {bank}" in ran.out
    assert not (bank / ".syncd").exists()


def test_a_state_folder_that_leads_elsewhere_is_not_followed(synced: Path, tmp_path: Path) -> None:
    """Nothing is tried behind the link."""
    shutil.move(synced / ".syncd", tmp_path / "elsewhere")
    (synced / ".syncd").symlink_to(tmp_path / "elsewhere")
    before = os.stat(tmp_path / "elsewhere").st_mtime_ns
    assert place.exchange(synced).level == Level.FAIL
    assert place.permissions(synced).says == ".syncd is a link"
    assert os.stat(tmp_path / "elsewhere").st_mtime_ns == before


@pytest.mark.parametrize(
    ("kind", "level"),
    [("ext4", Level.OK), ("nfs4", Level.FAIL), ("fuse.sshfs", Level.FAIL), ("fuse.gocryptfs", Level.WARN)],
)
def test_a_network_file_system_fails(synced: Path, tmp_path: Path, kind: str, level: Level) -> None:
    """The mount that counts is the nearest above the bank, and of two at one place the later."""
    spelled = str(synced).replace(" ", "\\040")
    mounts = tmp_path / "mountinfo"
    lines = ["1 0 0:1 / / rw - ext4 /dev/x rw", f"2 1 0:2 / {spelled} rw shared:1 - xfs /dev/y rw",
             f"3 1 0:3 / {spelled} rw - {kind} z rw", "4 1 0:4 / /elsewhere rw - nfs z rw"]  # fmt: skip
    mounts.write_text("\n".join(lines))
    check = place.file_system(synced, mounts)
    assert check.level == level
    assert kind in check.says


def test_little_room_is_told(synced: Path) -> None:
    """Bytes and inodes; what is too little for a commit fails."""
    levels = [place.space(synced, free).level for free in ((10**12, 10**6), (10**7, 10**6), (10**5, 10**6))]
    assert levels == [Level.OK, Level.WARN, Level.FAIL]
    if os.statvfs(synced).f_files:
        assert "3 files only" in place.space(synced, (10**12, 3)).says


def test_what_others_may_read_is_named(synced: Path) -> None:
    """With the command that mends it."""
    assert place.permissions(synced).level == Level.OK
    database_of(synced).chmod(0o644)
    check = place.permissions(synced)
    assert check.says == "others may read memory_bank.db"
    assert check.hint == f"chmod go= {database_of(synced)}"


@NOT_ROOT
def test_a_folder_that_may_not_be_written_fails(synced: Path) -> None:
    """The first thing to know."""
    synced.chmod(0o500)
    try:
        assert place.permissions(synced).level == Level.FAIL
    finally:
        synced.chmod(0o700)


def test_two_names_that_are_one_elsewhere_are_told(synced: Path) -> None:
    """By case or by the way an accent is written."""
    assert place.names(synced).level == Level.OK
    (synced / "Café.md").write_text("x")
    (synced / "cafe\u0301.md").write_text("y")
    if len(list(synced.glob("*af*.md"))) < 2:
        pytest.skip("this file system does not tell them apart")
    check = place.names(synced)
    assert check.level == Level.WARN
    assert "Café.md" in check.says
    assert "would be one file" in check.says


def test_documents_of_another_group_are_told(synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandboxed service of one's own cannot write them; the hint has the way out."""
    monkeypatch.setattr("os.geteuid", lambda: synced.stat().st_uid or os.getuid())
    if os.getuid() == 0:
        for path in synced.rglob("*"):
            os.chown(path, 4321, 4321)
        monkeypatch.setattr("os.geteuid", lambda: 4321)
    group = (synced / "tasks.md").stat().st_gid
    assert place.owners(synced, group).says == "all documents are this user's"
    check = place.owners(synced, group + 1)
    assert "of another group of yours" in check.says
    assert "--no-namespaces" in (check.hint or "")
    monkeypatch.setattr("os.geteuid", lambda: 4322)
    assert place.owners(synced, group).level == Level.WARN


# The contents


def test_damage_of_the_database_fails(synced: Path) -> None:
    """It is found by SQLite's own check."""
    assert contents.database(synced).level == Level.OK
    db = open_database(database_of(synced))
    db.checkpoint(truncate=True)
    db.close()
    data = bytearray(database_of(synced).read_bytes())
    data[8192:60000] = bytes(60000 - 8192)
    database_of(synced).write_bytes(data)
    check = contents.database(synced)
    assert check.level == Level.FAIL
    assert check.hint


def test_files_and_history_from_the_future_are_told(synced: Path) -> None:
    """A clock that is a little ahead on another machine is not."""
    now = time.time()
    assert contents.times(synced, now).level == Level.OK
    os.utime(synced / "tasks.md", (now + 30, now + 30))
    assert contents.times(synced, now).level == Level.OK
    os.utime(synced / "tasks.md", (now + 7200, now + 7200))
    assert contents.times(synced, now).says == "1 document dated in the future, tasks.md by 2.0 hours"
    os.utime(synced / "tasks.md", (now, now))
    for path in synced.rglob("*.md"):
        os.utime(path, (now - 10**6, now - 10**6))
    assert "set back" in contents.times(synced, now - 10**5).says


def test_who_serves_the_bank_is_told(synced: Path) -> None:
    """A daemon that is ready, one that is not yet, and the lock that a dead one left."""
    lock = BankLock(synced)
    assert "nobody serves this bank (its lock is free)" in contents.daemon(synced).says
    assert lock.try_acquire(LockRole.DAEMON)
    assert contents.daemon(synced).level == Level.WARN
    lock.announce_ready()
    assert contents.daemon(synced).says.startswith(f"process {os.getpid()} serves this bank")
    lock.release()
    assert contents.daemon(synced).level == Level.OK


def test_git_that_would_commit_the_database_is_told(synced: Path) -> None:
    """Until it is ignored; a merge that waits is told too."""
    if shutil.which("git") is None:
        pytest.skip("git: not installed")
    assert contents.git(synced).says == "the bank is in no repository"
    subprocess.run(["git", "init", "-q", synced.parent], check=True)
    check = contents.git(synced)
    assert check.says == "git would commit the database"
    assert check.hint is not None
    subprocess.run(["sh", "-c", check.hint], check=True)
    assert contents.git(synced).level == Level.OK
    (synced.parent / ".git" / "MERGE_HEAD").write_text("x")
    assert "merge" in contents.git(synced).says


# Versions


def test_all_versions_are_printed_for_a_report(syncd: Callable[..., Any]) -> None:
    """One line each; the plain form stays one short line."""
    ran = syncd("--version", "--verbose")
    assert ran.code == 0
    names = [line.split("  ")[0] for line in ran.out.splitlines()]
    assert names == list(versions.versions())
    assert syncd("--version", "--frob").code == Exit.USAGE


def test_the_versions_are_those_of_all_dependencies() -> None:
    """A new one is not forgotten."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [line.split(">=")[0] for line in sorted(project["dependencies"])] == sorted(versions.LIBRARIES)
