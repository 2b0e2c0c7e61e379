"""What must hold without a tolerance."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from bench import recorded, synthetic
from bench.figures import Gate
from bench.latency import History, connect, save
from bench.processes import daemon, run, syncd
from bench.setting import Setting

_DRAIN_S = 300.0


def none_lost(setting: Setting) -> Gate:
    """Rewrite every document of a bank while `grep -r` reads it all over and over; every text must arrive."""
    bank = setting.large()
    what = f"no change lost while {setting.documents:,} files are rewritten beside `grep -r`"
    paths = sorted(bank.rglob("*.md"))
    with daemon(bank, setting.env):
        script = f"while :; do grep -r 'no such text' {str(bank)!r} > /dev/null; done"
        reader = subprocess.Popen(["sh", "-c", script], start_new_session=True, stdout=subprocess.DEVNULL)
        began = time.perf_counter()
        try:
            for path in paths:
                save(path, path.read_bytes() + b"\nwritten again\n")
            written = time.perf_counter() - began
            left = _drain(bank, paths, began)
        finally:
            os.killpg(reader.pid, 9)
            reader.wait()
    passed = time.perf_counter() - began
    found = f"{len(paths) - left:,} of {len(paths):,} arrived; written in {written:.1f} s, seen after {passed:.1f} s"
    return Gate("none_lost", what, left == 0, found)


def _drain(bank: Path, paths: list[Path], began: float) -> int:
    """How many documents the database does not hold as the files do, once nothing changes any more."""
    with closing(connect(bank)) as client:
        while True:
            (arrived,) = client.execute(
                "SELECT count(DISTINCT document_id) FROM sections WHERE text LIKE ?", ("%\nwritten again\n",)
            ).fetchone()
            if arrived == len(paths) or time.perf_counter() - began > _DRAIN_S:
                break
            time.sleep(0.5)
        held = texts(client)
    return sum(held.get(path.relative_to(bank).as_posix()) != path.read_bytes() for path in paths)


def texts(client: sqlite3.Connection) -> dict[str, bytes]:
    """Every document as the database holds it."""
    found: dict[str, list[bytes]] = {}
    for path, text in client.execute(
        "SELECT d.path, s.text FROM sections s JOIN documents d ON d.id = s.document_id ORDER BY d.id, s.position"
    ):
        found.setdefault(path, []).append(text if isinstance(text, bytes) else text.encode())
    return {path: b"".join(parts) for path, parts in found.items()}


def untouched(setting: Setting) -> Gate:
    """A first sync changes no byte, time, mode or inode of any document."""
    banks = [synthetic.write(synthetic.bank(281), setting.folder("untouched") / "made-up")]
    for name in recorded.names():
        if (bank := recorded.last_state(name, setting.scratch / "untouched" / name)) is not None:
            banks.append(bank)
    changed = files = 0
    for bank in banks:
        before = _state(bank)
        run([*syncd(), "sync", str(bank)], setting.env, ok=(0, 1))
        after = _state(bank)
        files += len(before)
        changed += sum(before.get(path) != after.get(path) for path in before.keys() | after.keys())
    found = f"{changed} of {files:,} files in {len(banks)} banks changed"
    return Gate("untouched", "no file changed by a first sync", changed == 0, found)


def _state(bank: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in bank.rglob("*"):
        if path.is_file() and ".syncd" not in path.parts:
            stat = path.stat()
            found[str(path)] = (path.read_bytes(), stat.st_mtime_ns, stat.st_ino, stat.st_mode)
    return found


def not_held_up(setting: Setting) -> Gate:
    """A file moved out of the bank just before another is saved delays that other by at most 10 ms."""
    bank, outside = setting.real(), setting.folder("outside")
    history = History.of(bank)
    moved = next(iter(sorted((bank / "implementation-details").rglob("*.md"))))
    plain, beside = [], []
    with daemon(bank, setting.env), closing(connect(bank)) as client:
        for _ in range(setting.samples(40, 12)):
            time.sleep(0.05)
            plain.append(history.saved(client))
            time.sleep(0.05)
            beside.append(history.saved(client, lambda: os.rename(moved, outside / "moved.md")))
            os.rename(outside / "moved.md", moved)
    later = median(beside) - median(plain)
    found = f"{later:+.2f} ms in the median ({median(plain):.2f}, {median(beside):.2f} ms; at most {max(beside):.1f})"
    return Gate("not_held_up", "a file moved out of the bank delays no other by more than 10 ms", later <= 10, found)


_TIMED = re.compile(r"^(?:#{2,5} |\*\*)(?:.*?)\d{1,2}:\d\d", re.M)


def entries_found(setting: Setting) -> Gate:
    """Every timed entry of the largest recorded edit history has a row with its time."""
    what = "all 74 timed entries of qc-diffusion-code found"
    bank = recorded.last_state("qc-diffusion-code", setting.folder("entries") / "memory-bank")
    if bank is None:
        return Gate("entries_found", what, None, "the recorded banks are not present")
    run([*syncd(), "sync", str(bank)], setting.env, ok=(0, 1))
    written = len(_TIMED.findall((bank / "edit_history.md").read_text(encoding="utf-8")))
    with closing(connect(bank)) as client:
        (places,) = client.execute(
            """SELECT count(*) FROM readings r JOIN sections s ON s.id = r.section_id
            JOIN documents d ON d.id = s.document_id JOIN edit_entries e ON e.id = r.key
            WHERE d.path = 'edit_history.md' AND r."table" = 'edit_entries' AND e.time IS NOT NULL"""
        ).fetchone()
    return Gate("entries_found", what, places == written == 74, f"{places} of {written}")
