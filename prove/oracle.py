"""What must hold of a bank whose process was struck, at once and after a new process ran on it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prove.scenarios import Scenario, make_ready, open_engine
from schema import history
from schema.db import Database, open_database
from schema.errors import SyncdError
from syncd.disk.files import digest
from syncd.disk.names import is_own
from syncd.engine import Engine

_MOMENT = re.compile(r"\b20\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?Z?|\b\d\d:\d\d:\d\d\b|\d{6,}")
_ROWS = (
    "SELECT id, title, status, priority, started, completed FROM tasks ORDER BY id",
    "SELECT task_id, depends_on FROM task_dependencies ORDER BY 1, 2",
    "SELECT task_id, text, status FROM task_subtasks ORDER BY task_id, position, text",
    "SELECT date, time, task_id, task_description FROM edit_entries ORDER BY 1, 2, 3, 4",
    "SELECT action, file_path, description FROM file_modifications ORDER BY 1, 2, 3",
    "SELECT session_date, session_period, focus_task, status FROM sessions ORDER BY 1, 2, 3",
    "SELECT task_id, error_message, cause, fix_applied FROM error_logs ORDER BY 1, 2",
    "SELECT current_focus_task, active_count, paused_count, completed_count FROM session_cache",
    "SELECT path, kind FROM documents ORDER BY path",
    'SELECT document, "table", field, base, file, db, kept, resolved_at IS NULL FROM conflicts ORDER BY 1, 2, 3, 4, 5',
    "SELECT path, kind FROM holds WHERE state = 'open' ORDER BY path",
    "SELECT path FROM outbox",
    """SELECT DISTINCT "table", key FROM row_changes WHERE "transaction" IS NULL ORDER BY 1, 2""",
    "SELECT value FROM state WHERE name = 'mode'",
)


def masked(text: str) -> str:
    """Without the moments in it: an act that is run twice says another time."""
    return _MOMENT.sub("~", text)


def files(bank: Path) -> dict[str, bytes]:
    """All files of the bank outside its database's folder."""
    found: dict[str, bytes] = {}
    for folder, folders, names in os.walk(bank):
        if ".syncd" in folders:
            folders.remove(".syncd")
        for name in names:
            path = f"{folder}/{name}"
            with open(path, "rb") as file:
                found[path[len(str(bank)) + 1 :]] = file.read()
    return found


@dataclass(frozen=True, slots=True)
class State:
    """Both sides of a bank at rest, without moments and ids."""

    documents: dict[str, str]
    rows: list[str]
    own: frozenset[str]

    def difference(self, other: State) -> str:
        """Where this state differs from another, in a few words."""
        told = [f"{p} differs" for p in sorted({*self.documents, *other.documents})
                if self.documents.get(p) != other.documents.get(p)]  # fmt: skip
        told += [f"rows: {a} / {b}" for a, b in zip(self.rows, other.rows, strict=True) if a != b]
        if self.own != other.own:
            told.append(f".syncd: {sorted(self.own ^ other.own)}")
        return "; ".join(told)[:1500]


def state_of(bank: Path, engine: Engine) -> State:
    """The state of a bank that an engine has open."""
    documents = {masked(path): masked(data.decode(errors="replace")) for path, data in files(bank).items()}
    rows = [masked(repr(engine.db.rows(sql))) for sql in _ROWS]
    return State(documents, rows, _own(bank))


def _own(bank: Path) -> frozenset[str]:
    """What lies in the database's folder, but for what comes and goes with an open database."""
    names = (masked(str(p.relative_to(bank))) for p in (bank / ".syncd").rglob("*"))
    return frozenset(n for n in names if not n.endswith(("-wal", "-shm", "/lock", "/held")) and "/backups" not in n)


@dataclass(slots=True)
class Recovered:
    """What a new process made of a bank, and what is wrong with it."""

    state: State
    problems: list[str] = field(default_factory=list)


def recover(
    bank: Path, follow: bool = False, lost: Callable[[dict[str, bytes], Database], list[str]] | None = None
) -> Recovered:
    """Converge as a new process would, twice; the second time nothing may be left to do. ``lost`` is asked at the end.

    With ``follow`` places that are behind an edit are brought along, so that it does not matter when it was absorbed.
    """
    engine = open_engine(bank)
    engine.held._hold = 0.0  # what is displaced is looked at by the next converge, not in a second
    try:
        engine.converge()
        if follow:
            engine.converge(follow=True)
        before = files(bank)
        again = engine.converge()
        engine.converge()
        made = Recovered(state_of(bank, engine))
        if again.transaction is not None or files(bank) != before:
            made.problems.append(f"a second converge still does something: {again.absorbed} {again.emitted}")
        made.problems += _problems(bank, engine.db)
        if lost is not None:
            made.problems += lost(files(bank), engine.db)
        return made
    finally:
        engine.close()


def _problems(bank: Path, db: Database) -> list[str]:
    told = []
    if (damage := db.value("PRAGMA integrity_check")) != "ok":
        told.append(f"damaged: {damage}")
    if dangling := db.rows("PRAGMA foreign_key_check"):
        told.append(f"rows without their owner: {dangling[:3]}")
    waiting = {path for (path,) in db.rows("SELECT path FROM holds WHERE state = 'open'")}
    edited = db.value('SELECT count(*) FROM row_changes WHERE "transaction" IS NULL') > 0
    for path, data in files(bank).items():
        if is_own(path.rsplit("/")[-1]):
            told.append(f"left behind: {path}")
        elif path.endswith(".md") and path not in waiting and not edited and history.current_text(db, path) != data:
            told.append(f"the sides differ: {path}")
    if left := [p.name for p in (bank / ".syncd" / "held").glob("*")]:
        told.append(f"left behind in .syncd/held: {left}")
    return told


