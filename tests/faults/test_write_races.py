"""Somebody saves while we write, as badly timed as can be, thousands of times: no save is lost.

A save counts as lost if its text neither stands in the document, nor was returned by the publish, nor is told by the
files that were held. The saver is a process of its own that strikes within microseconds of our exchange.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from prove.savers import Saver, spin
from syncd.disk import files
from syncd.disk.files import Busy, Changed, Content, Held, Written, digest, prepare, read_stable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the timing relies on exchange and leases")

ROUNDS = 400  # of each of eight races


@pytest.fixture
def saver(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Saver]:
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "a.md").write_bytes(b"start")
    made = Saver(tmp_path / "bank" / "a.md", request.param)
    yield made
    made.end()


@pytest.mark.parametrize("saver", ["rename", "in place", "slowly", "late"], indirect=True)
@pytest.mark.parametrize("hint", [False, True], ids=["read first", "by stat"])
def test_no_save_is_lost(saver: Saver, hint: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the two comes first, the person's text can be found, and ours only where it was said to be."""
    monkeypatch.setattr(files, "_sync", lambda descriptor: None)  # the order of names is tested, not the disk
    bank, random_ = tmp_path / "bank", random.Random(5)
    held, lost, outcomes = Held(bank, hold=0.0), [], Counter[str]()
    for turn in range(1, ROUNDS + 1):
        base = read_stable(bank, "a.md")
        assert isinstance(base, Content)
        ours = b"text %d of the daemon" % turn
        prepared = prepare(bank, "a.md", ours)
        theirs = saver.go(turn, random_.uniform(0, 0.0002))
        spin(random_.uniform(0, 0.0004))
        outcome = prepared.publish(digest(base.data), held, base.stat if hint else None)
        saver.wait(turn)
        outcomes[type(outcome).__name__] += 1
        late = held.settle()
        for text in late:
            held.drop(text)
        found = {(bank / "a.md").read_bytes(), *(text.data for text in late)}
        if isinstance(outcome, Changed) and isinstance(outcome.now, Content):
            found.add(outcome.now.data)
        if theirs not in found:
            lost.append((turn, outcome, found))
        assert isinstance(outcome, Written) or ours not in found, (turn, outcome)
    assert not lost, f"{len(lost)} lost, the first: {lost[0]}"
    assert sum(outcomes.values()) == ROUNDS
    assert outcomes["Written"] > 0, outcomes
    assert outcomes[Changed.__name__] + outcomes[Busy.__name__] > 0, outcomes
    assert sorted(os.listdir(bank)) == [".syncd", "a.md"]
    assert os.listdir(bank / ".syncd" / "held") == []


@pytest.mark.parametrize("saver", ["in place"], indirect=True)
def test_check_and_rename_would_lose_saves(saver: Saver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same race against the usual protocol does lose texts: the test above can fail."""
    bank, random_, lost = tmp_path / "bank", random.Random(5), 0
    for turn in range(1, 5 * ROUNDS + 1):
        base = (bank / "a.md").read_bytes()
        (bank / "new").write_bytes(b"text %d of the daemon" % turn)
        theirs = saver.go(turn, random_.uniform(0, 0.0003))
        spin(random_.uniform(0, 0.0003))
        if (bank / "a.md").read_bytes() == base:
            os.rename(bank / "new", bank / "a.md")
        saver.wait(turn)
        lost += (bank / "a.md").read_bytes() != theirs
        if lost > 2:
            return
    pytest.skip("the machine was too busy to hit the window")
