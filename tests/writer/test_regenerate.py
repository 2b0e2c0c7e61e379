"""Whole documents from rows: canonical where there was none, lossless where there was one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parser.document import Document, parse
from parser.kinds.entry_heads import entry_fields
from schema.records import Priority, Role, Status, Table, Value
from writer.put import Put
from writer.regenerate import (
    regenerate_active_context,
    regenerate_changelog,
    regenerate_edit_history,
    regenerate_error_log,
    regenerate_session_cache,
    regenerate_tasks,
)

Rows = dict[str, dict[str, Value]]

LAW = settings(max_examples=40)

WORDS = st.lists(
    st.sampled_from(["Engine", "of", "two", "`x.py`", "a|b", "3D", "(new)", "über", "🔥", "#4", "v1.2", "A-B"]),
    min_size=1, max_size=5,
).map(" ".join)  # fmt: skip
"""What people write."""
ANY = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=30)
"""What fits in a column."""
IDS = st.sampled_from(["T1", "T2", "T3", "T20a", "T21", "META-1"])
DATES = st.dates(min_value=date(2000, 1, 1)).map(str)
CLOCKS = st.times().map(lambda t: t.strftime("%H:%M"))


def _rows(values: st.SearchStrategy[dict[str, Value]]) -> st.SearchStrategy[Rows]:
    """Rows by a number as their key."""
    return st.lists(values, max_size=6).map(lambda rows: {str(n): {"id": str(n), **r} for n, r in enumerate(rows, 1)})


def _tasks(words: st.SearchStrategy[str]) -> st.SearchStrategy[Rows]:
    values = st.fixed_dictionaries({
        "title": st.none() | words,
        "status": st.none() | st.sampled_from([s.value for s in Status]),
        "priority": st.none() | st.sampled_from([p.value for p in Priority]),
        "started": st.none() | DATES,
        "completed": st.none() | DATES,
        "last_updated": st.none() | DATES,
        "details": st.none() | words,
        "description": st.none(),
        "dependencies": st.lists(IDS, unique=True, max_size=3).map(tuple),
    })  # fmt: skip
    return st.dictionaries(IDS, values, max_size=6)


def _entries(words: st.SearchStrategy[str]) -> st.SearchStrategy[Rows]:
    return _rows(st.fixed_dictionaries({
        "date": DATES, "time": CLOCKS, "timezone": st.none() | st.sampled_from(["IST", "UTC"]),
        "task_id": st.none() | st.lists(IDS, min_size=1, max_size=2, unique=True).map(", ".join),
        "task_description": words,
    }))  # fmt: skip


def _lines(words: st.SearchStrategy[str]) -> st.SearchStrategy[Rows]:
    return _rows(st.fixed_dictionaries({
        "edit_entry_id": st.sampled_from("123"), "action": st.sampled_from(["Created", "Modified", "Deleted"]),
        "file_path": st.sampled_from(["a.py", "src/b c.ts", "docs/d.md"]), "description": st.none() | words,
    }))  # fmt: skip


def _errors(words: st.SearchStrategy[str]) -> st.SearchStrategy[Rows]:
    return _rows(st.fixed_dictionaries({
        "timestamp": st.tuples(DATES, CLOCKS).map(" ".join), "task_id": st.none() | IDS,
        "file_path": st.none() | st.just("src/a.py"), "error_message": words, "cause": st.none() | words,
        "fix_applied": st.none() | words,
    }))  # fmt: skip


def _plain(values: Mapping[str, Value], without: str = "") -> tuple[object, ...]:
    """Values that say something, without ids of rows."""
    return tuple(sorted(
        (n, tuple(sorted(v)) if isinstance(v, tuple) else v)
        for n, v in values.items()
        if v not in (None, (), "") and n not in ("id", "edit_entry_id", without)
    ))  # fmt: skip


def _read(document: Document, table: Table) -> Counter[object]:
    return Counter(_plain(r.values()) for _, r in document.readings() if r.table is table)


def _told(put: Put, rows: Rows, table: Table) -> None:
    """Every row reads back, or is refused."""
    refused = Counter(_plain(r.change.values) for r in put.refused if r.change.table is table)  # type: ignore[union-attr]
    assert _read(put.document, table) + refused == Counter(_plain(row) for row in rows.values())


@LAW
@given(_tasks(WORDS))
def test_a_registry_from_rows_reads_back_as_these_rows(tasks: Rows) -> None:
    """All that a registry shows of a task."""
    put = regenerate_tasks(tasks, updated="2025-11-13 18:27:15 IST")
    assert put.refused == ()
    found = {r.key: _plain(r.values()) for _, r in put.document.readings() if r.table is Table.TASKS}
    assert found == {task: _plain(row) for task, row in tasks.items()}


@LAW
@given(_tasks(ANY))
def test_a_registry_shows_each_task_as_it_is_or_refuses_it(tasks: Rows) -> None:
    """Whatever a title holds."""
    put = regenerate_tasks(tasks)
    refused = {r.change.values["id"] for r in put.refused}  # type: ignore[union-attr]
    found = {r.key: _plain(r.values()) for _, r in put.document.readings() if r.table is Table.TASKS}
    assert found == {task: _plain(row) for task, row in tasks.items() if task not in refused}


@LAW
@given(_entries(WORDS), _lines(WORDS))
def test_a_history_from_rows_reads_back_as_these_rows(entries: Rows, lines: Rows) -> None:
    """Entries, newest first, and the lines below them."""
    lines = {key: row for key, row in lines.items() if row["edit_entry_id"] in entries}
    put = regenerate_edit_history(entries, lines)
    assert put.refused == ()
    _told(put, entries, Table.ENTRIES)
    _told(put, lines, Table.MODIFICATIONS)
    moments = [(r.value("date"), r.value("time")) for _, r in put.document.readings() if r.table is Table.ENTRIES]
    assert moments == sorted(moments, reverse=True, key=str)


@LAW
@given(_entries(ANY))
def test_a_history_shows_each_entry_as_it_is_or_refuses_it(entries: Rows) -> None:
    """Whatever a description holds."""
    _told(regenerate_edit_history(entries, {}), entries, Table.ENTRIES)


@LAW
@given(_errors(WORDS))
def test_an_error_log_from_rows_reads_back_as_these_rows(errors: Rows) -> None:
    """Also those of one moment."""
    put = regenerate_error_log(errors)
    assert put.refused == ()
    _told(put, errors, Table.ERRORS)


@LAW
@given(_errors(ANY))
def test_an_error_log_shows_each_error_as_it_is_or_refuses_it(errors: Rows) -> None:
    """Whatever its message holds."""
    _told(regenerate_error_log(errors), errors, Table.ERRORS)


@LAW
@given(_tasks(WORDS), st.sampled_from([None, "T1", "T3 (Engine)"]))
def test_a_cache_from_rows_reads_back_as_these_rows(tasks: Rows, focus: str | None) -> None:
    """The one row, and title and status of each task."""
    cache: dict[str, Value] = {
        "id": "1", "current_session_id": "sessions/2025-11-13-evening.md", "current_focus_task": focus,
        "active_count": "3", "paused_count": "0", "completed_count": None,
    }  # fmt: skip
    put = regenerate_session_cache(cache, tasks, updated="2025-11-13 18:27:15 UTC")
    said: dict[str, Value] = {}
    for _, reading in put.document.readings():
        if reading.table is Table.CACHE:
            said |= reading.values()
    assert _plain(said) == _plain({**cache, "last_updated": "2025-11-13 18:27:15"})
    refused = {r.change.values["id"] for r in put.refused}  # type: ignore[union-attr]
    found = {r.key: _plain(r.values()) for _, r in put.document.readings() if r.table is Table.TASKS}
    kept = {t: row for t, row in tasks.items() if t not in refused}
    assert found == {t: _plain({n: row[n] for n in ("title", "status")}) for t, row in kept.items()}
    assert all(not (tasks[t]["title"] or tasks[t]["status"]) or "🔥" in str(tasks[t]["title"]) for t in refused)


@LAW
@given(_tasks(WORDS))
def test_a_context_from_rows_reads_back_as_these_rows(tasks: Rows) -> None:
    """Status and priority of the task in focus and of those that are open."""
    put = regenerate_active_context(tasks, "T1" if "T1" in tasks else None)
    assert put.refused == ()
    for _, reading in put.document.readings():
        assert all(tasks[reading.key][name] == value for name, value in reading.values().items())
    shown = {r.key for _, r in put.document.readings()}
    assert {t for t, row in tasks.items() if row["status"] in ("in_progress", "paused", "blocked")} <= shown


TASKS = """# Tasks

