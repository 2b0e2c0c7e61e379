"""The same work done by others: basic-memory and sqldown from PyPI, each installed below .cache/bench by itself.

A peer that cannot be installed or does not do its work is told as such; nothing is taken from elsewhere.
"""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median

from bench import synthetic
from bench.latency import Samples, Steps, save
from bench.processes import CACHE, Failed, memory, processor_seconds, run, started, timed
from bench.report import Peers
from bench.setting import REAL, Setting

Found = dict[str, float | str]
_INSTALL_S = 900.0
_ARRIVES_S = 120.0


def measure(setting: Setting, interpreter: str | None = None) -> Peers:
    """Of each peer the medians by the name of our figure, or why there are none. ``interpreter`` installs them."""
    found: Peers = {}
    for name, (oldest, work) in {"sqldown": ((3, 8), sqldown), "basic-memory": ((3, 12), basic_memory)}.items():
        setting.tell(f"peer {name}")
        try:
            commands = installed(name, oldest, interpreter)
            found[name] = {"release": _release(name, commands), **work(setting, commands)}
        except (Failed, OSError, sqlite3.Error, subprocess.SubprocessError) as error:
            found[name] = {"installed": f"no: {error}"}
        setting.tell(f"  {found[name]}")
    return found


def python(oldest: tuple[int, int], interpreter: str | None) -> str:
    """A Python that is new enough. Raises `Failed`."""
    if interpreter is not None:
        return interpreter
    if sys.version_info >= oldest:
        return sys.executable
    for minor in range(20, oldest[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found is not None and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
            return found
    raise Failed(f"it needs Python {oldest[0]}.{oldest[1]} and none was found; name one with --peer-python")


def installed(name: str, oldest: tuple[int, int], interpreter: str | None) -> Path:
    """The folder with the commands of the peer, installed on first use. Raises `Failed`."""
    folder = CACHE / name
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _install([python(oldest, interpreter), "-m", "venv", str(folder)])
        _install([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", name])
        (folder / "done").touch()
    return folder / "bin"


def _median(command: Sequence[str], env: dict[str, str], times: int) -> float:
    """Milliseconds of a command, after one run that is not counted."""
    return median([timed(command, env) for _ in range(times + 1)][1:])


def _release(name: str, commands: Path) -> str:
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    done = subprocess.run([str(commands / "python"), "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _install(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_S)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"not installed within {_INSTALL_S:g} s") from error
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        raise Failed(lines[-1][:200]) from error


def _environment(setting: Setting, name: str) -> dict[str, str]:
    """As ours, without our packages and settings."""
    kept = {key: value for key, value in setting.env.items() if not key.startswith("PYTHON")}
    home = setting.folder(f"{name}-home")
    # Its embeddings would be computed by a model from the network; without them it has less to do.
    return kept | {"HOME": str(home), "BASIC_MEMORY_SEMANTIC_SEARCH_ENABLED": "false", "BASIC_MEMORY_NO_PROMOS": "1"}


def _once(command: Sequence[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    run(command, env)
    return (time.perf_counter() - began) * 1000


def sqldown(setting: Setting, commands: Path) -> Found:
    """Loads a folder into a table, and dumps changed rows into a folder, each by a command."""
    env, program = _environment(setting, "sqldown"), str(commands / "sqldown")
    bank = synthetic.write(synthetic.bank(REAL), setting.folder("sqldown") / "bank")
    data = bank.with_name("bank.db")
    load = [program, "load", str(bank), "-d", str(data)]
    times = setting.samples(5, 2)
    found: Found = {"version": _median([program, "--version"], env, times)}
    firsts = []
    for _ in range(times):
        data.unlink(missing_ok=True)
        firsts.append(_once(load, env))
    found["first"] = median(firsts)
    found["nothing"] = _median(load, env, times)
    found["status"] = _median([program, "info", "-d", str(data)], env, times)
    found["emit"] = median([_dumped(program, bank, data, env, number) for number in range(times)])
    return found


def _dumped(program: str, bank: Path, data: Path, env: dict[str, str], number: int) -> float:
    with closing(sqlite3.connect(data)) as client, client:
        client.execute("UPDATE docs SET body = body || ? WHERE _path LIKE '%T7.md'", (f"\nchanged {number}\n",))
    return _once([program, "dump", "-d", str(data), "-o", str(bank)], env)


def basic_memory(setting: Setting, commands: Path) -> Found:
    """Indexes a folder into its database; its server watches it."""
    env, program = _environment(setting, "basic-memory"), str(commands / "basic-memory")
    bank = synthetic.write(synthetic.bank(REAL), setting.folder("basic-memory") / "bank")
    times = setting.samples(3, 1)
    found: Found = {"version": _median([program, "--version"], env, times)}
    run([program, "project", "add", "bank", str(bank), "--default"], env)
    index = [program, "reindex", "--search"]
    found["first"] = _once(index, env)
    found["nothing"] = _median(index, env, times)
    found["status"] = _median([program, "status"], env, times)
    try:
        return found | _watched(setting, program, env, bank)
    except Failed as error:
        return found | dict.fromkeys(("history", "task", "burst", "memory", "idle"), f"no: {error}")


def _watched(setting: Setting, program: str, env: dict[str, str], bank: Path) -> Found:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    server = [program, "mcp", "--transport", "streamable-http", "--host", "127.0.0.1", "--port", port]
    data = Path(env["HOME"]) / ".basic-memory" / "memory.db"
    with (
        started(server, env, setting.scratch / "basic-memory.log") as process,
        closing(sqlite3.connect(f"file:{data}?mode=ro", uri=True, timeout=10)) as client,
    ):
        one, many = Steps(bank, [7]), Steps(bank, range(1, 21))
        _arrival(client, bank, dict(one.texts(99)))  # it watches by now
        text, times = (bank / "edit_history.md").read_text(), setting.samples(5, 2)

        def history_texts(number: int) -> dict[str, bytes]:
            return {"edit_history.md": f"{text}\n- Fixed `a{number}.ts`\n".encode()}

        found: Found = {
            "history": _several(times, history_texts, client, bank),
            "task": _several(times, lambda n: dict(one.texts(n)), client, bank),
            "burst": _several(min(times, 2), lambda n: dict(many.texts(100 + n)), client, bank),
        }
        found["memory"] = memory(process.pid)
        time.sleep(5)
        cpu, seconds = processor_seconds(process.pid), setting.samples(30, 8)
        time.sleep(seconds)
        found["idle"] = f"{100 * (processor_seconds(process.pid) - cpu) / seconds:.2f} % ({REAL} files)"
    return found


def _several(times: int, texts: Callable[[int], dict[str, bytes]], client: sqlite3.Connection, bank: Path) -> float:
    samples: Samples = []
    for number in range(times):
        time.sleep(1.0)
        samples.append(_arrival(client, bank, texts(number)))
    return median(samples)


def _arrival(client: sqlite3.Connection, bank: Path, files: dict[str, bytes]) -> float:
    """Save all; milliseconds until the peer's database knows each anew."""
    marks = ",".join("?" * len(files))
    question = f"SELECT file_path, checksum FROM entity WHERE file_path IN ({marks})"
    before = dict(client.execute(question, list(files)))
    began = time.perf_counter()
    for path, data in files.items():
        save(bank / path, data)
    while time.perf_counter() - began < _ARRIVES_S:
        now = dict(client.execute(question, list(files)))
        if all(now.get(path) not in (None, before.get(path)) for path in files):
            return (time.perf_counter() - began) * 1000
        time.sleep(0.001)
    raise Failed(f"a change did not arrive within {_ARRIVES_S:g} s")
