"""Sections that were read once are remembered, for tests that parse the same texts again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from parser import document

_read = lru_cache(maxsize=10_000)(document._read)


@contextmanager
def remembered() -> Iterator[None]:
    """Reading a section is a pure function of its grammar, text and context: while this lasts, it is done once each."""
    real = document._read
    document._read = _read
    try:
        yield
    finally:
        document._read = real
