"""What can be going on when a process is killed or a disk fails: banks made ready for it, and the act itself.

A scenario prepares a synced sample bank, then ``act`` runs in a process that may be killed or refused at any system
call. Afterwards a new process must find or finish a state that is right: as after the whole act, or, for a command that
nobody got an answer from, as if it had never been called.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, cast
from unittest import mock

from prove.frame import ROOT
from schema import migrations
from schema.db import open_database
from schema.errors import SyncdError
from syncd import publish
from syncd.bank import database_of
from syncd.config import Config
from syncd.engine import Engine
from syncd.errors import expected

NOW = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
CONFIG = Config(settle_seconds=0.0)
SAMPLE = ROOT / "syncd" / "sample"

Step = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """``change`` happens before, to a synced bank (to a bare one where ``fresh``); ``act`` is what is struck.

    ``beside`` names what ``act`` makes beside the bank; it is whole or not asked about.
    """

    name: str
    change: Step
    act: Step
    fresh: bool = False
    beside: str | None = None


class CommandFailed(SyncdError):
    """A command did not do what it was asked."""


class Died(BaseException):
    """A process that ends here: no handler for errors helps."""


def open_engine(bank: Path) -> Engine:
    """An engine whose clock stands still. Whoever opens one expects refusals of the system too."""
    with expected():
        return Engine.open(bank, create=True, config=CONFIG, clock=lambda: NOW)


def converge(bank: Path) -> None:
    """One converge, as `syncd sync` or the daemon does."""
    _with_engine(bank, follow=False)


def follow(bank: Path) -> None:
    """`syncd sync --follow`."""
    _with_engine(bank, follow=True)


def _with_engine(bank: Path, follow: bool) -> None:
    engine = open_engine(bank)
    try:
        engine.converge(follow=follow)
    finally:
        engine.close()


def sql(*statements: str) -> Step:
    """Rows changed by another client."""

    def change(bank: Path) -> None:
        client = open_database(database_of(bank), create=False)
        try:
            for statement in statements:
                client.run(statement)
        finally:
            client.close()

    return change


def edit(path: str, old: str, new: str) -> Step:
    """A document edited by hand."""

    def change(bank: Path) -> None:
        text = (bank / path).read_text()
        assert old in text, (path, old)
        (bank / path).write_text(text.replace(old, new, 1))

    return change


def write(path: str, text: str | bytes) -> Step:
    """A document saved."""

    def change(bank: Path) -> None:
        (bank / path).parent.mkdir(parents=True, exist_ok=True)
        (bank / path).write_bytes(text.encode() if isinstance(text, str) else text)

    return change


def move(old: str, new: str) -> Step:
    """A document moved."""

    def change(bank: Path) -> None:
        (bank / new).parent.mkdir(parents=True, exist_ok=True)
        (bank / old).rename(bank / new)

    return change


def remove(path: str) -> Step:
    """A document removed."""
    return lambda bank: (bank / path).unlink()


def steps(*several: Step) -> Step:
    """One after another."""

    def change(bank: Path) -> None:
        for step in several:
            step(bank)

    return change


def command(*arguments: str, program: str = "syncd") -> Step:
    """A command of the command line, in this process; ``{bank}`` and ``{beside}`` stand for folders."""

    def act(bank: Path) -> None:
        if program == "mb":
            from syncd.mb.cli import main
        else:
            from syncd.cli import main
        given = [a.format(bank=bank, beside=bank.with_name(bank.name + "-beside")) for a in arguments]
        said, code = StringIO(), 0
        with redirect_stdout(said), redirect_stderr(said):
            try:
                code = main(given)
            except SystemExit as ended:
                code = int(ended.code or 0)
        if code > 1:
            raise CommandFailed(" ".join(given), hint=said.getvalue()[-500:])

    return act


def mb(*arguments: str) -> Step:
    """A command of `mb`."""
    return command(*arguments, "--at", "2026-03-07 12:00", "--bank", "{bank}", program="mb")


def cut(bank: Path) -> None:
    """A converge that dies when its transaction is durable and no file is written."""

    def die(*_: object, **__: object) -> set[str]:
        raise Died

    real = publish.PreparedFiles.publish
    publish.PreparedFiles.publish = die  # type: ignore[method-assign]
    try:
        with suppress(Died):
            converge(bank)
    finally:
        publish.PreparedFiles.publish = real  # type: ignore[method-assign]


def old_schema(bank: Path) -> None:
    """A database as the first program made it, with nothing in it."""
    database_of(bank).parent.mkdir(mode=0o700, exist_ok=True)
    defaults = cast(dict[str, Any], migrations.migrate.__kwdefaults__)
    first = migrations.MIGRATIONS[:1]
    with mock.patch.object(migrations, "MIGRATIONS", first), mock.patch.dict(defaults, migrations=first):
        open_database(database_of(bank), create=True).close()


def old_schema_with_rows(bank: Path) -> None:
    """A database as the first program made it, with rows that another client wrote and no program has seen yet."""
    old_schema(bank)
    client = sqlite3.connect(database_of(bank))
    for statement in (*_OLD_ROWS, _ENTRY):
        client.execute(statement)
    client.commit()
    client.close()


def saved_late(bank: Path) -> None:
    """A text that somebody saved into a file which had just been replaced: it lies below ``.syncd/held``."""
    engine = open_engine(bank)
    with (bank / "tasks/T6.md").open("r+b") as late:
        saved = late.read().replace(b"Fits on A4 and on Letter", b"Fits on A4")
    late_file = os.open(bank / "tasks/T6.md", os.O_RDONLY)
    engine.db.run("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
    engine.converge()
    with open(f"/proc/self/fd/{late_file}", "wb") as again:
        again.write(saved)
    os.close(late_file)
    engine.close()


def _writable(bank: Path) -> None:
    """A person gives himself the write permission of all documents again."""
    for file in bank.rglob("*.md"):
        file.chmod(0o644)


def _history_to_archive(bank: Path) -> None:
    text = (bank / "edit_history.md").read_text()
    start = text.index("### 2026-03-04")
    (bank / "archive").mkdir()
    (bank / "archive/edit_history-2026-03.md").write_text(f"# Edit History\n\n{text[start:]}")
    (bank / "edit_history.md").write_text(text[:start])


def _stale(bank: Path) -> None:
    """Saved from what was read before the row's change was written."""
    read = (bank / "tasks/T6.md").read_text()
    sql("UPDATE tasks SET title = 'Sheet', priority = 'HIGH' WHERE id = 'T6'")(bank)
    converge(bank)
    (bank / "tasks/T6.md").write_text(read.replace("## Description\n", "## Description\n\nFrom memory.\n"))


