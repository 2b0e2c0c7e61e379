"""A curve as an SVG picture: both axes logarithmic, ours and the floor. Pure.

The standard library is enough for two lines and a grid, and what it writes is short text that differs only where a
figure does; a library for plots would be the heaviest dependency of the project, for this one page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10

from bench.figures import number

WIDTH, HEIGHT = 560, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 84, 34, 46
_OURS, _FLOOR, _INK, _GRID = "#1f6feb", "#8b949e", "#24292f", "#d8dee4"
Points = Sequence[tuple[float, float]]


def svg(title: str, across: str, up: str, ours: Points, bare: Points) -> str:
    """The picture. ``across`` and ``up`` name the axes; points are (x, y), all above zero, at least two of ours."""
    places = _Places([*ours, *bare])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="11" fill="{_INK}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="20" font-size="13" font-weight="bold">{escape(title)}</text>',
        *places.grid(),
        _text(_LEFT + (WIDTH - _LEFT - _RIGHT) / 2, HEIGHT - 8, across, "middle"),
        f'<text transform="translate(14 {(HEIGHT - _BOTTOM + _TOP) / 2:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(up)}</text>",
        *places.line(bare, "floor", _FLOOR),
        *places.line(ours, "syncd", _OURS),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _text(x: float, y: float, what: str, anchor: str, colour: str = _INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(what)}</text>'


class _Places:
    """Where values stand on the picture. Axes end at powers of ten up, and at the points across."""

    def __init__(self, points: Points) -> None:
        self._x = log10(min(x for x, _ in points)), log10(max(x for x, _ in points))
        self._y = floor(log10(min(y for _, y in points))), ceil(log10(max(y for _, y in points)) + 1e-9)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - self._x[0]) / ((self._x[1] - self._x[0]) or 1)
        up = (log10(y) - self._y[0]) / (self._y[1] - self._y[0])
        return _LEFT + across * (WIDTH - _LEFT - _RIGHT), HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM)

    def grid(self) -> Iterator[str]:
        """A line and a number for each power of ten."""
        for power in range(self._y[0], self._y[1] + 1):
            _, y = self._at(10 ** self._x[0], 10**power)
            yield f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="{_GRID}"/>'
            yield _text(_LEFT - 6, y + 4, number(10**power), "end")
        for power in range(ceil(self._x[0] - 1e-9), floor(self._x[1] + 1e-9) + 1):
            x, _ = self._at(10**power, 10 ** self._y[0])
            yield f'<path d="M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}" stroke="{_GRID}"/>'
            yield _text(x, HEIGHT - _BOTTOM + 16, number(10**power), "middle")

    def line(self, points: Points, name: str, colour: str) -> Iterator[str]:
        """The points, joined, with the name behind the last one."""
        places = [self._at(x, y) for x, y in points]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for (x, y), (_, value) in zip(places, points, strict=True):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{number(value)}</title></circle>'
        if places:
            yield _text(places[-1][0] + 8, places[-1][1] + 4, name, "start", colour)
