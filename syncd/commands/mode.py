"""Show the mode, or change it.

observe: changes of files are absorbed, no file is ever written. coexist: both ways. database-first: the files are
output; `syncd cutover` moves there once every criterion is met, `syncd rollback` comes back.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd import config, output
from syncd.commands import answer, common
from syncd.errors import Exit, UsageError

_MEANS = {
    "observe": "files are absorbed and never written; `syncd mode coexist` goes both ways",
    "coexist": "both ways; `syncd cutover --check` tells what is missing for database-first",
    "database-first": "files are output; `syncd rollback` goes back to coexist",
}


def add(parser: ArgumentParser) -> None:
    """The options of `syncd mode`."""
    parser.add_argument("mode", nargs="?", choices=tuple(_MEANS), help="the new mode; none: show it")
    common(parser)


def run(mode: str | None, bank: str | None, as_json: bool) -> int:
    """Show or change the mode."""
    folder = banks.find(bank)
    banks.require_database(folder)
    from syncd import inspect

    with inspect.reading(folder) as db:
        now = inspect.mode(db)
    if mode is None or mode == now == "database-first":
        return _show(now, as_json)
    if mode == "database-first":
        raise UsageError(
            "database-first is entered by a cutover", str(folder), "`syncd cutover --check` lists what it needs"
        )
    from syncd import requests

    given = requests.perform(folder, "mode", {"mode": mode}, config.load(folder))
    if not as_json:
        output.say(f"mode {mode}")
    return answer.show(given, as_json)


def _show(now: str, as_json: bool) -> int:
    if as_json:
        output.show_json({"mode": now})
    else:
        output.say(f"mode {now}")
        output.say(_MEANS[now])
    return Exit.CONVERGED
