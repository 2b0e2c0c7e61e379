"""Say no to held changes.

The files of the holds that are named are put back to what they held when both sides last agreed. What they hold now
is kept in the history.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd import config
from syncd.commands import answer, chosen_ids, common, ids_or_all


def add(parser: ArgumentParser) -> None:
    """The options of `syncd reject`."""
    ids_or_all(parser, "holds")
    common(parser)


def run(ids: list[int], everything: bool, bank: str | None, as_json: bool) -> int:
    """Reject the holds that are named; the exit code is that of the state afterwards."""
    wanted = chosen_ids(ids, everything, "holds")
    folder = banks.find(bank)
    banks.require_database(folder)
    from syncd import requests

    return answer.show(requests.perform(folder, "reject", wanted, config.load(folder)), as_json)
