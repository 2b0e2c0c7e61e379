"""`mb` on the sample bank: what it records stands in rows and files when it returns."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schema.columns import RECORD_COLUMNS
from syncd.mb import cli
from syncd.mb.cacheblock import Begun, Part, shown
from tests.syncd.daemons import ready, until

ROOT = Path(__file__).resolve().parents[2]
AT = "2026-03-07 18:20:10"
Mb = Callable[..., Any]
LOG = ("workflow", "log-work", "--task", "T4")


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample bank is written in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def mb(synced: Path, capfd: pytest.CaptureFixture[str]) -> Mb:
    """Calls `mb` on the sample bank: ``mb("task", "list", "--json").json``."""

    class Ran:
        def __init__(self, code: int, out: str, err: str) -> None:
            self.code, self.out, self.err = code, out, err

        @property
        def json(self) -> Any:
            return json.loads(self.out)

        def __repr__(self) -> str:
            return f"{self.code}\n{self.out}\n{self.err}"

    def call(*arguments: str) -> Ran:
        capfd.readouterr()
        try:
            split = arguments.index("--") if "--" in arguments else len(arguments)
            code = cli.main([*arguments[:split], "--bank", str(synced), *arguments[split:]])
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capfd.readouterr())

    return call


def rows(bank: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What another client of the database sees."""
    db = sqlite3.connect(bank / ".syncd" / "memory_bank.db")
    try:
        return db.execute(query, values).fetchall()
    finally:
        db.close()


def documents(bank: Path) -> dict[str, bytes]:
    """All documents."""
    files = (file for file in bank.rglob("*.md") if ".syncd" not in file.parts)
    return {str(file.relative_to(bank)): file.read_bytes() for file in files}


# -- log-work ------------------------------------------------------------------------------------------------------


def test_logged_work_stands_in_the_history(mb: Mb, synced: Path) -> None:
    """One entry in the style of the bank, its files in the order given, and nothing else moved."""
    before = (synced / "edit_history.md").read_text(encoding="utf-8")
    ran = mb(
        "workflow", "log-work", "--task", "T4", "--summary", "Resumable download",
        "--created", "src/fetch.ts:Asks again", "--modified", "src/decode.ts",
        "--file", "Rewrote:src/encode.ts:In one pass", "--at", AT, "--json",
    )  # fmt: skip
    assert ran.code == 0, ran
    assert (ran.json["state"], len(ran.json["files"])) == ("converged", 3)
    assert "edit_history.md" in ran.json["emitted"]
    text = (synced / "edit_history.md").read_text(encoding="utf-8")
    entry = (
        "### 2026-03-07\n\n#### 18:20:10 UTC - T4: Resumable download\n- Created `src/fetch.ts` - Asks again\n"
        "- Modified `src/decode.ts`\n- Rewrote `src/encode.ts` - In one pass\n\n"
    )
    assert entry in text
    rest = [line for line in text.replace(entry, "").splitlines() if "Last Updated" not in line]
    assert rest == [line for line in before.splitlines() if "Last Updated" not in line]
    found = rows(synced, "SELECT task_id, task_description FROM edit_entries WHERE id = ?", ran.json["entry"])
    assert found == [("T4", "Resumable download")]


def test_a_dry_run_shows_the_difference_and_changes_nothing(mb: Mb, synced: Path) -> None:
    """Neither file nor row."""
    before, count = documents(synced), rows(synced, "SELECT count(*) FROM edit_entries")
    ran = mb("workflow", "log-work", "--task", "T4", "--summary", "Tried", "--at", AT, "--dry-run")
    assert ran.code == 0, ran
    assert "+#### 18:20:10 UTC - T4: Tried" in ran.out
    assert (documents(synced), rows(synced, "SELECT count(*) FROM edit_entries")) == (before, count)


