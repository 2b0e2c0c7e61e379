"""Converge: scan, read, decide, apply. The one place where the phases meet.

Tests and commands call `Engine.converge`; it starts no thread and sleeps only where it is told that it may wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from schema import announced, journal, store
from schema.db import Database, open_database
from syncd import apply, diffs, holds, publish
from syncd.apply import Batch, Moved, NewBase, last_change
from syncd.bank import database_of
from syncd.config import Config
from syncd.decide import Decided, Decider, Question
from syncd.edited import EditedSections, edited_sections
from syncd.errors import expected
from syncd.files import Held
from syncd.git import git_unfinished
from syncd.incoming import Incoming, Reader
from syncd.model import Mode, Report, State
from syncd.pending import row_changes
from syncd.rescue import Rescued, rescued
from syncd.scan import Scan, scan
from syncd.state import BankState
from syncd.walk import walk

_ROUNDS = 20  # rounds of one converge before it says that somebody writes all the time
Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Round:
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
    prepared: publish.PreparedFiles | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The last row change that a plan knows of, and whether some of those up to it come to nothing."""

    upto: int
    idle: bool


class Engine:
    """One bank: its database, its base and the way to converge it. Whoever uses it holds the bank's lock."""

    def __init__(self, bank: Path, db: Database, config: Config, clock: Clock = _now) -> None:
        self.bank = bank
        self.db = db
        self.config = config
        self.state = BankState(db)
        self.held = Held(bank)
        self._clock = clock
        self._missing: dict[str, float] = {}
        self._progress: Callable[[int, int], None] | None = None
        self._swept = False
        self.unfinished = git_unfinished(bank)
        self._late: list[Rescued] = []

    @classmethod
    def open(cls, bank: Path, *, create: bool, config: Config | None = None, clock: Clock = _now) -> Engine:
        """Open the bank's database, making it where ``create`` says so. Raises `schema.errors.SyncdError`."""
        file = database_of(bank)
        if create:
            file.parent.mkdir(mode=0o700, exist_ok=True)
        return cls(bank, open_database(file, create=create), config or Config(), clock)

    def now(self) -> datetime:
        """The time by the engine's clock."""
        return self._clock()

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    @property
    def mode(self) -> Mode:
        """How files and rows are brought together now: while git waits for a person, no file is written."""
        if self.unfinished is not None:
            return Mode.OBSERVE
        return Mode(store.state_get(self.db, "mode") or Mode.COEXIST)

    def converge(
        self,
        paths: Collection[str] | None = None,
        *,
        settle: bool = True,
        follow: bool = False,
        dry_run: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Report:
        """Bring both sides together. ``paths`` restricts the look to these documents (hints of a watcher).

        With ``settle`` it waits for files that are missing or open for writing, up to ``settle_seconds``; without, they
        are named as pending. With ``follow``, places that still show what a manual edit changed elsewhere are
        brought along. A ``dry_run`` changes nothing and gives the diffs. ``progress`` is told how many documents of
        how many were read.
        """
        self._progress = progress
        with expected():
            return self._converge(None if paths is None else set(paths), settle, follow, dry_run)

    def _converge(self, only: set[str] | None, settle: bool, follow: bool, dry_run: bool) -> Report:
        self.unfinished = git_unfinished(self.bank)
        total = _Round()
        for number in range(_ROUNDS):
            done = self._round(only, follow, dry_run, settle)
            self._publish(done)
            _add(total, done, only)
            if dry_run or not done.again:
                break
            only = done.again
            time.sleep(0.002 * number)
        else:
            total.waiting |= {path: "saved again and again by another program" for path in done.again if path}
        return self._report(total, dry_run)

    def commit_rows(self) -> tuple[tuple[str, ...], Callable[[], Report]]:
        """Plan and commit what follows from row changes, inside the transaction in which they were made.

        Gives sentences about rows that no document would show as they are: then nothing was done, and the caller rolls
        back. Otherwise the function beside them is to be called behind the caller's commit; it writes the files.
        """
        done = self._round(set(), follow=False, dry_run=False, settle=False, strict=True)

        def finish() -> Report:
            total = _Round()
            with expected():
                self._publish(done)
            _add(total, done, set())
            if not done.again:
                return self._report(total)
            later = self.converge(done.again)
            return replace(later, problems=(*total.problems, *later.problems))

        return tuple(done.refused), finish

    # -- one round -----------------------------------------------------------------------------------------------

    def _round(
        self, only: set[str] | None, follow: bool, dry_run: bool, settle: bool, strict: bool = False
    ) -> _Round:
        began = time.perf_counter()
        done = _Round()
        outbox = publish.outbox(self.db)
        if not dry_run:
            self._sweep(only)
            if outbox and self.mode is not Mode.OBSERVE:
                outbox = publish.settle_outbox(
                    self.db, self.state, self.bank, self.held, outbox, only, done.waiting, done.unwritten
                )
        found = self._scan(only, outbox, settle)
        if not dry_run:
            publish.leave_unwritten(found, outbox, done.waiting, done.unwritten)
        done.waiting |= found.waiting
        done.problems += [f"{path}: {why}" for path, why in sorted(found.problems.items())]
        seen = last_change(self.db)
        rows = row_changes(self.db)
        nets = rows.records
        edits = edited_sections(self.db, self.state, rows.sections)
        if not dry_run:
            self._late += rescued(self.db, self.bank, self.held, None)
        incoming = self._incoming(found, outbox, edits, done)
        follows = holds.follows(self.db) if follow else frozenset()
        if not incoming and not nets and not follows and not (rows.idle and not dry_run):
            if not dry_run:
                holds.note(self.db, [], found, self._clock())
            return done
        question = Question(incoming, nets, follows, holds.accepted(self.db), self.mode, follow, self._clock())
        decided = Decider(self.db, self.state, self.config, question).decide()
        done.problems += decided.problems
        done.refused += decided.refused
        if dry_run:
            self._describe(decided, incoming, done)
            return done
        if strict and decided.refused and self.mode is not Mode.OBSERVE:
            return done
        holds.note(self.db, decided.holds, found, self._clock())
        self._carry_out(decided, incoming, edits, outbox, Seen(seen, rows.idle), began, done)
        return done

    def _sweep(self, only: set[str] | None) -> None:
        """Clear away what an earlier run left, once, before the first whole scan: a document may be among it."""
        if self._swept or only is not None:
            return
        self._swept = True
        self._late += rescued(self.db, self.bank, self.held, walk(self.bank).leftovers)

    def _scan(self, only: set[str] | None, outbox: Collection[str], settle: bool) -> Scan:
        """A scan in which files that were missing or busy had their time to come back."""
        began = time.monotonic()
        while True:
            found = scan(
                self.bank,
                self.state.rows,
                only=only,
                always=outbox,
                limit=self.config.max_document_mb * 1_000_000,
                now_ns=time.time_ns(),
            )
            unsettled = self._unsettled(found)
            # A file that went missing while this waits gets its whole time: it is noted when it is first missed.
            over = bool(found.waiting) and time.monotonic() - began >= self.config.settle_seconds
            if not settle or over or not (unsettled or found.waiting):
                found.waiting |= dict.fromkeys(unsettled, "missing for less than a moment")
                found.missing -= unsettled
                return found
            time.sleep(0.02)

    def _unsettled(self, found: Scan) -> set[str]:
        """Missing documents that may be about to come back. One whose text stands elsewhere now was moved."""
        now = time.monotonic()
        appeared = {content.digest for path, content in found.changed.items() if path not in self.state.rows}
        for path in list(self._missing):
            if found.complete and path not in found.missing:
                del self._missing[path]
        young = set()
        for path in found.missing:
            since = self._missing.setdefault(path, now)
            if now - since < self.config.settle_seconds and self.state.rows[path].hash not in appeared:
                young.add(path)
        return young

    def _incoming(
        self, found: Scan, outbox: dict[str, str | None], edits: EditedSections, done: _Round
    ) -> dict[str, Incoming]:
        writes = self.mode is not Mode.OBSERVE
        texts = edits.texts if writes else {}
        reader = Reader(self.db, self.state, outbox, texts, writes)
        incoming = {}
        for number, (path, content) in enumerate(found.changed.items(), 1):
            incoming[path] = reader.read(path, content)
            if self._progress is not None:
                self._progress(number, len(found.changed))
        incoming |= {path: reader.read(path, None) for path in found.missing}
        for path in texts.keys() - incoming.keys():
            if (now := publish.look(self.bank, path, done.waiting)) is not None:
                incoming[path] = reader.read(path, now.content)
        if writes:
            self._add_late(reader, incoming, done)
        else:
            self._put_off(incoming, edits, outbox, done)
        return {path: i for path, i in incoming.items() if not self._known_problem(i)}

    def _add_late(self, reader: Reader, incoming: dict[str, Incoming], done: _Round) -> None:
        """Texts that were saved into files that we replaced; one that met another save of its document comes next."""
        for item in self._late:
            if item.path not in incoming and (now := publish.look(self.bank, item.path, done.waiting)) is not None:
                incoming[item.path] = reader.read_late(item.path, now.content, item.data)

    def _put_off(
        self, incoming: dict[str, Incoming], edits: EditedSections, outbox: Collection[str], done: _Round
    ) -> None:
        """In a mode that writes no file, a document that was edited on both sides stays as it is on both."""
        for path in incoming.keys() & {*edits.texts, *outbox}:
            del incoming[path]
            done.waiting[path] = "edited in the database too, and mode observe writes no file"

    def _known_problem(self, incoming: Incoming) -> bool:
        """A document that is not text and did not change since it was reported is not news."""
        row = self.state.rows.get(incoming.path)
        return bool(incoming.problem and row and incoming.disk and row.hash == incoming.disk.digest)

    # -- carrying out --------------------------------------------------------------------------------------------

    def _carry_out(
        self,
        decided: Decided,
        incoming: dict[str, Incoming],
        edits: EditedSections,
        outbox: Mapping[str, str | None],
        seen: Seen,
        began: float,
        done: _Round,
    ) -> None:
        bases = self._bases(decided, incoming, outbox)
        saved = any(self._saved(arrived) for arrived in incoming.values())
        rows = bool(edits.texts) or any(v.show or v.insert or v.remove for v, _ in decided.verdicts)
        batch = Batch(*_named(saved, rows, announced.of_pending(self.db, seen.upto)), seen=seen.upto)
        batch.verdicts, batch.bases, batch.unsealed = decided.verdicts, bases, decided.unsealed
        batch.clashes = [c for v, _ in decided.verdicts for c in v.clashes]
        batch.clashes += decided.clashes
        batch.follow, batch.followed = decided.follow, decided.followed
        settled = incoming.keys() - decided.held
        batch.edited_sections, batch.kept = edits.of(settled), edits.but(settled)
        if not (_does_something(batch) or seen.idle):
            return
        prepared = publish.prepare_all(self.bank, bases, done.unwritten)
        try:
            milliseconds = (time.perf_counter() - began) * 1000
            done.committed = apply.commit(self.db, self.state, batch, self._clock(), milliseconds)
        except Moved:
            prepared.discard()
            done.again |= incoming.keys() or {""}
            return
        except BaseException:
            prepared.discard()
            raise
        done.again |= self._drop_late(bases)
        done.absorbed |= {b.path for b in bases if b.path in incoming}
        done.emitted |= set(done.committed.files)
        done.prepared = prepared

    def _publish(self, done: _Round) -> None:
        """Put the files of a round in place. What they show is durable by now."""
        if done.prepared is not None:
            done.again |= done.prepared.publish(self.db, self.state, self.held, done.waiting, done.unwritten)

    def _drop_late(self, bases: list[NewBase]) -> set[str]:
        """Let go of the late texts that are durable now, and of nothing else; documents that have more of them."""
        durable = {(base.path, base.late) for base in bases}
        for item in [item for item in self._late if (item.path, item.data) in durable]:
            self._late.remove(item)
            item.drop()
        return {item.path for item in self._late} & {base.path for base in bases}

    def _saved(self, arrived: Incoming) -> bool:
        """Whether a document's file holds something else than both sides agreed on."""
        row = self.state.rows.get(arrived.path)
        return row is None or arrived.disk is None or arrived.disk.digest != row.hash or arrived.late is not None

    def _bases(
        self, decided: Decided, incoming: dict[str, Incoming], outbox: Mapping[str, str | None]
    ) -> list[NewBase]:
        bases = []
        for path in sorted(incoming.keys() | decided.emitted.keys() | decided.removed):
            if path in decided.held:
                continue
            arrived = incoming.get(path)
            disk, stat = (arrived.disk.data, arrived.disk.stat) if arrived and arrived.disk else (None, None)
            if arrived is None:
                disk = self.state.data(path)
            keyed = None if path in decided.removed else decided.emitted.get(path) or decided.documents.get(path)
            content = disk
            if keyed is None and not (arrived and arrived.problem):
                content = None
            elif keyed is not None and (path in decided.emitted or arrived is None or arrived.merged):
                content = keyed.document.text.encode()
            problem, late = (arrived.problem, arrived.late) if arrived else (None, None)
            known = arrived.disk.digest if arrived and arrived.disk else None
            if arrived is None and path in outbox:
                known = outbox[path]  # its last text never reached the file, which holds what it held before
            elif arrived is None and disk is not None:
                known = self.state.rows[path].hash
            bounds = None if path in decided.emitted else decided.bounds.get(path)
            bases.append(NewBase(path, disk, known, stat, content, keyed, problem, late, bounds))
        return bases

    # -- telling -------------------------------------------------------------------------------------------------

    def _describe(self, decided: Decided, incoming: dict[str, Incoming], done: _Round) -> None:
        """The diffs of both sides for a dry run."""
        for base in self._bases(decided, incoming, {}):
            old = self.state.data(base.path)
            if base.path in incoming:
                done.absorbed.add(base.path)
                done.diffs.append((base.path, diffs.sides(old, base.disk, base.path, "database", "file")))
            if base.content != base.disk:
                done.emitted.add(base.path)
                done.diffs.append((base.path, diffs.sides(base.disk, base.content, base.path, "file", "as written")))
        for verdict, sides in decided.verdicts:
            done.row_diffs += diffs.of_rows(verdict.table, verdict.key, sides.db, verdict.row)
        done.problems += [f"{hold.path} would be held: it {hold.reason}" for hold in decided.holds]

    def _report(self, total: _Round, dry_run: bool = False) -> Report:
        if not dry_run:
            publish.note_refused(self.db, total.unwritten)
        conflicts, open_holds = holds.open_conflicts(self.db), holds.open_holds(self.db)
        pending = tuple(sorted({*total.waiting, *total.unwritten}))
        state = State.PENDING if pending else State.CONVERGED
        told = total.unwritten or total.waiting
        reason = next((f"{path}: {why}" for path, why in sorted(told.items())), None)
        if self.unfinished is not None and journal.has_pending(self.db):
            state, reason = State.PENDING, f"rows wait to be written: {self.unfinished}"
        if conflicts or open_holds or total.unwritten:
            state = State.ATTENTION
        if open_holds:
            reason = f"{open_holds[0]['path']} {open_holds[0]['reason']}"
        return Report(
            state,
            total.committed.transaction_id if total.committed else None,
            total.committed.number if total.committed else None,
            tuple(sorted(total.absorbed)),
            tuple(sorted(total.emitted)),
            conflicts,
            open_holds,
            tuple(total.problems),
            pending,
            reason,
            tuple(total.diffs),
            tuple(total.row_diffs),
            tuple(total.refused),
            tuple({"path": path, "reason": why} for path, why in sorted(total.unwritten.items())),
        )


def _add(total: _Round, done: _Round, only: set[str] | None) -> None:
    total.committed = done.committed or total.committed
    total.absorbed |= done.absorbed
    total.emitted |= done.emitted
    total.problems += done.problems
    total.refused += done.refused
    total.unwritten = done.unwritten
    total.diffs += done.diffs
    total.row_diffs += done.row_diffs
    looked_at = total.waiting.keys() if only is None else only
    total.waiting = {path: why for path, why in total.waiting.items() if path not in looked_at} | done.waiting


def _named(saved: bool, rows: bool, names: announced.Named) -> tuple[str, str]:
    """Operation and origin of a transaction, from whether documents were saved, rows changed, and who changed them."""
    origin = "+".join(names.origins)
    rows = rows and bool(origin)  # derived values that an edit of a file brings along are nobody else's
    if saved and rows:
        return "converge", f"file+{origin}"
    if rows:
        named = len(names.operations) == 1 and names.operations[0] != announced.EXTERNAL
        return names.operations[0] if named else "emit", origin
    return ("absorb", "file") if saved else ("follow", "syncd")


def _does_something(batch: Batch) -> bool:
    return bool(batch.bases or batch.verdicts or batch.clashes or batch.follow)
