"""What a check answers."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Level(StrEnum):
    """How grave it is."""

    OK = "ok"
    WARN = "warn"  # it works, less well or not for long
    FAIL = "fail"  # it does not work, or not safely


class Check(Struct, frozen=True):
    """The answer of one check: a sentence, and a hint what to do about it where something is to be done."""

    name: str
    level: Level
    says: str
    hint: str | None = None


def ok(name: str, says: str, hint: str | None = None) -> Check:
    """All is well; a hint is something that might be wanted."""
    return Check(name, Level.OK, says, hint)


def warn(name: str, says: str, hint: str | None = None) -> Check:
    """It works, less well or not for long."""
    return Check(name, Level.WARN, says, hint)


def fail(name: str, says: str, hint: str | None = None) -> Check:
    """It does not work, or not safely."""
    return Check(name, Level.FAIL, says, hint)
