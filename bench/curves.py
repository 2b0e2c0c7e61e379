"""How cost grows: with the documents of a bank, with the length of a history, with the changes of one transaction.

Each size is measured in a process of its own, ours and the floor by turns. A curve stops where the next size would take
longer than what is left of its time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from statistics import median
from typing import Any

from bench import plot, synthetic
from bench.figures import markdown, number
from bench.processes import Failed, inside
from bench.setting import Setting

DOCUMENTS = (10, 30, 100, 300, 1000, 3000, 10_000)
MEGABYTES = (0.1, 0.3, 1, 3, 10, 30, 100)
CHANGES = (1, 10, 100, 1000, 10_000)
LINES = 1_400_000  # bytes of a history with a little more than 10,000 lines
_MOST_S = 300.0  # for all of them together


@dataclass(slots=True)
class Curve:
    """Milliseconds by size: medians of ours and of the floor. ``left_out`` says which sizes were not measured."""

    name: str
    work: str
    across: str
    points: list[tuple[float, float, float]] = field(default_factory=list)
    left_out: str = ""

    @property
    def slope(self) -> float | None:
        """The power of the size with which the cost grows at its end: 1 is in proportion, 2 its square."""
        if len(self.points) < 2:
            return None
        (x, y, _), (x2, y2, _) = self.points[-2:]
        return log(y2 / y) / log(x2 / x)

    def picture(self) -> str:
        """As SVG."""
        ours = [(x, y) for x, y, _ in self.points]
        return plot.svg(self.work, self.across, "ms", ours, [(x, y) for x, _, y in self.points])

    def json(self) -> dict[str, Any]:
        """Everything, for later comparison."""
        return {"name": self.name, "work": self.work, "points": self.points, "left_out": self.left_out}


def measure(setting: Setting) -> list[Curve]:
    """All curves, in about five minutes on a quiet machine."""
    seconds = _MOST_S / (8 if setting.quick else 1)
    return [
        *_grown(setting, _documents, DOCUMENTS, 0.4 * seconds, "documents", {
            "documents_import": "first import, by documents of the bank",
            "documents_nothing": "nothing changed, by documents of the bank",
            "documents_edit": "one edit of a 126 KB history, by documents of the bank",
        }),
        *_grown(setting, _history, MEGABYTES, 0.45 * seconds, "MB", {
            "history_import": "first import, by size of the edit history",
            "history_edit": "one entry edited, by size of the edit history",
        }),
        *_changes(setting),
    ]  # fmt: skip


Samples = Mapping[str, Mapping[str, list[float]]]


def _grown(
    setting: Setting,
    one: Callable[[Setting, Any], Samples],
    sizes: tuple[float, ...],
    seconds: float,
    across: str,
    names: Mapping[str, str],
) -> list[Curve]:
    """The curves that one measurement gives. A size is tried if, growing as it did so far, it will be done in time."""
    curves = {name: Curve(name, work, across) for name, work in names.items()}
    deadline, times = time.monotonic() + seconds, [(0.0, 0.0)]
    for position, size in enumerate(sizes):
        began = time.monotonic()
        if began + _expected(times, size) > deadline:
            left = ", ".join(f"{s:g}" for s in sizes[position:])
            _leave_out(curves, f"{left} {across} would have taken longer than the run may")
            break
        setting.tell(f"  {size:g} {across}")
        try:
            found = one(setting, size)
        except Failed as error:
            _leave_out(curves, f"{size:g} {across}: {error}")
            break
        times.append((size, time.monotonic() - began))
        for name, samples in found.items():
            curves[name].points.append((size, median(samples["ours"]), median(samples["floor"])))
    return list(curves.values())


def _expected(times: list[tuple[float, float]], size: float) -> float:
    """Seconds that ``size`` will take, if it grows on as it did between the last two sizes."""
    if len(times) < 3:
        return times[-1][1]
    (x, y), (x2, y2) = times[-2:]
    return y2 + max(0.0, y2 - y) / (x2 - x) * (size - x2)


def _leave_out(curves: Mapping[str, Curve], why: str) -> None:
    for curve in curves.values():
        curve.left_out = why


def _made(setting: Setting, bank: synthetic.Bank) -> Path:
    return synthetic.write(bank, setting.folder("curve") / "memory-bank")


def _documents(setting: Setting, size: int) -> Samples:
    bank = _made(setting, synthetic.bank(size, size=1500))
    found: Samples = inside("curve_documents", bank, env=setting.env)
    return found


def _history(setting: Setting, size: float) -> Samples:
    bank = _made(setting, synthetic.bank(10, history=int(size * 1_000_000)))
    found: Samples = inside("curve_history", bank, env=setting.env)
    return found


def _changes(setting: Setting) -> list[Curve]:
    """One bank, one process: only the number of changes differs."""
    curves = {
        "changes_rows": Curve("changes_rows", "rows changed in one transaction → file durable", "changes"),
        "changes_file": Curve("changes_file", "lines edited in one file → rows durable", "changes"),
    }
    setting.tell("  changes")
    sizes = CHANGES[:-1] if setting.quick else CHANGES
    bank = _made(setting, synthetic.bank(10, history=LINES))
    try:
        found: Mapping[str, Samples] = inside("curve_changes", bank, *sizes, env=setting.env)
    except Failed as error:
        _leave_out(curves, str(error))
        return list(curves.values())
    for size, samples in found.items():
        for name, both in samples.items():
            curves[name].points.append((float(size), median(both["ours"]), median(both["floor"])))
    return list(curves.values())


def tables(curves: list[Curve], folder: str) -> str:
    """Each curve's picture, which lies in ``folder``, and its figures."""
    parts = []
    for curve in curves:
        slope = f"; at its end the cost grows with the power {curve.slope:.2f}" if curve.slope is not None else ""
        rows = [
            (f"{x:,g} {curve.across}", f"{number(y)} ms", f"{number(z)} ms", f"{y / z:.2f} ×")
            for x, y, z in curve.points
        ]
        parts.append(
            f"### {curve.work[0].upper()}{curve.work[1:]}\n\n![{curve.work}]({folder}/{curve.name}.svg)\n\n"
            + markdown(("size", "syncd", "floor", "ratio"), rows)
            + f"\n{len(rows)} sizes{slope}.{f' Left out: {curve.left_out}.' if curve.left_out else ''}\n"
        )
    return "\n".join(parts)
