"""What the writer is asked to do to a document."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from parser.document import At
from schema.records import Table, Value


class SetFields(Struct, frozen=True):
    """Give fields of the reading at ``at`` new values. None empties a field (a cell shows ``-``).

    A record may come to another place by that, which shows more of it or less: ``record`` holds all that it could show
    there, ``elsewhere`` names what other places show as it will be, so that this one need not. Of the names in
    ``unlabelled`` this bank keeps no label without a value: where they are emptied, their label goes too.
    """

    at: At
    values: Mapping[str, Value]
    record: Mapping[str, Value] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()
    unlabelled: frozenset[str] = frozenset()


class Remove(Struct, frozen=True):
    """Remove the block of the reading at ``at`` and nothing else."""

    at: At


class Insert(Struct, frozen=True):
    """Add a record where and how this document already shows such records.

    ``parent`` is the reading of the entry that a file modification belongs to. ``children`` are records that come
    with this one (the modifications of a new entry), in order. ``below`` are lines that go along below the line of this
    one, or of each of the children, without the last line break; nothing where it is shorter. ``entering``: it is no
    new one, but comes to be shown here by its new values. ``begins``: a section about it may be begun where the
    document has a list as well.
    """

    table: Table
    values: Mapping[str, Value]
    parent: At | None = None
    children: tuple[Mapping[str, Value], ...] = ()
    below: tuple[str, ...] = ()
    entering: bool = False
    begins: bool = True


Change = SetFields | Remove | Insert


class Refusal(Struct, frozen=True):
    """A change that was not made, and why."""

    change: Change
    reason: str
