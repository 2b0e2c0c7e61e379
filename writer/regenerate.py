"""Whole documents from rows: the lossless writer where the document exists, the canonical form where it does not. Pure.

Rows come as `schema.store.fetch_all` gives them: by key, each a mapping of column to value. ``updated`` is the moment
for ``*Last Updated*`` as it is to be written (``2025-11-13 18:27:15 IST``); without it no such line is made or touched.
The answer is a `Put`: the document, and for each record that it cannot show a refusal with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from parser.document import At, Document, parse
from parser.values import read_date
from schema.records import FIELDS, Reading, Role, Table, Value
from writer import canonical, changelog, graphs
from writer.changes import Change, Insert, Refusal, Remove, SetFields
from writer.kinds.modifications import of_entry
from writer.pairing import differing, pair
from writer.put import Put, put
from writer.told import said

Values = Mapping[str, Value]
Rows = Mapping[str, Values]
_T = TypeVar("_T")

_UNSHOWN = "it would not be read back as it was asked for"
_HELD = frozenset(FIELDS[Table.TASKS]) - {"description"}  # what the registry can show of a task
_LISTED = frozenset({"title", "status"})
_MENTIONED = frozenset({"status", "priority"})


def regenerate_tasks(tasks: Rows, document: Document | None = None, *, updated: str | None = None) -> Put:
    """``tasks.md``: a row for each of ``tasks``. A task's ``description`` stands in its own file, not here."""
    if document is None:
        items = list(tasks.items())
        return _anew(
            "tasks.md",
            lambda kept: canonical.registry_text(kept, updated),
            items,
            lambda item: [(Table.TASKS, item[0], _only(item[1], _HELD))],
            lambda item: Insert(Table.TASKS, {**_only(item[1], _HELD), "id": item[0]}),
        )
    changes = _task_changes(document, tasks)
    there = {r.key for _, r in document.readings() if r.table is Table.TASKS and r.role is Role.REGISTRY}
    changes += [
        Insert(Table.TASKS, {**_only(row, _HELD), "id": task}) for task, row in tasks.items() if task not in there
    ]
    done = _put(document, changes, updated)
    before = {task: {**tasks.get(task, {}), **values} for task, values in _said(document).items()}
    drawn = [graphs.TaskChange(task, before.get(task), tasks.get(task)) for task in dict.fromkeys([*before, *tasks])]
    return Put(graphs.redraw(done.document, drawn, before), done.refused)


def _said(document: Document) -> dict[str, dict[str, Value]]:
    """What a registry says of its tasks, the first place of each field."""
    said: dict[str, dict[str, Value]] = {}
    for _, reading in document.readings():
        if reading.table is Table.TASKS:
            for name, value in reading.values().items():
                said.setdefault(reading.key, {}).setdefault(name, value)
    return said


def regenerate_edit_history(
    entries: Rows, modifications: Rows, document: Document | None = None, *, updated: str | None = None
) -> Put:
    """``edit_history.md``: ``entries`` (those that belong here, not those of the archive) with their lines."""
    lines: dict[str, dict[str, Values]] = {}
    for key, row in modifications.items():
        lines.setdefault(str(row.get("edit_entry_id")), {})[key] = _only(row, FIELDS[Table.MODIFICATIONS])
    if document is None:
        items = [
            (_only(row, FIELDS[Table.ENTRIES]), tuple(lines.get(key, {}).values())) for key, row in entries.items()
        ]
        return _anew(
            "edit_history.md",
            lambda kept: canonical.history_text(kept, updated),
            items,
            lambda item: [(Table.ENTRIES, "", item[0]), *((Table.MODIFICATIONS, "", line) for line in item[1])],
            lambda item: Insert(Table.ENTRIES, item[0], None, item[1]),
        )
    readings = [(at, r) for at, r in document.readings() if r.table is Table.ENTRIES]
    found = pair(readings, entries, ("date", "time", "task_id", "task_description"))
    changes: list[Change] = [Remove(at) for at, _ in found.readings]
    for at, reading, key in found.pairs:
        changes += _sets(at, reading, entries[key])
        changes += _line_changes(document, at, lines.get(key, {}))
    for key in found.keys:
        values = _only(entries[key], FIELDS[Table.ENTRIES])
        changes.append(Insert(Table.ENTRIES, values, None, tuple(lines.get(key, {}).values())))
    return _put(document, changes, updated)


