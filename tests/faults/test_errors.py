"""Disks that are full, small or read-only: real ones, in mounts of their own. One line, exit 3, nothing lost."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_SQL = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]); db.commit(); db.close()"


def unshare() -> list[str]:
    import os

    return ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]


@cache
def can_mount() -> bool:
    """Whether this user may mount something in a namespace of its own."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    test = [*unshare(), "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(test, capture_output=True, check=False).returncode == 0


needs_mount = pytest.mark.skipif(not can_mount(), reason="may not mount here")


def in_a_small_disk(tmp_path: Path, script: str, size: str = "6m") -> subprocess.CompletedProcess[str]:
    """Run a shell script beside a synced sample bank, ``$BANK``, on a disk of its own, with ``sync`` and ``sql``."""
    disk = tmp_path / "disk"
    disk.mkdir()
    prelude = f"""
set -u
PY={sys.executable}
mount -t tmpfs -o size={size} none {disk} || exit 77
BANK={disk}/memory-bank
cp -r {ROOT}/syncd/sample $BANK
sync() {{ $PY -m syncd sync $BANK "$@"; }}
sql() {{ $PY -c '{_SQL}' $BANK/.syncd/memory_bank.db "$1"; }}
sync > {tmp_path}/first || exit 78
cat $BANK/tasks/T6.md > {tmp_path}/before
"""
    return subprocess.run(
        [*unshare(), "bash", "-c", prelude + script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def assert_one_line(text: str, *words: str) -> None:
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    assert "Traceback" not in text
    assert any(word in lines[0] for word in words), text


@needs_mount
def test_a_full_disk_is_one_line_and_the_work_is_done_when_there_is_room(tmp_path: Path) -> None:
    """Filled to the last block: the rows and the files stay as they were; with room again both sides are equal."""
    done = in_a_small_disk(tmp_path, f"""
sql "UPDATE tasks SET status = 'completed', title = 'A Sheet' WHERE id = 'T6'" || exit 79
dd if=/dev/zero of={tmp_path}/disk/ballast bs=4k 2>/dev/null
sync 2>{tmp_path}/told; echo $? > {tmp_path}/code
cmp $BANK/tasks/T6.md {tmp_path}/before || exit 80
find $BANK -name '.*.md*' | grep -v '/.syncd' && exit 81
rm {tmp_path}/disk/ballast
sync > {tmp_path}/last || exit 82
grep -q '# T6: A Sheet' $BANK/tasks/T6.md || exit 83
grep -q '✅ COMPLETED' $BANK/tasks/T6.md || exit 84
sync > {tmp_path}/rest || exit 85
""")  # fmt: skip
    assert done.returncode == 0, (done, (tmp_path / "told").read_text())
    assert (tmp_path / "code").read_text().strip() == "3"
    assert_one_line((tmp_path / "told").read_text(), "full", "space")


@needs_mount
def test_a_disk_that_became_read_only_is_one_line(tmp_path: Path) -> None:
    """As after an error of the file system: nothing is half done; writable again, the work is."""
    done = in_a_small_disk(tmp_path, f"""
sql "UPDATE tasks SET status = 'completed' WHERE id = 'T6'" || exit 79
mount -o remount,ro {tmp_path}/disk || exit 80
sync 2>{tmp_path}/told; echo $? > {tmp_path}/code
cmp $BANK/tasks/T6.md {tmp_path}/before || exit 81
mount -o remount,rw {tmp_path}/disk || exit 82
sync > {tmp_path}/last || exit 83
grep -q '✅ COMPLETED' $BANK/tasks/T6.md || exit 84
""")  # fmt: skip
    assert done.returncode == 0, done
    assert (tmp_path / "code").read_text().strip() == "3"
    assert_one_line((tmp_path / "told").read_text(), "read-only", "cannot be written", "cannot be opened")


@needs_mount
def test_no_inode_left_is_one_line(tmp_path: Path) -> None:
    """Room for bytes, and for no further file."""
    done = in_a_small_disk(tmp_path, f"""
sql "UPDATE tasks SET status = 'completed' WHERE id = 'T6'" || exit 79
mkdir {tmp_path}/disk/many
i=0; while : > {tmp_path}/disk/many/$i; do i=$((i+1)); [ $i -gt 20000 ] && exit 80; done 2>/dev/null
sync 2>{tmp_path}/told; echo $? > {tmp_path}/code
cmp $BANK/tasks/T6.md {tmp_path}/before || exit 81
rm -r {tmp_path}/disk/many
sync > {tmp_path}/last || exit 82
grep -q '✅ COMPLETED' $BANK/tasks/T6.md || exit 84
""", "6m,nr_inodes=200")  # fmt: skip
    assert done.returncode == 0, done
    assert (tmp_path / "code").read_text().strip() == "3"
    assert_one_line((tmp_path / "told").read_text(), "full", "space", "opened")


def test_a_limit_on_the_size_of_files_is_one_line(synced: Path) -> None:
    """Writes fail in the middle of the database's log; what was there is there, and the next run goes on."""
    before = {p: p.read_bytes() for p in synced.rglob("*.md")}
    text = "x" * 300_000
    (synced / "progress.md").write_text(f"# Progress\n\n{text}\n")

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))

    command = [sys.executable, "-m", "syncd", "sync", str(synced)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=small, timeout=60, check=False)
    assert done.returncode == 3, done
    assert_one_line(done.stderr, "space", "failed", "full", "large")
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 0, again
    before[synced / "progress.md"] = f"# Progress\n\n{text}\n".encode()
    assert {p: p.read_bytes() for p in synced.rglob("*.md")} == before
