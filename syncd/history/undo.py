"""Undo transactions: their inverse, on rows and files together, as one new transaction.

What they did is put back as it was. Where a document or a row has changed since, the change is merged out of it; where
that cannot be done, nothing is, and what stands in the way is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from msgspec import Struct, field
from msgspec.structs import replace

from parser.document import At, Document, parse
from schema import history, journal, store
from schema.db import Database
from schema.errors import RowRefused
from schema.records import FIELDS, Reading, Table
from syncd import apply, publish
from syncd.apply import Batch, Moved, NewBase
from syncd.diffs import unified
from syncd.engine import Engine
from syncd.errors import InTheWay, UsageError
from syncd.history.inverse import Inverse, Inverter
from syncd.history.past import RowValues
from syncd.history.twins import Spare
from syncd.incoming import not_text
from syncd.model import Keyed, Mode, Report, Row, Shown, Sides, State, Verdict
from syncd.plan import emission
from syncd.plan.emission import DocumentChanges
from syncd.plan.gather import ROWS, Delta, Gatherer, RecordId, row_of
from syncd.plan.lookup import RowLookup
from syncd.plan.match import Edited, Matcher
from syncd.plan.rebase import places
from syncd.plan.reconcile import reconcile, settled

_TRIES = 20
_TOLD = 3

_MODES = {"cutover": "`syncd rollback` goes back", "rollback": "`syncd cutover` makes the database first again"}
Bounds = tuple[int, int, int]


def undo(engine: Engine, targets: Sequence[str], *, dry_run: bool = False) -> Report:
    """Undo transactions, named by number or id. Raises `InTheWay` where later ones forbid it, `UsageError`.

    What waits on either side is converged first, so that the transaction holds the undo and nothing else. A ``dry_run``
    changes nothing and gives the diffs.
    """
    require_writing(engine, "undo")
    numbers = sorted({journal.resolve_transaction(engine.db, name) for name in targets})
    if not numbers:
        raise UsageError("no transaction named", hint="`syncd log` lists them")
    first = engine.db.value("SELECT min(id) FROM transaction_log")
    if numbers[0] == first:
        what = f"transaction {first} is the bank's first state: undone, there would be no bank"
        raise UsageError(what, hint="`syncd cat` and `syncd export` take documents from any state")
    for number in numbers:
        kind = journal.transaction(engine.db, number).operation_type
        if kind in _MODES:
            raise UsageError(f"transaction {number} changed the mode, no row and no file", hint=_MODES[kind])
    for _ in range(_TRIES):
        before = None if dry_run else engine.converge()
        plan = _Planner(engine, numbers).plan()
        if plan is None:
            reason = "nothing to undo: what they did is gone already"
            return replace(before or engine.converge(dry_run=True), reason=reason)
        if dry_run:
            return _told(engine, plan)
        with suppress(Moved):
            return _carried_out(engine, plan)
    raise InTheWay("the bank is written all the time", str(engine.bank), "try again when it is quiet")


def require_writing(engine: Engine, what: str) -> None:
    """Raises `UsageError` where no file may be written."""
    if engine.unfinished is not None:
        raise UsageError(f"no {what} now: {engine.unfinished}", str(engine.bank), "finish that first")
    if engine.mode is Mode.OBSERVE:
        raise UsageError(f"no {what} in mode observe, which writes no file", hint="`syncd mode coexist` first")


class _Plan(Struct):
    """What is to be done: the batch, what rows and documents are now, and sentences for a person."""

    batch: Batch
    now: dict[tuple[str, str], RowValues | None] = field(default_factory=dict)


class _Planner:
    """Makes the plan for one undo."""

    def __init__(self, engine: Engine, numbers: Sequence[int]) -> None:
        self._engine = engine
        self._db = engine.db
        self._state = engine.state
        self._numbers = numbers
        self._blocked: list[str] = []

    def plan(self) -> _Plan | None:
        """None where nothing is left to undo. Raises `InTheWay`."""
        inverter = Inverter(self._db, self._state, self._numbers)
        inverse = inverter.invert()
        self._refuse(inverse.blocked, inverse.by)
        if not inverse.rows and not inverse.texts:
            return None
        seen, waiting = apply.last_change(self._db), self._waiting(inverse)
        before = {record: row_of(self._db, *record) for record in _records(inverse)}
        bases: list[NewBase] = []
        verdicts: list[tuple[Verdict, Sides]] = []
        try:
            with rolled_back(self._db):
                store.write_rows(self._db, inverse.rows)
                documents = self._documents(inverse)
                documents = self._in_agreement(inverse, documents, before)
                verdicts = self._unknown(documents, waiting)
                bases = [self._base(path, *documents[path], inverse) for path in sorted(documents)]
        except RowRefused as error:
            raise InTheWay(f"{self._named()} cannot be undone: {error.what}") from error
        self._refuse(self._blocked, set())
        batch = Batch("undo", "syncd", verdicts, bases, seen=seen, kept=waiting, rows=inverse.rows)
        batch.note = ", ".join(map(str, self._numbers))
        batch.more = self._settle
        return _Plan(batch, {row: inverter.now(row) for row in inverse.rows})

    def _named(self) -> str:
        numbers = [str(number) for number in self._numbers]
        return f"transaction{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"

    def _refuse(self, sentences: Sequence[str], by: set[int]) -> None:
        if not sentences:
            return
        more = f"; and {len(sentences) - _TOLD} more" if len(sentences) > _TOLD else ""
        names = " ".join(map(str, sorted({*self._numbers, *by})))
        hint = f"undo them too: `syncd undo {names}`; or edit by hand" if by else "edit by hand"
        raise InTheWay(f"{self._named()} cannot be undone: {'; '.join(sentences[:_TOLD])}{more}", None, hint)

    def _waiting(self, inverse: Inverse) -> set[tuple[str, str]]:
        """Row changes of others that wait to be shown; they go on waiting."""
        waiting = {(c.table, c.key) for c in journal.pending(self._db)}
        met = [":".join(row) for row in sorted(waiting & inverse.rows.keys())]
        self._refuse([f"{name} has a change that waits to be written" for name in met], set())
        return waiting | {("tasks", key.split(">")[0]) for table, key in waiting if table == "task_dependencies"}

    # -- documents -----------------------------------------------------------------------------------------------

    def _documents(self, inverse: Inverse) -> dict[str, tuple[Keyed | None, Bounds | None]]:
        """The documents as they will be, with the record of each reading. Rows are there already."""
        edited = []
        for path, text in inverse.texts.items():
            self._require_settled(path)
            base = self._state.base(path)
            edited.append(Edited(path, base, _parsed(path, text, base.document if base else None)))
        matched = Matcher(RowLookup(self._db)).match(edited)
        found: dict[str, tuple[Keyed | None, Bounds | None]] = dict.fromkeys(inverse.texts, (None, None))
        spare = Spare(self._db, inverse.rows)
        for path, (keyed, bounds) in matched.items():
            found[path] = (spare.named(keyed, self._state.base(path)), bounds)
        return found

    def _require_settled(self, path: str) -> None:
        """What is not the base, on disk or in the database, waits for somebody: it is not written over."""
        if path in journal.edited_documents(self._db):
            self._blocked.append(f"{path} was edited in the database, and that waits (`syncd status`)")
        row, content = self._state.rows.get(path), publish.read_now(self._engine.bank, path)
        if (row.hash if row else None) != (content.digest if content else None):
            self._blocked.append(f"{path} holds something else than both sides agreed on (`syncd status`)")

    def _in_agreement(
        self,
        inverse: Inverse,
        documents: dict[str, tuple[Keyed | None, Bounds | None]],
        before: Mapping[RecordId, Row | None],
    ) -> dict[str, tuple[Keyed | None, Bounds | None]]:
        """What a place said in agreement with its row, it goes on saying so: in documents that changed since."""
        plan: dict[str, DocumentChanges] = {}
        after = {record: row_of(self._db, *record) for record in before}
        changed = {path: documents.get(path, (self._state.base(path), None))[0] for path in self._later(inverse)}
        for path, keyed in changed.items():
            if keyed is not None:
                self._agree(plan, path, keyed, before, after)
        for path, changes in plan.items():
            keyed = changed[path]
            assert keyed is not None
            if path not in documents:
                self._require_settled(path)
            made = emission.make(path, keyed, changes, lambda at, k=keyed: _name(k, at))  # type: ignore[misc]
            self._blocked += made.refused
            documents[path] = (made.keyed, None)
        return documents

    def _later(self, inverse: Inverse) -> set[str]:
        """Documents that are merged, and others that changed behind the first of the transactions."""
        shown = {where.path for table, key in _records(inverse) for where in store.readings_of(self._db, table, key)}
        behind = {
            path
            for path in shown - inverse.texts.keys()
            if any(v.transaction > self._numbers[0] for v in history.version_rows(self._db, path, limit=1))
        }
        return inverse.merged | behind

    def _agree(
        self,
        plan: dict[str, DocumentChanges],
        path: str,
        keyed: Keyed,
        before: Mapping[RecordId, Row | None],
        after: Mapping[RecordId, Row | None],
    ) -> None:
        base = self._state.base(path)
        old = places(base) if base else {}
        counts: dict[tuple[Table, str, str], int] = {}
        for at, reading, key in keyed.readings():
            record, place = (reading.table, key), (reading.table, key, reading.role.value)
            number = counts[place] = counts.get(place, -1) + 1
            if record not in before:
                continue
            then, now, known = before[record], after[record], old.get((*place, number))
            if now is None:
                self._blocked.append(f"{reading.table.value} {key} is shown in {path}, which changed since")
            elif then is not None and known is not None:
                shown = Shown(path, at, reading)
                for name in _stale(reading, known[1], then, now):
                    verdict = Verdict(*record, now)
                    emission.plan_fields(plan, verdict, Sides(*record, then, now, (), (shown,)), frozenset({name}))

    def _unknown(
        self, documents: Mapping[str, tuple[Keyed | None, Bounds | None]], waiting: Set[tuple[str, str]]
    ) -> list[tuple[Verdict, Sides]]:
        """Records that a document shows again and no row has: they get one, unless the row is ``waiting`` to go."""
        deltas = {}
        wanted: dict[RecordId, None] = {}
        for path, (keyed, bounds) in documents.items():
            base = self._state.base(path)
            end = len(base.document.sections) if base else 0
            known = {(reading.table, key) for _, reading, key in base.readings()} if base else set()
            deltas[path] = Delta(path, base, keyed, bounds or (0, end, len(keyed.document.sections) if keyed else 0))
            for _, reading, key in keyed.readings() if keyed else ():
                if reading.table not in ROWS or (reading.table.value, key) in waiting:
                    continue
                if (reading.table, key) not in known and row_of(self._db, reading.table, key) is None:
                    wanted[reading.table, key] = None
        gatherer = Gatherer(self._db, self._state, deltas, {})
        order = {table: number for number, table in enumerate(Table)}
        sides = {record: gatherer.sides(record) for record in sorted(wanted, key=lambda record: order[record[0]])}
        return [(reconcile(known), known) for known in sides.values() if known.after]

    def _base(self, path: str, keyed: Keyed | None, bounds: Bounds | None, inverse: Inverse) -> NewBase:
        row, disk = self._state.rows.get(path), self._state.data(path)
        text = keyed.document.text.encode() if keyed else inverse.texts[path]
        problem = not_text(text) if text is not None else None
        return NewBase(path, disk, row.hash if row else None, None, text, keyed, problem, None, bounds)

    def _settle(self, number: int) -> None:
        """Conflicts that came with a transaction go with it, those that it settled are open again."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for target in self._numbers:
            self._db.run(
                """UPDATE conflicts SET resolved_at = NULL, resolution = NULL, settled_in = NULL, reopened_in = ?
                WHERE settled_in = ?""",
                (number, target),
            )
            self._db.run(
                """UPDATE conflicts SET resolved_at = ?1, resolution = 'undone', settled_in = ?2
                WHERE resolved_at IS NULL AND ("transaction" = ?3 OR reopened_in = ?3)""",
                (stamp, number, target),
            )
            self._db.run('DELETE FROM follows WHERE "transaction" = ?', (target,))


