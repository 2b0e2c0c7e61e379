"""What was measured, how far it is from its goal, and how that is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached. All that are given must hold.

    ``ratio`` bounds our median by so many times the floor's median, and our best tenth by the floor's best tenth: noise
    that both suffer makes the first too kind. ``tail`` bounds our 99th percentile by floors' medians. ``limit``
    is absolute, in the figure's unit, on a machine on which the floor is ``at``; where the floor is slower here, the
    limit grows in proportion (it never shrinks).
    """

    ratio: float | None = None
    tail: float | None = None
    limit: float | None = None
    at: float | None = None

    def allowed(self, floor: float | None) -> float | None:
        """The absolute limit on this machine."""
        if self.limit is None or self.at is None or floor is None:
            return self.limit
        return max(self.limit, self.limit * floor / self.at)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: samples of ours and of the floor, in ``unit``; peers' medians, or why there are none."""

    name: str
    work: str
    ours: Sequence[float]
    unit: str = "ms"
    floor: Sequence[float] = ()
    goal: Goal = Goal()
    peers: Mapping[str, float | str] = field(default_factory=dict)
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Our median in floors."""
        return median(self.ours) / median(self.floor) if self.floor and median(self.floor) else None

    @property
    def tail(self) -> float | None:
        """Our 99th percentile in floors' medians."""
        return percentile(self.ours, 0.99) / median(self.floor) if self.floor and median(self.floor) else None

    @property
    def best(self) -> float | None:
        """Our 10th percentile in floors' 10th percentiles: what is left of the ratio when nobody else disturbs."""
        return percentile(self.ours, 0.1) / percentile(self.floor, 0.1) if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        goal, checks = self.goal, []
        allowed = goal.allowed(median(self.floor) if self.floor else None)
        if goal.ratio is not None and self.ratio is not None:
            checks += [self.ratio <= goal.ratio, self.best is not None and self.best <= goal.ratio]
        if goal.tail is not None and self.tail is not None:
            checks.append(self.tail <= goal.tail)
        if allowed is not None:
            checks.append(median(self.ours) <= allowed)
        return all(checks) if checks else None

    def json(self) -> dict[str, Any]:
        """Everything, for later comparison."""
        return {
            "name": self.name, "work": self.work, "unit": self.unit, "ours": list(self.ours),
            "floor": list(self.floor), "ratio": self.ratio, "best": self.best, "tail": self.tail, "met": self.met,
            "peers": dict(self.peers), "note": self.note,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that must hold without a tolerance. ``held`` is None where it could not be tried."""

    name: str
    what: str
    held: bool | None
    found: str

    def json(self) -> dict[str, Any]:
        """Everything, for later comparison."""
        return {"name": self.name, "what": self.what, "held": self.held, "found": self.found}


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample below or at which ``share`` of all lie."""
    return sorted(samples)[min(len(samples) - 1, round(share * (len(samples) - 1)))]


def number(value: float) -> str:
    """Three figures, no more."""
    if value and abs(value) < 0.1:
        return f"{value:.4f}".rstrip("0").rstrip(".") or "0"
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


HEAD = ("work", "min / median / max", "p99", "floor", "ratio", "at best", "goal", "met")


def cells(figure: Figure) -> tuple[str, ...]:
    """A figure as a row of the table whose head is `HEAD`."""
    ours, unit = figure.ours, f" {figure.unit}" if figure.unit else ""
    spread = f"{number(min(ours))} / {number(median(ours))} / {number(max(ours))}{unit}"
    tail = f"{number(percentile(ours, 0.99))}{unit}" if len(ours) >= 40 else ""
    floor = f"{number(median(figure.floor))}{unit}" if figure.floor else ""
    ratio = f"{figure.ratio:.2f} ×" if figure.ratio is not None else ""
    if figure.tail is not None and figure.goal.tail is not None:
        ratio += f", p99 {figure.tail:.1f} ×"
    met = {True: "yes", False: "**no**", None: ""}[figure.met]
    best = f"{figure.best:.2f} ×" if figure.best is not None else ""
    return figure.work, spread, tail, floor, ratio, best, goal_text(figure), met


def goal_text(figure: Figure) -> str:
    """The goal as a reader wants it."""
    goal, parts = figure.goal, []
    if goal.ratio is not None:
        parts.append(f"{goal.ratio:g} ×")
    if goal.tail is not None:
        parts.append(f"p99 {goal.tail:g} ×")
    if goal.limit is not None:
        parts.append(f"{goal.limit:g} {figure.unit}".strip())
        allowed = goal.allowed(median(figure.floor) if figure.floor else None)
        if allowed is not None and allowed > goal.limit:
            parts[-1] += f" ({number(allowed)} on this machine)"
    return ", ".join(parts)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with aligned columns."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "".join(f"| {line} |\n" for line in lines)
