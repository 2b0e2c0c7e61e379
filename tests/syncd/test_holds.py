"""What waits for a yes, and what the yes and the no do: nothing is absorbed or written meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd import requests, settle
from syncd.errors import UsageError
from syncd.model import State
from tests.syncd.conftest import Live

LiveBank = Any

HISTORY = "edit_history.md"


def count(live: LiveBank, table: str) -> int:
    return int(live.value(f"SELECT count(*) FROM {table}"))


def say(live: LiveBank, kind: str, *ids: int) -> dict[str, Any]:
    """Accept or reject holds (all of them, where no id is given), and converge."""
    return requests.answer(live.engine, kind, {"ids": list(ids)} if ids else {"all": True})


def cut_history(live: LiveBank, keep: int) -> str:
    """Save the edit history with its first ``keep`` entries only."""
    parts = live.read(HISTORY).split("#### ")
    text = "#### ".join(parts[: keep + 1])
    live.write(HISTORY, text)
    return str(text)


def test_losing_many_records_at_once_is_held_with_its_reason(live: LiveBank) -> None:
    """Rows stay, the file stays, `status` has the sentence; other documents go on."""
    entries = count(live, "edit_entries")
    text = cut_history(live, 2)
    live.edit("tasks/T6.md", "LOW", "HIGH")
    report = live.sync()
    assert report.state is State.ATTENTION
    (hold,) = report.holds
    assert (hold["path"], hold["kind"]) == (HISTORY, "deletion")
    assert "records in one edit" in str(hold["reason"])
    assert count(live, "edit_entries") == entries
    assert live.read(HISTORY) == text
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "HIGH"


def test_a_hold_is_noted_once(live: LiveBank) -> None:
    """The second look finds the same hold: same id, nothing written."""
    cut_history(live, 2)
    (first,) = live.sync().holds
    changes = live.value("SELECT total_changes()")
    (second,) = live.sync().holds
    assert first == second
    assert live.value("SELECT total_changes()") == changes
    assert live.value("SELECT count(*) FROM transaction_log") == 1


@pytest.mark.parametrize(("records", "share", "held"), [(5, 0.2, True), (100, 0.2, False), (5, 0.99, False)])
def test_both_limits_must_be_passed(
    bank: Path, open_live: Callable[..., LiveBank], records: int, share: float, held: bool
) -> None:
    """More than so many records, and more than such a share of the document."""
    live = open_live(bank, hold_records=records, hold_share=share)
    live.sync()
    cut_history(live, 2)
    assert bool(live.sync().holds) is held


@pytest.mark.parametrize("content", [b"", b"\n  \n"])
def test_an_emptied_document_is_held(live: LiveBank, content: bytes) -> None:
    """As a crashed editor leaves it."""
    entries = count(live, "edit_entries")
    live.write(HISTORY, content)
    (hold,) = live.sync().holds
    assert "was emptied" in str(hold["reason"])
    assert count(live, "edit_entries") == entries
    assert (live.bank / HISTORY).read_bytes() == content


def test_an_emptied_document_that_comes_back_withdraws_its_hold(live: LiveBank) -> None:
    """The editor finished: nothing is left to ask."""
    text = live.read(HISTORY)
    live.write(HISTORY, b"")
    live.sync()
    live.write(HISTORY, text)
    report = live.sync()
    assert (report.holds, report.state) == ((), State.CONVERGED)
    live.assert_at_rest()


def test_a_vanished_document_with_records_is_held(live: LiveBank) -> None:
    """Also one with a single record; a document of prose may go."""
    (live.bank / "tasks/T6.md").unlink()
    (live.bank / "progress.md").unlink()
    report = live.sync()
    assert [h["path"] for h in report.holds] == ["tasks/T6.md"]
    assert count(live, "task_subtasks WHERE task_id = 'T6'") == 3
    assert live.value("SELECT count(*) FROM documents WHERE path = 'progress.md'") == 0


def test_a_file_that_is_away_for_a_moment_is_no_deletion(bank: Path, open_live: Callable[..., LiveBank]) -> None:
    """Within `settle_seconds` it is named as pending, and not held."""
    live = open_live(bank, settle_seconds=60.0)
    live.sync()
    text = live.read(HISTORY)
    (live.bank / HISTORY).unlink()
    report = live.sync(settle=False)
    assert (report.holds, report.pending) == ((), (HISTORY,))
    live.write(HISTORY, text)
    assert live.sync(settle=False).pending == ()


def test_sync_waits_for_a_file_that_is_away(bank: Path, open_live: Callable[..., LiveBank]) -> None:
    """With ``settle`` a file that comes back in time was never gone."""
    import threading
    import time

    live = open_live(bank, settle_seconds=5.0)
    live.sync()
    text = live.read(HISTORY)
    (live.bank / HISTORY).unlink()
    back = threading.Timer(0.15, live.write, (HISTORY, text))
    back.start()
    began = time.monotonic()
    report = live.sync()
    back.join()
    assert (report.holds, report.pending) == ((), ())
    assert time.monotonic() - began < 2.0


def test_conflict_markers_are_held(live: LiveBank) -> None:
    """Not a byte of the file is absorbed or written, also where rows of it change."""
    text = live.read("tasks/T6.md").replace(
        "**Priority**: LOW", "<<<<<<< HEAD\n**Priority**: HIGH\n=======\n**Priority**: MEDIUM\n>>>>>>> other"
    )
    live.write("tasks/T6.md", text)
    live.sql("UPDATE tasks SET title = 'A Sheet' WHERE id = 'T6'")
    (hold,) = live.sync().holds
    assert (hold["kind"], "conflict markers" in str(hold["reason"])) == ("markers", True)
    assert live.read("tasks/T6.md") == text
    live.write("tasks/T6.md", text.split("<<<<<<<")[0] + "**Priority**: HIGH" + text.split(">>>>>>> other")[1])
    live.sync(follow=True)
    assert live.sql("SELECT priority, title FROM tasks WHERE id = 'T6'") == [("HIGH", "A Sheet")]
    assert "# T6: A Sheet" in live.read("tasks/T6.md")
    live.assert_at_rest()


def test_a_row_of_a_held_document_is_not_written_into_it(live: LiveBank) -> None:
    """The other side is not written either; after the yes both are there."""
    text = cut_history(live, 12)
    live.write(HISTORY, text.replace("#### 18:42", "<<<<<<< a\n#### 18:42", 1) + "\n=======\n>>>>>>> b\n")
    marked = live.read(HISTORY)
    live.sql("UPDATE edit_entries SET task_description = 'By row' WHERE time LIKE '18:42%'")
    assert len(live.sync().holds) == 1
    assert live.read(HISTORY) == marked


def test_a_deleted_task_row_holds_its_document(live: LiveBank) -> None:
    """The whole document would be removed: that waits, and so do the other places."""
    before = live.tree()
    live.sql("DELETE FROM tasks WHERE id = 'T6'")
    (hold,) = live.sync().holds
    assert (hold["path"], hold["kind"]) == ("tasks/T6.md", "removal")
    assert live.tree() == before


def test_an_accepted_removal_takes_the_document_and_all_places(live: LiveBank) -> None:
    """Its file goes, its lines elsewhere go, its history stays."""
    live.sql("DELETE FROM tasks WHERE id = 'T6'")
    live.sync()
    answer = say(live, "accept")
    assert answer["holds"] == ()
    assert not (live.bank / "tasks/T6.md").exists()
    assert "| T6 " not in live.read("tasks.md")
    assert "T6: Task for the month sheet" in live.read(HISTORY)
    live.assert_at_rest()


def test_a_rejected_removal_puts_the_rows_back(live: LiveBank) -> None:
    """The task, its dependencies and its checklist, with their old keys."""
    queries = [
        "SELECT * FROM tasks WHERE id = 'T6'",
        "SELECT depends_on FROM task_dependencies WHERE task_id = 'T6' ORDER BY 1",
        "SELECT id, text, status FROM task_subtasks WHERE task_id = 'T6' ORDER BY id",
    ]
    before, files = [live.sql(q) for q in queries], live.tree()
    live.sql("DELETE FROM tasks WHERE id = 'T6'")
    live.sync()
    say(live, "reject")
    assert [live.sql(q) for q in queries] == before
    assert live.tree() == files
    live.assert_at_rest()


@pytest.mark.parametrize("yes", [True, False])
def test_a_document_that_was_moved_while_its_row_was_deleted_waits_where_it_is(live: LiveBank, yes: bool) -> None:
    """The question stands until it is answered: where the document was is not let go of before."""
    old, new = "sessions/2026-03-05-evening.md", "sessions/moved-2026-03-05-evening.md"
    text, row = live.read(old), live.sql("SELECT * FROM sessions WHERE path = ?", old)
    live.sql("DELETE FROM sessions WHERE path = ?", old)
    (live.bank / old).rename(live.bank / new)
    for _ in range(2):
        (hold,) = live.sync().holds
        assert (hold["path"], hold["kind"]) == (new, "removal")
    assert live.sync().transaction is None
    assert live.value("SELECT count(*) FROM sessions WHERE path IN (?, ?)", old, new) == 0
    say(live, "accept" if yes else "reject")
    assert (live.bank / new).exists() != yes
    assert not (live.bank / old).exists()
    if not yes:
        assert live.read(new) == text
        assert len(live.sql("SELECT * FROM sessions WHERE path = ?", new)) == len(row)
    live.assert_at_rest()


def test_who_edits_a_document_whose_removal_is_held_has_said_no(live: LiveBank) -> None:
    """An edit beats a deletion, while that waits too: the task stands, and the deletion is told and can be taken."""
    items = live.sql("SELECT id, text FROM task_subtasks WHERE task_id = 'T6' ORDER BY id")
    title = live.value("SELECT title FROM tasks WHERE id = 'T6'")
    live.sql("DELETE FROM tasks WHERE id = 'T6'")
    assert [hold["kind"] for hold in live.sync().holds] == ["removal"]
    text = live.read("tasks/T6.md")
    line = next(line for line in text.split("\n") if items[0][1] in line)
    edited = text.replace(line, "- [ ] Something altogether different by now")
    live.write("tasks/T6.md", edited)
    report = live.sync()
    assert (report.absorbed, report.emitted, report.holds) == (("tasks/T6.md",), (), ())
    assert [(c["table"], c["key"], c["kept"]) for c in report.conflicts] == [("tasks", "T6", "file")]
    assert live.read("tasks/T6.md") == edited
    assert live.value("SELECT title FROM tasks WHERE id = 'T6'") == title
    texts = [text for (text,) in live.sql("SELECT text FROM task_subtasks WHERE task_id = 'T6' ORDER BY id")]
    assert texts[-1] == "Something altogether different by now"
    live.assert_at_rest()


def test_items_that_come_back_with_their_task_keep_their_order(live: LiveBank) -> None:
    """Somebody edited the task elsewhere: its row stands, and its items where their document has them."""
    items = "SELECT id, position, text FROM task_subtasks WHERE task_id = 'T6' ORDER BY id"
    before = live.sql(items)
    live.sql("DELETE FROM tasks WHERE id = 'T6'")
    row = next(line for line in live.read("tasks.md").split("\n") if line.startswith("| T6 "))
    live.edit("tasks.md", row, row.replace("LOW", "HIGH"))
    live.sync()
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "HIGH"
    assert live.sql(items) == before


def test_what_comes_to_nothing_beside_a_change_that_waits_makes_one_transaction(live: LiveBank) -> None:
    """A dependency came and went with a task whose document waits: not every further converge writes of it."""
    live.sql("INSERT INTO task_dependencies VALUES ('T6', 'T1')")
    live.sql("UPDATE tasks SET id = 'T3b' WHERE id = 'T6'")
    assert [hold["kind"] for hold in live.sync().holds] == ["removal"]
    waiting = live.sql('SELECT "table", key FROM row_changes WHERE "transaction" IS NULL')
    assert ("tasks", "T6") in waiting
    assert ("task_dependencies", "T6>T1") not in waiting
    assert live.sync().transaction is None


def test_an_accepted_deletion_is_absorbed_once(live: LiveBank) -> None:
    """The yes is for this text: the next loss is asked for again."""
    text = cut_history(live, 8)
    live.engine.config = type(live.engine.config)(settle_seconds=0.0, hold_records=2, hold_share=0.1)
    live.write(HISTORY, text)
    (hold,) = live.sync().holds
    answer = say(live, "accept", hold["id"])
    assert (answer["holds"], answer["absorbed"]) == ((), (HISTORY,))
    assert count(live, "edit_entries") == 8
    live.assert_at_rest()
    cut_history(live, 2)
    assert len(live.sync().holds) == 1
    assert count(live, "edit_entries") == 8


def test_a_yes_holds_for_a_document_that_was_just_written(small: Callable[..., Live]) -> None:
    """What was emptied right behind our writing is not taken for the save of somebody who had not seen that."""
    live = small({"tasks.md": "# Tasks\n\n| ID | Title | Status |\n|---|---|---|\n| T1 | One | ⬜ |\n"})
    live.sql("INSERT INTO tasks(id, title, status) VALUES ('T88', 'From a row', 'pending')")
    live.sync()
    live.write("tasks.md", "")
    (hold,) = live.sync().holds
    settle.act(live.engine, "accept", {"ids": [hold["id"]]})
    live.sync()
    assert live.read("tasks.md") == ""


def test_a_checklist_follows_no_task_that_a_client_renamed(small: Callable[..., Live]) -> None:
    """The document was moved into the archive by hand, where it still has the old id."""
    text = "# T5: Five\n\n**Status**: 🔄\n\n## Subtasks\n\n- [ ] one\n"
    live = small({"tasks/T5.md": text})
    live.write("archive/tasks/T5.md", text)
    (live.bank / "tasks/T5.md").unlink()
    live.sql("UPDATE tasks SET id = 'T7' WHERE id = 'T5'")
    live.sync()
    assert live.sql("SELECT task_id, text FROM task_subtasks") == [("T7", "one")]


def test_what_a_client_wrote_into_a_document_that_is_no_text_any_more_is_kept(small: Callable[..., Live]) -> None:
    live = small({"notes.md": "# Notes\n"})
    live.sql("UPDATE sections SET text = text || 'Said by a client.'")
    live.write("notes.md", b"\xff\xfe no text")
    live.sync()
    ((kept,),) = live.sql("SELECT db FROM conflicts")
    assert "Said by a client." in kept


def test_a_yes_does_not_cover_what_was_saved_after_it(live: LiveBank) -> None:
    """The text that is absorbed must be the one that was accepted."""
    cut_history(live, 3)
    (hold,) = live.sync().holds
    settle.act(live.engine, "accept", {"ids": [hold["id"]]})
    cut_history(live, 1)
    assert len(live.sync().holds) == 1
    assert count(live, "edit_entries") == 12


def test_reject_puts_the_file_back_to_the_byte_and_keeps_what_it_held(live: LiveBank) -> None:
    """What goes away can be read again."""
    before = live.tree()
    lost = cut_history(live, 2) + "\nA sentence that only this text has.\n"
    live.write(HISTORY, lost)
    live.sync()
    answer = say(live, "reject")
    assert answer["holds"] == ()
    assert live.tree() == before
    kept = live.sql("SELECT file, resolution FROM conflicts WHERE document = ?", HISTORY)
    assert kept == [(lost, "rejected")]
    live.assert_at_rest()


def test_a_yes_to_one_document_does_not_wait_for_that_to_another(live: LiveBank) -> None:
    """A document that shows a task goes, while the removal of that task's own document waits."""
    live.sql("DELETE FROM tasks WHERE id = 'T4'")
    (live.bank / "activeContext.md").unlink()
    holds = {hold["path"]: hold["id"] for hold in live.sync().holds}
    assert holds.keys() == {"tasks/T4.md", "activeContext.md"}
    say(live, "accept", int(holds["activeContext.md"]))
    assert live.sql("SELECT count(*) FROM documents WHERE path = 'activeContext.md'") == [(0,)]
    assert [hold["path"] for hold in live.sync().holds] == ["tasks/T4.md"]
    say(live, "reject")
    assert live.sql("SELECT count(*) FROM tasks WHERE id = 'T4'") == [(1,)]
    live.assert_at_rest()


