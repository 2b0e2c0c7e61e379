"""Mode database-first: files are output. What somebody saves is put back to the byte, kept, and can be taken."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from schema import history, store
from syncd import requests
from syncd.errors import UsageError
from syncd.history.bringback import restore_file, restore_record
from syncd.history.undo import undo
from syncd.model import Mode, State
from tests.syncd.conftest import Live
from tests.syncd.test_backups import Log, loop_of


@pytest.fixture
def first(live: Live) -> Live:
    """The sample bank, converged, with the database first."""
    store.state_set(live.engine.db, "mode", Mode.DATABASE_FIRST.value)
    return live


def perform(live: Live, kind: str, **arguments: object) -> dict[str, object]:
    return requests.answer(live.engine, kind, arguments)


def open_conflicts(live: Live) -> list[tuple[object, ...]]:
    return live.sql(
        """SELECT document, "table", key, field, base, file, db, kept FROM conflicts
        WHERE resolved_at IS NULL ORDER BY id"""
    )


def test_an_edited_field_is_put_back_kept_and_can_be_taken(first: Live) -> None:
    """One conflict for the one field; taking the file's value writes it into every place."""
    before = first.tree()
    first.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    report = first.sync()
    assert first.tree() == before
    assert (report.absorbed, report.emitted, report.state) == ((), ("tasks/T4.md",), State.ATTENTION)
    assert open_conflicts(first) == [
        ("tasks/T4.md", "tasks", "T4", "priority", "MEDIUM", "HIGH", "MEDIUM", "db")
    ]
    assert first.value("SELECT operation_type FROM transaction_log ORDER BY id DESC LIMIT 1") == "put back"
    perform(first, "resolve", all=True, take="file")
    assert first.value("SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH"
    assert "**Priority**: HIGH" in first.read("tasks/T4.md")
    assert "| T4     | Offline Station Packs   | 🔄 IN PROGRESS | HIGH" in first.read("tasks.md")
    first.assert_at_rest()


def test_prose_and_new_records_are_put_back_kept_and_can_be_taken(first: Live) -> None:
    """The lines that differ are one conflict; taken, they are absorbed as in coexist."""
    before = first.tree()
    text = first.read("tasks/T6.md")
    first.write("tasks/T6.md", text.replace("## ", "A thought of mine.\n\n## ", 1) + "\n- [ ] Fold it twice\n")
    first.sync()
    assert first.tree() == before
    assert [row[:4] for row in open_conflicts(first)] == [("tasks/T6.md", "documents", "tasks/T6.md", "text")]
    items = first.value("SELECT count(*) FROM task_subtasks WHERE task_id = 'T6'")
    perform(first, "resolve", all=True, take="file")
    assert "A thought of mine.\n" in first.read("tasks/T6.md")
    assert first.read("tasks/T6.md").endswith("\n- [ ] Fold it twice\n")
    assert first.value("SELECT count(*) FROM task_subtasks WHERE task_id = 'T6'") == items + 1
    assert open_conflicts(first) == []
    first.assert_at_rest()


def test_a_document_comes_back_while_the_removal_of_a_task_waits(first: Live) -> None:
    """The registry shows the task whose row was deleted; that its own document waits for a yes is nothing to it."""
    first.sql("DELETE FROM tasks WHERE id = 'T5'")
    assert first.sync().state is State.ATTENTION
    before = first.tree()
    (first.bank / "tasks.md").unlink()
    assert first.sync().emitted == ("tasks.md",)
    assert first.tree() == before
    assert first.sql("SELECT path, kind FROM holds WHERE state = 'open'") == [("tasks/T5.md", "removal")]


def test_a_text_is_taken_onto_what_the_rows_wrote_since(first: Live) -> None:
    """Both edits stand then."""
    first.write("tasks/T6.md", first.read("tasks/T6.md") + "\nOne line more.\n")
    first.sync()
    first.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T6'")
    first.sync()
    perform(first, "resolve", all=True, take="file")
    text = first.read("tasks/T6.md")
    assert text.endswith("\nOne line more.\n")
    assert "CRITICAL" in text
    first.assert_at_rest()


def test_taking_the_database_leaves_the_file_as_it_is(first: Live) -> None:
    """And closes the conflict."""
    before = first.tree()
    first.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    first.sync()
    perform(first, "resolve", all=True, take="db")
    assert first.tree() == before
    assert open_conflicts(first) == []
    first.assert_at_rest()


def test_where_both_sides_changed_a_field_the_database_wins(first: Live) -> None:
    """The file's value is the conflict's, the row's is in every place; equal edits are no conflict."""
    first.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    first.sql("UPDATE tasks SET priority = 'LOW' WHERE id = 'T4'")
    first.sync()
    assert first.value("SELECT priority FROM tasks WHERE id = 'T4'") == "LOW"
    assert "**Priority**: LOW" in first.read("tasks/T4.md")
    (told,) = open_conflicts(first)
    assert told[3:8] == ("priority", "MEDIUM", "HIGH", "LOW", "db")
    perform(first, "resolve", all=True, take="db")
    first.edit("tasks/T4.md", "**Priority**: LOW", "**Priority**: CRITICAL")
    first.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T4'")
    first.sync()
    assert open_conflicts(first) == []
    assert "**Priority**: CRITICAL" in first.read("tasks/T4.md")
    first.assert_at_rest()


def test_rows_go_on_to_write_files(first: Live) -> None:
    """Changed, inserted and deleted ones."""
    first.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T4'")
    first.sql("INSERT INTO tasks(id, title, status) VALUES ('T77', 'A new one', 'pending')")
    report = first.sync()
    assert "tasks/T77.md" in report.emitted
    assert "✅ COMPLETED" in first.read("tasks/T4.md")
    first.assert_at_rest()


def test_a_stale_writer_is_told_with_his_own_edit_only(first: Live) -> None:
    """What the database wrote since he read the file is no edit of his."""
    stale = first.read("tasks/T4.md")
    first.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T4'")
    first.sync()
    now = first.read("tasks/T4.md")
    first.write("tasks/T4.md", stale + "\nWritten from memory.\n")
    first.sync()
    assert first.read("tasks/T4.md") == now
    (told,) = open_conflicts(first)
    assert (told[3], told[5]) == ("text", "\nWritten from memory.\n")
    perform(first, "resolve", all=True, take="file")
    assert first.read("tasks/T4.md") == now + "\nWritten from memory.\n"
    first.assert_at_rest()


def test_several_saves_of_one_edit_are_one_conflict(first: Live) -> None:
    """An editor that saves again what it shows, and one that saves as one types."""
    text = first.read("tasks/T4.md")
    for more in ("\nOne", "\nOne", "\nOne\nTwo\n", "\nOne\nTwo\nThree\n"):
        first.write("tasks/T4.md", text + more)
        first.sync()
        assert first.read("tasks/T4.md") == text
    (told,) = open_conflicts(first)
    assert told[5] == "\nOne\nTwo\nThree\n"


def test_two_edits_of_different_places_are_two_conflicts(first: Live) -> None:
    """The second save does not hold what the first one did."""
    text = first.read("tasks/T4.md")
    first.write("tasks/T4.md", text + "\nAt the end.\n")
    first.sync()
    first.write("tasks/T4.md", text.replace("\n", "\n\nAt the beginning.\n", 1))
    first.sync()
    assert len(open_conflicts(first)) == 2
    perform(first, "resolve", all=True, take="file")
    assert "At the beginning." in first.read("tasks/T4.md")
    assert first.read("tasks/T4.md").endswith("At the end.\n")
    first.assert_at_rest()


def test_deleted_files_come_back_to_the_byte_one_by_one_and_all_at_once(first: Live) -> None:
    """With a conflict for each, by which the deletion can be taken."""
    before = first.tree()
    for path in sorted(before):
        (first.bank / path).unlink()
        first.sync()
        assert first.tree() == before, path
    for path in before:
        (first.bank / path).unlink()
    first.sync()
    assert first.tree() == before
    assert sorted(row[0] for row in open_conflicts(first)) == sorted(p for p in before if p.endswith(".md"))
    assert first.value("SELECT count(*) FROM holds WHERE state = 'open'") == 0


def test_a_deletion_can_be_taken(first: Live) -> None:
    """Then the document and its task are gone."""
    (first.bank / "techContext.md").unlink()
    first.sync()
    perform(first, "resolve", all=True, take="file")
    assert not (first.bank / "techContext.md").exists()
    assert first.value("SELECT count(*) FROM documents WHERE path = 'techContext.md'") == 0
    first.assert_at_rest()


def test_an_emptied_file_comes_back(first: Live) -> None:
    """It is no hold: the file is output."""
    before = first.tree()
    first.write("edit_history.md", b"")
    first.write("tasks.md", b"\xff\xfe not text")
    first.sync()
    assert first.tree() == before
    assert first.value("SELECT count(*) FROM holds WHERE state = 'open'") == 0
    assert len(open_conflicts(first)) == 2


def test_a_new_file_is_taken_in_and_changes_no_record_that_is_there(first: Live) -> None:
    """Its own records become rows; where it says something else of a known one, the database wins."""
    text = first.read("tasks/T4.md").replace("T4", "T88", 1).replace("Offline", "Online", 1)
    first.write("tasks/T88.md", text)
    first.write("notes/idea.md", "# An idea\n\nOf mine.\n")
    report = first.sync()
    assert set(report.absorbed) == {"tasks/T88.md", "notes/idea.md"}
    assert first.value("SELECT count(*) FROM tasks WHERE id = 'T88'") == 1
    assert first.read("notes/idea.md") == "# An idea\n\nOf mine.\n"
    first.write("tasks/archive/T4.md", first.read("tasks/T4.md").replace("MEDIUM", "LOW"))
    first.sync()
    assert first.value("SELECT priority FROM tasks WHERE id = 'T4'") == "MEDIUM"


def test_a_renamed_file_comes_back_and_its_copy_waits(first: Live) -> None:
    """Nothing is deleted; a yes takes the copy in, a no removes it."""
    before = first.tree()
    (first.bank / "techContext.md").rename(first.bank / "tech.md")
    report = first.sync()
    assert report.holds[0]["reason"] == "is a copy of techContext.md, which stands where it was"
    assert first.tree() == before | {"tech.md": before["techContext.md"]}
    perform(first, "accept", all=True)
    assert first.value("SELECT count(*) FROM documents WHERE path = 'tech.md'") == 1
    assert first.tree() == before | {"tech.md": before["techContext.md"]}


@pytest.mark.parametrize("also", ["the original goes on", "the copy is edited", "both"])
def test_a_moved_file_waits_though_it_is_not_equal_any_more(first: Live, also: str) -> None:
    """No checklist stands twice: a yes takes it in, and until then it is no document."""
    items = first.sql("SELECT id, text FROM task_subtasks ORDER BY id")
    (first.bank / "archive").mkdir(exist_ok=True)
    (first.bank / "tasks/T4.md").rename(first.bank / "archive/T4.md")
    if also != "the original goes on":
        first.edit("archive/T4.md", "# T4", "Moved by hand.\n\n# T4")
    (hold,) = first.sync().holds
    assert (hold["path"], hold["kind"]) == ("archive/T4.md", "copy")
    if also != "the copy is edited":
        first.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T4'")
    report = first.sync()
    assert [h["path"] for h in report.holds] == ["archive/T4.md"]
    assert first.sql("SELECT id, text FROM task_subtasks ORDER BY id") == items
    assert first.value("SELECT count(*) FROM documents WHERE path = 'archive/T4.md'") == 0
    kept = first.read("archive/T4.md")
    perform(first, "accept", ids=[report.holds[0]["id"]])
    assert first.read("archive/T4.md") == kept
    assert first.value("SELECT count(*) FROM documents WHERE path = 'archive/T4.md'") == 1
    first.assert_at_rest()


def test_a_program_that_rewrites_again_and_again_is_stopped(first: Live) -> None:
    """After ten times of the same, or forty of anything, its text waits for a person; a no puts the document back."""
    before = first.read("tasks.md")
    for _ in range(14):
        first.write("tasks.md", before + "\nFormatted.\n")
        first.sync()
    assert first.read("tasks.md") == before + "\nFormatted.\n"
    (held,) = first.sql("SELECT reason FROM holds WHERE state = 'open'")
    assert held[0].startswith("was rewritten by another program 10 times")
    assert first.value("SELECT count(*) FROM holds") == 1
    perform(first, "reject", all=True)
    assert first.read("tasks.md") == before
    for number in range(42):
        first.write("progress.md", f"Generated, {number}.\n")
        first.sync()
    assert first.read("progress.md") == "Generated, 41.\n"
    assert first.value("SELECT count(*) FROM holds WHERE state = 'open'") == 1


def test_a_dry_run_shows_what_would_be_put_back(first: Live) -> None:
    """It is written, not absorbed; and nothing is done."""
    text = first.read("tasks/T4.md") + "By hand.\n"
    first.write("tasks/T4.md", text)
    report = first.sync(dry_run=True)
    assert (report.absorbed, report.emitted) == ((), ("tasks/T4.md",))
    assert "-By hand." in report.diffs[0][1]
    assert first.read("tasks/T4.md") == text
    assert open_conflicts(first) == []


def test_conflict_markers_are_left_to_the_person_who_merges(first: Live) -> None:
    """A merge in progress is nobody else's to end."""
    text = first.read("tasks.md") + "\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n"
    first.write("tasks.md", text)
    assert first.sync().state is State.ATTENTION
    assert first.read("tasks.md") == text


def test_nothing_is_absorbed_or_written_while_git_waits(first: Live) -> None:
    """Neither would be what the mode says."""
    git = first.bank / ".git"
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "MERGE_HEAD").write_text("0" * 40 + "\n")
    text = first.read("tasks/T4.md").replace("**Priority**: MEDIUM", "**Priority**: HIGH")
    first.write("tasks/T4.md", text)
    report = first.sync()
    assert (report.absorbed, report.emitted, report.pending) == ((), (), ("tasks/T4.md",))
    assert first.value("SELECT priority FROM tasks WHERE id = 'T4'") == "MEDIUM"
    (git / "MERGE_HEAD").unlink()
    first.sync()
    assert "**Priority**: MEDIUM" in first.read("tasks/T4.md")


