"""What a record belongs to, as its place in a document tells: the entry above a line, the task of a checklist. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import cached_property

from parser.document import At
from schema.records import Table, Value
from syncd.model import Keyed, Shown, Sides, Verdict


class Parents:
    """Which entry a file modification stands below, and which task a checklist item belongs to."""

    def __init__(self, documents: Mapping[str, Keyed], others: Callable[[str], Keyed | None] | None = None) -> None:
        """``documents`` are those of a batch; ``others`` gives any other as it is."""
        self._keyed = documents
        self._others = others
        self._entries: dict[str, _Above] = {}

    def links(self, verdict: Verdict, sides: Sides) -> dict[str, Value]:
        """Columns that tie a row to another, as far as a reading of this batch tells them."""
        for shown in sides.after:
            keyed = self._keyed.get(shown.path)
            if verdict.table is Table.MODIFICATIONS and keyed and (entry := self._entry(shown, keyed, verdict.key)):
                return {"edit_entry_id": entry}
            if verdict.table is Table.SUBTASKS and (keyed or sides.db is None):
                return {"task_id": shown.reading.value("task_id")}
        return {}

    def entry_of(self, path: str, line: str) -> str | None:
        """The entry that a line stands below in the document at ``path``; None where it does not stand there."""
        keyed = self._keyed.get(path) or (self._others(path) if self._others is not None else None)
        if keyed is None:
            return None
        above = self._entries.setdefault(path, _Above(keyed))
        at = above.places.get(line)
        return None if at is None else above.of(at)

    def _entry(self, shown: Shown, keyed: Keyed, key: str) -> str | None:
        """The entry above a line in the document as it will be, where that line may stand at another address."""
        if shown.path not in self._entries:
            self._entries[shown.path] = _Above(keyed)
        above = self._entries[shown.path]
        at = shown.at if above.stands(shown.at, key) else above.places.get(key)
        return None if at is None else above.of(at)


class _Above:
    """The entry that each place of a document stands below. Each section is read once."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed
        self._sections: dict[int, tuple[list[int], list[str]]] = {}

    def stands(self, at: At, key: str) -> bool:
        """Whether the line ``key`` stands at ``at``."""
        keys = self._keyed.keys[at.section] if at.section < len(self._keyed.keys) else ()
        if at.reading >= len(keys) or keys[at.reading] != key:
            return False
        return self._keyed.document.at(at).table is Table.MODIFICATIONS

    @cached_property
    def places(self) -> dict[str, At]:
        """Where each line stands first."""
        found: dict[str, At] = {}
        for at, reading, key in self._keyed.readings():
            if reading.table is Table.MODIFICATIONS:
                found.setdefault(key, at)
        return found

    def of(self, at: At) -> str | None:
        """The key of the last entry before ``at``."""
        for number in range(at.section, -1, -1):
            places, keys = self._of_section(number)
            found = bisect_left(places, at.reading) if number == at.section else len(places)
            if found:
                return keys[found - 1]
        return None

    def _of_section(self, number: int) -> tuple[list[int], list[str]]:
        if number not in self._sections:
            readings, keys = self._keyed.document.sections[number].readings, self._keyed.keys[number]
            places = [index for index, reading in enumerate(readings) if reading.table is Table.ENTRIES]
            self._sections[number] = places, [keys[index] for index in places]
        return self._sections[number]
