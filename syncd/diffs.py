"""The difference of two texts, as people and patch(1) read it, and of two rows."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff

from schema.records import Table, Value


def unified(path: str, before: bytes | None, after: bytes | None) -> str:
    """A unified diff of a document's bytes; None: there was no document. Bytes that are no UTF-8 are spelled out."""
    lines = unified_diff(
        _lines(before),
        _lines(after),
        f"a/{path}" if before is not None else "/dev/null",
        f"b/{path}" if after is not None else "/dev/null",
        lineterm="",
    )
    out: list[str] = []
    for line in lines:
        if line.startswith(("---", "+++")) and not out[2:]:
            out.append(line)
        elif line.endswith(_OPEN_END):
            out += [line[: -len(_OPEN_END)], "\\ No newline at end of file"]
        else:
            out.append(line)
    return "".join(f"{line}\n" for line in out)


_OPEN_END = "\0no newline"


def _lines(text: bytes | None) -> list[str]:
    """Lines without their ends; the last one is marked where it has none."""
    if not text:
        return []
    lines = text.decode("utf-8", "backslashreplace").split("\n")
    return lines[:-1] if not lines[-1] else [*lines[:-1], lines[-1] + _OPEN_END]


def sides(old: bytes | None, new: bytes | None, path: str, left: str, right: str) -> str:
    """What differs between two sides of a document, which are named ``left`` and ``right``."""
    a = (old or b"").decode("utf-8", "replace").split("\n")
    b = (new or b"").decode("utf-8", "replace").split("\n")
    return "\n".join(unified_diff(a, b, f"{path} ({left})", f"{path} ({right})", lineterm="", n=2))


def of_rows(
    table: Table, key: str, old: Mapping[str, Value] | None, new: Mapping[str, Value] | None
) -> list[str]:
    """A line for each field that differs, or one for a row that is new or goes."""
    from syncd.rows import same

    if new is None or old is None:
        return [f"{table.value} {key}: {'deleted' if new is None else 'new'}"] if old != new else []
    changed = [n for n in new if not same(n, old.get(n), new.get(n))]
    return [f"{table.value} {key}: {name} {old.get(name)!r} -> {new.get(name)!r}" for name in changed]
