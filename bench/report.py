"""The results of one run, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench import curves, figures
from bench.figures import Figure, Gate

PICTURES = "curves"
"""The folder beside docs/figures.md that its pictures lie in."""

Peers = dict[str, dict[str, float | str]]


@dataclass(slots=True)
class Results:
    """Everything that one run found. ``peers``: of each peer, by figure, its median or why there is none."""

    machine: Mapping[str, str]
    quick: bool
    figures: list[Figure] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    peers: Peers = field(default_factory=dict)
    curves: list[curves.Curve] = field(default_factory=list)
    seconds: float = 0.0

    def json(self) -> dict[str, Any]:
        """Everything, for later comparison."""
        return {
            "machine": dict(self.machine), "quick": self.quick, "seconds": round(self.seconds, 1),
            "figures": [f.json() for f in self.figures], "gates": [g.json() for g in self.gates],
            "failed": self.failed, "peers": self.peers, "curves": [c.json() for c in self.curves],
        }  # fmt: skip


def markdown(results: Results) -> str:
    """The tables."""
    parts = [" · ".join(f"{name} {value}" for name, value in results.machine.items()) + "\n"]
    if results.figures:
        parts.append(figures.markdown(figures.HEAD, [figures.cells(f) for f in results.figures]))
    if results.gates:
        rows = [(g.what, g.found, {True: "yes", False: "**no**", None: "not tried"}[g.held]) for g in results.gates]
        parts.append(figures.markdown(("gate", "found", "held"), rows))
    if results.peers:
        parts.append(_peers(results))
    for name, why in results.failed.items():
        parts.append(f"Not measured: {name} ({why})\n")
    if results.curves:
        parts.append(_CURVES + "\n" + curves.tables(results.curves, PICTURES))
    notes = [f"- {f.work}: {f.note}\n" for f in results.figures if f.note]
    if notes:
        parts.append("".join(notes))
    return "\n".join(parts)


_CURVES = """## Cost curves

Both axes are logarithmic: a straight line at 45° is cost in proportion to size. Each size is measured inside a process
of its own, without a watcher; ours and the floor by turns, medians.
"""


def _peers(results: Results) -> str:
    ours = {f.name: f for f in results.figures}
    rows = []
    names = dict.fromkeys(["installed", "release", *ours, *(row for found in results.peers.values() for row in found)])
    for name in names:
        if not any(name in found for found in results.peers.values()):
            continue
        figure = ours.get(name)
        own = f"{figures.number(figures.percentile(figure.ours, 0.5))} {figure.unit}" if figure else ""
        cells = [_peer_cell(found.get(name), figure) for found in results.peers.values()]
        rows.append((figure.work if figure else name, own, *cells))
    return figures.markdown(("work", "syncd", *results.peers), rows)


def _peer_cell(value: float | str | None, figure: Figure | None) -> str:
    if value is None or isinstance(value, str):
        return value or "–"
    unit = f" {figure.unit}" if figure else ""
    if figure is None:
        return figures.number(value)
    return f"{figures.number(value)}{unit} ({figures.number(value / figures.percentile(figure.ours, 0.5))} ×)"


MARKS = ("<!-- figures -->\n", "<!-- /figures -->\n")
"""What stands around the figures in the README."""


def summary(results: Results) -> str:
    """What the README says between its marks."""
    told = [
        _told(results, "task", "a saved 7 KB file is a durable row after {ours} in the median ({floor}{peers})"),
        _told(results, "burst", "20 files saved at once are after {ours} ({floor}{peers})"),
        _told(results, "long", "one entry of a 10 MB history after {ours} ({floor})"),
        _told(results, "first", "a first import of 281 files takes {ours} ({floor}{peers})"),
        _told(results, "nothing", "a `sync` that finds nothing {ours}"),
        _told(results, "memory", "the daemon rests at {ours}"),
    ]
    text = (
        "`make bench` measures them on your machine, next to the floor (a bare loop that does the same reads and "
        "writes and nothing else) and to the nearest peers in the same run; [docs/figures.md](docs/figures.md) "
        "has the last table and how cost grows with size, [docs/speed.md](docs/speed.md) where the time goes and "
        "what stands in the way of what does not reach its goal. "
        f"From it: {'; '.join(part for part in told if part)}.\n"
    )
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + "\n"


def _told(results: Results, name: str, words: str) -> str:
    figure = next((f for f in results.figures if f.name == name), None)
    if figure is None:
        return ""
    peers = [f", {peer} {figures.number(v)}" for peer, found in results.peers.items()
             if not isinstance(v := found.get(name, ""), str)]  # fmt: skip
    floor = f"floor {figures.number(figures.percentile(figure.floor, 0.5))}" if figure.floor else "no floor"
    ours = f"{figures.number(figures.percentile(figure.ours, 0.5))} {figure.unit}"
    return words.format(ours=ours, floor=floor, peers="".join(peers))


def with_summary(readme: str, results: Results) -> str:
    """The README with the figures of this run between its marks."""
    before, _, rest = readme.partition(MARKS[0])
    _, _, behind = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}{summary(results)}{MARKS[1]}{behind}" if behind else readme


def document(results: Results) -> str:
    """docs/figures.md."""
    return f"""# Figures

Written by `python -m bench --docs`. Every time stands beside its floor: a bare loop that does the same I/O and nothing
else, measured by turns with ours in the same run. On a machine that others use too, only the ratios mean something.
*floor* and *ratio* are of medians; *at best* compares the fastest tenth of both, which noise disturbs least, and has to
meet the goal as well. Goals in milliseconds are for a machine on which python starts in 14 ms; where it
starts slower, they are scaled. What peers do is timed as whole commands, but for what their servers notice by
themselves. Where a peer does less than the row says (sqldown makes no records, basic-memory's embeddings are off), that
is in its favour. [Where the time goes](speed.md) says what stands in the way of what is not met.

The whole run took {results.seconds / 60:.0f} minutes.

{markdown(results)}"""
