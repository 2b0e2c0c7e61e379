"""Records that belong to others go where their owner goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schema import history
from syncd import requests, settle
from syncd.history import undo
from tests.syncd.conftest import Live

HISTORY = """# Edit History

### 2026-03-06

#### 18:00:00 UTC - T1: Evening
- Modified `a.ts` - one
- Modified `b.ts` - two

#### 09:00:00 UTC - T1: Morning
- Modified `a.ts` - one

### 2026-03-05

#### 12:00:00 UTC - T2: The day before
- Modified `c.ts` - three
"""
TASK = "# {0}: Task\n\n**Status**: 🔄 IN PROGRESS\n\n## Subtasks\n\n- [ ] first of {0}\n- [x] second of {0}\n"


def lines(live: Live) -> list[tuple[str, str]]:
    """Each file modification with the description of its entry."""
    return live.sql(
        "SELECT e.task_description, m.file_path FROM file_modifications AS m JOIN edit_entries AS e"
        " ON e.id = m.edit_entry_id ORDER BY 1, 2"
    )


ALL = [("Evening", "a.ts"), ("Evening", "b.ts"), ("Morning", "a.ts"), ("The day before", "c.ts")]


def test_lines_stay_when_their_entry_is_taken_for_another_one(small: Callable[..., Live]) -> None:
    """A heading that was edited beyond recognition is a new entry; the lines below it are the old ones."""
    live = small({"edit_history.md": HISTORY})
    before = live.sql("SELECT id, file_path FROM file_modifications ORDER BY id")
    live.edit("edit_history.md", "#### 18:00:00 UTC - T1: Evening", "#### 18:00:00 UTC oops T1: Evening")
    live.sync()
    assert live.sql("SELECT id, file_path FROM file_modifications ORDER BY id") == before
    live.assert_at_rest()


@pytest.mark.parametrize("date", ["2026-03-05", None])
def test_an_entry_of_another_date_moves_and_stays_the_same_record(small: Callable[..., Live], date: str | None) -> None:
    """With its lines, past an entry that has as many, to a date that has a heading and to none."""
    live = small({"edit_history.md": HISTORY})
    number = live.value("SELECT id FROM edit_entries WHERE task_description = 'Evening'")
    live.sql("UPDATE edit_entries SET date = ? WHERE id = ?", date, number)
    assert live.sync().problems == ()
    assert lines(live) == ALL
    shown = live.sql("SELECT key FROM readings WHERE \"table\" = 'edit_entries' ORDER BY key")
    assert shown == live.sql("SELECT CAST(id AS TEXT) FROM edit_entries ORDER BY 1")
    live.assert_at_rest()
    live.edit("edit_history.md", ": Evening", ": The evening")
    live.sync()
    assert live.value("SELECT id FROM edit_entries WHERE task_description = 'The evening'") == number


def test_a_line_that_a_row_gives_to_another_entry_goes_there(small: Callable[..., Live]) -> None:
    """It is taken out where it stood, and stays the same record."""
    live = small({"edit_history.md": HISTORY})
    live.sql(
        "UPDATE file_modifications SET edit_entry_id ="
        " (SELECT id FROM edit_entries WHERE task_description = 'The day before') WHERE file_path = 'b.ts'"
    )
    assert live.sync().problems == ()
    text = live.read("edit_history.md")
    assert text.count("`b.ts` - two") == 1
    assert text.index("`b.ts`") > text.index("The day before")
    assert lines(live) == [ALL[0], ALL[2], ("The day before", "b.ts"), ALL[3]]
    live.assert_at_rest()


def test_a_checklist_item_that_a_row_gives_to_another_task_goes_there(small: Callable[..., Live]) -> None:
    live = small({f"tasks/{task}.md": TASK.format(task) for task in ("T1", "T2")})
    live.sql("UPDATE task_subtasks SET task_id = 'T2' WHERE text = 'first of T1'")
    assert live.sync().problems == ()
    assert "first of T1" not in live.read("tasks/T1.md")
    assert "- [ ] first of T1\n" in live.read("tasks/T2.md")
    live.assert_at_rest()


def test_an_item_stays_where_it_is_while_there_is_no_place_for_it(small: Callable[..., Live]) -> None:
    """Its new task has no document: that is told, and no line is lost."""
    live = small(
        {"tasks/T1.md": TASK.format("T1"), "tasks.md": "# Tasks\n\n| ID | Title |\n|---|---|\n| T5 | Five |\n"}
    )
    live.sql("UPDATE task_subtasks SET task_id = 'T5' WHERE text = 'first of T1'")
    report = live.sync()
    assert any("task_subtasks" in problem for problem in report.problems)
    assert "first of T1" in live.read("tasks/T1.md")


def test_a_task_with_another_id_takes_its_checklist_along(small: Callable[..., Live]) -> None:
    """The old document goes with a yes; the items stand in the new one by then, under their section."""
    live = small({"tasks/T1.md": TASK.format("T1")})
    live.sql("UPDATE tasks SET id = 'T9' WHERE id = 'T1'")
    assert [h["kind"] for h in live.sync().holds] == ["removal"]
    live.sql("UPDATE holds SET state = 'accepted'")
    live.sync()
    assert not (live.bank / "tasks/T1.md").exists()
    assert "- ⬜ first of T1\n- ✅ second of T1\n" in live.read("tasks/T9.md")
    assert live.sql("SELECT DISTINCT task_id FROM task_subtasks") == [("T9",)]
    live.assert_at_rest()


def test_a_heading_that_gives_entries_another_date_changes_their_rows(small: Callable[..., Live]) -> None:
    """The text of the entries is what it was; what it means is not."""
    live = small({"edit_history.md": HISTORY})
    live.edit("edit_history.md", "#### 09:00:00", "### 2026-03-04\n\n#### 09:00:00")
    live.sync()
    assert live.value("SELECT date FROM edit_entries WHERE task_description = 'Morning'") == "2026-03-04"
    live.edit("edit_history.md", "### 2026-03-05", "### 2026-02-01")
    live.sync()
    assert live.value("SELECT date FROM edit_entries WHERE task_description = 'The day before'") == "2026-02-01"
    live.assert_at_rest()


def test_a_new_checklist_item_learns_its_section_from_where_it_stands(small: Callable[..., Live]) -> None:
    live = small({"tasks/T1.md": TASK.format("T1")})
    live.sql("INSERT INTO task_subtasks(task_id, text, status) VALUES ('T1', 'third', 'pending')")
    live.sync()
    assert live.value("SELECT section FROM task_subtasks WHERE text = 'third'") == "Subtasks"
    live.assert_at_rest()


def test_who_takes_back_an_addition_of_his_own_is_not_stale(small: Callable[..., Live]) -> None:
    """In between a row had changed one line: the text is nearer to the one before both, but it shows that line."""
    live = small({"tasks/T1.md": TASK.format("T1")})
    before = live.read("tasks/T1.md")
    live.write("tasks/T1.md", before + "\n## Notes\n\none\ntwo\nthree\nfour\n")
    live.sync()
    live.sql("UPDATE tasks SET status = 'paused' WHERE id = 'T1'")
    live.sync()
    saved = live.read("tasks/T1.md").replace("\n## Notes\n\none\ntwo\nthree\nfour\n", "")
    live.write("tasks/T1.md", saved)
    report = live.sync()
    assert live.read("tasks/T1.md") == saved
    assert (report.emitted, report.conflicts) == ((), ())
    assert "PAUSED" in saved


def test_a_line_added_by_hand_finds_its_entry_while_a_row_takes_another_one_out(small: Callable[..., Live]) -> None:
    """Both in one converge: where the line stood when it was read is not where it stands now."""
    live = small({"edit_history.md": HISTORY})
    live.edit("edit_history.md", "- Modified `c.ts` - three\n", "- Modified `c.ts` - three\n- Created `d.ts` - four\n")
    live.sql("DELETE FROM edit_entries WHERE task_description = 'Evening'")
    live.sync()
    assert lines(live) == [("Morning", "a.ts"), ("The day before", "c.ts"), ("The day before", "d.ts")]
    live.assert_at_rest()


@pytest.mark.parametrize("way", ["a line below", "a new line below", "itself"])
def test_an_entry_whose_row_is_deleted_while_it_is_edited_by_hand_stays_whole(
    small: Callable[..., Live], way: str
) -> None:
    """An edit beats a deletion, with all that is below. That it was deleted is told, and can be taken."""
    live = small({"edit_history.md": HISTORY})
    rows = live.sql("SELECT id, edit_entry_id, file_path FROM file_modifications ORDER BY id")
    live.sql("DELETE FROM edit_entries WHERE task_description = 'Evening'")
    old, new = {
        "a line below": ("`b.ts` - two", "`b.ts` - two and a half"),
        "a new line below": ("- Modified `b.ts` - two\n", "- Modified `b.ts` - two\n- Created `x.ts` - four\n"),
        "itself": (": Evening", ": The evening"),
    }[way]
    live.edit("edit_history.md", old, new)
    report = live.sync()
    assert live.read("edit_history.md") == HISTORY.replace(old, new)
    new_row = [(5, 1, "x.ts")] if way == "a new line below" else []
    assert live.sql("SELECT id, edit_entry_id, file_path FROM file_modifications ORDER BY id") == rows + new_row
    live.assert_at_rest()
    told = next(c for c in report.conflicts if c["table"] == "edit_entries")
    requests.answer(live.engine, "resolve", {"ids": [told["id"]], "take": "db"})
    assert live.sql("SELECT task_description FROM edit_entries ORDER BY 1") == [("Morning",), ("The day before",)]
    assert "vening" not in live.read("edit_history.md")


@pytest.mark.parametrize("path", ["tasks/T1.md", "archive/T1.md"])
@pytest.mark.parametrize("way", ["an item", "a new item", "itself"])
def test_a_task_whose_row_is_deleted_while_it_is_edited_by_hand_stays_whole(
    small: Callable[..., Live], path: str, way: str
) -> None:
    """With its checklist, the numbers of its items, and the lines of its document."""
    live = small({path: TASK.format("T1")})
    live.sql("DELETE FROM tasks WHERE id = 'T1'")
    old, new = {
        "an item": ("first of T1", "first of T1 by hand"),
        "a new item": ("- [ ] first", "- [ ] none of T1\n- [ ] first"),
        "itself": ("🔄 IN PROGRESS", "⏸️ PAUSED"),
    }[way]
    live.edit(path, old, new)
    report = live.sync()
    assert live.read(path) == TASK.format("T1").replace(old, new)
    items = live.sql("SELECT id, text FROM task_subtasks ORDER BY id")
    assert [number for number, _ in items[:2]] == [1, 2]
    assert [text for _, text in items[1:]] == ["second of T1", "none of T1"][: 2 if way == "a new item" else 1]
    assert any(c["table"] == "tasks" and c["kept"] == "file" for c in report.conflicts)
    live.assert_at_rest()


def test_what_is_put_below_a_task_that_only_an_archive_shows_brings_its_row_back(small: Callable[..., Live]) -> None:
    """Its row was deleted; the archive is history and keeps the task. A checklist item needs its row."""
    live = small({"archive/T1.md": TASK.format("T1")})
    live.sql("DELETE FROM tasks WHERE id = 'T1'")
    live.sync()
    assert "# T1: Task" in live.read("archive/T1.md")
    live.edit("archive/T1.md", "## Subtasks\n\n", "## Subtasks\n\n- [ ] between\n")
    live.sync()
    assert live.sql("SELECT id, title FROM tasks") == [("T1", "Task")]
    assert ("between",) in live.sql("SELECT text FROM task_subtasks")
    live.assert_at_rest()


def test_the_checklist_of_an_archived_task_stays_where_it_is(small: Callable[..., Live]) -> None:
    """Archives are history: another id of the task moves nothing in them."""
    live = small({"archive/T1.md": TASK.format("T1")})
    before = live.read("archive/T1.md")
    live.sql("UPDATE tasks SET id = 'T9' WHERE id = 'T1'")
    live.sync()
    assert live.read("archive/T1.md") == before


@pytest.mark.parametrize("back", ["undo", "row", "file"])
def test_a_task_that_goes_leaves_its_checklist_in_the_archive_and_comes_back_with_it(
    small: Callable[..., Live], back: str
) -> None:
    """Not a byte moves; the items are the same records again."""
    live = small({"archive/T1.md": TASK.format("T1"), "tasks/T2.md": TASK.format("T2")})
    before = live.tree()
    items = live.sql("SELECT id, task_id, text, status FROM task_subtasks ORDER BY id")
    live.sql("DELETE FROM tasks WHERE id = 'T1'")
    report = live.sync()
    assert (report.problems, report.emitted) == ((), ())
    assert live.tree() == before
    assert live.value("SELECT count(*) FROM task_subtasks") == 2
    live.assert_at_rest()
    match back:
        case "undo":
            undo.undo(live.engine, [str(report.number)])
        case "row":
            live.sql("INSERT INTO tasks(id, title, status) VALUES ('T1', 'Task', 'in_progress')")
        case _:
            live.edit("archive/T1.md", "# T1: Task", "# T1: The task")
            before = live.tree()
    live.sync()
    assert live.sql("SELECT id, task_id, text, status FROM task_subtasks ORDER BY id") == items
    assert live.read("archive/T1.md").encode() == before["archive/T1.md"]
    live.assert_at_rest()


def test_one_item_that_only_an_archive_shows_is_taken_out_there(small: Callable[..., Live]) -> None:
    """Its task stays: somebody deleted just this."""
    live = small({"archive/T1.md": TASK.format("T1")})
    live.sql("DELETE FROM task_subtasks WHERE text = 'first of T1'")
    assert live.sync().emitted == ("archive/T1.md",)
    assert live.read("archive/T1.md") == TASK.format("T1").replace("- [ ] first of T1\n", "")
    live.assert_at_rest()


@pytest.mark.parametrize("way", ["row", "file"])
def test_a_number_that_an_archived_item_had_is_another_items_now(small: Callable[..., Live], way: str) -> None:
    """SQLite gives numbers again: the archive is not written for it, now or when that item changes."""
    live = small({"tasks/T2.md": TASK.format("T2")})
    (live.bank / "archive").mkdir()
    live.write("archive/T3.md", TASK.format("T3"))
    live.sync()
    numbers = {n for (n,) in live.sql("SELECT id FROM task_subtasks WHERE task_id = 'T3'")}
    live.sql("DELETE FROM tasks WHERE id = 'T3'")
    live.sync()
    before = live.read("archive/T3.md")
    assert before == TASK.format("T3")
    if way == "row":
        item = "(?, 'T2', 'Subtasks', 'third of T2', 'pending')"
        live.sql(f"INSERT INTO task_subtasks(id, task_id, section, text, status) VALUES {item}", min(numbers))
    else:
        live.edit("tasks/T2.md", "- [x] second of T2\n", "- [x] second of T2\n- [ ] third of T2\n")
    live.sync()
    assert live.read("tasks/T2.md").count("third of T2") == 1
    live.sql("UPDATE task_subtasks SET text = '3rd of T2' WHERE text = 'third of T2'")
    live.sync()
    assert "3rd of T2" in live.read("tasks/T2.md")
    assert live.read("archive/T3.md") == before
    live.assert_at_rest()


REGISTRY = "# Tasks\n\n| ID | Title | Status |\n|---|---|---|\n"
REGISTRY += "| T1 | One | 🔄 |\n| T2 | Two | ⬜ |\n"


def test_a_task_stays_that_got_an_item_by_row_while_its_text_was_deleted(small: Callable[..., Live]) -> None:
    """An edit beats a deletion: the item would go with the task, and nobody who deleted that had seen it."""
    live = small({"tasks.md": REGISTRY, "tasks/T2.md": TASK.format("T2")})
    live.sql("INSERT INTO task_subtasks(task_id, text, status) VALUES ('T1', 'came by row', 'pending')")
    live.edit("tasks.md", "| T1 | One | 🔄 |\n", "")
    live.sync()
    assert live.sql("SELECT id FROM tasks ORDER BY id") == [("T1",), ("T2",)]
    assert live.sql("SELECT text FROM task_subtasks WHERE task_id = 'T1'") == [("came by row",)]
    assert "| T1 | One |" in live.read("tasks.md")


def test_a_line_that_no_document_could_show_comes_to_stand_below_its_new_owner(small: Callable[..., Live]) -> None:
    live = small({"edit_history.md": HISTORY})
    live.sql("INSERT INTO file_modifications(edit_entry_id, action, description) VALUES (1, 'Modified', 'no path')")
    assert len(live.sync().problems) == 1
    live.sql("UPDATE file_modifications SET edit_entry_id = 2 WHERE description = 'no path'")
    told = live.sync().problems
    assert [problem for problem in told if "cannot be shown" in problem], "nobody was told that it is shown nowhere"


def test_a_line_stays_below_the_entry_that_still_shows_it_when_that_of_its_row_goes(small: Callable[..., Live]) -> None:
    """In the chunk it was put below an entry of its own; then the chunk goes, and with a yes that entry."""
    chunk = "# Edit\n\n#### 18:00:00 UTC - T1: Evening\n- Modified `a.ts` - one\n- Modified `b.ts` - two\n"
    path = "edits/2026-03-06/180000-t1.md"
    live = small({"edit_history.md": HISTORY, path: chunk})
    live.edit(path, "- Modified `b.ts`", "\n#### 18:30:00 UTC - T1: Later\n- Modified `b.ts`")
    live.sync()
    assert ("Later", "b.ts") in lines(live)
    (live.bank / path).unlink()
    report = live.sync()
    for hold in report.holds:
        settle.act(live.engine, "accept", {"ids": [hold["id"]]})
    live.sync()
    assert lines(live) == ALL
    live.assert_at_rest()


def test_what_a_client_wrote_into_a_document_is_in_its_history_when_that_is_removed_with_a_yes(
    small: Callable[..., Live],
) -> None:
    live = small({"tasks.md": REGISTRY, "tasks/T2.md": TASK.format("T2")})
    number = live.value(
        "SELECT s.id FROM sections AS s JOIN documents AS d ON d.id = s.document_id WHERE d.path = 'tasks/T2.md'"
    )
    live.sql("UPDATE sections SET text = text || 'Said by a client.\n\n' WHERE id = ?", number)
    live.sql("DELETE FROM tasks WHERE id = 'T2'")
    for hold in live.sync().holds:
        settle.act(live.engine, "accept", {"ids": [hold["id"]]})
    live.sync()
    assert not (live.bank / "tasks/T2.md").exists()
    texts = [text or b"" for _, text in history.texts(live.engine.db, "tasks/T2.md", 9)]
    assert any(b"Said by a client." in text for text in texts)


def test_words_that_were_put_into_an_entry_bring_it_back_when_its_row_was_deleted(small: Callable[..., Live]) -> None:
    """They stand for no record, so nothing else would keep them; the deletion is told, and can be taken."""
    live = small({"edit_history.md": HISTORY})
    live.edit("edit_history.md", "- Modified `b.ts` - two\n", "- Modified `b.ts` - two\n\nA thought by hand.\n")
    live.sql("DELETE FROM edit_entries WHERE task_description = 'Evening'")
    report = live.sync()
    assert "A thought by hand." in live.read("edit_history.md")
    assert lines(live) == ALL
    assert len(report.conflicts) == 1
    live.sql("DELETE FROM edit_entries WHERE task_description = 'Evening'")
    live.sync()
    assert "A thought by hand." not in live.read("edit_history.md")


def test_rows_of_one_table_that_were_added_by_hand_and_differ_are_drift(small: Callable[..., Live]) -> None:
    """Neither is brought to the other's title: nothing tells which is meant."""
    live = small({"tasks.md": REGISTRY})
    live.edit("tasks.md", "| T1 | One | 🔄 |\n", "| T1 | First | 🔄 |\n| T1 | Second | 🔄 |\n| T1 | One | 🔄 |\n")
    live.sync(follow=True)
    assert "First" in live.read("tasks.md")
    assert "Second" in live.read("tasks.md")


