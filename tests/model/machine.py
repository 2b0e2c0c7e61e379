"""The model: steps from seeds, on one bank, with every guarantee looked at after each converge.

A run is a number that gives the bank and a list of numbers that give the steps, one each; a step depends on its own
number and on what it meets. So a run that fails can be made shorter by leaving steps out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from schema.errors import SyncdError
from syncd import settle
from syncd.config import Config
from syncd.model import Mode, Report
from syncd.writing import InvalidOperation
from tests.model import oracle, sides
from tests.model.oracle import Broken
from tests.model.world import Crash, Interruption, World
from tests.remembered import remembered

CONFIG = Config(settle_seconds=0.0)


@dataclass
class Outcome:
    """``trace`` has a line for each step: what was done and what came of it. ``broken`` is what did not hold."""

    trace: list[str] = field(default_factory=list)
    broken: str | None = None
    error: BaseException | None = None


class Machine:
    """Drives one world."""

    def __init__(self, bank: int) -> None:
        chance = random.Random(bank)
        self.world = World(chance, CONFIG)
        self.known: set[str] = set()
        self.rejected = False

    # -- steps ---------------------------------------------------------------------------------------------------

    def step(self, number: int) -> str:
        """One step; what was done, in words."""
        chance = random.Random(number)
        name, act = chance.choices([(a.__name__, a) for a, _ in _STEPS], [n for _, n in _STEPS])[0]
        self.world.pass_time(chance.choice((0.0, 0.1, 1.5, 70.0)))
        return f"{name.strip('_')}: {act(self, chance)}"

    def _files(self, chance: random.Random) -> str:
        told = sides.change_files(self.world, chance)
        if told.startswith(("stale", "switch", "move", "lines", "spoil")):
            self.world.stale |= set(self.world.tree) | set(self.world.engine.state.rows)
        return told

    def _rows(self, chance: random.Random) -> str:
        return sides.change_database(self.world, chance)

    def _converge(self, chance: random.Random) -> str:
        return self._look(follow=chance.random() < 0.2)

    def _converge_part(self, chance: random.Random) -> str:
        """Events were lost, or came in another order: only some documents are looked at."""
        paths = sorted(self.world.tree.keys() | self.world.engine.state.rows.keys())
        part = set(chance.sample(paths, min(len(paths), chance.randint(0, 3))))
        before = oracle.look(self.world, self.known)
        report = self.world.engine.converge(part)
        self._note(report)
        oracle.check_step(self.world, before, report, follow=False, disturbed=False)
        return f"{sorted(part)} {_said(report)}"

    def _dry_run(self, chance: random.Random) -> str:
        before, version = self.world.tree, self.world.engine.db.value("SELECT total_changes()")
        report = self.world.engine.converge(dry_run=True)
        oracle.require(self.world.tree == before, "a dry run wrote")
        oracle.require(self.world.engine.db.value("SELECT total_changes()") == version, "a dry run changed rows")
        return f"{len(report.diffs)} diffs"

    def _crash(self, chance: random.Random) -> str:
        """The process dies in the midst of a converge; a new one goes on."""
        before = oracle.look(self.world, self.known)
        stop = Interruption(int(chance.expovariate(1 / 60)), None)
        try:
            with stop.installed():
                report = self.world.engine.converge(follow=chance.random() < 0.2)
        except Crash:
            self.world.close()
            self.world.open()
            self._check_old_or_new(before.tree)
            told = "killed"
            self.world.told |= {f"{table} {key}" for table, key in before.nets}
        else:
            self._note(report)
            told = "survived"
        return f"{told}; {self._look(follow=False, before=before)}"

    def _check_old_or_new(self, before: dict[str, bytes]) -> None:
        """Each file holds what it held, or a text that the database has for it."""
        for path, data in self.world.tree.items():
            if before.get(path) != data:
                known = self.world.client.value(
                    "SELECT EXISTS (SELECT 1 FROM versions WHERE path = ? AND hash_after = ? AND emitted)",
                    (path, oracle.digest(data)),
                )
                oracle.require(known, f"{path} is neither old nor correct new after a crash")

    def _meanwhile(self, chance: random.Random) -> str:
        """Something is saved or a row is written in the midst of a converge."""
        told: list[str] = []
        overwritten: set[str] = set()

        def act() -> None:
            self.world.client.run("PRAGMA busy_timeout = 0")
            change = chance.choice((sides.change_files, sides.edit_file, sides.change_rows))
            had = oracle.words_in(self.world.dump("sections", "conflicts"))
            told.append(change(self.world, chance))
            overwritten.update(had - oracle.words_in(self.world.dump("sections", "conflicts")))
            self.world.client.run("PRAGMA busy_timeout = 5000")

        before = oracle.look(self.world, self.known)
        during = Interruption(int(chance.expovariate(1 / 50)) + 1, act)
        with during.installed():
            report = self.world.engine.converge(follow=chance.random() < 0.2)
        self._note(report)
        if during.happened:
            self.world.stale |= set(self.world.tree) | set(self.world.engine.state.rows)
        self.world.pass_time(2.0)
        if not during.happened:
            oracle.check_rest(self.world, before, report)
            return f"nothing; {_said(report)}"
        before.tree = {}
        before.fresh -= overwritten
        if not told[0].startswith(_ADDS):
            before = oracle.look(self.world, self.known)
        return f"{told}; {_said(report)}; {self._look(follow=False, before=before)}"

    def _recorded(self, chance: random.Random) -> str:
        """Rows are planned before they are committed, as `mb` does it."""
        engine = self.world.engine
        self._note(engine.converge())
        made = self.world.client
        told = ""
        self.world.client = engine.db
        try:
            with engine.db.atomic():
                told = "; ".join(sides.change_rows(self.world, chance) for _ in range(chance.randint(1, 3)))
                refused, finish = engine.commit_rows()
                if refused and engine.mode is not Mode.OBSERVE:
                    raise InvalidOperation(refused[0])
            report = finish()
        except InvalidOperation as error:
            told += f" refused: {error}"
        else:
            self._note(report)
        finally:
            self.world.client = made
        return f"{told}; {self._look(follow=False)}"

    def _reopen(self, chance: random.Random) -> str:
        self.world.close()
        self.world.open()
        return ""

    def _answer(self, chance: random.Random) -> str:
        """A person says yes or no to something that waits."""
        kind = chance.choice(("accept", "reject", "resolve"))
        table = "conflicts WHERE resolved_at IS NULL" if kind == "resolve" else "holds WHERE state = 'open'"
        found = [n for (n,) in self.world.client.rows(f"SELECT id FROM {table} ORDER BY id")]
        if not found:
            return "nothing waits"
        chosen = chance.sample(found, min(len(found), chance.randint(1, 2)))
        take = chance.choice(("file", "db"))
        try:
            settle.act(self.world.engine, kind, {"ids": chosen, "take": take})
        except SyncdError as error:
            return f"{kind} {chosen}: {error}"
        self.rejected |= kind == "reject"
        if kind == "resolve":
            return f"{kind} {chosen} {take}"
        return f"{kind} {chosen}; {self._look(follow=False)}"

    def _mode(self, chance: random.Random) -> str:
        mode = chance.choice(("observe", "coexist", "coexist"))
        settle.act(self.world.engine, "mode", {"mode": mode})
        return mode

    def _back_up(self, chance: random.Random) -> str:
        self.world.back_up()
        return str(len(self.world.backups))

    def _restore(self, chance: random.Random) -> str:
        """An earlier database is put in its place, or it is deleted."""
        backup = chance.choice([None, *self.world.backups[-3:]])
        self.world.restore(backup)
        self.known |= oracle.words_in(oracle.shown_text(self.world.tree)) | oracle.words_in(self.world.dump())
        self.world.stale |= set(self.world.tree) | set(self.world.engine.state.rows)
        self.world.told = {record for record in self.world.told if record.startswith("session_cache ")}
        self.world.restored = True
        return backup.name if backup else "none"

    # -- a whole converge ----------------------------------------------------------------------------------------

    def _look(self, *, follow: bool, before: oracle.Before | None = None) -> str:
        """Converge all, look at everything, converge again: nothing may be left to do."""
        world = self.world
        disturbed = before is not None
        before = before or oracle.look(world, self.known)
        report = world.engine.converge(follow=follow)
        self._note(report)
        oracle.check_step(world, before, report, follow=follow, disturbed=disturbed or world.restored)
        oracle.check_rest(world, before, report)
        said = _said(report)
        tree, changes = world.tree, world.engine.db.value("SELECT total_changes()")
        again = world.engine.converge()
        oracle.require(
            (again.transaction, again.absorbed, again.emitted) == (None, (), ()),
            f"a second converge did something: {_said(again)}",
        )
        oracle.require(world.tree == tree, "a second converge wrote")
        oracle.require(world.engine.db.value("SELECT total_changes()") == changes, "a second converge changed rows")
        self.known |= oracle.words_in(oracle.shown_text(tree)) | oracle.words_in(world.dump())
        world.stale.clear()
        world.restored = False
        return said

    def _note(self, report: Report) -> None:
        if not self.world.engine.db.value('SELECT EXISTS (SELECT 1 FROM row_changes WHERE "transaction" IS NULL)'):
            self.known |= oracle.words_in(self.world.dump())
        for problem in (*report.problems, *report.refused):
            record = " ".join(problem.split(" ")[:2]).rstrip(":")
            self.world.told.add(record)
            if "cannot be taken out of" in problem:
                self.world.untaken.add(record)


_ADDS = ("_append", "update", "UPDATE", "INSERT INTO")
_STEPS: tuple[tuple[Callable[[Machine, random.Random], str], int], ...] = (
    (Machine._files, 60), (Machine._rows, 60), (Machine._converge, 45), (Machine._converge_part, 10),
    (Machine._dry_run, 2), (Machine._crash, 12), (Machine._meanwhile, 12), (Machine._recorded, 6),
    (Machine._reopen, 2), (Machine._answer, 12), (Machine._mode, 1), (Machine._back_up, 1), (Machine._restore, 1),
)  # fmt: skip


def _said(report: Report) -> str:
    return (
        f"{report.state.value} #{report.number} absorbed {list(report.absorbed)} emitted {list(report.emitted)} "
        f"{len(report.conflicts)} conflicts {[h['path'] for h in report.holds]} held {list(report.problems)}"
    )


def run(bank: int, steps: Sequence[int]) -> Outcome:
    """Drive one bank through its steps; what was done, and what did not hold."""
    with remembered():  # the oracle parses all documents after each step
        return _run(bank, steps)


def _run(bank: int, steps: Sequence[int]) -> Outcome:
    outcome = Outcome()
    machine = Machine(bank)
    try:
        machine.known |= oracle.words_in(oracle.shown_text(machine.world.tree))
        outcome.trace.append(machine._look(follow=False))
        for number in steps:
            outcome.trace.append("…")
            outcome.trace[-1] = machine.step(number)
        outcome.trace.append(machine._look(follow=True))
        oracle.check_end(machine.world, machine.world.engine.converge().pending)
    except Broken as broken:
        outcome.broken, outcome.error = str(broken), broken
    except (Exception, Crash) as error:
        outcome.broken, outcome.error = f"{type(error).__name__}: {error}", error
    finally:
        machine.world.remove()
    return outcome


def steps_of(seed: int, length: int) -> list[int]:
    """The steps of a run that one number names."""
    chance = random.Random(f"steps {seed}")
    return [chance.getrandbits(32) for _ in range(length)]


def shorten(bank: int, steps: list[int], tries: int = 400) -> list[int]:
    """Leave out steps while the same kind of thing breaks."""
    kind = _kind(run(bank, steps))
    size = max(1, len(steps) // 2)
    while tries > 0:
        at = 0
        while at < len(steps) and tries > 0:
            fewer = steps[:at] + steps[at + size :]
            tries -= 1
            if _kind(run(bank, fewer)) == kind:
                steps = fewer
            else:
                at += size
        if size == 1:
            break
        size = max(1, size // 2)
    return steps


def _kind(outcome: Outcome) -> str | None:
    """What broke, without the names in it."""
    if outcome.broken is None:
        return None
    import re

    return re.sub(r"[\w/.-]*\.md|w\d+q|'[^']*'|\"[^\"]*\"|\d+|\[.*|\(.*", "", outcome.broken)[:60]
