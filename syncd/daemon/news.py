"""Which conflicts, holds and failures of a bank the user has not been told of, for the commands that wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schema.db import Database
from syncd import holds
from syncd.config import Config
from syncd.daemon.hooks import Hooks

Found = Sequence[dict[str, object]]


class News:
    """Remembers what was told of one bank. Without ``hooks`` nobody is."""

    def __init__(self, bank: str, hooks: Hooks | None) -> None:
        self._bank = bank
        self._hooks = hooks
        self._conflicts: set[object] = set()
        self._holds: set[object] = set()

    def know(self, db: Database) -> None:
        """What is open now is no news."""
        self._conflicts = _ids(holds.open_conflicts(db))
        self._holds = _ids(holds.open_holds(db))

    def look(self, db: Database, config: Config) -> None:
        """Compare with what is open now."""
        self.compare(holds.open_conflicts(db), holds.open_holds(db), config)

    def compare(self, conflicts: Found, held: Found, config: Config) -> None:
        """Tell what was not open the last time."""
        if conflicts or self._conflicts:
            new = [c for c in conflicts if c["id"] not in self._conflicts]
            self._conflicts = _ids(conflicts)
            if new:
                self._tell("conflict", config.on_conflict, config, conflicts=new)
        if held or self._holds:
            new = [h for h in held if h["id"] not in self._holds]
            self._holds = _ids(held)
            if new:
                self._tell("hold", config.on_hold, config, holds=new)

    def failed(self, failures: int, reason: str, config: Config) -> None:
        """Tell that the bank cannot be served, the first of so many times in a row."""
        if failures == 1:
            self._tell("failed", config.on_failed, config, reason=reason)

    def _tell(self, event: str, command: str, config: Config, **values: Any) -> None:
        if self._hooks is not None:
            self._hooks.tell(event, command, config.hook_seconds, bank=self._bank, **values)


def _ids(found: Found) -> set[object]:
    return {one["id"] for one in found}
