"""Another process that saves a file within microseconds of being told to, in the ways that programs save."""

from __future__ import annotations

import select
import struct
import subprocess
import sys
import time
from pathlib import Path

from prove.frame import ROOT

WAYS = ("rename", "in place", "slowly", "late")

_SAVER = """
import os, struct, sys, time
file, how, who = sys.argv[1:]

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

save = {"rename": by_rename, "in place": in_place, "slowly": slowly, "late": late}[how]
while told := os.read(0, 4096):
    turn, delay = struct.unpack_from("=id", told)
    end = time.perf_counter() + delay
    while time.perf_counter() < end:
        pass
    save(told[12:])
    os.write(1, told[:4])
"""


class Saver:
    """Another process that saves once for each turn, so many seconds after it was told to.

    It sleeps in between, so that there may be as many as there are processors and they disturb nobody.
    """

    def __init__(self, file: Path, how: str, who: str = "the person") -> None:
        self._who = who
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", _SAVER, str(file), how, who],
            cwd=ROOT, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._tell, self._done = self._process.stdin, self._process.stdout

    def go(self, turn: int, delay: float, text: bytes | None = None) -> bytes:
        """Let it save ``text`` (at most 4,000 bytes; one of its own if not given) after ``delay`` seconds."""
        text = b"save %d of %s" % (turn, self._who.encode()) if text is None else text
        self._tell.write(struct.pack("=id", turn, delay) + text)
        return text

    def wait(self, turn: int) -> None:
        """Until it has saved. Raises TimeoutError if it does not."""
        if not select.select([self._done], [], [], 30)[0] or self._done.read(4) != struct.pack("=i", turn):
            raise TimeoutError(f"{self._who} did not save")

    def end(self) -> None:
        """Let the process end."""
        self._tell.close()
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._done.close()


def spin(seconds: float) -> None:
    """Pass time more precisely than a sleep does."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
