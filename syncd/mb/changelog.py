"""A line in the bank's changelog for a task that is done, where and how the changelog has its lines."""

from __future__ import annotations

import re
from typing import NamedTuple

from schema.db import Database

PATH = "changelog.md"


class Done(NamedTuple):
    """A task that is done, on a day ``YYYY-MM-DD``."""

    task: str
    title: str
    note: str | None
    day: str


class Part(NamedTuple):
    """A section of the changelog."""

    id: int
    level: int
    heading: str
    text: str


def add_line(db: Database, done: Done) -> bool:
    """Write the line, if the bank keeps a changelog; whether it does."""
    rows = db.rows(
        """SELECT s.id, s.level, s.heading, s.text FROM sections AS s JOIN documents AS d ON d.id = s.document_id
        WHERE d.path = ? AND d.problem IS NULL ORDER BY s.position""",
        (PATH,),
    )
    changed = placed([Part(*row) for row in rows], done)
    if changed is not None:
        db.run("UPDATE sections SET text = ? WHERE id = ?", (changed.text, changed.id))
    return changed is not None


def placed(parts: list[Part], done: Done) -> Part | None:
    """The section that changes, with its new text; None where there is none to change."""
    if not parts:
        return None
    number = next((n for n, part in enumerate(parts) if part.level == 2), None)
    if number is None:
        return _behind(parts[-1], f"## {done.day}\n\n- {_said(done)}\n")
    first = parts[number]
    inner = [part for part in _inside(parts, number) if part.level == 3]
    if re.search("unreleased", first.heading, re.I):
        added = [part for part in inner if re.search(r"\b(added|changed)\b", part.heading, re.I)]
        target = next(iter([*added, *inner]), first)
        return _bullet(target, _said(done))
    if done.day in first.heading:
        return _bullet(first, _said(done)) if not inner else _before(inner[0], _block(done, inner[0]))
    if inner and re.search(r"\d{4}-\d\d-\d\d", inner[0].heading):
        return _before(inner[0], _block(done, inner[0]))
    if re.match(r"\[?\d{4}-\d\d-\d\d", first.heading):
        body = _block(done, inner[0]) if inner else f"- {_said(done)}\n\n"
        return _before(first, f"## {_dated(first.heading, done.day)}\n{_gap(first)}{body}")
    title = "[Unreleased]" if first.heading.startswith("[") else "Unreleased"
    return _before(first, f"## {title}\n\n### Added\n\n- {_said(done)}\n\n")


def _inside(parts: list[Part], number: int) -> list[Part]:
    """The sections below the one at ``number``."""
    found = []
    for part in parts[number + 1 :]:
        if part.level <= parts[number].level:
            break
        found.append(part)
    return found


def _said(done: Done) -> str:
    return f"{done.task}: {done.note or done.title}"


def _dated(heading: str, day: str) -> str:
    return f"[{day}]" if heading.startswith("[") else day


def _block(done: Done, like: Part) -> str:
    """A block of its own under a heading of the third level, shaped as ``like``."""
    match = re.match(r"(\[?)\d{4}-\d\d-\d\d", like.heading)
    name = f"{done.task} {done.title}" if match else f"{done.title} ({done.task})"
    heading = f"{_dated(like.heading, done.day)} {name}" if match else name
    return f"### {heading}\n{_gap(like)}- {done.note or 'Completed'}\n\n"


def _gap(like: Part) -> str:
    """The empty line below a heading, where the changelog has it."""
    return "\n" if re.match(r"[^\n]*\n[ \t]*\n", like.text) else ""


def _ends(part: Part) -> str:
    return "\r\n" if "\r\n" in part.text else "\n"


def _before(part: Part, block: str) -> Part:
    return part._replace(text=block.replace("\n", _ends(part)) + part.text)


def _behind(part: Part, block: str) -> Part:
    if not part.text.strip():
        return part._replace(text=f"# Changelog\n\n{block}")
    return part._replace(text=part.text.rstrip() + f"\n\n{block}".replace("\n", _ends(part)))


def _bullet(part: Part, words: str) -> Part:
    """``words`` as the last bullet of the section, with the marker of the others."""
    ends = _ends(part)
    body = part.text.rstrip()
    tail = part.text[len(body) :]
    marks = re.findall(r"^([-*+]) ", body, re.M)
    alone = body.count("\n") == 0
    gap = ends if alone and tail.count("\n") > 1 else ""
    return part._replace(text=f"{body}{ends}{gap}{marks[-1] if marks else '-'} {words}{tail or ends}")