def regenerate_session_cache(
    cache: Values | None, tasks: Rows, document: Document | None = None, *, updated: str | None = None
) -> Put:
    """``session_cache.md``: the one row of the cache, and the tasks that it repeats (a new cache: all of ``tasks``)."""
    row = {**(cache or {}), **({"last_updated": read_date(updated)} if updated else {})}
    if document is None:
        stamped = {**row, "last_updated": updated} if updated else row
        items = list(tasks.items())
        done = _anew(
            "session_cache.md",
            lambda kept: canonical.cache_text(stamped, kept),
            items,
            lambda item: [(Table.TASKS, item[0], _only(item[1], _LISTED))],
            lambda item: Insert(Table.TASKS, {**_only(item[1], _LISTED), "id": item[0]}),
        )
        shown = said(done.document, Table.CACHE)
        lost = {n: v for n, v in _only(row, FIELDS[Table.CACHE]).items() if shown.get(n) != v}
        refused = [Refusal(Insert(Table.CACHE, lost), _UNSHOWN)] if lost else []
        return Put(done.document, (*done.refused, *refused))
    changes = _task_changes(document, tasks)
    for at, reading in document.readings():
        if reading.table is Table.CACHE:
            changes += _sets(at, reading, row)
    return put(document, changes)


def regenerate_active_context(
    tasks: Rows, focus: str | None = None, document: Document | None = None, *, updated: str | None = None
) -> Put:
    """``activeContext.md``: the task in focus and the open ones (in an existing document, those that it mentions)."""
    if document is None:
        mentioned = {t: r for t, r in tasks.items() if t == focus or r.get("status") in canonical.OPEN}
        return _anew(
            "activeContext.md",
            lambda kept: canonical.context_text(focus if focus in dict(kept) else None, kept, updated),
            list(mentioned.items()),
            # A task without either is mentioned, which is no reading.
            lambda item: [(Table.TASKS, item[0], told)] if (told := _only(item[1], _MENTIONED)) else [],
            lambda item: Insert(Table.TASKS, {**_only(item[1], _MENTIONED), "id": item[0]}),
        )
    return _put(document, _task_changes(document, tasks), updated)


def regenerate_error_log(errors: Rows, document: Document | None = None, *, updated: str | None = None) -> Put:
    """``errorLog.md``: a section for each error, newest first in a new log."""
    if document is None:
        rows = sorted(errors.values(), key=lambda row: str(row.get("timestamp") or ""))
        inserts = [Insert(Table.ERRORS, _only(row, FIELDS[Table.ERRORS])) for row in rows]
        return put(canonical.blank("errorLog.md", updated), inserts)
    readings = [(at, r) for at, r in document.readings() if r.table is Table.ERRORS]
    found = pair(readings, errors, ("timestamp", "task_id", "error_message"))
    changes: list[Change] = [Remove(at) for at, _ in found.readings]
    changes += [change for at, reading, key in found.pairs for change in _sets(at, reading, errors[key])]
    changes += [Insert(Table.ERRORS, _only(errors[key], FIELDS[Table.ERRORS])) for key in found.keys]
    return _put(document, changes, updated)


def regenerate_changelog(tasks: Rows, document: Document | None = None, *, updated: str | None = None) -> Put:
    """``changelog.md``: a line for each completed task of ``tasks`` with its date of completion.

    In an existing changelog, for each that it does not name yet. It holds no records, so what is asked for is checked
    by its words.
    """
    done = {task: row for task, row in tasks.items() if row.get("status") == "completed" and row.get("completed")}
    start = document or canonical.blank("changelog.md", updated)
    result, refused = changelog.with_tasks(start, done)
    return Put(result, tuple(Refusal(Insert(Table.TASKS, {**done[task], "id": task}), why) for task, why in refused))


