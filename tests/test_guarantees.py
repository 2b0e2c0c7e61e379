"""The five guarantees of the README, each tried from outside: through the command line, files and plain SQL."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
Syncd = Callable[..., Any]
TASKS = ("T3", "T3a", "T4", "T5", "T6", "META-1")


def sql(bank: Path, query: str) -> list[tuple[Any, ...]]:
    """Run a statement as any other program would."""
    db = sqlite3.connect(bank / ".syncd" / "memory_bank.db", timeout=10)
    try:
        rows = db.execute(query).fetchall()
        db.commit()
        return rows
    finally:
        db.close()


def tree(bank: Path) -> dict[str, bytes]:
    """All documents of the bank."""
    return {str(p.relative_to(bank)): p.read_bytes() for p in bank.rglob("*.md") if ".syncd" not in p.parts}


def sync_in_a_process_of_its_own(bank: Path) -> subprocess.Popen[bytes]:
    """So that it can be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "syncd", "sync", str(bank)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def test_every_file_holds_its_old_or_its_correct_new_content(syncd: Syncd, synced: Path) -> None:
    """A reader that never stops looking while many files are written sees nothing else."""
    seen: dict[str, set[bytes]] = {path: {text} for path, text in tree(synced).items()}
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            for path in seen:
                seen[path].add((synced / path).read_bytes())

    allowed = {path: {text} for path, text in tree(synced).items()}
    reader = threading.Thread(target=look)
    reader.start()
    try:
        for status in ("paused", "in_progress", "completed"):
            sql(synced, f"UPDATE tasks SET status = '{status}', title = title || ' x'")
            assert syncd("sync", synced).code == 0
            for path, text in tree(synced).items():
                allowed[path].add(text)
    finally:
        stop.set()
        reader.join()
    assert sum(len(texts) for texts in allowed.values()) > len(allowed) + 20, "hardly a file was written"
    assert {path: texts - allowed[path] for path, texts in seen.items() if texts - allowed[path]} == {}


def test_killed_at_any_time_the_next_run_finishes_the_work(syncd: Syncd, synced: Path) -> None:
    """Both sides changed, killed at a random moment, twelve times: no change of either side is lost."""
    chance = random.Random(7)
    for number in range(12):
        with (synced / "tasks" / "T3.md").open("a", encoding="utf-8") as file:
            file.write(f"\nby hand {number}\n")
        title = f"By a row {number}"
        sql(synced, f"UPDATE tasks SET title = '{title}' WHERE id = 'T4'")
        process = sync_in_a_process_of_its_own(synced)
        time.sleep(chance.uniform(0.05, 0.35))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert syncd("sync", synced, "--json").json["state"] == "converged"
        assert syncd("sync", synced, "--json").json["transaction"] is None
        shown = syncd("cat", "tasks/T3.md", "--bank", synced).out
        assert shown == (synced / "tasks" / "T3.md").read_text(encoding="utf-8")
        assert shown.endswith("".join(f"\nby hand {n}\n" for n in range(number + 1)))
        assert sql(synced, "SELECT title FROM tasks WHERE id = 'T4'") == [(title,)]
        assert title in (synced / "tasks.md").read_text(encoding="utf-8")
    assert syncd("check", synced).code == 0
    assert sorted(path for path in tree(synced)) == sorted(tree(ROOT / "syncd" / "sample"))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_not_a_byte_moves_that_no_change_asked_for(syncd: Syncd, bank: Path, ends: str) -> None:
    """With either line end, a BOM, odd spacing and no final newline: of one status only its words change."""
    for path, text in tree(bank).items():
        odd = text.decode().replace("\n\n## ", "\n \t\n\n\n##  ").rstrip("\n")
        (bank / path).write_bytes(b"\xef\xbb\xbf" + odd.replace("\n", ends).encode())
    before = tree(bank)
    assert syncd("sync", bank).code == 0
    assert tree(bank) == before
    sql(bank, "UPDATE tasks SET status = 'cancelled' WHERE id = 'T4'")
    assert syncd("sync", bank).code == 0
    after = tree(bank)
    changed = [path for path in before if before[path] != after[path]]
    assert {"tasks.md", "tasks/T4.md"} <= set(changed)
    for path in changed:
        old, new = before[path].split(b"\n"), after[path].split(b"\n")
        assert len(old) == len(new)
        for a, b in zip(old, new, strict=True):
            if a != b:
                derived = any(word in b for word in (b"Last Updated", b"Active:", b"**Last**", b"Completed:"))
                assert derived or "❌".encode() in b, (path, a, b)
                assert a.endswith(b"\r") == b.endswith(b"\r")


