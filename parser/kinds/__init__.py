"""Which kind of document a path is (FORMATS: what a path means), and the grammar that reads that kind."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module

from parser.document import Grammar
from schema.records import TASK_ID

__all__ = ["TASK_ID", "grammar_for", "kind_of"]

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("prose", re.compile(r"(?:.*/)?templates/.*")),
    ("registry", re.compile(r"tasks\.md")),
    ("task", re.compile(rf"tasks/{TASK_ID}\.md")),
    ("archived_task", re.compile(rf"archive/(?:.*/)?{TASK_ID}\.md")),
    ("edit_history", re.compile(r"edit_history\.md|archive/(?:.*/)?edit[-_]history[^/]*\.md")),
    ("edit_chunk", re.compile(r"edits/(?:.*/)?[^/]+\.md")),
    ("session_cache", re.compile(r"session_cache\.md")),
    ("session", re.compile(r"sessions/[^/]+\.md")),
    ("error_log", re.compile(r"errorLog\.md")),
    ("active_context", re.compile(r"activeContext\.md")),
    ("changelog", re.compile(r"changelog\.md")),
)

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
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(path)), "prose")


@cache
def grammar_for(kind: str) -> Grammar:
    """The grammar of a kind. Its module has one public name, ``GRAMMAR``; loaded when first needed."""
    module = import_module(f"parser.kinds.{_MODULES.get(kind, 'prose')}")
    grammar: Grammar = module.GRAMMAR
    return grammar