_T4_HIGH = edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
_T6_HIGH = edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
_T6_DONE = sql("UPDATE tasks SET status = 'completed' WHERE id = 'T6'")
_T4_DONE = sql("UPDATE tasks SET status = 'completed' WHERE id = 'T4'")
_CONFLICT = steps(_T4_HIGH, sql("UPDATE tasks SET priority = 'LOW' WHERE id = 'T4'"))
_EMPTIED = steps(write("edit_history.md", ""), converge)
_BURST = steps(
    _T4_HIGH,
    edit("projectbrief.md", "within one second", "within half a second"),
    edit("edit_history.md", "T3: Canvas in place of SVG", "T3: A canvas"),
    edit("session_cache.md", "The hover line works.", "The hover line works well."),
    write("notes.md", "# Notes\n\nMade by hand.\n"),
    move("sessions/2026-03-05-evening.md", "sessions/2026-03-05-late.md"),
)  # fmt: skip
_ROWS = (
    "UPDATE tasks SET title = 'Packs', status = 'paused' WHERE id = 'T4'",
    "INSERT INTO task_dependencies VALUES ('T4', 'T1')",
    "UPDATE task_subtasks SET status = 'completed' WHERE task_id = 'T6'",
    "DELETE FROM error_logs WHERE task_id = 'T2'",
    "UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'",
    "UPDATE tasks SET priority = 'HIGH' WHERE priority = 'MEDIUM'",
)
_ENTRY = (
    "INSERT INTO edit_entries(date, time, timezone, task_id, task_description) "
    "VALUES ('2026-03-06', '18:40:00', 'UTC', 'T3', 'By row')"
)
_SESSION = "INSERT INTO sessions(session_date, session_period, focus_task) VALUES ('2026-03-07', 'morning', 'T4')"


