"""Converge: scan, read, decide, apply. The one place where the phases meet.

Tests and commands call `Engine.converge`; it starts no thread and sleeps only where it is told that it may wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from schema import announced, journal, store
from schema.db import Database, open_database
from syncd import apply, holds, lineage, publish, readonly
from syncd.apply import Batch, Moved, NewBase, last_change
from syncd.bank import database_of
from syncd.config import Config
from syncd.disk.files import Held
from syncd.disk.git import git_unfinished
from syncd.disk.rescue import Rescued, rescued
from syncd.disk.scan import Missed, Scan, Walked, scan
from syncd.disk.walk import walk
from syncd.edited import EditedSections, edited_sections
from syncd.errors import expected
from syncd.flips import Flips
from syncd.model import Mode, Report
from syncd.pending import Pending, Seen, row_changes
from syncd.plan.decide import Decided, Decider, Question
from syncd.rounds import Round, add, named, report
from syncd.state import BankState

if TYPE_CHECKING:
    from syncd.incoming import Incoming, Reader

_ROUNDS = 20  # rounds of one converge before it says that somebody writes all the time
Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class Engine:
    """One bank: its database, its base and the way to converge it. Whoever uses it holds the bank's lock."""

    def __init__(self, bank: Path, db: Database, config: Config, clock: Clock = _now) -> None:
        self.bank = bank
        self.db = db
        self.config = config
        self.state = BankState(db)
        self.held = Held(bank)
        self._clock = clock
        self._missed = Missed()
        self._progress: Callable[[int, int], None] | None = None
        self._swept = False
        self.unfinished = git_unfinished(bank)
        self._late: list[Rescued] = []
        self.flips = Flips()
        self.found: str | None = None
        self._known = False
        self._united = False

    @classmethod
    def open(
        cls, bank: Path, *, create: bool, config: Config | None = None, clock: Clock = _now, rebuild: bool = False
    ) -> Engine:
        """Open the bank's database, making it where ``create`` says so.

        One that is lost or older than what is known of it is told in ``found``; what is damaged or of another bank is
        refused, unless a damaged one was kept aside and is to be made anew (``rebuild``). Raises `SyncdError`.
        """
        file = database_of(bank)
        if create:
            file.parent.mkdir(mode=0o700, exist_ok=True)
        db, found = lineage.enter(bank, lambda: open_database(file, create=create), rebuild=rebuild)
        engine = cls(bank, db, config or Config(), clock)
        engine.found, engine._known = found, True
        return engine

    def now(self) -> datetime:
        """The time by the engine's clock."""
        return self._clock()

    def close(self) -> None:
        """Close the database, and remember how it was left."""
        if self._known:
            lineage.note(self.bank, self.db)
            self._known = False
        self.db.close()

    def look_at_git(self) -> None:
        """Know whether git waits for a person now: then no file is written."""
        self.unfinished = git_unfinished(self.bank)

    def renew(self) -> None:
        """Read anew what the database knows: what was planned on it was rolled back."""
        self.state = BankState(self.db)
        self._swept = False

    def abandon(self) -> None:
        """Close the database, which is damaged or no longer this bank's, without writing to it."""
        self.db.abandon()

    @property
    def mode(self) -> Mode:
        """How files and rows are brought together now: while git waits for a person, no file is written."""
        return Mode.OBSERVE if self.unfinished is not None else self.chosen_mode

    @property
    def chosen_mode(self) -> Mode:
        """The mode that was chosen for the bank."""
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
        self.look_at_git()
        self._united = store.state_get(self.db, lineage.UNION) is not None
        total = Round()
        if self._united:
            if self.unfinished is not None:
                return self._report(Round(waiting={"the database": f"older than the files; {self.unfinished}"}))
            only = None
        for number in range(_ROUNDS):
            done = self._round(only, follow, dry_run, settle)
            self._publish(done)
            add(total, done, only)
            if dry_run or not done.again:
                break
            only = done.again
            time.sleep(0.002 * number)
        else:
            total.waiting |= {path: "saved again and again by another program" for path in done.again if path}
        if not dry_run:
            self._finish(total)
        return self._report(total, dry_run)

    def _finish(self, total: Round) -> None:
        """What is done once a converge found nothing more to do."""
        # Noted first: ended in between, the union is only done once more.
        if self._united and not total.waiting and lineage.note(self.bank, self.db, anew=True):
            lineage.united(self.db, self._clock(), total.came_back)
        mode = self.chosen_mode
        total.problems += readonly.keep(self.bank, self.db, self.state, self.config, mode, total.emitted)

    def commit_rows(self) -> tuple[tuple[str, ...], Callable[[], Report]]:
        """Plan and commit what follows from row changes, inside the transaction in which they were made.

        Gives sentences about rows that no document would show as they are: then nothing was done, and the caller rolls
        back. Otherwise the function beside them is to be called behind the caller's commit; it writes the files.
        """
        done = self._round(set(), follow=False, dry_run=False, settle=False, strict=True)

        def finish() -> Report:
            total = Round()
            with expected():
                self._publish(done)
            add(total, done, set())
            if not done.again:
                return self._report(total)
            later = self.converge(done.again)
            return replace(later, problems=(*total.problems, *later.problems))

        return tuple(done.refused), finish

    # -- one round -----------------------------------------------------------------------------------------------

    def _round(
        self, only: set[str] | None, follow: bool, dry_run: bool, settle: bool, strict: bool = False
    ) -> Round:
        began = time.perf_counter()
        done = Round()
        outbox = publish.outbox(self.db)
        chosen, mode, walked = self.chosen_mode, self.mode, None
        if not dry_run:
            walked = self._sweep(only)
            if outbox and mode is not Mode.OBSERVE:
                walked = None
                outbox = publish.settle_outbox(
                    self.db, self.state, self.bank, self.held, outbox, only, done.waiting, done.unwritten
                )
        found = self._scan(only, outbox, settle, walked)
        if self._united and mode is not Mode.OBSERVE:
            self._bring_back(found, dry_run, done)
        if not dry_run:
            publish.leave_unwritten(found, outbox, done.waiting, done.unwritten)
            publish.note_stats(self.db, self.state, found.same)
        done.waiting |= found.waiting
        done.problems += [f"{path}: {why}" for path, why in sorted(found.problems.items())]
        seen = last_change(self.db)
        nets = (rows := row_changes(self.db) if seen else Pending()).records
        edits = edited_sections(self.db, self.state, rows.sections)
        if not dry_run:
            self._late += rescued(self.db, self.bank, self.held, None)
        standing = holds.standing(self.db)
        incoming = self._incoming(found, outbox, edits, chosen, standing, done)
        follows = holds.follows(self.db) if follow else frozenset()
        if not incoming and not nets and not follows and not (rows.idle and not dry_run):
            if not dry_run:
                holds.note(self.db, standing.open, [], found, self._clock())
            return done
        saved = [path for path, arrived in incoming.items() if self._saved(arrived)]
        flipping = self.flips.reasons(saved, time.monotonic()) | standing.flipping
        told = announced.told(self.db, seen, self._clock())
        ask = Question(
            incoming, nets, follows, standing.accepted, mode, follow, told, flipping, self._united,
            frozenset(edits.texts.keys() - incoming.keys()), found.hidden,
        )  # fmt: skip
        decided = Decider(self.db, self.state, self.config, ask).decide()
        done.came_back += sum(v.insert and bool(s.before) for v, s in decided.verdicts if self._united)
        done.problems += decided.problems
        done.refused += decided.refused
        if dry_run:
            from syncd import described

            described.describe(self.state, decided, incoming, self.bases(decided, incoming, {}), done)
            return done
        if strict and decided.refused and mode is not Mode.OBSERVE:
            return done
        holds.note(self.db, standing.open, decided.holds, found, self._clock())
        self._carry_out(decided, incoming, edits, outbox, Seen(seen, rows.idle or decided.renumbered), began, done)
        return done

    def _bring_back(self, found: Scan, dry_run: bool, done: Round) -> None:
        """Write the documents that only an older database still has, unless their text stands elsewhere by now."""
        appeared = {content.digest for path, content in found.changed.items() if path not in self.state.rows}
        texts = {p: self.state.data(p) for p in sorted(found.missing) if self.state.rows[p].hash not in appeared}
        found.missing -= texts.keys()
        done.came_back += len(texts)
        done.emitted |= texts.keys()
        if dry_run and texts:
            from syncd import described

            done.diffs += described.brought_back(texts)
        elif texts:
            publish.bring_back(self.db, texts, self._clock())
            lines = dict.fromkeys(texts)
            publish.settle_outbox(
                self.db, self.state, self.bank, self.held, lines, None, done.waiting, done.unwritten
            )

    def _sweep(self, only: set[str] | None) -> Walked | None:
        """Clear away what an earlier run left, once, before the first whole scan: a document may be among it.

        Gives what it saw, where nothing had to be cleared away.
        """
        if self._swept or only is not None:
            return None
        self._swept = True
        walked = time.time_ns(), walk(self.bank)
        self._late += rescued(self.db, self.bank, self.held, walked[1].leftovers)
        return None if walked[1].leftovers else walked

    def _scan(self, only: set[str] | None, outbox: Collection[str], settle: bool, walked: Walked | None) -> Scan:
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
                walked=walked,
            )
            walked = None
            unsettled = self._missed.young(found, self.state.rows, self.config.settle_seconds)
            # A file that went missing while this waits gets its whole time: it is noted when it is first missed.
            over = bool(found.waiting) and time.monotonic() - began >= self.config.settle_seconds
            if not settle or over or not (unsettled or found.waiting):
                found.waiting |= dict.fromkeys(unsettled, "missing for less than a moment")
                found.missing -= unsettled
                return found
            time.sleep(0.02)

    def _incoming(
        self,
        found: Scan,
        outbox: dict[str, str | None],
        edits: EditedSections,
        chosen: Mode,
        standing: holds.Standing,
        done: Round,
    ) -> dict[str, Incoming]:
        output = chosen is Mode.DATABASE_FIRST
        if output and self.unfinished is not None:  # neither may a file be written nor is it to be absorbed
            done.waiting |= dict.fromkeys((*found.changed, *found.missing), self.unfinished)
            return {}
        writes = chosen is not Mode.OBSERVE and self.unfinished is None
        texts = edits.texts if writes else {}
        taken = {(path, digest) for path, _, digest in standing.accepted}
        if not (found.changed or found.missing or texts or self._late):
            return {}
        from syncd.incoming import Reader  # loaded late, as all that not every command needs

        reader = Reader(self.db, self.state, outbox, texts, writes, output=output, united=self._united, taken=taken)
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

    def _add_late(self, reader: Reader, incoming: dict[str, Incoming], done: Round) -> None:
        """Texts that were saved into files that we replaced; one that met another save of its document comes next."""
        for item in self._late:
            if item.path not in incoming and (now := publish.look(self.bank, item.path, done.waiting)) is not None:
                incoming[item.path] = reader.read_late(item.path, now.content, item.data)

    def _put_off(
        self, incoming: dict[str, Incoming], edits: EditedSections, outbox: Collection[str], done: Round
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
        done: Round,
    ) -> None:
        bases = self.bases(decided, incoming, outbox)
        saved = [arrived for arrived in incoming.values() if self._saved(arrived)]
        back = bool(saved) and all(arrived.put_back for arrived in saved)
        rows = bool(edits.texts) or any(v.show or v.insert or v.remove for v, _ in decided.verdicts)
        batch = Batch(*named(bool(saved), rows, back, announced.of_pending(self.db, seen.upto)), seen=seen.upto)
        batch.verdicts, batch.bases, batch.unsealed = decided.verdicts, bases, decided.unsealed
        batch.read = {p: k for p, k in decided.documents.items() if k is not None and p not in decided.removed}
        batch.clashes = [c for v, _ in decided.verdicts for c in v.clashes]
        batch.clashes += decided.clashes
        batch.follow, batch.followed = decided.follow, decided.followed
        settled = incoming.keys() - decided.held
        batch.edited_sections, batch.kept = edits.of(settled), edits.but(settled)
        if not (batch.does_something or seen.idle):
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
        done.absorbed |= {b.path for b in bases if b.path in incoming and not incoming[b.path].put_back}
        done.emitted |= set(done.committed.files)
        again = [a for a in saved if a.path in done.committed.files]
        self.flips.note(((a.path, a.disk.digest if a.disk else None, a.put_back) for a in again), time.monotonic())
        done.prepared = prepared

    def _publish(self, done: Round) -> None:
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

    def bases(self, decided: Decided, incoming: dict[str, Incoming], outbox: Mapping[str, str | None]) -> list[NewBase]:
        """What becomes of each document that a decision is about."""
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
            if path in decided.removed and late is None and arrived and arrived.merged and arrived.document:
                late = arrived.document.text.encode()  # what a client wrote into it goes along, and history keeps it
            known = arrived.disk.digest if arrived and arrived.disk else None
            if arrived is None and path in outbox:
                known = outbox[path]  # its last text never reached the file, which holds what it held before
            elif arrived is None and disk is not None:
                known = self.state.rows[path].hash
            bounds = None if path in decided.emitted else decided.bounds.get(path)
            bases.append(NewBase(path, disk, known, stat, content, keyed, problem, late, bounds))
        return bases

    # -- telling -------------------------------------------------------------------------------------------------

    def _report(self, total: Round, dry_run: bool = False) -> Report:
        if not dry_run:
            publish.note_refused(self.db, total.unwritten)
        rows_wait = self.unfinished if journal.has_pending(self.db) else None
        return report(total, holds.open_conflicts(self.db), holds.open_holds(self.db), rows_wait)
