"""What is measured inside a process of ours: ``python -m bench.inside WHAT …`` prints its samples as JSON."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from bench import bare, growing


def first_import(bank: str) -> dict[str, float]:
    """Milliseconds of a first import, with all that is loaded for it on the way, and of the floor before it."""
    from syncd.engine import Engine

    folder = Path(bank)
    beside = folder.with_name(f"{folder.name}.floor.db")
    for old in folder.parent.glob(f"{beside.name}*"):
        old.unlink()
    shutil.rmtree(folder / ".syncd", ignore_errors=True)
    floor = bare.first_import(folder, beside) * 1000
    began = time.perf_counter()
    engine = Engine.open(folder, create=True)
    engine.converge()
    ours = (time.perf_counter() - began) * 1000
    engine.close()
    return {"ours": ours, "floor": floor}


def nothing(bank: str, times: int) -> dict[str, list[float]]:
    """Milliseconds of a converge that finds nothing, and of the scan that it cannot do without, by turns."""
    from syncd.engine import Engine

    folder, ours, floor = Path(bank), [], []
    engine = Engine.open(folder, create=False)
    engine.converge()
    for _ in range(times):
        floor.append(bare.scan(folder) * 1000)
        began = time.perf_counter()
        report = engine.converge()
        ours.append((time.perf_counter() - began) * 1000)
        assert report.transaction is None, report
    engine.close()
    return {"ours": ours, "floor": floor}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["first_import", bank]:
            answer: object = first_import(bank)
        case ["nothing", bank, times]:
            answer = nothing(bank, int(times))
        case ["curve_documents", bank]:
            answer = growing.curve_documents(bank)
        case ["curve_history", bank]:
            answer = growing.curve_history(bank)
        case ["curve_changes", bank, *sizes]:
            answer = growing.curve_changes(bank, [int(size) for size in sizes])
        case _:
            sys.exit(f"nothing is measured by {sys.argv[1:]}")
    print(json.dumps(answer))