def test_nothing_is_ever_lost(syncd: Syncd, synced: Path, tmp_path: Path) -> None:
    """Random edits, removals, renames and row changes: each state that was ever agreed on comes back to the byte."""
    chance = random.Random(3)
    states: dict[int, dict[str, bytes]] = {1: tree(synced)}
    for step in range(12):
        documents = sorted(tree(synced))
        file = synced / chance.choice(documents)
        match step % 4:
            case 0:
                lines = file.read_bytes().split(b"\n")
                del lines[chance.randrange(len(lines))]
                file.write_bytes(b"\n".join(lines))
            case 1:
                sql(synced, f"UPDATE tasks SET title = 'Title {step}' WHERE id = '{chance.choice(TASKS)}'")
            case 2:
                file.rename(file.with_name(f"moved-{step}-{file.name}"))
            case 3:
                file.unlink()
        if syncd("sync", synced, "--json").json["holds"]:
            syncd("accept", "--all", "--bank", synced)
        number = syncd("log", "--limit", "1", "--bank", synced, "--json").json[0]["number"]
        states[number] = tree(synced)
    assert len(states) > 10
    for number, files in states.items():
        out = tmp_path / f"at-{number}"
        assert syncd("export", out, "--at", str(number), "--bank", synced).code == 0
        assert tree(out) == files, number


def test_what_lost_a_conflict_is_kept(syncd: Syncd, synced: Path) -> None:
    """Both values and the one before them can be shown, also after somebody decided."""
    file = synced / "tasks.md"
    file.write_text(file.read_text(encoding="utf-8").replace("| LOW      | -  ", "| HIGH     | -  "), encoding="utf-8")
    sql(synced, "UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T6'")
    syncd("sync", synced)
    syncd("resolve", "--all", "--take", "file", "--bank", synced)
    (entry,) = syncd("conflicts", "--resolved", "--bank", synced, "--json").json
    assert (entry["base"], entry["file"], entry["db"]) == ("LOW", "HIGH", "CRITICAL")
    changes = [c for e in syncd("log", "--record", "tasks:T6", "--bank", synced, "--json").json for c in e["changes"]]
    assert {value for c in changes for value in (c["after"] or {}).values()} >= {"HIGH", "CRITICAL"}


def test_it_says_so(syncd: Syncd, synced: Path) -> None:
    """A line not understood, drift, a conflict and a hold are each in the exit code and in what is printed."""
    assert (syncd("status", synced).code, syncd("check", synced).code) == (0, 0)
    with (synced / "tasks.md").open("a", encoding="utf-8") as file:
        file.write("\n## Paused Tasks\n\n| ID | Title |\n| -- | ----- |\n| T-x?y | Whatever this is |\n")
    (synced / "tasks" / "T8.md").write_text("# T8: New\n\n**Status**: 🔄 **Priority**: someday soon\n")
    assert syncd("sync", synced).code == 0
    found = syncd("check", synced, "--json")
    assert found.code == 1
    assert {(f["kind"], f["document"]) for f in found.json} >= {("not understood", "tasks.md")}
    (synced / "edit_history.md").unlink()
    assert syncd("sync", synced).code == 1
    assert syncd("holds", "--bank", synced).code == 1
    sql(synced, "UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
    text = (synced / "tasks.md").read_text(encoding="utf-8").replace("| LOW      | -  ", "| MEDIUM   | -  ")
    (synced / "tasks.md").write_text(text, encoding="utf-8")
    assert syncd("sync", synced).code == 1
    assert syncd("conflicts", "--bank", synced).code == 1
    status = syncd("status", synced, "--json")
    (entry,) = status.json["banks"]
    assert (status.code, entry["state"], entry["conflicts"], entry["holds"]) == (1, "attention", 1, 1)
