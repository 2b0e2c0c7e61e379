"""What people and programs do to a bank: to its files, and to its rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from schema.errors import SyncdError
from schema.records import FIELDS, Table
from tests.laws.strategies import DATES, IDS
from tests.model import texts
from tests.model.world import World

Told = str
Act = Callable[[World, random.Random], Told]


# -- files -----------------------------------------------------------------------------------------------------------


def _any_path(world: World, chance: random.Random) -> str:
    known = sorted(world.tree)
    return chance.choice(known) if known and chance.random() < 0.9 else chance.choice(texts.PATHS)


def edit_file(world: World, chance: random.Random) -> Told:
    """Somebody edits a document that he has just read."""
    path = _any_path(world, chance)
    data = world.read(path)
    if data is None:
        world.save(path, texts.document(path, chance, world.word))
        return f"new {path}"
    name, new = texts.edit(path, data, chance, world.word)
    if chance.random() < 0.3:
        world.remember(path, data)
    world.save(path, new, aside=chance.random() < 0.4)
    return f"{name} {path}"


def edit_several(world: World, chance: random.Random) -> Told:
    """An assistant rewrites several documents in a burst."""
    return "; ".join(edit_file(world, chance) for _ in range(chance.randint(2, 5)))


def read_file(world: World, chance: random.Random) -> Told:
    """Somebody reads a document and will save it later."""
    path = _any_path(world, chance)
    if (data := world.read(path)) is not None:
        world.remember(path, data)
    return f"read {path}"


def save_stale(world: World, chance: random.Random) -> Told:
    """Somebody saves a whole document from what he read earlier, with an edit or without."""
    if not world.copies:
        return read_file(world, chance)
    path = chance.choice(sorted(world.copies))
    data = chance.choice(list(world.copies[path]))
    name = "as it was"
    if chance.random() < 0.8:
        name, data = texts.edit(path, data, chance, world.word)
    world.save(path, data, aside=chance.random() < 0.5)
    return f"stale {name} {path}"


def remove_file(world: World, chance: random.Random) -> Told:
    path = _any_path(world, chance)
    world.save(path, None)
    return f"remove {path}"


def empty_file(world: World, chance: random.Random) -> Told:
    path = _any_path(world, chance)
    world.save(path, chance.choice((b"", b"\n")))
    return f"empty {path}"


def move_file(world: World, chance: random.Random) -> Told:
    """A document is renamed, moved to the archive, or copied."""
    path = _any_path(world, chance)
    data = world.read(path)
    if data is None:
        return "nothing to move"
    folder, _, name = path.rpartition("/")
    new = chance.choice((f"archive/{path}", f"{folder}/moved-{name}".lstrip("/"), chance.choice(texts.PATHS)))
    world.save(new, data)
    if chance.random() < 0.8:
        world.save(path, None)
    return f"move {path} -> {new}"


def move_part(world: World, chance: random.Random) -> Told:
    """Lines go from one document to another, as when a log is rotated."""
    source, target = _any_path(world, chance), _any_path(world, chance)
    data, other = world.read(source), world.read(target)
    if not data or other is None or source == target:
        return "nothing to move"
    lines = data.split(b"\n")
    first = chance.randrange(len(lines))
    end = min(len(lines), first + chance.randint(1, 8))
    world.save(target, other + b"\n" + b"\n".join(lines[first:end]) + b"\n")
    world.save(source, b"\n".join(lines[:first] + lines[end:]))
    return f"lines {first}-{end} {source} -> {target}"


def spoil_file(world: World, chance: random.Random) -> Told:
    """Bytes that are not UTF-8."""
    path = _any_path(world, chance)
    data = world.read(path) or b""
    at = chance.randint(0, len(data))
    world.save(path, data[:at] + b"\xff\xfe" + data[at:])
    return f"spoil {path}"


def keep_tree(world: World, chance: random.Random) -> Told:
    world.trees.append(world.tree)
    return "commit"


def switch_tree(world: World, chance: random.Random) -> Told:
    """The whole tree becomes an earlier one, as by git."""
    if not world.trees:
        return keep_tree(world, chance)
    wanted = chance.choice(world.trees)
    for path in world.tree.keys() - wanted.keys():
        world.save(path, None)
    for path, data in wanted.items():
        if world.read(path) != data:
            world.save(path, data)
    return "switch"


FILE_ACTS: Mapping[Act, int] = {
    edit_file: 50, edit_several: 6, read_file: 6, save_stale: 8, remove_file: 2, empty_file: 1, move_file: 3,
    move_part: 4, spoil_file: 1, keep_tree: 1, switch_tree: 1,
}  # fmt: skip

# -- rows ------------------------------------------------------------------------------------------------------------

_TABLES = (
    Table.TASKS, Table.TASKS, Table.TASKS, Table.ENTRIES, Table.ENTRIES, Table.MODIFICATIONS, Table.SUBTASKS,
    Table.SESSIONS, Table.CACHE, Table.ERRORS,
)  # fmt: skip


def _any_key(world: World, table: str, chance: random.Random) -> object:
    keys = [key for (key,) in world.client.rows(f"SELECT id FROM {table} ORDER BY id")]
    return chance.choice(keys) if keys else None


def _columns(table: Table) -> list[str]:
    return [name for name in FIELDS[table] if name != "dependencies"]


def _run(world: World, sql: str, values: tuple[object, ...] = ()) -> Told:
    """As any client: what is refused is refused."""
    shown = sql + (f" {values!r}" if values else "")
    try:
        world.client.run(sql, values)  # type: ignore[arg-type]
    except SyncdError as error:
        return f"{shown} REFUSED {error}"
    return shown


def update_row(world: World, chance: random.Random) -> Told:
    table = chance.choice(_TABLES)
    key = _any_key(world, table.value, chance)
    if key is None:
        return insert_row(world, chance)
    names = chance.sample(_columns(table), chance.choice((1, 1, 1, 2)))
    values = [texts.word_value(table, name, chance, world.word) for name in names]
    sets = ", ".join(f"{name} = ?" for name in names)
    return _run(world, f"UPDATE {table.value} SET {sets} WHERE id = ?", (*values, key))


def insert_row(world: World, chance: random.Random) -> Told:
    table = chance.choice(_TABLES)
    names = chance.sample(_columns(table), chance.randint(1, len(_columns(table))))
    values: dict[str, object] = {name: texts.word_value(table, name, chance, world.word) for name in names}
    match table:
        case Table.TASKS:
            values["id"] = chance.choice((*IDS, "T7", "T88", "META-2", "PROJ-12"))
            values.setdefault("title", texts.title(chance, world.word))
        case Table.SUBTASKS:
            values["task_id"] = _any_key(world, "tasks", chance)
        case Table.MODIFICATIONS:
            values["edit_entry_id"] = _any_key(world, "edit_entries", chance)
        case Table.CACHE:
            values["id"] = 1
    verb = chance.choice(("INSERT", "INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"))
    marks = ", ".join("?" * len(values))
    return _run(world, f"{verb} INTO {table.value}({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def delete_row(world: World, chance: random.Random) -> Told:
    table = chance.choice(_TABLES)
    return _run(world, f"DELETE FROM {table.value} WHERE id = ?", (_any_key(world, table.value, chance),))


def change_needs(world: World, chance: random.Random) -> Told:
    task, need = _any_key(world, "tasks", chance), chance.choice((*IDS, "T9"))
    if chance.random() < 0.6:
        return _run(world, "INSERT OR IGNORE INTO task_dependencies VALUES (?, ?)", (task, need))
    return _run(world, "DELETE FROM task_dependencies WHERE task_id = ?", (task,))


def rename_task(world: World, chance: random.Random) -> Told:
    task = _any_key(world, "tasks", chance)
    return _run(world, "UPDATE tasks SET id = ? WHERE id = ?", (chance.choice(("T7", "T41", "T3b")), task))


def move_line(world: World, chance: random.Random) -> Told:
    """A file modification is given to another entry."""
    key, entry = _any_key(world, "file_modifications", chance), _any_key(world, "edit_entries", chance)
    return _run(world, "UPDATE file_modifications SET edit_entry_id = ? WHERE id = ?", (entry, key))


def edit_section(world: World, chance: random.Random) -> Told:
    """Prose is edited in the database."""
    rows = world.client.rows("SELECT id, text FROM sections WHERE typeof(text) = 'text' ORDER BY id")
    if not rows:
        return "no section"
    number, text = chance.choice(rows)
    end = "" if text.endswith("\n") or not text else "\n"
    lines = text.split("\n")
    at = chance.randint(0, len(lines))
    new = chance.choice((
        f"{text}{end}In the database {world.word()}.\n",
        "\n".join([*lines[:at], f"Between {world.word()}", *lines[at:]]),
        text.replace(" ", f" {world.word()} ", 1),
    ))  # fmt: skip
    return _run(world, "UPDATE sections SET text = ? WHERE id = ?", (new, number))


def many_rows(world: World, chance: random.Random) -> Told:
    """Several changes in one transaction, now and then taken back."""
    world.client.run("BEGIN IMMEDIATE")
    told = "; ".join(change_rows(world, chance) for _ in range(chance.randint(2, 5)))
    end = chance.choice(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK"))
    world.client.run(end)
    return f"{told}; {end}"


def mark_day(world: World, chance: random.Random) -> Told:
    """All entries of a day, as a script would."""
    day = chance.choice(DATES)
    return _run(world, "UPDATE edit_entries SET timezone = 'UTC' WHERE date = ?", (day,))


_SINGLE: Mapping[Act, int] = {
    update_row: 50, insert_row: 16, delete_row: 6, change_needs: 6, rename_task: 1, move_line: 1, edit_section: 6,
    mark_day: 1,
}  # fmt: skip
ROW_ACTS: Mapping[Act, int] = {**_SINGLE, many_rows: 8}


def _one(acts: Mapping[Act, int], world: World, chance: random.Random) -> Told:
    return chance.choices(list(acts), list(acts.values()))[0](world, chance)


def change_files(world: World, chance: random.Random) -> Told:
    """Any one thing that happens to files."""
    return _one(FILE_ACTS, world, chance)


def change_rows(world: World, chance: random.Random) -> Told:
    """Any one change of a single row."""
    return _one(_SINGLE, world, chance)


def change_database(world: World, chance: random.Random) -> Told:
    """Any one thing that another client does."""
    return _one(ROW_ACTS, world, chance)
