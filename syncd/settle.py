"""What a person says about holds and conflicts, carried out: accept, reject, resolve, a change of mode."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from parser.kinds import kind_of
from schema import history, journal, store
from schema.db import Database
from schema.records import Action, Table, Value
from syncd import cutover, saved
from syncd.disk.files import digest
from syncd.engine import Engine
from syncd.errors import UsageError
from syncd.history.undo import require_writing
from syncd.model import Mode, Side
from syncd.plan.gather import TABLE_NAMES
from syncd.publish import read_now


def act(engine: Engine, kind: str, arguments: Mapping[str, Any]) -> None:
    """Do what a request asks for, short of converging. Raises `UsageError` for ids that are not open."""
    match kind:
        case "accept":
            _accept(engine, _ids(engine, "holds", "state = 'open'", arguments))
        case "reject":
            numbers = _ids(engine, "holds", "state = 'open'", arguments)
            _require_putting_back(engine, numbers)
            for number in numbers:
                _reject(engine, number)
        case "resolve":
            take = _one_of(Side, arguments.get("take"))
            for number in _ids(engine, "conflicts", "resolved_at IS NULL", arguments):
                _resolve(engine, number, take)
        case "mode":
            _change_mode(engine, _one_of(Mode, arguments.get("mode")))
        case "rollback":
            cutover.roll_back(engine)


def _change_mode(engine: Engine, mode: Mode) -> None:
    """Any mode but database-first, which has criteria."""
    if mode is Mode.DATABASE_FIRST:
        raise UsageError("database-first is entered by a cutover", hint="`syncd cutover --check` lists what it needs")
    if engine.chosen_mode is Mode.DATABASE_FIRST:
        cutover.roll_back(engine)
    store.state_set(engine.db, "mode", mode.value)


def note_settled(db: Database, transaction: int | None) -> None:
    """Remember which transaction carried out what was settled just now; None: nothing had to change."""
    db.run("UPDATE conflicts SET settled_in = ? WHERE settled_in = 0", (transaction,))


_Named = TypeVar("_Named", bound=StrEnum)


def _one_of(kind: type[_Named], word: object) -> _Named:
    try:
        return kind(str(word))
    except ValueError:
        raise UsageError(f"{word!r} is none of {', '.join(kind)}") from None


def _ids(engine: Engine, table: str, is_open: str, arguments: Mapping[str, Any]) -> list[int]:
    known = [number for (number,) in engine.db.rows(f"SELECT id FROM {table} WHERE {is_open} ORDER BY id")]  # noqa: S608
    if arguments.get("all"):
        return known
    wanted = [int(number) for number in arguments.get("ids", ())]
    for number in wanted:
        if number not in known:
            raise UsageError(f"{number} is not the id of an open one of the {table}", hint=f"run `syncd {table}`")
    return wanted


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _accept(engine: Engine, numbers: Sequence[int]) -> None:
    for (path,) in engine.db.rows("SELECT path FROM holds WHERE kind = 'flips' AND state = 'open'"):
        engine.flips.forget(path)
    engine.db.run_many("UPDATE holds SET state = 'accepted' WHERE id = ?", [(number,) for number in numbers])
    # What became of the database is only told: there is nothing to absorb.
    engine.db.run(
        "UPDATE holds SET settled_at = ? WHERE kind = 'database' AND state = 'accepted' AND settled_at IS NULL",
        (_stamp(),),
    )


def _require_putting_back(engine: Engine, numbers: Sequence[int]) -> None:
    """Raises `UsageError` where no file may be written and a no would put one back: none of them is settled then."""
    kinds = dict(engine.db.rows("SELECT id, kind FROM holds WHERE state = 'open'"))
    if any(kinds[number] not in ("removal", "database") for number in numbers):
        require_writing(engine, "hold is rejected")


def _reject(engine: Engine, number: int) -> None:
    """Put back what was held: the document's base over the file, or the rows that were deleted.

    The text that goes away is kept as a settled conflict of the whole document.
    """
    db = engine.db
    path, kind, wanted = db.rows("SELECT path, kind, hash FROM holds WHERE id = ?", (number,))[0]
    engine.flips.forget(path)
    if kind == "database":
        raise UsageError(
            f"hold {number} tells what became of the database", hint="`syncd restore FILE` brings a backup back"
        )
    if kind == "removal":
        _put_rows_back(engine, path)
    else:
        base = engine.state.data(path)
        content = read_now(engine.bank, path)
        current = digest(content.data) if content else None
        if current != wanted:
            raise UsageError("changed since it was held", path, "run `syncd sync` and look again")
        with db.atomic():
            opened = journal.begin_transaction(db, "reject", "syncd")
            held = content.data if content else None
            # The text that goes away was on disk: it is a version of the document like any other.
            history.record_version(db, path, opened.number, base, held, emitted=False)
            history.record_version(db, path, opened.number, held, base, emitted=True)
            if content:
                text = content.data.decode("utf-8", "replace")
                db.run(
                    """INSERT INTO conflicts(document, "table", key, field, file, db, kept, "transaction", created_at,
                    resolved_at, resolution) VALUES (?, 'documents', ?, 'text', ?, ?, 'db', ?, ?, ?, 'rejected')""",
                    (path, path, text, (base or b"").decode("utf-8", "replace"), opened.number, _stamp(), _stamp()),
                )
            db.run(
                'INSERT OR REPLACE INTO outbox(path, expected, text, "transaction") VALUES (?, ?, ?, ?)',
                (path, current, base, opened.number),
            )
            journal.finish(db, opened, ["documents"], 0, 0.0)
    db.run("UPDATE holds SET state = 'rejected', settled_at = ? WHERE id = ?", (_stamp(), number))


def _was(engine: Engine, path: str) -> list[str]:
    """Where the document at ``path`` stands in the database: there, or where it was before it was moved by hand.

    Of documents of its kind whose files are gone that is the one with its text; all of them, where none has it.
    """
    rows = engine.state.rows
    if path in rows:
        return [path]
    kind = kind_of(path)
    gone = [p for p, row in rows.items() if row.kind == kind and read_now(engine.bank, p) is None]
    content = read_now(engine.bank, path)
    same = [p for p in gone if content is not None and rows[p].hash == content.digest]
    return same or gone


def _put_rows_back(engine: Engine, path: str) -> None:
    """Insert again the rows of the document's records that another client deleted. Their keys are the old ones."""
    db = engine.db
    bases = [engine.state.base(there) for there in _was(engine, path)]
    shown = {(r.table.value, k) for keyed in bases if keyed for _, r, k in keyed.readings()}
    nets = journal.coalesce(journal.pending(db))
    owners = {key for table, key in shown if table == Table.TASKS.value}
    order = {table.value: number for number, table in enumerate(Table)}
    with db.atomic():
        for (table, key), net in sorted(nets.items(), key=lambda item: order.get(item[0][0], 99)):
            if net.operation is not Action.DELETE or net.before is None:
                continue
            if (table, key) in shown and table in TABLE_NAMES:
                store.insert_record(db, table, net.before)
            elif table == "task_dependencies" and key.split(">")[0] in owners:
                db.run("INSERT INTO task_dependencies(task_id, depends_on) VALUES (?, ?)", key.split(">"))


