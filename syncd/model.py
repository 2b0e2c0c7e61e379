"""Values that the phases of a converge hand to each other. No I/O.

Reading order of the package: ``model``, ``reconcile``, ``identify``, ``merge``, ``guard``, ``engine``, ``apply``,
``daemon``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum

from msgspec import Struct

from parser.document import At, Document
from schema.records import Reading, Role, Table, Value

Row = Mapping[str, Value]
"""The fields of one record (`schema.records.FIELDS`); a field that is not named is None."""

Keys = tuple[tuple[str, ...], ...]
"""For each section of a document, for each of its readings, the key of the record that it shows ("" for derived)."""

NEW = "new:"
"""Keys of records that have no row yet start with this."""


class Side(StrEnum):
    """The two sides of a converge."""

    FILE = "file"
    DB = "db"


class Mode(StrEnum):
    """How far the move from text to database has come (DESIGN: modes)."""

    OBSERVE = "observe"
    COEXIST = "coexist"
    DATABASE_FIRST = "database-first"


class State(StrEnum):
    """What `status` says of a bank. It is told, never branched on."""

    CONVERGED = "converged"
    PENDING = "pending"
    ATTENTION = "attention"
    HALTED = "halted"
    FAILED = "failed"


class Keyed(Struct, frozen=True):
    """A document and which record each of its readings shows."""

    document: Document
    keys: Keys

    def readings(self) -> Iterator[tuple[At, Reading, str]]:
        """All readings with their address and key, in the order of the text."""
        for number, (section, keys) in enumerate(zip(self.document.sections, self.keys, strict=True)):
            for index, (reading, key) in enumerate(zip(section.readings, keys, strict=True)):
                yield At(number, index), reading, key

    def showing(self, wanted: AbstractSet[str]) -> Iterator[tuple[Reading, str]]:
        """The readings whose keys are among ``wanted``, of any table. Sections without one cost next to nothing."""
        for section, keys in zip(self.document.sections, self.keys, strict=True):
            if not wanted.isdisjoint(keys):
                yield from (pair for pair in zip(section.readings, keys, strict=True) if pair[1] in wanted)


class Shown(Struct, frozen=True):
    """One reading of a record, with where it stands."""

    path: str
    at: At
    reading: Reading

    @property
    def role(self) -> Role:
        return self.reading.role


class Clash(Struct, frozen=True):
    """A field that both sides changed to different values. ``kept`` names the side whose value stands.

    ``gone`` says that the other side deleted the whole record; ``replaces`` that a newer save of the same place takes
    the place of an open conflict about it.
    """

    document: str
    table: str
    key: str
    field: str | None
    base: Value
    file: Value
    db: Value
    kept: Side
    gone: bool = False
    replaces: bool = False


class Sides(Struct, frozen=True):
    """Everything that is known of one record before it is decided.

    ``base`` and ``db`` are its row when both sides last agreed and now; None where there is no row. ``before`` and
    ``after`` are all its readings in the base and in the files now.
    """

    table: Table
    key: str
    base: Row | None
    db: Row | None
    before: tuple[Shown, ...]
    after: tuple[Shown, ...]


class Verdict(Struct, frozen=True):
    """What becomes of one record.

    ``row`` is the row as it will be (None: deleted). ``show`` names the fields that the files must be brought to,
    ``follow`` those that a manual edit changed in one place while other current readings still differ. ``insert`` and
    ``remove`` ask for the record's text to be added to, or taken from, the files; ``restore`` names documents that it
    was deleted from while its row was edited. ``moved``: its row was given to another owner, so that it is inserted
    there and then taken out where it stood.
    """

    table: Table
    key: str
    row: Row | None
    show: frozenset[str] = frozenset()
    follow: frozenset[str] = frozenset()
    insert: bool = False
    remove: bool = False
    restore: tuple[str, ...] = ()
    clashes: tuple[Clash, ...] = ()
    moved: bool = False


class Report(Struct, frozen=True):
    """The outcome of one converge, as `sync --json` prints it.

    ``transaction`` and ``number`` name the transaction that was made, None where nothing had to be done. ``conflicts``
    and ``holds`` are the open ones. ``pending`` names documents that wait (open for writing, missing for a moment).
    ``refused`` are sentences about rows that no document shows as they are. ``unwritten`` names documents that cannot
    be written for a reason of their own (``path`` and ``reason``); they are among the ``pending`` too.
    """

    state: State
    transaction: str | None = None
    number: int | None = None
    absorbed: tuple[str, ...] = ()
    emitted: tuple[str, ...] = ()
    conflicts: tuple[dict[str, object], ...] = ()
    holds: tuple[dict[str, object], ...] = ()
    problems: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    reason: str | None = None
    diffs: tuple[tuple[str, str], ...] = ()
    row_diffs: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    unwritten: tuple[dict[str, str], ...] = ()
