"""The laws of text on the examples of the CommonMark specification, as prose between headings and as documents.

They come with the source distribution of mistletoe: ``pip download --no-deps --no-binary :all: -d .cache mistletoe``.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from parser.blocks import section_starts
from parser.document import parse
from parser.text import cut
from tests.laws.strategies import OF_KIND
from writer.changes import SetFields
from writer.put import put

CACHE = Path(__file__).resolve().parents[2] / ".cache"


@pytest.fixture(scope="session")
def examples() -> list[str]:
    """The text of every example."""
    found = sorted(CACHE.glob("mistletoe-*.tar.gz"))
    if not found:
        pytest.skip(f"no mistletoe-*.tar.gz in {CACHE.name}/ (the module says how to get it)")
    with tarfile.open(found[-1]) as archive:
        name = next(n for n in archive.getnames() if n.endswith("specification/commonmark.json"))
        file = archive.extractfile(name)
        assert file is not None
        return [str(example["markdown"]) for example in json.load(file)]


def test_there_are_as_many_as_the_specification_has(examples: list[str]) -> None:
    """So that an empty file proves nothing."""
    assert len(examples) > 600


def test_examples_are_tiled_and_given_back(examples: list[str]) -> None:
    """At any path, alone and between two headings, with either line end; an incremental parse gives the same."""
    for number, text in enumerate(examples):
        path = sorted(OF_KIND)[number % len(OF_KIND)]
        for whole in (text, f"# A\n\n{text}\n# B\n", f"# A\n\n{text}\n# B\n".replace("\n", "\r\n")):
            document = parse(path, whole)
            assert document.text == whole
            assert put(document, []).document is document
            assert parse(path, whole, parse(path, text)) == document


def test_examples_are_cut_as_the_block_parser_cuts_them(examples: list[str]) -> None:
    """The scanner and the arbiter agree on every heading."""
    for text in examples:
        for whole in (text, f"# A\n{text}", f"# A\n\n{text}\n# B\n"):
            assert cut(whole) == section_starts(whole), whole


def test_a_field_before_an_example_changes_and_the_example_stays(examples: list[str]) -> None:
    """As prose below a task's fields; whatever the example holds."""
    head, tail = "# T3: Curve\n\n**Status**: 🔄 IN PROGRESS\n\n## Notes\n\n", "\n## End\n"
    for text in examples:
        document = parse("tasks/T3.md", head + text + tail)
        at = next(at for at, reading in document.readings() if "status" in reading.fields)
        done = put(document, [SetFields(at, {"status": "completed"})])
        assert done.refused == ()
        assert done.document.text == head.replace("🔄 IN PROGRESS", "✅ COMPLETED") + text + tail
