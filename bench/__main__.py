"""Measure every figure and try every gate of the design; show a table, and keep the samples in bench/results/."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import curves, figures, report
from bench.figures import Figure, Gate
from bench.processes import CACHE, ROOT, Failed
from bench.rows import GATES, ROWS
from bench.setting import Setting


def main() -> int:
    options = _options()
    if sys.platform != "linux":
        print("bench: it measures with inotify and /proc, so it needs Linux", file=sys.stderr)
        return 2
    scratch = CACHE / "work" / str(os.getpid())
    setting = Setting(scratch, options.quick, _tell)
    began, results = time.monotonic(), report.Results(_machine(), options.quick)
    try:
        part = options.row or options.curves
        todo = [*(options.row or ([] if options.curves else [*ROWS, *GATES]))]
        todo += ["curves"] * (options.curves or not (part or options.quick))
        todo += ["peers"] * (not (options.no_peers or options.quick or part) or options.peers)
        for name in todo:
            _tell(name)
            if time.monotonic() - began > options.minutes * 60:
                results.failed[name] = f"left out: {options.minutes:g} minutes were over"
            else:
                _measure(name, setting, results, options)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    results.seconds = time.monotonic() - began
    _keep(results, options)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few samples, no peers, in about a minute")
    parser.add_argument("--row", action="append", choices=[*ROWS, *GATES], metavar="NAME",
                        help=f"only this one (may be repeated): {', '.join([*ROWS, *GATES])}")  # fmt: skip
    parser.add_argument("--curves", action="store_true", help="only how cost grows with size, in about five minutes")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin nothing more after so long (default: 60)")
    parser.add_argument("--no-peers", action="store_true", help="do not install and measure basic-memory and sqldown")
    parser.add_argument("--peers", action="store_true", help="measure the peers also with --quick or --row")
    parser.add_argument("--peer-python", metavar="PATH", help="the Python to install the peers with")
    parser.add_argument("--docs", action="store_true", help="write what a whole run found into the docs")
    options = parser.parse_args()
    if options.docs and (options.row or options.curves or options.quick):
        parser.error("--docs is for a whole run: without --row, --curves and --quick")
    return options


def _tell(what: str) -> None:
    print(f"{datetime.now().astimezone():%H:%M:%S} {what}", file=sys.stderr, flush=True)


def _measure(name: str, setting: Setting, results: report.Results, options: argparse.Namespace) -> None:
    """One row or gate, the curves or the peers. One that cannot be measured is told and hinders no other."""
    found: Figure | Gate | list[Figure] = []
    try:
        match name:
            case "curves":
                results.curves = curves.measure(setting)
            case "peers":
                from bench import peers

                results.peers = peers.measure(setting, options.peer_python)
            case _:
                found = (ROWS | GATES)[name](setting)
    except (Failed, AssertionError, OSError) as error:
        results.failed[name] = f"{type(error).__name__}: {error}"
        _tell(f"  failed: {error}")
        return
    for one in found if isinstance(found, list) else [found]:
        match one:
            case Figure():
                results.figures.append(one)
                _tell("  " + " | ".join(cell for cell in figures.cells(one)[1:] if cell))
            case Gate():
                results.gates.append(one)
                _tell(f"  {one.found}")


def _machine() -> dict[str, str]:
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]  # fmt: skip
    return {
        "processor": f"{os.cpu_count()} × {models[0] if models else platform.machine()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.1f}",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _keep(results: report.Results, options: argparse.Namespace) -> None:
    folder = ROOT / "bench" / "results"
    folder.mkdir(exist_ok=True)
    file = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps(results.json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(report.markdown(results))
    print(f"kept in {file.relative_to(ROOT)}")
    if options.docs:
        (ROOT / "docs" / "figures.md").write_text(report.document(results), encoding="utf-8")
        _draw(results.curves, ROOT / "docs" / report.PICTURES)
        readme = ROOT / "README.md"
        readme.write_text(report.with_summary(readme.read_text(encoding="utf-8"), results), encoding="utf-8")
    elif results.curves:
        _draw(results.curves, file.with_suffix(""))


def _draw(measured: list[curves.Curve], folder: Path) -> None:
    """A picture of each curve."""
    folder.mkdir(exist_ok=True)
    for curve in measured:
        if len(curve.points) > 1:
            (folder / f"{curve.name}.svg").write_text(curve.picture(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