def _resolve(engine: Engine, number: int, take: Side) -> None:
    """Settle a conflict. Taking the side that does not stand changes the row; the files follow in the next converge."""
    db = engine.db
    row = db.rows(
        'SELECT "table", key, field, file, db, kept, document, gone, resolved_at FROM conflicts WHERE id = ?', (number,)
    )[0]
    table, key, field, file, other, kept, document, gone, resolved = row
    if resolved is not None:
        return  # together with another field of its record
    with db.atomic():
        if take.value != kept and table == "documents":
            saved.take(engine, number)
        elif take.value != kept and gone:
            store.delete_record(db, table, key)
            _close_conflicts_of(db, table, key, take)
        elif take.value != kept:
            value = file if take is Side.FILE else other
            if table in TABLE_NAMES:
                _take(engine, Table(table), key, field, value)
            else:
                _take_lines(engine, number, document, file if kept == "file" else other, value)
        db.run(
            "UPDATE conflicts SET resolved_at = ?, resolution = ?, settled_in = 0 WHERE id = ?",
            (_stamp(), take.value, number),
        )


def _close_conflicts_of(db: Database, table: str, key: str, take: Side) -> None:
    """The deletion was taken: with it goes what the conflict's other fields are about."""
    db.run(
        """UPDATE conflicts SET resolved_at = ?, resolution = ?, settled_in = 0
        WHERE "table" = ? AND key = ? AND gone AND resolved_at IS NULL""",
        (_stamp(), take.value, table, key),
    )


def _take(engine: Engine, table: Table, key: str, field: str, value: str | None) -> None:
    """Give the row the other value, as a client of the database would."""
    taken: Value = tuple(json.loads(value)) if field == "dependencies" and value else value
    if store.fetch(engine.db, table.value, key) is None:
        raise UsageError(f"{table.value} {key} is no longer there", hint="`syncd log` shows when it went")
    store.update_record(engine.db, table.value, key, {field: taken})


def _take_lines(engine: Engine, number: int, document: str, standing: str | None, value: str | None) -> None:
    """Put the lines that lost in the place of those that stand, in the one section that holds them."""
    rows = engine.db.rows(
        "SELECT s.id, s.text FROM sections AS s JOIN documents AS d ON d.id = s.document_id WHERE d.path = ?",
        (document,),
    )
    holding = [(section, text) for section, text in rows if standing and text.count(standing) == 1]
    if len(holding) != 1 or not standing:
        raise UsageError(
            f"the lines of conflict {number} have changed since",
            document,
            "edit the document by hand; `syncd conflicts --json` shows both texts",
        )
    section, text = holding[0]
    engine.db.run("UPDATE sections SET text = ? WHERE id = ?", (text.replace(standing, value or ""), section))
