"""Where the text of a record goes that only the database knows: which document, and with what around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from parser.document import Document, parse
from parser.kinds import kind_of
from parser.values import render
from schema import store
from schema.announced import Told
from schema.patterns import pattern
from schema.records import PRECEDENCE, Role, Table, Value
from syncd.model import Keyed, Row, Sides, Verdict
from syncd.plan import derive
from syncd.plan.carry import Birth
from syncd.plan.emission import DocumentChanges, Plan
from syncd.plan.gather import RecordId
from syncd.plan.lookup import RowLookup
from syncd.plan.stamps import present
from syncd.state import BankState
from writer.changes import Insert, Remove
from writer.lines import lines_below

if TYPE_CHECKING:
    from syncd.plan.chunks import Chunks

_CACHE = "session_cache.md"
_LISTED = 20  # more new tasks at once are an import: the session cache does not repeat them
_MODELS = 3  # how many of the newest tasks are tried as models of a new one's file

_NOT_COMPLETED = pattern(r"^[-+*_ \t]*completed[*_]*:[*_]*[ \t]*(?:[-–—]|n/a|none|tbd)[*_ \t]*\r?$", re.M | re.I)
_DATED = {
    name: pattern(rf"^[-+*_ \t]*{name}[*_]*:[*_]*[ \t]*\d", re.M | re.I) for name in ("started", "completed")
}  # fmt: skip

_ELSEWHERE = frozenset({"details", "content", "session_period"})  # in the registry, as prose, in a document's name

CurrentDocument = Callable[[str], Keyed | None]


class Homes:
    """Finds the document for each record to insert, and adds the insertion to the plan.

    ``current`` gives the document at a path as the files have it. Documents that had to be made are in ``made``.
    ``told`` gives the time for the stamps of those made like another, and whether the rows are recorded work.
    """

    def __init__(
        self, state: BankState, plan: Plan, current: CurrentDocument, sides: Mapping[RecordId, Sides], told: Told
    ) -> None:
        self._db, self._places = state.db, state.places
        self._plan = plan
        self._current = current
        self._sides = sides
        self._now, self._recorded = told.moment, told.recorded
        self._files: frozenset[str] | None = None
        self._chunks: Chunks | None = None
        self._fresh: frozenset[str] = frozenset()
        self._listed = True
        self._no_texts: Collection[str] = ()
        self.made: dict[str, Keyed] = {}
        self.unshown: list[str] = []

    def place(self, inserts: list[Verdict], no_texts: Collection[str] = ()) -> None:
        """Plan all insertions of a batch. At the paths in ``no_texts`` something stands that is none."""
        self._no_texts = no_texts
        lines = [v for v in inserts if v.table is Table.MODIFICATIONS]
        entries = {v.key for v in inserts if v.table is Table.ENTRIES}
        self._fresh = frozenset(entries)
        self._listed = sum(v.table is Table.TASKS for v in inserts) <= _LISTED
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
                case Table.CACHE if self._current(_CACHE) is None:
                    from writer import canonical

                    self._make(canonical.cache_document(_row(verdict)), verdict)
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
        there = self._current(path)
        if path not in self.made and (there is None or not there.document.text.strip()):
            from writer import canonical

            self.made[path] = _unkeyed(canonical.blank(path, present(self._now.astimezone())))
        return path

    def _task(self, verdict: Verdict) -> None:
        """A row of the registry, a file where the others have one, or only a file where there is no registry."""
        from writer import likeness

        registry, path = self._current("tasks.md"), f"tasks/{verdict.key}.md"
        values = dict(_row(verdict))
        has_file = self._current(path) is not None
        if registry is None or likeness.keeps_files(registry.document, self._task_files()):
            if not has_file:
                self._make(self._task_document(verdict, registry), verdict)
            has_file = has_file or path in self.made
        if registry is not None:
            if has_file and not values.get("details"):
                values["details"] = likeness.link_like(registry.document, verdict.key)
            insert = Insert(Table.TASKS, {**values, "id": verdict.key})
            self._add("tasks.md", Birth(insert, verdict.table, verdict.key))
        if self._listed:
            self._list(verdict, entering=False)

    def _list(self, verdict: Verdict, *, entering: bool) -> None:
        """A line in the session cache, where that keeps a list to which the task belongs."""
        from writer.kinds import cache_lists

        cache = self._current(_CACHE)
        if cache is not None and cache_lists.takes(
            cache.document, verdict.key, _shown(verdict), entering=entering, begins=self._recorded
        ):
            values = {**_shown(verdict), "id": verdict.key}
            insert = Insert(Table.TASKS, values, entering=entering, begins=self._recorded)
            self._add(_CACHE, Birth(insert, verdict.table, verdict.key))

    def relist(self, verdict: Verdict, sides: Sides) -> None:
        """By its new status a task comes into a list of the session cache, or leaves one."""
        from writer.kinds import cache_lists

        cache, places = self._current(_CACHE), [s.at for s in sides.after if s.path == _CACHE]
        if cache is None or verdict.row is None or verdict.insert or verdict.remove:
            return
        gone = [at for at in places if cache_lists.leaves(cache.document, at, verdict.row.get("status"))]
        if gone:
            changes = self._plan.setdefault(_CACHE, DocumentChanges())
            changes.sets = [one for one in changes.sets if one.at not in gone]
            changes.removes += [Remove(at) for at in gone]
        if self._recorded or not places:  # a row that some program changed moves the lines that show it, no others
            self._list(verdict, entering=True)

    def unlabelled(self, verdict: Verdict, names: frozenset[str]) -> frozenset[str]:
        """Whether a task that is completed no more loses the line that said when it was.

        It does unless this bank's files of tasks have that label without a date.
        """
        row = verdict.row or {}
        if verdict.table is not Table.TASKS or "completed" not in names or row.get("completed"):
            return frozenset()
        kept = any(_NOT_COMPLETED.search(text) for text in self._texts_of_tasks("completed"))
        return frozenset() if kept else frozenset({"completed"})

    def usual(self, verdict: Verdict, names: frozenset[str]) -> frozenset[str]:
        """Which of its dates a task gets into its file too: those that most files of such tasks have."""
        if verdict.table is not Table.TASKS:
            return frozenset()
        return frozenset(n for n in names & _DATED.keys() if _row(verdict).get(n) and self._is_usual(n, verdict.key))

    def _is_usual(self, name: str, task: str) -> bool:
        rows = self._db.rows(
            """SELECT id FROM tasks WHERE id <> ?1
            AND (status = 'completed' OR (?2 = 'started' AND status <> 'pending'))""",
            (task, name),
        )
        having = sum(_DATED[name].search(text) is not None for text in self._texts_of_tasks(name))
        return 2 * having > len({known for (known,) in rows} & self._task_files())

    def _texts_of_tasks(self, word: str) -> Iterator[str]:
        """The sections with ``word`` in the files of tasks."""
        texts = self._db.rows(
            """SELECT s.text FROM sections AS s JOIN documents AS d ON d.id = s.document_id
            WHERE d.kind = 'task' AND s.text LIKE '%' || ? || '%'""",
            (word,),
        )
        return (text for (text,) in texts if isinstance(text, str))

    def _task_files(self) -> frozenset[str]:
        """The ids that have a file."""
        if self._files is None:
            rows = self._db.rows("SELECT path FROM documents WHERE kind = 'task'")
            self._files = frozenset(path.rpartition("/")[2].removesuffix(".md") for (path,) in rows)
        return self._files

    def _task_document(self, verdict: Verdict, registry: Keyed | None) -> Document:
        """A task's file like that of the newest task that has one, else in the plain form."""
        from writer import canonical, likeness

        known = {key for _, r, key in registry.readings() if r.role is Role.REGISTRY} if registry is not None else set()
        newest = sorted(self._task_files() & (known or self._task_files()), key=_by_number, reverse=True)
        for task in newest[:_MODELS]:
            model = self._current(f"tasks/{task}.md")
            if model is not None and (
                made := likeness.task_like(model.document, verdict.key, _row(verdict), self._stamp)
            ):
                return made
        return canonical.task_document(verdict.key, _row(verdict), present(self._now.astimezone()))

    def _stamp(self, old: str) -> str | None:
        """The present moment as ``old`` writes one."""
        new = derive.stamp(old, self._now)
        return None if new is None else render("date", old, new)

    def _make(self, document: Document, verdict: Verdict) -> None:
        if not any(reading.table is verdict.table for _, reading in document.readings()):
            self.unshown.append(f"{verdict.table.value} {verdict.key}: no document would show it as it is")
            return
        from writer.told import said, same

        told = said(document, verdict.table)
        lost = [n for n, v in _shown(verdict).items() if n not in _ELSEWHERE and not same(told.get(n), v)]
        if lost:
            lacks = f"{document.path} cannot show its {', '.join(lost)}"
            self.unshown.append(f"{verdict.table.value} {verdict.key}: {lacks}")
        self.made[document.path] = _of_one(document, verdict)
        self._plan.setdefault(document.path, DocumentChanges())

    def _entry(self, verdict: Verdict, lines: list[Verdict]) -> None:
        sides = self._sides.get((Table.ENTRIES, verdict.key))
        stood = [s.path for s in sides.before if self._current(s.path) is not None] if sides else []
        rows, keys = tuple(_shown(line) for line in lines), tuple(line.key for line in lines)
        below = tuple(self._below(line) for line in lines)
        birth = Birth(Insert(Table.ENTRIES, _shown(verdict), None, rows, below), Table.ENTRIES, verdict.key, None, keys)
        if stood:
            self._add(stood[0], birth)
            return
        from syncd.plan import chunks  # loaded late, as all that not every command needs

        self._chunks = self._chunks or chunks.Chunks(self._db, self._current, self._fresh)
        chunk = self._chunks.make(_shown(verdict), rows, {*self.made, *self._no_texts})
        if chunk is not None:
            self.made[chunk.path] = chunks.keyed(chunk, verdict.key, keys)
            self._plan.setdefault(chunk.path, DocumentChanges())
        if chunk is None or self._current("edit_history.md") is not None:
            self._add(self._document("edit_history.md"), birth)

    def _line(self, verdict: Verdict) -> None:
        """A line in the first document that shows its entry, and in the entry's chunk."""
        entry = self._entry_of(verdict.key)
        places = self._places(Table.ENTRIES.value, entry)
        ranked = sorted(places, key=lambda p: (PRECEDENCE[Role(p.role)], p.path))
        there = list(dict.fromkeys(p.path for p in ranked if self._current(p.path) is not None))
        for path in dict.fromkeys([*there[:1], *(p for p in there if kind_of(p) == "edit_chunk")]):
            insert = Insert(verdict.table, _shown(verdict), below=(self._below(verdict),))
            self._add(path, Birth(insert, verdict.table, verdict.key, entry))
        if not there:
            self.unshown.append(f"file_modifications {verdict.key}: its entry {entry or '?'} stands in no document")

    def _below(self, verdict: Verdict) -> str:
        """The lines that people wrote below that of a file which goes to another entry."""
        for shown in self._sides[verdict.table, verdict.key].after if verdict.moved else ():
            keyed = self._current(shown.path) if shown.role is not Role.ARCHIVE else None
            if keyed is not None and (below := lines_below(keyed.document, shown.at)):
                return below
        return ""

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
        if kind_of(path) != "session" or re.search(r"[\x00-\x1f]", path):
            self.unshown.append(f"sessions {verdict.key}: {path!r:.80} cannot be the path of a session's document")
            return
        if self._current(path) is not None or path in self.made:
            hint = "give it another path, or none"
            self.unshown.append(f"sessions {verdict.key}: {path} shows another session; {hint}")
            return
        self._make(self._session_document(path, row), verdict)

    def _session_document(self, path: str, row: Row) -> Document:
        """A session's document like the newest ones, else in the plain form."""
        from writer import canonical, session_likeness

        newest = self._db.rows(
            """SELECT path FROM sessions WHERE path LIKE 'sessions/%' AND path <> ?
            ORDER BY session_date DESC, start_time DESC, id DESC LIMIT ?""",
            (path, _MODELS),
        )
        for (other,) in newest:
            model = self._current(other)
            if model is not None and (
                made := session_likeness.session_like(model.document, path, row, self._stamp, self._is_here)
            ):
                return made
        return canonical.session_document(path, row)

    def _is_here(self, zone: str) -> bool:
        """Whether a label stands for the zone in which moments of this bank are taken."""
        local = self._now.astimezone()
        return derive.stamp(f"{local:%Y-%m-%d %H:%M:%S} {zone}", local) == f"{local:%Y-%m-%d %H:%M:%S}"

    def _session_path(self, row: Row) -> str:
        """Its date and period name a session's document; a second one of a period, and one without, get a number."""
        stem, number = f"sessions/{str(row['session_date'])[:10]}", 1
        if period := re.sub(r"[^a-z0-9]+", "-", str(row.get("session_period") or "").lower()).strip("-"):
            stem, path = f"{stem}-{period}", f"{stem}-{period}.md"
        else:
            path = f"{stem}-{number}.md"
        while self._current(path) is not None or path in self.made or path in self._no_texts:
            number += 1
            path = f"{stem}-{number}.md"
        return path


