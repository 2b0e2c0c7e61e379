"""What a person says about conflicts, carried out on both sides."""

from __future__ import annotations

import re
from typing import Any

import pytest

from syncd import requests, settle
from syncd.errors import UsageError
from syncd.model import State

LiveBank = Any


def resolve(live: LiveBank, take: str, *ids: object) -> dict[str, Any]:
    """Settle conflicts (all of them, where no id is given), and converge."""
    return requests.answer(live.engine, "resolve", {"take": take, "ids": list(ids), "all": not ids})


def priorities(live: LiveBank, task: str) -> tuple[Any, str, str]:
    """The priority of a task as its row, its own document and the registry have it."""
    own = re.search(r"\*\*Priority\*\*: (\w+)", live.read(f"tasks/{task}.md"))
    row = next(line for line in live.read("tasks.md").split("\n") if line.startswith(f"| {task} "))
    assert own
    listed = re.search(r"CRITICAL|HIGH|MEDIUM|LOW", row)
    assert listed
    return live.value("SELECT priority FROM tasks WHERE id = ?", task), own[1], listed[0]


@pytest.fixture
def conflict(live: LiveBank) -> dict[str, Any]:
    """T6's priority: LOW before, HIGH by hand, MEDIUM by row; the file stands."""
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET priority = 'MEDIUM' WHERE id = 'T6'")
    (found,) = live.sync().conflicts
    return dict(found)


def test_taking_the_side_that_stands_changes_nothing(live: LiveBank, conflict: dict[str, Any]) -> None:
    """It is settled, and no file is written."""
    before = live.tree()
    answer = resolve(live, "file", conflict["id"])
    assert (answer["conflicts"], answer["state"]) == ((), State.CONVERGED.value)
    assert live.tree() == before
    assert priorities(live, "T6") == ("HIGH", "HIGH", "HIGH")


def test_taking_the_other_side_changes_row_and_files(live: LiveBank, conflict: dict[str, Any]) -> None:
    """In every current place."""
    answer = resolve(live, "db", conflict["id"])
    assert answer["conflicts"] == ()
    assert priorities(live, "T6") == ("MEDIUM", "MEDIUM", "MEDIUM")
    live.assert_at_rest()


def test_a_conflict_can_be_settled_once(live: LiveBank, conflict: dict[str, Any]) -> None:
    """The second time its id is not that of an open one."""
    resolve(live, "db", conflict["id"])
    with pytest.raises(UsageError, match="not the id of an open one"):
        resolve(live, "file", conflict["id"])
    assert priorities(live, "T6")[0] == "MEDIUM"


def test_both_values_stay_readable_after_it_is_settled(live: LiveBank, conflict: dict[str, Any]) -> None:
    """What lost is kept."""
    resolve(live, "db", conflict["id"])
    row = live.sql("SELECT base, file, db, resolution FROM conflicts WHERE id = ?", conflict["id"])
    assert row == [("LOW", "HIGH", "MEDIUM", "db")]


def test_all_conflicts_are_settled_together(live: LiveBank, conflict: dict[str, Any]) -> None:
    """Of several records, in both directions."""
    live.edit("tasks/T4.md", "**Started**: 2026-03-04", "**Started**: 2026-03-01")
    live.sql("UPDATE tasks SET started = '2026-03-02' WHERE id = 'T4'")
    assert len(live.sync().conflicts) == 2
    assert resolve(live, "db")["conflicts"] == ()
    assert priorities(live, "T6")[0] == "MEDIUM"
    assert "**Started**: 2026-03-02" in live.read("tasks/T4.md")
    live.assert_at_rest()


def test_lines_of_prose_can_be_taken_from_the_database(live: LiveBank) -> None:
    """Only these lines of the document change."""
    live.edit("projectbrief.md", "wet gloves", "warm gloves")
    live.sql("UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'")
    (found,) = live.sync().conflicts
    before = live.read("projectbrief.md")
    assert resolve(live, "db", found["id"])["conflicts"] == ()
    assert live.read("projectbrief.md") == before.replace("warm gloves", "thick gloves")
    live.assert_at_rest()


def test_lines_that_have_moved_on_are_not_taken_by_force(live: LiveBank) -> None:
    """They are no longer the lines that the conflict is about."""
    live.edit("projectbrief.md", "wet gloves", "warm gloves")
    live.sql("UPDATE sections SET text = replace(text, 'wet gloves', 'thick gloves') WHERE text LIKE '%wet gloves%'")
    (found,) = live.sync().conflicts
    live.edit("projectbrief.md", "warm gloves", "no gloves")
    live.sync()
    with pytest.raises(UsageError, match="have changed since"):
        resolve(live, "db", found["id"])
    assert len(live.sync().conflicts) == 1
    resolve(live, "file", found["id"])
    assert "no gloves" in live.read("projectbrief.md")


