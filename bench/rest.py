"""Whole commands, the first import, what a converge costs that finds nothing, memory, and the cost of waiting."""

from __future__ import annotations

import shutil
import time
from contextlib import closing, nullcontext
from pathlib import Path

from bench.latency import History, Samples, bare_loop, connect
from bench.processes import daemon, inside, interpreter, memory, processor_seconds, program, run, syncd, timed, wake_ups
from bench.recorded import last_state
from bench.setting import Setting
from syncd.config import Config
from syncd.daemon.timers import SHARE  # how rarely it scans: what it does is what is told

_QUIET_S = 6.0  # what a start leaves to be done is done by then


def first_import(setting: Setting, times: int) -> tuple[Samples, Samples, str]:
    """The largest recorded bank, or where it is absent a made-up one of that size; each time in a new process."""
    recorded = last_state("qc-diffusion-code", setting.folder("first") / "memory-bank")
    if recorded is None:
        recorded = Path(shutil.copytree(
            setting.real(), setting.folder("first") / "memory-bank", ignore=shutil.ignore_patterns(".syncd")
        ))  # fmt: skip
    samples = [inside("first_import", recorded, env=setting.env) for _ in range(times + 1)][1:]
    note = "the recorded bank" if recorded.name == "qc-diffusion-code" else ""
    return [s["ours"] for s in samples], [s["floor"] for s in samples], note


def beside_python(
    setting: Setting, command: list[str], times: int, code: str = "pass", ok: tuple[int, ...] = (0, 1)
) -> tuple[Samples, Samples]:
    """Milliseconds of a command, and by turns until python has started, done ``code`` and ended."""
    ours, floor = [], []
    bare = [interpreter(), "-c", code]
    for number in range(times + 1):
        pair = timed(command, setting.env, ok), timed(bare, setting.env)
        if number:  # the first makes what is made once
            ours.append(pair[0])
            floor.append(pair[1])
    return ours, floor


def log_work(setting: Setting, times: int, *, daemon_runs: bool) -> tuple[Samples, Samples, str]:
    """`mb workflow log-work` of one entry with eight files, on the largest recorded bank or one of that size."""
    bank = last_state("qc-diffusion-code", setting.folder("work") / "memory-bank") or setting.real()
    run([*syncd(), "sync", str(bank)], setting.env, ok=(0, 1))
    with closing(connect(bank)) as client:
        (task,) = client.execute("SELECT id FROM tasks ORDER BY status = 'in_progress' DESC, id").fetchone()
    files = [part for n in range(8) for part in ("--modified", f"src/part{n}.py:what was done to it")]
    work = ["workflow", "log-work", "--task", task, "--summary", "A piece of work", *files, "--bank", str(bank)]
    with daemon(bank, setting.env) if daemon_runs else nullcontext():
        ours, floor = beside_python(setting, [*program("mb"), *work], times)
    return ours, floor, "" if bank == setting.real() else "the recorded bank"


def nothing_changed(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """`syncd sync` on a bank at rest."""
    bank = setting.real()
    run([*syncd(), "sync", str(bank)], setting.env, ok=(0, 1))
    time.sleep(2.1)  # stat values of files that were written just now prove nothing
    run([*syncd(), "sync", str(bank)], setting.env, ok=(0, 1))
    return beside_python(setting, [*syncd(), "sync", str(bank)], times)


def nothing_changed_large(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """A converge of 10,000 documents at rest, in the process."""
    found = inside("nothing", setting.large(), times, env=setting.env)
    return found["ours"], found["floor"]


def version(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """`syncd --version`."""
    return beside_python(setting, [*syncd(), "--version"], times)


def status(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """`syncd status` against a python that imports argparse."""
    bank = setting.real()
    time.sleep(2.1)
    return beside_python(setting, [*syncd(), "status", str(bank)], times, "import argparse")


def resident(setting: Setting) -> tuple[Samples, Samples, str]:
    """Memory of the daemon after some edits, and of a process that has only the libraries that it cannot do without."""
    bank = setting.real()
    history = History.of(bank)
    with daemon(bank, setting.env) as process, closing(connect(bank)) as client:
        for _ in range(5):
            history.saved(client)
        time.sleep(1.0)
        ours, most = memory(process.pid), memory(process.pid, "VmHWM")
    with bare_loop(setting, "watch", "memory") as (_, _, pid):
        floor = memory(pid)
    return [ours], [floor], f"at most {most:.1f} MB at any time"


def idle(setting: Setting, seconds: float) -> tuple[float, float, str]:
    """Per cent of a core and wake-ups in ten seconds while nothing happens to the large bank.

    Measured between two of the daemon's regular scans; what one of those costs is measured apart, and its share added.
    """
    bank = setting.large()
    with daemon(bank, setting.env) as process:
        time.sleep(_QUIET_S)
        cpu, woken, began = processor_seconds(process.pid), wake_ups(process.pid), time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        share = 100 * (processor_seconds(process.pid) - cpu) / passed
        wakes = 10 * (wake_ups(process.pid) - woken) / passed
    scan = min(inside("nothing", bank, 5, env=setting.env)["ours"])
    every = max(Config().scan_seconds, SHARE * scan / 1000)
    note = f"{share:.4f} % between the scans, which take {scan:.0f} ms every {every:.0f} s"
    return share + scan / 10 / every, wakes + 10 / every, note