# -- a document that exists ------------------------------------------------------------------------------------------


def _put(document: Document, changes: Sequence[Change], updated: str | None) -> Put:
    """Make ``changes``; where any text changed by them, the stamp of the document is brought along."""
    done = put(document, changes)
    stamp = read_date(updated) if updated else None
    if stamp is None or done.document.text == document.text:
        return done
    stamps = []
    for at, reading in done.document.readings():
        old = reading.value("last_updated") if reading.table is Table.HEADER else None
        if isinstance(old, str) and old != stamp[: len(old)]:  # as precise as it was
            stamps.append(SetFields(at, {"last_updated": stamp[: len(old)]}))
    again = put(done.document, stamps[:1])
    return Put(again.document, (*done.refused, *again.refused))


def _sets(at: At, reading: Reading, row: Values) -> list[Change]:
    values = differing(reading, row)
    return [SetFields(at, values, row)] if values else []


def _task_changes(document: Document, tasks: Rows) -> list[Change]:
    """What makes all readings of tasks show their rows; those of tasks that have none go."""
    changes: list[Change] = []
    for at, reading in document.readings():
        if reading.table is not Table.TASKS:
            continue
        row = tasks.get(reading.key)
        changes += [Remove(at)] if row is None else _sets(at, reading, row)
    return changes


def _line_changes(document: Document, entry: At, rows: Rows) -> list[Change]:
    """What makes the lines of an entry show ``rows``."""
    readings = [(at, document.at(at)) for at in of_entry(document, entry)]
    found = pair(readings, rows, ("file_path", "description"))
    changes: list[Change] = [Remove(at) for at, _ in found.readings]
    changes += [change for at, reading, key in found.pairs for change in _sets(at, reading, rows[key])]
    return changes + [Insert(Table.MODIFICATIONS, rows[key], entry) for key in found.keys]


# -- a document that does not ----------------------------------------------------------------------------------------

_Expected = tuple[Table, str, Values]


def _anew(
    path: str,
    text: Callable[[Sequence[_T]], str],
    items: Sequence[_T],
    expected: Callable[[_T], Sequence[_Expected]],
    change: Callable[[_T], Insert],
) -> Put:
    """The document of all ``items`` that can be read back from it. ``expected`` gives the readings of an item."""

    def reads(kept: Sequence[_T]) -> bool:
        return _seen(parse(path, text(kept))) == Counter(_token(e) for item in kept for e in expected(item))

    kept = list(items)
    if not reads(kept):
        kept = [item for item in items if reads([item])]
    if not reads(kept):  # some of them cannot stand together
        together: list[_T] = []
        for item in kept:
            together += [item] if reads([*together, item]) else []
        kept = together
    left = list(kept)
    refused = []
    for item in items:
        if item in left:
            left.remove(item)
        else:
            refused.append(Refusal(change(item), _UNSHOWN))
    return Put(parse(path, text(kept)), tuple(refused))


def _seen(document: Document) -> Counter[object]:
    tables = (Table.HEADER, Table.CACHE, Table.COUNTS)
    return Counter(
        _token((r.table, r.key if r.table is Table.TASKS else "", r.values()))
        for _, r in document.readings()
        if r.table not in tables
    )


def _token(expected: _Expected) -> object:
    table, key, values = expected
    plain = {n: tuple(sorted(v)) if isinstance(v, tuple) else v for n, v in values.items() if v not in (None, (), "")}
    return table, key, tuple(sorted(plain.items(), key=lambda pair: pair[0]))


def _only(row: Values, names: Collection[str]) -> Values:
    """The values of ``row`` that are there and among ``names``."""
    return {name: value for name, value in row.items() if name in names and value not in (None, (), "")}
