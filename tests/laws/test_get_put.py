"""Putting back what was read changes nothing."""

from __future__ import annotations

import random

from hypothesis import given

from parser.document import parse
from tests.laws.profile import examples
from tests.laws.strategies import documents
from writer.changes import SetFields
from writer.put import put


@examples(150)
@given(documents())
def test_no_changes_give_the_document_itself(document: tuple[str, str]) -> None:
    """Not a copy: there is nothing to make."""
    parsed = parse(*document)
    done = put(parsed, [])
    assert done.document is parsed
    assert done.refused == ()


@examples(150)
@given(documents())
def test_values_that_are_there_already_move_no_byte(document: tuple[str, str]) -> None:
    """Asked to show what it shows, a place keeps its text, however odd its spelling."""
    parsed = parse(*document)
    readings = list(parsed.readings())
    if not readings:
        return
    at, reading = random.Random(len(parsed.text)).choice(readings)
    done = put(parsed, [SetFields(at, {name: f.value for name, f in reading.fields.items()})])
    assert done.document.text == parsed.text