_OLD_ROWS = (
    "INSERT INTO tasks(id, title, priority) VALUES ('T9', 'Colours', 'LOW')",
    "INSERT INTO task_dependencies VALUES ('T9', 'T1')",
    "INSERT INTO error_logs(timestamp, task_id, error_message) VALUES ('2026-03-06 10:00:00', 'T9', 'No colours')",
    "UPDATE tasks SET status = 'paused' WHERE id = 'T9'",
)
_AT_ONCE = write(".syncd/config.toml", "cutover_days = 0\ncutover_edits = 0\nread_only_files = true\n")
_CUT_OVER = steps(_AT_ONCE, command("cutover", "--bank", "{bank}"))
_KEPT = "{bank}/.syncd/kept.db"
_SINCE = steps(
    write(".syncd/config.toml", "settle_seconds = 0.0\n"),
    command("backup", _KEPT, "--bank", "{bank}"),
    _T4_HIGH,
    write("notes.md", "# Notes\n\nSince the backup.\n"),
    remove("techContext.md"),
    sql("UPDATE tasks SET title = 'Sheet' WHERE id = 'T6'", _ENTRY),
    converge,
)  # fmt: skip
_LATER = steps(_T4_HIGH, sql("UPDATE tasks SET title = 'Packs' WHERE id = 'T4'"), converge,
               edit("tasks/T4.md", "## Description\n", "## Description\n\nAdded later.\n"), converge)  # fmt: skip


