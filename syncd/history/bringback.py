"""Bring one document, or one record, back as it stood after a transaction: as a new transaction.

A document is put back like a save by hand that was meant so: rows and the other current places follow it, and nothing
is held. A record is put back like a change of its row: the files follow. With a record that was deleted comes what
belonged to it, and its own document.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from parser.document import parse
from schema import history, journal, store
from schema.announced import Told
from schema.columns import RECORD_COLUMNS
from schema.errors import RowRefused
from schema.records import Action, Role, Table
from syncd import apply, numbers, publish
from syncd.apply import Batch
from syncd.diffs import unified
from syncd.disk.files import Content
from syncd.engine import Engine
from syncd.errors import InTheWay, UsageError
from syncd.history.past import PARENTS, RowId, RowValues, changes_behind, leaves_at, row_at, stored_row
from syncd.history.undo import require_writing, rolled_back, row_lines
from syncd.incoming import Incoming, not_text
from syncd.model import Mode, Report, State
from syncd.pending import row_changes
from syncd.plan.decide import Decided, Decider, Question
from syncd.plan.gather import RecordId

_OWN = {"tasks": Table.TASKS, "sessions": Table.SESSIONS}
_KINDS = ("deletion", "markers", "removal")
Rows = dict[RowId, RowValues | None]


def restore(engine: Engine, arguments: Mapping[str, Any]) -> Report:
    """Carry out a request: ``at`` with ``file`` (a path) or ``record`` (table and key), ``dry_run``."""
    at, dry_run = str(arguments.get("at")), bool(arguments.get("dry_run"))
    match arguments:
        case {"file": str(path)}:
            return restore_file(engine, path, at, dry_run=dry_run)
        case {"record": [str(table), str(key)]}:
            return restore_record(engine, table, key, at, dry_run=dry_run)
    raise UsageError("neither a document nor a record is named", hint="see `syncd restore --help`")


def restore_file(engine: Engine, path: str, at: str, *, dry_run: bool = False) -> Report:
    """Bring a document back. Raises `UsageError` where there was none, `InTheWay` where its file waits for somebody."""
    require_writing(engine, "restore")
    number = journal.resolve_transaction(engine.db, at)
    text = history.text_at(engine.db, path, number)
    if text is None:
        hint = f"`syncd log --file {path}` shows when there was one"
        raise UsageError(f"no such document after transaction {number}", path, hint)
    before = None if dry_run else engine.converge()
    _settled(engine, path)
    if engine.state.data(path) == text and path in engine.state.rows:
        return _nothing(engine, before, f"{path} is as it was after transaction {number}")
    return _brought(engine, {path: text}, {}, f"{path} at {number}", dry_run)


def restore_record(engine: Engine, table: str, key: str, at: str, *, dry_run: bool = False) -> Report:
    """Bring a record back. Raises `UsageError` where there was none, `InTheWay` where no file could show it."""
    require_writing(engine, "restore")
    name = f"{table}:{key}"
    if table not in RECORD_COLUMNS:
        raise UsageError("no such record", name, f"name it as TABLE:KEY, the tables are {', '.join(RECORD_COLUMNS)}")
    number = journal.resolve_transaction(engine.db, at)
    before = None if dry_run else engine.converge()
    past = row_at(engine.db, (table, key), number)
    if past is None:
        hint = f"`syncd log --record {name}` shows when there was one"
        raise UsageError(f"no such record after transaction {number}", name, hint)
    gone = _is_gone(engine, (table, key), number)
    texts = _own_documents(engine, table, key, past, number) if gone else {}
    rows = _rows(engine, (table, key), past, number, gone, bool(texts))
    if not rows:
        return _nothing(engine, before, f"{name} is as it was after transaction {number}")
    report = _brought(engine, {}, rows, f"{name} at {number}", dry_run)
    if dry_run:
        return report
    for path, text in texts.items():
        if engine.state.data(path) != text:
            later = _brought(engine, {path: text}, {}, f"{path} at {number}", dry_run=False)
            report = replace(later, emitted=tuple(sorted({*report.emitted, *later.emitted})))
    return report


def _nothing(engine: Engine, report: Report | None, reason: str) -> Report:
    return replace(report or engine.converge(dry_run=True, settle=False), reason=reason)


# -- what is wanted ------------------------------------------------------------------------------------------------


def _is_gone(engine: Engine, row: RowId, number: int) -> bool:
    """Whether the record is there no more. One that has its number now may be another."""
    if stored_row(engine.db, row) is None:
        return True
    if row[0] in ("tasks", "task_dependencies", "session_cache"):
        return False
    inserts = {c.transaction for c in changes_behind(engine.db, row, number) if c.operation is Action.INSERT}
    kinds = {journal.transaction(engine.db, n).operation_type for n in inserts if n is not None}
    return bool(kinds) and not kinds & {"undo", "restore"}


def _rows(engine: Engine, row: RowId, past: RowValues, number: int, gone: bool, own: bool) -> Rows:
    """The rows that are to be, where they differ from those of now."""
    db, (table, key) = engine.db, row
    wanted: Rows = {}
    taken: set[RowId] = set()

    def place(name: RowId, values: RowValues) -> str:
        """The key for a row that comes back: its own, or the next where that went to another."""
        known = name[1]
        if ((name == row and gone) or name != row) and "id" in values and stored_row(db, name) not in (None, values):
            known = numbers.free(db, name[0], [int(k) for t, k in taken if t == name[0]])
            values = {**values, "id": known}
        taken.add((name[0], known))
        wanted[name[0], known] = values
        return known

    if table == "task_subtasks" and not gone:
        past = {**past, "position": (stored_row(db, row) or past)["position"]}  # the text's order says it, as it is now
    new_key = place(row, past)
    for leaf_table, (column, owners) in PARENTS.items():
        if owners != table or not (gone or leaf_table == "task_dependencies"):
            continue
        if leaf_table == "task_subtasks" and own:
            continue  # they stand in the document that comes back
        then = leaves_at(db, leaf_table, key, number)
        for leaf, values in then.items():
            place((leaf_table, leaf), {**values, column: new_key})
        if leaf_table == "task_dependencies":
            needs = db.rows("SELECT depends_on FROM task_dependencies WHERE task_id = ?", (key,))
            wanted |= {(leaf_table, f"{key}>{need}"): None for (need,) in needs if f"{key}>{need}" not in then}
    return {name: values for name, values in wanted.items() if stored_row(db, name) != values}


def _own_documents(engine: Engine, table: str, key: str, past: RowValues, number: int) -> dict[str, bytes]:
    """Documents of the record's own that are gone: a task's, a session's."""
    if table not in _OWN:
        return {}
    db = engine.db
    rows = db.rows(
        'SELECT DISTINCT path FROM versions WHERE "transaction" > ? AND path NOT IN (SELECT path FROM documents)',
        (number,),
    )
    paths = [str(path) for (path,) in rows]
    if table == "sessions":
        paths = [path for path in paths if path == past.get("path")]
    found = {}
    for path in paths:
        text = history.text_at(db, path, number)
        if text is None or not_text(text):
            continue
        shown = [r for _, r in parse(path, text.decode()).readings() if r.table is _OWN[table] and r.role is Role.OWN]
        if any(table == "sessions" or r.key == key for r in shown):
            found[path] = text
    return found


