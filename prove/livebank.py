"""A bank that is worked on from both sides at random, with all that it ever was.

The operations of the campaign on history, what is remembered after each, and what must be so.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from prove import changes
from schema import announced, history, journal, store
from schema.checks import InvalidOperation
from schema.columns import RECORD_COLUMNS
from schema.db import Database
from schema.errors import SyncdError, UnknownTransaction
from syncd import requests
from syncd.config import Config
from syncd.disk import files
from syncd.engine import Engine
from syncd.errors import InTheWay, UsageError
from syncd.history.blame import blame
from syncd.history.bringback import restore_file, restore_record
from syncd.history.past import back, stored_row
from syncd.history.prune import prune
from syncd.history.undo import undo
from syncd.model import Mode

Texts = dict[str, bytes]
Rows = dict[tuple[str, str], dict[str, object]]


@dataclass(slots=True)
class Past:
    """What files and rows were after each transaction."""

    texts: dict[int, Texts] = field(default_factory=dict)
    rows: dict[int, Rows] = field(default_factory=dict)
    keys: set[tuple[str, str]] = field(default_factory=set)


class Bank:
    """One bank, its engine, and what is known of its past."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.chance = chance
        # Two records that go at once are held, so that holds come up.
        settings = Config(settle_seconds=0.0, hold_records=2, hold_share=0.05, cutover_days=0, cutover_edits=0)
        self.engine = Engine.open(folder, create=True, config=settings)
        self.past = Past()
        self.failures: list[str] = []
        self.did: Counter[str] = Counter()
        self.converge()

    @property
    def db(self) -> Database:
        """The engine's database."""
        return self.engine.db

    def last(self) -> int:
        """The number of the newest transaction."""
        found = journal.latest(self.db)
        return found.number if found else 0

    def converge(self) -> None:
        """Converge, and remember what is there."""
        self.engine.converge(follow=self.chance.random() < 0.3)
        self.remember()

    def remember(self) -> None:
        """Note files and rows as they are after the last transaction."""
        texts = {path: (self.folder / path).read_bytes() for path in self.paths()}
        rows = self.db.rows("SELECT path FROM holds WHERE state = 'open'")
        # One whose row was deleted is held as it is; it counts as what was agreed on unless it was edited, too.
        known = self.engine.state.rows
        agreed = {path for path, text in texts.items() if path in known and known[path].hash == files.digest(text)}
        held = {str(path) for (path,) in rows} - agreed
        newest = self.past.texts[max(self.past.texts)] if self.past.texts else {}
        written = {str(path) for (path,) in self.db.rows("SELECT path FROM outbox")}
        for path in held if newest else ():  # neither side was written: what was agreed on is what it was
            texts.pop(path, None)
            if path in written:  # recorded work goes on: its text waits for the answer
                texts[path] = self.engine.state.data(path) or b""
            elif path in newest:
                texts[path] = newest[path]
        self.past.texts[self.last()] = texts
        if not journal.has_pending(self.db):
            self.past.rows[self.last()] = _rows(self.db)
            self.past.keys |= self.past.rows[self.last()].keys()

    # -- what is done ----------------------------------------------------------------------------------------------

    def edit(self) -> None:
        """Lines of documents are changed by hand."""
        self._by_hand(lambda: changes.edit(self.folder, self.chance))

    def put(self) -> None:
        """A whole document comes, goes, or is another."""
        self._by_hand(lambda: changes.put(self.folder, self.chance, list(self.past.texts.values())))

    def _by_hand(self, act: Callable[[], None]) -> None:
        first = self.engine.chosen_mode is Mode.DATABASE_FIRST
        if first:
            self.converge()  # what waits for other places is no part of what is put back
        before = {path: (self.folder / path).read_bytes() for path in self.paths()} if first else {}
        stays = set(before) - self._held() - {p for p, row in self.engine.state.rows.items() if row.kind == "opaque"}
        act()
        saved = {p: (self.folder / p).read_bytes() if (self.folder / p).exists() else None for p in before}
        waits = self.db.value("SELECT count(*) FROM follows")
        self.converge()
        if first and not waits:
            self._put_back(before, saved, stays - self._held())

    def _put_back(self, before: Texts, saved: Mapping[str, bytes | None], stays: set[str]) -> None:
        """Files are output: each is to the byte what it was, and what somebody saved is in its history."""
        for path in (path for path in stays if saved[path] != before[path]):
            self.did["put back"] += 1
            file = self.folder / path
            if not file.exists() or file.read_bytes() != before[path]:
                self.failures.append(f"{path} was not put back")
            kept = [text for _, text in islice(history.texts(self.db, path), 6)]
            if saved[path] not in kept:
                self.failures.append(f"{path}: what was saved is not in its history")

    def _held(self) -> set[str]:
        return {str(path) for (path,) in self.db.rows("SELECT path FROM holds WHERE state = 'open'")}

    def paths(self) -> list[str]:
        """The documents that have a file."""
        return changes.paths(self.folder)

    def row(self) -> None:
        """Another client changes rows."""
        changes.write_row(self.db, self.chance)
        self.converge()

    def both(self) -> None:
        """One field is changed on both sides before they meet."""
        changes.differ(self.folder, self.db, self.chance)
        changes.write_row(self.db, self.chance)
        self.converge()

    def work(self) -> None:
        """Work is recorded as `mb` does it, and often taken back at once."""
        self.converge()
        try:
            with self.db.atomic():
                behind = announced.newest(self.db)
                changes.log_work(self.db, self.chance)
                announced.announce(self.db, behind, "mb", "log-work")
                refused, finish = self.engine.commit_rows()
                if refused:
                    raise InvalidOperation(refused[0])
        except InvalidOperation:
            return
        finish()
        self.remember()
        self.did["work recorded"] += 1
        if self.chance.random() < 0.5:
            self._undo_last()

    def turn(self) -> None:
        """The database is made first, or no longer."""
        if self.engine.chosen_mode is Mode.DATABASE_FIRST:
            requests.answer(self.engine, "rollback", {})
        elif not requests.answer(self.engine, "cutover", {})["ready"]:
            store.state_set(self.db, "mode", Mode.DATABASE_FIRST.value)  # what is open or drifts is no hindrance here
        self.did["turned"] += 1
        self.remember()

    def prune(self) -> None:
        """What came before some transaction is let go. It cannot be undone any more, and that is told."""
        first, last = self.first(), self.last()
        if last - first < 20:
            return
        number = self.chance.randrange(first + 1, last - 5)
        later = datetime.now(UTC) + timedelta(hours=2)
        told = prune(self.engine, journal.transaction(self.db, number + 1).timestamp, now=later)
        if told["transaction"] != number:
            self.failures.append(f"prune of what is before {number + 1} made {told['transaction']} the first")
            return
        self.did["pruned"] += 1
        for known in (self.past.texts, self.past.rows):
            for old in [n for n in known if n < number]:
                del known[old]
        for old in (first, number - 1):
            if old < number:
                self._refused(old, UnknownTransaction, "was folded")
        self._refused(number, UsageError, "first state")
        self.check()

    def _refused(self, number: int, error: type[SyncdError], told: str) -> None:
        before = self.last()
        try:
            undo(self.engine, [str(number)])
        except error as refusal:
            if told in str(refusal) and self.last() == before:
                return
        self.failures.append(f"undo of {number} after a prune was not refused with a line")

    def first(self) -> int:
        """The number of the first transaction that is kept."""
        return journal.begins(self.db) or 1

    def settle(self) -> None:
        """What waits for a person gets an answer."""
        for table, is_open in (("holds", "state = 'open'"), ("conflicts", "resolved_at IS NULL")):
            for (number,) in self.db.rows(f"SELECT id FROM {table} WHERE {is_open}"):
                word = self.chance.choice(("accept", "reject")) if table == "holds" else "resolve"
                arguments = {"ids": [number], "take": self.chance.choice(("file", "db"))}
                try:
                    requests.answer(self.engine, word, arguments)
                except SyncdError:
                    continue  # it was settled with another, or its lines have moved on
                self.remember()

    def undo(self) -> None:
        """One or two transactions are taken back: the last, or any."""
        if self.last() - self.first() < 2:
            return
        if self.chance.random() < 0.4:
            self._undo_last()
        else:
            self._undo_any()

    def _undo_last(self) -> None:
        self.converge()
        number = self.last()
        try:
            report = undo(self.engine, [str(number)])
        except InTheWay:
            return self._unchanged(f"undo of {number}")
        except UsageError:
            return self._is_a_turn([number])
        self.remember()
        before = max((n for n in self.past.texts if n < number), default=0)
        if report.number is None or report.number != self.last() or before != number - 1:
            return None
        if report.number != number + 1:
            self.failures.append(f"undo of {number} found something to do though all was converged")
        self.did["last undone"] += 1
        self._same(f"undo of {number}", before, report.number)
        try:
            again = undo(self.engine, [str(report.number)])
        except InTheWay as error:
            self.failures.append(f"undo of {report.number}, the undo of {number}: {error}")
            return None
        self.remember()
        if again.number is not None and again.number == self.last():
            if again.number != report.number + 1:
                self.failures.append(f"undo of {report.number} found something to do though all was converged")
            self._same(f"undo of {report.number}, the undo of {number}", number, again.number)
        return None

    def _same(self, what: str, then: int, now: int) -> None:
        if self.past.texts[then] != self.past.texts[now]:
            self.failures.append(f"{what}: files are not those after {then}: {self._differing(then, now)}")
        if then in self.past.rows and now in self.past.rows and self.past.rows[then] != self.past.rows[now]:
            old, new = self.past.rows[then], self.past.rows[now]
            names = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))[:3]
            told = [(name, old.get(name), new.get(name)) for name in names]
            self.failures.append(f"{what}: rows are not those after {then}: {told}")

    def _differing(self, then: int, now: int) -> list[str]:
        old, new = self.past.texts[then], self.past.texts[now]
        return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))

    def _undo_any(self) -> None:
        some = self.chance.sample(range(self.first() + 1, self.last() + 1), k=self.chance.choice((1, 1, 2)))
        self.converge()
        before, number = self.past.texts[self.last()], self.last()
        later = self._later_lines(some)
        try:
            report = undo(self.engine, [str(n) for n in some])
        except InTheWay:
            self.did["in the way"] += 1
            return self._unchanged(f"undo of {some}")
        except UsageError:
            return self._is_a_turn(some)
        self.remember()
        if report.number is None:
            return None
        self.did["undone"] += 1
        after = self.past.texts[self.last()]
        for path in before.keys() | after.keys():
            if path not in report.emitted and before.get(path) != after.get(path):
                self.failures.append(f"undo of {some} after {number} changed {path} unasked")
        for path, lines in later.items():
            lost = lines - Counter(after.get(path, b"").split(b"\n"))
            if lost:
                self.failures.append(f"undo of {some} after {number}: later lines of {path} are gone: {list(lost)[:2]}")
        return None

    def _later_lines(self, some: list[int]) -> dict[str, Counter[bytes]]:
        """Lines of plain prose that came by hand behind the first of these transactions, and not with one of them."""
        found, number = {}, min(some)
        for path, text in self.past.texts[self.last()].items():
            row = self.engine.state.rows.get(path)
            if row is None or row.kind != "prose":
                continue
            owned = [(owner, line) for owner, line in blame(self.db, path, text) if owner not in some]
            came = Counter(line for owner, line in owned if owner > number and line.strip())
            for owner in some:  # what somebody put in once more is what this one brought
                came -= Counter(self.past.texts.get(owner, {}).get(path, b"").split(b"\n"))
            for owner in {owner for owner, _ in owned if owner > number}:
                if journal.transaction(self.db, owner).operation_type in ("undo", "restore", "put back", "reject"):
                    came.clear()  # what was put back is what an earlier one had
            found[path] = came
        return found

    def _is_a_turn(self, some: list[int]) -> None:
        """Only a change of mode is nothing that could be undone."""
        if not any(journal.transaction(self.db, n).operation_type in ("cutover", "rollback") for n in some):
            self.failures.append(f"undo of {some} was refused as if it could not be meant")

    def _unchanged(self, what: str) -> None:
        """Nothing was done: the last state that is remembered still holds."""
        self.engine.converge()
        self.remember()

    def restore(self) -> None:
        """A document, or a record, as it once was."""
        self.converge()
        number = self.chance.choice(sorted(self.past.texts))
        texts = self.past.texts[number]
        if not texts or number == 0:
            return
        try:
            if self.chance.random() < 0.5:
                path = self.chance.choice(sorted(texts))
                restore_file(self.engine, path, str(number))
                self.remember()
                # Its counts and stamps may follow at once; its bytes are those asked for where nothing was written.
                if self.engine.state.rows[path].kind == "prose" and self.past.texts[self.last()][path] != texts[path]:
                    self.failures.append(f"restore of {path} at {number} gave another text")
                self.did["file restored"] += 1
            elif self.past.rows.get(number):
                table, key = self.chance.choice(sorted(self.past.rows[number]))
                restore_record(self.engine, table, key, str(number))
                self.remember()
                self.did["record restored"] += 1
        except InTheWay:
            self.did["not restored"] += 1
            self._unchanged(f"restore at {number}")

    # -- what must be so -------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Every state that is remembered comes back."""
        for number, texts in self.past.texts.items():
            told = history.paths_at(self.db, number) if number else {}
            if number and told != texts:
                paths = sorted(p for p in told.keys() | texts.keys() if told.get(p) != texts.get(p))
                self.failures.append(f"the state after {number} is another: {paths[:3]}")
        for (path,) in self.db.rows("SELECT DISTINCT path FROM versions"):
            if lost := history.lost(self.db, path):
                self.failures.append(f"the history of {path} is damaged: after {lost[:3]}")
        for row in self.past.keys:
            self._check_row(row)

    def _check_row(self, row: tuple[str, str]) -> None:
        """A row as it stood after each transaction: that of now, taken back (as `row_at` does, asking once)."""
        now, changes = stored_row(self.db, row), journal.changes_of_record(self.db, *row)
        for then, rows in self.past.rows.items():
            told = back(now, [c for c in changes if c.transaction is None or c.transaction > then])
            if then and told != rows.get(row):
                self.failures.append(f"{':'.join(row)} after {then} is {told}")
                return

    def close(self) -> None:
        """Close the database."""
        self.engine.close()


def _rows(db: Database) -> Rows:
    found: Rows = {}
    for table in RECORD_COLUMNS:
        for key, values in store.fetch_all(db, table).items():
            found[table, key] = {name: value for name, value in values.items() if name != "dependencies"}
    return found