class Oracle:
    """One scenario: the bank ready for its act, and the states that may come of it (``follow``: see `recover`)."""

    def __init__(self, scenario: Scenario, folder: Path, follow: bool = False) -> None:
        self.scenario = scenario
        self.follow = follow
        self.folder = folder
        folder.mkdir()
        self.ready = make_ready(scenario, folder)
        self._had = files(self.ready)
        self._texts: dict[str, set[str]] = {path: {digest(data)} for path, data in self._had.items()}
        self._old = {masked(path) for path in self._had}
        self._values = _values(self.ready) if not scenario.fresh else []
        self.states: list[State] = []
        for act in (False, True):
            bank = self.copy(f"whole-{act}")
            if act:
                scenario.act(bank)
            made = recover(bank, follow, self._lost)
            if made.problems:
                raise AssertionError(f"{scenario.name}, not struck at all: {made.problems}")
            self.states.append(made.state)
            self._learn(bank)
            shutil.rmtree(bank)
        self._stays = set(self.states[0].documents) & set(self.states[1].documents) & self._old

    def copy(self, name: str) -> Path:
        """The bank made ready, once more, at a place of its own."""
        return Path(shutil.copytree(self.ready, self.folder / name / "memory-bank"))

    def _learn(self, bank: Path) -> None:
        engine = open_engine(bank)
        for path, text in engine.db.rows("SELECT path, hash_after FROM versions WHERE hash_after IS NOT NULL"):
            self._texts.setdefault(masked(path), set()).add(text)
        for (path,) in engine.db.rows("SELECT DISTINCT path FROM versions"):
            between = (text for _, text in history.texts(engine.db, path) if text is not None)
            self._texts.setdefault(masked(path), set()).update(masked(t.decode(errors="replace")) for t in between)
        for path, data in files(bank).items():
            self._texts.setdefault(masked(path), set()).add(digest(data))
            self._texts[masked(path)].add(masked(data.decode(errors="replace")))
        engine.close()

    def at_once(self, bank: Path) -> list[str]:
        """What is wrong with the files when the process is gone: each must be old or correct new."""
        told, there = [], files(bank)
        for path, data in there.items():
            if is_own(path.rsplit("/")[-1]):
                continue
            known = self._texts.get(masked(path), set())
            if digest(data) in known or masked(data.decode(errors="replace")) in known:
                continue
            if not self._written(bank, path, data):  # as where one side could not be read: the other's goes first
                told.append(f"neither old nor new: {path}")
        names = {masked(path) for path in there}
        told += [f"missing: {path}" for path in self._stays - names]
        return told

    def _written(self, bank: Path, path: str, data: bytes) -> bool:
        """Whether the database wrote this text; a copy of it is asked, so that this one is found as it was left."""
        asked = self.folder / f"asked-{bank.parent.name}"
        shutil.copytree(bank / ".syncd", asked / ".syncd", ignore=shutil.ignore_patterns("*-shm", "lock"))
        try:
            with closing(open_database(asked / ".syncd" / "memory_bank.db", create=False)) as db:
                sql = "SELECT count(*) FROM versions WHERE path = ? AND hash_after = ? AND emitted"
                return bool(db.value(sql, (path, digest(data))))
        except SyncdError:
            return False
        finally:
            shutil.rmtree(asked)

    def afterwards(self, bank: Path) -> list[str]:
        """What is wrong when a new process has run."""
        made = recover(bank, self.follow, self._lost)
        told = made.problems
        if made.state not in self.states:
            differences = [made.state.difference(state) for state in self.states]
            told.append("another state than with or without the act: " + min(differences, key=len))
        return told

    def _lost(self, there: dict[str, bytes], db: Database) -> list[str]:
        """Texts and values that a side had and that can be found nowhere now."""
        known = {text for (text,) in db.rows("SELECT hash_after FROM versions")}
        known |= {digest((text or "").encode()) for (text,) in db.rows("SELECT file FROM conflicts")}
        known |= {digest(data) for data in there.values()}
        told = [f"lost: the text of {path}" for path, data in self._had.items() if data and digest(data) not in known]
        return told + [f"lost: {value}" for value in self._values if not _found(db, *value)]


def _values(bank: Path) -> list[tuple[str, str, str, Any]]:
    """Table, key, column and value of the rows that were changed and that no transaction has yet."""
    engine = open_engine(bank)
    try:
        changes = engine.db.rows(
            """SELECT "table", key, after FROM row_changes WHERE "transaction" IS NULL AND after IS NOT NULL
            AND "table" IN ('tasks', 'edit_entries', 'sessions', 'error_logs', 'task_subtasks')"""
        )
        return [(table, key, column, value) for table, key, after in changes
                for column, value in json.loads(after).items() if value not in (None, "")]  # fmt: skip
    finally:
        engine.close()


def _found(db: Database, table: str, key: str, column: str, value: Any) -> bool:
    """Whether a value stands in its row, in the journal of that row, or in a conflict."""
    if db.value(f"SELECT count(*) FROM {table} WHERE id = ? AND {column} IS ?", (key, value)):
        return True
    journal = db.rows('SELECT before, after FROM row_changes WHERE "table" = ? AND key = ?', (table, key))
    texts = [json.loads(text) for pair in journal for text in pair if text]
    if any(text.get(column) == value for text in texts):
        return True
    return bool(db.value("SELECT count(*) FROM conflicts WHERE key = ? AND field = ? AND ? IN (base, file, db)",
                         (key, column, value)))  # fmt: skip
