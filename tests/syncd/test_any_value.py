"""Whatever value an operation is given: a clear refusal, or text that reads back to exactly that value.

The files alone are asked: a database made anew from them holds the same rows.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import syncd
from schema.checks import InvalidOperation
from schema.db import open_database
from syncd import newbank
from syncd.bank import database_of
from syncd.config import Config
from syncd.engine import Engine

SAMPLE = Path(__file__).resolve().parents[2] / "syncd" / "sample"
MANY = 30 if os.environ.get("HYPOTHESIS_PROFILE") == "prove" else 1
CORPORA = ["arxivite", "mb", "process-monitor", "qc-diffusion-code", "super-chat"]
ROWS = (
    "SELECT id, title, status, priority, started, completed, description FROM tasks ORDER BY id",
    "SELECT task_id, depends_on FROM task_dependencies ORDER BY 1, 2",
    "SELECT task_id, text, status FROM task_subtasks ORDER BY 1, 2, 3",
    "SELECT e.date, e.time, e.timezone, e.task_id, e.task_description, m.action, m.file_path, m.description "
    "FROM edit_entries e LEFT JOIN file_modifications m ON m.edit_entry_id = e.id ORDER BY 1, 2, 3, 4, 5, 6, 7, 8",
    "SELECT session_date, session_period, focus_task, start_time, end_time, status, path FROM sessions ORDER BY path",
    "SELECT current_session_id, current_focus_task FROM session_cache",
    "SELECT timestamp, task_id, file_path, error_message, cause, fix_applied FROM error_logs ORDER BY 1, 2, 3, 4, 5, 6",
)

_HOSTILE = [
    "", " ", "\u00a0",
    "two\nlines", "a | b", "`code`", "``` fence", "```\nfence\n```", "~~~", "🔥 done ✅", "✅", "- item", "* item",
    "# head", "## 2031-01-01", "### 10:00 - T1: x", "#### 10:00:00 UTC - T1: x", "---", "===", "<!-- comment",
    "<b>bold</b>", "<script>", "'; DROP TABLE tasks; --", "trailing  ", " leading", "\ttab", "zero\u200bwidth",
    "\u2028separator", "\ufeffbom", "a\rb", "a\x00b", "a\x0bb", "**bold**", "*", "_", "[link](x.md)", "[x] done",
    "[ ]", "1. one", "> quote", "| a | b |", "T1", "T1: title", "T1, T2", "(depends on T1)", "- Created `x` - y",
    "**Status**: done", "Status: ✅", "**File:** x", "Created: 2026-01-01", "*Last Updated: 2031-01-01*", "src/a b.py",
    "a/../b", "C:\\x", "`a`", "a`b", "x — y", "x - y", "x: y", "x -", "- ", "-", "None", "N/A", "0", "é", "e\u0301",
    "\U0001f469\u200d\U0001f4bb", "x" * 10_000, "word " * 2000, "${x}", "%s", "\\", "\\|", "a\\", "&amp;",
    "http://x.y/z?a=b|c", "2031-02-03", "10:00", "🔄 IN PROGRESS", "HIGH",
]  # fmt: skip
_TEXT = st.one_of(
    st.sampled_from(_HOSTILE),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.lists(st.sampled_from(_HOSTILE), min_size=2, max_size=3).map(" ".join),
)
_MAYBE = st.none() | _TEXT
_DAYS = st.sampled_from(["2026-03-07", "2099-12-31", "0001-01-01", "2026-02-30", "tomorrow", "2026-03-07 10:00"])

_DATES = st.none() | _DAYS
_TIMES = st.sampled_from([None, "10:00", "10:00:05", "23:59:59", "24:00", "9:05", "", "noon", "10:00 UTC"])
_ZONES = st.sampled_from([None, None, "IST", "UTC", "UTC+05:30", "+05:30", "Z", "CEST", "here", ""])

Act = Callable[[Any], Any]


def _entry(summary: str, path: str, what: str | None, mode: str, task: str | None) -> Act:
    def act(tx: Any) -> None:
        number = tx.insert_edit_entry(description=summary, task_ids=[task] if task else [])
        tx.insert_file_modification(number, mode, path, what)

    return act


def _dated(summary: str, date: str | None, time: str | None, zone: str | None) -> Act:
    return lambda tx: tx.insert_edit_entry(description=summary, date=date, time=time, timezone=zone)


def _cache(session: str | None, focus: str | None, updated: str | None, clear: list[str]) -> Act:
    return lambda tx: tx.update_session_cache(
        current_session_id=session, current_focus_task=focus, last_updated=updated, clear=clear
    )


def _task(title: str, description: str | None, started: str | None, item: str | None) -> Act:
    def act(tx: Any) -> None:
        tx.create_task("T777", title, description=description, started=started, priority="high")
        if item is not None:
            tx.add_subtask("T777", item)

    return act


def _again(title: str, description: str | None) -> Act:
    def act(tx: Any) -> None:
        task = tx.db.value("SELECT id FROM tasks WHERE id IN ('T777', 'T4', 'T27', 'T21', 'T1') ORDER BY id DESC")
        if task is not None:
            tx.rename_task(task, title)
            tx.describe_task(task, description)

    return act


def _error(message: str, cause: str | None, fix: str | None, path: str | None) -> Act:
    return lambda tx: tx.insert_error_log(error_message=message, cause=cause, fix_applied=fix, file_path=path)


def _session(focus: str | None, note: str | None) -> Act:
    def act(tx: Any) -> None:
        number = tx.create_session(focus_task=focus)
        if note is not None:
            tx.update_session(number, note=note)

    return act


ACTS = st.one_of(
    st.builds(_entry, _TEXT, _TEXT, _MAYBE, st.sampled_from(["Created", "renamed", "Fixed", "Nonsense"]),
              st.sampled_from([None, "T777", "T1", "T/1"])),
    st.builds(_dated, st.just("Measured") | _TEXT, _DATES, _TIMES, _ZONES),
    st.builds(_cache, _MAYBE, _MAYBE, st.sampled_from([None, None, "2026-03-07 18:00", "2026-03-07", "today", ""]),
              st.lists(st.sampled_from(["current_session_id", "last_updated", "id"]), max_size=1)),
    st.builds(_task, _TEXT, _MAYBE, st.none() | _DAYS, _MAYBE),
    st.builds(_again, _TEXT, _MAYBE),
    st.builds(_error, _TEXT, _MAYBE, _MAYBE, _MAYBE),
    st.builds(_session, _MAYBE, _MAYBE),
)  # fmt: skip


def _rows(bank: Path) -> list[Any]:
    db = open_database(database_of(bank), create=False)
    try:
        return [db.rows(query) for query in ROWS]
    finally:
        db.close()


def _tree(bank: Path) -> dict[str, bytes]:
    files = (f for f in bank.rglob("*") if f.is_file() and ".syncd" not in f.relative_to(bank).parts)
    return {str(f.relative_to(bank)): f.read_bytes() for f in files}


def _anew(bank: Path, scratch: Path) -> list[Any]:
    """The rows of a database made from the files alone."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(bank, scratch, ignore=shutil.ignore_patterns(".syncd"))
    _import(scratch)
    assert _tree(scratch) == _tree(bank), "a first sync changed a file"
    return _rows(scratch)