def test_a_crash_before_the_file_is_put_back_is_finished_later(first: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox knows."""
    from syncd import publish

    before = first.tree()
    first.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    with monkeypatch.context() as patch:
        patch.setattr(publish.PreparedFiles, "publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            first.sync()
    first.reopen()
    first.sync()
    assert first.tree() == before
    assert len(open_conflicts(first)) == 1


@pytest.mark.parametrize("seed", range(2))
def test_a_rollback_after_a_hundred_changes_on_both_sides_loses_nothing(first: Live, seed: int) -> None:
    """Every line that was saved by hand stands in a conflict or a file, every row in the files."""
    chance = random.Random(seed)
    paths = sorted(p for p in first.tree() if p.endswith(".md") and "/" not in p)
    marks: dict[str, str] = {}
    for number in range(100):
        if chance.random() < 0.5:
            path, mark = chance.choice(paths), f"By hand, number {number}."
            first.write(path, first.read(path) + f"\n{mark}\n")
            marks[mark] = path
        else:
            task = chance.choice(("T3", "T4", "T5", "T6"))
            value = chance.choice(("LOW", "MEDIUM", "HIGH", "CRITICAL"))
            first.sql("UPDATE tasks SET priority = ? WHERE id = ?", value, task)
        if chance.random() < 0.6:
            first.sync()
    rows = first.sql("SELECT id, priority FROM tasks ORDER BY id")
    perform(first, "rollback")
    assert first.engine.mode is Mode.COEXIST
    assert first.sql("SELECT id, priority FROM tasks ORDER BY id") == rows
    if first.value("SELECT count(*) FROM holds WHERE state = 'open'"):
        perform(first, "accept", all=True)
    kept = "\n".join(str(text) for (text,) in first.sql("SELECT file FROM conflicts"))
    for mark, path in marks.items():
        assert mark in kept or mark in first.read(path), mark
    perform(first, "resolve", all=True, take="file")
    for mark, path in marks.items():
        assert mark in first.read(path), mark
    assert first.sql("SELECT id, priority FROM tasks ORDER BY id") == rows
    first.assert_at_rest()


def test_an_undo_of_a_row_change_brings_files_and_rows_back(first: Live) -> None:
    """And the undo of that is the redo, to the byte; a save that was put back before both is still kept."""
    first.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    first.sync()
    before = first.tree()
    first.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T4'")
    number, after = first.sync().number, first.tree()
    undone = undo(first.engine, [str(number)])
    assert first.tree() == before
    assert first.value("SELECT status FROM tasks WHERE id = 'T4'") == "in_progress"
    undo(first.engine, [str(undone.number)])
    assert first.tree() == after
    assert len(open_conflicts(first)) == 1
    first.assert_at_rest()


def test_an_undo_of_a_put_back_closes_its_conflict_and_moves_no_file(first: Live) -> None:
    """The save had changed neither rows nor what both sides agreed on; it stays in the history."""
    before = first.tree()
    first.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    saved = first.tree()["tasks/T4.md"]
    number = first.sync().number
    undo(first.engine, [str(number)])
    assert first.tree() == before
    assert saved in [text for _, text in history.texts(first.engine.db, "tasks/T4.md")]
    first.assert_at_rest()


def test_a_restore_of_a_document_and_of_a_record_is_no_manual_edit(first: Live) -> None:
    """It was asked for: rows and files follow, and nothing is put back."""
    start = first.tree()
    first.sql("UPDATE tasks SET priority = 'CRITICAL', title = 'Packs' WHERE id = 'T4'")
    first.sync()
    restore_record(first.engine, "tasks", "T4", "1")
    assert first.sql("SELECT priority, title FROM tasks WHERE id = 'T4'") == [("MEDIUM", "Offline Station Packs")]
    assert first.tree()["tasks/T4.md"] == start["tasks/T4.md"]
    last = """SELECT max(s.id) FROM sections AS s JOIN documents AS d ON d.id = s.document_id
    WHERE d.path = 'projectbrief.md'"""
    first.sql(f"UPDATE sections SET text = 'Other words.' WHERE id = ({last})")
    first.sync()
    assert first.tree()["projectbrief.md"] != start["projectbrief.md"]
    restore_file(first.engine, "projectbrief.md", "1")
    assert first.tree()["projectbrief.md"] == start["projectbrief.md"]
    assert open_conflicts(first) == []
    first.assert_at_rest()


def test_an_undo_of_what_was_taken_from_a_save_is_the_state_before(first: Live) -> None:
    """And its conflict is open again."""
    first.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    first.sync()
    before, open_before = first.tree(), open_conflicts(first)
    taken = perform(first, "resolve", all=True, take="file")
    assert first.value("SELECT priority FROM tasks WHERE id = 'T4'") == "HIGH"
    undo(first.engine, [str(taken["number"])])
    assert (first.tree(), open_conflicts(first)) == (before, open_before)
    assert first.value("SELECT priority FROM tasks WHERE id = 'T4'") == "MEDIUM"
    first.assert_at_rest()


def test_a_change_of_mode_is_no_change_that_undo_takes_back(first: Live) -> None:
    """There is a command for it."""
    perform(first, "rollback")
    number = first.value("SELECT max(id) FROM transaction_log WHERE operation_type = 'rollback'")
    with pytest.raises(UsageError, match="changed the mode") as refused:
        undo(first.engine, [str(number)])
    assert refused.value.hint == "`syncd cutover` makes the database first again"
    assert first.engine.mode is Mode.COEXIST


def test_a_cut_over_bank_is_put_back_by_the_daemon(
    bank: Path, open_live: Callable[..., Live]
) -> None:
    """Driven step by step: a save, a row, a deletion."""
    made = open_live(bank)
    made.sync()
    store.state_set(made.engine.db, "mode", Mode.DATABASE_FIRST.value)
    made.engine.close()
    loop = loop_of(bank, Log())
    try:
        before = made.tree()
        made.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
        loop._scan_at = 0.0
        loop.step()
        assert made.tree() == before
        (bank / "tasks.md").unlink()
        loop._scan_at = 0.0
        loop.step()
        assert made.tree() == before
        assert len(open_conflicts(made)) == 2
    finally:
        loop.close()
