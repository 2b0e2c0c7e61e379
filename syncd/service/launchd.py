"""The service under launchd (macOS): an agent of the user, loaded and asked with ``launchctl``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from syncd.service import manager
from syncd.service.manager import Answer, Run, Service, ServiceError
from syncd.service.render import Installation, agent

LABEL = "syncd"


class Launchd(Struct, frozen=True):
    """The user's agent for all banks of the settings. ``uid`` is whose."""

    made_for: Installation
    uid: int
    run: Run = manager.run

    @property
    def unit(self) -> str:
        """The agent's name for launchctl."""
        return f"gui/{self.uid}/{LABEL}"

    @property
    def file(self) -> Path:
        """The agent's file."""
        return Path(self.made_for.home) / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    @property
    def text(self) -> str:
        """What the file should hold."""
        return agent(self.made_for)

    @property
    def printed(self) -> str:
        """The same: an agent has one form."""
        return self.text

    @property
    def log(self) -> str:
        """The command that shows the log."""
        return f"tail -f '{self.made_for.home}/Library/Logs/syncd.log'"

    def install(self) -> Service:
        """Put the agent in place and load it; what is right already stays. Raises `ServiceError`."""
        text, did = self.text, []
        self._require_person()
        old = manager.read_own(self.file)
        loaded = self._launchctl("print", self.unit).code == 0
        if old != text:
            manager.put(self.file, text)
            did.append(f"wrote {self.file}")
        if loaded and old != text:
            self._must("bootout", self.unit)
            loaded = False
        if not loaded:
            self._must("enable", self.unit)
            self._must("bootstrap", f"gui/{self.uid}", str(self.file))
            did.append(f"loaded {self.unit}")
        return replace(self.status(), did=tuple(did))

    def uninstall(self) -> Service:
        """Unload the agent and remove its file; banks, databases and settings stay. Raises `ServiceError`."""
        self._require_person()
        did = []
        if self._launchctl("print", self.unit).code == 0:
            self._must("bootout", self.unit)
            did.append(f"unloaded {self.unit}")
        if manager.read_own(self.file) is not None:
            manager.remove(self.file)
            did.append(f"removed {self.file}")
        notes = ("banks, databases and settings are as they were",) if did else ()
        return Service(self.unit, str(self.file), False, "not installed", log=self.log, did=tuple(did), notes=notes)

    def status(self) -> Service:
        """How it is, from what ``launchctl print`` says."""
        text = self.file.read_text(encoding="utf-8", errors="replace") if self.file.is_file() else None
        printed = self._launchctl("print", self.unit)
        says = dict(re.findall(r"^\t(state|pid|runs) = (.+)$", printed.out, re.M)) if printed.code == 0 else {}
        pid = int(says["pid"]) if says.get("pid", "").isdecimal() else None
        state = {"running": "active", "waiting": "inactive", "not running": "inactive"}.get(says.get("state", ""), "")
        runs = int(says["runs"]) if says.get("runs", "").isdecimal() else 1
        notes = []
        if text is not None and text != self.text:
            notes.append("the agent was written by another version or installation: `syncd service install` renews it")
        return Service(
            self.unit, str(self.file), text is not None,
            (state or says.get("state", "inactive")) if text is not None else "not installed",
            current=None if text is None else text == self.text, enabled=printed.code == 0, pid=pid,
            restarts=max(runs - 1, 0), log=self.log, notes=tuple(notes),
        )  # fmt: skip

    def _require_person(self) -> None:
        if self.uid == 0 or os.geteuid() == 0:
            raise ServiceError("an agent belongs to a person, not to root", hint="run it without sudo")

    def _must(self, *command: str) -> None:
        answer = self._launchctl(*command)
        if answer.code:
            said = (answer.err.strip() or answer.out.strip() or f"exit code {answer.code}").splitlines()[0]
            raise ServiceError(f"launchctl {command[0]} failed ({said})", self.unit, f"see: {self.log}")

    def _launchctl(self, *command: str) -> Answer:
        return self.run(["launchctl", *command])
