"""Banks made up for measuring: the same bytes for the same arguments, in the shapes that real banks have.

Pure text from a seeded generator; only `write` touches the disk.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

_VOCABULARY = (
    "anchor balance carrier delta edge filter gauge harvest index join kernel ledger margin node orbit phase queue "
    "range sample tensor update vector window yield zone cache driver error frame group header import journal "
    "layer merge notice offset panel render schema token version writer bundle client docs engine field grid hook "
    "input key list map name order path query rule scan table unit value walk after before between during inside "
    "near over past since toward under until with without the a this each every some most few all both"
)
_WORDS = _VOCABULARY.split()
_VERBS = ("Modified", "Created", "Updated", "Fixed", "Refactored", "Deleted")
_START = date(2025, 1, 1)
Bank = dict[str, str]


def sentence(rng: random.Random, words: int = 12) -> str:
    """Made-up prose of about so many words."""
    text = " ".join(rng.choice(_WORDS) for _ in range(max(3, words + rng.randrange(-3, 4))))
    return text[0].upper() + text[1:]


def edit_history(size: int, tasks: int = 60, seed: int = 1) -> str:
    """An edit history of about ``size`` bytes, newest day first, each file line worded differently."""
    rng = random.Random(seed)
    parts = ["# Edit History\n\n*Last Updated: 2026-08-01 12:00:00 IST*\n"]
    length, day, number = len(parts[0]), _START + timedelta(days=500), 0
    while length < size:
        lines = [f"\n### {day.isoformat()}\n"]
        for minute in sorted(rng.sample(range(1440), rng.randrange(1, 5)), reverse=True):
            task = f"T{rng.randrange(1, tasks + 1)}"
            clock = f"{minute // 60:02}:{minute % 60:02}:{rng.randrange(60):02}"
            lines.append(f"\n#### {clock} IST - {task}: {sentence(rng, 6)}\n")
            for _ in range(rng.randrange(2, 9)):
                number += 1
                path = f"src/{rng.choice(_WORDS)}/{rng.choice(_WORDS)}{rng.randrange(40)}.ts"
                lines.append(f"- {rng.choice(_VERBS)} `{path}` - line {number}: {sentence(rng)}\n")
        parts += lines
        length += sum(map(len, lines))
        day -= timedelta(days=1)
    return "".join(parts)


def task_file(number: int, size: int = 7000, seed: int = 1, status: str = "🔄 IN PROGRESS") -> str:
    """A task's own file of about ``size`` bytes with a checklist; item texts are unique in the bank."""
    rng = random.Random(f"task {seed} {number}")
    text = (
        f"# T{number}: {sentence(rng, 5)}\n\n**Status**: {status}\n**Priority**: HIGH\n"
        f"**Started**: {_START + timedelta(days=number % 400)}\n**Last Updated**: 2026-07-01 10:00\n\n"
        f"## Description\n{sentence(rng, 40)}.\n\n## Progress\n"
    )
    text += "".join(
        f"- {rng.choice(('✅', '🔄', '⬜'))} T{number} step {step}: {sentence(rng, 7)}\n" for step in range(1, 13)
    )
    while len(text) < size:
        text += f"\n## {sentence(rng, 3)}\n{_paragraphs(rng, 900)}"
    return text


def registry(tasks: int, seed: int = 1) -> str:
    """The table of all tasks, and those of the completed ones."""
    rng = random.Random(f"registry {seed}")
    active = "".join(
        f"| T{n} | {sentence(random.Random(f'task {seed} {n}'), 5)} | 🔄 IN PROGRESS | HIGH "
        f"| {_START + timedelta(days=n % 400)} | {f'T{rng.randrange(1, n)}' if n > 3 else '-'} |\n"
        for n in range(1, tasks + 1)
    )
    return (
        "# Task Registry\n\n*Last Updated: 2026-08-01 12:00*\n\n## Active Tasks\n\n"
        "| ID | Title | Status | Priority | Started | Dependencies |\n"
        f"|----|-------|--------|----------|---------|--------------|\n{active}\n"
    )


