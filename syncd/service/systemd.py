"""The service under systemd: its unit is put in place, enabled, started, asked and removed with ``systemctl``."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from syncd.service import manager
from syncd.service.manager import Answer, Run, Service, ServiceError
from syncd.service.render import Installation, file_name, unit, unit_name

_BOOTED = Path("/run/systemd/system")
_LINGER = Path("/var/lib/systemd/linger")
_SYSTEM_UNITS = Path("/etc/systemd/system")
_ASKED = "ActiveState,MainPID,StatusText,UnitFileState,NRestarts,Result,ActiveEnterTimestamp"
_START_S = 10.0  # how long `install` waits for the service to be ready before it leaves it to itself


class Systemd(Struct, frozen=True):
    """One service under systemd. ``single`` is the bank of a service for that bank alone, None for the one service.

    ``user`` is who it runs as, by name. Without ``sandbox`` a user's service has no namespaces of its own.
    ``folder`` is where unit files go, ``booted`` and ``linger`` are systemd's own marks; they are parameters for tests.
    """

    made_for: Installation
    single: str | None
    user: str
    environ: Mapping[str, str]
    sandbox: bool = True
    run: Run = manager.run
    folder: Path | None = None
    booted: Path = _BOOTED
    linger: Path = _LINGER

    @property
    def system(self) -> bool:
        """Whether the system's manager runs it, not the user's own."""
        return self.made_for.user is not None

    @property
    def unit(self) -> str:
        """The unit's name."""
        return unit_name(self.single)

    @property
    def file(self) -> Path:
        """The unit's file, or that of its template."""
        return (self.folder or self._units()) / file_name(bool(self.single))

    @property
    def text(self) -> str:
        """What the file should hold, where the manager can give it namespaces of its own."""
        return unit(self.made_for, bool(self.single))

    @property
    def plain_text(self) -> str:
        """What the file should hold where it cannot."""
        return unit(replace(self.made_for, namespaces=False), bool(self.single))

    @property
    def printed(self) -> str:
        """The text as asked for, without asking the manager what it can."""
        return self.text if self.sandbox or self.system else self.plain_text

    @property
    def log(self) -> str:
        """The command that shows the log."""
        return f"journalctl {'' if self.system else '--user '}-u '{self.unit}' -f"

    def install(self) -> Service:
        """Put the unit in place, enable it, start it; what is right already stays. Raises `ServiceError`."""
        self._require_manager(writing=True)
        text = self.text if self.system or self._gives_namespaces() else self.plain_text
        old = manager.read_own(self.file)
        did = []
        if old != text:
            manager.put(self.file, text)
            did.append(f"wrote {self.file}")
        self._must("daemon-reload")
        before = self.status()
        if not before.enabled:
            self._must("enable", self.unit)
            did.append(f"enabled {self.unit}")
        if not before.running:
            self._must("reset-failed", self.unit, quiet=True)
            self._must("start", "--no-block", self.unit)
            did.append(f"started {self.unit}")
        elif old != text:
            self._must("restart", "--no-block", self.unit)
            did.append(f"restarted {self.unit}")
        return replace(self._settled(), did=tuple(did))

    def uninstall(self) -> Service:
        """Stop it and remove the unit; banks, databases and settings stay. Raises `ServiceError`."""
        self._require_manager(writing=True)
        written = manager.read_own(self.file) is not None
        before = self.status()
        did = []
        if before.running or before.enabled:
            self._must("disable", "--now", self.unit)
            did.append(f"stopped and disabled {self.unit}")
        if written and not self._used_by_others():
            manager.remove(self.file)
            did.append(f"removed {self.file}")
        self._must("daemon-reload")
        self._must("reset-failed", self.unit, quiet=True)
        notes = ("banks, databases and settings are as they were",) if did else ()
        return Service(self.unit, str(self.file), False, "not installed", log=self.log, did=tuple(did), notes=notes)

    def status(self) -> Service:
        """How it is. Raises `ServiceError` where systemd cannot be asked."""
        self._require_manager(writing=False)
        shown = self._must("show", self.unit, f"--property={_ASKED}").out
        says = dict(line.partition("=")[::2] for line in shown.splitlines())
        state, pid = says.get("ActiveState", "unknown"), int(says.get("MainPID") or 0)
        text = self.file.read_text(encoding="utf-8", errors="replace") if self.file.is_file() else None
        installed = text is not None or says.get("UnitFileState", "") not in ("", "bad")
        return Service(
            self.unit, str(self.file), installed, state if installed or pid else "not installed",
            current=None if text is None else text in (self.text, self.plain_text),
            enabled=says.get("UnitFileState") in ("enabled", "enabled-runtime"),
            pid=pid or None, since=says.get("ActiveEnterTimestamp") or None, says=says.get("StatusText", ""),
            restarts=int(says.get("NRestarts") or 0), log=self.log, notes=self._notes(text, state),
        )  # fmt: skip

    def _notes(self, text: str | None, state: str) -> tuple[str, ...]:
        notes = []
        if text is not None and text == self.plain_text != self.text:
            notes.append("it runs without namespaces of its own, so without most of its sandbox")
        elif text is not None and text != self.text:
            notes.append("the unit was written by another version or installation: `syncd service install` renews it")
        if state == "failed":
            notes.append(f"it has failed; why: {self.log.removesuffix(' -f')} -n 20")
        if text is not None and not self.system and not (self.linger / self.user).exists():
            notes.append(f"it ends when you log out; `loginctl enable-linger {self.user}` lets it run from boot on")
        return tuple(notes)

    def _settled(self) -> Service:
        """How it is once it is ready or has failed, or after a while."""
        end = time.monotonic() + _START_S
        while (now := self.status()).state in ("activating", "reloading", "deactivating") and time.monotonic() < end:
            time.sleep(0.1)
        return now

    def _gives_namespaces(self) -> bool:
        """Whether this user's manager can, and shall: some kernels and distributions keep them for root."""
        asked = (
            "PrivateUsers=yes",
            "ProtectSystem=strict",
            "PrivateDevices=yes",
            "PrivateNetwork=yes",
            "ProcSubset=pid",
        )
        options = [f"--property={option}" for option in asked]
        return self.run(["systemd-run", "--user", "--quiet", "--wait", "--collect", *options, "true"]).code == 0

    def _used_by_others(self) -> bool:
        """Whether another bank's service uses the same template."""
        if self.single is None:
            return False
        links = self.file.parent.glob("*.wants/syncd@*.service")
        return any(link.name != self.unit for link in links)

    def _units(self) -> Path:
        if self.system:
            return _SYSTEM_UNITS
        home = self.environ.get("XDG_CONFIG_HOME") or str(Path(self.made_for.home) / ".config")
        return Path(home) / "systemd" / "user"

    def _require_manager(self, *, writing: bool) -> None:
        """Raises `ServiceError` where systemd, or this user's manager, is not there or may not be told."""
        if not self.booted.is_dir():
            raise ServiceError(
                "systemd does not run on this machine",
                hint="start `syncd run` by what does, or see the unit with `syncd service install --print`",
            )
        if self.system:
            if writing and os.geteuid() != 0:
                raise ServiceError("the system's services are root's", hint=f"sudo {self._again()}")
            return
        if writing and os.geteuid() == 0 and self.environ.get("SUDO_USER"):
            raise ServiceError(
                "sudo would make this root's own service", hint="run it without sudo, or with --system for the system's"
            )
        answer = self._systemctl("show", "--property=Version")
        if answer.code:
            raise ServiceError(
                "your systemd user manager cannot be reached",
                hint=f"log in as {self.user} (su is no log-in), or once: sudo loginctl enable-linger {self.user}",
            )

    def _again(self) -> str:
        bank = f" --bank {self.single}" if self.single else ""
        return f"{self.made_for.program} service install --system{bank}"

    def _must(self, *command: str, quiet: bool = False) -> Answer:
        answer = self._systemctl(*command)
        if answer.code and not quiet:
            said = (answer.err.strip() or answer.out.strip() or f"exit code {answer.code}").splitlines()[0]
            raise ServiceError(f"systemctl {command[0]} failed ({said})", self.unit, f"see: {self.log[:-3]} -n 20")
        return answer

    def _systemctl(self, *command: str) -> Answer:
        return self.run(["systemctl", *([] if self.system else ["--user"]), *command])
