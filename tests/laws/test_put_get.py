"""What was put is what is read, and nothing else has changed."""

from __future__ import annotations

import random

from hypothesis import given, note
from hypothesis import strategies as st

from parser.document import parse
from tests.laws.changing import broken_law, random_changes
from tests.laws.profile import examples
from tests.laws.strategies import WITH_RECORDS, documents


@examples(250)
@given(documents(WITH_RECORDS), st.randoms(use_true_random=False))
def test_one_change_is_made_as_asked_or_refused(document: tuple[str, str], chance: random.Random) -> None:
    """All other readings hold their old values, all other text its old bytes."""
    parsed = parse(*document)
    changes = random_changes(parsed, chance, 1)
    note(f"{changes}")
    assert broken_law(parsed, changes) is None


@examples(250)
@given(documents(WITH_RECORDS), st.randoms(use_true_random=False))
def test_several_changes_are_made_as_asked_or_refused(document: tuple[str, str], chance: random.Random) -> None:
    """Also where some of them are refused."""
    parsed = parse(*document)
    changes = random_changes(parsed, chance, 5)
    note(f"{changes}")
    assert broken_law(parsed, changes) is None