def test_a_place_that_came_by_hand_is_not_written_over_without_a_word(small: Callable[..., Live]) -> None:
    """A client gave the task another title meanwhile: it stands, and what the new place said is kept as a conflict."""
    live = small({"tasks.md": REGISTRY})
    live.sql("UPDATE tasks SET title = 'By row' WHERE id = 'T1'")
    live.edit("tasks.md", "| T1 | One | 🔄 |\n", "| T1 | One | 🔄 |\n| T1 | By hand | 🔄 |\n")
    live.sync()
    assert live.sql("SELECT field, file, db, kept FROM conflicts") == [("title", "By hand", "By row", "db")]


def test_an_item_that_nobody_could_show_comes_back_with_its_task(small: Callable[..., Live]) -> None:
    """The task's row was deleted while its document was edited by hand."""
    live = small({"edit_history.md": HISTORY})
    live.sql("INSERT INTO file_modifications(edit_entry_id, action, description) VALUES (1, 'Modified', 'no path')")
    live.sync()
    live.edit("edit_history.md", "T1: Evening", "T1: Late evening")
    live.sql("DELETE FROM edit_entries WHERE id = 1")
    live.sync()
    assert live.value("SELECT task_description FROM edit_entries WHERE id = 1") == "Late evening"
    assert live.value("SELECT edit_entry_id FROM file_modifications WHERE description = 'no path'") == 1
