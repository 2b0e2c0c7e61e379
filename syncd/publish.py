"""The files' half of a converge: texts prepared before the commit are put in place after it, and the outbox is
cleared.

The outbox is cleared only when the new names are durable: after a power cut the files are either old with an outbox
line that says so, or new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schema import store
from schema.db import Database
from syncd.apply import NewBase
from syncd.errors import SyncdError
from syncd.files import Busy, Changed, Content, Held, Missing, Outcome, Prepared, Stat, Written, prepare, read_stable
from syncd.folders import split
from syncd.state import BankState


def outbox(db: Database) -> dict[str, str | None]:
    """Documents whose emitted text has not reached its file for sure: the digest that the file is expected to have."""
    return dict(db.rows("SELECT path, expected FROM outbox ORDER BY path"))


def read_now(bank: Path, path: str) -> Content | None:
    """What a document holds now; None where it cannot be told."""
    read = read_stable(bank, path)
    return read if isinstance(read, Content) else None


@dataclass(slots=True)
class PreparedFiles:
    """Texts that lie ready beside their documents, with the digest that each document must still have."""

    files: list[tuple[str, Prepared, str | None]]

    def discard(self) -> None:
        """Remove the prepared texts."""
        for _, prepared, _ in self.files:
            prepared.discard()

    def publish(self, db: Database, state: BankState, held: Held, waiting: dict[str, str]) -> set[str]:
        """Put all in place. Returns the documents that somebody saved in between: they have to be merged again.

        Raises `SyncdError` for the first that the system refuses, when the others are done; the outbox keeps it.
        """
        failed: SyncdError | None = None
        again: set[str] = set()
        written: dict[str, Stat | None] = {}
        for path, prepared, expected in self.files:
            try:
                outcome = prepared.publish(expected, held)
            except SyncdError as error:
                failed = failed or error
                continue
            match outcome:
                case Written(stat):
                    written[path] = stat
                case Changed():
                    again.add(path)
                case Busy(reason):
                    waiting[path] = reason
        _clear(db, state, held, written)
        if failed is not None:
            raise failed
        return again


def prepare_all(bank: Path, bases: Sequence[NewBase]) -> PreparedFiles:
    """Write the new texts of ``bases`` beside their documents, durably. All or none; raises `SyncdError`."""
    ready = PreparedFiles([])
    try:
        for base in bases:
            if base.content != base.disk:
                ready.files.append((base.path, prepare(bank, base.path, base.content), base.disk_digest))
    except (OSError, SyncdError):
        ready.discard()
        raise
    return ready


def settle_outbox(
    db: Database,
    state: BankState,
    bank: Path,
    held: Held,
    lines: Mapping[str, str | None],
    waiting: dict[str, str],
) -> None:
    """Finish what an earlier run committed and could not write.

    A file that already holds the text is done; one that is as expected gets it. Any other was saved since; it stays in
    the outbox and is merged.
    """
    written: dict[str, Stat | None] = {}
    failed: SyncdError | None = None
    for path, expected in lines.items():
        text = db.value("SELECT text FROM outbox WHERE path = ?", (path,))
        try:
            outcome = _finish(bank, path, expected, text.encode() if isinstance(text, str) else text, held)
        except SyncdError as error:
            failed = failed or error
            continue
        if isinstance(outcome, Written):
            written[path] = outcome.stat
        elif isinstance(outcome, Busy):
            waiting[path] = outcome.reason
    _clear(db, state, held, written)
    if failed is not None:
        raise failed


def _finish(bank: Path, path: str, expected: str | None, text: bytes | None, held: Held) -> Outcome | None:
    """Bring one document to its text; None where it was saved since."""
    read = read_stable(bank, path)
    if isinstance(read, Busy):
        return read
    if (isinstance(read, Content) and read.data == text) or (isinstance(read, Missing) and text is None):
        held.touch(split(path)[0])  # it was put in place, but nobody knows whether its name is durable
        return Written(read.stat if isinstance(read, Content) else None)
    found = read.digest if isinstance(read, Content) else None
    if isinstance(read, Content | Missing) and found == expected:
        return prepare(bank, path, text).publish(expected, held)
    return None


def _clear(db: Database, state: BankState, held: Held, written: Mapping[str, Stat | None]) -> None:
    """Make the new names durable, then forget the outbox lines and remember what stat says of the new files."""
    if not written:
        return
    held.flush_directories()
    with db.atomic():
        for path, stat in written.items():
            db.run("DELETE FROM outbox WHERE path = ?", (path,))
            row = state.rows.get(path)
            if row is not None and stat is not None:
                store.touch_document(
                    db, row.id, size=stat.size, mtime_ns=stat.mtime_ns, ctime_ns=stat.ctime_ns, inode=stat.inode
                )
                state.rows[path] = row._replace(
                    size=stat.size, mtime_ns=stat.mtime_ns, ctime_ns=stat.ctime_ns, inode=stat.inode
                )


