"""Which kind of document a path is (FORMATS: what a path means), and the grammar that reads that kind."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module

from parser.document import Grammar
from parser.patterns import pattern
from schema.records import TASK_ID

__all__ = ["TASK_ID", "grammar_for", "kind_of"]

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("prose", pattern(r"(?:.*/)?templates/.*")),
    ("registry", pattern(r"tasks\.md")),
    ("task", pattern(rf"tasks/{TASK_ID}\.md")),
    ("archived_task", pattern(rf"archive/(?:.*/)?{TASK_ID}\.md")),
    ("edit_history", pattern(r"edit_history\.md|archive/(?:.*/)?edit[-_]history[^/]*\.md")),
    ("edit_chunk", pattern(r"edits/(?:.*/)?[^/]+\.md")),
    ("session_cache", pattern(r"session_cache\.md")),
    ("session", pattern(r"sessions/[^/]+\.md")),
    ("error_log", pattern(r"errorLog\.md")),
    ("active_context", pattern(r"activeContext\.md")),
    ("changelog", pattern(r"changelog\.md")),
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
