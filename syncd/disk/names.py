"""Names that we give to files of our own inside a bank, and how to know them again after a crash.

May import the standard library and `schema.patterns` only. A name says what its file holds:

- ``.part`` is being written: never needed;
- ``.tmp`` was written whole, and its digest stands in the name. If the content has another digest, the file was
  exchanged with a document, and what it holds is a text that somebody saved;
- ``.away`` was moved away from its document's name, to be removed or replaced.
"""

from __future__ import annotations

import os
import re
from enum import StrEnum
from urllib.parse import quote, unquote

from msgspec import Struct

from schema.patterns import pattern

MARK = 16
"""How many hex digits of a digest stand in a name."""

_LONGEST = 255
_OWN = pattern(
    rf"\.(?:(?P<target>.+)\.)?syncd-[0-9a-f]{{8}}(?P<mark>[0-9a-f]{{{MARK}}})\.(?P<use>part|tmp|away)", re.S
)
_HEX = frozenset("0123456789abcdef")


class Use(StrEnum):
    """What a file of ours is there for."""

    PART = "part"
    TEMPORARY = "tmp"
    AWAY = "away"


class Own(Struct, frozen=True):
    """What a name of ours says. ``target`` is the document's name, None where that was too long to carry."""

    target: str | None
    mark: str
    use: Use


def temporary(target: str, digest: str, use: Use) -> str:
    """A new name beside the document ``target`` for a text with ``digest``."""
    tail = f"syncd-{os.urandom(4).hex()}{digest[:MARK]}.{use}"
    name = f".{target}.{tail}"
    return name if len(name.encode()) <= _LONGEST else f".{tail}"


def with_use(name: str, use: Use) -> str:
    """The name of ours, ``name``, for another use of the same text."""
    return f"{name.rpartition('.')[0]}.{use}"


def is_own(name: str) -> bool:
    """Whether only we give such a name."""
    return "syncd-" in name and _OWN.fullmatch(name) is not None


def read_own(name: str) -> Own | None:
    """What a name made by `temporary` says; None for any other name."""
    match = _OWN.fullmatch(name)
    return None if match is None else Own(match["target"], match["mark"], Use(match["use"]))


def held(path: str, digest: str | None) -> str:
    """A new name below ``.syncd/held`` for a text taken from document ``path``; ``digest`` where the text is known."""
    head = f"{os.urandom(4).hex()}-{digest[:MARK] if digest else 'unknown'}-"
    name = head + quote(path, safe=" ")
    return name if len(name) <= _LONGEST else head


def read_held(name: str) -> tuple[str | None, str | None] | None:
    """``(path, mark)`` of a name made by `held`, each None where the name does not say it; None for any other name."""
    random, _, rest = name.partition("-")
    mark, dash, target = rest.partition("-")
    if not dash or len(random) != 8 or not _HEX.issuperset(random):
        return None
    if mark == "unknown":
        return unquote(target) or None, None
    return (unquote(target) or None, mark) if len(mark) == MARK and _HEX.issuperset(mark) else None
