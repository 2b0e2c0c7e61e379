"""Finding the bank that a command is about, and its database.

A bank is a folder of markdown documents; its database and settings lie in ``.syncd`` inside it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from schema.errors import NoDatabase
from syncd.errors import BankError, UsageError

FOLDERS = ("memory-bank", ".memory-bank", "memory_bank")
"""Names that a bank's folder has where nobody says which one it is, the first that is there."""

STATE = ".syncd"
DATABASE = "memory_bank.db"


def state_of(bank: Path) -> Path:
    """The folder in which the daemon keeps what is its own."""
    return bank / STATE


def database_of(bank: Path) -> Path:
    """The database's file; it may not be there yet."""
    return bank / STATE / DATABASE


def find(given: str | None, environ: Mapping[str, str] | None = None, start: Path | None = None) -> Path:
    """The bank's folder: ``given``, else ``$SYNCD_BANK``, else the nearest one at or above ``start``:
    a folder with one of the usual names, or one that has a database.

    Raises `UsageError` where none is found and `BankError` where it is not a folder that can be read.
    """
    environ = os.environ if environ is None else environ
    named = given or environ.get("SYNCD_BANK")
    if named:
        return _checked(Path(named))
    start = Path.cwd() if start is None else start
    for folder in (start, *start.parents):
        for name in FOLDERS:
            if (folder / name).is_dir():
                return _checked(folder / name)
        if database_of(folder).is_file():  # a bank with a name of its own, seen from inside
            return _checked(folder)
    raise UsageError(
        f"no bank ({', '.join(FOLDERS)}) at or above", str(start), "name it with --bank PATH or $SYNCD_BANK"
    )


def chosen(argument: str | None, option: str | None) -> Path:
    """The bank of a command that takes it as an argument and as ``--bank``."""
    if argument and option and Path(argument).resolve() != Path(option).resolve():
        raise UsageError(f"two banks named: {argument} and {option}", hint="name one of them")
    return find(argument or option)


def several(arguments: Sequence[str], option: str | None) -> list[Path]:
    """The banks of a command that takes several, each once, in the order given."""
    named = [*arguments, *([option] if option else [])]
    return list(dict.fromkeys(find(name) for name in named)) if named else [find(None)]


def _checked(folder: Path) -> Path:
    """``folder`` as an absolute path without links. Raises `BankError` where it cannot be a bank."""
    try:
        real = folder.resolve(strict=True)
    except FileNotFoundError:
        raise BankError("no such folder", str(folder), "create it or name another with --bank PATH") from None
    if not real.is_dir():
        raise BankError("not a folder", str(folder), "name the folder that holds the documents") from None
    if not os.access(real, os.R_OK | os.X_OK):
        raise BankError("permission denied", str(folder), "give this user read access to the folder")
    return real


def require_documents(bank: Path) -> None:
    """Raises `BankError` where ``bank`` has neither a document nor a database."""
    if database_of(bank).exists() or has_documents(bank):
        return
    raise BankError("no documents (*.md) in the folder", str(bank), "name the folder that holds them with --bank PATH")


def has_documents(bank: Path) -> bool:
    """Whether any file below ``bank``, outside hidden folders, is named ``*.md``."""
    for _, folders, files in os.walk(bank):
        if any(name.endswith(".md") for name in files):
            return True
        folders[:] = [name for name in folders if not name.startswith(".")]
    return False


def require_database(bank: Path) -> Path:
    """The database's file. Raises `NoDatabase` where there is none yet."""
    file = database_of(bank)
    if not file.is_file():
        from syncd import lineage

        known = lineage.read(bank)
        if known is not None and known.aside:
            raise lineage.was_set_aside(bank, known)
        if known is not None:
            hint = f"`syncd sync {bank}` makes it anew from the files, `syncd restore FILE` brings a backup back"
            raise NoDatabase("the database is gone", str(bank), hint)
        raise NoDatabase("no database yet", str(bank), f"run `syncd init {bank}`")
    return file
