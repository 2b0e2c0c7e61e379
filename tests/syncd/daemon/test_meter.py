"""What is remembered of the last absorbs and emits."""

from __future__ import annotations

from syncd.daemon.meter import Latency, Meter, Slow, latency, slow


def test_the_last_hundred_count() -> None:
    """Older ones are forgotten; what a timer caused has no latency."""
    meter = Meter()
    for number in range(1, 251):
        meter.done(absorbed=1, emitted=0, seconds=number / 1000)
    assert latency(meter.absorbs) == Latency(100, 201.0, 246.0, 250.0)
    assert latency(meter.emits) is None
    meter.done(absorbed=3, emitted=2, seconds=None)
    assert (len(meter.absorbs), len(meter.emits)) == (100, 0)
    assert (meter.transactions, meter.absorbed, meter.emitted) == (251, 253, 2)
    meter.done(absorbed=1, emitted=1, seconds=0.0042)
    assert latency(meter.emits) == Latency(1, 4.2, 4.2, 4.2)


def test_steps_that_keep_other_banks_waiting_are_told_for_an_hour() -> None:
    """Those of more than a second count."""
    meter = Meter()
    meter.worked(100.0, 100.9)
    assert slow(meter, 101.0) is None
    meter.worked(200.0, 204.25)
    meter.worked(300.0, 301.5)
    assert slow(meter, 302.0) == Slow(2, 4.2)
    assert slow(meter, 204.3 + 3600) == Slow(1, 1.5)
    assert slow(meter, 302.0 + 3600) is None
