"""The laws of text on every revision of every document in the recorded banks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from zlib import crc32

import pytest

from parser.document import parse
from tests.laws.changing import broken_law, random_changes
from writer.put import put

pytestmark = pytest.mark.corpora

Steps = Callable[[str], Iterator[dict[str, str | None]]]
Revision = tuple[str, str, str]  # path, text before, text
SHARES = [pytest.param(12, id="a sample"), pytest.param(1, id="all", marks=pytest.mark.slow)]


@pytest.fixture(scope="session")
def revisions(corpora: Mapping[str, Path], steps: Steps) -> list[Revision]:
    """Every revision once, with the text before it ("" where there was none); the same in every run."""
    found: dict[Revision, None] = {}
    for name in corpora:
        tree: dict[str, str] = {}
        for changes in steps(name):
            for path, text in changes.items():
                if text is not None and path.endswith(".md"):
                    found[path, tree.get(path, ""), text] = None
                    tree[path] = text
    return list(found)


def sample(revisions: list[Revision], share: int) -> list[Revision]:
    """One of ``share`` revisions, spread over all of them."""
    return [r for r in revisions if crc32(r[2].encode("utf-8", "surrogatepass")) % share == 0]


@pytest.mark.parametrize("share", SHARES)
def test_recorded_documents_are_tiled_and_given_back(share: int, revisions: list[Revision]) -> None:
    """Tiling and GetPut; and reading only what changed gives what reading everything gives."""
    for path, old, text in sample(revisions, share):
        document = parse(path, text)
        assert document.text == text, path
        assert put(document, []).document is document, path
        assert parse(path, text, parse(path, old)) == document, path


@pytest.mark.parametrize("share", SHARES)
def test_a_change_of_a_recorded_document_is_made_as_asked_or_refused(share: int, revisions: list[Revision]) -> None:
    """PutGet and locality, with one random change of each revision."""
    broken = []
    for path, _, text in sample(revisions, share):
        document = parse(path, text)
        chance = random.Random(crc32(text.encode("utf-8", "surrogatepass")))
        changes = random_changes(document, chance, 1)
        if changes and (reason := broken_law(document, changes)):
            broken.append(f"{path}: {reason} by {changes}")
    assert not broken, "\n".join(broken)
