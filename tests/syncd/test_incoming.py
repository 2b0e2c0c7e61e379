"""What somebody saved, and the text that it was made from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.syncd.conftest import Live

NOTES = "\n## Notes\n\nkept from before\n\none\ntwo\nthree\nfour\n"
TASK = "# T1: Task\n\n**Status**: 🔄 IN PROGRESS\n" + NOTES
OPAQUE = TASK.encode().replace(b"kept", b"came with bytes\n\nalso\n\xff\xfe kept")


@pytest.mark.parametrize("mode", ["coexist", "database-first"])
def test_nobody_made_a_text_from_bytes_that_were_none(small: Callable[..., Live], mode: str) -> None:
    """A document was no text for a while: it is no base of a merge, and its bytes are in no conflict."""
    live = small({"tasks/T1.md": TASK})
    live.write("tasks/T1.md", OPAQUE)
    live.sync()
    live.write("tasks/T1.md", TASK.replace("kept from before", "something else"))
    live.sync()
    live.sql("INSERT OR REPLACE INTO state(name, value) VALUES ('mode', ?)", mode)
    live.sql("UPDATE tasks SET status = 'completed' WHERE id = 'T1'")
    live.sync()
    saved = OPAQUE.decode("utf-8", "replace").replace("kept from", "kept since")
    live.write("tasks/T1.md", saved)
    report = live.sync()
    assert live.value("SELECT status FROM tasks") == "completed"
    assert report.conflicts
    assert ("kept since" in live.read("tasks/T1.md")) == (mode == "coexist")
    live.assert_at_rest()


def test_a_text_that_was_emptied_was_made_from_the_last_one(small: Callable[..., Live]) -> None:
    """It lacks what we wrote last as it lacks everything: that is not put back behind whoever emptied it."""
    live = small({"notes.md": "# Notes\n"})
    live.sql("UPDATE sections SET text = text || ?", "\nOf a program.\n")
    live.sync()
    assert live.read("notes.md") == "# Notes\n\nOf a program.\n"
    live.write("notes.md", "")
    report = live.sync()
    assert (report.emitted, live.read("notes.md")) == ((), "")
