"""What bad input gets: one clear line, the documented exit code, and nothing lost or changed."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schema import db as databases
from syncd.lock import BankLock, LockRole

ROOT = Path(__file__).resolve().parents[2]
Syncd = Callable[..., Any]


def tree(folder: Path) -> dict[str, bytes]:
    """All documents below ``folder``."""
    files = (f for f in folder.rglob("*") if f.is_file() and ".syncd" not in f.parts and not f.is_symlink())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def refused(ran: Any, code: int, *words: str) -> None:
    """The command ended with ``code`` and one line on stderr that holds all of ``words`` and a way on."""
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.startswith("syncd: ")
    assert ran.err.count("\n") == 1
    assert " — " in ran.err, "no word about what to do next"
    for word in words:
        assert word in ran.err


@pytest.fixture
def database(synced: Path) -> Path:
    """The database's file of a synced sample bank, closed."""
    return synced / ".syncd" / "memory_bank.db"


# The folder ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["init", "sync", "run"])
def test_a_folder_without_documents(syncd: Syncd, tmp_path: Path, command: str) -> None:
    """No database is made in a folder that was meant by mistake."""
    (tmp_path / "notes.txt").write_text("no document")
    refused(syncd(command, tmp_path), 3, "no documents", str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["notes.txt"]


@pytest.mark.parametrize("command", ["init", "sync", "run", "status", "check"])
def test_a_file_instead_of_a_folder(syncd: Syncd, tmp_path: Path, command: str) -> None:
    """It is named as it was given."""
    file = tmp_path / "tasks.md"
    file.write_text("# Tasks\n")
    refused(syncd(command, file), 3, "not a folder", str(file))


@pytest.mark.parametrize("command", ["init", "sync", "run", "status", "check"])
def test_no_such_folder(syncd: Syncd, tmp_path: Path, command: str) -> None:
    """It is not made."""
    refused(syncd(command, tmp_path / "nowhere"), 3, "no such folder", "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", [["status"], ["check"], ["log"], ["conflicts"], ["accept", "--all"], ["show", "1"]])
def test_a_bank_without_a_database(syncd: Syncd, bank: Path, command: list[str]) -> None:
    """What only reads makes none, and says how to."""
    refused(syncd(*command, "--bank", bank), 3, "no database yet", "syncd init")
    assert not (bank / ".syncd").exists()


# Permissions ---------------------------------------------------------------------------------------------------------


def _without_privileges() -> None:
    """Let permission bits count for root too: drop CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH from what exec may give."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):
        if libc.prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP
            os._exit(99)


@pytest.fixture
def ordinary(bank: Path) -> Iterator[tuple[Path, Syncd]]:
    """A sample bank and a `syncd` for which permission bits count, whoever runs the tests."""
    root = os.geteuid() == 0
    if root and sys.platform != "linux":
        pytest.skip("root may do anything here")

    def call(*arguments: str | Path) -> Any:
        ran = subprocess.run(
            [sys.executable, "-m", "syncd", *map(str, arguments)], capture_output=True, text=True, check=False,
            preexec_fn=_without_privileges if root else None, cwd=ROOT,
        )  # fmt: skip
        return SimpleNamespace(code=ran.returncode, out=ran.stdout, err=ran.stderr)

    yield bank, call
    for path in (bank, *(p for p in bank.rglob("*") if p.is_dir())):
        path.chmod(0o755)


def test_a_folder_without_permission(ordinary: tuple[Path, Syncd]) -> None:
    """The folder is named, not some file in it."""
    bank, syncd = ordinary
    bank.chmod(0)
    refused(syncd("sync", bank), 3, "permission denied", str(bank))


def test_a_state_folder_that_cannot_be_written(ordinary: tuple[Path, Syncd]) -> None:
    """Files and rows stay as they are; with permission back, what was edited is absorbed."""
    bank, syncd = ordinary
    assert syncd("sync", bank).code == 0
    with (bank / "progress.md").open("a") as file:
        file.write("edited\n")
    before = tree(bank)
    for path in (bank / ".syncd", *(bank / ".syncd").iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    refused(syncd("sync", bank), 3, ".syncd")
    assert tree(bank) == before
    for path in (bank / ".syncd", *(bank / ".syncd").iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert "progress.md" in syncd("sync", bank).out


def test_a_document_without_permission(ordinary: tuple[Path, Syncd]) -> None:
    """It is reported by name, the rest is absorbed, and it does not count as deleted."""
    bank, syncd = ordinary
    assert syncd("sync", bank).code == 0
    with (bank / "progress.md").open("a") as file:
        file.write("edited\n")
    (bank / "edit_history.md").chmod(0)
    ran = syncd("sync", bank)
    assert "progress.md" in ran.out
    assert "Traceback" not in ran.err
    assert "edit_history.md" in ran.out + ran.err + syncd("check", bank).out
    assert syncd("cat", "edit_history.md", "--bank", bank).out.startswith("#")


# The database --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["sync", "status", "check", "init", "run"])
def test_a_database_that_is_none(syncd: Syncd, synced: Path, database: Path, command: str) -> None:
    """It is not overwritten: who only reads leaves it, who would write keeps it aside under a name that is told."""
    database.write_bytes(b"not a database, but somebody's text\n" * 400)
    before = database.read_bytes()
    refused(syncd(command, synced), 3, "not a database", str(database))
    (kept,) = synced.glob(".syncd/memory_bank.db" if command in ("status", "check", "init") else ".syncd/*.damaged-*")
    assert kept.read_bytes() == before


@pytest.mark.parametrize("command", ["sync", "status", "run"])
def test_a_database_of_another_program(syncd: Syncd, bank: Path, command: str) -> None:
    """It is not touched."""
    (bank / ".syncd").mkdir()
    file = bank / ".syncd" / "memory_bank.db"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE theirs(a)")
    db.close()
    before = file.read_bytes()
    refused(syncd(command, bank), 3, "another program", str(file))
    assert file.read_bytes() == before


@pytest.mark.parametrize("command", ["sync", "status", "check"])
def test_a_damaged_database(syncd: Syncd, synced: Path, database: Path, command: str) -> None:
    """The way back is named; the documents stay as they are."""
    before = tree(synced)
    data = bytearray(database.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    database.write_bytes(data)
    ran = syncd(command, synced)
    refused(ran, 3, "damaged", str(database))
    assert tree(synced) == before


@pytest.mark.parametrize("command", ["sync", "status", "run"])
def test_a_newer_database(syncd: Syncd, synced: Path, database: Path, command: str) -> None:
    """An old program does not write into a new one's tables."""
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    refused(syncd(command, synced), 3, "schema 999", "update syncd")


def test_a_database_that_is_a_folder(syncd: Syncd, bank: Path) -> None:
    """It is not removed."""
    (bank / ".syncd" / "memory_bank.db").mkdir(parents=True)
    refused(syncd("sync", bank), 3, "memory_bank.db")


def test_a_database_locked_by_another_program(
    syncd: Syncd, synced: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for a while, then says so; afterwards the edit is absorbed."""
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0.05)
    with (synced / "progress.md").open("a") as file:
        file.write("edited\n")
    # In a process of its own: locks of two SQLite libraries in one process do not see each other.
    script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('BEGIN IMMEDIATE'); print(flush=True); input()"
    command = [sys.executable, "-c", script, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        refused(syncd("sync", synced), 3, "locked by another program")
        other.communicate(b"\n")
    assert syncd("sync", synced, "--json").json["absorbed"] == ["progress.md"]


def test_two_daemons(syncd: Syncd, synced: Path) -> None:
    """The second one names the first."""
    with BankLock(synced) as lock:
        assert lock.try_acquire(LockRole.DAEMON)
        refused(syncd("run", synced), 3, "in use by the daemon", str(os.getpid()))


def test_settings_that_are_not_understood(syncd: Syncd, synced: Path) -> None:
    """Nothing is done with half of them."""
    (synced / ".syncd" / "config.toml").write_text("hold_records = 5\nhold_shares = 0.5\n")
    refused(syncd("sync", synced), 2, "hold_shares", "config.toml:2")


# Names and numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [("show", "999"), ("show", "nonsense"), ("show", "-1"), ("show", ""), ("show", "9" * 40),
     ("cat", "tasks.md", "--at", "999"), ("export", "out", "--at", "999")],
)  # fmt: skip
def test_an_unknown_transaction(
    syncd: Syncd, synced: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written for it."""
    monkeypatch.chdir(synced.parent)
    refused(syncd(*arguments, "--bank", synced), 2)
    assert not (synced.parent / "out").exists()


@pytest.mark.parametrize(
    "arguments", [("resolve", "99", "--take", "db"), ("accept", "99"), ("reject", "99"), ("accept", "9" * 30)]
)
def test_an_unknown_conflict_or_hold(syncd: Syncd, synced: Path, arguments: tuple[str, ...]) -> None:
    """It says where to look them up."""
    refused(syncd(*arguments, "--bank", synced), 2, arguments[1], "syncd ")


@pytest.mark.parametrize("name", ["nope.md", "../secret.md", "/etc/passwd", "tasks", ""])
def test_an_unknown_document(syncd: Syncd, synced: Path, name: str) -> None:
    """Only what was ever in the bank can be shown."""
    refused(syncd("cat", name, "--bank", synced), 2, "no such document")


@pytest.mark.parametrize("record", ["T21", "tasks:", "nothing:1", ":", "sqlite_schema:1"])
def test_a_record_of_no_table(syncd: Syncd, synced: Path, record: str) -> None:
    """The tables are listed."""
    refused(syncd("log", "--record", record, "--bank", synced), 2, "edit_entries")


def test_a_file_that_was_never_in_the_bank(syncd: Syncd, synced: Path) -> None:
    """An empty history would look as if nothing had happened to it."""
    refused(syncd("log", "--file", "nope.md", "--bank", synced), 2, "nope.md")


def test_an_export_into_a_folder_with_something_in_it(syncd: Syncd, synced: Path) -> None:
    """Nothing is mixed or overwritten."""
    before = tree(synced)
    refused(syncd("export", synced, "--bank", synced), 3, "not an empty folder")
    assert tree(synced) == before


# Documents -----------------------------------------------------------------------------------------------------------


def absorbed(syncd: Syncd, bank: Path) -> Any:
    """Sync; nothing in the bank may change by it, and a second sync has nothing to do."""
    before = tree(bank)
    ran = syncd("sync", bank, "--json")
    assert ran.code in (0, 1), ran
    assert ran.err == ""
    assert tree(bank) == before
    assert syncd("sync", bank, "--json").json["transaction"] is None
    return ran.json


def finding(syncd: Syncd, bank: Path, kind: str) -> list[tuple[str | None, str]]:
    """Document and words of the findings of one kind."""
    return [(f["document"], f["what"]) for f in syncd("check", bank, "--json").json if f["kind"] == kind]


def test_a_binary_file_named_md(syncd: Syncd, synced: Path) -> None:
    """It is kept to the byte, and reported."""
    data = bytes(range(256)) * 8
    (synced / "photo.md").write_bytes(data)
    absorbed(syncd, synced)
    assert [path for path, _ in finding(syncd, synced, "not read")] == ["photo.md"]
    assert (synced / "photo.md").read_bytes() == data


def test_a_file_that_is_too_large(syncd: Syncd, synced: Path) -> None:
    """It is left alone and reported, and the rest goes on."""
    with (synced / "huge.md").open("wb") as file:
        file.truncate(100_000_000)
    with (synced / "progress.md").open("a") as progress:
        progress.write("edited\n")
    ran = syncd("sync", synced, "--json")
    assert ran.json["absorbed"] == ["progress.md"]
    assert any(path == "huge.md" for path, _ in finding(syncd, synced, "not read"))
    assert (synced / "huge.md").stat().st_size == 100_000_000


def test_links_and_fifos(syncd: Syncd, synced: Path, tmp_path: Path) -> None:
    """They are not followed, not opened, not waited for, and reported."""
    (tmp_path / "outside.md").write_text("# T99: Outside\n")
    (synced / "tasks" / "T99.md").symlink_to(tmp_path / "outside.md")
    (synced / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(synced / "pipe.md")
    assert syncd("sync", synced, "--json").json["transaction"] is None
    assert {path for path, _ in finding(syncd, synced, "not read")} == {"tasks/T99.md", "elsewhere", "pipe.md"}
    assert syncd("status", synced).code == 0


def test_a_name_with_a_line_break(syncd: Syncd, synced: Path) -> None:
    """It is a name like any other, and shown on one line."""
    (synced / "two\nlines.md").write_text("# Notes\n")
    assert absorbed(syncd, synced)["absorbed"] == ["two\nlines.md"]
    assert "two\\nlines.md" in syncd("log", "--bank", synced).out
    assert syncd("cat", "two\nlines.md", "--bank", synced).out == "# Notes\n"


def test_an_emptied_document_with_records(syncd: Syncd, synced: Path) -> None:
    """The crash of an editor deletes nothing."""
    rows = syncd("status", synced, "--json").json["banks"][0]["records"]
    (synced / "edit_history.md").write_bytes(b"")
    assert [hold["path"] for hold in syncd("sync", synced, "--json").json["holds"]] == ["edit_history.md"]
    entry = syncd("status", synced, "--json").json["banks"][0]
    assert (entry["records"], entry["state"], entry["holds"]) == (rows, "attention", 1)
    assert syncd("status", synced).code == 1


def test_git_conflict_markers(syncd: Syncd, synced: Path) -> None:
    """The file is held until the merge is finished in it."""
    file = synced / "progress.md"
    text = file.read_text()
    file.write_text(f"{text}\n<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> branch\n")
    assert [hold["path"] for hold in absorbed(syncd, synced)["holds"]] == ["progress.md"]
    file.write_text(f"{text}\nours\n")
    ran = syncd("sync", synced, "--json")
    assert (ran.code, ran.json["absorbed"], ran.json["holds"]) == (0, ["progress.md"], [])


def test_two_tasks_with_one_id(syncd: Syncd, synced: Path) -> None:
    """The first one counts, the second one is named with its line."""
    file = synced / "tasks.md"
    row = next(line for line in file.read_text().splitlines() if line.startswith("| T6 "))
    twin = row.replace("Printable Month Sheet", "Another One          ")
    file.write_text(file.read_text().replace(row, f"{row}\n{twin}"))
    absorbed(syncd, synced)
    assert [path for path, _ in finding(syncd, synced, "duplicate")] == ["tasks.md"]


def test_a_table_row_with_an_escaped_pipe(syncd: Syncd, synced: Path, database: Path) -> None:
    """It does not end the cell."""
    file = synced / "tasks.md"
    file.write_text(file.read_text().replace("Printable Month Sheet  ", "Printable \\| Month Sheet"))
    absorbed(syncd, synced)
    with sqlite3.connect(database) as db:
        ((title, status),) = db.execute("SELECT title, status FROM tasks WHERE id = 'T6'")
    db.close()
    assert status == "pending"
    assert "Month Sheet" in title


def test_three_hundred_nested_lists(syncd: Syncd, synced: Path) -> None:
    """Depth is no reason to fail."""
    (synced / "deep.md").write_text("".join(f"{'  ' * depth}- level {depth}\n" for depth in range(300)))
    (synced / "deeper.md").write_text("> " * 300 + "# quoted\n" + "- " * 300 + "end\n```\n# code\n")
    assert absorbed(syncd, synced)["absorbed"] == ["deep.md", "deeper.md"]
