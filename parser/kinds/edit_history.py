"""Edit histories: ``edit_history.md`` and the ones rotated into ``archive/``."""

from __future__ import annotations

from parser.kinds.entries import EntryGrammar

GRAMMAR = EntryGrammar()
