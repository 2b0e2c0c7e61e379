"""The present moment as new documents have it."""

from __future__ import annotations

from datetime import datetime

from syncd.plan import derive


def present(now: datetime) -> str:
    """``now`` in its zone, with a label by which it can be brought up to date later: a known name, or the offset."""
    moment = f"{now:%Y-%m-%d %H:%M:%S}"
    label = now.tzname() or ""
    if label.isalpha() and derive.stamp(f"{moment} {label}", now) == moment:
        return f"{moment} {label}"
    offset = f"{now:%z}"
    return f"{moment} UTC{offset[:3]}:{offset[3:5]}"
