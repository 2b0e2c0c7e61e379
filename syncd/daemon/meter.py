"""How long the last hundred absorbs and emits took, from the first hint until all was durable. No clock here."""

from __future__ import annotations

from collections import deque

from msgspec import Struct, field

_KEPT = 100
_SLOW_S = 1.0
_HOUR = 3600.0


class Latency(Struct, frozen=True):
    """Milliseconds that ``count`` cases took."""

    count: int
    p50: float
    p95: float
    max: float


class Meter(Struct):
    """Counts what one bank did since the daemon opened it first, and keeps the last latencies."""

    absorbs: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    emits: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    transactions: int = 0
    absorbed: int = 0
    emitted: int = 0
    failures: int = 0
    slow: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def worked(self, began: float, ended: float) -> None:
        """One step for the bank, in monotonic seconds: the other banks of the process waited so long."""
        if ended - began > _SLOW_S:
            self.slow.append((ended, ended - began))

    def done(self, absorbed: int, emitted: int, seconds: float | None) -> None:
        """A transaction with so many documents; ``seconds`` since its first hint, None where a timer caused it."""
        self.transactions += 1
        self.absorbed += absorbed
        self.emitted += emitted
        if seconds is not None:
            if absorbed:
                self.absorbs.append(1000 * seconds)
            if emitted:
                self.emits.append(1000 * seconds)


class Slow(Struct, frozen=True):
    """Steps of more than a second within the last hour: how many, and the seconds of the longest."""

    count: int
    longest: float


def slow(meter: Meter, now: float) -> Slow | None:
    """What the bank kept the others from, at ``now`` in monotonic seconds; None where it did not."""
    lately = [seconds for ended, seconds in meter.slow if now - ended < _HOUR]
    return Slow(len(lately), round(max(lately), 1)) if lately else None


def latency(samples: deque[float]) -> Latency | None:
    """The middle, the 95th percentile and the worst of the samples; None without any."""
    if not samples:
        return None
    order = sorted(samples)
    p50, p95 = (order[min(len(order) - 1, int(share * len(order)))] for share in (0.5, 0.95))
    return Latency(len(order), round(p50, 2), round(p95, 2), round(order[-1], 2))
