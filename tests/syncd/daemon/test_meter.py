"""What is remembered of the last absorbs and emits."""

from __future__ import annotations

from syncd.daemon.meter import Latency, Meter, latency


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