def test_a_second_call_with_a_key_records_nothing_more(mb: Mb, synced: Path) -> None:
    """It answers with the same entry."""
    call = (*LOG, "--summary", "Once", "--modified", "a.ts:x", "--key", "k1", "--json")
    first, second = mb(*call), mb(*call)
    assert (first.code, second.code) == (0, 0), second
    assert first.json["entry"] == second.json["entry"]
    assert rows(synced, "SELECT count(*) FROM edit_entries WHERE task_description = 'Once'") == [(1,)]
    assert (synced / "edit_history.md").read_text(encoding="utf-8").count("T4: Once") == 1


def test_logged_work_may_change_the_status_of_its_tasks(mb: Mb, synced: Path) -> None:
    """In every place that shows it, in one transaction."""
    ran = mb("workflow", "log-work", "--task", "T5,T6", "--summary", "Begun", "--status", "in_progress", "--at", AT)
    assert ran.code == 0, ran
    assert rows(synced, "SELECT DISTINCT status FROM tasks WHERE id IN ('T5', 'T6')") == [("in_progress",)]
    assert "- T5: Summer Time Handling - 🔄" in (synced / "session_cache.md").read_text(encoding="utf-8")
    assert rows(synced, "SELECT origin, operation_type FROM transaction_log ORDER BY id DESC LIMIT 1")[0][0] == "mb"


def test_work_without_a_task_can_be_logged(mb: Mb, synced: Path) -> None:
    """With - in its place."""
    ran = mb("workflow", "log-work", "--task", "-", "--summary", "Tidied the shed", "--at", AT)
    assert ran.code == 0, ran
    assert "#### 18:20:10 UTC - Tidied the shed\n" in (synced / "edit_history.md").read_text(encoding="utf-8")


