"""Work recorded from Python: one transaction, every file shows it, or nothing was done."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import syncd
from schema.db import open_database
from syncd import lock
from syncd.api import Bank, InvalidOperation, Transaction, open_bank
from syncd.bank import database_of
from syncd.config import Config
from syncd.engine import Engine

AT = datetime(2026, 3, 7, 18, 20, 5, tzinfo=UTC)


def _rows(bank: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    client = open_database(database_of(bank), create=False)
    try:
        return client.rows(sql, values)
    finally:
        client.close()


def _tree(bank: Path) -> dict[str, bytes]:
    return {str(p.relative_to(bank)): p.read_bytes() for p in bank.rglob("*.md")}


@pytest.fixture
def opened(synced: Path) -> Bank:
    """The sample bank, converged once."""
    return open_bank(synced)


def test_a_days_work_is_one_transaction_and_stands_in_all_files(opened: Bank) -> None:
    """The log has one line for it, with the name that the caller gave."""
    with opened.transaction("mb", "log-work", AT) as tx:
        entry = tx.insert_edit_entry(description="Download in parts", task_ids=["T4", "T2"])
        tx.insert_file_modification(entry, "Created", "src/packs/fetch.ts", "Resumes where it stopped")
        tx.insert_file_modification(entry, "modified", "package.json")
        tx.update_task_status("T4", "completed")
        tx.add_dependency("T6", "T4")
    result = tx.result
    assert (result.state, result.problems) == ("converged", ())
    history = (opened.path / "edit_history.md").read_text()
    assert "#### 18:20:05 UTC - T4, T2: Download in parts\n- Created `src/packs/fetch.ts` - Resumes where" in history
    assert {"tasks.md", "tasks/T4.md", "session_cache.md", "edit_history.md"} <= set(result.emitted)
    assert _rows(opened.path, "SELECT origin, operation_type FROM transaction_log ORDER BY id")[1:] == [
        ("mb", "log-work")
    ]
    assert result.number == 2
    assert _rows(opened.path, "SELECT transaction_id FROM transaction_log WHERE id = 2") == [(result.transaction,)]
    assert _rows(opened.path, "SELECT * FROM announced") == []


def test_an_exception_inside_leaves_everything_as_it_was(opened: Bank) -> None:
    """Neither row nor file nor log."""
    before = _tree(opened.path)
    tx = None

    def fail() -> None:
        nonlocal tx
        with opened.transaction() as tx:
            tx.update_task_status("T4", "completed")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    assert tx is not None
    assert _tree(opened.path) == before
    assert _rows(opened.path, "SELECT count(*) FROM transaction_log") == [(1,)]
    assert _rows(opened.path, "SELECT status FROM tasks WHERE id = 'T4'") == [("in_progress",)]
    with pytest.raises(RuntimeError, match="has not ended well"):
        _ = tx.result


def test_what_no_file_can_show_is_refused_before_anything_is_written(opened: Bank) -> None:
    """A path that holds a backtick would be read back as another one."""
    before = _tree(opened.path)

    def odd(tx: Transaction) -> None:
        entry = tx.insert_edit_entry(description="Odd path", task_ids=["T4"])
        tx.insert_file_modification(entry, "Created", "a`b c")

    with pytest.raises(InvalidOperation, match="cannot be shown"), opened.transaction() as tx:
        odd(tx)
    assert _tree(opened.path) == before
    assert _rows(opened.path, "SELECT count(*) FROM edit_entries WHERE task_description = 'Odd path'") == [(0,)]


def test_what_was_saved_by_hand_comes_first(opened: Bank) -> None:
    """A task that somebody wrote into the registry a moment ago can be worked on."""
    registry = opened.path / "tasks.md"
    row = "| T7     | Tide Alarm              | ⬜ PENDING     | LOW      | -          | -            | - |\n"
    registry.write_text(registry.read_text().replace("| META-1 |", f"{row}| META-1 |", 1))
    with opened.transaction(moment=AT) as tx:
        tx.update_task_status("T7", "in_progress")
    assert "| T7     | Tide Alarm              | 🔄 IN PROGRESS | LOW      | 2026-03-07 |" in registry.read_text()
    assert _rows(opened.path, "SELECT origin FROM transaction_log ORDER BY id") == [("file",), ("file",), ("api",)]


def test_rows_of_others_keep_their_own_name(opened: Bank) -> None:
    """What plain SQL wrote is external, what came with a name has it, both together have both."""
    engine = Engine.open(opened.path, create=False, config=Config(settle_seconds=0.0))
    try:
        engine.db.run("UPDATE tasks SET priority = 'HIGH' WHERE id = 'T6'")
        engine.converge()
        from schema import announced

        with engine.db.atomic():
            behind = announced.newest(engine.db)
            engine.db.run("UPDATE tasks SET priority = 'LOW' WHERE id = 'T6'")
            announced.announce(engine.db, behind, "mb", "task-set")
        engine.db.run("UPDATE tasks SET priority = 'LOW' WHERE id = 'T3'")
        engine.converge()
    finally:
        engine.close()
    assert _rows(opened.path, "SELECT origin, operation_type FROM transaction_log ORDER BY id")[1:] == [
        ("external", "emit"), ("external+mb", "emit"),
    ]  # fmt: skip


def test_a_dry_run_shows_the_difference_and_changes_nothing(opened: Bank) -> None:
    """Of each file, and of the rows; refusals are those of the real thing."""
    before, base = _tree(opened.path), database_of(opened.path).read_bytes()
    result = opened.dry_run(lambda tx: tx.update_task_status("T4", "completed"), AT)
    assert "+| T4 " in dict(result.diffs)["tasks.md"]
    assert "tasks/T4.md" in result.emitted
    with pytest.raises(InvalidOperation, match="no such task"):
        opened.dry_run(lambda tx: tx.rename_task("T99", "x"))
    with pytest.raises(InvalidOperation, match="cannot be shown"):
        opened.dry_run(lambda tx: tx.insert_file_modification(1, "Created", "a`b c"))
    assert _tree(opened.path) == before
    assert database_of(opened.path).read_bytes() == base
    assert _rows(opened.path, "SELECT count(*) FROM row_changes WHERE \"transaction\" IS NULL") == [(0,)]


def test_a_key_records_work_once(opened: Bank) -> None:
    """The second time nothing is written, and no transaction made."""
    for _ in range(2):
        with opened.transaction(moment=AT) as tx:
            if tx.done("commit-4f2a") is None:
                tx.insert_edit_entry(description="Once", task_ids=["T4"], key="commit-4f2a")
    assert (tx.result.state, tx.result.transaction, tx.result.emitted) == ("converged", None, ())
    assert (opened.path / "edit_history.md").read_text().count("T4: Once") == 1


def test_in_observe_mode_the_rows_wait_and_it_is_said(opened: Bank, syncd: Callable[..., Any]) -> None:
    """No file is written in that mode."""
    syncd("mode", "observe", "--bank", opened.path)
    before = _tree(opened.path)
    with opened.transaction(moment=AT) as tx:
        tx.update_task_status("T4", "completed")
    assert (tx.result.state, tx.result.transaction) == ("pending", None)
    assert tx.result.reason == "mode observe writes no file"
    assert _tree(opened.path) == before


def test_a_note_is_added_to_the_sessions_own_document(opened: Bank) -> None:
    """As the last line of its notes, and nothing else moves."""
    path = opened.path / "sessions" / "2026-03-06-evening.md"
    before = path.read_text()
    [(number,)] = _rows(opened.path, "SELECT id FROM sessions WHERE path = 'sessions/2026-03-06-evening.md'")
    with opened.transaction("mb", "update-session", AT) as tx:
        tx.update_session(number, note="Asked the harbour office | again")
    after = path.read_text()
    assert "- Asked the harbour office | again\n" in after
    assert [line for line in after.splitlines() if line in before.splitlines()] == before.splitlines()
    assert _rows(opened.path, "SELECT origin FROM transaction_log ORDER BY id DESC LIMIT 1") == [("mb",)]


def test_the_banks_own_zone_is_used(synced: Path) -> None:
    """As the setting says; the system's zone else."""
    (synced / ".syncd" / "config.toml").write_text('timezone = "Asia/Kolkata"\n')
    assert open_bank(synced).now().tzname() == "IST"
    with open_bank(synced).transaction() as tx:
        assert tx.when().timezone == "IST"


