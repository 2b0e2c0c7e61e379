"""Commands of the user that are told of events: run beside the main loop, one after the other, for a limited time.

The setting is split into words as a shell would (shlex); no shell is run. The event is JSON on standard input.
"""

from __future__ import annotations

import json
import os
import queue
import shlex
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from typing import IO, Any

from msgspec import Struct

_MOST = 100  # events that wait
_AT_END_S = 1.0  # for what runs when the daemon is told to stop


class _Job(Struct, frozen=True):
    event: str
    command: str
    seconds: float
    text: bytes


class Hooks:
    """The user's commands. `tell` returns at once; a thread is started with the first event."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_MOST)
        self._thread: threading.Thread | None = None
        self._running: subprocess.Popen[bytes] | None = None

    def tell(self, event: str, command: str, seconds: float, **values: Any) -> None:
        """Run ``command`` with the event on its standard input; where there is no command, do nothing."""
        if not command:
            return
        text = json.dumps({"event": event, **values}, default=str).encode()
        try:
            self._jobs.put_nowait(_Job(event, command, seconds, text + b"\n"))
        except queue.Full:
            self._log.error("hook.dropped", hook=event, reason=f"{_MOST} events wait for their command")
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="hooks", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread; what still runs after a moment is killed."""
        if self._thread is None:
            return
        with suppress(queue.Full):
            self._jobs.put_nowait(None)
        self._thread.join(_AT_END_S)
        running = self._running
        if running is not None:
            _kill(running)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._run(job)
            except Exception:  # whatever a command does, the next event is told
                self._log.exception("hook.failed", hook=job.event)

    def _run(self, job: _Job) -> None:
        with tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    shlex.split(job.command), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
                    start_new_session=True, cwd="/",
                )  # fmt: skip
            except (OSError, ValueError) as error:
                self._log.error("hook.failed", hook=job.event, reason=str(error))
                return
            self._running = process
            try:
                process.communicate(job.text, timeout=job.seconds)
            except subprocess.TimeoutExpired:
                _kill(process)
                process.communicate()
                self._log.error("hook.killed", hook=job.event, reason=f"not done after {job.seconds:g} s")
                return
            finally:
                self._running = None
            if process.returncode:
                self._log.error("hook.failed", hook=job.event, exit=process.returncode, reason=_last_line(errors))
            else:
                self._log.info("hook.done", hook=job.event)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the command with all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _last_line(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - 500))
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
