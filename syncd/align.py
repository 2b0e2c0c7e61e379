"""Mend drift because a person asked for it: every current place of a task is brought to what its row says.

What the places said before is in the history; the alignment is one transaction of its own.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from syncd import drift
from syncd.engine import Engine
from syncd.model import Report


class _Undone(Exception):
    """Leaves a block whose changes of the database are not to stay."""


def align(engine: Engine, *, dry_run: bool) -> Report:
    """Align all drift; with ``dry_run`` only tell which files would change how.

    What waits on either side is converged before, so that the transaction holds the alignment and nothing else.
    """
    if dry_run:
        return _planned(engine)
    before = engine.converge()
    if not _note(engine):
        return before
    report = engine.converge(follow=True)
    drift.remember(engine.db, engine.state)
    return report


def _planned(engine: Engine) -> Report:
    """What `align` would write. Noting the drift is taken back."""
    report: Report | None = None
    with suppress(_Undone), engine.db.atomic():
        _note(engine)
        report = engine.converge(dry_run=True, follow=True, settle=False)
        raise _Undone
    assert report is not None
    return report


def _note(engine: Engine) -> int:
    """Note each field with drift as one that its places have to follow. How many there are."""
    found = {(d.key, d.field) for d in drift.find(engine.db, engine.state)}
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with engine.db.atomic():
        engine.db.run_many(
            """INSERT OR IGNORE INTO follows("table", key, field, created_at) VALUES ('tasks', ?, ?, ?)""",
            [(key, field, stamp) for key, field in sorted(found)],
        )
    return len(found)
