"""The difference of two texts, as people and patch(1) read it."""

from __future__ import annotations

from difflib import unified_diff


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