def _import(bank: Path) -> None:
    engine = Engine.open(bank, create=True, config=Config(settle_seconds=0.0))
    try:
        engine.converge()
    finally:
        engine.close()


def _unshown(bank: Path, scratch: Path) -> list[Counter[Any]]:
    """What a database made anew from the files has not, or has instead: of a recorded bank with drift, a little."""
    return [
        Counter(map(repr, a)) - Counter(map(repr, b)) for a, b in zip(_rows(bank), _anew(bank, scratch), strict=True)
    ]


def _check(bank: Path, scratch: Path, act: Act) -> None:
    """Do it on a copy of ``bank``."""
    copy = scratch / "bank"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bank, copy)
    files, rows = _tree(copy), _rows(copy)
    refusal = None
    try:
        with syncd.open_bank(copy).transaction() as tx:
            act(tx)
    except InvalidOperation as error:
        refusal = str(error)
    if refusal is not None:
        assert "\n" not in refusal, "a refusal is one line"
        assert (_tree(copy), _rows(copy)) == (files, rows), "a refusal changed something"
        return
    assert tx.result.state == "converged", tx.result
    for now, before in zip(_unshown(copy, scratch / "anew"), _unshown(bank, scratch / "anew"), strict=True):
        assert now <= before, "the files do not say what the rows say"


@pytest.fixture(scope="module")
def banks(
    tmp_path_factory: pytest.TempPathFactory, last_state: Callable[[str], dict[str, str]]
) -> Callable[[str], tuple[Path, Path]]:
    """The sample bank, a new one or a recorded one with its database, and a scratch folder."""
    made: dict[str, tuple[Path, Path]] = {}

    def bank(name: str) -> tuple[Path, Path]:
        if name not in made:
            top = tmp_path_factory.mktemp(name)
            bank = top / "memory-bank"
            if name == "sample":
                shutil.copytree(SAMPLE, bank)
            elif name == "new":
                newbank.create(bank, datetime(2026, 3, 7, 18, 0, tzinfo=UTC))
            else:
                for path, text in last_state(name).items():
                    (bank / path).parent.mkdir(parents=True, exist_ok=True)
                    (bank / path).write_bytes(text.encode())
            _import(bank)
            made[name] = bank, top
        return made[name]

    return bank


@pytest.mark.parametrize("name", ["sample", "new"])
@settings(max_examples=8 * MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(act=ACTS)
def test_a_value_is_refused_or_read_back(banks: Callable[[str], tuple[Path, Path]], name: str, act: Act) -> None:
    """Newlines, pipes, marks of markdown, signs without width, ten thousand letters."""
    _check(*banks(name), act)


@pytest.mark.corpora
@pytest.mark.parametrize("name", CORPORA)
@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(act=ACTS)
def test_a_value_is_refused_or_read_back_in_a_recorded_bank(
    banks: Callable[[str], tuple[Path, Path]], name: str, act: Act
) -> None:
    """In the style of each."""
    _check(*banks(name), act)
