"""Which parts there are, in the order in which they run."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from prove.frame import Part

PARTS: tuple[str, ...] = (
    "fuzz",
    "kill",
    "model",
    "errors",
    "editors",
    "races",
    "planted",
    "service",
    "soak",
    "banks",
    "history",
)


def load(name: str) -> Part:
    """The module of a part. ``name`` is one of `PARTS`."""
    return cast(Part, import_module(f"prove.{name}"))
