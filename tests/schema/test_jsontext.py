"""JSON by the fast way is JSON by the standard way."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schema import jsontext

TEXTS = st.text(st.characters(exclude_categories=())) | st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
@example("\ud800")
@example({"path": "tasks/\udcff.md"})
@example(2**70)
def test_what_is_written_reads_back(value: object) -> None:
    assert jsontext.loads(jsontext.dumps(value)) == value
    assert json.loads(jsontext.dumps(value)) == value
    assert jsontext.loads(json.dumps(value)) == value


@given(st.text(st.sampled_from('{}[]":,\\u01def9.-+eE ntrsl\n\x00'), max_size=12))
@example('"\\ud800"')
@example("1e999")
@example("-0")
def test_text_that_may_be_no_json(text: str) -> None:
    try:
        wanted = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            jsontext.loads(text)
    else:
        assert repr(jsontext.loads(text)) == repr(wanted)


def test_what_json_does_not_know() -> None:
    with pytest.raises(TypeError):
        jsontext.dumps(object())
    with pytest.raises(ValueError, match="decode"):
        jsontext.loads(b"\xff")
