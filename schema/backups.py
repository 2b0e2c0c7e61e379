"""Where the copies of a database lie and what they are called: ``backups/20260304-201205-before-cutover.db``."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from schema import errors
from schema.patterns import pattern

FOLDER = "backups"
"""The folder of copies, beside the database."""

_NAME = pattern(r"(\d{8}-\d{6})-([a-z0-9-]+?)(?:\.(\d+))?\.db")


class Backup(Struct, frozen=True):
    """A copy: its file, when it was made (UTC), in a word or two why, its size in bytes."""

    path: Path
    made: datetime
    why: str
    size: int


def target(database: Path, why: str, now: datetime | None = None) -> Path:
    """A name that no copy has yet, in a folder that only its owner may read (it is made where it is not there).

    ``why`` is of small letters, digits and hyphens. Raises `DatabaseFailed`.
    """
    folder = database.parent / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        what = f"no backup can be made: {error.strerror}"
        raise errors.DatabaseFailed(what, str(folder), "make the folder writable") from error
    stem = f"{(now or datetime.now(UTC)).astimezone(UTC):%Y%m%d-%H%M%S}-{why}"
    number, path = 1, folder / f"{stem}.db"
    while path.exists():
        number += 1
        path = folder / f"{stem}.{number}.db"
    return path


def listing(database: Path) -> list[Backup]:
    """The copies of a database, newest first. Files with other names are not among them."""
    found = []
    try:
        with os.scandir(database.parent / FOLDER) as entries:
            for entry in entries:
                match = _NAME.fullmatch(entry.name)
                if match and entry.is_file(follow_symlinks=False):
                    made = datetime.strptime(match[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
                    found.append((made, int(match[3] or 1), Backup(Path(entry.path), made, match[2], _size(entry))))
    except (OSError, ValueError):
        pass
    return [backup for _, _, backup in sorted(found, reverse=True, key=lambda item: item[:2])]


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0
