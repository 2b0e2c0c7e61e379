"""From file sides and row changes to a plan: which records change, what is held, what the files must show.

Reads the database, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from parser.document import At
from schema import store
from schema.announced import Told
from schema.db import Database
from schema.journal import Net
from schema.records import Role, Table
from syncd import numbers
from syncd.config import Config
from syncd.model import Clash, Keyed, Mode, Shown, Side, Sides, Verdict
from syncd.plan import adoption, arrival, derive, emission, families, guard, unseen
from syncd.plan.counts import COUNTED, Derived
from syncd.plan.emission import DocumentChanges, Plan
from syncd.plan.gather import TABLE_NAMES, Delta, Gatherer, RecordId
from syncd.plan.graphs import Graphs
from syncd.plan.homes import Homes, start
from syncd.plan.lookup import RowLookup
from syncd.plan.owners import Parents
from syncd.plan.reconcile import leaving, reached, reconcile, settled, unite
from syncd.state import BankState
from writer.changes import Remove

if TYPE_CHECKING:
    from syncd.incoming import Incoming

_OWNERS = {Table.MODIFICATIONS: (Table.ENTRIES, "edit_entry_id"), Table.SUBTASKS: (Table.TASKS, "task_id")}


class Hold(Struct, frozen=True):
    """A change that waits for a yes. ``hash`` is the digest of the file that it is about, None where that is gone."""

    path: str
    kind: str
    reason: str
    hash: str | None
    deletes: int


class Decided(Struct):
    """The outcome: per record, per document, and what is kept back."""

    verdicts: list[tuple[Verdict, Sides]] = field(default_factory=list)
    documents: dict[str, Keyed | None] = field(default_factory=dict)
    bounds: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    emitted: dict[str, Keyed] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    holds: list[Hold] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    unsealed: set[RecordId] = field(default_factory=set)
    renumbered: bool = False  # only numbers of records changed, or these too
    follow: list[tuple[RecordId, str]] = field(default_factory=list)
    followed: list[tuple[RecordId, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # rows that no document would show as they are
    clashes: list[Clash] = field(default_factory=list)


class Question(Struct, frozen=True):
    """Everything that a decision rests on.

    ``accepted`` names the holds that got their yes, as ``(path, kind, hash)``; ``follows`` the fields whose other
    current readings are due to be brought along now. ``flipping`` gives the sentence for documents that another program
    rewrites again and again. ``united``: the database is older than the files, and nothing is deleted. ``edited`` are
    documents that wait with an edit of their sections because their files cannot be looked at: they are not written.
    ``hidden`` are documents that the database does not know and that could not be read, with the reason.
    """

    incoming: Mapping[str, Incoming]
    nets: Mapping[RecordId, Net]
    follows: frozenset[tuple[RecordId, str]]
    accepted: frozenset[tuple[str, str, str | None]]
    mode: Mode
    follow_now: bool
    told: Told
    flipping: Mapping[str, str] = field(default_factory=dict)
    united: bool = False
    edited: frozenset[str] = frozenset()
    hidden: Mapping[str, str] = field(default_factory=dict)


class Decider:
    """Decides one batch."""

    def __init__(self, db: Database, state: BankState, config: Config, question: Question) -> None:
        self._db = db
        self._state = state
        self._config = config
        self._ask = question
        self._out = Decided()
        self._untouched: set[RecordId] = set()  # records of a document whose removal is held

    def decide(self) -> Decided:
        """Verdicts and holds; then, unless files are never written, what the files must show."""
        out = self._out
        out.held |= self._ask.edited
        given, nets = numbers.renumbered(self._db, self._ask.nets)
        self._ask, out.renumbered = replace(self._ask, nets=nets), bool(given)
        numbers.let_go(self._db, self._state, nets, given)
        self._hold_marked()
        while True:
            deltas = self._deltas()
            gatherer = Gatherer(self._db, self._state, deltas, self._ask.nets)
            sides = {record: gatherer.sides(record) for record in self._records(gatherer)}
            verdicts = {record: self._verdict(s) for record, s in sides.items()}
            families.keep_together(self._db, sides, verdicts)
            parents = Parents({path: delta.new for path, delta in deltas.items() if delta.new is not None})
            families.bring_owners_back(parents, self._ask.nets, sides, verdicts, deltas)
            families.change_owners(self._ask.nets, sides, verdicts)
            if not self._hold_deletions(sides, verdicts):
                break
        out.documents = {path: delta.new for path, delta in deltas.items()}
        out.bounds = {path: delta.bounds for path, delta in deltas.items()}
        self._hold_removals(sides, verdicts)
        if self._ask.mode is Mode.OBSERVE:
            self._observe(sides, verdicts)
        else:
            self._put_off(sides, verdicts)
            self._emit(sides, verdicts)
        clashes = [c for i in self._ask.incoming.values() for c in i.clashes]
        out.clashes = [self._against_row(c, sides) for c in clashes if self._stands(c, sides)]
        out.verdicts = [
            (verdict, sides[record])
            for record, verdict in verdicts.items()
            if record not in self._untouched and (record not in out.unsealed or _does_something(verdict, sides[record]))
        ]
        return out

    def _verdict(self, sides: Sides) -> Verdict:
        """In mode database-first the database wins, and a new document does not change a record that is there."""
        if self._ask.united:
            return unite(sides)
        if self._ask.mode is not Mode.DATABASE_FIRST:
            return reconcile(sides)
        new = sides.db is not None and any(self._is_new(s.path) for s in sides.after)
        return reconcile(sides, Side.DB, Side.DB if new else None)

    def _is_new(self, path: str) -> bool:
        return path in self._ask.incoming and path not in self._state.rows

    def _records(self, gatherer: Gatherer) -> list[RecordId]:
        records = dict.fromkeys(gatherer.records())
        return list(records | dict.fromkeys(record for record, _ in sorted(self._ask.follows)))

    def _deltas(self) -> dict[str, Delta]:
        if not self._ask.incoming:
            return {}
        from syncd.plan.match import Edited, Matcher  # loaded late, as all that not every command needs

        taken = {path: i for path, i in self._ask.incoming.items() if path not in self._out.held}
        edited = [Edited(path, self._state.base(path), i.document) for path, i in taken.items()]
        matched = Matcher(RowLookup(self._db)).match(edited)
        deltas = {}
        for e in edited:
            end = len(e.base.document.sections) if e.base else 0
            keyed, bounds = matched.get(e.path, (None, (0, end, 0)))
            deltas[e.path] = Delta(e.path, e.base, keyed, bounds)
        return deltas

    # -- holds ---------------------------------------------------------------------------------------------------

    def _hold(self, path: str, kind: str, reason: str, deletes: int) -> bool:
        incoming = self._ask.incoming.get(path)
        digest = incoming.disk.digest if incoming and incoming.disk else None
        if incoming is None and path in self._state.rows:
            digest = self._state.rows[path].hash
        if (path, kind, digest) in self._ask.accepted:
            return False
        self._out.holds.append(Hold(path, kind, reason, digest, deletes))
        self._out.held.add(path)
        return True

    def _hold_marked(self) -> None:
        for path, incoming in self._ask.incoming.items():
            if incoming.may_be_marked and incoming.disk and (reason := guard.marker_reason(incoming.disk.data)):
                self._hold(path, "markers", reason, 0)
            elif path in self._ask.flipping:
                self._hold(path, "flips", self._ask.flipping[path], 0)
            elif incoming.copy_of:
                self._hold(path, "copy", f"is a copy of {incoming.copy_of}, which stands where it was", 0)

    def _hold_deletions(self, sides: Mapping[RecordId, Sides], verdicts: Mapping[RecordId, Verdict]) -> bool:
        """Whether a document had to be taken out of the batch because too much would go with it."""
        lost: dict[str, int] = {}
        stays: set[str] = set()  # documents with a record that no other document took over
        for record, verdict in verdicts.items():
            before, after = ({s.path for s in shown} for shown in (sides[record].before, sides[record].after))
            for path in (before - after) & self._ask.incoming.keys():
                if not after - before:
                    stays.add(path)
                gone = verdict.row is None and sides[record].db is not None and not self._ask.united
                lost[path] = lost.get(path, 0) + gone
        found = False
        for path, deleted in lost.items():
            incoming = self._ask.incoming[path]
            reason = guard.deletion_reason(
                deleted,
                self._total(path),
                gone=incoming.disk is None,
                empty=incoming.disk is not None and not incoming.disk.data.strip(),
                moved=path not in stays,
                most=self._config.hold_records,
                share=self._config.hold_share,
            )
            if reason and path not in self._out.held:
                found |= self._hold(path, "deletion", reason, deleted)
        return found

    def _is_gone(self, path: str) -> bool:
        incoming = self._ask.incoming.get(path)
        return incoming is not None and incoming.disk is None and incoming.document is None  # else it comes back

    def _total(self, path: str) -> int:
        base = self._state.base(path)
        return len({(r.table, k) for _, r, k in base.readings() if k}) if base else 0

    def _hold_removals(self, sides: Mapping[RecordId, Sides], verdicts: Mapping[RecordId, Verdict]) -> None:
        """A deleted row whose text is a whole document: the document's prose would go with it, so that waits."""
        for record, verdict in verdicts.items():
            own = [s.path for s in sides[record].after if s.role is Role.OWN]
            if not verdict.remove or verdict.table not in (Table.TASKS, Table.SESSIONS) or not own:
                continue
            path = own[0]
            reason = f"its row was deleted from {verdict.table.value}; the whole document would be removed"
            if self._ask.mode is Mode.OBSERVE:
                self._out.removed.add(path)
            elif path in self._ask.edited or self._hold(path, "removal", reason, 1):
                was = {s.path for s in sides[record].before if s.role is Role.OWN}
                gone = {past for past in was if self._is_gone(past)}  # it was moved: both wait
                self._out.held |= gone
                self._untouched |= {r for r, s in sides.items() if r == record or _stands_in(s, {path, *gone})}
                self._out.unsealed |= self._untouched
            else:
                self._out.removed.add(path)

    def _stands(self, clash: Clash, sides: Mapping[RecordId, Sides]) -> bool:
        """Whether the two values that met in a text still differ.

        The row may have been changed to the file's value too.
        """
        if clash.document in self._out.held:
            return False
        known = sides.get((Table(clash.table), clash.key)) if clash.table in TABLE_NAMES else None
        if known is None or known.db is None or clash.field is None:
            return True
        now = known.db.get(clash.field)
        if clash.replaces:
            return now != clash.file
        # A row that was changed too met the file's value in the record's own decision, which tells it.
        return now != clash.file and (known.base is None or known.base.get(clash.field) == now)

    def _against_row(self, clash: Clash, sides: Mapping[RecordId, Sides]) -> Clash:
        """A save that is put back is told against the row as it is now."""
        known = sides.get((Table(clash.table), clash.key)) if clash.table in TABLE_NAMES else None
        if not clash.replaces or known is None or known.db is None or clash.field is None:
            return clash
        return replace(clash, db=known.db.get(clash.field))

    # -- files ---------------------------------------------------------------------------------------------------

    def _observe(self, sides: Mapping[RecordId, Sides], verdicts: Mapping[RecordId, Verdict]) -> None:
        """No file is written: row changes stay pending; what was edited by hand is absorbed beside them."""
        self._out.removed.clear()
        for record, verdict in verdicts.items():
            if (verdict.show or verdict.insert or verdict.remove) and record in self._ask.nets:
                self._out.unsealed.add(record)

    def _put_off(self, sides: Mapping[RecordId, Sides], verdicts: Mapping[RecordId, Verdict]) -> None:
        """New rows that would come to stand in a document that waits with an edit of its own wait with it."""
        new = [v for r, v in verdicts.items() if v.insert and r not in self._untouched]
        if not new or not self._ask.edited:
            return
        plan = Plan()
        Homes(self._state, plan, self._state.base, sides, self._ask.told).place(new)
        births = [birth for path in self._ask.edited & plan.keys() for birth in plan[path].births]
        wait = {(birth.table, birth.key) for birth in births}
        wait |= {(v.table, v.key) for v in new if self._owner(v) in wait}
        self._untouched |= wait
        self._out.unsealed |= wait

    def _owner(self, verdict: Verdict) -> RecordId | None:
        """The record that a line of it belongs to."""
        if verdict.table not in _OWNERS:
            return None
        owner, column = _OWNERS[verdict.table]
        return owner, str((store.fetch(self._db, verdict.table.value, verdict.key) or {}).get(column))

    def _emit(self, sides: dict[RecordId, Sides], verdicts: dict[RecordId, Verdict]) -> None:
        out, plan = self._out, Plan()
        homes = Homes(self._state, plan, self._current, sides, self._ask.told)
        due: dict[RecordId, set[str]] = {}
        for record, name in self._ask.follows:
            due.setdefault(record, set()).add(name)
        shown: dict[RecordId, frozenset[str]] = {}
        for record, verdict in verdicts.items():
            if record in self._untouched:
                continue
            gone = _leaving(record, sides[record], verdicts) if verdict.remove else []
            if record in self._ask.nets and self._waits(verdict, sides[record], gone, out.held):
                out.unsealed.add(record)
            names = verdict.show | due.get(record, set()) | (verdict.follow if self._ask.follow_now else frozenset())
            if verdict.row is None:  # its row is gone since they fell due: there is nothing to bring along
                out.followed += [(record, name) for name in names]
                names = frozenset()
            if names or verdict.insert or verdict.remove:
                shown[record] = names
            bare, usual = homes.unlabelled(verdict, names), homes.usual(verdict, names)
            emission.plan_fields(plan, verdict, sides[record], names, bare, usual)
            if verdict.table is Table.TASKS and "status" in names:
                homes.relist(verdict, sides[record])
            out.followed += [(record, name) for name in names]
            if record not in self._ask.nets and self._waits(verdict, sides[record], gone, self._ask.edited):
                out.follow += [(record, name) for name in sorted(verdict.show)]
            if not self._ask.follow_now:
                out.follow += [(record, name) for name in sorted(verdict.follow - names)]
            emission.plan_removal(plan, gone)
            homes.bring_back(verdict)
        inserts = [v for r, v in verdicts.items() if v.insert and r not in self._untouched]
        no_texts = self._no_texts() if inserts else {}
        waiting = unseen.waiting(self._db, inserts, self._ask.hidden, no_texts)
        out.unsealed |= waiting.keys()
        out.refused += waiting.values()
        homes.place([v for v in inserts if (v.table, v.key) not in waiting], no_texts)
        out.problems += homes.unshown
        counts = Derived(self._db, self._state, self._ask.told.moment, verdicts, sides)
        before = verdicts.get(COUNTED)
        if cache := counts.cache(plan, self._current):
            verdicts[COUNTED], sides[COUNTED] = cache, counts.sides
            emission.plan_derived(plan, cache, counts.sides)
        for path, changes in plan.items():
            if (keyed := self._current(path)) is not None:
                changes.derived += derive.header_changes(keyed, self._ask.told.moment, counts.universes())
        graphs = Graphs(self._db, verdicts, sides, shown)
        self._make(plan, homes, sides, graphs)
        if cache and not any(shown.path in out.emitted for shown in counts.sides.after):
            counts.forget(verdicts, sides, before)
        self._leave_places(sides, verdicts, graphs, homes)
        verdicts |= adoption.adopted(verdicts, out.emitted.values())
        self._note_refused(sides, verdicts)

    def _leave_places(
        self, sides: Mapping[RecordId, Sides], verdicts: Mapping[RecordId, Verdict], graphs: Graphs, homes: Homes
    ) -> None:
        """Take out where it stood what was given to another owner, if it stands there by now."""
        moved = {r for r, verdict in verdicts.items() if verdict.moved and r not in self._untouched}
        if not moved:
            return
        paths = {s.path for record in moved for s in sides[record].after} | self._out.emitted.keys()
        now = {path: keyed for path in paths if (keyed := self._out.emitted.get(path) or self._current(path))}
        plan = Plan()
        for path, places in families.old_places(self._db, moved, now).items():
            plan[path] = DocumentChanges(removes=[Remove(at) for at in places])
        self._make(plan, homes, sides, graphs)

    def _note_refused(self, sides: Mapping[RecordId, Sides], verdicts: Mapping[RecordId, Verdict]) -> None:
        """Tell which rows would not come to stand in any document as they are."""
        out = self._out
        asked = {r: net for r, net in self._ask.nets.items() if r not in self._untouched | out.unsealed}
        for (table, key), what in arrival.refused(asked, verdicts, sides, out.emitted, self._current):
            name = f"{table.value} {key}"
            told = next((p for p in out.problems if p.startswith((f"{name} ", f"{name}:"))), None)
            out.refused.append(told or f"{name}: no document would show {what} as it was given")

    def _waits(self, verdict: Verdict, sides: Sides, gone: Sequence[Shown], held: Set[str]) -> bool:
        """Whether a row change cannot be shown everywhere because a document is held: it stays pending until it can."""
        asked = [s for s in sides.after if reached(sides.table, s)] if verdict.show else gone
        return any(s.path in held for s in asked)

    def _current(self, path: str) -> Keyed | None:
        if path in self._out.held or path in self._out.removed:
            return None
        if path in self._out.documents:
            return self._out.documents[path]
        return self._state.base(path)

    def _no_texts(self) -> dict[str, str]:
        """The documents that are there and cannot be read as text, with the reason."""
        stored = {p: row.problem or "" for p, row in self._state.rows.items() if row.kind == "opaque"}
        here = {p: i.problem or "" for p, i in self._ask.incoming.items() if i.disk is not None and i.document is None}
        return {**{p: why for p, why in stored.items() if p not in self._ask.incoming}, **here}

    def _make(self, plan: Plan, homes: Homes, sides: Mapping[RecordId, Sides], graphs: Graphs) -> None:
        for path, changes in sorted(plan.items()):
            if path in self._out.held or path in self._out.removed:
                continue
            before = self._out.emitted.get(path) or start(path, homes, self._current)

            def name(at: At, keyed: Keyed = before) -> str:
                reading = keyed.document.at(at)
                return emission.describe(reading.table, keyed.keys[at.section][at.reading], sides)

            done = emission.make(path, before, changes, name)
            self._out.problems += done.refused
            if done.keyed.document.text != before.document.text or path in homes.made:
                self._out.emitted[path] = graphs.drawn(before, done.keyed)


def _does_something(verdict: Verdict, sides: Sides) -> bool:
    """Whether a verdict changes the row or has something to tell."""
    row, db = verdict.row, sides.db
    if row is None or db is None or verdict.clashes:
        return row is not db or bool(verdict.clashes)
    return any(settled(name, value) != settled(name, db.get(name)) for name, value in row.items())


def _leaving(record: RecordId, sides: Sides, verdicts: Mapping[RecordId, Verdict]) -> list[Shown]:
    return leaving(sides, families.with_task(record, sides, verdicts))


def _stands_in(sides: Sides, paths: Set[str]) -> bool:
    """Whether one of these documents shows a record, or did before it was edited."""
    return any(s.path in paths for s in (*sides.before, *sides.after))
