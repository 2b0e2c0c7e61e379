"""All checks, in order. A check that fails in a way that it did not expect is a failed check, not a failed command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from syncd.disk.walk import OMITTED, walk
from syncd.doctor import contents, installation, place
from syncd.doctor.check import Check, fail
from syncd.errors import SyncdError, from_os, line_of

OF_BANK: tuple[Callable[[Path], Check], ...] = (
    place.file_system, place.exchange, place.lease, place.names, place.space, place.permissions, place.owners,
    contents.database, contents.times, contents.daemon, contents.git,
)  # fmt: skip
"""What is asked about each bank."""


def installed(banks: Sequence[Path]) -> list[Check]:
    """The checks of the installation; ``banks`` are those that it would watch."""
    need = sum(_folders(bank) for bank in banks)
    asked: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("python", installation.python), ("sqlite", installation.sqlite), ("libraries", installation.libraries),
        ("packages", installation.packages), ("clock", installation.clock),
        ("watching", lambda: installation.watching(need)), ("sockets", installation.sockets),
        ("service", installation.service),
    )  # fmt: skip
    return [_guarded(name, check) for name, check in asked]


def of_bank(bank: Path) -> list[Check]:
    """The checks of one bank."""
    return [_guarded(check.__name__.replace("_", " "), partial(check, bank)) for check in OF_BANK]


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SyncdError as error:
        return fail(name, line_of(error))
    except OSError as error:
        return fail(name, line_of(from_os(error)))


def _folders(bank: Path) -> int:
    """How many folders of a bank are watched: those in which documents are, those above them, and ``.syncd``."""
    try:
        paths = walk(bank).stats
    except SyncdError:
        return 0
    folders = {parent for path in paths for parent in Path(path).parents}
    return len([folder for folder in folders if not OMITTED & set(folder.parts)]) + 1