@pytest.fixture
def daemon(synced: Path) -> Iterator[subprocess.Popen[str]]:
    """A daemon that watches the sample bank."""
    root = str(Path(syncd.__file__).resolve().parent.parent)
    process = subprocess.Popen(
        [sys.executable, "-m", "syncd", "run", str(synced)], cwd=root, stderr=subprocess.PIPE, text=True
    )
    for _ in range(1000):
        holder = lock.holder(synced)
        if holder is not None and holder.ready:
            break
        threading.Event().wait(0.02)
    yield process
    process.terminate()
    process.communicate(timeout=20)


def test_with_a_daemon_the_files_show_it_when_the_transaction_ends(
    synced: Path, daemon: subprocess.Popen[str]
) -> None:
    """The daemon writes them; the log has the caller's name; what cannot be shown is refused here too."""
    opened = open_bank(synced)
    with opened.transaction("mb", "complete-task", AT) as tx:
        tx.update_task_status("T4", "completed")
    assert (tx.result.state, tx.result.reason) == ("converged", None)
    assert "tasks/T4.md" in tx.result.emitted
    assert "| T4 " in (synced / "tasks.md").read_text().partition("## Completed Tasks")[2] or "✅" in (
        synced / "tasks" / "T4.md"
    ).read_text()
    logged = "SELECT origin, operation_type FROM transaction_log WHERE id = ?"
    assert _rows(synced, logged, tx.result.number) == [("mb", "complete-task")]
    with pytest.raises(InvalidOperation, match="cannot be shown"), opened.transaction() as tx:
        tx.insert_file_modification(1, "Created", "a`b c")
    assert daemon.poll() is None


