"""The documents of a new bank: the plain forms, with the project's name and the moment of creation put in."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from syncd.bank import FOLDERS, database_of, has_documents
from syncd.errors import BankError
from syncd.plan.stamps import present

TEMPLATE = Path(__file__).parent / "template"


def create(folder: Path, now: datetime) -> list[str]:
    """Write the documents of a new bank into ``folder``, which may not be there yet; their paths.

    ``now`` has a time zone. All of them are written or none. Raises `BankError` where the folder holds a bank already.
    """
    _refuse_existing(folder)
    texts = documents(project_of(folder), now)
    made: list[Path] = []
    try:
        _make_folders(folder, made)
        for path, text in texts.items():
            file = folder / path
            _make_folders(file.parent, made)
            with file.open("x", encoding="utf-8", newline="\n") as out:
                made.append(file)
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
    except BaseException:
        for there in reversed(made):
            with suppress(OSError):  # what failed is told; another program may have put something there
                there.rmdir() if there.is_dir() else there.unlink()
        raise
    return sorted(texts)


def documents(project: str, now: datetime) -> dict[str, str]:
    """The texts of a new bank's documents, by path."""
    texts = {}
    for file in sorted(TEMPLATE.rglob("*.md")):
        text = file.read_text(encoding="utf-8")
        text = text.replace("{{now}}", present(now)).replace("{{project}}", project)
        texts[file.relative_to(TEMPLATE).as_posix()] = text
    return texts


def project_of(folder: Path) -> str:
    """The name of the project: that of the bank's folder, or of the one around it where that is just a memory bank."""
    real = folder.resolve()
    name = real.parent.name if real.name in FOLDERS else real.name
    return " ".join(name.split()) or "Project"


def _refuse_existing(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise BankError("not a folder", str(folder), "name a folder for the new bank, or one that is not there yet")
    if database_of(folder).exists() or (folder.is_dir() and has_documents(folder)):
        raise BankError("there are documents already", str(folder), f"`syncd init {folder}` makes their database")


def _make_folders(folder: Path, made: list[Path]) -> None:
    """Make ``folder`` and what is missing above it."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir()
        made.append(path)
