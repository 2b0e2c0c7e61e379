"""What becomes of one record: tables of cases."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from parser.document import At
from schema.records import FIELDS, Field, Reading, Role, Span, Table, Value
from syncd.model import Clash, Row, Shown, Side, Sides, Verdict
from syncd.plan.reconcile import file_row, merge_sets, reached, reconcile

Values = dict[str, Value]
NOWHERE = Span(0, 0)
PATHS = {
    Role.OWN: "tasks/T1.md", Role.REGISTRY: "tasks.md", Role.DETAILS: "tasks.md", Role.CACHE: "session_cache.md",
    Role.CONTEXT: "activeContext.md", Role.HISTORY: "sessions/2026-03-06-evening.md",
    Role.ARCHIVE: "archive/tasks/T1.md",
    Role.CHUNK: "edits/2026-03-06/1000-T1-x.md",
}  # fmt: skip


def place(role: Role, at: int = 0, table: Table = Table.TASKS, **values: Value) -> Shown:
    """A reading in the usual document of its role."""
    fields = {name: Field(value, NOWHERE) for name, value in values.items()}
    return Shown(PATHS[role], At(at, 0), Reading(table, "T1", role, fields, NOWHERE))


def row(table: Table = Table.TASKS, **values: Value) -> Row:
    """A row with all its fields."""
    empty: Values = {name: () if name == "dependencies" else None for name in FIELDS[table]}
    return {**empty, **values}


def task(
    before: list[Shown], after: list[Shown], base: Row | None = None, db: Row | None = None, *, same: bool = True
) -> Sides:
    """The sides of T1; its row is as it was in the base unless ``same`` says otherwise."""
    return Sides(Table.TASKS, "T1", base, base if same and db is None else db, tuple(before), tuple(after))


OWN, REGISTRY, CACHE, CONTEXT = Role.OWN, Role.REGISTRY, Role.CACHE, Role.CONTEXT


class Case(NamedTuple):
    """Readings before and after, the agreed row, the row now (None: as agreed), what is expected of ``status``."""

    before: list[Shown]
    after: list[Shown]
    base: str | None
    status: str | None
    follow: bool = False


CASES = {
    "the task's own file speaks before the registry on first import": Case(
        [], [place(REGISTRY, status="pending"), place(OWN, status="paused")], None, "paused"
    ),
    "the registry speaks before the cache on first import": Case(
        [],
        [place(CONTEXT, status="blocked"), place(CACHE, status="pending"), place(REGISTRY, status="paused")],
        None,
        "paused",
    ),
    "a place left open says nothing on first import": Case(
        [], [place(OWN, status=None), place(REGISTRY, status="paused")], None, "paused"
    ),
    "an archive is asked last on first import": Case(
        [], [place(Role.ARCHIVE, status="completed"), place(CONTEXT, status="paused")], None, "paused"
    ),
    "a change in the place of least precedence becomes the value": Case(
        [place(OWN, status="pending"), place(CONTEXT, status="pending")],
        [place(OWN, status="pending"), place(CONTEXT, status="completed")],
        "pending",
        "completed",
        follow=True,
    ),
    "of two changes at once the one of higher precedence is the value": Case(
        [place(OWN, status="pending"), place(REGISTRY, status="pending")],
        [place(OWN, status="paused"), place(REGISTRY, status="completed")],
        "pending",
        "paused",
        follow=True,
    ),
    "drift from before is left alone when something else changes": Case(
        [place(OWN, status="pending", title="a"), place(REGISTRY, status="paused")],
        [place(OWN, status="pending", title="b"), place(REGISTRY, status="paused")],
        "pending",
        "pending",
    ),
    "drift that no place agreed with is left alone": Case(
        [place(REGISTRY, status="paused")], [place(REGISTRY, status="paused", title="b")], "pending", "pending"
    ),
    "a new place that does not outrank the others says nothing": Case(
        [place(OWN, status="pending")],
        [place(OWN, status="pending"), place(CACHE, status="paused")],
        "pending",
        "pending",
    ),
    "a new place that outranks all others becomes the value": Case(
        [place(REGISTRY, status="pending")],
        [place(REGISTRY, status="pending"), place(OWN, status="paused")],
        "pending",
        "paused",
        follow=True,
    ),
    "two new places that say different things: neither is written over": Case(
        [place(CACHE, status="pending")],
        [place(CACHE, status="pending"), place(OWN, status="paused"), place(REGISTRY, status="completed")],
        "pending",
        "paused",
    ),
    "a new place that is left open says nothing, whatever its rank": Case(
        [place(REGISTRY, status="pending")],
        [place(REGISTRY, status="pending"), place(OWN, status=None)],
        "pending",
        "pending",
    ),
    "emptying a place is a change": Case([place(OWN, status="pending")], [place(OWN, status=None)], "pending", None),
    "the place that showed the value went, and the next in rank speaks": Case(
        [place(OWN, status="pending"), place(CACHE, status="paused")],
        [place(CACHE, status="paused")],
        "pending",
        "paused",
    ),
    "all places caught up with an earlier change": Case(
        [place(OWN, status="paused"), place(CACHE, status="pending")],
        [place(OWN, status="paused"), place(CACHE, status="paused")],
        "paused",
        "paused",
    ),
    "a session's note of a new status becomes no one's duty to follow": Case(
        [place(OWN, status="pending"), place(Role.HISTORY, status="pending")],
        [place(OWN, status="paused"), place(Role.HISTORY, status="pending")],
        "pending",
        "paused",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_the_files_say_of_a_field(case: Case) -> None:
    """The row takes it, and other current places that differ are named as followers."""
    base = None if case.base is None and not case.before else row(status=case.base)
    verdict = reconcile(task(case.before, case.after, base))
    assert verdict.row is not None
    assert verdict.row["status"] == case.status
    assert ("status" in verdict.follow) == case.follow
    assert "status" not in verdict.show
    assert verdict.clashes == ()


def both(base: str, file: str, db: str) -> Sides:
    """A task with one place, its status in the base and on both sides."""
    return task([place(OWN, status=base)], [place(OWN, status=file)], row(status=base), row(status=db))


def test_a_change_of_the_row_is_shown_in_the_files() -> None:
    """Only the field that changed."""
    verdict = reconcile(both("pending", "pending", "paused"))
    assert verdict.row == row(status="paused")
    assert verdict.show == {"status"}
    assert verdict.clashes == ()


def test_the_same_change_on_both_sides_is_agreed() -> None:
    """Other places may still show the old value, so they are looked at."""
    verdict = reconcile(both("pending", "paused", "paused"))
    assert verdict.row == row(status="paused")
    assert verdict.clashes == ()


@pytest.mark.parametrize(("winner", "stands"), [(Side.FILE, "paused"), (Side.DB, "completed")])
def test_different_changes_of_one_field_clash_and_both_values_are_kept(winner: Side, stands: str) -> None:
    """The winner's value stands in the row; every place is brought to it."""
    verdict = reconcile(both("pending", "paused", "completed"), winner)
    assert verdict.row is not None
    assert verdict.row["status"] == stands
    assert verdict.show == {"status"}
    assert verdict.clashes == (
        Clash("tasks/T1.md", Table.TASKS, "T1", "status", "pending", "paused", "completed", winner),
    )


