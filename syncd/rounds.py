"""What the rounds of one converge did, added up."""

from __future__ import annotations

from msgspec import Struct, field

from schema import announced
from syncd import apply, publish
from syncd.model import Report, State


class Round(Struct):
    """What one round did."""

    committed: apply.Committed | None = None
    absorbed: set[str] = field(default_factory=set)
    emitted: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    diffs: list[tuple[str, str]] = field(default_factory=list)
    row_diffs: list[str] = field(default_factory=list)
    came_back: int = 0
    prepared: publish.PreparedFiles | None = None


def add(total: Round, done: Round, only: set[str] | None) -> None:
    """Add a round to the total. ``only`` are the documents that it looked at, None: all."""
    total.committed = done.committed or total.committed
    total.absorbed |= done.absorbed
    total.emitted |= done.emitted
    total.problems += done.problems
    total.refused += done.refused
    total.came_back += done.came_back
    total.unwritten = done.unwritten
    total.diffs += done.diffs
    total.row_diffs += done.row_diffs
    looked_at = total.waiting.keys() if only is None else only
    total.waiting = {path: why for path, why in total.waiting.items() if path not in looked_at} | done.waiting


def report(
    total: Round,
    conflicts: tuple[dict[str, object], ...],
    held: tuple[dict[str, object], ...],
    rows_wait: str | None,
) -> Report:
    """The outcome, with the open ``conflicts`` and holds; ``rows_wait`` says why row changes are not written."""
    pending = tuple(sorted({*total.waiting, *total.unwritten}))
    state = State.PENDING if pending else State.CONVERGED
    told = total.unwritten or total.waiting
    reason = next((f"{path}: {why}" for path, why in sorted(told.items())), None)
    if rows_wait is not None:
        state, reason = State.PENDING, f"rows wait to be written: {rows_wait}"
    if conflicts or held or total.unwritten:
        state = State.ATTENTION
    if held:
        reason = f"{held[0]['path']} {held[0]['reason']}".strip()
    return Report(
        state,
        total.committed.transaction_id if total.committed else None,
        total.committed.number if total.committed else None,
        tuple(sorted(total.absorbed)),
        tuple(sorted(total.emitted)),
        conflicts,
        held,
        tuple(total.problems),
        pending,
        reason,
        tuple(total.diffs),
        tuple(total.row_diffs),
        tuple(total.refused),
        tuple({"path": path, "reason": why} for path, why in sorted(total.unwritten.items())),
    )


def named(saved: bool, rows: bool, back: bool, names: announced.Named) -> tuple[str, str]:
    """Operation and origin of a transaction, from whether documents were saved, rows changed, and who changed them."""
    origin = "+".join(names.origins)
    rows = rows and bool(origin)  # derived values that an edit of a file brings along are nobody else's
    if back and not rows:
        return "put back", "syncd"
    if saved and rows:
        return "converge", f"file+{origin}"
    if rows:
        named = len(names.operations) == 1 and names.operations[0] != announced.EXTERNAL
        return names.operations[0] if named else "emit", origin
    return ("absorb", "file") if saved else ("follow", "syncd")
