"""Which kind of document a path is (FORMATS: what a path means), and the grammar that reads that kind."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from parser.document import Grammar
from schema.patterns import pattern
from schema.records import TASK_ID, is_task_id

__all__ = ["TASK_ID", "grammar_for", "kind_of"]

_HISTORY = pattern(r"edit[-_]history[^/]*")
_AT_ROOT = {
    "tasks.md": "registry",
    "edit_history.md": "edit_history",
    "session_cache.md": "session_cache",
    "errorLog.md": "error_log",
    "activeContext.md": "active_context",
    "changelog.md": "changelog",
}

_MODULES = {
    "registry": "registry",
    "task": "task",
    "archived_task": "task",
    "edit_history": "edit_history",
    "edit_chunk": "edit_chunk",
    "session_cache": "session_cache",
    "session": "session",
    "error_log": "error_log",
    "active_context": "active_context",
}


def kind_of(path: str) -> str:
    """The kind of the document at ``path`` (relative to the bank, with ``/``)."""
    *folders, name = path.split("/")
    stem = name.removesuffix(".md")
    if stem == name or not stem or "templates" in folders:
        return "prose"
    match folders:
        case []:
            return _AT_ROOT.get(name, "prose")
        case ["tasks"]:
            return "task" if is_task_id(stem) else "prose"
        case ["archive", *_]:
            if is_task_id(stem):
                return "archived_task"
            return "edit_history" if _HISTORY.fullmatch(stem) else "prose"
        case ["edits", *_]:
            return "edit_chunk"
        case ["sessions"]:
            return "session"
    return "prose"


@cache
def grammar_for(kind: str) -> Grammar:
    """The grammar of a kind. Its module has one public name, ``GRAMMAR``; loaded when first needed."""
    module = import_module(f"parser.kinds.{_MODULES.get(kind, 'prose')}")
    grammar: Grammar = module.GRAMMAR
    return grammar