def test_reject_brings_a_vanished_document_back(live: LiveBank) -> None:
    """With its bytes."""
    before = live.tree()
    (live.bank / "tasks/T6.md").unlink()
    live.sync()
    say(live, "reject")
    assert live.tree() == before
    live.assert_at_rest()


def test_mode_observe_refuses_to_put_a_file_back(live: LiveBank) -> None:
    """It never writes one; none of the holds is settled by half, and a yes is as ever."""
    live.sql("INSERT OR REPLACE INTO state(name, value) VALUES ('mode', 'observe')")
    cut_history(live, 2)
    (live.bank / "tasks/T6.md").unlink()
    assert len(live.sync().holds) == 2
    before = live.tree()
    with pytest.raises(UsageError, match=r"no hold is rejected in mode observe.*syncd mode coexist"):
        say(live, "reject")
    assert len(live.sync().holds) == 2
    assert live.tree() == before
    assert live.value("SELECT count(*) FROM outbox") == 0
    assert say(live, "accept")["holds"] == ()
    assert live.tree() == before


def test_one_several_and_all_holds_can_be_settled(live: LiveBank) -> None:
    """By id, the others stay."""
    for path in ("tasks/T4.md", "tasks/T5.md", "tasks/T6.md", HISTORY):
        live.write(path, b"")
    ids = {str(h["path"]): int(str(h["id"])) for h in live.sync().holds}
    assert len(ids) == 4
    answer = say(live, "accept", ids["tasks/T4.md"])
    assert {h["path"] for h in answer["holds"]} == {"tasks/T5.md", "tasks/T6.md", HISTORY}
    assert count(live, "task_subtasks WHERE task_id = 'T4'") == 0
    answer = say(live, "reject", ids["tasks/T5.md"], ids["tasks/T6.md"])
    assert {h["path"] for h in answer["holds"]} == {HISTORY}
    assert live.read("tasks/T6.md").startswith("# T6")
    assert say(live, "reject")["holds"] == ()
    live.assert_at_rest()


