"""Say yes to held changes.

A held change is one that would delete much at once, or comes from a file with conflict markers (`syncd holds` lists
them with the reason). What is accepted is absorbed as it stands.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd import config
from syncd.commands import answer, chosen_ids, common, ids_or_all


def add(parser: ArgumentParser) -> None:
    """The options of `syncd accept`."""
    ids_or_all(parser, "holds")
    common(parser)


def run(ids: list[int], everything: bool, bank: str | None, as_json: bool) -> int:
    """Accept the holds that are named; the exit code is that of the state afterwards."""
    wanted = chosen_ids(ids, everything, "holds")
    folder = banks.find(bank)
    banks.require_database(folder)
    from syncd import requests

    return answer.show(requests.perform(folder, "accept", wanted, config.load(folder)), as_json)
