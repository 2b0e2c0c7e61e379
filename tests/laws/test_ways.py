"""Other owners write the same things in other ways: the same is read, and can be written."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from parser.document import Document, parse
from schema.records import Reading, Table, Value
from tests.laws.changing import broken_law, random_changes
from tests.laws.transformed import (
    WAYS,
    Way,
    front_matter,
    other_ids,
    other_path,
    setext,
    underscores,
    words_only,
)

SAMPLE = Path(__file__).resolve().parents[2] / "syncd" / "sample"
Documents = Mapping[str, str]

NOT_YET = {
    underscores: {Table.ENTRIES},  # a line between __ opens no entry: names such as __init__ begin lines as well
    setext: {Table.SESSIONS},  # a second title further down begins no section of its own
    front_matter: {Table.SESSIONS, Table.TASKS},  # read in more than one place; nothing is lost
    # Texts hold icons as well, and a word at the start of an item (`- Done: x`, `- Pending review`) may belong to it.
    words_only: {Table.SUBTASKS, Table.SESSIONS, Table.TASKS, Table.MODIFICATIONS},
}
"""What is read otherwise, and why."""
FEW = 30  # in a thousand: readings of the recorded banks that may differ, because the transformation is blunt


def _said(way: Way | None, value: Value) -> Value:
    if way is other_ids and value is not None:
        return tuple(other_ids("", v) for v in value) if isinstance(value, tuple) else other_ids("", value)
    return value


def _words(text: str) -> str:
    """A text without what the transformations change in it: line breaks, signs of bullets and emphasis."""
    return " ".join(re.sub(r"(?m)^\s*[*+] ", "- ", text.replace("__", "**")).split())


def _look(way: Way | None, reading: Reading) -> tuple[Table, object]:
    values = {
        name: _words(said) if isinstance(said, str) else said
        for name, value in reading.values().items()
        if (said := _said(way, value)) not in (None, ())
    }
    return reading.table, tuple(sorted(values.items(), key=str))


def _looks(way: Way | None, document: Document) -> Counter[tuple[Table, object]]:
    return Counter(_look(way, reading) for _, reading in document.readings())


def _differing(way: Way, documents: Documents) -> tuple[Counter[tuple[Table, object]], int]:
    lost: Counter[tuple[Table, object]] = Counter()
    total = 0
    for path, text in documents.items():
        wanted = _looks(way, parse(path, text))
        total += wanted.total()
        lost += wanted - _looks(None, parse(other_path(way, path), way(path, text)))
    passed = NOT_YET.get(way, set())
    return Counter({look: n for look, n in lost.items() if look[0] not in passed}), total


@pytest.fixture(scope="module")
def sample() -> Documents:
    return {str(p.relative_to(SAMPLE)): p.read_text(encoding="utf-8") for p in sorted(SAMPLE.rglob("*.md"))}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way.__name__))
def test_records_of_the_sample_are_read_however_they_are_written(way: Way, sample: Documents) -> None:
    lost, total = _differing(way, sample)
    assert total > 100
    assert lost == Counter()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way.__name__))
def test_what_is_put_into_them_is_what_is_read_back(way: Way, sample: Documents) -> None:
    """PutGet and locality."""
    for number, (path, text) in enumerate(sample.items()):
        document = parse(other_path(way, path), way(path, text))
        for turn in range(2):
            changes = random_changes(document, random.Random(f"{number} {turn}"), 3)
            assert (broken := broken_law(document, changes)) is None, (path, changes, broken)


@pytest.mark.corpora
@pytest.mark.slow
def test_records_of_recorded_banks_are_read_however_they_are_written(
    corpora: Mapping[str, Path], last_state: Callable[[str], dict[str, str]]
) -> None:
    for way in WAYS:
        for name in corpora:
            lost, total = _differing(way, last_state(name))
            assert lost.total() * 1000 <= FEW * total, (way.__name__, name, lost.most_common(3))