def session(number: int, size: int, seed: int = 1) -> tuple[str, str]:
    """Path and text of one session."""
    rng = random.Random(f"session {seed} {number}")
    day, period = _START + timedelta(days=number // 3), ("morning", "afternoon", "evening")[number % 3]
    text = (
        f"# Session {day} - {period}\n\n*Created: {day} 09:00:00 IST*\n\n## Focus Task\nT{number % 40 + 1}: "
        f"{sentence(rng, 5)}\n**Status**: 🔄\n\n## Work done\n{_paragraphs(rng, size)}"
    )
    return f"sessions/{day}-{period}.md", text


def chunk(number: int, seed: int = 1) -> tuple[str, str]:
    """Path and text of one edit chunk."""
    rng = random.Random(f"chunk {seed} {number}")
    day, task = _START + timedelta(days=600 + number), f"T{number % 40 + 1}"
    words = [(rng.choice(_WORDS), sentence(rng, 9)) for _ in range(6)]
    lines = "".join(f"- Modified `lib/{name}.ts` - chunk {number}: {what}\n" for name, what in words)
    text = (
        f"---\nkind: edit_chunk\ncreated_at: {day}T10:15:00+05:30\ntask_ids: [{task}]\n---\n\n"
        f"#### 10:15:00 IST - {task}: {sentence(rng, 6)}\n\n{lines}"
    )
    return f"edits/{day}/101500-{task}-work.md", text


def prose(number: int, size: int, seed: int = 1) -> tuple[str, str]:
    """Path and text of a document without records: headings, lists, a table, a fence."""
    rng = random.Random(f"prose {seed} {number}")
    text = f"# {sentence(rng, 4)}\n"
    while len(text) < size:
        text += f"\n## {sentence(rng, 4)}\n\n{_paragraphs(rng, 500)}\n"
        text += "".join(f"- {sentence(rng, 9)}\n" for _ in range(5))
        text += f"\n| name | value |\n|---|---|\n| {rng.choice(_WORDS)} | {rng.randrange(999)} |\n"
        text += f"\n```python\n# {sentence(rng, 4)}\nvalue = {rng.randrange(999)}\n```\n"
    return f"implementation-details/part{number % 37}/note-{number}.md", text


def _paragraphs(rng: random.Random, size: int) -> str:
    text = ""
    while len(text) < size:
        text += f"{sentence(rng, 30)}.\n{sentence(rng, 25)}.\n\n"
    return text


def bank(documents: int, history: int = 126_000, size: int = 6000, seed: int = 1) -> Bank:
    """A bank of exactly so many documents: path to text. Others than the edit history have about ``size`` bytes."""
    tasks = max(20, documents // 6)
    found: Bank = {"edit_history.md": edit_history(history, min(tasks, 60), seed), "tasks.md": registry(tasks, seed)}
    found["session_cache.md"] = (
        "# Session Cache\n\n*Last Updated: 2026-08-01 12:00*\n\n## Current Session\n**Focus**: T1\n**Status**: 🔄\n\n"
        f"## Overview\n- Active: {tasks} | Paused: 0 | Completed: 0\n"
    )
    found["activeContext.md"] = f"# Active Context\n\n## Current Focus\nT1\n\n{sentence(random.Random(seed), 60)}.\n"
    for path, text in _rest(documents, tasks, size, seed):
        if len(found) == documents:
            break
        found[path] = text
    return found


def _rest(documents: int, tasks: int, size: int, seed: int) -> Iterator[tuple[str, str]]:
    for number in range(1, tasks + 1):
        yield f"tasks/T{number}.md", task_file(number, min(size + 1000, 7000), seed)
    for number in range(documents // 8):
        yield session(number, size, seed)
    for number in range(documents // 8):
        yield chunk(number, seed)
    for number in range(documents):
        yield prose(number, size, seed)


def write(documents: Bank, folder: Path) -> Path:
    """Put ``documents`` below ``folder``; returns it."""
    for parent in {(folder / path).parent for path in documents}:
        parent.mkdir(parents=True, exist_ok=True)
    for path, text in documents.items():
        (folder / path).write_bytes(text.encode())
    return folder