def test_changes_of_different_fields_do_not_clash() -> None:
    """The file's title and the database's status both stand."""
    before, after = place(OWN, title="a", status="pending"), place(OWN, title="b", status="pending")
    base = row(title="a", status="pending")
    verdict = reconcile(task([before], [after], base, {**base, "status": "paused"}))
    assert verdict.row == row(title="b", status="paused")
    assert verdict.show == {"status"}
    assert verdict.clashes == ()


def test_dependencies_that_both_sides_changed_are_merged_as_sets() -> None:
    """What either added is in, what either removed is out; nobody is told of a clash."""
    before, after = place(OWN, dependencies=("T2", "T3")), place(OWN, dependencies=("T2", "T3", "T4"))
    base = row(dependencies=("T2", "T3"))
    verdict = reconcile(task([before], [after], base, row(dependencies=("T3", "T5"))))
    assert verdict.row is not None
    assert set(verdict.row["dependencies"] or ()) == {"T3", "T4", "T5"}
    assert verdict.show == {"dependencies"}
    assert verdict.clashes == ()


@pytest.mark.parametrize(
    ("base", "file", "db", "merged"),
    [
        ((), (), (), ()),
        (("a",), ("a", "b"), ("a", "c"), ("a", "b", "c")),
        (("a", "b"), ("b",), ("a",), ()),
        (("a",), ("b", "a"), ("a",), ("b", "a")),
        ((), ("a",), ("a",), ("a",)),
    ],
    ids=["nothing", "both added", "both removed", "order of the file", "the same added"],
)
def test_sets_are_merged(
    base: tuple[str, ...], file: tuple[str, ...], db: tuple[str, ...], merged: tuple[str, ...]
) -> None:
    """Three ways."""
    assert merge_sets(base, file, db) == merged
    assert set(merge_sets(base, db, file)) == set(merged)


