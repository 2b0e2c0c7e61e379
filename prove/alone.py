"""A part in a process of its own: it can be given up where it does not end, with all that it started.

``python -m prove.alone PART SCALE SEED FILE`` runs one and writes its result into a file, as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from prove.frame import ROOT, Result
from prove.parts import load

_MORE = 1.25
_NICE = 10
_LEAST_S = 240.0
"""A part may take so much longer than its budget: what it has begun it brings to an end, then looks at what is left."""


class Running:
    """A part that goes on. ``cores`` are those that it keeps busy."""

    def __init__(self, name: str, scale: float, seed: int, folder: Path) -> None:
        self.name = name
        self.part = load(name)
        self.cores = self.part.WHOLE.workers
        self._file = folder / f"{name}.json"
        self._began = time.monotonic()
        self._limit = self.part.WHOLE.scaled(scale).seconds * _MORE + _LEAST_S
        self._process = subprocess.Popen(
            [sys.executable, "-m", "prove.alone", name, str(scale), str(seed), str(self._file)],
            cwd=ROOT, start_new_session=True,
        )  # fmt: skip

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self._began

    def result(self) -> Result | None:
        """What it did, if it is at its end, one way or another."""
        if self._process.poll() is None and self.seconds < self._limit:
            return None
        ended = self._process.poll()
        self.end()
        if ended is None:
            return Result(failures=[f"it did not end within {self._limit:,.0f} s"])
        if not self._file.exists():
            return Result(failures=[f"it ended with {ended} and gave no result"])
        return Result(**json.loads(self._file.read_text(encoding="utf-8")))

    def end(self) -> None:
        """Let nothing of it run on."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def main(name: str, scale: str, seed: str, file: str) -> None:
    """Run a part and write down its result."""
    part = load(name)
    if part.WHOLE.workers > 1:
        os.nice(_NICE)  # what waits for the time to pass, beside it, gets its turn first
    result = part.run(part.WHOLE.scaled(float(scale)), int(seed))
    plain = asdict(result)
    Path(file).write_text(json.dumps({key: plain[key] for key in Result.__dataclass_fields__}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