def test_an_unknown_hold_is_a_usage_error_and_nothing_is_done(live: LiveBank) -> None:
    """Also where one of several ids is wrong."""
    live.write(HISTORY, b"")
    (hold,) = live.sync().holds
    with pytest.raises(UsageError, match="99"):
        settle.act(live.engine, "accept", {"ids": [hold["id"], 99]})
    assert len(live.sync().holds) == 1


def test_reject_refuses_when_the_file_moved_on(live: LiveBank) -> None:
    """What was saved since is not what was looked at."""
    live.write(HISTORY, b"")
    (hold,) = live.sync().holds
    live.write(HISTORY, b"# Something else\n")
    with pytest.raises(UsageError, match="changed since"):
        settle.act(live.engine, "reject", {"ids": [hold["id"]]})
    assert (live.bank / HISTORY).read_bytes() == b"# Something else\n"


def test_a_database_change_never_loses_more_of_a_file_than_it_deletes(live: LiveBank) -> None:
    """Three deleted entries take three entries of the file, and every other line stays."""
    before = live.read(HISTORY)
    live.sql("DELETE FROM edit_entries WHERE id IN (SELECT id FROM edit_entries WHERE date = '2026-03-04')")
    live.sync()
    after = live.read(HISTORY)
    entries = before[before.index("#### 19:31:47") : before.index("### 2026-03-02")]
    gone = [line for line in entries.split("\n") if line.strip()]
    header = "*Last Updated"
    assert [x for x in before.split("\n") if x not in after.split("\n") and not x.startswith(header)] == gone
    assert count(live, "edit_entries") == 9
    live.assert_at_rest()
