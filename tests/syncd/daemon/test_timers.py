"""When to try again."""

from __future__ import annotations

import pytest

from syncd.daemon.timers import Again, BackOff, scan_interval


def test_what_fails_is_left_alone_for_longer_each_time_up_to_a_cap() -> None:
    """For days on end: the wait stays what it is."""
    back_off = BackOff()
    waits = [back_off.failed("gone", 30.0) for _ in range(5000)]
    assert waits[:6] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert set(waits[5:]) == {30.0}
    assert back_off.worked() == 5000
    assert back_off.failed("gone", 30.0) == 1.0


def test_the_same_failure_is_told_ever_more_rarely_and_another_one_at_once() -> None:
    """The log of a week stays readable."""
    back_off = BackOff()
    told = []
    for number in range(1, 1001):
        back_off.failed("gone", 2.0)
        if back_off.telling:
            told.append(number)
    assert told == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    back_off.failed("corrupt", 2.0)
    assert back_off.telling
    back_off.failed("corrupt", 2.0)
    assert not back_off.telling


def test_what_waits_is_looked_at_soon_then_later() -> None:
    """And forgotten as soon as it was ready."""
    again = Again()
    again.plan({"a.md"}, None, 100.0)
    assert again.at == pytest.approx(100.02)
    assert again.due(100.0) == set()
    assert again.due(100.5) == {"a.md"}
    assert again.due(100.6) == set()
    for _ in range(10):
        again.plan({"a.md"}, {"a.md"}, 200.0)
    assert again.at == 201.0
    again.plan((), {"b.md"}, 300.0)
    assert again.due(301.0) == {"a.md"}
    again.plan((), {"a.md"}, 300.0)
    assert again.at is None


def test_a_scan_is_as_rare_as_it_is_slow() -> None:
    """A ten-thousandth of the time for all banks together, but once an hour at least; at a timer every two seconds."""
    assert scan_interval(60.0, 0.001, 1, polling=False) == 60.0
    assert scan_interval(60.0, 0.042, 1, polling=False) == pytest.approx(504.0)
    assert scan_interval(60.0, 0.001, 10, polling=False) == pytest.approx(120.0)
    assert scan_interval(60.0, 0.042, 100, polling=False) == 3600.0
    assert scan_interval(60.0, 1.0, 100, polling=False) == 12_000.0
    assert scan_interval(60.0, 0.001, 1, polling=True) == 2.0
    assert scan_interval(60.0, 0.05, 10, polling=True) == 50.0
