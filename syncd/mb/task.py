"""`mb task`: the tasks, one task, and what changes them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from schema import checks, store
from schema.db import Database
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common, whole_number
from syncd.errors import Exit, UsageError
from syncd.mb import stamps
from syncd.mb.doing import Made, carry_out, found, needed, writes

if TYPE_CHECKING:
    from syncd.api import Transaction

_COLUMNS = ("id", "status", "priority", "title", "depends_on")


def add_list_tasks(parser: ArgumentParser) -> None:
    """The options of `mb task list`."""
    parser.add_argument("--status", metavar="STATUS", help="only those with this status")
    parser.add_argument("--priority", metavar="PRIORITY", help="only those with this priority")
    common(parser)


def list_tasks(status: str | None, priority: str | None, bank: str | None, as_json: bool) -> int:
    """List the tasks."""
    wanted = {"status": status and checks.status(status), "priority": priority and checks.priority(priority)}
    with inspect.reading(banks.find(bank)) as db:
        rows = store.fetch_all(db, "tasks")
    shown = [
        _line(key, row) for key, row in rows.items() if all(not v or row.get(n) == v for n, v in wanted.items())
    ]
    if not as_json:
        shown = [{**row, "depends_on": ", ".join(row["depends_on"])} for row in shown]
    return found(shown, _COLUMNS, as_json)


def _line(key: str, row: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in row.items() if name != "dependencies"}
    return {**values, "id": key, "depends_on": list(row.get("dependencies") or ())}


def add_show_task(parser: ArgumentParser) -> None:
    """The options of `mb task show`."""
    parser.add_argument("task", metavar="ID", help="the task")
    common(parser)


def show_task(task: str, bank: str | None, as_json: bool) -> int:
    """Show one task: its fields, checklist, dependencies both ways, newest work, and the places that show it."""
    with inspect.reading(banks.find(bank)) as db:
        told = _told(db, checks.known_task(db, task))
    if as_json:
        output.show_json(told)
        return Exit.CONVERGED
    lists = {"depends_on", "needed_by", "documents"}
    pairs = {n: ", ".join(v) if n in lists else v for n, v in told.items() if v and n not in ("items", "work")}
    output.show_pairs(pairs)
    if told["items"]:
        output.show_table(("item", "status", "text"), [(i["id"], i["status"], i["text"]) for i in told["items"]])
    if told["work"]:
        output.show_table(
            ("date", "time", "files", "work"), [(w["date"], w["time"], w["files"], w["summary"]) for w in told["work"]]
        )
    return Exit.CONVERGED


def _told(db: Database, task: str) -> dict[str, Any]:
    row = _line(task, dict(store.fetch(db, "tasks", task) or {}))
    needed_by = db.rows("SELECT task_id FROM task_dependencies WHERE depends_on = ? ORDER BY 1", (task,))
    documents = db.rows(
        """SELECT DISTINCT d.path FROM readings r JOIN sections s ON s.id = r.section_id
        JOIN documents d ON d.id = s.document_id WHERE r."table" = 'tasks' AND r.key = ? ORDER BY 1""",
        (task,),
    )
    items = db.rows(
        "SELECT id, section, text, status FROM task_subtasks WHERE task_id = ? ORDER BY position, id", (task,)
    )
    work = db.rows(
        """SELECT e.id, e.date, e.time, e.task_description,
          (SELECT count(*) FROM file_modifications f WHERE f.edit_entry_id = e.id)
        FROM edit_entries e WHERE ', ' || replace(e.task_id, ',', ', ') || ',' LIKE '% ' || ? || ',%'
        ORDER BY e.date DESC, e.time DESC LIMIT 10""",
        (task,),
    )
    return {
        **row,
        "needed_by": [key for (key,) in needed_by],
        "documents": [path for (path,) in documents],
        "items": [dict(zip(("id", "section", "text", "status"), item, strict=True)) for item in items],
        "work": [dict(zip(("entry", "date", "time", "summary", "files"), entry, strict=True)) for entry in work],
    }


def add_add_task(parser: ArgumentParser) -> None:
    """The options of `mb task add`."""
    parser.add_argument("task", nargs="?", metavar="ID", help="its id, like T21")
    parser.add_argument("title", nargs="?", metavar="TITLE", help="its title")
    parser.add_argument("--status", metavar="STATUS", default="pending", help="its status (default pending)")
    parser.add_argument("--priority", metavar="PRIORITY", help="CRITICAL, HIGH, MEDIUM or LOW")
    parser.add_argument("--started", metavar="DATE", help="YYYY-MM-DD, alone or with a time")
    parser.add_argument("--depends-on", metavar="ID", action="append", default=[], help="one it needs (repeatable)")
    parser.add_argument("--description", metavar="TEXT", help="one line about it")
    parser.add_argument("--key", metavar="KEY", help="a name for this call: a second one with it changes nothing")
    writes(parser)


def add_task(
    task: str | None,
    title: str | None,
    status: str,
    priority: str | None,
    started: str | None,
    depends_on: list[str],
    description: str | None,
    key: str | None,
    bank: str | None,
    as_json: bool,
    dry_run: bool,
    at: str | None,
) -> int:
    """Make a task."""
    known = needed(task, "the task's id", "id", "task add")
    named = needed(title, "the task's title", "title", "task add")

    def act(tx: Transaction) -> Made:
        made = tx.create_task(
            known, named, status=status, priority=priority, started=started, depends_on=depends_on,
            description=description, key=key,
        )  # fmt: skip
        return {"task": made}

    return carry_out(act, "add-task", bank=bank, as_json=as_json, dry_run=dry_run, at=at)


def add_set_task(parser: ArgumentParser) -> None:
    """The options of `mb task set`."""
    parser.add_argument("task", metavar="ID", help="the task")
    parser.add_argument("--title", metavar="TITLE", help="another title")
    parser.add_argument("--status", metavar="STATUS", help="another status")
    parser.add_argument("--priority", metavar="PRIORITY", help="another priority")
    parser.add_argument("--description", metavar="TEXT", help="another description of one line")
    parser.add_argument("--tick", metavar="ITEM", type=whole_number, action="append", default=[],
                        help="an item of its checklist is done (ids: `mb task show`; may be repeated)")  # fmt: skip
    parser.add_argument("--untick", metavar="ITEM", type=whole_number, action="append", default=[],
                        help="one is not done")  # fmt: skip
    parser.add_argument("--add-item", metavar="TEXT", dest="items", action="append", default=[], help="a new item")
    writes(parser)


def set_task(
    task: str,
    title: str | None,
    status: str | None,
    priority: str | None,
    description: str | None,
    tick: list[int],
    untick: list[int],
    items: list[str],
    bank: str | None,
    as_json: bool,
    dry_run: bool,
    at: str | None,
) -> int:
    """Change a task or its checklist."""
    if not (title is not None or status or priority or description is not None or tick or untick or items):
        raise UsageError("nothing to set", hint="see `mb task set --help`")

    def act(tx: Transaction) -> Made:
        known = checks.known_task(tx.db, task)
        if title is not None:
            from syncd.mb import current

            current.rename(tx, known, title)
        if status is not None:
            tx.update_task_status(known, status)
        if priority is not None:
            tx.set_task_priority(known, priority)
        if description is not None:
            tx.describe_task(known, description)
        for item, now in [*((i, "completed") for i in tick), *((i, "pending") for i in untick)]:
            _require_item(tx.db, known, item)
            tx.tick_subtask(item, now)
        stamps.touch(tx, known)
        added = [tx.add_subtask(known, text) for text in items]
        return {"task": known, **({"items": added} if added else {})}

    return carry_out(act, "set-task", bank=bank, as_json=as_json, dry_run=dry_run, at=at)


def _require_item(db: Database, task: str, item: int) -> None:
    if db.value("SELECT task_id FROM task_subtasks WHERE id = ?", (item,)) != task:
        raise UsageError(f"{task} has no item {item} in its checklist", hint=f"`mb task show {task}` lists them")


def add_depends(parser: ArgumentParser) -> None:
    """The options of `mb task depends`."""
    parser.add_argument("task", metavar="ID", help="the task")
    parser.add_argument("--on", metavar="ID", action="append", default=[], help="it needs this one (may be repeated)")
    parser.add_argument("--not-on", metavar="ID", action="append", default=[], help="it no longer needs this one")
    writes(parser)


def depends(
    task: str, on: list[str], not_on: list[str], bank: str | None, as_json: bool, dry_run: bool, at: str | None
) -> int:
    """Show or change what a task depends on.

    Without --on and --not-on: all that it needs, directly or through others. A cycle is refused.
    """
    if not on and not not_on:
        with inspect.reading(banks.find(bank)) as db:
            rows = _needs(db, checks.known_task(db, task))
        return found(rows, ("id", "status", "title", "through"), as_json)

    def act(tx: Transaction) -> Made:
        for need in not_on:
            tx.remove_dependency(task, need)
        for need in on:
            tx.add_dependency(task, need)
        stamps.touch(tx, task)
        return {"task": task}

    return carry_out(act, "depends", bank=bank, as_json=as_json, dry_run=dry_run, at=at)


def _needs(db: Database, task: str) -> list[dict[str, Any]]:
    rows = db.rows(
        """WITH RECURSIVE needs(id, through) AS (
          SELECT depends_on, NULL FROM task_dependencies WHERE task_id = ?1
          UNION SELECT d.depends_on, d.task_id FROM needs JOIN task_dependencies d ON d.task_id = needs.id)
        SELECT needs.id, t.status, t.title, min(coalesce(through, '')) FROM needs LEFT JOIN tasks t ON t.id = needs.id
        GROUP BY needs.id ORDER BY min(coalesce(through, '')), needs.id""",
        (task,),
    )
    return [dict(zip(("id", "status", "title", "through"), row, strict=True)) for row in rows]
