"""Sections that another client edited and that wait: no other transaction writes their document meanwhile.

Else the chain of versions, which starts from the sections without what waits, would no longer lead back.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schema import history, journal
from schema.digests import text_digest
from schema.errors import WrongBase
from syncd import apply, requests
from syncd.errors import InTheWay
from syncd.history.bringback import restore_file, restore_record
from syncd.history.undo import undo
from tests.syncd.conftest import Live

PATH = "edit_history.md"


def whole(live: Live) -> None:
    """Each version of each document has the text that was recorded, back to the first."""
    db = live.engine.db
    for path in history.paths_at(db, None):
        for version, _, text in history.steps(db, path):
            known = None if text is None else text_digest(text)
            assert known == version.hash_after, f"{path}, version {version.id} of transaction {version.transaction}"


def empty_sections(live: Live, path: str) -> None:
    """Another client takes all but the first section of a document away, so that it waits for a yes."""
    live.sql(
        """UPDATE sections SET text = '' WHERE document_id = (SELECT id FROM documents WHERE path = ?1) AND position >
        (SELECT min(s.position) FROM sections s JOIN documents d ON d.id = s.document_id WHERE d.path = ?1)""",
        path,
    )


@pytest.fixture
def waiting(live: Live) -> tuple[Live, int]:
    """A bank whose edit history waits with an edit, and the transaction that wrote an entry into it before."""
    live.sql(
        """INSERT INTO edit_entries(date, time, task_id, task_description)
        VALUES ('2026-03-07', '10:15', 'T3', 'A row')"""
    )
    number = live.sync().number
    assert number is not None
    live.sql("UPDATE edit_entries SET task_description = 'A row, reworded' WHERE task_description = 'A row'")
    live.sync()
    assert "A row, reworded" in live.read(PATH)
    empty_sections(live, PATH)
    live.sync()
    assert live.value("SELECT path FROM holds WHERE state = 'open'") == PATH
    assert "A row, reworded" in live.read(PATH)
    whole(live)
    return live, number


def test_an_undo_does_not_write_a_document_that_waits_with_an_edit(waiting: tuple[Live, int]) -> None:
    """It says which and changes nothing; what waits gets its answer as before."""
    live, number = waiting
    before = live.tree()
    with pytest.raises(InTheWay, match=r"edit_history\.md was edited in the database"):
        undo(live.engine, [str(number + 1)])
    assert live.tree() == before
    assert live.value("SELECT max(id) FROM transaction_log") == number + 1
    whole(live)
    for (hold,) in live.sql("SELECT id FROM holds WHERE state = 'open'"):
        requests.answer(live.engine, "accept", {"ids": [hold]})
    whole(live)
    live.assert_at_rest()


def test_what_is_restored_does_not_write_a_document_that_waits_with_an_edit(waiting: tuple[Live, int]) -> None:
    """Neither the document itself nor a record that it shows."""
    live, number = waiting
    key = live.value("SELECT id FROM edit_entries WHERE task_description = 'A row, reworded'")
    before = live.tree()
    with pytest.raises(InTheWay, match=r"edited in the database"):
        restore_file(live.engine, PATH, str(number - 1))
    with pytest.raises(InTheWay, match=r"edited in the database"):
        restore_record(live.engine, "edit_entries", str(key), str(number))
    assert live.tree() == before
    whole(live)


def test_a_row_waits_with_the_edit_of_its_document(waiting: tuple[Live, int]) -> None:
    """When the edit is accepted, both are there, and the chain leads back over them."""
    live, _ = waiting
    live.sql("UPDATE tasks SET title = 'Another' WHERE id = 'T3'")
    live.sql("UPDATE edit_entries SET task_description = 'Newest' WHERE id = (SELECT min(id) FROM edit_entries)")
    live.sync()
    whole(live)
    assert "Another" in live.read("tasks.md")
    for (number,) in live.sql("SELECT id FROM holds WHERE state = 'open'"):
        requests.answer(live.engine, "accept", {"ids": [number]})
    whole(live)
    live.assert_at_rest()


def test_a_document_that_is_open_and_was_edited_in_the_database_is_not_written_by_a_row(live: Live) -> None:
    """The edit and the row are shown together once the file is closed."""
    live.sql(
        """UPDATE sections SET text = text || 'A line of a client.' || char(10) WHERE id =
        (SELECT s.id FROM sections s JOIN documents d ON d.id = s.document_id WHERE d.path = 'tasks/T3.md'
        AND s.text LIKE '%**Priority**%')"""
    )
    live.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T3'")
    with (live.bank / "tasks/T3.md").open("r+b"):
        live.sync(settle=False)
        whole(live)
    live.sync()
    whole(live)
    text = live.read("tasks/T3.md")
    assert "A line of a client.\n" in text
    assert "CRITICAL" in text
    live.assert_at_rest()


def test_new_rows_and_edits_of_files_wait_for_a_document_that_is_open_and_was_edited_in_the_database(
    live: Live,
) -> None:
    """Nothing is told as unshown, nothing is shown twice, and all of it stands there in the end."""
    path = PATH
    live.sql(
        """UPDATE sections SET text = replace(text, '# Edit History', '# History of edits') WHERE id =
        (SELECT s.id FROM sections s JOIN documents d ON d.id = s.document_id WHERE d.path = ? ORDER BY position
        LIMIT 1)""",
        path,
    )
    live.sql(
        """INSERT INTO edit_entries(id, date, time, task_id, task_description)
        VALUES (900, '2026-03-07', '10:15', 'T3', 'A row')"""
    )
    live.sql(
        """INSERT INTO file_modifications(edit_entry_id, action, file_path, description)
        VALUES (900, 'Modified', 'src/a.ts', 'a part')"""
    )
    live.sql("UPDATE tasks SET priority = 'CRITICAL' WHERE id = 'T3'")
    with (live.bank / path).open("r+b"):
        report = live.sync(settle=False)
        whole(live)
    assert not report.problems
    assert "CRITICAL" in live.read("tasks/T3.md")
    assert "A row" not in live.read(path)
    live.sync()
    whole(live)
    text = live.read(path)
    assert text.startswith("# History of edits\n")
    assert text.count("10:15 - T3: A row\n- Modified `src/a.ts` - a part\n") == 1
    live.assert_at_rest()


def test_a_hold_is_rejected_to_the_base_whatever_a_client_edited_meanwhile(
    small: Callable[..., Live],
) -> None:
    """By a process that has not looked at the bank before."""
    text = "# Notes\n\nfirst\n\n## More\n\nsecond\n"
    live = small({"notes.md": text})
    live.write("notes.md", "# Notes\n\n<<<<<<< ours\nfirst\n=======\nother\n>>>>>>> theirs\n")
    live.sync()
    (number,) = live.sql("SELECT id FROM holds WHERE state = 'open'")[0]
    live.reopen()
    live.sql("UPDATE sections SET text = replace(text, 'second', 'second of a client')")
    requests.answer(live.engine, "reject", {"ids": [number]})
    whole(live)
    assert text.encode() in [t for _, t in history.texts(live.engine.db, "notes.md")]
    live.sync()
    assert live.read("notes.md") == text.replace("second", "second of a client")
    whole(live)
    live.assert_at_rest()


def test_the_commit_refuses_to_write_under_an_edit_that_waits(
    waiting: tuple[Live, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should a plan ask for that after all: nothing is changed."""
    live, _ = waiting
    before = live.tree()
    monkeypatch.setattr(journal, "edited_documents", lambda db: {"tasks/T6.md"})
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    edited = live.tree()
    with pytest.raises(WrongBase, match=r"tasks/T6\.md"):
        live.sync()
    assert live.tree() == edited != before
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "LOW"
    whole(live)


def test_sections_that_do_not_join_to_the_text_are_not_stored(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next sync takes the save in as if nothing had been."""
    save = apply._save_sections
    live.edit("tasks/T6.md", "**Priority**: LOW", "**Priority**: HIGH")
    with monkeypatch.context() as broken:
        broken.setattr(apply, "_save_sections", lambda *given, **named: save(*given, **named)[:-1])
        with pytest.raises(WrongBase, match=r"tasks/T6\.md"):
            live.sync()
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "LOW"
    live.sync()
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "HIGH"
    live.assert_at_rest()
