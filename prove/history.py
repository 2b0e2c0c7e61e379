"""A bank is worked on from both sides at random, with undo and restore: every state that ever was comes back.

After each operation the files and rows are remembered. At the end each remembered state is exported and compared, byte
by byte and column by column, and what an undo must give is checked when it is made:

- the undo of the last transaction gives the state before it, the undo of that undo the state behind it;
- the undo of an older one leaves documents alone that it did not write, and keeps what came later in those it wrote;
- one that later changes stand in the way of changes nothing.
"""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from prove.frame import ROOT, Budget, Result, scratch
from prove.races import without_sync
from schema import history, journal
from schema.db import Database
from schema.errors import SyncdError
from schema.triggers import RECORD_COLUMNS
from syncd import requests
from syncd.config import Config
from syncd.disk import files
from syncd.engine import Engine
from syncd.errors import InTheWay
from syncd.history.blame import blame
from syncd.history.bringback import restore_file, restore_record
from syncd.history.past import row_at, stored_row
from syncd.history.undo import undo

WHAT = "operations: edits, row changes, conflicts, holds, undos and restores at random; every state comes back"
WHOLE = Budget(10_000, 300)
SHORT = Budget(60, 20)

_BANK = 250
"""Operations on one bank before the next is begun."""

Texts = dict[str, bytes]
Rows = dict[tuple[str, str], dict[str, object]]
_WORDS = ("tide", "Höhe | Breite", "**bold** text", "- [ ] something", "🙂", "T3: see T1", "", "| a | b |")


@dataclass(slots=True)
class _Past:
    """What files and rows were after each transaction."""

    texts: dict[int, Texts] = field(default_factory=dict)
    rows: dict[int, Rows] = field(default_factory=dict)
    keys: set[tuple[str, str]] = field(default_factory=set)