# -- carrying it out -----------------------------------------------------------------------------------------------


def _brought(engine: Engine, texts: Mapping[str, bytes], rows: Rows, note: str, dry_run: bool) -> Report:
    """Texts as saved by hand and rows as written by a client, decided and committed as one transaction."""
    try:
        return _decided(engine, texts, rows, note, dry_run)
    except RowRefused as error:
        hint = "bring back first what it belongs to"
        raise InTheWay(f"it cannot be brought back: {error.what}", hint=hint) from error


def _decided(engine: Engine, texts: Mapping[str, bytes], rows: Rows, note: str, dry_run: bool) -> Report:
    began = time.perf_counter()
    refused: dict[str, str] = {}
    incoming = {path: _incoming(engine, path, text) for path, text in texts.items()}
    with rolled_back(engine.db) if dry_run else engine.db.atomic():
        waiting = {(c.table, c.key) for c in journal.pending(engine.db)}
        store.write_rows(engine.db, rows)
        batch, decided = _batch(engine, texts, rows, incoming, note, waiting)
        if dry_run:
            return _told(batch, decided)
        prepared = publish.prepare_all(engine.bank, batch.bases, refused)
        try:
            took = (time.perf_counter() - began) * 1000
            done = apply.commit(engine.db, engine.state, batch, datetime.now(UTC), took)
        except BaseException:
            prepared.discard()
            raise
    prepared.publish(engine.db, engine.state, engine.held, {}, refused)
    report = engine.converge()
    emitted = tuple(sorted({*report.emitted, *done.files}))
    problems = (*decided.problems, *report.problems)
    return replace(report, transaction=done.transaction_id, number=done.number, emitted=emitted, problems=problems)


