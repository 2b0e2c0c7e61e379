"""What the daemon's log is told of a converge: numbers, names of files and records, and never a text."""

from __future__ import annotations

from typing import Any

from schema import overview
from schema.db import Database
from syncd.model import Report


def converged(log: Any, db: Database, report: Report) -> None:
    """One event for the transaction of ``report``, the last one of ``db``; and one for each problem in it."""
    last = overview.last_transaction(db) or {}
    log.info(
        "converged", transaction=report.number, origin=last.get("origin"), operation=last.get("operation_type"),
        documents=len({*report.absorbed, *report.emitted}), absorbed=len(report.absorbed),
        emitted=len(report.emitted), rows=last.get("row_count"), ms=last.get("duration_ms"),
        conflicts=len(report.conflicts), holds=len(report.holds),
    )  # fmt: skip
    for problem in report.problems:
        log.warning("not shown", reason=problem)
