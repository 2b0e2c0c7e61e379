"""Processes that are measured: their environment, the daemon, and what the system says of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
_READY_S = 180.0
_INSTALL_S = 300.0
_USERS = CACHE / "users"
_CALL = "import sys; from syncd import start; sys.argv[0] = {0!r}; sys.exit(start.{0}())"


class Failed(Exception):
    """A measurement that could not be made, with the reason."""


def environment(home: Path) -> dict[str, str]:
    """An environment with nothing of this user's; compiled modules are kept, as they are after an installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCD", "XDG_", "GIT_"))}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONDEVMODE", "COLUMNS"):
        kept.pop(name, None)
    home.mkdir(parents=True, exist_ok=True)
    return kept | {
        "HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(CACHE / "compiled"), "NO_COLOR": "1",
    }  # fmt: skip


def syncd() -> list[str]:
    """How the command is started: the installed script, or just what that script does."""
    return program("syncd")


def program(name: str) -> list[str]:
    """How one of our programs is started."""
    python = interpreter()
    script = Path(python).with_name(name)
    return [str(script)] if script.exists() else [python, "-c", _CALL.format(name)]


@cache
def interpreter() -> str:
    """The Python of an environment with what users install: beside the tools of development commands start later.

    Made on first use, and again when the dependencies changed; where that fails, the present one.
    """
    done, wanted = _USERS / "done", (ROOT / "pyproject.toml").read_bytes()
    if not done.exists() or done.read_bytes() != wanted:
        shutil.rmtree(_USERS, ignore_errors=True)
        try:
            for command in (["-m", "venv", str(_USERS)], ["-m", "pip", "install", "--quiet", str(ROOT)]):
                python = sys.executable if command[1] == "venv" else str(_USERS / "bin" / "python")
                subprocess.run([python, *command], check=True, capture_output=True, timeout=_INSTALL_S)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"bench: measured beside the tools of development: {error}", file=sys.stderr)
            return sys.executable
        done.write_bytes(wanted)
    return str(_USERS / "bin" / "python")


def run(command: Sequence[str], env: dict[str, str], ok: Sequence[int] = (0,), timeout: float = 600) -> str:
    """Standard output of a command. Raises `Failed` on another exit code."""
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout, cwd=env["HOME"])
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(command[:4])}: not done after {timeout:g} s") from error
    if done.returncode not in ok:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise Failed(f"{' '.join(command[:4])}: exit {done.returncode}: {last[:200]}")
    return done.stdout


def timed(command: Sequence[str], env: dict[str, str], ok: Sequence[int] = (0,)) -> float:
    """Wall clock of a whole command in milliseconds."""
    began = time.perf_counter()
    run(command, env, ok)
    return (time.perf_counter() - began) * 1000


def inside(what: str, *arguments: object, env: dict[str, str]) -> Any:
    """The answer of ``bench.inside`` in a process of its own: this one never opens a database through apsw."""
    return json.loads(run([sys.executable, "-m", "bench.inside", what, *map(str, arguments)], env))


@contextmanager
def started(command: Sequence[str], env: dict[str, str], log: Path) -> Generator[subprocess.Popen[bytes]]:
    """A process that runs meanwhile; ended by SIGTERM, after ten seconds by SIGKILL."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output, cwd=ROOT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def daemon(bank: Path, env: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """The real daemon on ``bank``, ready."""
    log = bank.with_name(f"{bank.name}.log")
    with started([*syncd(), "run", str(bank)], env, log) as process:
        deadline = time.monotonic() + _READY_S
        while not is_ready(bank, env):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"the daemon did not come up: {_end(log)}")
            time.sleep(0.05)
        try:
            yield process
        except Failed as error:
            raise Failed(f"{error}; the daemon {'runs' if process.poll() is None else 'ended'}: {_end(log)}") from error


def _end(log: Path) -> str:
    return log.read_text(errors="replace")[-400:].strip()


def is_ready(bank: Path, env: dict[str, str]) -> bool:
    """Whether `syncd status` names a daemon."""
    try:
        entry = json.loads(run([*syncd(), "status", str(bank), "--json"], env, ok=(0, 1)))["banks"][0]
    except (Failed, ValueError):
        return False
    return entry["daemon"] is not None


def memory(pid: int, field: str = "VmRSS") -> float:
    """Resident memory of a process in MB (``VmHWM``: the most that it ever had)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise Failed(f"process {pid} tells no {field}")


def processor_seconds(pid: int) -> float:
    """Time that all threads of a process have computed, to the nanosecond."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def wake_ups(pid: int) -> int:
    """How often threads of a process began to wait: as often as they woke up."""
    return sum(
        int(line.split()[1])
        for path in Path(f"/proc/{pid}/task").glob("*/status")
        for line in path.read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )
