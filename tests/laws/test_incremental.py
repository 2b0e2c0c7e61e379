"""Reading what changed gives what reading everything gives."""

from __future__ import annotations

from hypothesis import given

from parser.document import parse
from tests.laws.profile import examples
from tests.laws.strategies import edited


@examples(200)
@given(edited())
def test_a_parse_that_takes_over_what_did_not_change_is_a_parse(edit: tuple[str, str, str]) -> None:
    """Sections, readings, their spans and what was not understood are those of a parse from nothing."""
    path, old, new = edit
    whole, quick = parse(path, new), parse(path, new, parse(path, old))
    assert quick == whole
    for a, b in zip(quick.sections, whole.sections, strict=True):
        assert [_spans(r) for r in a.readings] == [_spans(r) for r in b.readings]


def _spans(reading: object) -> object:
    return reading.span, {name: (f.span, f.place) for name, f in reading.fields.items()}  # type: ignore[attr-defined]