def _parsed(path: str, text: bytes | None, base: Document | None) -> Document | None:
    return None if text is None or not_text(text) else parse(path, text.decode(), base)


def _records(inverse: Inverse) -> list[RecordId]:
    """The records that rows belong to: a dependency is the task's."""
    found: dict[RecordId, None] = {}
    for table, key in inverse.rows:
        if table == "task_dependencies":
            found[Table.TASKS, key.split(">")[0]] = None
        else:
            found[Table(table), key] = None
    return list(found)


def _stale(reading: Reading, known: Reading, then: Row, now: Row) -> Iterator[str]:
    """Fields that were shown as the row had them and are to be shown as it will have them."""
    for name in FIELDS[reading.table]:
        if name not in reading.fields or not known.shows(name):
            continue
        was, will = settled(name, then.get(name)), settled(name, now.get(name))
        if was != will and settled(name, known.value(name)) == was and settled(name, reading.value(name)) != will:
            yield name


def _name(keyed: Keyed, at: At) -> str:
    return f"{keyed.document.at(at).table.value} {keyed.keys[at.section][at.reading]}"


class _Back(Exception):
    """Leaves a block whose changes of the database are not to stay."""


@contextmanager
def rolled_back(db: Database) -> Iterator[None]:
    """What is written inside is gone behind it."""
    with suppress(_Back), db.atomic():
        yield
        raise _Back


