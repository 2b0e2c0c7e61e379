"""When a record was last touched, in the zone and precision that it had."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from parser.moments import render_date
from schema import store
from schema.patterns import pattern
from schema.records import Value
from syncd.plan.derive import stamp

if TYPE_CHECKING:
    from syncd.api import Transaction

_LINE = pattern(r"^\W*last updated\b\W*(?P<value>[^\n*_]*\d[^\n*_]*)", re.M | re.I)


def again(tx: Transaction, before: Value) -> str | None:
    """The transaction's moment in the form of ``before``; None where there is nothing to go by.

    Rows hold such values without a zone; it is the one that the bank's history is written in.
    """
    if not isinstance(before, str):
        return None
    zone = tx.db.value(
        """SELECT timezone FROM edit_entries WHERE timezone IS NOT NULL
        ORDER BY coalesce(timestamp, created_at) DESC LIMIT 1"""
    )
    return stamp(f"{before} {zone or ''}".strip(), tx.moment)


def touch(tx: Transaction, task: str) -> None:
    """Note that a task changed, if the bank says when it did."""
    row = store.fetch(tx.db, "tasks", task) or {}
    now = _as_in_its_document(tx, task) or again(tx, row.get("last_updated"))
    if row.get("last_updated") is not None and now is not None:
        store.update_record(tx.db, "tasks", task, {"last_updated": now})


def _as_in_its_document(tx: Transaction, task: str) -> str | None:
    """The transaction's moment in zone and precision of the task's own document; None where that has no such line."""
    rows = tx.db.rows(
        """SELECT s.text FROM sections AS s JOIN documents AS d ON d.id = s.document_id
        WHERE d.path = ? AND d.problem IS NULL ORDER BY s.position LIMIT 3""",
        (f"tasks/{task}.md",),
    )
    found = (_LINE.search(text) for (text,) in rows)
    return next((stamp(match["value"], tx.moment) for match in found if match), None)


def restamped(text: str, moment: datetime) -> str:
    """``text`` with its first *Last Updated* line at ``moment``, in the form that it has."""
    match = _LINE.search(text)
    new = stamp(match["value"].strip(), moment) if match else None
    if match is None or new is None:
        return text
    old = match["value"].strip()
    start = match.start("value") + match["value"].index(old)
    return text[:start] + render_date(old, new) + text[start + len(old) :]
