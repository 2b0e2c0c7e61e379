"""What the daemon that serves a bank tells of it, for `syncd status`. The daemon may be down, busy, or hang."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from syncd import lock

_UNKNOWN: dict[str, Any] = {
    "hung": False, "busy": None, "uptime": None, "memory_mb": None, "transactions": None, "absorbed": None,
    "emitted": None, "failures": None, "overflows": None, "polling": None, "absorb_ms": None, "emit_ms": None,
    "slow": None, "due_in": None,
}  # fmt: skip


class Asked:
    """Asks each daemon once, however many banks it serves."""

    def __init__(self) -> None:
        self._answers: dict[int, Any] = {}

    def daemon(self, bank: Path) -> dict[str, Any] | None:
        """The daemon that watches this bank by now; what it does not tell is None."""
        holder = lock.holder(bank)
        if holder is None or holder.role is not lock.LockRole.DAEMON or not holder.ready:
            return None
        return {"pid": holder.pid, "since": holder.since, **_UNKNOWN, **self._told(holder.pid, bank)}

    def _told(self, pid: int, bank: Path) -> dict[str, Any]:
        from syncd.daemon.ask import Silence, ask

        if pid not in self._answers:
            self._answers[pid] = ask(pid, {"do": "status"})
        answer = self._answers[pid]
        if isinstance(answer, Silence):
            return {"hung": answer.hung}
        if "busy" in answer:
            return {"busy": answer["busy"] or None}
        banks = answer.get("banks") or []
        of_bank: dict[str, Any] = next((b for b in banks if b.get("path") == str(bank)), {})
        told = {name: of_bank[name] for name in _UNKNOWN if name in of_bank}
        return told | {name: answer.get(name) for name in ("uptime", "memory_mb")}
