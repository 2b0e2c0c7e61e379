"""The fifteen cases of what base, file and database may hold of one record."""

from __future__ import annotations

from itertools import product

import pytest

from syncd.model import Side
from syncd.plan.reconcile import Decision, decide

# Every way in which three places can hold nothing or values, up to the names of the values.
CASES = {
    (None, None, None): Decision.NOTHING,
    ("x", "x", "x"): Decision.NOTHING,
    ("x", None, None): Decision.ADOPT,
    (None, "x", "x"): Decision.ADOPT,
    ("x", "y", "y"): Decision.ADOPT,
    (None, "x", None): Decision.TO_DB,
    ("x", "y", "x"): Decision.TO_DB,
    ("x", None, "x"): Decision.TO_DB,
    (None, None, "x"): Decision.TO_FILE,
    ("x", "x", "y"): Decision.TO_FILE,
    ("x", "x", None): Decision.TO_FILE,
    (None, "x", "y"): Decision.CLASH,
    ("x", "y", None): Decision.CLASH,
    ("x", None, "y"): Decision.CLASH,
    ("x", "y", "z"): Decision.CLASH,
}
MIRROR = {Decision.TO_DB: Decision.TO_FILE, Decision.TO_FILE: Decision.TO_DB}


def _named(case: tuple[object, ...]) -> tuple[str | None, ...]:
    """``case`` with its values called x, y, z in the order in which they come."""
    names: dict[object, str] = {}
    return tuple(None if v is None else names.setdefault(v, "xyz"[len(names)]) for v in case)


def test_the_cases_are_all_there_are() -> None:
    """Built from all triples of nothing and three values; there are fifteen."""
    built = {_named(case) for case in product((None, 1, 2, 3), repeat=3)}
    assert built == set(CASES)
    assert len(built) == 15


@pytest.mark.parametrize("case", list(product((None, 1, 2, 3), repeat=3)), ids=str)
def test_each_case_is_decided_as_the_table_says(case: tuple[object, ...]) -> None:
    """Whatever the values are called."""
    assert decide(*case) is CASES[_named(case)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_decision_is_mirrored_when_the_sides_are_swapped(case: tuple[object, object, object]) -> None:
    """Neither side is favoured."""
    base, file, db = case
    decision = decide(base, file, db)
    assert decide(base, db, file) is MIRROR.get(decision, decision)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_without_a_clash_is_settled_in_one_step(case: tuple[object, object, object]) -> None:
    """Carried out, the decision leaves nothing to decide; so does a crash between its two halves."""
    base, file, db = case
    match decide(base, file, db):
        case Decision.NOTHING | Decision.ADOPT:
            base = file
        case Decision.TO_DB:
            assert decide(base, file, file) is Decision.ADOPT
            base = db = file
        case Decision.TO_FILE:
            assert decide(base, db, db) is Decision.ADOPT
            base = file = db
        case Decision.CLASH:
            base = file = db = file or db
    assert decide(base, file, db) is Decision.NOTHING


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("first", list(Side))
def test_the_decision_is_mirrored_when_the_sides_and_the_first_are_swapped(
    case: tuple[object, object, object], first: Side
) -> None:
    """A mode favours one side in just the way in which its mirror image would favour the other."""
    base, file, db = case
    decision = decide(base, file, db, first)
    other = Side.FILE if first is Side.DB else Side.DB
    assert decide(base, db, file, other) is MIRROR.get(decision, decision)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_where_one_side_is_first_the_other_changes_nothing_that_is_there(case: tuple[object, object, object]) -> None:
    """What it changed is a clash; all else is decided as ever: agreed is agreed, and what is new is taken over."""
    base, file, db = case
    usual, ruled = decide(base, file, db), decide(base, file, db, Side.DB)
    if usual is Decision.TO_DB and base is not None:
        assert ruled is Decision.CLASH
    else:
        assert ruled is usual
