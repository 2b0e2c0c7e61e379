"""Show the mode, or change it.

observe: changes of files are absorbed, no file is ever written. coexist: both ways.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd import config, output
from syncd.commands import answer, common
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd mode`."""
    parser.add_argument("mode", nargs="?", choices=("observe", "coexist"), help="the new mode; none: show it")
    common(parser)


def run(mode: str | None, bank: str | None, as_json: bool) -> int:
    """Show or change the mode."""
    folder = banks.find(bank)
    banks.require_database(folder)
    if mode is not None:
        from syncd import requests

        given = requests.perform(folder, "mode", {"mode": mode}, config.load(folder))
        if not as_json:
            output.say(f"mode {mode}")
        return answer.show(given, as_json)
    from syncd import inspect

    with inspect.reading(folder) as db:
        now = inspect.mode(db)
    if as_json:
        output.show_json({"mode": now})
    else:
        output.say(f"mode {now}")
    return Exit.CONVERGED
