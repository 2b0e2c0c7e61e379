"""The recorded banks beside the project, where they are present."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

from bench import synthetic
from bench.setting import SHARED


def names() -> list[str]:
    """Recorded banks that are present."""
    return sorted(path.name.removesuffix(".jsonl.xz") for path in (SHARED / "corpora").glob("*.jsonl.xz"))


def last_state(name: str, folder: Path) -> Path | None:
    """The bank ``name`` as recorded last, put below ``folder``; None where it is absent."""
    file = SHARED / "corpora" / f"{name}.jsonl.xz"
    if not file.exists():
        return None
    tree: dict[str, str | None] = {}
    with lzma.open(file, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            tree.update(json.loads(line)["changes"])
    return synthetic.write({path: text for path, text in tree.items() if text is not None}, folder)