def start(path: str, homes: Homes, current: CurrentDocument) -> Keyed:
    """The document that the changes for ``path`` are made on: the bank's own, or the one made for it."""
    known = current(path)
    if known is not None and (known.document.text.strip() or path not in homes.made):
        return known
    return homes.made.get(path) or _unkeyed(parse(path, ""))


def _unkeyed(document: Document) -> Keyed:
    return Keyed(document, tuple(("",) * len(section.readings) for section in document.sections))


def _of_one(document: Document, verdict: Verdict) -> Keyed:
    """A document whose whole text is one record."""
    return Keyed(
        document,
        tuple(
            tuple(verdict.key if r.table is verdict.table else "" for r in section.readings)
            for section in document.sections
        ),
    )


def _by_number(task: str) -> tuple[bool, list[tuple[int, str]]]:
    """An id as something to sort by: ids of numbers behind all others, by their number."""
    parts = re.findall(r"(\d+)|(\D+)", task)
    return task.startswith("T"), [(int(n or 0), words) for n, words in parts]


def _row(verdict: Verdict) -> Row:
    assert verdict.row is not None
    return verdict.row


def _shown(verdict: Verdict) -> dict[str, Value]:
    return {name: value for name, value in _row(verdict).items() if value not in (None, ())}


def _insert(verdict: Verdict) -> Insert:
    return Insert(verdict.table, _shown(verdict))
