"""Somebody saves while we write, as badly timed as can be, thousands of times: no save is lost.

A save counts as lost if its text neither stands in the document, nor was returned by the publish, nor is told by the
files that were held. The saver is a process of its own that strikes within microseconds of our exchange.
"""

from __future__ import annotations

import mmap
import os
import random
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import syncd
from syncd import files
from syncd.files import Busy, Changed, Content, Held, Written, digest, prepare, read_stable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the timing relies on exchange and leases")

ROUNDS = 400  # of each of eight races
_SAVER = """
import mmap, os, struct, sys, time
board, file, how = sys.argv[1], sys.argv[2], sys.argv[3]
with open(board, "r+b") as f:
    shared = mmap.mmap(f.fileno(), 4096)

def by_rename(text):
    with open(file + ".saving", "wb") as out:
        out.write(text)
    os.rename(file + ".saving", file)

def in_place(text):
    with open(file, "wb", buffering=0) as out:
        out.write(text)

def slowly(text):
    with open(file, "wb", buffering=0) as out:
        out.write(text[:5])
        end = time.perf_counter() + 0.0002
        while time.perf_counter() < end:
            pass
        out.write(text[5:])

def late(text):
    out = os.open(file, os.O_WRONLY)
    end = time.perf_counter() + 0.0002
    while time.perf_counter() < end:
        pass
    os.truncate(out, 0)
    os.pwrite(out, text, 0)
    os.close(out)

save, done = {"rename": by_rename, "in place": in_place, "slowly": slowly, "late": late}[how], 0
while True:
    turn, delay = struct.unpack_from("=id", shared, 0)
    if turn == done:
        os.sched_yield()
        continue
    if turn < 0:
        break
    end = time.perf_counter() + delay
    while time.perf_counter() < end:
        pass
    save(b"save %d of the person" % turn)
    done = turn
    struct.pack_into("=i", shared, 64, done)
"""


class Saver:
    """Another process that saves once for each turn, so many seconds after it was told to."""

    def __init__(self, board: Path, file: Path, how: str) -> None:
        board.write_bytes(bytes(4096))
        with board.open("r+b") as shared:
            self._shared = mmap.mmap(shared.fileno(), 4096)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SAVER, str(board), str(file), how], cwd=Path(syncd.__file__).parents[1]
        )

    def go(self, turn: int, delay: float) -> bytes:
        struct.pack_into("=d", self._shared, 4, delay)
        struct.pack_into("=i", self._shared, 0, turn)
        return b"save %d of the person" % turn

    def wait(self, turn: int) -> None:
        while struct.unpack_from("=i", self._shared, 64)[0] != turn:
            os.sched_yield()

    def end(self) -> None:
        struct.pack_into("=i", self._shared, 0, -1)
        self._process.wait(10)
        self._shared.close()


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@pytest.fixture
def saver(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Saver]:
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "a.md").write_bytes(b"start")
    made = Saver(tmp_path / "board", tmp_path / "bank" / "a.md", request.param)
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
        theirs = saver.go(turn, random_.uniform(0, 0.0001))
        if (bank / "a.md").read_bytes() == base:
            os.rename(bank / "new", bank / "a.md")
        saver.wait(turn)
        lost += (bank / "a.md").read_bytes() != theirs
        if lost > 2:
            return
    pytest.skip("the machine was too busy to hit the window")
