"""Look whether syncd can do its work here, and say what to do where it cannot.

It checks the installation (Python, SQLite, libraries, clock, limits, service) and the banks: what their file system
can do, room, permissions, the database, git. What has to be tried is tried on files of its own inside .syncd, which are
removed; nothing else is changed.

Exit codes: 0 all is well, 1 something works less well than it could, 3 something does not work.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from syncd import bank as banks
from syncd import output, userbanks
from syncd.commands import common
from syncd.errors import Exit, UsageError

if TYPE_CHECKING:
    from syncd.doctor.check import Check


def add(parser: ArgumentParser) -> None:
    """The options of `syncd doctor`."""
    common(parser, banks=True)


def run(arguments: list[str], bank: str | None, as_json: bool) -> int:
    """Run all checks and show them."""
    from syncd.doctor import examine

    folders = _folders(arguments, bank)
    about: list[tuple[Path | None, list[Check]]] = [(None, examine.installed(folders))]
    about += [(folder, examine.of_bank(folder)) for folder in folders]
    if as_json:
        _show_json(about)
    else:
        for folder, checks in about:
            _show(folder, checks)
        if not folders:
            output.say("no bank here: name one to have it checked")
    return _code([check for _, checks in about for check in checks])


def _folders(arguments: list[str], option: str | None) -> list[Path]:
    """The banks that are named; without any the nearest one, else those of the list that are there."""
    try:
        return banks.several(arguments, option)
    except UsageError:
        if arguments or option:
            raise
    return [folder for folder in userbanks.listed() or () if folder.is_dir()]


def _show(folder: Path | None, checks: list[Check]) -> None:
    output.say(str(folder) if folder else "installation")
    width = max(len(check.name) for check in checks)
    for check in checks:
        output.say(f"  {check.level.ljust(4)}  {check.name.ljust(width)}  {check.says}")
        if check.hint:
            output.say(f"  {' ' * (width + 8)}{check.hint}")


def _show_json(about: list[tuple[Path | None, list[Check]]]) -> None:
    from syncd.versions import versions

    checks = [{"bank": str(bank) if bank else None, **asdict(check)} for bank, found in about for check in found]
    output.show_json({"versions": versions(), "checks": checks})


def _code(checks: list[Check]) -> int:
    levels = {check.level for check in checks}
    return Exit.FAILED if "fail" in levels else Exit.ATTENTION if "warn" in levels else Exit.CONVERGED
