"""Another process that saves a file within microseconds of being told to, in the ways that programs save."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

from prove.frame import ROOT

WAYS = ("rename", "in place", "slowly", "late")

_SAVER = """
import mmap, os, struct, sys, time
board, file, how, who = sys.argv[1:]
with open(board, "r+b") as f:
    shared = mmap.mmap(f.fileno(), 4096)

def by_rename(text):
    with open(f"{file}.{who}.saving", "wb") as out:
        out.write(text)
    os.rename(f"{file}.{who}.saving", file)

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
    turn, delay, length = struct.unpack_from("=idi", shared, 0)
    if turn == done:
        os.sched_yield()
        continue
    if turn < 0:
        break
    text = shared[128:128 + length]
    end = time.perf_counter() + delay
    while time.perf_counter() < end:
        pass
    save(text)
    done = turn
    struct.pack_into("=i", shared, 64, done)
"""


class Saver:
    """Another process that saves once for each turn, so many seconds after it was told to."""

    def __init__(self, board: Path, file: Path, how: str, who: str = "the person") -> None:
        board.write_bytes(bytes(4096))
        with board.open("r+b") as shared:
            self._shared = mmap.mmap(shared.fileno(), 4096)
        self._who = who
        self._process = subprocess.Popen([sys.executable, "-c", _SAVER, str(board), str(file), how, who], cwd=ROOT)

    def go(self, turn: int, delay: float, text: bytes | None = None) -> bytes:
        """Let it save ``text`` (at most 3,900 bytes; one of its own if not given) after ``delay`` seconds."""
        text = b"save %d of %s" % (turn, self._who.encode()) if text is None else text
        self._shared[128 : 128 + len(text)] = text
        struct.pack_into("=di", self._shared, 4, delay, len(text))
        struct.pack_into("=i", self._shared, 0, turn)
        return text

    def wait(self, turn: int) -> None:
        """Until it has saved. Raises TimeoutError if it does not."""
        end = time.monotonic() + 30
        while struct.unpack_from("=i", self._shared, 64)[0] != turn:
            if time.monotonic() > end:
                raise TimeoutError(f"{self._who} did not save")
            os.sched_yield()

    def end(self) -> None:
        """Let the process end."""
        struct.pack_into("=i", self._shared, 0, -1)
        self._process.wait(10)
        self._shared.close()


def spin(seconds: float) -> None:
    """Pass time more precisely than a sleep does."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
