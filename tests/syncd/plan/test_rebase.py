"""A text that somebody saved from what they read earlier, carried over to the text of now."""

from __future__ import annotations

import pytest

from parser.document import parse
from schema.records import Reading, Table
from syncd.model import Keyed, Side
from syncd.plan.rebase import Rebased, rebase, reverted

PATH = "tasks/T3.md"
HAD = "# T3: Curve\n\n**Status**: 🔄 IN PROGRESS\n**Priority**: HIGH\n\n## Notes\n\n" + (
    "First line.\nSecond line.\nThird line.\n"
)
DONE = HAD.replace("🔄 IN PROGRESS", "✅ COMPLETED")


def keyed(path: str, text: str, names: list[str] | None = None) -> Keyed:
    """A document whose entries and lines have these keys in their order; tasks have their ids."""
    document = parse(path, text)
    left = iter(names or [])

    def key(reading: Reading) -> str:
        if reading.table in (Table.HEADER, Table.COUNTS):
            return ""
        return reading.key if reading.table is Table.TASKS else next(left)

    return Keyed(document, tuple(tuple(key(r) for r in s.readings) for s in document.sections))


def carried(had: str, now: str, saved: str, *, tell: bool = True) -> Rebased:
    """A task document that was ``had``, is ``now``, and was saved as ``saved``."""
    return rebase(had, keyed(PATH, now), saved, tell=tell)


def told(done: Rebased) -> list[tuple[str | None, object, object, object, Side]]:
    return [(c.field, c.base, c.file, c.db, c.kept) for c in done.clashes]


def test_a_stale_writer_does_not_revert_what_the_database_wrote() -> None:
    """Their own change is made, the value of now stands, and the case is told."""
    done = carried(HAD, DONE, HAD.replace("Second line.", "Second line, by hand."))
    assert done.text == DONE.replace("Second line.", "Second line, by hand.")
    assert told(done) == [("status", "in_progress", "in_progress", "completed", Side.DB)]


def test_it_is_not_told_where_the_writer_could_not_know() -> None:
    """A text that never reached the disk was read by nobody."""
    done = carried(HAD, DONE, HAD.replace("HIGH", "LOW"), tell=False)
    assert done.text == DONE.replace("HIGH", "LOW")
    assert done.clashes == ()


def test_a_field_that_both_changed_is_the_files_and_told() -> None:
    """The other value is kept with it."""
    done = carried(HAD, DONE, HAD.replace("🔄 IN PROGRESS", "⏸️ PAUSED"))
    assert done.text == HAD.replace("🔄 IN PROGRESS", "⏸️ PAUSED")
    assert told(done) == [("status", "in_progress", "paused", "completed", Side.FILE)]


def test_two_fields_of_neighbouring_lines_are_both_kept() -> None:
    """Where a merge of lines alone would see one stretch that both changed."""
    done = carried(HAD, DONE, HAD.replace("HIGH", "LOW"))
    assert done.text == DONE.replace("HIGH", "LOW")


def test_the_same_change_on_both_sides_is_no_news() -> None:
    """Nothing is told."""
    done = carried(HAD, DONE, DONE)
    assert (done.text, done.clashes) == (DONE, ())


def test_lines_of_prose_that_both_changed_are_the_files_and_told() -> None:
    """All three texts are kept."""
    done = carried(HAD, HAD.replace("Second", "2nd"), HAD.replace("Second", "Another"))
    assert done.text == HAD.replace("Second", "Another")
    assert told(done) == [("text", "Second line.\n", "Another line.\n", "2nd line.\n", Side.FILE)]


def test_prose_that_met_is_told_beside_a_field_that_met() -> None:
    """One does not hide the other."""
    now = DONE.replace("Second", "2nd")
    done = carried(HAD, now, HAD.replace("🔄 IN PROGRESS", "⏸️ PAUSED").replace("Second", "Another"))
    assert {c[0] for c in told(done)} == {"status", "text"}


HISTORY = "edit_history.md"
DAY = "# Edit History\n\n### 2026-03-06\n\n"
ONE = "#### 18:35 - T3: Hover line\n- Created `src/input.ts` - Pointer\n\n"
TWO = "#### 17:20 - T3: Jump fixed\n- Fixed `src/sample.ts` - Last sample\n\n"
DB = "#### 19:00 - T4: By a row\n- Modified `a.md` - By a row\n\n"
HAND = "#### 20:00 - T5: By hand\n- Modified `b.md` - By hand\n\n"
KEYS = ["e1", "m1", "e2", "m2"]


@pytest.mark.parametrize(
    "hand", [HAND + ONE + TWO, ONE + HAND + TWO, ONE + TWO + HAND], ids=["first", "middle", "last"]
)
def test_an_entry_that_the_database_inserted_meanwhile_stays(hand: str) -> None:
    """Wherever the writer put their own."""
    now = keyed(HISTORY, DAY + DB + ONE + TWO, ["e3", "m3", *KEYS])
    done = rebase(DAY + ONE + TWO, now, DAY + hand, tell=True)
    for entry in (DB, HAND, ONE, TWO):
        assert done.text.count(entry.strip()) == 1, done.text
    assert len(list(parse(HISTORY, done.text).readings())) == 8


def test_an_entry_that_the_database_removed_meanwhile_stays_away() -> None:
    """The stale text still has it."""
    done = rebase(DAY + ONE + TWO, keyed(HISTORY, DAY + TWO, KEYS[2:]), DAY + HAND + ONE + TWO, tell=True)
    assert HAND.strip() in done.text
    assert "Hover line" not in done.text
    assert TWO.strip() in done.text


def test_an_entry_that_the_writer_edited_and_the_database_removed_stays() -> None:
    """An edit beats a deletion."""
    saved = DAY + ONE.replace("Hover line", "Hover line, much better") + TWO
    done = rebase(DAY + ONE + TWO, keyed(HISTORY, DAY + TWO, KEYS[2:]), saved, tell=True)
    assert "much better" in done.text


def test_an_entry_that_the_writer_removed_stays_removed() -> None:
    """It was theirs to take out."""
    now = keyed(HISTORY, DAY + DB + ONE + TWO, ["e3", "m3", *KEYS])
    done = rebase(DAY + ONE + TWO, now, DAY + TWO, tell=True)
    assert "Hover line" not in done.text
    assert DB.strip() in done.text


def test_an_earlier_text_put_back_tells_what_goes_with_it() -> None:
    """The file won."""
    clashes = reverted(HAD, keyed(PATH, DONE))
    assert [(c.field, c.file, c.db, c.kept) for c in clashes] == [("status", "in_progress", "completed", Side.FILE)]