ODD = {
    "pipes": "a | b || c",
    "backticks": "`code` and ``more ` code``",
    "emoji": "🧭 done ✅ ⏸️",
    "markdown": "**bold** _x_ [link](a.md) <b>html</b> ~~gone~~ \\| \\*",
    "SQL": "'); DROP TABLE tasks; --",
    "dashes": "one - two — three: four",
    "10 KB": "long " * 2047 + "end",
    "other scripts": "Ünïcödé 漢字 עברית",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_texts_read_back_exactly_or_are_refused(mb: Mb, synced: Path, syncd: Mb, text: str) -> None:
    """What is accepted says the same after the database was made anew from the files."""
    before = documents(synced)
    ran = mb("workflow", "log-work", "--task", "T4", "--summary", text, "--modified", f"src/a.ts:{text}", "--at", AT)
    if ran.code != 0:
        assert (ran.code, ran.err.count("\n"), documents(synced)) == (2, 1, before), ran
        return
    query = (
        "SELECT e.task_id, e.task_description, f.file_path, f.description FROM edit_entries e "
        "JOIN file_modifications f ON f.edit_entry_id = e.id WHERE e.date = '2026-03-07'"
    )
    assert rows(synced, query) == [("T4", text, "src/a.ts", text)]
    shutil.rmtree(synced / ".syncd")
    assert syncd("init", synced).code == 0
    assert rows(synced, query) == [("T4", text, "src/a.ts", text)]


BAD = {
    "an unknown task": (["workflow", "log-work", "--task", "T99", "--summary", "x"], "no such task: T99"),
    "an id with a slash": (["workflow", "log-work", "--task", "T4/../x", "--summary", "x"], "not a task id"),
    "an unknown mode": ([*LOG, "--summary", "x", "--file", "Ate:a:b"], "one of Created"),
    "no mode": ([*LOG, "--summary", "x", "--file", "a"], "MODE:PATH:WHAT"),
    "no path": ([*LOG, "--summary", "x", "--modified", ":b"], "path must not be empty"),
    "newlines": ([*LOG, "--summary", "a\nb"], "one line of text"),
    "an empty summary": ([*LOG, "--summary", " "], "must not be empty"),
    "no summary": ([*LOG], "--summary is missing"),
    "an empty task": (["workflow", "log-work", "--task", "T4,,T3", "--summary", "x"], "empty task"),
    "a bad moment": ([*LOG, "--summary", "x", "--at", "2026-02-30 10:00"], "no moment"),
    "a bad status": ([*LOG, "--summary", "x", "--status", "almost"], "one of pending"),
    "a bad date": (["task", "add", "T9", "x", "--started", "2026-13-01"], "is no date"),
    "a task twice": (["task", "add", "T4", "x"], "there is a task with this id already"),
    "a cycle": (["task", "depends", "T1", "--on", "T6"], "cycle: T1 → T6"),
    "nothing to set": (["task", "set", "T4"], "nothing to set"),
    "an item of another task": (["task", "set", "T4", "--tick", "1"], "no item 1"),
    "no open session": (["workflow", "update-session", "--end"], "no session is open"),
    "a completed task": (["workflow", "complete-task", "T1"], "is completed already"),
    "no such session": (["session", "show", "99"], "no such session"),
    "no words": (["search", "--", "!"], "no words"),
    "an unknown command": (["task", "eat"], "invalid choice"),
    "no command": (["task"], "COMMAND"),
    "an unknown option": (["task", "list", "--colour"], "--colour"),
}


@pytest.mark.parametrize(("arguments", "told"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_meant_is_refused(mb: Mb, synced: Path, arguments: list[str], told: str) -> None:
    """One line that says what to do, exit code 2 or 3, and neither a row nor a file is changed."""
    before, last = documents(synced), rows(synced, "SELECT max(id) FROM row_changes")
    ran = mb(*arguments)
    assert ran.code in (2, 3), ran
    assert (ran.out, ran.err.count("\n")) == ("", 1), ran
    assert told in ran.err, ran
    assert (documents(synced), rows(synced, "SELECT max(id) FROM row_changes")) == (before, last)


# -- sessions ------------------------------------------------------------------------------------------------------


def test_a_session_begins_continues_and_ends(mb: Mb, synced: Path) -> None:
    """In one document, with the cache showing it, and its neighbours as they were."""
    older = (synced / "sessions" / "2026-03-06-evening.md").read_bytes()
    first = mb("workflow", "update-session", "--focus", "T4", "--at", "2026-03-07 18:00:00", "--json")
    assert (first.code, first.json["document"]) == (0, "sessions/2026-03-07-evening.md"), first
    second = mb("workflow", "update-session", "--note", "Half of it works", "--at", "2026-03-07 21:30:00", "--json")
    assert (second.code, second.json["session"]) == (0, first.json["session"]), second
    ended = mb("workflow", "update-session", "--end", "--at", "2026-03-07 22:00:00", "--json")
    assert (ended.code, ended.json["session"], ended.json["problems"]) == (0, first.json["session"], []), ended
    text = (synced / "sessions" / "2026-03-07-evening.md").read_text(encoding="utf-8")
    assert "- Half of it works\n" in text
    assert "✅ COMPLETED" in text
    assert "2026-03-07 22:00:00" in text
    cache = (synced / "session_cache.md").read_text(encoding="utf-8")
    for line in (
        "**Started**: 2026-03-07 18:00:00 UTC", "**Focus Task**: T4 (Offline Station Packs)",
        "**Session File**: `sessions/2026-03-07-evening.md`", "- Last Session: `sessions/2026-03-06-evening.md`",
        "1. `sessions/2026-03-07-evening.md` - T4: Offline Station Packs",
        "2. `sessions/2026-03-06-evening.md` - T3 hover line, midnight jump fixed",
    ):  # fmt: skip
        assert f"{line}\n" in cache
    assert (synced / "sessions" / "2026-03-06-evening.md").read_bytes() == older


def test_two_sessions_of_one_period_both_stay(mb: Mb, synced: Path) -> None:
    """The second one gets a document of its own, and the cache shows it."""
    mb("workflow", "update-session", "--focus", "T4", "--at", "2026-03-07 18:00:00")
    one = (synced / "sessions" / "2026-03-07-evening.md").read_bytes()
    ran = mb("workflow", "update-session", "--new", "--focus", "T3", "--at", "2026-03-07 19:00:00", "--json")
    assert (ran.code, ran.json["document"]) == (0, "sessions/2026-03-07-evening-2.md"), ran
    assert (synced / "sessions" / "2026-03-07-evening.md").read_bytes() == one
    cache = (synced / "session_cache.md").read_text(encoding="utf-8")
    assert "**Session File**: `sessions/2026-03-07-evening-2.md`\n" in cache
    assert "**Focus Task**: T3 (Tide Curve View)\n" in cache
    assert mb("session", "show", "--json").json["path"] == "sessions/2026-03-07-evening-2.md"


def test_a_session_that_ended_is_not_continued(mb: Mb) -> None:
    """Another one begins."""
    mb("workflow", "update-session", "--at", "2026-03-07 18:00:00")
    assert mb("workflow", "update-session", "--end", "--at", "2026-03-07 18:30:00").code == 0
    ran = mb("workflow", "update-session", "--note", "Once more", "--at", "2026-03-07 19:00:00", "--json")
    assert ran.json["document"] == "sessions/2026-03-07-evening-2.md"


def test_a_bank_without_a_session_cache_has_sessions(mb: Mb, synced: Path, syncd: Mb) -> None:
    """They begin, continue and end, and no cache is made."""
    (synced / "session_cache.md").unlink()
    syncd("sync", synced)
    syncd("accept", "--all", "--bank", synced)
    first = mb("workflow", "update-session", "--focus", "T4", "--at", "2026-03-07 18:00:00", "--json")
    assert (first.code, first.json["emitted"]) == (0, ["sessions/2026-03-07-evening.md"]), first
    ended = mb("workflow", "update-session", "--note", "x", "--end", "--at", "2026-03-07 19:00:00", "--json")
    assert (ended.code, ended.json["session"], ended.json["problems"]) == (0, first.json["session"], []), ended
    assert not (synced / "session_cache.md").exists()


def test_only_a_note_is_durable_when_the_command_returns(mb: Mb, synced: Path) -> None:
    """Prose alone makes a transaction too."""
    mb("workflow", "update-session", "--at", "2026-03-07 18:00:00")
    ran = mb("workflow", "update-session", "--note", "Only this", "--at", "2026-03-07 18:10:00", "--json")
    assert (ran.code, ran.json["state"], ran.json["emitted"]) == (0, "converged", ["sessions/2026-03-07-evening.md"])
    assert "- Only this\n" in (synced / "sessions" / "2026-03-07-evening.md").read_text(encoding="utf-8")


# -- tasks ---------------------------------------------------------------------------------------------------------


def test_a_completed_task_is_completed_everywhere(mb: Mb, synced: Path) -> None:
    """Status, date, registry, cache and its counts, open session, history, changelog."""
    mb("workflow", "update-session", "--focus", "T4", "--at", "2026-03-07 18:00:00")
    last = rows(synced, "SELECT max(id) FROM row_changes")[0][0]
    ran = mb("workflow", "complete-task", "T4", "--note", "Packs work at sea", "--at", "2026-03-07 19:40:00", "--json")
    assert (ran.code, ran.json["state"]) == (0, "converged"), ran
    text = {path: (synced / path).read_text(encoding="utf-8") for path in ran.json["emitted"]}
    assert "**Status**: ✅ COMPLETED\n" in text["tasks/T4.md"]
    assert "**Completed**: 2026-03-07\n" in text["tasks/T4.md"]
    assert "*Last Updated: 2026-03-07 19:40:00 UTC*" in text["tasks/T4.md"]
    row = "| T4 | Offline Station Packs      | ✅ COMPLETED | MEDIUM   | 2026-03-04 | 2026-03-07 | T2           |\n"
    assert row in text["tasks.md"].partition("## Completed Tasks")[2]
    assert "| T4 " not in text["tasks.md"].partition("## Completed Tasks")[0]
    assert "- Active: 3 | Paused: 1 | Completed: 3\n" in text["session_cache.md"]
    assert "#### 19:40:00 UTC - T4: Packs work at sea\n" in text["edit_history.md"]
    assert "- Completed T4: Packs work at sea\n" in text["sessions/2026-03-07-evening.md"]
    assert "- Heights in feet\n- T4: Packs work at sea\n" in text["changelog.md"]
    assert rows(synced, "SELECT status, completed FROM tasks WHERE id = 'T4'") == [("completed", "2026-03-07")]
    changed = rows(synced, 'SELECT DISTINCT "transaction" FROM row_changes WHERE id > ?', last)
    assert changed == [(ran.json["number"],)]


@pytest.mark.parametrize("command", [
    ("workflow", "log-work", "--task", "T4", "--status", "paused", "--modified", "src/a.ts:one", "--summary", "W"),
    ("workflow", "complete-task", "T4", "--note", "Packs work at sea"),
])  # fmt: skip
def test_recorded_work_that_is_undone_was_never_there(
    mb: Mb, syncd: Callable[..., Any], synced: Path, command: tuple[str, ...]
) -> None:
    """Every file is as it was, to the byte, and every row; the undo of that brings all of it back."""
    mb("workflow", "update-session", "--focus", "T4", "--at", "2026-03-07 18:00:00")
    before, known = documents(synced), _records(synced)
    ran = mb(*command, "--at", "2026-03-07 19:40:00", "--json")
    assert ran.code == 0, ran
    assert len(ran.json["emitted"]) >= 3
    after, made = documents(synced), _records(synced)
    undone = syncd("undo", str(ran.json["number"]), "--bank", synced, "--json")
    assert undone.code == 0, undone
    assert documents(synced) == before
    assert _records(synced) == known
    assert syncd("undo", str(undone.json["number"]), "--bank", synced).code == 0
    assert documents(synced) == after
    assert _records(synced) == made


def _records(bank: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(rows(bank, f"SELECT * FROM {table}"), key=str) for table in RECORD_COLUMNS}


def test_a_task_is_stamped_in_the_zone_of_its_document(mb: Mb, syncd: Mb, synced: Path) -> None:
    """Whatever the rest of the bank is written in."""
    file = synced / "tasks" / "T4.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("2026-03-05 20:12:05 UTC", "2026-03-06 01:42:05 IST"), encoding="utf-8")
    assert mb("task", "set", "T4", "--status", "paused", "--at", "2026-03-07 19:40:00").code == 0
    assert "*Last Updated: 2026-03-08 01:10:00 IST*" in file.read_text(encoding="utf-8")


def test_tasks_are_listed_shown_made_and_changed(mb: Mb, synced: Path) -> None:
    """Each change is in the files when the command returns."""
    assert [row["id"] for row in mb("task", "list", "--status", "completed", "--json").json] == ["T1", "T2"]
    made = mb("task", "add", "T7", "Moon phases", "--priority", "low", "--depends-on", "T1", "--json")
    assert (made.code, made.json["task"]) == (0, "T7"), made
    assert "| T7 " in (synced / "tasks.md").read_text(encoding="utf-8")
    assert mb("task", "set", "T7", "--title", "Moon and sun", "--status", "in_progress").code == 0
    assert mb("task", "depends", "T7", "--on", "T3", "--not-on", "T1").code == 0
    told = mb("task", "show", "T7", "--json").json
    assert (told["title"], told["status"], told["depends_on"]) == ("Moon and sun", "in_progress", ["T3"])
    needs = {row["id"]: row["through"] for row in mb("task", "depends", "T7", "--json").json}
    assert needs == {"T3": "", "T1": "T3", "T2": "T3"}
    assert "Moon and sun" in (synced / "tasks.md").read_text(encoding="utf-8")


def test_items_of_a_checklist_are_ticked(mb: Mb, synced: Path) -> None:
    """By the id that `mb task show` gives."""
    items = {item["text"]: item["id"] for item in mb("task", "show", "T3", "--json").json["items"]}
    number = items["Swipe to the next and the previous day"]
    assert mb("task", "set", "T3", "--tick", str(number)).code == 0
    assert "- ✅ Swipe to the next and the previous day\n" in (synced / "tasks" / "T3.md").read_text(encoding="utf-8")


def test_an_error_is_recorded(mb: Mb, synced: Path) -> None:
    """In the log's own form."""
    ran = mb("error", "add", "Curve is empty", "--cause", "No data", "--fix", "A message", "--task", "T3", "--at", AT)
    assert ran.code == 0, ran
    text = (synced / "errorLog.md").read_text(encoding="utf-8")
    assert "## 2026-03-07 18:20" in text
    assert "**Cause:** No data\n" in text


def test_sessions_are_listed_and_shown(mb: Mb, synced: Path) -> None:
    """Newest first; shown with their document's text."""
    listed = mb("session", "list", "--json").json
    assert [row["session_date"] for row in listed] == ["2026-03-06", "2026-03-05", "2026-03-04"]
    one = mb("session", "show", str(listed[1]["id"]), "--json").json
    assert one["text"] == (synced / "sessions" / "2026-03-05-evening.md").read_text(encoding="utf-8")


# -- search --------------------------------------------------------------------------------------------------------


def test_words_are_found_in_sections_and_records(mb: Mb) -> None:
    """With document and line; all words, other forms of them, and beginnings."""
    hits = mb("search", "parabola", "--json").json
    assert {hit["place"] for hit in hits} == {"sections", "file_modifications"}
    line = next(hit for hit in hits if hit["document"] == "sessions/2026-03-06-evening.md")
    assert line["line"] == 17
    assert mb("search", "stations", "datum", "--json").json
    entry = mb("search", "hov*", "--in", "edit_entries", "--json").json[0]
    assert entry["text"].endswith("Hover line on the tide curve")
    nothing = mb("search", "zebra")
    assert (nothing.code, nothing.out) == (1, "nothing found\n")


@pytest.mark.parametrize("words", ['" OR "', "a AND (b", "NEAR(", "text:x", "x'; DROP TABLE tasks; --", "^a*", "-b1"])
def test_words_are_never_a_language(mb: Mb, synced: Path, words: str) -> None:
    """What FTS5 or SQL would understand is looked for as it stands."""
    ran = mb("search", "--", words)
    assert (ran.code in (0, 1), ran.err) == (True, ""), ran
    assert rows(synced, "SELECT count(*) FROM tasks") == [(8,)]


# -- where it runs -------------------------------------------------------------------------------------------------


def test_a_missing_value_is_asked_for_on_a_terminal(mb: Mb, monkeypatch: pytest.MonkeyPatch, synced: Path) -> None:
    """And only there."""
    answers = iter(["T4\n", "Asked and answered\n"])

    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return next(answers)

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    ran = mb("workflow", "log-work", "--at", AT)
    assert ran.code == 0, ran
    assert "T4: Asked and answered" in (synced / "edit_history.md").read_text(encoding="utf-8")


def test_in_observe_mode_the_work_is_pending_and_says_why(mb: Mb, syncd: Mb, synced: Path) -> None:
    """Exit code 1; the row is there."""
    assert syncd("mode", "observe", "--bank", synced).code == 0
    before = documents(synced)
    ran = mb("workflow", "log-work", "--task", "T4", "--summary", "Later", "--at", AT, "--json")
    assert (ran.code, ran.json["state"]) == (1, "pending"), ran
    assert "observe" in ran.json["reason"]
    assert documents(synced) == before
    assert rows(synced, "SELECT count(*) FROM edit_entries WHERE task_description = 'Later'") == [(1,)]


def test_with_a_daemon_it_returns_when_the_files_are_written(mb: Mb, synced: Path, tmp_path: Path) -> None:
    """The same answer as without one."""
    log = (tmp_path / "log").open("wb")
    daemon = subprocess.Popen([sys.executable, "-m", "syncd", "run", str(synced)], cwd=ROOT, stdout=log, stderr=log)
    try:
        until(lambda: ready(synced) == daemon.pid, "ready", seconds=15)
        ran = mb("workflow", "log-work", "--task", "T4", "--summary", "Beside a daemon", "--at", AT, "--json")
        assert (ran.code, ran.json["state"]) == (0, "converged"), ran
        assert "edit_history.md" in ran.json["emitted"]
        assert "T4: Beside a daemon" in (synced / "edit_history.md").read_text(encoding="utf-8")
        assert mb("workflow", "log-work", "--task", "T99", "--summary", "x").code == 2
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(10)
        log.close()


def test_sync_writes_what_another_client_changed(mb: Mb, synced: Path) -> None:
    """And says converged when there is nothing."""
    db = sqlite3.connect(synced / ".syncd" / "memory_bank.db")
    with db:
        db.execute("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
    db.close()
    ran = mb("workflow", "sync", "--json")
    assert (ran.code, "tasks.md" in ran.json["emitted"]) == (0, True), ran
    assert mb("workflow", "sync").out == "converged, nothing to do\n"


def test_help_loads_nothing_heavy() -> None:
    """`mb --help` is fast: neither the database nor a grammar is imported."""
    code = "import sys\nfrom syncd.mb.cli import main\ntry:\n main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in ('apsw', 'parser.document', 'syncd.engine', 'syncd.api', 'rich') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
    assert all(name in ran.stdout for name in cli.COMMANDS)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_json_and_a_bank(name: str) -> None:
    """And those that write can be tried."""
    options = {option for action in cli.parser_of(name)._actions for option in action.option_strings}
    assert {"--help", "--json", "--bank"} <= options
    if name.split()[-1] in ("log-work", "update-session", "complete-task", "add", "set", "depends"):
        assert {"--dry-run", "--at"} <= options


def test_the_manual_has_every_command_with_every_option() -> None:
    """In docs/mb.md."""
    manual = (ROOT / "docs" / "mb.md").read_text(encoding="utf-8")
    for name, command in cli.COMMANDS.items():
        assert f"| `mb {name}` | {command.help} |\n" in manual
        options = {option for action in cli.parser_of(name)._actions for option in action.option_strings}
        assert {o for o in options - {"-h", "--help"} if f"{o}`" not in manual and f"{o} " not in manual} == set(), name


# -- the lines of prose --------------------------------------------------------------------------------------------


def _parts(text: str) -> list[tuple[int, int, str, str]]:
    import re

    if not text:
        return [(0, 0, "", "")]
    starts = [match.start() for match in re.finditer(r"^#+ ", text, re.M)]
    texts = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [(n, len(t) - len(t.lstrip("#")), t.partition("\n")[0].strip("# \r"), t) for n, t in enumerate(texts)]


def test_the_cache_tells_in_prose_what_began() -> None:
    """Only in the first of several caches, and only lines that are there."""
    from datetime import UTC, datetime

    text = (
        "# Session Cache\n\n## Current Session\n- **Started**: 2026-03-06 09:00\n\n## Overview\n"
        "- Current Period: Morning\n- Last Session: 2026-03-06\n\n"
        "## Session History (Last 2)\n- `sessions/b.md`\n- `sessions/a.md`\n\n"
        "# Session Cache\n\n## Current Session\n- **Started**: 2026-01-01 09:00\n"
    )
    begun = Begun("sessions/2026-03-07-evening.md", None, "evening", "T1: x", datetime(2026, 3, 7, 18, 0, tzinfo=UTC))
    parts = [Part(number, heading, part) for number, _, heading, part in _parts(text)]
    new = {part.id: part.text for part in shown(parts, begun)}
    assert "".join(new.get(part.id, part.text) for part in parts) == (
        text.replace("2026-03-06 09:00", "2026-03-07 18:00").replace("Period: Morning", "Period: Evening")
        .replace("Last Session: 2026-03-06", "Last Session: 2026-03-07")
        .replace("- `sessions/b.md`\n- `sessions/a.md`\n", "- `sessions/2026-03-07-evening.md`\n- `sessions/b.md`\n")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "begun", "ended"),
    [
        ("🔄 IN PROGRESS — it hovers; touch next", "🔄 IN PROGRESS", "✅ COMPLETED — it hovers; touch next"),
        ("✅ COMPLETED", "🔄 IN PROGRESS", None),
        ("Completed - all pages measured", "In Progress", None),
        ("🔄 In Progress: pages measured", "🔄 In Progress", "✅ Completed: pages measured"),
        ("✅ Completed session; Active task: 1, Paused: 0", "🔄 Active session; Active task: 1, Paused: 0", None),
        ("🔄 Active session; Active: 1", "🔄 Active session; Active: 1", "✅ Completed session; Active: 1"),
        ("🔄 Active: 2, Paused: 0, Completed: 1", None, None),
        ("✅ Completed: 1, Active: 1", None, None),
        ("as ever", None, None),
    ],
)
def test_the_cache_s_status_is_that_of_the_session(before: str, begun: str | None, ended: str | None) -> None:
    """What was noted of the last session goes as another begins; counts are no note."""
    from datetime import UTC, datetime

    from syncd.mb import cacheblock

    text = "# Session Cache\n\n**Started**: 2026-03-06 09:00\n**Status**: {}\n\n## Active Tasks\n**Status**: 🔄\n"
    parts = [Part(number, heading, part) for number, _, heading, part in _parts(text.format(before))]
    new = Begun("sessions/2026-03-06-evening.md", None, "evening", None, datetime(2026, 3, 6, 9, 0, tzinfo=UTC))
    for made, wanted in ((shown(parts, new), begun), (cacheblock.ended(parts), ended)):
        told = {part.id: part.text for part in made}
        assert "".join(told.get(part.id, part.text) for part in parts) == text.format(wanted or before)


def test_the_program_can_be_run_as_a_module(synced: Path) -> None:
    """With the exit code of the command."""
    ran = subprocess.run(
        [sys.executable, "-m", "syncd.mb", "task", "show", "T99", "--bank", os.fspath(synced)],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("mb: there is no such task: T99")


# -- the time that is given ----------------------------------------------------------------------------------------


def test_documents_are_stamped_with_the_time_that_was_given(mb: Mb, synced: Path) -> None:
    """Also such as are made, also in what a dry run shows; the log of transactions has the time of writing."""
    stamped = "*Last Updated: 2026-03-07 18:20:10 UTC*"
    told = mb(*LOG, "--summary", "Resumable download", "--at", AT, "--dry-run")
    assert f"+{stamped}" in told.out
    assert mb(*LOG, "--summary", "Resumable download", "--at", AT).code == 0
    assert mb("task", "add", "T7", "Download Progress", "--at", AT).code == 0
    texts = {path: text.decode() for path, text in documents(synced).items()}
    assert all(stamped in texts[path] for path in ("edit_history.md", "tasks.md"))
    assert "*Created: 2026-03-07 18:20:10 UTC*" in texts["tasks/T7.md"]
    [(newest,)] = rows(synced, "SELECT max(timestamp) FROM transaction_log")
    assert not newest.startswith("2026-03-07T18:20")


def test_a_session_s_document_says_when_it_was_last_updated(mb: Mb, synced: Path) -> None:
    """In italics or in bold: what a later step writes there moves that line too."""
    mb("workflow", "update-session", "--focus", "T4", "--at", AT)
    file = synced / "sessions" / "2026-03-07-evening.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("*Created: 2026-03-07 18:20:10 UTC*", "**Last Updated**: 2026-03-07 18:20:10 UTC"), "utf-8"
    )
    mb("workflow", "update-session", "--note", "One more", "--end", "--at", "2026-03-07 19:00:00")
    assert "\n**Last Updated**: 2026-03-07 19:00:00 UTC\n" in file.read_text(encoding="utf-8")


def test_a_task_that_is_renamed_is_the_focus_by_its_new_title(mb: Mb, synced: Path) -> None:
    """In the cache and in the session that is open; what has ended keeps what it said."""
    mb("workflow", "update-session", "--focus", "T4", "--at", AT)
    mb("workflow", "update-session", "--end", "--at", "2026-03-07 18:40:00")
    mb("workflow", "update-session", "--focus", "T4", "--at", "2026-03-07 18:50:00")
    assert mb("task", "set", "T4", "--title", "Packs for boats", "--at", "2026-03-07 19:00:00").code == 0
    assert rows(synced, "SELECT current_focus_task FROM session_cache") == [("T4 (Packs for boats)",)]
    assert rows(synced, "SELECT focus_task FROM sessions WHERE session_date = '2026-03-07' ORDER BY id") == [
        ("T4: Offline Station Packs",), ("T4: Packs for boats",),
    ]  # fmt: skip
