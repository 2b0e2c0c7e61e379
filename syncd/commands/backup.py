"""Copy the database to a file, checked.

Without FILE the copy goes to .syncd/backups, where the automatic ones are; it stays until you remove it. A file that
is there already is not overwritten. Others may go on writing meanwhile, the daemon too. --list shows what there is.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from schema import overview
from schema.backups import listing, target
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common
from syncd.errors import Exit, SyncdError, UsageError


def add(parser: ArgumentParser) -> None:
    """The options of `syncd backup`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="where to (default: a new one in .syncd/backups)")
    parser.add_argument("--list", action="store_true", dest="only_list", help="show the backups in .syncd/backups")
    common(parser)


def run(file: str | None, only_list: bool, bank: str | None, as_json: bool) -> int:
    """Make a backup, or list them."""
    folder = banks.find(bank)
    if only_list:
        if file:
            raise UsageError("--list takes no FILE", file, "name one of the two")
        return _list(folder, as_json)
    path = _free(Path(file)) if file else target(banks.database_of(folder), "asked")
    with inspect.reading(folder) as db:
        db.backup_to(path)
        counts = overview.record_counts(db)
    size = path.stat().st_size
    if as_json:
        output.show_json({"file": str(path.resolve()), "bytes": size, "records": counts})
    else:
        output.say(f"{path}: {size:,} bytes, {output.counted(sum(counts.values()), 'row')}, checked")
    return Exit.CONVERGED


def _free(path: Path) -> Path:
    """``path`` where nothing is there yet. Raises `SyncdError`."""
    if path.exists() or path.is_symlink():
        raise SyncdError("there is a file already", str(path), "name another; nothing is overwritten")
    if not path.parent.is_dir():
        raise SyncdError("no such folder", str(path.parent), "make it first")
    return path


def _list(folder: Path, as_json: bool) -> int:
    found = listing(banks.database_of(folder))
    if as_json:
        names = ("file", "made", "why", "bytes")
        rows = [dict(zip(names, (str(b.path), b.made.isoformat(), b.why, b.size), strict=True)) for b in found]
        output.show_json(rows)
    elif found:
        rows_shown = [(f"{b.made:%Y-%m-%d %H:%M:%S}", b.why, f"{b.size:,}", b.path) for b in found]
        output.show_table(("made (UTC)", "why", "bytes", "file"), rows_shown)
    else:
        output.say("no backups yet")
    return Exit.CONVERGED
