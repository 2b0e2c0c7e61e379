"""What a running daemon tells of itself, and what it does when it is asked over its socket. Called by the main loop."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import asdict

from syncd.daemon.bankloop import BankLoop
from syncd.daemon.control import Request
from syncd.daemon.meter import latency, slow
from syncd.errors import SyncdError, line_of


class Answers:
    """Knows since when this process runs."""

    def __init__(self) -> None:
        self.since = datetime.now(UTC).isoformat(timespec="seconds")
        self._began = time.monotonic()

    def about(self, loops: Iterable[BankLoop]) -> dict[str, Any]:
        """The process and each of its banks, as ``status`` is answered and SIGUSR1 is logged."""
        now = time.monotonic()
        return {
            "pid": os.getpid(),
            "since": self.since,
            "uptime": round(now - self._began, 1),
            "memory_mb": memory_mb(),
            "banks": [about_bank(loop, now) for loop in loops],
        }

    def answer(self, request: Request, loops: Iterable[BankLoop]) -> None:
        """Do what is asked. Errors of a bank are its answer."""
        meant = [loop for loop in loops if request.bank is None or str(loop.bank) == request.bank]
        if request.bank is not None and not meant:
            request.refuse(f"this daemon does not serve {request.bank}", "`syncd list` shows the banks on your list")
            return
        if request.do == "status":
            request.answer(**self.about(meant))
            return
        results = []
        for loop in meant:
            try:
                results.append({"bank": str(loop.bank), **_do(request, loop)})
            except SyncdError as error:
                results.append({"bank": str(loop.bank), "error": line_of(error)})
        request.answer(ok=not any("error" in result for result in results), banks=results)


def _do(request: Request, loop: BankLoop) -> dict[str, Any]:
    match request.do:
        case "mb":
            from syncd.daemon import recording

            return recording.record(loop, request.said)
        case "sync":
            return loop.sync()
        case "pause":
            return {"paused": loop.pause(datetime.now(UTC).isoformat(timespec="seconds"))}
        case "resume":
            return {"paused": loop.pause(None)}
        case _:
            loop.reload()
            return {}


def about_bank(loop: BankLoop, now: float) -> dict[str, Any]:
    """One bank as the daemon sees it; seconds until something are None where nothing is planned."""
    meter = loop.meter
    absorb, emit = latency(meter.absorbs), latency(meter.emits)
    held_up = slow(meter, now)
    return {
        "path": str(loop.bank),
        "open": loop.is_open,
        "failure": loop.failure,
        "paused": loop.paused,
        "polling": loop.polling,
        "overflows": loop.overflows,
        "transactions": meter.transactions,
        "absorbed": meter.absorbed,
        "emitted": meter.emitted,
        "failures": meter.failures,
        "absorb_ms": asdict(absorb) if absorb else None,
        "emit_ms": asdict(emit) if emit else None,
        "slow": asdict(held_up) if held_up else None,
        "due_in": {name: None if at is None else round(at - now, 1) for name, at in loop.times().items()},
    }


def memory_mb() -> float | None:
    """Resident memory of this process, in megabytes."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return round(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
    except (OSError, ValueError, IndexError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the most it ever had: macOS tells no more for free
        return round(most / 1e6 if sys.platform == "darwin" else most / 1e3, 1)