*Last Updated: 2025-01-01 10:00*

## Active Tasks

| ID | Title     | Status | Priority | Started    | Dependencies |
|----|-----------|--------|----------|------------|--------------|
| T1 | One       | 🔄     | HIGH     | 2025-01-01 | -            |
| T2 | Two       | ⬜     | LOW      | -          | T1 (first)   |

## Notes

Odd  spacing. \x20
"""
HISTORY = """# Edit History

### 2025-01-02

#### 10:00 - T1: First
- Modified `a.py` - one
- Created `c.py` - two

Prose.

#### 09:00 - T2: Second
- Modified `c.py` - three
"""
ERRORS = """# Error Log

## 2025-01-02 10:00: T1 - It fails
**File:** `a.py`
**Cause:** Something

## 2025-01-01 10:00: T2 - It failed
**Fix:** Nothing
"""
CACHE = """# Session Cache

**Focus Task**: T1
**Session File**: `sessions/2025-01-02-morning.md`

## Overview
- Active: 2 | Paused: 0 | Completed: 0

## Task Registry
- T1: One - 🔄
- T2: Two - ⬜
"""


def _values(text: str, path: str, table: Table) -> Rows:
    """The rows that a document shows."""
    found: Rows = {}
    entry = 0
    for number, (_, r) in enumerate(parse(path, text).readings()):
        entry = number if r.table is Table.ENTRIES else entry
        if r.table is table:
            found[r.key if table is Table.TASKS else str(number)] = {"edit_entry_id": str(entry), **r.values()}
    return found


def _change(old: str, new: str) -> list[str]:
    """Lines that differ."""
    a, b = old.split("\n"), new.split("\n")
    gone, come = Counter(a) - Counter(b), Counter(b) - Counter(a)
    return [f"-{line}" for line in a if line in gone] + [f"+{line}" for line in b if line in come]


def test_equal_rows_change_nothing() -> None:
    """In no kind of document, to the byte."""
    tasks = _values(TASKS, "tasks.md", Table.TASKS)
    entries, lines = (_values(HISTORY, "edit_history.md", t) for t in (Table.ENTRIES, Table.MODIFICATIONS))
    errors = _values(ERRORS, "errorLog.md", Table.ERRORS)
    cache = next(iter(_values(CACHE, "session_cache.md", Table.CACHE).values()))
    for text, path, call in (
        (TASKS, "tasks.md", lambda d: regenerate_tasks(tasks, d, updated="2030-01-01 10:00")),
        (HISTORY, "edit_history.md", lambda d: regenerate_edit_history(entries, lines, d)),
        (ERRORS, "errorLog.md", lambda d: regenerate_error_log(errors, d)),
        (CACHE, "session_cache.md", lambda d: regenerate_session_cache(cache, tasks, d)),
        (CACHE, "activeContext.md", lambda d: regenerate_active_context(tasks, "T1", d)),
    ):  # fmt: skip
        put = call(parse(path, text))
        assert (put.document.text, put.refused) == (text, ())


def test_only_what_rows_changed_moves_in_a_registry() -> None:
    """A field, a new task, a task that is gone, and the stamp."""
    tasks = _values(TASKS, "tasks.md", Table.TASKS)
    tasks["T1"]["status"] = "completed"
    tasks["T3"] = {"title": "Three", "status": "pending", "priority": "LOW"}
    del tasks["T2"]
    put = regenerate_tasks(tasks, parse("tasks.md", TASKS), updated="2025-02-03 11:12:13 UTC")
    assert put.refused == ()
    assert _change(TASKS, put.document.text) == [
        "-*Last Updated: 2025-01-01 10:00*",
        "-| T1 | One       | 🔄     | HIGH     | 2025-01-01 | -            |",
        "-| T2 | Two       | ⬜     | LOW      | -          | T1 (first)   |",
        "+*Last Updated: 2025-02-03 11:12*",
        "+| T1 | One       | ✅     | HIGH     | 2025-01-01 | -            |",
        "+| T3 | Three     | ⬜     | LOW      | -          | -            |",
    ]


def test_only_what_rows_changed_moves_in_a_history() -> None:
    """Words of an entry, a line changed, a line more, an entry more."""
    entries, lines = (_values(HISTORY, "edit_history.md", t) for t in (Table.ENTRIES, Table.MODIFICATIONS))
    first = next(iter(entries))
    entries[first]["task_description"] = "First of all"
    next(iter(lines.values()))["description"] = "one and a half"
    lines["new"] = {"edit_entry_id": first, "action": "Deleted", "file_path": "d.py", "description": None}
    entries["new"] = {"date": "2025-01-03", "time": "08:00", "task_id": "T1", "task_description": "Third"}
    put = regenerate_edit_history(entries, lines, parse("edit_history.md", HISTORY))
    assert put.refused == ()
    assert [line for line in _change(HISTORY, put.document.text) if len(line) > 1] == [
        "-#### 10:00 - T1: First",
        "-- Modified `a.py` - one",
        "+### 2025-01-03",
        "+#### 08:00 - T1: Third",
        "+#### 10:00 - T1: First of all",
        "+- Modified `a.py` - one and a half",
        "+- Deleted `d.py`",
    ]


def test_only_what_rows_changed_moves_in_an_error_log_and_a_cache() -> None:
    """A value each; an error that is gone goes with its section."""
    errors = _values(ERRORS, "errorLog.md", Table.ERRORS)
    first, second = errors
    errors[first]["cause"] = "A typo"
    del errors[second]
    put = regenerate_error_log(errors, parse("errorLog.md", ERRORS))
    assert put.document.text == ERRORS.replace("Something", "A typo")[: ERRORS.index("\n## 2025-01-01") - 3]
    tasks = {**_values(TASKS, "tasks.md", Table.TASKS)}
    tasks["T2"]["status"] = "in_progress"
    cache: dict[str, Value] = {"current_focus_task": "T2", "current_session_id": "sessions/x.md", "active_count": "3"}
    put = regenerate_session_cache(cache, tasks, parse("session_cache.md", CACHE))
    expected = CACHE.replace("Task**: T1", "Task**: T2").replace("2025-01-02-morning", "x")
    assert put.document.text == expected.replace("Active: 2", "Active: 3").replace("Two - ⬜", "Two - 🔄")


DONE: Rows = {"T7": {"title": "A tide table", "status": "completed", "completed": "2025-11-13"}}


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("# Changelog\n\n## 2025-11-12\n\n- T5: x\n", ["## 2025-11-13", "", "- T7: A tide table", ""]),
        ("# Changelog\n\n## 2025-11-13\n- T5: x\n  more\n\nEnd\n", ["- T7: A tide table"]),
        ("# Changelog\n\n## [Unreleased]\n\n### Added\n* x\n\n## [1.0] - 2025-11-13\n* y\n", ["* T7: A tide table"]),
        ("# Log\n\n### [2025-11-12] T5 Old - x\n- a\n", ["### [2025-11-13] T7 A tide table", "- Completed"]),
        (
            "# Log\n\n## October 2025\n\n### [2025-10-12] T5 Old\n- a\n",
            ["## November 2025", "### [2025-11-13] T7 A tide table", "- Completed"],
        ),
        ("# Changelog\n\n## 2025-11-14\n\n- T5: x\n", ["", "## 2025-11-13", "", "- T7: A tide table"]),
        ("# Changelog\n\n## 2025-11-14\n\n- T7: done\n", []),
    ],
)  # fmt: skip
def test_a_completed_task_gets_a_line_in_the_changelog(text: str, added: list[str]) -> None:
    """Where such lines stand, and once."""
    put = regenerate_changelog(DONE, parse("changelog.md", text))
    new = put.document.text.split("\n")
    for line in text.split("\n"):
        new.remove(line)
    assert [line for line in new if line] == [line for line in added if line]
    assert regenerate_changelog(DONE, put.document).document.text == put.document.text


def test_a_changelog_from_rows_names_what_was_completed() -> None:
    """By day, newest first; what has no date is left out."""
    rows: Rows = {**DONE, "T8": {"title": "Two\nlines", "status": "completed", "completed": "2025-11-14"},
                  "T9": {"title": "Open", "status": "pending"},
                  "T6": {"title": "Early", "status": "completed", "completed": "2025-10-01"}}  # fmt: skip
    put = regenerate_changelog(rows)
    assert put.document.text == "# Changelog\n\n## 2025-11-13\n\n- T7: A tide table\n\n## 2025-10-01\n\n- T6: Early\n"
    assert [r.change.values["id"] for r in put.refused] == ["T8"]  # type: ignore[union-attr]


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["arxivite", "mb", "process-monitor", "qc-diffusion-code", "super-chat"])
def test_recorded_documents_stay_as_they_are(name: str, last_state: Callable[[str], dict[str, str]]) -> None:
    """Rows as the document itself shows them change no byte of it."""
    tree = last_state(name)
    for path, table, call in (
        ("edit_history.md", Table.ENTRIES, None),
        ("errorLog.md", Table.ERRORS, regenerate_error_log),
    ):  # fmt: skip
        if path not in tree:
            continue
        rows = _values(tree[path], path, table)
        document = parse(path, tree[path])
        if call is None:
            put = regenerate_edit_history(rows, _values(tree[path], path, Table.MODIFICATIONS), document)
        else:
            put = call(rows, document)
        assert (put.document.text, put.refused) == (tree[path], ())


def test_the_fields_of_a_canonical_entry_are_its_own() -> None:
    """A day in the heading above, all else in the line."""
    row: dict[str, Value] = {"date": "2025-11-13", "time": "17:48", "task_id": "T21", "task_description": "X"}
    put = regenerate_edit_history({"1": row}, {})
    assert put.document.text == "# Edit History\n\n### 2025-11-13\n\n#### 17:48 - T21: X\n"
    assert set(entry_fields("#### 17:48 - T21: X") or {}) == {"time", "task_id", "task_description"}
    assert all(r.role is Role.HISTORY for _, r in put.document.readings())


def test_a_regenerated_registry_keeps_its_graph_and_brings_it_along() -> None:
    """Drawn on where rows differ from the tables; else to the byte."""
    table = "| ID | Title | Status | Dependencies |\n|---|---|---|---|\n| T1 | One | ✅ | - |\n| T2 | Two | 🔄 | T1 |\n"
    graph = "```mermaid\ngraph TD\n    T1[T1: One ✅]\n    T2[T2: Two]\n    T1 --> T2\n```\n"
    text = f"# Tasks\n\n## Active Tasks\n\n{table}\n## Graph\n\n{graph}"
    one: dict[str, Value] = {"title": "One", "status": "completed", "dependencies": ()}
    two: dict[str, Value] = {"title": "Two", "status": "in_progress", "dependencies": ("T1",)}
    assert regenerate_tasks({"T1": one, "T2": two}, parse("tasks.md", text)).document.text == text
    now = regenerate_tasks({"T1": one, "T2": {**two, "title": "Zwei", "status": "completed", "dependencies": ()}},
                           parse("tasks.md", text)).document.text  # fmt: skip
    assert graph.replace("T2: Two", "T2: Zwei ✅").replace("    T1 --> T2\n", "") in now
