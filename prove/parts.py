"""Which parts there are, in the order in which they run."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from prove.frame import Part

PARTS: tuple[str, ...] = (
    "service",  # waits most of its time, beside those that do not mind
    "kill",
    "model",
    "fuzz",
    "errors",
    "planted",
    "races",
    "banks",  # from here on two at a time
    "soak",
    "editors",
    "history",
)


def load(name: str) -> Part:
    """The module of a part. ``name`` is one of `PARTS`."""
    return cast(Part, import_module(f"prove.{name}"))
