"""Differences as people and patch(1) read them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from syncd.diffs import unified


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\r\nb\r\n", b"a\r\nc\r\n"),
        (None, b"new\n"),
        (b"--- a\n+++ b\n", b"--- b\n+++ b\n"),
        ("é\n".encode(), "ü ✅".encode()),
    ],
)
def test_patch_makes_the_new_text_of_the_old(tmp_path: Path, before: bytes | None, after: bytes) -> None:
    """Whatever the ends of lines and of the file."""
    if not shutil.which("patch"):
        pytest.skip("no patch(1) here")
    file = tmp_path / "a.md"
    if before is not None:
        file.write_bytes(before)
    diff = unified("a.md", before, after).encode()
    subprocess.run(["patch", "--binary", "-p1", "-s"], input=diff, cwd=tmp_path, check=True)
    assert file.read_bytes() == after


def test_equal_texts_have_no_difference() -> None:
    """Nothing is printed."""
    assert unified("a.md", b"a\n", b"a\n") == ""


def test_a_document_that_is_gone_is_compared_with_nothing() -> None:
    """As git writes it."""
    assert unified("a.md", b"a\n", None).splitlines()[:2] == ["--- a/a.md", "+++ /dev/null"]


def test_bytes_that_are_no_text_are_spelled_out() -> None:
    """A terminal gets no raw bytes."""
    assert "+\\xff\\xfe\n" in unified("a.md", b"", b"\xff\xfe\n")
