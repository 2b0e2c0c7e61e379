"""SQL text of the triggers: what must hold for any client, whatever its connection enforces.

Every change of a record is journalled in ``row_changes`` with its values before and after as JSON; for an update only
the columns that changed, and of an insertion in a transaction nothing: the row itself has it. The transaction is the
one that the daemon has open; without one the change came from elsewhere and waits, with NULL, to be sealed.

The text runs on SQLite 3.35 and later with its JSON functions: no RETURNING, no computed message in RAISE.
"""

# ruff: noqa: S608 - the names in these statements are those of our own tables

from __future__ import annotations

from collections.abc import Iterator

from schema.columns import RECORD_COLUMNS

_PARENTS = {
    "task_dependencies": ("task_id", "tasks"),
    "task_subtasks": ("task_id", "tasks"),
    "file_modifications": ("edit_entry_id", "edit_entries"),
}
_OPEN = "(SELECT value FROM state WHERE name = 'open_transaction')"
_JOURNAL = 'INSERT INTO row_changes("transaction", "table", key, operation, before, after)'


def key_of(table: str, row: str) -> str:
    """SQL for the key of ``row`` (NEW, OLD or a table) as the journal and the readings write it."""
    if table == "task_dependencies":
        return f"{row}.task_id || '>' || {row}.depends_on"
    return f"{row}.id" if table == "tasks" else f"CAST({row}.id AS TEXT)"


def _whole(table: str, row: str) -> str:
    return "json_object(" + ", ".join(f"'{c}', {row}.{c}" for c in RECORD_COLUMNS[table]) + ")"


def _changed(table: str, row: str) -> str:
    """JSON of those columns of ``row`` in which OLD and NEW differ."""
    parts = " || ".join(
        f"CASE WHEN OLD.{c} IS NOT NEW.{c} THEN ',\"{c}\":' || json_quote({row}.{c}) ELSE '' END"
        for c in RECORD_COLUMNS[table]
    )
    return f"'{{' || substr({parts}, 2) || '}}'"


def _differs(left: str, right: str, columns: tuple[str, ...]) -> str:
    return " OR ".join(f"{left}.{c} IS NOT {right}.{c}" for c in columns)


def _same_key(table: str, left: str, right: str) -> str:
    columns = RECORD_COLUMNS[table] if table == "task_dependencies" else ("id",)
    return " AND ".join(f"{left}.{c} IS {right}.{c}" for c in columns)


def insert_triggers() -> Iterator[tuple[str, str]]:
    """The triggers that journal an insertion, by name."""
    for table in RECORD_COLUMNS:
        for sql in _journal_inserts(table):
            yield sql.split()[2], sql


def record_triggers() -> Iterator[str]:
    """The triggers of all record tables."""
    for table in RECORD_COLUMNS:
        yield from _journal_inserts(table)
        yield from _journal_updates(table)
        yield from _journal_deletes(table)
        if table in _PARENTS:
            yield from _refuse_orphans(table, *_PARENTS[table])
    yield from _cascades()
    yield from _unique_paths()


def _journal_inserts(table: str) -> Iterator[str]:
    """INSERT OR REPLACE removes a row without a word. So the row that is about to go is put aside, and where one with
    its key then really is inserted, the journal tells of an update. IGNORE and upserts insert none: what was put aside
    stays until the next insertion with that key puts aside anew, or nothing."""
    key = key_of(table, "NEW")
    aside = f"""SELECT 1 FROM replaced WHERE "table" = '{table}' AND key = {key}"""
    there = f"SELECT 1 FROM {table} AS t WHERE {_same_key(table, 't', 'NEW')}"
    yield f"""CREATE TRIGGER {table}_before_insert BEFORE INSERT ON {table}
WHEN EXISTS ({there}) OR EXISTS ({aside}) BEGIN
  DELETE FROM replaced WHERE "table" = '{table}' AND key = {key};
  INSERT INTO replaced("table", key, before)
    SELECT '{table}', {key}, {_whole(table, "t")} FROM {table} AS t WHERE {_same_key(table, "t", "NEW")};
END"""
    yield f"""CREATE TRIGGER {table}_after_insert AFTER INSERT ON {table} WHEN NOT EXISTS ({aside}) BEGIN
  {_JOURNAL} VALUES ({_OPEN}, '{table}', {key}, 'insert', NULL,
    CASE WHEN {_OPEN} IS NULL THEN {_whole(table, "NEW")} END);
END"""
    pairs = f"""FROM json_each(r.before) AS b JOIN json_each({_whole(table, "NEW")}) AS a ON a.key = b.key
      WHERE a.value IS NOT b.value"""
    yield f"""CREATE TRIGGER {table}_after_replace AFTER INSERT ON {table} WHEN EXISTS ({aside}) BEGIN
  {_JOURNAL} SELECT {_OPEN}, '{table}', {key}, 'update',
    (SELECT json_group_object(b.key, b.value) {pairs}),
    (SELECT json_group_object(a.key, a.value) {pairs})
    FROM replaced AS r WHERE r."table" = '{table}' AND r.key = {key} AND EXISTS (SELECT 1 {pairs});
END"""


