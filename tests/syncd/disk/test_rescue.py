"""What a crash or a badly timed save left in files of ours: known texts are dropped, others merged or told."""

from __future__ import annotations

from typing import Any

from syncd.disk.files import digest
from syncd.disk.names import Use, held, temporary

LiveBank = Any

TASK = "tasks/T6.md"


def leave(live: LiveBank, path: str, text: bytes) -> None:
    """As a crash leaves it: a file of ours with a text that is not the one its name names."""
    folder, _, name = path.rpartition("/")
    (live.bank / folder / temporary(name, digest(b"another"), Use.TEMPORARY)).write_bytes(text)


def ours(live: LiveBank) -> list[str]:
    """Files of ours that still lie beside the documents."""
    return [path for path in live.tree() if not path.endswith(".md")]


def test_a_text_that_the_history_knows_is_dropped(live: LiveBank) -> None:
    """Nothing changes but that it is gone."""
    before = live.tree()
    leave(live, TASK, before[TASK])
    live.reopen()
    live.sync()
    assert live.tree() == before
    assert ours(live) == []


def test_a_text_that_nobody_knows_is_merged_and_kept_in_the_history(live: LiveBank) -> None:
    """It was saved by somebody, so it counts; and it can be shown as it was."""
    saved = live.read(TASK).replace("**Priority**: LOW", "**Priority**: HIGH").encode()
    leave(live, TASK, saved)
    live.reopen()
    live.sync()
    assert "**Priority**: HIGH" in live.read(TASK)
    assert live.value("SELECT priority FROM tasks WHERE id = 'T6'") == "HIGH"
    assert live.value("SELECT count(*) FROM versions WHERE hash_after = ?", digest(saved)) >= 1
    assert ours(live) == []
    live.assert_at_rest()


def test_two_texts_for_one_document_are_both_merged(live: LiveBank) -> None:
    """One after the other, in one converge."""
    text = live.read(TASK)
    leave(live, TASK, text.replace("**Priority**: LOW", "**Priority**: HIGH").encode())
    leave(live, TASK, text.replace("# T6: Printable Month Sheet", "# T6: A Sheet").encode())
    live.reopen()
    live.sync()
    assert ["**Priority**: HIGH" in live.read(TASK), "# T6: A Sheet" in live.read(TASK)] == [True, True]
    assert ours(live) == []
    live.assert_at_rest()


def test_a_text_beside_an_edited_document_is_not_dropped(live: LiveBank) -> None:
    """Its document was saved too: both are there in the end."""
    leave(live, TASK, live.read(TASK).replace("**Priority**: LOW", "**Priority**: HIGH").encode())
    live.edit(TASK, "# T6: Printable Month Sheet", "# T6: A Sheet")
    live.reopen()
    live.sync()
    assert ["**Priority**: HIGH" in live.read(TASK), "# T6: A Sheet" in live.read(TASK)] == [True, True]
    assert ours(live) == []
    live.assert_at_rest()


def test_a_text_for_a_held_document_waits(live: LiveBank) -> None:
    """It is still there after the hold, and merged then."""
    text = live.read(TASK)
    leave(live, TASK, text.replace("**Priority**: LOW", "**Priority**: HIGH").encode())
    live.write(TASK, "")
    live.reopen()
    live.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    assert len(live.sync().holds) == 1
    assert len(ours(live)) == 1
    live.write(TASK, text)
    live.sync()
    live.sync()
    assert "**Priority**: HIGH" in live.read(TASK)
    assert ours(live) == []


def test_in_mode_observe_a_text_waits_too(live: LiveBank) -> None:
    """No file is written; the text stays where it lies."""
    live.sql("INSERT OR REPLACE INTO state(name, value) VALUES ('mode', 'observe')")
    leave(live, TASK, live.read(TASK).replace("**Priority**: LOW", "**Priority**: HIGH").encode())
    live.reopen()
    before = live.read(TASK)
    live.sync()
    assert live.read(TASK) == before
    assert len(ours(live)) == 1


def test_a_text_whose_document_is_not_known_is_told(live: LiveBank) -> None:
    """As an open conflict that shows it."""
    folder = live.bank / ".syncd" / "held"
    folder.mkdir(exist_ok=True)
    (folder / held("x" * 300, digest(b"another"))).write_bytes(b"Somebody's words.\n")
    live.reopen()
    (conflict,) = live.sync().conflicts
    assert conflict["file"] == "Somebody's words.\n"
    assert list(folder.iterdir()) == []


def test_a_text_that_is_no_text_is_told(live: LiveBank) -> None:
    """Its bytes can be read from the conflict."""
    leave(live, TASK, b"odd \xff\n")
    live.reopen()
    (conflict,) = live.sync().conflicts
    assert (conflict["document"], conflict["file"]) == (TASK, "odd \\xff\n")
    assert ours(live) == []