def _carried_out(engine: Engine, plan: _Plan) -> Report:
    """Commit and write the files. Raises `Moved`; nothing was done then."""
    began = time.perf_counter()
    waiting: dict[str, str] = {}
    refused: dict[str, str] = {}
    prepared = publish.prepare_all(engine.bank, plan.batch.bases, refused)
    try:
        milliseconds = (time.perf_counter() - began) * 1000
        done = apply.commit(engine.db, engine.state, plan.batch, datetime.now(UTC), milliseconds)
    except BaseException:
        prepared.discard()
        raise
    prepared.publish(engine.db, engine.state, engine.held, waiting, refused)
    report = engine.converge()  # it tells what waits and what was refused
    emitted = tuple(sorted({*report.emitted, *done.files}))
    return replace(report, transaction=done.transaction_id, number=done.number, emitted=emitted)


def _told(engine: Engine, plan: _Plan) -> Report:
    """The diffs of a dry run."""
    batch = plan.batch
    diffs = tuple((base.path, unified(base.path, base.disk, base.content)) for base in batch.bases)
    rows = tuple(line for row, values in batch.rows.items() for line in row_lines(row, plan.now[row], values))
    paths = tuple(base.path for base in batch.bases if base.content != base.disk)
    return Report(State.PENDING, emitted=paths, diffs=diffs, row_diffs=rows)


def row_lines(
    row: tuple[str, str], old: Mapping[str, object] | None, new: Mapping[str, object] | None
) -> Iterator[str]:
    """A sentence for each field in which a row will differ; None: there is no row."""
    name = f"{row[0]} {row[1]}"
    if old is None and new is None:
        return
    if old is None or new is None:
        yield f"{name}: {'deleted' if new is None else 'new'}"
        return
    for column, value in new.items():
        if old.get(column) != value:
            yield f"{name}: {column} {old.get(column)!r} -> {value!r}"
