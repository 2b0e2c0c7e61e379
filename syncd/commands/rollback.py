"""Go back from database-first to coexist.

Files may be edited again. Nothing is lost: what was put back meanwhile is kept as conflicts, and can still be taken
with `syncd resolve ID --take file`.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd import config, output
from syncd.commands import answer, common


def add(parser: ArgumentParser) -> None:
    """The options of `syncd rollback`."""
    common(parser, bank=True)


def run(argument: str | None, bank: str | None, as_json: bool) -> int:
    """Go back; the exit code is that of the state afterwards."""
    folder = banks.chosen(argument, bank)
    banks.require_database(folder)
    from syncd import requests

    given = requests.perform(folder, "rollback", {}, config.load(folder))
    if not as_json:
        output.say("mode coexist")
    return answer.show(given, as_json)