def test_a_burst_of_lines_is_one_write_of_each_file(opened: Bank) -> None:
    """Mixed over three entries, each line comes to stand below its own, in order, with its own key."""
    entries = [n for (n,) in _rows(opened.path, "SELECT id FROM edit_entries WHERE task_id = 'T3' ORDER BY id LIMIT 3")]
    with opened.transaction(moment=AT) as tx:
        for number in range(600):
            tx.insert_file_modification(entries[number % 3], "Modified", f"src/burst{number}.ts", f"Line {number}")
    assert (tx.result.state, tx.result.number, tx.result.problems) == ("converged", 2, ())
    emitted = _rows(opened.path, 'SELECT path, count(*) FROM versions WHERE "transaction" = 2 GROUP BY path')
    assert emitted == [(path, 1) for path in tx.result.emitted]
    history = (opened.path / "edit_history.md").read_text()
    places = [history.index(f"`src/burst{number}.ts` - Line {number}\n") for number in range(600)]
    for first in range(3):
        assert places[first::3] == sorted(places[first::3])
    keys = _rows(
        opened.path,
        """SELECT m.file_path FROM readings AS r JOIN file_modifications AS m ON m.id = r.key
        JOIN sections AS s ON s.id = r.section_id JOIN documents AS d ON d.id = s.document_id
        WHERE d.path = 'edit_history.md' AND r."table" = 'file_modifications' AND m.file_path LIKE 'src/burst%'
        ORDER BY s.position, r.ordinal""",
    )
    assert [path for (path,) in keys] == [f"src/burst{n}.ts" for _, n in sorted(zip(places, range(600), strict=True))]


# -- the law: what is accepted reads back --------------------------------------------------------------------------

DOCUMENTS = {
    "tasks.md": "# Tasks\n\n*Last Updated: 2026-03-06 18:42:05 UTC*\n\n## Active Tasks\n\n"
    "| ID | Title | Status | Priority | Started | Dependencies |\n|---|---|---|---|---|---|\n"
    "| T1 | Curve  | 🔄 IN PROGRESS | HIGH | 2026-02-20 | - |\n| T2 | Packs  | ⬜ PENDING | LOW | - | T1 |\n",
    "tasks/T1.md": "# T1: Curve\n\n**Status**: 🔄 IN PROGRESS\n**Priority**: HIGH\n**Started**: 2026-02-20\n"
    "**Description**: A curve\n\n## Progress\n\n- ✅ Static curve\n- ⬜ Touch\n",
    "edit_history.md": "# Edit History\n\n### 2026-03-06\n\n#### 18:35:10 UTC - T1: Hover\n"
    "- Created `src/a.ts` - Pointer\n- Modified `src/b.ts` - Line\n",
    "errorLog.md": "# Error Log\n\n## 2026-03-05 20:12: T1 - Jump at midnight\n\n**File:** `src/a.ts`\n"
    "**Error:** The curve jumps\n**Cause:** Two days\n**Fix:** One sample\n",
}

PIECES = [
    "|", "\\|", "`", "``", "*", "**", "_", "#", "## ", "- ", "[x]", "[a](b.md)", "<!--", "-->", "~~~", "```", ":", ": ",
    " - ", "—", "T1", "T1: ", "T1, T2: ", "(", ")", "✅", "🔄 IN PROGRESS", "👩‍🚀", "é", "'; DROP TABLE tasks; --",
    "%s", "{}", "\\", "\\n", "&amp;", "<b>", "18:20", "2026-03-07", "None", "N/A", "…", "\u200b", "word", "Modified ",
    "src/x.ts", "$x$", "1. ", "> ", "---", "  ", "\u00a0", "**Status**: ", "Fix:",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join),
    st.text(min_size=1, max_size=40),
    st.text(alphabet="ab |`*#-", min_size=1, max_size=12),
)


@dataclass(frozen=True)
class Case:
    """An operation that is given a text, and the query for the row's value that it becomes."""

    act: Callable[[Transaction, str], object]
    sql: str


