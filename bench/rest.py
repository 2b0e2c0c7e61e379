"""Whole commands, the first import, what a converge costs that finds nothing, memory, and the cost of waiting."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from bench.latency import History, Samples, bare_loop, connect
from bench.processes import daemon, inside, memory, processor_seconds, run, syncd, timed, wake_ups
from bench.recorded import last_state
from bench.setting import Setting

_QUIET_S = 6.0  # what a start leaves to be done is done by then
_SCAN_S = 60.0  # seconds between two scans of the daemon, as it is installed


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


def python_start(setting: Setting, times: int, code: str = "pass") -> Samples:
    """Milliseconds until python has started, done ``code`` and ended."""
    return timed([sys.executable, "-c", code], setting.env, times)


def nothing_changed(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """`syncd sync` on a bank at rest."""
    bank = setting.real()
    run([*syncd(), "sync", str(bank)], setting.env, ok=(0, 1))
    time.sleep(2.1)  # stat values of files that were written just now prove nothing
    run([*syncd(), "sync", str(bank)], setting.env, ok=(0, 1))
    return timed([*syncd(), "sync", str(bank)], setting.env, times, ok=(0, 1)), python_start(setting, times)


def nothing_changed_large(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """A converge of 10,000 documents at rest, in the process."""
    found = inside("nothing", setting.large(), times, env=setting.env)
    return found["ours"], found["floor"]


def version(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """`syncd --version`."""
    return timed([*syncd(), "--version"], setting.env, times), python_start(setting, times)


def status(setting: Setting, times: int) -> tuple[Samples, Samples]:
    """`syncd status` against a python that imports argparse."""
    bank = setting.real()
    time.sleep(2.1)
    ours = timed([*syncd(), "status", str(bank)], setting.env, times, ok=(0, 1))
    return ours, python_start(setting, times, "import argparse")


def resident(setting: Setting) -> tuple[Samples, Samples, str]:
    """Memory of the daemon after some edits, and of a process that has only the libraries that it cannot do without."""
    bank = setting.real()
    history = History.of(bank)
    with daemon(bank, setting.env) as process, closing(connect(bank)) as client:
        for _ in range(5):
            history.saved(client)
        time.sleep(1.0)
        ours, most = memory(process.pid), memory(process.pid, "VmHWM")
    with bare_loop(setting, "watch", "memory") as (folder, _):
        log = folder.with_name("memory-floor.log")
        assert log.exists()
        floor = _memory_of("bench.bare watch " + str(folder))
    return [ours], [floor], f"at most {most:.1f} MB"


def _memory_of(command: str) -> float:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if command in entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                return memory(int(entry.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    raise AssertionError(command)


def idle(setting: Setting, seconds: float) -> tuple[float, float, str]:
    """Per cent of a core and wake-ups in ten seconds while nothing happens to 10,000 documents.

    The scan that the daemon does every minute is measured apart and added, whether or not one fell into the time.
    """
    bank = setting.large()
    with daemon(bank, setting.env) as process:
        time.sleep(_QUIET_S)
        cpu, woken, began = processor_seconds(process.pid), wake_ups(process.pid), time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        share = 100 * (processor_seconds(process.pid) - cpu) / passed
        wakes = 10 * (wake_ups(process.pid) - woken) / passed
    scan = inside("nothing", bank, 3, env=setting.env)
    each = median(scan["ours"]) / 1000
    with_scan = share + (100 * each / _SCAN_S if passed < _SCAN_S else 0)
    return with_scan, wakes, f"{share:.4f} % without the scan of {each * 1000:.0f} ms that comes once a minute"
