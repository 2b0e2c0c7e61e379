"""The move to database-first and back: what has to be true before it, and how it is done.

Each criterion comes with its figure, and with what to do where it is not met.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from schema import history, journal, overview, store
from schema.backups import target
from schema.db import Database, open_database
from schema.errors import SyncdError
from syncd import backups, findings
from syncd.apply import last_change
from syncd.backups import Why
from syncd.bank import database_of
from syncd.config import Config
from syncd.disk.git import git_unfinished
from syncd.engine import Engine
from syncd.errors import UsageError
from syncd.findings import Finding
from syncd.model import Mode
from syncd.publish import read_now


class Criterion(Struct, frozen=True):
    """One thing that has to be true. ``figure`` says how it stands, ``how`` what to do where it is not ``met``."""

    name: str
    met: bool
    figure: str
    how: str | None


def check(bank: Path, db: Database, config: Config, now: datetime) -> list[Criterion]:
    """All criteria but the backup's, which `compared` tells. Reads only."""
    found = findings.find(bank, db)
    return [_pending(bank, db), _round_trip(db, found), _unexplained(db, config, now), *_waiting(db), *_sound(found)]


def _criterion(name: str, met: bool, figure: str, how: str) -> Criterion:
    return Criterion(name, met, figure, None if met else how)


def _of(found: list[Finding], *kinds: str) -> list[Finding]:
    return [finding for finding in found if finding.kind in kinds]


def _pending(bank: Path, db: Database) -> Criterion:
    rows, files = overview.pending_rows(db), len(overview.unwritten(db))
    met = not rows and not files and not overview.named(db, "failure") and git_unfinished(bank) is None
    figure = f"{_count(rows, 'row')} and {_count(files, 'file')} on the way"
    return _criterion("both sides are equal", met, git_unfinished(bank) or figure, "run `syncd sync`")


def _round_trip(db: Database, found: list[Finding]) -> Criterion:
    total, wrong = overview.document_count(db), {f.document for f in _of(found, "round trip", "not read")}
    how = f"`syncd check` says why; the first is {min(map(str, wrong), default='')}"
    return _criterion("every document round-trips", not wrong, f"{total - len(wrong & _paths(db))} of {total}", how)


def _paths(db: Database) -> set[str | None]:
    return set(store.documents(db))


def _unexplained(db: Database, config: Config, now: datetime) -> Criterion:
    """A line that was not understood, a conflict, a hold: the last one has to be some days and edits ago."""
    days, edits = config.cutover_days, config.cutover_edits
    name = f"nothing unexplained for {days:g} days and {_count(edits, 'edit')}"
    told = [
        *db.rows("SELECT created_at, 'a conflict in ' || document FROM conflicts WHERE created_at IS NOT NULL"),
        *db.rows("SELECT created_at, path || ' was held' FROM holds WHERE created_at IS NOT NULL"),
        *((when, f"{path}:{line}: {what}") for path, line, what, when in _not_understood(db)),
    ]
    if not told:
        first = db.value("SELECT min(timestamp) FROM transaction_log") or now.isoformat()
        figure = f"nothing ever, in {_ago(first, now):.1f} days and {_count(_edits(db, ''), 'edit')}"
        return _criterion(name, True, figure, "")
    when, what = max(told)
    past, since = _ago(when, now), _edits(db, when)
    figure = f"{past:.1f} days and {_count(since, 'edit')} since {what}"
    how = "look at it (`syncd check`, `syncd conflicts`), then work on; `cutover_days` and `cutover_edits` are settings"
    return _criterion(name, past >= days and since >= edits, figure, how)


def _not_understood(db: Database) -> list[tuple[str, int | None, str, str]]:
    """Lines that were not understood: document, line, reason, and when the line came."""
    found = []
    for finding in findings.not_understood(db):
        path, line = str(finding.document), finding.line
        lines = (history.current_text(db, path) or b"").splitlines()
        text = lines[line - 1] if line and line <= len(lines) else b""
        came = None
        for version, content in history.texts(db, path):
            if content is None or text not in content:
                break
            came = version.transaction
        when = journal.transaction(db, came).timestamp if came else ""
        found.append((path, line, finding.what, when))
    return found


def _edits(db: Database, since: str) -> int:
    return int(
        db.value("SELECT count(*) FROM transaction_log WHERE origin LIKE '%file%' AND timestamp > ?", (since,))
    )


def _ago(when: str, now: datetime) -> float:
    """Days since ``when``, which is ISO 8601 with a zone."""
    return (now.astimezone(UTC) - datetime.fromisoformat(when)) / timedelta(days=1)


def _waiting(db: Database) -> list[Criterion]:
    conflicts, held = overview.open_conflicts(db), len(overview.held(db))
    return [
        _criterion("no open conflict", not conflicts, str(conflicts), "settle them with `syncd resolve`"),
        _criterion("nothing is held", not held, str(held), "say `syncd accept` or `syncd reject`"),
    ]