CASES = {
    "entry": Case(
        lambda tx, text: tx.insert_edit_entry(description=text, task_ids=["T1"]),
        "SELECT task_description FROM edit_entries WHERE date = '2026-03-07'",
    ),
    "entry without a task": Case(
        lambda tx, text: tx.insert_edit_entry(description=text),
        "SELECT task_description FROM edit_entries WHERE date = '2026-03-07'",
    ),
    "path": Case(
        lambda tx, text: tx.insert_file_modification(
            tx.insert_edit_entry(description="x", task_ids=["T1"]), "Modified", text, "What"
        ),
        "SELECT file_path FROM file_modifications AS m JOIN edit_entries AS e ON e.id = edit_entry_id "
        "WHERE e.date = '2026-03-07'",
    ),
    "what was done": Case(
        lambda tx, text: tx.insert_file_modification(1, "Fixed", "src/c.ts", text),
        "SELECT description FROM file_modifications WHERE action = 'Fixed'",
    ),
    "new task": Case(
        lambda tx, text: tx.create_task("T5", text, priority="LOW", depends_on=["T2"]),
        "SELECT title FROM tasks WHERE id = 'T5'",
    ),
    "title": Case(lambda tx, text: tx.rename_task("T1", text), "SELECT title FROM tasks WHERE id = 'T1'"),
    "description": Case(
        lambda tx, text: tx.describe_task("T1", text), "SELECT description FROM tasks WHERE id = 'T1'"
    ),
    "checklist": Case(
        lambda tx, text: tx.add_subtask("T1", text, section="Progress"),
        "SELECT text FROM task_subtasks WHERE position = 3",
    ),
    "error": Case(
        lambda tx, text: tx.insert_error_log(error_message=text, cause="Unknown", task_id="T1"),
        "SELECT error_message FROM error_logs WHERE cause = 'Unknown'",
    ),
    "cause": Case(
        lambda tx, text: tx.insert_error_log(error_message="Broken", cause=text, task_id="T1"),
        "SELECT cause FROM error_logs WHERE error_message = 'Broken'",
    ),
}


def _read_back(bank: Path, scratch: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the files alone say."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(bank, scratch, ignore=shutil.ignore_patterns(".syncd"))
    engine = Engine.open(scratch, create=True, config=Config(settle_seconds=0.0))
    try:
        engine.converge()
        return engine.db.rows(sql)
    finally:
        engine.close()


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_what_is_accepted_reads_back_to_the_same_value(
    name: str, text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """From the files alone, with the database thrown away; what is refused leaves no trace."""
    folder = tmp_path_factory.mktemp("law")
    bank = folder / "bank"
    for path, content in DOCUMENTS.items():
        (bank / path).parent.mkdir(parents=True, exist_ok=True)
        (bank / path).write_text(content, encoding="utf-8")
    case = CASES[name]
    opened = open_bank(bank)
    try:
        with opened.transaction(moment=AT) as tx:
            case.act(tx, text)
    except InvalidOperation:
        assert _tree(bank) == {path: content.encode() for path, content in DOCUMENTS.items()}
        return
    if tx.result.problems:
        return
    wanted = text.strip() or None
    assert _rows(bank, case.sql) == [(wanted,)]
    assert _read_back(bank, folder / "scratch", case.sql) == [(wanted,)]
    shutil.rmtree(folder)


def test_ten_kilobytes_in_one_line_read_back(opened: Bank, tmp_path: Path) -> None:
    """With pipes, backticks and icons in it."""
    text = ("A `long` tale | with ✅ and 'quotes'; " * 300).strip()
    with opened.transaction(moment=AT) as tx:
        tx.insert_edit_entry(description=text, task_ids=["T4"])
    sql = "SELECT task_description FROM edit_entries WHERE date = '2026-03-07'"
    assert _read_back(opened.path, tmp_path / "again", sql) == [(text,)]


def test_what_the_place_of_most_weight_cannot_show_is_refused(synced: Path) -> None:
    """The registry could show it; a database made from the files would have what the task's own file says."""
    before = (synced / "tasks.md").read_bytes()
    with pytest.raises(InvalidOperation), syncd.open_bank(synced).transaction() as tx:
        tx.rename_task("T4", "🔥 done ✅")
    assert (synced / "tasks.md").read_bytes() == before


def test_the_session_cache_can_be_told_to_name_no_session(synced: Path) -> None:
    """The name goes with the backquotes around it: a dash between them would be a name."""
    with syncd.open_bank(synced).transaction() as tx:
        tx.update_session_cache(clear=["current_session_id"])
    assert tx.result.problems == ()
    assert "**Session File**: -\n" in (synced / "session_cache.md").read_text(encoding="utf-8")