def test_the_order_of_dependencies_is_no_change() -> None:
    """They are a set."""
    before, after = place(OWN, dependencies=("T2", "T3")), place(OWN, dependencies=("T3", "T2"))
    verdict = reconcile(task([before], [after], row(dependencies=("T2", "T3"))))
    assert verdict.row == row(dependencies=("T2", "T3"))


GONE = {
    "deleted on both sides": (task([place(OWN, status="paused")], [], row(status="paused"), same=False), None),
    "deleted in the files": (task([place(OWN, status="paused")], [], row(status="paused")), None),
    "deleted in the database": (
        task([place(OWN, status="paused")], [place(OWN, status="paused")], row(status="paused"), same=False),
        None,
    ),
    "new in the database": (task([], [], None, row(status="paused")), "paused"),
    "new in the files": (task([], [place(OWN, status="paused")]), "paused"),
    "one place of two deleted": (
        task(
            [place(OWN, status="paused"), place(CACHE, status="paused")],
            [place(OWN, status="paused")],
            row(status="paused"),
        ),
        "paused",
    ),
}


@pytest.mark.parametrize(("sides", "status"), GONE.values(), ids=GONE.keys())
def test_records_come_and_go(sides: Sides, status: str | None) -> None:
    """On one side; the other follows without a clash."""
    verdict = reconcile(sides)
    assert (verdict.row or {}).get("status") == status
    assert verdict.clashes == ()
    assert verdict.remove == (sides.db is None and sides.base is not None and bool(sides.after))
    assert verdict.insert == (sides.db is not None and sides.base is None and not sides.after)


def test_an_edit_in_the_database_beats_a_deletion_in_the_files() -> None:
    """The row stays, its text comes back, and the case is told."""
    sides = task([place(OWN, status="pending")], [], row(status="pending"), row(status="paused"))
    verdict = reconcile(sides)
    assert verdict == Verdict(
        Table.TASKS,
        "T1",
        row(status="paused"),
        insert=True,
        clashes=(Clash("tasks/T1.md", Table.TASKS, "T1", "status", "pending", None, "paused", Side.DB, gone=True),),
    )


def test_an_edit_in_a_file_beats_a_deletion_in_the_database() -> None:
    """The row comes back, and the case is told."""
    sides = task([place(OWN, status="pending")], [place(OWN, status="paused")], row(status="pending"), same=False)
    verdict = reconcile(sides)
    assert verdict.row == row(status="paused")
    assert not verdict.remove
    assert verdict.clashes == (
        Clash("tasks/T1.md", Table.TASKS, "T1", "status", "pending", "paused", None, Side.FILE, gone=True),
    )


def test_history_is_never_named_to_follow() -> None:
    """Sessions, archives and edit history say what was so then."""
    old = [place(role, status="pending") for role in (OWN, Role.HISTORY, Role.ARCHIVE, Role.CHUNK)]
    new = [place(OWN, status="paused"), *old[1:]]
    assert reconcile(task(old, new, row(status="pending"))).follow == frozenset()
    new = [*new, place(CACHE, status="pending")]
    assert reconcile(task(old, new, row(status="pending"))).follow == {"status"}


def test_a_record_that_no_file_ever_showed_is_on_the_file_side_what_it_was() -> None:
    """Its changes in the database are no news to any file."""
    assert file_row(task([], [], row(status="pending"))) == row(status="pending")
    assert file_row(task([place(OWN, status="x")], [], row(status="x"))) is None


def test_an_entry_edited_in_the_database_and_deleted_from_one_of_its_documents_comes_back_there() -> None:
    """An edit beats a deletion in every place."""

    def entry(role: Role, words: str) -> Shown:
        return place(role, table=Table.ENTRIES, task_description=words)

    old = row(Table.ENTRIES, task_description="a")
    before = (entry(Role.HISTORY, "a"), entry(Role.CHUNK, "a"))
    sides = Sides(Table.ENTRIES, "7", old, row(Table.ENTRIES, task_description="b"), before, before[1:])
    verdict = reconcile(sides)
    assert verdict.restore == (PATHS[Role.HISTORY],)
    assert [(c.document, c.file, c.db, c.kept) for c in verdict.clashes] == [(PATHS[Role.HISTORY], None, "b", Side.DB)]


@pytest.mark.parametrize("role", Role)
def test_a_task_in_history_and_archives_stays_as_it_was(role: Role) -> None:
    """A changed row reaches the places that show what holds now; history of other records is brought along."""
    current = role in (Role.OWN, Role.REGISTRY, Role.DETAILS, Role.CACHE, Role.CONTEXT)
    assert reached(Table.TASKS, place(role, status="pending")) is current
    assert reached(Table.ENTRIES, place(role, table=Table.ENTRIES, time="10:00"))
