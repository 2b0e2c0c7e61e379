"""How curves are told and drawn."""

from __future__ import annotations

from xml.etree import ElementTree

from bench import plot
from bench.curves import Curve, _expected, tables


def test_a_picture_is_well_formed_and_has_a_mark_for_each_point() -> None:
    """Both lines stay within its frame, whatever the numbers."""
    ours = [(0.1, 3.0), (1.0, 30.0), (100.0, 2900.0)]
    root = ElementTree.fromstring(plot.svg("a < b & c", "MB", "ms", ours, [(x, y / 7) for x, y in ours]))
    marks = [mark for mark in root if mark.tag.endswith("circle")]
    assert len(marks) == 6
    assert all(
        0 < float(mark.get("cx", "")) < plot.WIDTH and 0 < float(mark.get("cy", "")) < plot.HEIGHT for mark in marks
    )
    across = [float(mark.get("cx", "")) for mark in marks[3:]]
    assert across[1] - across[0] < across[2] - across[1], "the axis is logarithmic"


def test_one_size_and_equal_values_are_drawn_too() -> None:
    """There is no range to divide by."""
    assert plot.svg("t", "x", "ms", [(10.0, 10.0)], []).count("<circle") == 1
    assert plot.svg("t", "x", "ms", [(1.0, 10.0), (2.0, 10.0)], []).count("<circle") == 2


def test_a_curve_that_bends_upward_says_so() -> None:
    """The power with which it grows between its last two sizes."""
    curve = Curve("c", "edits", "MB", [(1, 10, 1), (10, 100, 10), (100, 10_000, 100)], "1000 MB: no time")
    assert curve.slope == 2.0
    told = tables([curve], "curves")
    assert "the power 2.00" in told
    assert "Left out: 1000 MB: no time." in told
    assert "![edits](curves/c.svg)" in told


def test_what_the_next_size_takes_is_told_by_how_the_last_two_grew() -> None:
    """What each run takes whatever its size is not multiplied."""
    assert _expected([(0, 0), (10, 2.0)], 100) == 2.0
    assert _expected([(0, 0), (10, 2.0), (100, 3.0)], 1000) == 13.0
