"""What `syncd check` looks for. Reads only."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from parser.document import Document
from schema import history, overview
from schema.db import Database
from schema.records import Role, Table, Value
from syncd import config, drift, unshown
from syncd.disk.look import digest
from syncd.disk.scan import scan
from syncd.disk.walk import walk
from syncd.model import Keyed
from syncd.state import BankState

KINDS = {
    "not read": "documents that were not read",
    "not understood": "lines that stand where a record is expected and were not understood",
    "drift": "places that say something else than the record",
    "behind": "places that have not followed an edit yet (`syncd sync --follow` brings them along)",
    "unshown": "rows that no document shows as they are, and text whose row was deleted",
    "dangling": "dependencies on tasks that are not there",
    "duplicate": "ids that stand for two things",
    "round trip": "documents whose stored sections do not join to what was read",
    "history": "texts that documents once had and that are lost",
    "integrity": "damage of the database",
}
"""Every kind of finding, and what it says in words."""


class Finding(NamedTuple):
    """One thing that a person should look at. ``line`` counts from 1."""

    kind: str
    document: str | None
    line: int | None
    what: str


def find(bank: Path, db: Database) -> list[Finding]:
    """All findings, in the order of `KINDS` and then of the documents."""
    state = BankState(db)
    found = [*_not_read(bank, state), *_not_understood(state), *_drift(db), *_unshown(db, state), *_dangling(db)]
    found += [*_duplicates(state), *_round_trip(db, state), *_lost(db)]
    found += [Finding("integrity", None, None, line) for line in db.integrity()]
    order = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(found, key=lambda f: (order[f.kind], f.document or "", f.line or 0))


def not_understood(db: Database) -> list[Finding]:
    """Only those lines."""
    return list(_not_understood(BankState(db)))


def _documents(state: BankState) -> Iterator[tuple[str, Keyed]]:
    for path in state.rows:
        keyed = state.base(path)
        if keyed is not None:
            yield path, keyed


def _not_read(bank: Path, state: BankState) -> Iterator[Finding]:
    limit = config.load(bank).max_document_mb * 1_000_000
    problems = scan(bank, state.rows, only=None, always=(), limit=limit, now_ns=time.time_ns()).problems
    reasons = {path: row.problem for path, row in state.rows.items() if row.problem}
    for path, reason in {**reasons, **problems, **walk(bank).skipped}.items():
        yield Finding("not read", path, None, reason)


def _not_understood(state: BankState) -> Iterator[Finding]:
    for path, keyed in _documents(state):
        for line, reason in keyed.document.problems():
            yield Finding("not understood", path, line, reason)


def _drift(db: Database) -> Iterator[Finding]:
    for d in drift.find(db):
        what = f"{d.key} {d.field}: {_said(d.shown)} here, {_said(d.row)} in the record"
        yield Finding("behind" if d.behind else "drift", d.document, d.line, what)


def _unshown(db: Database, state: BankState) -> Iterator[Finding]:
    for u in unshown.find(db, state):
        what = f"{u.table} {u.key}: no document shows " + (f"its {u.field} as the row has it" if u.field else "it")
        if u.gone:
            what = f"{u.table} {u.key}".rstrip() + ": its row was deleted, and its text could not be taken out"
        yield Finding("unshown", u.document, None, what)


def _said(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "nothing"
    return value or "nothing"


def _dangling(db: Database) -> Iterator[Finding]:
    for task, need in overview.dangling_dependencies(db):
        yield Finding("dangling", None, None, f"{task} depends on {need}, which the bank does not have")


def _duplicates(state: BankState) -> Iterator[Finding]:
    """An id that two rows of the registry have, or two task files."""
    places: dict[tuple[str, Role], list[tuple[str, int]]] = defaultdict(list)
    for path, keyed in _documents(state):
        seen_here = set()
        for at, reading, key in keyed.readings():
            if reading.table is not Table.TASKS or reading.role not in (Role.REGISTRY, Role.OWN):
                continue
            if reading.role is Role.OWN and (path, key) in seen_here:
                continue  # a second block of fields further down the same file
            seen_here.add((path, key))
            line = drift.line_of(keyed.document, at.section, reading)
            places[key, reading.role].append((path, line))
    for (key, _), where in places.items():
        for path, line in where[1:]:
            yield Finding("duplicate", path, line, f"{key} stands at {where[0][0]}:{where[0][1]} already")


def _round_trip(db: Database, state: BankState) -> Iterator[Finding]:
    for path, row in state.rows.items():
        text = history.current_text(db, path)
        if text is None or digest(text) != row.hash:
            yield Finding("round trip", path, None, "the stored sections do not join to what was read")
        elif row.kind != "opaque" and not _same(state.base(path), text):
            yield Finding("round trip", path, None, "the parsed sections do not join to what was read")


def _lost(db: Database) -> Iterator[Finding]:
    for (path,) in db.rows("SELECT DISTINCT path FROM versions ORDER BY path"):
        if numbers := history.lost(db, path):
            after = f"transaction {numbers[0]}"
            if len(numbers) > 1:
                after = f"{len(numbers)} transactions from {numbers[-1]} to {numbers[0]}"
            what = f"what it held after {after} is lost; all else can be exported (a backup may have it)"
            yield Finding("history", path, None, what)


def _same(keyed: Keyed | None, text: bytes) -> bool:
    document: Document | None = keyed.document if keyed else None
    return document is not None and os.fsencode(document.text) == text