def nothing(bank: Path) -> None:
    """Nothing before."""


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("absorb", _T4_HIGH, converge),
    Scenario("emit", _T6_DONE, converge),
    Scenario("both sides", steps(_T4_HIGH, sql("UPDATE tasks SET title = 'Packs' WHERE id = 'T4'")), converge),
    Scenario("conflict", _CONFLICT, converge),
    Scenario("burst of files", _BURST, converge),
    Scenario("burst of rows", sql(*_ROWS), converge),
    Scenario("bursts that meet", steps(_BURST, sql(*_ROWS, _ENTRY)), converge),
    Scenario("held", write("edit_history.md", ""), converge),
    Scenario("hold accepted", _EMPTIED, command("accept", "1", "--bank", "{bank}")),
    Scenario("hold rejected", _EMPTIED, command("reject", "1", "--bank", "{bank}")),
    Scenario("task's row deleted", sql("DELETE FROM tasks WHERE id = 'T5'"), converge),
    Scenario("removal accepted", steps(sql("DELETE FROM tasks WHERE id = 'T5'"), converge),
             command("accept", "1", "--bank", "{bank}")),
    Scenario("migration", old_schema, converge, fresh=True),
    Scenario("first import", nothing, command("init", "{bank}"), fresh=True),
    Scenario("mode changed", _T6_DONE, command("mode", "observe", "--bank", "{bank}")),
    Scenario("coexist again", steps(command("mode", "observe", "--bank", "{bank}"), _T6_DONE, _T4_HIGH, converge),
             command("mode", "coexist", "--bank", "{bank}")),
    Scenario("resolved for the file", steps(_CONFLICT, converge),
             command("resolve", "1", "--take", "file", "--bank", "{bank}")),
    Scenario("resolved for the row", steps(_CONFLICT, converge),
             command("resolve", "1", "--take", "db", "--bank", "{bank}")),
    Scenario("work recorded", nothing, mb("workflow", "log-work", "--task", "T3", "--summary", "Touch works",
                                          "--modified", "src/views/curve.ts: Pointer events")),
    Scenario("task made", nothing, mb("task", "add", "T9", "Night colours", "--priority", "LOW")),
    Scenario("task completed", nothing, mb("workflow", "complete-task", "T6", "--note", "Printed")),
    Scenario("session begun", nothing, mb("workflow", "update-session", "--focus", "T4", "--new")),
    Scenario("error recorded", nothing, mb("error", "add", "Pack unreadable", "--cause", "Version 2", "--task", "T4")),
    Scenario("document moved", move("tasks/T6.md", "archive/T6.md"), converge),
    Scenario("document removed", remove("progress.md"), converge),
    Scenario("history moved to the archive", _history_to_archive, converge),
    Scenario("stale writer", _stale, converge),
    Scenario("followed", steps(edit("tasks/T3.md", "**Status**: 🔄 IN PROGRESS", "**Status**: ✅ COMPLETED"), converge),
             follow),
    Scenario("brought to the record", steps(edit("tasks/T3.md", "**Status**: 🔄 IN PROGRESS", "**Status**: ⏸️ PAUSED"),
                                            converge), command("check", "--fix", "--bank", "{bank}")),
    Scenario("outbox finished", steps(sql(*_ROWS), cut), converge),
    Scenario("outbox met by a save", steps(_T6_DONE, cut, _T6_HIGH,
                                           sql("UPDATE tasks SET title = 'Sheet' WHERE id = 'T6'")), converge),
    Scenario("saved late", saved_late, converge),
    Scenario("new rows", sql(_ENTRY, _SESSION, "INSERT INTO tasks(id, title) VALUES ('T9', 'Colours')"), converge),
    Scenario("no text any more", write("progress.md", b"# Progress\n\n\xff\xfe\n"), converge),
    Scenario("windows line ends", steps(write("notes.md", "# Notes\r\n\r\n- ⬜ one\r\n"), converge,
                                        write("notes.md", "# Notes\r\n\r\n- ✅ one\r\n\r\nmore")), converge),
    Scenario("exported", _T4_HIGH, command("export", "{beside}", "--bank", "{bank}"), beside="export"),
    Scenario("bank begun", nothing, command("init", "--new", "{beside}"), beside="bank"),
    Scenario("backed up", _T4_HIGH, command("backup", "--bank", "{bank}")),
    Scenario("migration with rows", old_schema_with_rows, converge, fresh=True),
    Scenario("cutover", _AT_ONCE, command("cutover", "--bank", "{bank}")),
    Scenario("put back", steps(_CUT_OVER, _writable, _T6_HIGH, _T4_DONE), converge),
    Scenario("rollback", steps(_CUT_OVER, _writable, _T6_HIGH, converge), command("rollback", "--bank", "{bank}")),
    Scenario("backup restored", _SINCE, command("restore", _KEPT, "--yes", "--bank", "{bank}")),
    Scenario("document restored", _LATER,
             command("restore", "--file", "tasks/T4.md", "--at", "1", "--bank", "{bank}")),
    Scenario("record restored", steps(sql("DELETE FROM error_logs WHERE task_id = 'T2'"), converge),
             command("restore", "--record", "error_logs:3", "--at", "1", "--bank", "{bank}")),
    Scenario("undone", _LATER, command("undo", "2", "--bank", "{bank}")),
    Scenario("undone with rows waiting", steps(_LATER, _T6_DONE), command("undo", "2", "3", "--bank", "{bank}")),
    Scenario("undo undone", steps(_LATER, command("undo", "2", "--bank", "{bank}")),
             command("undo", "4", "--bank", "{bank}")),
    Scenario("pruned", _LATER, command("prune", "--before", "2026-03-08", "--bank", "{bank}")),
)  # fmt: skip


def make_ready(scenario: Scenario, folder: Path) -> Path:
    """A bank in ``folder``, changed and ready to be struck."""
    bank = Path(shutil.copytree(SAMPLE, folder / "memory-bank"))
    if not scenario.fresh:
        converge(bank)
    scenario.change(bank)
    return bank
