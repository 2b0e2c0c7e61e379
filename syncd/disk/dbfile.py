"""What stat says of a database's own file. It is never opened here: closing it would drop SQLite's locks."""

from __future__ import annotations

import os
from pathlib import Path


def identity(file: Path) -> tuple[int, int] | None:
    """Which file this is; None where there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def written(file: Path) -> int | None:
    """When it was last written (ns); None where there is none."""
    try:
        return os.stat(file).st_mtime_ns
    except OSError:
        return None
