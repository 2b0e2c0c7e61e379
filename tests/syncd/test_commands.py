"""What the commands answer, on the sample bank."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from syncd.lock import BankLock, LockRole

Syncd = Callable[..., Any]


def sql(bank: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement as any other program would."""
    db = sqlite3.connect(bank / ".syncd" / "memory_bank.db")
    try:
        rows = db.execute(query, values).fetchall()
        db.commit()
        return rows
    finally:
        db.close()


def edit(file: Path, old: str, new: str) -> None:
    """Replace ``old``, which must be there, by ``new``."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def conflict(syncd: Syncd, synced: Path) -> Path:
    """A bank in which both sides changed the priority of T6 to different values."""
    edit(synced / "tasks.md", "| LOW      | -  ", "| HIGH     | -  ")
    sql(synced, "UPDATE tasks SET priority = 'MEDIUM' WHERE id = 'T6'")
    assert syncd("sync", synced).code == 1
    return synced


@pytest.fixture
def hold(syncd: Syncd, synced: Path) -> Path:
    """A bank in which the edit history was emptied."""
    (synced / "edit_history.md").write_bytes(b"")
    assert syncd("sync", synced).code == 1
    return synced


def test_init_tells_what_it_found(syncd: Syncd, bank: Path) -> None:
    """Documents by kind, rows by table, lines not understood, drift; a second time it only tells."""
    found = syncd("init", bank, "--json").json
    assert found["created"]
    assert found["documents"]["task"] == 8
    assert found["records"]["tasks"] == 8
    assert (found["not_understood"], found["drift"]) == ([], 0)
    again = syncd("init", bank, "--json").json
    assert again == {**found, "created": False}


def test_init_writes_no_document(syncd: Syncd, bank: Path) -> None:
    """Contents and times stay."""
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in bank.rglob("*.md")}
    assert syncd("init", bank).code == 0
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in bank.rglob("*.md")} == before


def test_sync_answers_what_it_did(syncd: Syncd, synced: Path) -> None:
    """Both directions in one answer, and nothing to do afterwards."""
    edit(synced / "progress.md", "\n", "\n\nedited\n\n")
    sql(synced, "UPDATE tasks SET title = 'Crates' WHERE id = 'T4'")
    ran = syncd("sync", synced, "--json")
    assert ran.code == 0
    assert (ran.json["state"], ran.json["number"], ran.json["conflicts"], ran.json["holds"]) == ("converged", 2, [], [])
    assert ran.json["absorbed"] == ["progress.md"]
    assert {"tasks.md", "tasks/T4.md"} <= set(ran.json["emitted"])
    assert syncd("sync", synced, "--json").json["transaction"] is None


def test_a_dry_run_shows_both_sides_and_changes_neither(syncd: Syncd, synced: Path) -> None:
    """The differences of documents and rows."""
    edit(synced / "tasks.md", "| LOW      | -  ", "| HIGH     | -  ")
    sql(synced, "UPDATE tasks SET title = 'Crates' WHERE id = 'T4'")
    before = {path: path.read_bytes() for path in synced.rglob("*.md")}
    ran = syncd("sync", synced, "--dry-run")
    assert "tasks T6: priority 'LOW' -> 'HIGH'" in ran.out
    assert "Crates" in ran.out
    assert {path: path.read_bytes() for path in synced.rglob("*.md")} == before
    assert sql(synced, "SELECT priority FROM tasks WHERE id = 'T6'") == [("LOW",)]
    assert syncd("status", synced, "--json").json["banks"][0]["pending"] == {"files": 1, "db": 1}


def test_other_places_follow_an_edit_when_asked_to(syncd: Syncd, synced: Path) -> None:
    """Until then `check` names them as behind."""
    edit(synced / "tasks.md", "| LOW      | -  ", "| HIGH     | -  ")
    syncd("sync", synced)
    kinds = {finding["kind"] for finding in syncd("check", synced, "--json").json}
    assert kinds == {"behind"}
    assert "tasks/T6.md" in syncd("sync", synced, "--follow", "--json").json["emitted"]
    assert "HIGH" in (synced / "tasks" / "T6.md").read_text()
    assert syncd("check", synced, "--json").json == []


def test_status_has_the_documented_shape(syncd: Syncd, synced: Path) -> None:
    """Every name of the manual, for each bank."""
    (entry,) = syncd("status", synced, "--json").json["banks"]
    assert list(entry) == [
        "path", "mode", "state", "reason", "next", "documents", "records", "pending", "conflicts", "holds", "unwritten",
        "drift", "unshown", "last_transaction", "recent", "backup", "database", "failure", "paused", "unfinished",
        "daemon",
    ]  # fmt: skip
    assert (entry["path"], entry["mode"], entry["state"]) == (str(synced), "coexist", "converged")
    assert set(entry["pending"]) == {"files", "db"}
    assert entry["last_transaction"]["number"] == 1
    assert entry["daemon"] is None


def test_status_tells_what_is_pending(syncd: Syncd, synced: Path) -> None:
    """A changed, a new and a removed file; a changed row; the exit code is 1."""
    edit(synced / "progress.md", "\n", "\n\nedited\n\n")
    (synced / "new.md").write_text("# New\n")
    (synced / "changelog.md").unlink()
    sql(synced, "UPDATE tasks SET title = 'Crates' WHERE id = 'T4'")
    ran = syncd("status", synced, "--json")
    (entry,) = ran.json["banks"]
    assert (ran.code, entry["state"], entry["pending"]) == (1, "pending", {"files": 3, "db": 1})


def test_status_names_the_daemon(syncd: Syncd, synced: Path) -> None:
    """Once it watches; a command that holds the lock is none."""
    with BankLock(synced) as lock:
        assert lock.try_acquire(LockRole.DAEMON)
        assert syncd("status", synced, "--json").json["banks"][0]["daemon"] is None
        lock.announce_ready()
        assert set(syncd("status", synced, "--json").json["banks"][0]["daemon"]) >= {"pid", "since"}


def test_of_several_banks_one_that_fails_hides_nothing(syncd: Syncd, synced: Path, tmp_path: Path) -> None:
    """Its entry says why; the exit code is that of the worst."""
    (tmp_path / "other").mkdir()
    ran = syncd("status", synced, tmp_path / "other", "--json")
    good, bad = ran.json["banks"]
    assert (ran.code, good["state"], bad["state"]) == (3, "converged", "failed")
    assert "no database yet" in bad["reason"]


def test_conflicts_have_the_documented_shape(syncd: Syncd, conflict: Path) -> None:
    """Base and both values; the exit code is 1."""
    ran = syncd("conflicts", "--bank", conflict, "--json")
    (entry,) = ran.json
    assert ran.code == 1
    assert {"id", "document", "table", "key", "field", "base", "file", "db", "kept", "transaction"} <= set(entry)
    assert (entry["document"], entry["table"], entry["key"], entry["field"]) == ("tasks.md", "tasks", "T6", "priority")
    assert (entry["base"], entry["file"], entry["db"], entry["kept"]) == ("LOW", "HIGH", "MEDIUM", "file")


@pytest.mark.parametrize(("take", "priority"), [("db", "MEDIUM"), ("file", "HIGH")])
def test_resolve_takes_one_side(syncd: Syncd, conflict: Path, take: str, priority: str) -> None:
    """Row and file show it, and the conflict is among the resolved ones."""
    assert syncd("resolve", "1", "--take", take, "--bank", conflict).code == 0
    assert sql(conflict, "SELECT priority FROM tasks WHERE id = 'T6'") == [(priority,)]
    row = next(line for line in (conflict / "tasks.md").read_text().splitlines() if line.startswith("| T6 "))
    assert priority in row
    assert syncd("conflicts", "--bank", conflict, "--json").json == []
    assert [c["id"] for c in syncd("conflicts", "--resolved", "--bank", conflict, "--json").json] == [1]


def test_holds_are_listed_with_their_reason(syncd: Syncd, hold: Path) -> None:
    """The exit code is 1."""
    ran = syncd("holds", "--bank", hold, "--json")
    (entry,) = ran.json
    assert (ran.code, entry["path"]) == (1, "edit_history.md")
    assert "emptied" in entry["reason"]


def test_accept_absorbs_what_was_held(syncd: Syncd, hold: Path) -> None:
    """The rows that stood nowhere else are gone, the text is in the history."""
    assert syncd("accept", "1", "--bank", hold).code == 0
    assert sql(hold, "SELECT count(*) FROM edit_entries")[0][0] < 12
    assert (hold / "edit_history.md").read_bytes() == b""
    assert "T3" in syncd("cat", "edit_history.md", "--at", "1", "--bank", hold).out


def test_reject_puts_the_file_back(syncd: Syncd, hold: Path) -> None:
    """To the byte."""
    before = syncd("cat", "edit_history.md", "--at", "1", "--bank", hold).out
    assert syncd("reject", "--all", "--bank", hold).code == 0
    assert (hold / "edit_history.md").read_text(encoding="utf-8") == before
    assert syncd("holds", "--bank", hold).out == "nothing is held\n"


def test_the_log_is_by_bank_by_file_and_by_record(syncd: Syncd, synced: Path) -> None:
    """Newest first; a record's entries have its values before and after."""
    edit(synced / "progress.md", "\n", "\n\nedited\n\n")
    syncd("sync", synced)
    edit(synced / "tasks.md", "| LOW      | -  ", "| HIGH     | -  ")
    syncd("sync", synced)

    def numbers(*options: str) -> list[int]:
        return [entry["number"] for entry in syncd("log", *options, "--bank", synced, "--json").json]

    assert numbers() == [3, 2, 1]
    assert numbers("--limit", "2") == [3, 2]
    assert numbers("--file", "progress.md") == [2, 1]
    assert numbers("--record", "tasks:T6") == [3, 1]
    (change,) = syncd("log", "--record", "tasks:T6", "--bank", synced, "--json").json[0]["changes"]
    assert (change["before"], change["after"]) == ({"priority": "LOW"}, {"priority": "HIGH"})


