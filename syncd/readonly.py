"""The write permission of documents while files are output: taken where the settings say so, and given back.

It is a reminder and no lock. Which documents had it is remembered in the database, so that each gets back what was its.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path

from msgspec.structs import replace

from schema import jsontext, store
from schema.db import Database
from syncd.config import Config
from syncd.disk.folders import open_file, open_folder, split
from syncd.disk.walk import Stat
from syncd.errors import SyncdError, from_os
from syncd.model import Mode
from syncd.state import BankState

_STATE = "read_only"
_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def keep(
    bank: Path, db: Database, state: BankState, config: Config, mode: Mode, written: Collection[str]
) -> list[str]:
    """Bring the write permission of all documents to what mode and settings say; a sentence for each that refuses.

    ``written`` are those that were written just now: one that was made anew has the permission of a new file.
    """
    noted = store.state_get(db, _STATE)
    taken: dict[str, int] = jsontext.loads(noted) if noted else {}
    wanted = config.read_only_files and mode is Mode.DATABASE_FIRST
    if not wanted and not taken:
        return []
    before, problems = dict(taken), []
    for path in sorted(state.rows.keys() - (taken.keys() - set(written)) if wanted else taken):
        try:
            _change(bank, db, state, path, taken, wanted)
        except SyncdError as error:
            problems.append(f"{path}: its write permission cannot be changed: {error.what}")
    if taken != before:
        store.state_set(db, _STATE, jsontext.dumps(taken) if taken else None)
    return problems


def _change(bank: Path, db: Database, state: BankState, path: str, taken: dict[str, int], wanted: bool) -> None:
    """Take or give back the permission bits of one document; ``taken`` is brought along."""
    folders, name = split(path)
    try:
        with open_folder(bank, folders) as folder, open_file(folder, name) as file:
            mode = stat.S_IMODE(os.fstat(file).st_mode)
            bits = (mode & _WRITE) or taken.get(path, 0) if wanted else taken[path]
            os.fchmod(file, mode & ~_WRITE if wanted else mode | bits)
            now = Stat.of(os.fstat(file))
    except FileNotFoundError:
        taken.pop(path, None)
        return
    except OSError as error:
        raise from_os(error) from error
    if wanted:
        taken[path] = bits
    else:
        del taken[path]
    row = state.rows.get(path)
    if row is not None and (row.size, row.mtime_ns, row.inode) == (now.size, now.mtime_ns, now.inode):
        store.touch_document(
            db, row.id, size=now.size, mtime_ns=now.mtime_ns, ctime_ns=now.ctime_ns, inode=now.inode
        )
        state.rows[path] = replace(row, ctime_ns=now.ctime_ns)
