"""Many banks in one daemon: what it takes while nothing happens, the daily backups left out."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from bench import recorded
from bench.processes import ROOT, Failed, memory, processor_seconds, started, syncd, wake_ups
from bench.setting import Setting

_READY_S = 900.0
_QUIET_S = 75.0  # behind the first scan of each, which comes after a minute; later ones come ever more rarely


def banks(setting: Setting, number: int) -> tuple[list[Path], str]:
    """Copies of the recorded banks by turns, or where they are absent of the sample bank."""
    folder = setting.folder("many")
    patterns = [recorded.last_state(name, folder / "of" / name / "memory-bank") for name in recorded.names()]
    note = f"{len(patterns)} recorded banks by turns" if patterns else "the sample bank"
    made = []
    for turn in range(number):
        pattern = patterns[turn % len(patterns)] if patterns else ROOT / "syncd" / "sample"
        assert pattern is not None
        made.append(Path(shutil.copytree(pattern, folder / f"{turn}" / "memory-bank")))
    return made, note


def at_rest(setting: Setting, number: int, seconds: float) -> tuple[float, float, float, str]:
    """Megabytes, per cent of a core, wake-ups in ten seconds, and what the banks are. The banks are imported first."""
    folders, note = banks(setting, number)
    home = Path(setting.env["HOME"]) / ".config" / "syncd"
    home.mkdir(parents=True, exist_ok=True)
    listed = f"banks = {json.dumps([str(folder) for folder in folders])}\n"
    (home / "config.toml").write_text(f"{listed}daily_backups = 0\nweekly_backups = 0\n")
    log = setting.scratch / "many.log"
    try:
        with started([*syncd(), "run", "--json"], setting.env, log) as process:
            began = time.monotonic()
            while not all(_served(folder, process.pid) for folder in folders):
                if process.poll() is not None or time.monotonic() - began > _READY_S:
                    raise Failed(f"not all were served: {log.read_text(errors='replace')[-400:]}")
                time.sleep(0.5)
            took = time.monotonic() - began
            time.sleep(_QUIET_S)
            cpu, woken, began = processor_seconds(process.pid), wake_ups(process.pid), time.monotonic()
            time.sleep(seconds)
            passed = time.monotonic() - began
            share = 100 * (processor_seconds(process.pid) - cpu) / passed
            wakes = 10 * (wake_ups(process.pid) - woken) / passed
            told = f"{note}; all imported and watched after {took:.0f} s; at most {memory(process.pid, 'VmHWM'):.0f} MB"
            return memory(process.pid), share, wakes, told
    finally:
        (home / "config.toml").unlink()


def _served(folder: Path, pid: int) -> bool:
    try:
        holder = json.loads((folder / ".syncd" / "lock").read_text())
    except (OSError, ValueError):
        return False
    return bool(holder["ready"]) and holder["pid"] == pid