def _journal_updates(table: str) -> Iterator[str]:
    same = _same_key(table, "OLD", "NEW")
    others = tuple(c for c in RECORD_COLUMNS[table] if c != "id")
    if table != "task_dependencies":
        yield f"""CREATE TRIGGER {table}_after_update AFTER UPDATE ON {table}
WHEN {same} AND ({_differs("OLD", "NEW", others)}) BEGIN
  {_JOURNAL} VALUES ({_OPEN}, '{table}', {key_of(table, "NEW")}, 'update',
    {_changed(table, "OLD")},
    {_changed(table, "NEW")});
END"""
    yield f"""CREATE TRIGGER {table}_after_rename AFTER UPDATE ON {table} WHEN NOT ({same}) BEGIN
  {_JOURNAL} VALUES ({_OPEN}, '{table}', {key_of(table, "OLD")}, 'delete', {_whole(table, "OLD")}, NULL);
  {_JOURNAL} VALUES ({_OPEN}, '{table}', {key_of(table, "NEW")}, 'insert', NULL, {_whole(table, "NEW")});
END"""
    yield f"""CREATE TRIGGER {table}_before_rename BEFORE UPDATE ON {table}
WHEN NOT ({same}) AND EXISTS (SELECT 1 FROM {table} AS t WHERE {_same_key(table, "t", "NEW")}) BEGIN
  SELECT RAISE(ABORT, '{table} has a row with this key already');
END"""


def _journal_deletes(table: str) -> Iterator[str]:
    key = key_of(table, "OLD")
    yield f"""CREATE TRIGGER {table}_after_delete AFTER DELETE ON {table} BEGIN
  {_JOURNAL} VALUES ({_OPEN}, '{table}', {key}, 'delete', {_whole(table, "OLD")}, NULL);
  DELETE FROM replaced WHERE "table" = '{table}' AND key = {key};
END"""


def _refuse_orphans(table: str, column: str, parent: str) -> Iterator[str]:
    for event, name in (("INSERT", "insert"), (f"UPDATE OF {column}", "move")):
        yield f"""CREATE TRIGGER {table}_orphan_{name} BEFORE {event} ON {table}
WHEN NOT EXISTS (SELECT 1 FROM {parent} WHERE id = NEW.{column}) BEGIN
  SELECT RAISE(ABORT, '{column} must be the id of a row of {parent}');
END"""


def _cascades() -> Iterator[str]:
    """Rows that belong to another go before it, so that taking the journal back restores it before them."""
    for parent in ("tasks", "edit_entries"):
        children = [(table, column) for table, (column, owner) in _PARENTS.items() if owner == parent]
        gone = "\n".join(f"  DELETE FROM {table} WHERE {column} = OLD.id;" for table, column in children)
        yield f"CREATE TRIGGER {parent}_before_delete BEFORE DELETE ON {parent} BEGIN\n{gone}\nEND"
        moved = "\n".join(f"  UPDATE {t} SET {c} = NEW.id WHERE {c} = OLD.id;" for t, c in children)
        yield f"""CREATE TRIGGER {parent}_renamed AFTER UPDATE OF id ON {parent} WHEN OLD.id IS NOT NEW.id BEGIN
{moved}
END"""


def _unique_paths() -> Iterator[str]:
    """A session's path is refused here, before OR REPLACE could remove the other session silently."""
    for event, name in (("INSERT", "insert"), ("UPDATE OF path", "update")):
        yield f"""CREATE TRIGGER sessions_path_{name} BEFORE {event} ON sessions
WHEN EXISTS (SELECT 1 FROM sessions WHERE path = NEW.path AND id IS NOT NEW.id) BEGIN
  SELECT RAISE(ABORT, 'another session has this path');
END"""


def section_triggers() -> Iterator[str]:
    """Prose that somebody else edits in the database is journalled; what the daemon does is in ``versions``."""
    key = "CAST({row}.id AS TEXT)"
    place = "json_object('document_id', {row}.document_id, 'position', {row}.position, 'text', {row}.text)"
    outside = f"{_OPEN} IS NULL AND typeof({{row}}.text) = 'text'"
    yield f"""CREATE TRIGGER sections_after_update AFTER UPDATE OF text ON sections
WHEN OLD.text IS NOT NEW.text AND {outside.format(row="NEW")} BEGIN
  {_JOURNAL} VALUES (NULL, 'sections', {key.format(row="NEW")}, 'update',
    json_object('text', OLD.text), json_object('text', NEW.text));
END"""
    yield f"""CREATE TRIGGER sections_before_update BEFORE UPDATE OF text ON sections
WHEN {_OPEN} IS NULL AND typeof(OLD.text) <> typeof(NEW.text) BEGIN
  SELECT RAISE(ABORT, 'text must be text; a document that is not UTF-8 is left alone');
END"""
    yield f"""CREATE TRIGGER sections_after_insert AFTER INSERT ON sections WHEN {outside.format(row="NEW")} BEGIN
  {_JOURNAL} VALUES (NULL, 'sections', {key.format(row="NEW")}, 'insert', NULL, {place.format(row="NEW")});
END"""
    converged = 'SELECT 1 FROM documents WHERE id = OLD.document_id AND "transaction" IS NOT NULL'
    yield f"""CREATE TRIGGER sections_before_delete BEFORE DELETE ON sections
WHEN {_OPEN} IS NULL AND EXISTS ({converged}) BEGIN
  SELECT RAISE(ABORT, 'a section is not deleted by hand: set its text to nothing, or delete the file');
END"""
    yield f"""CREATE TRIGGER documents_before_delete BEFORE DELETE ON documents
WHEN {_OPEN} IS NULL AND OLD."transaction" IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'a document is not deleted by hand: delete the file');
END"""
