"""What counts as a goal that is met."""

from __future__ import annotations

import pytest

from bench.figures import Figure, Goal, cells, markdown, number


def _figure(ours: list[float], floor: list[float], goal: Goal) -> Figure:
    return Figure("name", "work", ours, floor=floor, goal=goal)


@pytest.mark.parametrize(
    ("ours", "met"), [([2.0, 3.9, 9.0], True), ([2.0, 4.1, 9.0], False), ([3.9, 3.9, 30.0], True)]
)
def test_a_ratio_is_of_medians(ours: list[float], met: bool) -> None:
    """One slow sample does not matter, a slow median does."""
    assert _figure(ours, [1.0, 1.0, 1.0], Goal(ratio=4)).met is met


def test_noise_that_both_suffer_does_not_meet_a_goal() -> None:
    """The medians are only twice the floor, but the fastest tenth is ten times the floor's."""
    assert _figure([10.0, 20.0, 20.0], [1.0, 10.0, 10.0], Goal(ratio=4)).met is False


def test_the_tail_is_judged_by_the_floors_median() -> None:
    """A 99th percentile beyond it fails, whatever the median."""
    floor = [1.0] * 100
    assert _figure([1.0] * 95 + [13.0] * 5, floor, Goal(ratio=4, tail=12)).met is False
    assert _figure([1.0] * 95 + [11.0] * 5, floor, Goal(ratio=4, tail=12)).met is True


def test_an_absolute_limit_grows_with_a_slow_floor_and_never_shrinks() -> None:
    """The limit was set where the floor takes 14."""
    goal = Goal(limit=100, at=14)
    assert goal.allowed(28) == 200
    assert goal.allowed(7) == 100
    assert goal.allowed(None) == 100


def test_without_a_goal_nothing_is_met_or_missed() -> None:
    """The cell stays empty."""
    figure = _figure([1.0], [1.0], Goal())
    assert figure.met is None
    assert cells(figure)[-1] == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.00"), (0.0123, "0.0123"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_numbers_have_three_figures(value: float, text: str) -> None:
    """More would say more than was measured."""
    assert number(value) == text


def test_tables_are_aligned() -> None:
    """Every line is as long as the others."""
    lines = markdown(("a", "bbb"), [("longer", "x"), ("c", "yy")]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 4
