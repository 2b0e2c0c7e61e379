"""The files' half of a converge: texts prepared before the commit are put in place after it, and the outbox is
cleared.

The outbox is cleared only when the new names are durable: after a power cut the files are either old with an outbox
line that says so, or new.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from schema import journal, jsontext, overview, store
from schema.db import Database
from syncd.apply import NewBase
from syncd.disk.files import (
    Busy,
    Changed,
    Content,
    Held,
    Missing,
    Outcome,
    Prepared,
    Stat,
    Unreadable,
    WriteFailed,
    Written,
    prepare,
    read_stable,
)
from syncd.disk.folders import split
from syncd.disk.scan import Scan
from syncd.errors import SyncdError
from syncd.state import BankState


def outbox(db: Database) -> dict[str, str | None]:
    """Documents whose emitted text has not reached its file for sure: the digest that the file is expected to have."""
    return dict(db.rows("SELECT path, expected FROM outbox ORDER BY path"))


def note_refused(db: Database, refused: Mapping[str, str]) -> None:
    """Let others know, and the next run. Writes only what is news."""
    noted = jsontext.dumps(dict(sorted(refused.items()))) if refused else None
    if store.state_get(db, overview.REFUSED) != noted:
        store.state_set(db, overview.REFUSED, noted)


def read_now(bank: Path, path: str) -> Content | None:
    """What a document holds now; None where it cannot be told."""
    read = read_stable(bank, path)
    return read if isinstance(read, Content) else None


class Now(Struct, frozen=True):
    """What a document holds; None: there is no file."""

    content: Content | None


def look(bank: Path, path: str, waiting: dict[str, str]) -> Now | None:
    """What a document holds now; None where that cannot be told. Then it is noted as ``waiting``: it is not gone."""
    match read_stable(bank, path):
        case Content() as content:
            now = Now(content)
        case Missing():
            now = Now(None)
        case Busy(reason) | Unreadable(reason):
            waiting[path] = reason
    return None if path in waiting else now


class PreparedFiles(Struct):
    """Texts that lie ready beside their documents, with the digest that each document must still have."""

    files: list[tuple[str, Prepared, str | None]]

    def discard(self) -> None:
        """Remove the prepared texts."""
        for _, prepared, _ in self.files:
            prepared.discard()

    def publish(
        self, db: Database, state: BankState, held: Held, waiting: dict[str, str], refused: dict[str, str]
    ) -> set[str]:
        """Put all in place. Returns the documents that somebody saved in between: they have to be merged again.

        Those that cannot be written for a reason of their own are added to ``refused``. Raises `SyncdError` where the
        disk fails, when the others are done. The outbox keeps both.
        """
        failed: SyncdError | None = None
        again: set[str] = set()
        written: dict[str, Stat | None] = {}
        for path, prepared, expected in self.files:
            try:
                outcome = prepared.publish(expected, held)
            except SyncdError as error:
                failed = failed or _unless_alone(error, path, refused)
                continue
            match outcome:
                case Written(stat):
                    written[path] = stat
                case Changed(Unreadable(reason)):
                    refused[path] = f"cannot be read: {reason}"
                case Changed():
                    again.add(path)
                case Busy(reason):
                    waiting[path] = reason
        _clear(db, state, held, written)
        if failed is not None:
            raise failed
        return again


def prepare_all(bank: Path, bases: Sequence[NewBase], refused: dict[str, str]) -> PreparedFiles:
    """Write the new texts of ``bases`` beside their documents, durably.

    Documents that cannot be written for a reason of their own are added to ``refused``: their texts will wait in the
    outbox. Raises `SyncdError` where the disk fails; nothing lies about then.
    """
    ready = PreparedFiles([])
    failed: OSError | SyncdError | None = None
    changed = [base for base in bases if base.content != base.disk]
    for base, made in zip(changed, _each_prepared(bank, changed), strict=True):
        match made:
            case Prepared():
                ready.files.append((base.path, made, base.disk_digest))
            case SyncdError():
                failed = failed or _unless_alone(made, base.path, refused)
            case OSError():
                failed = failed or made
    if failed is not None:
        ready.discard()
        raise failed
    return ready


_MANY = 16  # documents from which on their syncs are waited for together
_THREADS = 8


def _each_prepared(bank: Path, bases: Sequence[NewBase]) -> list[Prepared | OSError | SyncdError]:
    """Each text prepared, or why it could not be.

    Many are synced by several threads: the disk takes them together, one by one each waits for its turn.
    """

    def one(base: NewBase) -> Prepared | OSError | SyncdError:
        try:
            return prepare(bank, base.path, base.content)
        except (OSError, SyncdError) as error:
            return error

    if len(bases) < _MANY:
        return [one(base) for base in bases]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(one, bases))


def _unless_alone(error: SyncdError, path: str, refused: dict[str, str]) -> SyncdError | None:
    """The error, unless its reason lies with this document: then it is noted in ``refused``."""
    if not isinstance(error, WriteFailed) or not error.alone:
        return error
    refused[path] = error.what + (f"; {error.hint}" if error.hint else "")
    return None


def settle_outbox(
    db: Database,
    state: BankState,
    bank: Path,
    held: Held,
    lines: Mapping[str, str | None],
    only: Collection[str] | None,
    waiting: dict[str, str],
    refused: dict[str, str],
) -> dict[str, str | None]:
    """Finish what an earlier run committed and could not write; the lines that are left.

    A file that already holds the text is done; one that is as expected gets it. Any other was saved since; it stays
    in the outbox and is merged. One that cannot be written for a reason of its own is added to ``refused``, and tried
    again by a whole look (``only`` is None) or when it is named. Raises `SyncdError` where the disk fails, when the
    others are done.
    """
    written: dict[str, Stat | None] = {}
    failed: SyncdError | None = None
    if only is not None:
        refused |= {path: why for path, why in overview.refused(db).items() if path not in only}
    for path, expected in lines.items():
        if path in refused:
            continue
        text = db.value("SELECT text FROM outbox WHERE path = ?", (path,))
        try:
            outcome = _finish(bank, path, expected, text.encode() if isinstance(text, str) else text, held)
        except SyncdError as error:
            failed = failed or _unless_alone(error, path, refused)
            continue
        match outcome:
            case Written(stat):
                written[path] = stat
            case Busy(reason):
                waiting[path] = reason
            case Unreadable(reason):
                refused[path] = f"cannot be read: {reason}"
    _clear(db, state, held, written)
    if failed is not None:
        raise failed
    return outbox(db)


def leave_unwritten(
    found: Scan, lines: Mapping[str, str | None], waiting: dict[str, str], refused: Mapping[str, str]
) -> None:
    """Nobody saved a document whose file still is what the outbox expects: its text waits, that is all."""
    for path, expected in lines.items():
        content = found.changed.get(path)
        if content is not None and content.digest == expected:
            del found.changed[path]
        elif expected is None and path in found.missing:
            found.missing.remove(path)
        else:
            continue
        if path not in refused:
            waiting.setdefault(path, "its text is still to be written")


def bring_back(db: Database, texts: Mapping[str, bytes | None], now: datetime) -> None:
    """Have documents written that have a base and no file: `settle_outbox` does it, now or after a crash."""
    with db.atomic():
        opened = journal.begin_transaction(db, "bring back", "syncd", now)
        db.run_many(
            'INSERT OR REPLACE INTO outbox(path, expected, text, "transaction") VALUES (?, NULL, ?, ?)',
            [(path, text, opened.number) for path, text in texts.items()],
        )
        journal.finish(db, opened, ["documents"], 0, 0.0)


def _finish(
    bank: Path, path: str, expected: str | None, text: bytes | None, held: Held
) -> Outcome | Unreadable | None:
    """Bring one document to its text; None where it was saved since."""
    read = read_stable(bank, path)
    if isinstance(read, Busy | Unreadable):
        return read
    if (isinstance(read, Content) and read.data == text) or (isinstance(read, Missing) and text is None):
        held.touch(split(path)[0])  # it was put in place, but nobody knows whether its name is durable
        return Written(read.stat if isinstance(read, Content) else None)
    found = read.digest if isinstance(read, Content) else None
    if found == expected:
        return prepare(bank, path, text).publish(expected, held)
    return None


def _clear(db: Database, state: BankState, held: Held, written: Mapping[str, Stat | None]) -> None:
    """Make the new names durable, then forget the outbox lines and remember what stat says of the new files.

    A power cut may bring the lines back: their files are found to be written, whatever was saved since is absorbed.
    """
    if not written:
        return
    held.flush_directories()
    with db.atomic(durable=False):
        for path, stat in written.items():
            db.run("DELETE FROM outbox WHERE path = ?", (path,))
            if stat is not None:
                _note_stat(db, state, path, stat)


def note_stats(db: Database, state: BankState, same: Mapping[str, Stat]) -> None:
    """Remember what stat says of files that hold what they held, so that the next scan need not read them."""
    if same:
        with db.atomic(durable=False):
            for path, stat in same.items():
                _note_stat(db, state, path, stat)


def _note_stat(db: Database, state: BankState, path: str, stat: Stat) -> None:
    row = state.rows.get(path)
    if row is not None:
        store.touch_document(
            db, row.id, size=stat.size, mtime_ns=stat.mtime_ns, ctime_ns=stat.ctime_ns, inode=stat.inode
        )
        state.rows[path] = replace(
            row, size=stat.size, mtime_ns=stat.mtime_ns, ctime_ns=stat.ctime_ns, inode=stat.inode
        )


