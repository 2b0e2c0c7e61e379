"""The sections of any text join to that text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parser.document import parse
from tests.laws.profile import examples
from tests.laws.strategies import OF_KIND, documents, texts


@examples(150)
@given(documents())
def test_sections_join_to_the_document(document: tuple[str, str]) -> None:
    """For documents of every kind, made of the pieces of their kind."""
    path, text = document
    parsed = parse(path, text)
    assert "".join(section.text for section in parsed.sections) == text
    assert all(section.text for section in parsed.sections) or not text
    assert parsed.text == text


@examples(150)
@given(st.sampled_from(sorted(OF_KIND)), st.one_of(texts, st.text()))
def test_sections_of_any_text_join_to_it(path: str, text: str) -> None:
    """For any characters at any path."""
    assert parse(path, text).text == text


@examples(150)
@given(documents())
def test_spans_lie_within_their_sections(document: tuple[str, str]) -> None:
    """Every reading and every field is a stretch of the section that holds it; problems name lines of it."""
    parsed = parse(*document)
    for section in parsed.sections:
        for reading in section.readings:
            assert 0 <= reading.span.start <= reading.span.end <= len(section.text)
            for field in reading.fields.values():
                assert 0 <= field.span.start <= field.span.end <= len(section.text)
        for problem in section.parsed.problems:
            assert 0 <= problem.line <= section.text.count("\n")
