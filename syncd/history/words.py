"""What a transaction did, in one line of words: ``tasks.md: T21 in_progress → completed, 4 files followed``. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from schema.history import Version
from schema.journal import Net, Transaction, Values
from schema.records import Action

_NAMED = 3
_TOTALS = 4
_SHORT = 32
"""Characters up to which a value is told."""

_NOUNS = {
    "tasks": ("task", "tasks"),
    "edit_entries": ("entry", "entries"),
    "sessions": ("session", "sessions"),
    "error_logs": ("error", "errors"),
    "task_subtasks": ("checklist item", "checklist items"),
    "task_dependencies": ("dependency", "dependencies"),
    "file_modifications": ("file line", "file lines"),
    "session_cache": ("session cache", "session caches"),
}
_DID = {Action.INSERT: "new", Action.UPDATE: "changed", Action.DELETE: "gone"}
_BESIDE = ("session_cache", "file_modifications")  # what goes along with a change of something else

Nets = Mapping[tuple[str, str], Net]
Counts = Mapping[tuple[str, Action], int]


def sentence(transaction: Transaction, versions: Sequence[Version], rows: Nets | Counts) -> str:
    """What ``transaction`` did. ``rows`` are its net changes, or their counts where they are many."""
    if transaction.operation_type == "fold":
        return f"history begins here, with {_counted(len(versions), 'document', 'documents')}"
    saved = {v.path: v for v in versions if not v.emitted}
    written = sorted({v.path for v in versions if v.emitted} - saved.keys())
    head = f"{transaction.operation_type} of {transaction.note}" if transaction.note else ""
    parts = [_documents(saved)] if saved else []
    said = _rows(rows)
    if saved and not said and not any(not v.existed or not v.exists for v in saved.values()):
        said = ["text"]
    gone = {v.path for v in versions if v.emitted and not v.exists}
    if kept := [path for path in written if path not in gone]:
        verb = "followed" if saved else "written"
        said.append(f"{_counted(len(kept), 'file', 'files')} {verb}" if len(kept) > 1 or said else kept[0])
    said += [f"{path} removed" for path in written if path in gone][:_NAMED]
    body = ": ".join([*parts, ", ".join(said)] if said else parts)
    return ": ".join(part for part in (head, body) if part) or transaction.operation_type


def _documents(saved: Mapping[str, Version]) -> str:
    names = []
    for path, version in sorted(saved.items()):
        # Several steps of one document come newest first; the mapping holds its first step.
        names.append(f"{path} {'new' if not version.existed else 'removed' if not version.exists else ''}".rstrip())
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _rows(rows: Nets | Counts) -> list[str]:
    nets = {name: net for name, net in rows.items() if isinstance(net, Net)}
    main = {name: net for name, net in nets.items() if name[0] not in _BESIDE} or nets
    if nets and len(main) <= _NAMED:
        return [_record(table, key, net) for (table, key), net in main.items()]
    counts = Counter((table, net.operation) for (table, _), net in main.items())
    for name, count in rows.items():
        if isinstance(name[1], Action) and isinstance(count, int) and name[0] not in _BESIDE:
            counts[name[0], name[1]] = count
    return _totals(counts)


def _totals(counts: Counts) -> list[str]:
    """The most important first. Rows that were changed where others of their table are new were finished only."""
    order = list(_NOUNS)
    ranked = sorted(counts.items(), key=lambda item: order.index(item[0][0]) if item[0][0] in order else len(order))
    parts = [
        f"{_counted(count, *_NOUNS.get(table, (table, table)))} {_DID[did]}"
        for (table, did), count in ranked
        if did is not Action.UPDATE or (table, Action.INSERT) not in counts
    ]
    return parts[:_TOTALS] + (["and more"] if len(parts) > _TOTALS else [])


def _record(table: str, key: str, net: Net) -> str:
    name = _name(table, key, net.after or net.before or {})
    if net.operation is not Action.UPDATE:
        return f"{name} {_DID[net.operation]}"
    before, after = net.before or {}, net.after or {}
    names = [field for field in after if field != "timestamp"]
    told = [_field(field, before.get(field), after[field], table) for field in names[:_NAMED]]
    return f"{name} {', '.join(told)}" + (" and more" if len(names) > _NAMED else "")


def _field(name: str, before: object, after: object, table: str) -> str:
    label = "" if name == "status" and table in ("tasks", "task_subtasks") else f"{name} "
    values = [str(value) if value not in (None, "") else "-" for value in (before, after)]
    if any(len(value) > _SHORT or "\n" in value for value in values):
        return f"{name} changed"
    return f"{label}{values[0]} → {values[1]}"


def _name(table: str, key: str, values: Values) -> str:
    noun = _NOUNS.get(table, (table, table))[0]
    match table:
        case "tasks":
            return key
        case "task_dependencies":
            task, _, need = key.partition(">")
            return f"{task} needs {need}"
        case "task_subtasks" if values.get("task_id"):
            return f"{values['task_id']} {noun} {key}"
        case "edit_entries" if values.get("date"):
            return " ".join(str(v) for v in (noun, values["date"], values.get("time"), values.get("task_id")) if v)
        case "sessions" if values.get("session_date"):
            return " ".join(str(v) for v in (noun, values["session_date"], values.get("session_period")) if v)
        case "session_cache":
            return noun
    return f"{noun} {key}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