class _Bank:
    """One bank, its engine, and what is known of its past."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.chance = chance
        # Two records that go at once are held, so that holds come up.
        settings = Config(settle_seconds=0.0, hold_records=2, hold_share=0.05)
        self.engine = Engine.open(folder, create=True, config=settings)
        self.past = _Past()
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
        if self.past.texts:
            newest = self.past.texts[max(self.past.texts)]
            for path in held:  # neither side was written: what was agreed on is what it was
                texts.pop(path, None)
                if path in newest:
                    texts[path] = newest[path]
        self.past.texts[self.last()] = texts
        if not journal.has_pending(self.db):
            self.past.rows[self.last()] = _rows(self.db)
            self.past.keys |= self.past.rows[self.last()].keys()

    # -- what is done ----------------------------------------------------------------------------------------------

    def edit(self) -> None:
        """Change lines of one to three documents."""
        for path in self.chance.sample(self.paths(), k=self.chance.choice((1, 1, 2, 3))):
            file = self.folder / path
            lines = file.read_bytes().decode("utf-8", "surrogateescape").split("\n")
            for _ in range(self.chance.choice((1, 1, 2, 4))):
                self._change_line(lines)
            file.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
        self.converge()

    def _change_line(self, lines: list[str]) -> None:
        place = self.chance.randrange(len(lines))
        match self.chance.choice(("new", "new", "copy", "drop", "word", "word", "status")):
            case "new":
                lines.insert(place, self.chance.choice(_WORDS))
            case "copy":
                lines.insert(self.chance.randrange(len(lines)), lines[place])
            case "drop" if len(lines) > 3:
                del lines[place]
            case "word":
                lines[place] += f" {self.chance.randrange(1000)}"
            case _:
                for old, new in (("IN PROGRESS", "PAUSED"), ("LOW", "HIGH"), ("HIGH", "MEDIUM"), ("[ ]", "[x]")):
                    if any(old in line for line in lines):
                        at = self.chance.choice([n for n, line in enumerate(lines) if old in line])
                        lines[at] = lines[at].replace(old, new)
                        return

    def paths(self) -> list[str]:
        """The documents that have a file."""
        found = (str(f.relative_to(self.folder)) for f in self.folder.rglob("*.md"))
        return sorted(path for path in found if not path.startswith(".syncd/"))

    def put(self) -> None:
        """A document comes, goes, moves, is emptied, is no text, or is as it once was."""
        path = self.chance.choice(self.paths())
        file, text = self.folder / path, None
        match self.chance.choice(("come", "go", "move", "empty", "bytes", "old")):
            case "come":
                path = f"notes/{self.chance.randrange(6)}.md"
                text = f"# Note\n\n{self.chance.choice(_WORDS)}\n".encode()
            case "move":
                text, path = file.read_bytes(), f"archive/{file.name}"
                file.unlink()
            case "empty":
                text = b""
            case "bytes":
                path, text = f"notes/{self.chance.randrange(6)}.md", b"\xff\xfe" + bytes([self.chance.randrange(256)])
            case "old":
                known = [texts[path] for texts in self.past.texts.values() if path in texts]
                text = self.chance.choice(known) if known else file.read_bytes()
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.unlink()
        else:
            target.write_bytes(text)
        self.converge()

    def row(self) -> None:
        """Another client changes rows."""
        self._write_rows()
        self.converge()

    def _write_rows(self) -> None:
        tasks = [key for (key,) in self.db.rows("SELECT id FROM tasks ORDER BY id")] or ["T1"]
        task, chance = self.chance.choice(tasks), self.chance
        statement, values = chance.choice((
            ("UPDATE tasks SET status = ? WHERE id = ?", (chance.choice(("paused", "completed", "blocked")), task)),
            ("UPDATE tasks SET title = ? WHERE id = ?", (f"Title {chance.randrange(100)}", task)),
            ("UPDATE tasks SET priority = ? WHERE id = ?", (chance.choice(("LOW", "CRITICAL")), task)),
            ("INSERT OR IGNORE INTO task_dependencies VALUES (?, ?)", (task, chance.choice(tasks))),
            ("DELETE FROM task_dependencies WHERE task_id = ?", (task,)),
            ("UPDATE edit_entries SET task_description = ? WHERE id = (SELECT max(id) FROM edit_entries)",
             (f"words {chance.randrange(100)}",)),
            ("DELETE FROM edit_entries WHERE id = (SELECT max(id) FROM edit_entries)", ()),
            ("DELETE FROM file_modifications WHERE id = (SELECT max(id) FROM file_modifications)", ()),
            ("INSERT INTO edit_entries(date, time, task_id, task_description) VALUES ('2026-03-07', ?, ?, 'A row')",
             (f"10:{chance.randrange(10, 60)}", task)),
            ("INSERT INTO error_logs(timestamp, task_id, error_message) VALUES ('2026-03-07 11:00', ?, 'It broke')",
             (task,)),
            ("UPDATE error_logs SET cause = ? WHERE id = (SELECT min(id) FROM error_logs)",
             (f"a cause {chance.randrange(100)}",)),
            ("UPDATE task_subtasks SET status = 'completed' WHERE id = (SELECT min(id) FROM task_subtasks)", ()),
            ("INSERT OR IGNORE INTO tasks(id, title, status, priority) VALUES (?, 'From a row', 'pending', 'LOW')",
             (f"T{chance.randrange(70, 80)}",)),
            ("DELETE FROM tasks WHERE id = ?", (task,)),
        ))  # fmt: skip
        try:
            self.db.run(statement, values)
        except SyncdError:
            return  # a row that is refused is no change

    def both(self) -> None:
        """One field is changed on both sides before they meet."""
        paths = [p for p in self.paths() if p.startswith("tasks/T")]
        if paths:
            file = self.folder / self.chance.choice(paths)
            text = file.read_bytes()
            for old in (b"LOW", b"MEDIUM", b"HIGH"):
                text = text.replace(b"**Priority**: " + old, b"**Priority**: CRITICAL", 1)
            file.write_bytes(text)
            self.db.run("UPDATE tasks SET priority = 'HIGH' WHERE id = ?", (file.stem,))
        self._write_rows()
        self.converge()

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
        if self.last() < 3:
            return
        if self.chance.random() < 0.4:
            self._undo_last()
        else:
            self._undo_any()

    def _undo_last(self) -> None:
        number = self.last()
        try:
            report = undo(self.engine, [str(number)])
        except InTheWay:
            return self._unchanged(f"undo of {number}")
        self.remember()
        before = max((n for n in self.past.texts if n < number), default=0)
        if report.number is None or report.number != self.last() or before != number - 1:
            return None
        self.did["last undone"] += 1
        self._same(f"undo of {number}", before, report.number)
        try:
            again = undo(self.engine, [str(report.number)])
        except InTheWay as error:
            self.failures.append(f"undo of {report.number}, the undo of {number}: {error}")
            return None
        self.remember()
        if again.number is not None and again.number == self.last():
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
        some = self.chance.sample(range(2, self.last() + 1), k=min(self.last() - 1, self.chance.choice((1, 1, 2))))
        self.converge()
        before, number = self.past.texts[self.last()], self.last()
        later = self._later_lines(some)
        try:
            report = undo(self.engine, [str(n) for n in some])
        except InTheWay:
            self.did["in the way"] += 1
            return self._unchanged(f"undo of {some}")
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
            for owner in {owner for owner, _ in owned if owner > number}:
                if journal.transaction(self.db, owner).operation_type in ("undo", "restore"):
                    came.clear()  # what an undo brought is what an earlier one had
            found[path] = came
        return found

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
        for number, rows in self.past.rows.items():
            for row in self.past.keys:
                if number and row_at(self.db, row, number) != rows.get(row):
                    self.failures.append(f"{':'.join(row)} after {number} is {row_at(self.db, row, number)}")
                    break

    def close(self) -> None:
        """Close the database."""
        self.engine.close()


def _rows(db: Database) -> Rows:
    found: Rows = {}
    for table in RECORD_COLUMNS:
        key = "task_id || '>' || depends_on" if table == "task_dependencies" else "id"
        for (name,) in db.rows(f"SELECT {key} FROM {table}"):
            values = stored_row(db, (table, str(name)))
            assert values is not None
            found[table, str(name)] = dict(values)
    return found


_OPERATIONS: tuple[tuple[Callable[[_Bank], None], int], ...] = (
    (_Bank.edit, 6), (_Bank.put, 2), (_Bank.row, 5), (_Bank.both, 2), (_Bank.settle, 3), (_Bank.undo, 4),
    (_Bank.restore, 2),
)  # fmt: skip


def run(budget: Budget, seed: int) -> Result:
    """Banks one after the other, until the budget is used up."""
    result, end, did = Result(), time.monotonic() + budget.seconds, Counter[str]()
    number = 0
    with without_sync():
        while result.points < budget.points and time.monotonic() < end:
            number += 1
            chance = random.Random(f"{seed}/{number}")
            with scratch("history") as folder:
                shutil.copytree(ROOT / "syncd" / "sample", folder / "bank")
                bank = _Bank(folder / "bank", chance)
                try:
                    _work(bank, chance, result, min(_BANK, budget.points - result.points), end, f"{seed}/{number}")
                finally:
                    did += bank.did
                    bank.close()
    result.notes.append(", ".join(f"{count} {what}" for what, count in sorted(did.items())))
    return result


def _work(bank: _Bank, chance: random.Random, result: Result, most: int, end: float, name: str) -> None:
    operations, weights = zip(*_OPERATIONS, strict=True)
    for turn in range(most):
        if time.monotonic() > end:
            break
        operation = chance.choices(operations, weights)[0]
        result.points += 1
        try:
            operation(bank)
        except Exception as error:
            bank.failures.append(f"{operation.__name__}: {type(error).__name__}: {error}")
        if bank.failures:
            result.failures += [f"bank {name}, operation {turn}: {failure}" for failure in bank.failures]
            return
    bank.check()
    result.failures += [f"bank {name}: {failure}" for failure in bank.failures[:5]]