def test_show_has_rows_and_differences(syncd: Syncd, synced: Path) -> None:
    """By number and by transaction_id."""
    edit(synced / "tasks.md", "| LOW      | -  ", "| HIGH     | -  ")
    transaction = syncd("sync", synced, "--json").json["transaction"]
    shown = syncd("show", transaction, "--bank", synced, "--json").json
    assert shown == syncd("show", "2", "--bank", synced, "--json").json
    assert [document["path"] for document in shown["documents"]] == ["tasks.md"]
    assert [(row["key"], row["after"]) for row in shown["rows"]] == [("T6", {"priority": "HIGH"})]
    changed = [line for line in shown["documents"][0]["diff"].splitlines() if line[0] in "+-"]
    assert len(changed) == 4


def test_past_states_come_back_to_the_byte(syncd: Syncd, synced: Path, tmp_path: Path) -> None:
    """One document with `cat`, all of them with `export`; also those that are gone."""
    (synced / "odd.md").write_bytes(b"\xef\xbb\xbf# Odd\r\n\r\nno end")
    states = {}
    for number in (2, 3):
        assert syncd("sync", synced, "--json").json["number"] == number
        states[number] = {str(p.relative_to(synced)): p.read_bytes() for p in synced.rglob("*.md")}
        (synced / "odd.md").unlink(missing_ok=True)
    for number, files in states.items():
        out = tmp_path / str(number)
        assert syncd("export", out, "--at", str(number), "--bank", synced).code == 0
        assert {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*.md")} == files
    assert syncd("cat", "odd.md", "--at", "2", "--bank", synced).out.endswith("no end")
    assert syncd("cat", "odd.md", "--bank", synced).code == 2


def test_observe_writes_no_file(syncd: Syncd, synced: Path) -> None:
    """Edits are absorbed, rows wait; back in coexist they reach the files."""
    assert syncd("mode", "observe", "--bank", synced).code == 0
    assert syncd("mode", "--bank", synced, "--json").json == {"mode": "observe"}
    sql(synced, "UPDATE tasks SET title = 'Crates' WHERE id = 'T4'")
    edit(synced / "progress.md", "\n", "\n\nedited\n\n")
    ran = syncd("sync", synced, "--json").json
    assert (ran["absorbed"], ran["emitted"]) == (["progress.md"], [])
    assert "Crates" not in (synced / "tasks.md").read_text()
    syncd("mode", "coexist", "--bank", synced)
    syncd("sync", synced)
    assert "Crates" in (synced / "tasks.md").read_text()


def test_a_bank_at_rest_is_told_from_stat_values_alone(
    syncd: Syncd, synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is the engine's, and the engine is not asked."""
    from syncd import requests
    from syncd.config import Config

    whole = requests.perform(synced, "sync", {}, Config())
    monkeypatch.setattr("syncd.disk.walk._RACY_NS", 0)
    monkeypatch.setattr(requests, "perform", None)
    assert syncd("sync", synced, "--json").json == json.loads(json.dumps(whole))


@pytest.mark.parametrize("change", ["touch", "new", "gone", "row", "same size and time"])
def test_a_bank_that_moved_is_not_at_rest(
    synced: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Each kind of change is seen; what stat could not show is looked into."""
    from syncd import inspect

    file = synced / "progress.md"
    if change != "same size and time":
        monkeypatch.setattr("syncd.disk.walk._RACY_NS", 0)
        assert inspect.at_rest(synced)
    match change:
        case "touch":
            os.utime(file)
        case "new":
            (synced / "new.md").write_text("")
        case "gone":
            file.unlink()
        case "row":
            sql(synced, "UPDATE tasks SET title = 'Crates' WHERE id = 'T4'")
        case _:
            stat = file.stat()
            file.write_bytes(bytes(reversed(file.read_bytes())))
            os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert not inspect.at_rest(synced)


def test_watching_shows_the_state_again_when_it_changed(
    syncd: Syncd, synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when it stayed the same; Ctrl-C ends it."""
    from syncd.commands import status

    turns = iter(["same", "edit", "same", "stop"])

    def next_turn(seconds: float) -> None:
        turn = next(turns)
        if turn == "edit":
            edit(synced / "progress.md", "\n", "\n\nedited\n\n")
        if turn == "stop":
            raise KeyboardInterrupt

    monkeypatch.setattr(status, "time", SimpleNamespace(sleep=next_turn))  # no other sleep in this process
    ran = syncd("status", synced, "--watch")
    assert ran.code == 130
    assert [line.split()[1] for line in ran.out.splitlines() if line.startswith("state")] == ["converged", "pending"]


def test_the_log_says_in_a_line_what_each_transaction_did(syncd: Syncd, synced: Path) -> None:
    """When, from where, what; the same in JSON."""
    edit(synced / "tasks.md", "| LOW      | -  ", "| HIGH     | -  ")
    syncd("sync", synced, "--follow")
    line = syncd("log", "--bank", synced).out.splitlines()[1]
    assert line.startswith("2 ")
    assert line.endswith("file    tasks.md: T6 priority LOW → HIGH, 1 file followed")
    (entry,) = syncd("log", "--bank", synced, "--since", "1", "--json").json
    assert entry["what"] == "tasks.md: T6 priority LOW → HIGH, 1 file followed"
    assert entry["documents"] == ["tasks.md", "tasks/T6.md"]


def test_the_log_can_be_asked_by_origin_and_time(syncd: Syncd, synced: Path) -> None:
    """Of a transaction in which both sides met, either origin finds it."""
    edit(synced / "progress.md", "\n", "\n\nedited\n\n")
    sql(synced, "UPDATE tasks SET title = 'Crates' WHERE id = 'T4'")
    syncd("sync", synced)
    numbers = {
        name: [entry["number"] for entry in syncd("log", "--bank", synced, "--origin", name, "--json").json]
        for name in ("file", "external", "mb")
    }
    assert numbers == {"file": [2, 1], "external": [2], "mb": []}
    assert syncd("log", "--bank", synced, "--since", "2999-01-01", "--json").json == []
    assert len(syncd("log", "--bank", synced, "--since", "2000-01-01", "--json").json) == 2
    assert syncd("log", "--bank", synced, "--since", "tomorrow").code == 2


def test_blame_tells_pending_lines(syncd: Syncd, synced: Path) -> None:
    """They stand in the file; the exit code says that something waits."""
    edit(synced / "projectbrief.md", "wet gloves", "dry gloves")
    ran = syncd("blame", "projectbrief.md", "--bank", synced, "--json")
    waiting = [line for line in ran.json if line["transaction"] is None]
    assert ran.code == 1
    assert ["dry gloves" in line["text"] for line in waiting] == [True]
    syncd("sync", synced)
    ran = syncd("blame", "projectbrief.md", "--bank", synced, "--json")
    assert ran.code == 0
    assert [line["text"] for line in ran.json if line["transaction"] == 2] == [waiting[0]["text"]]
    text = syncd("blame", "projectbrief.md", "--bank", synced).out
    assert len(text.splitlines()) == len(ran.json)
    assert syncd("blame", "nothing.md", "--bank", synced).code == 2


def test_colours_are_for_terminals_that_want_them(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """NO_COLOR and dumb terminals are respected."""
    from syncd import output

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    output.show_text("+new\n")
    monkeypatch.setenv("NO_COLOR", "1")
    output.show_text("+new\n")
    assert capsys.readouterr().out == "\x1b[32m+new\x1b[0m\n+new\n"
