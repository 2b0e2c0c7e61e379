"""The settings that hold, and where each comes from.

`show` prints every setting with its value and the file and line that set it, `path` the names of the two files: yours,
which holds for all banks, and the bank's, which wins. Neither need be there.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from syncd import bank as banks
from syncd import config, output
from syncd.commands import common
from syncd.configfile import Given
from syncd.errors import Exit, UsageError
from syncd.userfiles import user_config


def add(parser: ArgumentParser) -> None:
    """The options of `syncd config`."""
    parser.add_argument("what", choices=("show", "path"), metavar="show|path", help="what to print")
    common(parser, bank=True)


def run(what: str, argument: str | None, bank: str | None, as_json: bool) -> int:
    """Print the settings, or where they lie. Without any bank: the user's alone."""
    folder = _bank(argument, bank)
    if what == "path":
        return _show_paths(folder, as_json)
    rows = [_row(setting, config.sources(folder)) for setting in config.SETTINGS]
    if as_json:
        output.show_json(rows)
    else:
        table = [(row["name"], config.shown(row["value"]), _place(row)) for row in rows]
        output.show_table(("setting", "value", "from"), table)
    return Exit.CONVERGED


def _bank(argument: str | None, option: str | None) -> Path | None:
    try:
        return banks.chosen(argument, option)
    except UsageError:
        if argument or option:
            raise
        return None


def _row(setting: config.Setting, given: dict[str, Given]) -> dict[str, Any]:
    found = given.get(setting.name)
    if found is None:
        return {"name": setting.name, "value": setting.default, "from": "default", "file": None, "line": None}
    place = "user" if found.file == user_config() else "bank"
    return {"name": setting.name, "value": found.value, "from": place, "file": str(found.file), "line": found.line}


def _place(row: dict[str, Any]) -> str:
    return "default" if row["file"] is None else f"{row['from']} {row['file']}:{row['line']}"


def _show_paths(folder: Path | None, as_json: bool) -> int:
    files = {"user": user_config()} | ({"bank": config.file_of(folder)} if folder else {})
    if as_json:
        output.show_json({name: {"file": str(file), "exists": file.is_file()} for name, file in files.items()})
    else:
        output.show_pairs({name: f"{file}{'' if file.is_file() else ' (not there)'}" for name, file in files.items()})
    return Exit.CONVERGED