def _sound(found: list[Finding]) -> list[Criterion]:
    drift, damage = len(_of(found, "drift", "behind", "unshown")), _of(found, "integrity")
    how = f"{damage[0].what if damage else ''}: restore a backup with `syncd restore FILE`"
    return [
        _criterion("no drift", not drift, f"{_count(drift, 'place')} that say something else", "`syncd check --fix`"),
        _criterion("integrity and foreign keys hold", not damage, _count(len(damage), "problem"), how),
    ]


def compared(bank: Path, db: Database, copy: Path) -> Criterion:
    """Whether the backup at ``copy`` gives every document to the byte and every row."""
    restored = open_database(copy, readonly=True)
    try:
        texts = history.paths_at(restored, None)
        wrong = [path for path, text in texts.items() if (now := read_now(bank, path)) is None or now.data != text]
        tables = [t for (t,) in db.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        rows = 0
        for table in tables:
            query = f'SELECT * FROM "{table}" ORDER BY 1, 2'  # noqa: S608
            kept = restored.rows(query)
            rows += len(kept)
            if kept != db.rows(query):
                wrong.append(table)
    finally:
        restored.close()
    figure = f"{_count(len(texts), 'document')} to the byte and {_count(rows, 'row')} compared"
    if wrong:
        figure = f"{wrong[0]} differs" + (f", and {len(wrong) - 1} more" if len(wrong) > 1 else "")
    return _criterion("a fresh backup, restored, is equal", not wrong, figure, "run `syncd sync`, then again")


def checked(bank: Path, db: Database, config: Config, now: datetime) -> list[Criterion]:
    """All criteria, with a backup that is made for the comparison and removed."""
    copy = target(database_of(bank), "check", now)
    try:
        return [*check(bank, db, config, now), _tried(lambda: _made(db, copy), lambda: compared(bank, db, copy))]
    finally:
        copy.unlink(missing_ok=True)


def _made(db: Database, copy: Path) -> None:
    db.backup_to(copy)


def _tried(make: Callable[[], None], compare: Callable[[], Criterion]) -> Criterion:
    try:
        make()
        return compare()
    except SyncdError as error:
        return _criterion("a fresh backup, restored, is equal", False, error.what, error.hint or "see `syncd check`")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def as_json(criteria: list[Criterion]) -> dict[str, Any]:
    """Criteria as `cutover --json` prints them."""
    return {"ready": all(c.met for c in criteria), "criteria": [asdict(c) for c in criteria]}


def cut_over(engine: Engine, dry_run: bool) -> dict[str, Any]:
    """Make the database first where all criteria are met: a backup, then one commit. The JSON-able answer.

    Raises `UsageError` where it is first already, and `SyncdError` where the backup fails; nothing is changed then.
    """
    if engine.chosen_mode is Mode.DATABASE_FIRST:
        raise UsageError("the database is first already", str(engine.bank), "`syncd rollback` goes back to coexist")
    report = engine.converge()
    criteria = check(engine.bank, engine.db, engine.config, engine.now())
    seen = last_change(engine.db)
    copy = None
    if dry_run or not all(c.met for c in criteria):
        criteria = checked(engine.bank, engine.db, engine.config, engine.now())
    else:
        copy = backups.make(engine.db, engine.bank, Why.CUTOVER, engine.config, engine.now())
        criteria.append(compared(engine.bank, engine.db, copy))
        if criteria[-1].met:
            with engine.db.atomic():
                if last_change(engine.db) != seen:
                    raise SyncdError("rows changed meanwhile", str(engine.bank), "run `syncd cutover` again")
                _set_mode(engine, Mode.DATABASE_FIRST, "cutover")
    told = as_json(criteria)
    state = report.state.value if told["ready"] else "attention"
    return {**told, "state": state, "mode": engine.chosen_mode.value, "backup": str(copy) if copy else None}


def roll_back(engine: Engine) -> None:
    """Back to coexist. Raises `UsageError` where the database is not first."""
    if engine.chosen_mode is not Mode.DATABASE_FIRST:
        raise UsageError("the database is not first", str(engine.bank), f"the mode is {engine.chosen_mode.value}")
    engine.converge()  # what was saved so far is put back and kept, as it was meant when it was saved
    with engine.db.atomic():
        _set_mode(engine, Mode.COEXIST, "rollback")


def _set_mode(engine: Engine, mode: Mode, operation: str) -> None:
    opened = journal.begin_transaction(engine.db, operation, "syncd", engine.now())
    store.state_set(engine.db, "mode", mode.value)
    journal.finish(engine.db, opened, ["state"], 0, 0.0)
