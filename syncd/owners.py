"""What a record belongs to, as its place in a document tells: the entry above a line, the task of a checklist. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from parser.document import At
from schema.records import Table, Value
from syncd.model import Keyed, Sides, Verdict


class Parents:
    """Which entry a file modification stands below, and which task a checklist item belongs to."""

    def __init__(self, documents: Mapping[str, Keyed]) -> None:
        self._keyed = documents
        self._entries: dict[str, _Above] = {}

    def links(self, verdict: Verdict, sides: Sides) -> dict[str, Value]:
        """Columns that tie a row to another, as far as a reading of this batch tells them."""
        for shown in sides.after:
            keyed = self._keyed.get(shown.path)
            if verdict.table is Table.MODIFICATIONS and keyed and (entry := self._above(shown.path, keyed, shown.at)):
                return {"edit_entry_id": entry}
            if verdict.table is Table.SUBTASKS and keyed:
                return {"task_id": shown.reading.value("task_id")}
        return {}

    def _above(self, path: str, keyed: Keyed, at: At) -> str | None:
        if path not in self._entries:
            self._entries[path] = _Above(keyed)
        return self._entries[path].of(at)


class _Above:
    """The entry that each place of a document stands below. Each section is read once."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed
        self._sections: dict[int, tuple[list[int], list[str]]] = {}

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