def test_an_edit_beats_the_deletion_of_its_text(live: LiveBank) -> None:
    """Deleted in the file, edited by a row: the row stays and its text comes back; told."""
    text = live.read("edit_history.md")
    start = text.index("#### 19:08:51")
    end = text.index("### 2026-03-04")
    live.write("edit_history.md", text[:start] + text[end:])
    live.sql("UPDATE edit_entries SET task_description = 'Canvas' WHERE time LIKE '19:08%'")
    report = live.sync()
    assert report.conflicts
    assert {c["kept"] for c in report.conflicts} == {"db"}
    assert "#### 19:08:51 UTC - T3: Canvas\n" in live.read("edit_history.md")
    assert "One path for the curve" in live.read("edit_history.md")
    live.assert_at_rest()


def test_taking_the_deletion_deletes_after_all(live: LiveBank) -> None:
    """The file's side was that the record goes."""
    text = live.read("edit_history.md")
    start = text.index("#### 19:08:51")
    end = text.index("### 2026-03-04")
    live.write("edit_history.md", text[:start] + text[end:])
    live.sql("UPDATE edit_entries SET task_description = 'Canvas' WHERE time LIKE '19:08%'")
    live.sync()
    assert resolve(live, "file")["conflicts"] == ()
    assert live.value("SELECT count(*) FROM edit_entries WHERE time LIKE '19:08%'") == 0
    assert "19:08:51" not in live.read("edit_history.md")
    live.assert_at_rest()


def test_an_edit_beats_the_deletion_of_its_row(live: LiveBank) -> None:
    """Deleted by a row, edited in the file: the row comes back with the edit; taking the database deletes after all."""
    live.edit("errorLog.md", "Nine stations of the list", "Ten stations of the list")
    live.sql("DELETE FROM error_logs WHERE task_id = 'T2'")
    report = live.sync()
    assert {c["kept"] for c in report.conflicts} == {"file"}
    cause = live.value("SELECT cause FROM error_logs WHERE task_id = 'T2'")
    assert cause == "Ten stations of the list have no datum yet"
    live.assert_at_rest()
    assert resolve(live, "db")["conflicts"] == ()
    assert live.value("SELECT count(*) FROM error_logs WHERE task_id = 'T2'") == 0
    assert "datum" not in live.read("errorLog.md")
    live.assert_at_rest()


def test_dependencies_can_be_taken(live: LiveBank) -> None:
    """A list is one value of a conflict; a set merges without one, so it is a stale text that reverts it."""
    read = live.read("tasks/T3.md")
    live.sql("INSERT INTO task_dependencies VALUES ('T3', 'T5')")
    live.sync()
    live.write("tasks/T3.md", read)
    (found,) = live.sync().conflicts
    assert found["field"] == "dependencies"
    resolve(live, "db", found["id"])
    needs = live.sql("SELECT depends_on FROM task_dependencies WHERE task_id = 'T3' ORDER BY 1")
    assert needs == [("T1",), ("T2",), ("T5",)]
    assert "**Dependencies**: T1, T2, T5" in live.read("tasks/T3.md")
    live.assert_at_rest()


def test_a_conflict_of_a_record_that_is_gone_says_so(live: LiveBank, conflict: dict[str, Any]) -> None:
    """And stays open until the side that stands is taken."""
    live.sql("DELETE FROM tasks WHERE id = 'T6'")
    live.sync()
    requests.answer(live.engine, "accept", {"all": True})
    with pytest.raises(UsageError, match="no longer there"):
        settle.act(live.engine, "resolve", {"take": "db", "ids": [conflict["id"]]})
    assert resolve(live, "file", conflict["id"])["conflicts"] == ()


def test_settling_one_with_a_wrong_id_beside_it_does_nothing(live: LiveBank, conflict: dict[str, Any]) -> None:
    """All or none."""
    with pytest.raises(UsageError):
        settle.act(live.engine, "resolve", {"take": "db", "ids": [conflict["id"], 99]})
    assert len(live.sync().conflicts) == 1
    assert priorities(live, "T6")[0] == "HIGH"


def test_a_mode_is_remembered(live: LiveBank) -> None:
    """By the database, so the next process has it too."""
    settle.act(live.engine, "mode", {"mode": "observe"})
    live.reopen()
    assert live.engine.mode.value == "observe"
