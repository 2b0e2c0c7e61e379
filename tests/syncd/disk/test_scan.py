"""What a look at the bank finds: by stat values where they can tell, by content where they cannot."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schema.store import DocumentRow
from syncd.disk import scan as scanning
from syncd.disk.files import Content, digest, read_stable
from syncd.disk.scan import Scan, scan
from syncd.disk.walk import Walk

LATER = 60_000_000_000


def _row(number: int, path: str, data: bytes, **stat: Any) -> DocumentRow:
    values = {"id": number, "path": path, "kind": "plain", "hash": digest(data), **stat}
    return DocumentRow(**{name: values.get(name, 0) for name in DocumentRow.__struct_fields__})


def _known(root: Path, path: str) -> DocumentRow:
    read = read_stable(root, path)
    assert isinstance(read, Content)
    size, mtime_ns, ctime_ns, inode = read.stat.content
    return _row(1, path, read.data, size=size, mtime_ns=mtime_ns, ctime_ns=ctime_ns, inode=inode)


def _scan(root: Path, rows: dict[str, DocumentRow]) -> Scan:
    return scan(root, rows, only=None, always=(), limit=1_000_000, now_ns=time.time_ns() + LATER)


def test_a_text_of_the_same_size_and_time_is_found(tmp_path: Path) -> None:
    """rsync -t, cp -p and unzip give a file the time that it had elsewhere."""
    file = tmp_path / "a.md"
    file.write_text("one")
    rows = {"a.md": _known(tmp_path, "a.md")}
    assert _scan(tmp_path, rows).changed == {}
    before = file.stat()
    time.sleep(0.01)
    file.write_text("two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [*_scan(tmp_path, rows).changed] == ["a.md"]


def test_a_file_that_is_seconds_old_is_read(tmp_path: Path) -> None:
    """Its stat values may not tell a second save from the first."""
    (tmp_path / "a.md").write_text("one")
    rows = {"a.md": replace(_known(tmp_path, "a.md"), hash=digest(b"of a save in the same tick"))}
    young = scan(tmp_path, rows, only=None, always=(), limit=1_000_000, now_ns=time.time_ns())
    assert [*young.changed] == ["a.md"]
    assert _scan(tmp_path, rows).changed == {}


def test_what_lies_in_a_folder_that_cannot_be_read_is_not_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is known of it; what lies elsewhere is."""
    rows = {path: _row(n, path, b"text") for n, path in enumerate(("tasks/T1.md", "b.md", "tasks2.md", "c.md"))}
    told = {"tasks": "permission denied", "c.md": "permission denied"}
    monkeypatch.setattr(scanning, "walk", lambda _: Walk(unreadable=told))
    found = _scan(tmp_path, rows)
    assert found.missing == {"b.md", "tasks2.md"}
    assert found.problems == told