def _settled(engine: Engine, path: str) -> Content | None:
    """What a document holds. Raises `InTheWay` where that is not what both sides agreed on: it waits for somebody."""
    if path in journal.edited_documents(engine.db):
        raise InTheWay("it was edited in the database, and that waits", path, "look at `syncd status` first")
    row, content = engine.state.rows.get(path), publish.read_now(engine.bank, path)
    if (row.hash if row else None) != (content.digest if content else None):
        raise InTheWay("it holds something else than both sides agreed on", path, "look at `syncd status` first")
    return content


def _incoming(engine: Engine, path: str, text: bytes) -> Incoming:
    content = _settled(engine, path)
    if problem := not_text(text):
        return Incoming(path, content, None, problem, merged=True)
    base = engine.state.base(path)
    return Incoming(path, content, parse(path, text.decode(), base.document if base else None), merged=True)


def _batch(
    engine: Engine,
    texts: Mapping[str, bytes],
    rows: Rows,
    incoming: Mapping[str, Incoming],
    note: str,
    waiting: set[RowId],
) -> tuple[Batch, Decided]:
    nets = {record: net for record, net in row_changes(engine.db).records.items() if record in _records(rows)}
    digests = {path: i.disk.digest if i.disk else None for path, i in incoming.items()}
    accepted = frozenset((path, kind, digest) for path, digest in digests.items() for kind in _KINDS)
    question = Question(incoming, nets, frozenset(), accepted, Mode.COEXIST, True, Told(datetime.now(UTC)))
    decided = Decider(engine.db, engine.state, engine.config, question).decide()
    if decided.refused or decided.holds:
        told = decided.refused or [f"{hold.path} {hold.reason}" for hold in decided.holds]
        raise InTheWay(f"it cannot be brought back: {told[0]}", hint="nothing was changed")
    for verdict, known in decided.verdicts:
        if verdict.row is not None and known.db is None and (verdict.table.value, verdict.key) in waiting:
            name = f"{verdict.table.value}:{verdict.key}"
            raise InTheWay(f"it shows {name}, whose deletion waits for a yes", hint="see `syncd holds`")
    bases = [
        replace(base, content=texts[base.path]) if base.keyed is None and base.path in texts else base
        for base in engine.bases(decided, dict(incoming), {})
    ]
    for base in bases:
        _settled(engine, base.path)
    batch = Batch("restore", "syncd", decided.verdicts, bases, seen=apply.last_change(engine.db), note=note)
    batch.followed, batch.kept = decided.followed, waiting
    batch.unsealed = decided.unsealed
    return batch, decided


def _records(rows: Rows) -> set[RecordId]:
    return {
        (Table.TASKS, key.split(">")[0]) if table == "task_dependencies" else (Table(table), key) for table, key in rows
    }


def _told(batch: Batch, decided: Decided) -> Report:
    """The diffs of a dry run."""
    changed = [base for base in batch.bases if base.content != base.disk]
    diffs = tuple((base.path, unified(base.path, base.disk, base.content)) for base in changed)
    rows = tuple(line for v, s in decided.verdicts for line in row_lines((v.table.value, v.key), s.base, v.row))
    paths = tuple(base.path for base in changed)
    return Report(State.PENDING, emitted=paths, diffs=diffs, row_diffs=rows, problems=tuple(decided.problems))
