"""Which transaction brought each line."""

from __future__ import annotations

import random
from typing import Any

import pytest

from schema import history, store
from syncd.history.blame import UNSEEN, blame, pairs
from syncd.model import Mode

LiveBank = Any
PATH = "projectbrief.md"


def owners(live: LiveBank, text: str | None = None, at: int | None = None) -> list[tuple[int, str]]:
    """Each line of the document with its transaction."""
    data = history.text_at(live.engine.db, PATH, at) if text is None else text.encode()
    assert data is not None
    return [(number, line.decode()) for number, line in blame(live.engine.db, PATH, data, at)]


@pytest.fixture
def three(small: Any) -> LiveBank:
    """A document of three versions; the second was inserted above, the third changed the last line."""
    live = small({PATH: "# A\none\ntwo\n"})
    live.write(PATH, "# A\nzero\none\ntwo\n")
    live.sync()
    live.write(PATH, "# A\nzero\none\nTWO\n")
    live.sync()
    return live


def test_each_line_has_the_transaction_that_brought_it(three: LiveBank) -> None:
    """Lines that only moved keep theirs."""
    assert owners(three) == [(1, "# A"), (2, "zero"), (1, "one"), (3, "TWO")]


def test_an_earlier_state_has_its_own(three: LiveBank) -> None:
    """What came later does not count."""
    assert owners(three, at=2) == [(1, "# A"), (2, "zero"), (1, "one"), (1, "two")]
    assert owners(three, at=1) == [(1, "# A"), (1, "one"), (1, "two")]


def test_what_no_transaction_has_is_said(three: LiveBank) -> None:
    """Lines of the file that were not absorbed."""
    assert owners(three, "# A\nzero\nnew\nTWO\n") == [(1, "# A"), (2, "zero"), (UNSEEN, "new"), (3, "TWO")]


def test_a_line_that_came_back_is_of_the_transaction_that_brought_it_back(three: LiveBank) -> None:
    """Also after the document was gone."""
    (three.bank / PATH).unlink()
    three.sync()
    three.write(PATH, "# A\none\n")
    three.sync()
    assert [number for number, _ in owners(three)] == [5, 5]


@pytest.mark.parametrize("save", [None, "# A\nTWO\nzero\n", ""])
def test_what_was_put_back_at_once_never_went(three: LiveBank, save: str | None) -> None:
    """While files are output: one that was removed, or saved as another, leaves each line to whom it was."""
    before = owners(three)
    store.state_set(three.engine.db, "mode", Mode.DATABASE_FIRST.value)
    if save is None:
        (three.bank / PATH).unlink()
    else:
        three.write(PATH, save)
    report = three.sync()
    assert len(history.version_rows(three.engine.db, PATH, report.number)) == 2
    assert owners(three) == before
    assert owners(three, at=report.number) == before
    assert owners(three, at=2) == [(1, "# A"), (2, "zero"), (1, "one"), (1, "two")]


def test_it_is_what_walking_forward_gives(small: Any) -> None:
    """Over random edits each line's owner is the version in which it last was not there."""
    chance = random.Random(4)
    lines = [f"line {n}" for n in range(12)]
    live = small({PATH: "\n".join(lines)})
    known = [1] * len(lines)
    for number in range(2, 40):
        place = chance.randrange(len(lines))
        if chance.random() < 0.3 and len(lines) > 3:
            del lines[place], known[place]
        else:
            lines.insert(place, f"new {number}")
            known.insert(place, number)
        live.write(PATH, "\n".join(lines))
        live.sync()
    assert owners(live) == list(zip(known, lines, strict=True))


def test_only_what_differs_is_compared() -> None:
    """Long equal ends cost a walk, no search."""
    before = [b"same %d" % n for n in range(50_000)]
    after = [*before[:25_000], b"new", *before[25_000:]]
    found = dict(pairs(before, after))
    assert len(found) == 50_000
    assert found[24_999] == 24_999
    assert found[25_000] == 25_001
