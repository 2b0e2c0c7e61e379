"""Random changes of a bank, on either side: lines of documents, whole documents, rows."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from schema import operations
from schema.db import Database
from schema.errors import SyncdError

_WORDS = ("tide", "Höhe | Breite", "**bold** text", "- [ ] something", "🙂", "T3: see T1", "", "| a | b |")


def paths(folder: Path) -> list[str]:
    """The documents that have a file."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".syncd"]
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in names if name.endswith(".md")]
    return sorted(found)


def edit(folder: Path, chance: random.Random) -> None:
    """Change lines of one to three documents."""
    for path in chance.sample(paths(folder), k=chance.choice((1, 1, 2, 3))):
        file = folder / path
        lines = file.read_bytes().decode("utf-8", "surrogateescape").split("\n")
        for _ in range(chance.choice((1, 1, 2, 4))):
            _change_line(lines, chance)
        file.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))


def _change_line(lines: list[str], chance: random.Random) -> None:
    place = chance.randrange(len(lines))
    match chance.choice(("new", "new", "copy", "drop", "word", "word", "status")):
        case "new":
            lines.insert(place, chance.choice(_WORDS))
        case "copy":
            lines.insert(chance.randrange(len(lines)), lines[place])
        case "drop" if len(lines) > 3:
            del lines[place]
        case "word":
            lines[place] += f" {chance.randrange(1000)}"
        case _:
            for old, new in (("IN PROGRESS", "PAUSED"), ("LOW", "HIGH"), ("HIGH", "MEDIUM"), ("[ ]", "[x]")):
                if any(old in line for line in lines):
                    at = chance.choice([n for n, line in enumerate(lines) if old in line])
                    lines[at] = lines[at].replace(old, new)
                    return


def put(folder: Path, chance: random.Random, known: Sequence[Mapping[str, bytes]]) -> None:
    """A document comes, goes, moves, is emptied, is no text, or is as it once was in one of the ``known`` states."""
    path = chance.choice(paths(folder))
    file, text = folder / path, None
    match chance.choice(("come", "go", "move", "empty", "bytes", "old")):
        case "come":
            path = f"notes/{chance.randrange(6)}.md"
            text = f"# Note\n\n{chance.choice(_WORDS)}\n".encode()
        case "move":
            text, path = file.read_bytes(), f"archive/{file.name}"
            file.unlink()
        case "empty":
            text = b""
        case "bytes":
            path, text = f"notes/{chance.randrange(6)}.md", b"\xff\xfe" + bytes([chance.randrange(256)])
        case "old":
            had = [texts[path] for texts in known if path in texts]
            text = chance.choice(had) if had else file.read_bytes()
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        file.unlink()
    else:
        target.write_bytes(text)


def write_row(db: Database, chance: random.Random) -> None:
    """Another client changes a row."""
    tasks = _tasks(db)
    task = chance.choice(tasks)
    statement, values = chance.choice((
        ("UPDATE tasks SET status = ? WHERE id = ?", (chance.choice(("paused", "completed", "blocked")), task)),
        ("UPDATE tasks SET title = ? WHERE id = ?", (f"Title {chance.randrange(100)}", task)),
        ("UPDATE tasks SET priority = ? WHERE id = ?", (chance.choice(("LOW", "CRITICAL")), task)),
        ("INSERT OR IGNORE INTO task_dependencies VALUES (?, ?)", (task, chance.choice(tasks))),
        ("DELETE FROM task_dependencies WHERE task_id = ?", (task,)),
        ("UPDATE edit_entries SET task_description = ? WHERE id = (SELECT max(id) FROM edit_entries)",
         (f"words {chance.randrange(100)}",)),
        ("DELETE FROM edit_entries WHERE id = (SELECT max(id) FROM edit_entries)", ()),
        ("DELETE FROM file_modifications WHERE id = (SELECT max(id) FROM file_modifications)", ()),
        ("INSERT INTO edit_entries(date, time, task_id, task_description) VALUES ('2026-03-07', ?, ?, 'A row')",
         (f"10:{chance.randrange(10, 60)}", task)),
        ("INSERT INTO error_logs(timestamp, task_id, error_message) VALUES ('2026-03-07 11:00', ?, 'It broke')",
         (task,)),
        ("UPDATE error_logs SET cause = ? WHERE id = (SELECT min(id) FROM error_logs)",
         (f"a cause {chance.randrange(100)}",)),
        ("UPDATE task_subtasks SET status = 'completed' WHERE id = (SELECT min(id) FROM task_subtasks)", ()),
        ("INSERT OR IGNORE INTO tasks(id, title, status, priority) VALUES (?, 'From a row', 'pending', 'LOW')",
         (f"T{chance.randrange(70, 80)}",)),
        ("DELETE FROM tasks WHERE id = ?", (task,)),
    ))  # fmt: skip
    try:
        db.run(statement, values)
    except SyncdError:
        return  # a row that is refused is no change


def differ(folder: Path, db: Database, chance: random.Random) -> None:
    """One field is changed on both sides before they meet."""
    own = [p for p in paths(folder) if p.startswith("tasks/T")]
    if own:
        file = folder / chance.choice(own)
        text = file.read_bytes()
        for old in (b"LOW", b"MEDIUM", b"HIGH"):
            text = text.replace(b"**Priority**: " + old, b"**Priority**: CRITICAL", 1)
        file.write_bytes(text)
        db.run("UPDATE tasks SET priority = 'HIGH' WHERE id = ?", (file.stem,))


def log_work(db: Database, chance: random.Random) -> None:
    """What `mb workflow` writes: an entry with its files, and perhaps the task's new status. Raises `SyncdError`."""
    task, now = chance.choice(_tasks(db)), datetime.now(UTC)
    entry = operations.insert_edit_entry(db, description=f"Work {chance.randrange(100)}", task_ids=[task], moment=now)
    for number in range(chance.choice((0, 1, 2))):
        operations.insert_file_modification(db, entry, "Modified", f"src/{number}.ts", f"part {number}")
    if chance.random() < 0.5:
        operations.update_task_status(db, task, chance.choice(("completed", "in_progress", "paused")), moment=now)


def _tasks(db: Database) -> list[str]:
    return [key for (key,) in db.rows("SELECT id FROM tasks ORDER BY id")] or ["T1"]
