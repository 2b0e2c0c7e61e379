"""Numbers of checklist items.

An archive keeps the text of an item whose task was deleted, and its reading the number that the row had, by which it
comes back with its task. SQLite gives numbers again: the row that gets such a one is another record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from schema import store
from schema.db import Database
from schema.records import Table
from syncd.model import Sides, Verdict


def free(db: Database) -> Iterator[int]:
    """Numbers for new checklist items that neither a row has nor a reading names."""
    last = db.value(
        """SELECT max((SELECT coalesce(max(id), 0) FROM task_subtasks),
        (SELECT coalesce(max(CAST(key AS INTEGER)), 0) FROM readings WHERE "table" = 'task_subtasks'))"""
    )
    return count(int(last) + 1)


def release(db: Database, verdicts: Sequence[tuple[Verdict, Sides]]) -> set[str]:
    """Let the readings of earlier items go whose numbers another client's new rows were given; their documents.

    Such a reading has the key "" from now on: that of a record which is not known.
    """
    paths: set[str] = set()
    for verdict, sides in verdicts:
        if verdict.table is not Table.SUBTASKS or sides.base is not None or sides.db is None:
            continue
        same = {shown.path for shown in sides.before}
        for where in store.readings_of(db, verdict.table.value, verdict.key):
            if where.path not in same:
                at = (where.section_id, where.ordinal)
                db.run("UPDATE readings SET key = '' WHERE section_id = ? AND ordinal = ?", at)
                paths.add(where.path)
    return paths
