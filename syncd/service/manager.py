"""What both service managers have in common: the answer about a service, their commands, their files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from syncd.errors import SyncdError, from_os
from syncd.service.render import is_ours

_LIMIT_S = 60.0


class ServiceError(SyncdError):
    """The service cannot be installed, removed or asked for, for a reason outside of syncd."""


class Answer(Struct, frozen=True):
    """What a command of the service manager said."""

    code: int
    out: str
    err: str


Run = Callable[[Sequence[str]], Answer]
"""Runs one command of the service manager."""


def run(command: Sequence[str]) -> Answer:
    """Run ``command``; one that is not there or does not end has the code 127 or 124."""
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            timeout=_LIMIT_S, check=False, env=_environ(),
        )  # fmt: skip
    except FileNotFoundError:
        return Answer(127, "", f"{command[0]}: not found")
    except subprocess.TimeoutExpired:
        return Answer(124, "", f"{' '.join(command[:2])} did not answer within {_LIMIT_S:g} seconds")
    return Answer(ended.returncode, ended.stdout, ended.stderr)


def _environ() -> dict[str, str]:
    """This process's, with the way to the user's manager, which a shell by su or ssh may lack."""
    environ = dict(os.environ)
    folder = f"/run/user/{os.getuid()}"
    if "XDG_RUNTIME_DIR" not in environ and os.path.isdir(folder):
        environ["XDG_RUNTIME_DIR"] = folder
    return environ


class Service(Struct, frozen=True):
    """How a service is. ``state`` is the manager's own word (``active``, ``failed`` …), "not installed" without a file.

    ``current`` says whether the installed file is the one that this installation of syncd would write; None without
    one. ``log`` is the command that shows its log. ``notes`` are sentences for a person, the last of them what to do.
    """

    unit: str
    file: str
    installed: bool
    state: str
    current: bool | None = None
    enabled: bool = False
    pid: int | None = None
    since: str | None = None
    says: str = ""
    restarts: int = 0
    log: str = ""
    did: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def running(self) -> bool:
        """Whether it works, or is about to."""
        return self.state in ("active", "activating", "reloading")

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**asdict(self), "did": list(self.did), "notes": list(self.notes)}


def read_own(file: Path) -> str | None:
    """The installed text; None where there is none. Raises `ServiceError` for one that somebody else put there."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(error, file) from error
    if not is_ours(text):
        raise ServiceError("this file was not written by `syncd service install`", str(file), "move it away first")
    return text


def put(file: Path, text: str) -> None:
    """Make ``file`` hold ``text``, whole or not at all; it may be read by everybody. Raises `ServiceError`."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            new.write_text(text, encoding="utf-8")
            new.chmod(0o644)
            os.replace(new, file)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(error, file) from error


def remove(file: Path) -> None:
    """Remove ``file``. Raises `ServiceError`."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(error, file) from error


def _refused(error: OSError, file: Path) -> ServiceError:
    refusal = from_os(error)
    return ServiceError(refusal.what, str(file), refusal.hint)
