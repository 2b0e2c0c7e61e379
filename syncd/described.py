"""What a converge would do, told without doing it: the answer of a dry run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from syncd import diffs
from syncd.apply import NewBase
from syncd.incoming import Incoming
from syncd.plan.decide import Decided
from syncd.rounds import Round
from syncd.state import BankState


def describe(
    state: BankState, decided: Decided, incoming: Mapping[str, Incoming], bases: Sequence[NewBase], done: Round
) -> None:
    """Note in ``done`` the diffs of both sides."""
    for base in bases:
        old = state.data(base.path)
        if base.path in incoming and not incoming[base.path].put_back:
            done.absorbed.add(base.path)
            done.diffs.append((base.path, diffs.sides(old, base.disk, base.path, "database", "file")))
        if base.content != base.disk:
            done.emitted.add(base.path)
            done.diffs.append((base.path, diffs.sides(base.disk, base.content, base.path, "file", "as written")))
    for verdict, sides in decided.verdicts:
        done.row_diffs += diffs.of_rows(verdict.table, verdict.key, sides.db, verdict.row)
    done.problems += [f"{hold.path} would be held: it {hold.reason}" for hold in decided.holds]


def brought_back(texts: Mapping[str, bytes | None]) -> Iterator[tuple[str, str]]:
    """The diffs of documents that only the database still has, by path."""
    return ((path, diffs.sides(None, text, path, "file", "as written")) for path, text in texts.items())
