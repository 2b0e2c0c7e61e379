"""Settle conflicts.

A conflict is a field that both sides changed to different values; one of them was kept, the other one is remembered.
--take file puts the file's value in both places, --take db the database's.
"""

from __future__ import annotations

from argparse import ArgumentParser

from syncd import bank as banks
from syncd import config
from syncd.commands import answer, chosen_ids, common, ids_or_all


def add(parser: ArgumentParser) -> None:
    """The options of `syncd resolve`."""
    ids_or_all(parser, "conflicts")
    parser.add_argument("--take", choices=("file", "db"), required=True, help="whose value holds from now on")
    common(parser)


def run(ids: list[int], everything: bool, take: str, bank: str | None, as_json: bool) -> int:
    """Settle the conflicts that are named; the exit code is that of the state afterwards."""
    wanted = chosen_ids(ids, everything, "conflicts")
    folder = banks.find(bank)
    banks.require_database(folder)
    from syncd import requests

    return answer.show(requests.perform(folder, "resolve", {**wanted, "take": take}, config.load(folder)), as_json)
