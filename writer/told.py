"""What a document of one record says, to be compared with what it shall say. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from parser.document import Document
from schema.records import Reading, Table, Value


def said(document: Document, table: Table) -> dict[str, Value]:
    """All that the readings of ``table`` in a document of one record say."""
    found: dict[str, Value] = {}
    for _, reading in document.readings():
        if reading.table is table:
            found |= {n: v for n, v in reading.values().items() if v not in (None, (), "") and n not in found}
    return found


def agrees(document: Document, table: Table, values: Mapping[str, Value]) -> bool:
    """Whether a document of one record says nothing but what is in ``values``, and nothing about other records."""
    told = [r for _, r in document.readings() if r.table is not Table.HEADER]
    if any(r.table is not table or (table is Table.TASKS and not _is_own(r, document)) for r in told):
        return False
    return all(same(values.get(n), v) for n, v in said(document, table).items() if n in values) and not any(
        document.problems()
    )


def _is_own(reading: Reading, document: Document) -> bool:
    return reading.key == document.path.rpartition("/")[2].removesuffix(".md")


def same(a: Value, b: Value) -> bool:
    """Whether two values are equal: ids are a set, and all ways to say nothing are one."""
    if isinstance(a, tuple) or isinstance(b, tuple):
        return set(a or ()) == set(b or ())
    return (a or None) == (b or None)
