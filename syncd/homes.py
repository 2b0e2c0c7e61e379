"""Where the text of a record goes that only the database knows: which document, and with what around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from parser.document import Document, parse
from schema import store
from schema.db import Database
from schema.records import PRECEDENCE, Role, Table, Value
from syncd.emission import Birth, DocumentChanges, Plan
from syncd.gather import RecordId
from syncd.lookup import RowLookup
from syncd.model import Keyed, Row, Sides, Verdict
from writer import canonical
from writer.changes import Insert

CurrentDocument = Callable[[str], Keyed | None]


class Homes:
    """Finds the document for each record to insert, and adds the insertion to the plan.

    ``current`` gives the document at a path as the files have it. Documents that had to be made are in ``made``.
    """

    def __init__(self, db: Database, plan: Plan, current: CurrentDocument, sides: Mapping[RecordId, Sides]) -> None:
        self._db = db
        self._plan = plan
        self._current = current
        self._sides = sides
        self.made: dict[str, Document] = {}
        self.whole: dict[str, RecordId] = {}  # documents whose whole text is one record: its first reading is that
        self.unshown: list[str] = []

    def place(self, inserts: list[Verdict]) -> None:
        """Plan all insertions of a batch."""
        lines = [v for v in inserts if v.table is Table.MODIFICATIONS]
        entries = {v.key for v in inserts if v.table is Table.ENTRIES}
        children: dict[str, list[Verdict]] = {}
        for line in lines:
            children.setdefault(self._entry_of(line.key), []).append(line)
        for verdict in inserts:
            match verdict.table:
                case Table.TASKS:
                    self._task(verdict)
                case Table.ENTRIES:
                    self._entry(verdict, children.get(verdict.key, []))
                case Table.MODIFICATIONS:
                    if self._entry_of(verdict.key) not in entries:
                        self._line(verdict)
                case Table.SUBTASKS:
                    self._subtask(verdict)
                case Table.SESSIONS:
                    self._session(verdict)
                case Table.ERRORS:
                    self._add(self._document("errorLog.md"), Birth(_insert(verdict), verdict.table, verdict.key))
                case _:
                    self.unshown.append(f"{verdict.table.value} {verdict.key} has no place in the files")

    def bring_back(self, verdict: Verdict) -> None:
        """Plan to add a record to the documents that it was deleted from while its row was edited."""
        for path in verdict.restore:
            if self._current(path) is None:
                continue
            if verdict.table is Table.MODIFICATIONS:
                birth = Birth(_insert(verdict), verdict.table, verdict.key, self._entry_of(verdict.key))
            else:
                lines = RowLookup(self._db).lines_of(verdict.key)
                shown = tuple({n: v for n, v in row.items() if v is not None} for _, row in lines)
                insert = Insert(Table.ENTRIES, _shown(verdict), None, shown)
                birth = Birth(insert, verdict.table, verdict.key, None, tuple(key for key, _ in lines))
            self._add(path, birth)

    def _entry_of(self, key: str) -> str:
        row = store.fetch(self._db, Table.MODIFICATIONS.value, key) or {}
        return str(row.get("edit_entry_id") or "")

    def _add(self, path: str, birth: Birth) -> None:
        self._plan.setdefault(path, DocumentChanges()).births.append(birth)

    def _document(self, path: str) -> str:
        """``path``, with a document there: the bank's own, or a new one with its title."""
        if self._current(path) is None and path not in self.made:
            self.made[path] = canonical.blank(path)
        return path

    def _task(self, verdict: Verdict) -> None:
        registry = "tasks.md"
        if self._current(registry) is not None:
            values = {**_row(verdict), "id": verdict.key}
            self._add(registry, Birth(Insert(Table.TASKS, values), verdict.table, verdict.key))
        elif self._current(f"tasks/{verdict.key}.md") is None:
            self._make(canonical.task_document(verdict.key, _row(verdict)), verdict)

    def _make(self, document: Document, verdict: Verdict) -> None:
        if not any(reading.table is verdict.table for _, reading in document.readings()):
            self.unshown.append(f"{verdict.table.value} {verdict.key}: no document would show it as it is")
            return
        self.made[document.path] = document
        self.whole[document.path] = (verdict.table, verdict.key)
        self._plan.setdefault(document.path, DocumentChanges())

    def _entry(self, verdict: Verdict, lines: list[Verdict]) -> None:
        sides = self._sides.get((Table.ENTRIES, verdict.key))
        stood = [s.path for s in sides.before if self._current(s.path) is not None] if sides else []
        insert = Insert(Table.ENTRIES, _shown(verdict), None, tuple(_shown(line) for line in lines))
        birth = Birth(insert, Table.ENTRIES, verdict.key, None, tuple(line.key for line in lines))
        self._add(stood[0] if stood else self._document("edit_history.md"), birth)

    def _line(self, verdict: Verdict) -> None:
        entry = self._entry_of(verdict.key)
        places = store.readings_of(self._db, Table.ENTRIES.value, entry)
        for path, *_ in sorted(places, key=lambda p: (PRECEDENCE[Role(p[3])], p[0])):
            if self._current(path) is not None:
                self._add(path, Birth(_insert(verdict), verdict.table, verdict.key, entry))
                return
        self.unshown.append(f"file_modifications {verdict.key}: its entry {entry or '?'} stands in no document")

    def _subtask(self, verdict: Verdict) -> None:
        row = store.fetch(self._db, Table.SUBTASKS.value, verdict.key) or {}
        path = f"tasks/{row.get('task_id')}.md"
        if self._current(path) is None and path not in self.made:
            self.unshown.append(f"task_subtasks {verdict.key}: there is no {path} to show it in")
            return
        self._add(path, Birth(_insert(verdict), verdict.table, verdict.key))

    def _session(self, verdict: Verdict) -> None:
        row = _row(verdict)
        stored = store.fetch(self._db, Table.SESSIONS.value, verdict.key) or {}
        if not row.get("session_date"):
            self.unshown.append(f"sessions {verdict.key} has no session_date to name its document by")
            return
        path = str(stored.get("path") or self._session_path(row))
        if self._current(path) is not None or path in self.made:
            hint = "give it another session_period"
            self.unshown.append(f"sessions {verdict.key}: {path} shows another session; {hint}")
            return
        self._make(canonical.session_document(path, row), verdict)

    def _session_path(self, row: Row) -> str:
        """Its date and period name a session's document; one without a period gets the next number."""
        stem = f"sessions/{row['session_date']}"
        if row.get("session_period"):
            return f"{stem}-{row['session_period']}.md"
        number = 1
        while self._current(f"{stem}-{number}.md") is not None or f"{stem}-{number}.md" in self.made:
            number += 1
        return f"{stem}-{number}.md"


def start(path: str, homes: Homes, current: CurrentDocument) -> Keyed:
    """The document that the changes for ``path`` are made on: the bank's own, or the one made for it."""
    known = current(path)
    if known is not None:
        return known
    document = homes.made.get(path) or parse(path, "")
    owner = homes.whole.get(path)
    return Keyed(
        document,
        tuple(
            tuple(owner[1] if owner and r.table is owner[0] else "" for r in section.readings)
            for section in document.sections
        ),
    )


def _row(verdict: Verdict) -> Row:
    assert verdict.row is not None
    return verdict.row


def _shown(verdict: Verdict) -> dict[str, Value]:
    return {name: value for name, value in _row(verdict).items() if value not in (None, ())}


def _insert(verdict: Verdict) -> Insert:
    return Insert(verdict.table, _shown(verdict))


