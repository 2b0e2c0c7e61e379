"""What must hold after a converge, whatever came before it: the guarantees, as a machine can look at them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from parser.document import parse
from schema import history, journal, overview
from schema.records import Role, Span, Table, Value
from syncd.disk.files import digest
from syncd.model import Keyed, Mode, Report, Shown, State
from syncd.pending import row_changes
from syncd.plan.gather import ROWS, row_of
from syncd.plan.reconcile import reached, settled
from syncd.state import BankState
from tests.model.world import Tree, World

_WORD = re.compile(r"w\d+q")
_NAME = re.compile(r"[\w.-]*\w")
Record = tuple[Table, str]


class Broken(AssertionError):
    """A guarantee did not hold."""


def require(holds: object, what: str) -> None:
    """Raises `Broken` with ``what``."""
    if not holds:
        raise Broken(what)


@dataclass
class Before:
    """What was known when a converge began.

    ``fresh`` are the words that stand in files or rows and have never been through a converge; ``nets`` the records
    that another client changed, with the fields; ``waiting`` says that something was on its way already.
    """

    tree: Tree
    base: Tree
    fresh: set[str]
    nets: Mapping[Record, frozenset[str]]
    rows_pending: bool
    outbox: bool
    plain: bool
    keyed: Mapping[str, Keyed] = field(default_factory=dict)
    conflicts: int = 0


def words_in(text: str) -> set[str]:
    """All words of the model's own in a text."""
    return set(_WORD.findall(text))


def shown_text(tree: Tree) -> str:
    """All texts of the documents as one."""
    return "\n".join(data.decode("utf-8", "replace") for data in tree.values())


def look(world: World, known: Collection[str]) -> Before:
    """Take down what is so before a converge. ``known`` are the words that went through one."""
    client = world.client
    state = BankState(client)
    pending = row_changes(client)
    tree = world.tree
    base = {path: data for path in state.rows if (data := history.current_text(client, path)) is not None}
    nets = {
        record: frozenset((net.after or {}).keys() | (net.before or {}).keys())
        for record, net in pending.records.items()
    }
    return Before(
        tree,
        base,
        _fresh(world, tree, base) - set(known),
        nets,
        journal.has_pending(client),
        bool(client.value("SELECT count(*) FROM outbox")),
        not pending.sections and world.engine.mode is Mode.COEXIST and not world.engine._late,
        {path: keyed for path in state.rows if (keyed := state.base(path))} if nets and tree == base else {},
        int(client.value("SELECT coalesce(max(id), 0) FROM conflicts")),
    )


def _fresh(world: World, tree: Tree, base: Tree) -> set[str]:
    """Words that stand in a file and not in its base, or in a row change that is pending."""
    saved = {path: data for path, data in tree.items() if base.get(path) != data}
    words = words_in(shown_text(saved)) - words_in(shown_text(base))
    for change in journal.pending(world.client):
        words |= words_in(repr(change.after)) - words_in(repr(change.before))
    return words & words_in(world.dump()) | words & words_in(shown_text(tree))


# -- one converge ----------------------------------------------------------------------------------------------------


def check_step(world: World, before: Before, report: Report, *, follow: bool, disturbed: bool) -> None:
    """After any converge, also of a part, also one that something happened in the midst of (``disturbed``)."""
    after = world.tree
    changed = {path for path in after.keys() | before.tree.keys() if after.get(path) != before.tree.get(path)}
    if disturbed:
        return
    require(
        before.outbox or changed <= set(report.emitted),
        f"written without a word: {sorted(changed - set(report.emitted))}",
    )
    if world.engine.mode is Mode.OBSERVE:
        require(before.outbox or not changed, f"observe wrote {sorted(changed)}")
    if before.plain and not before.rows_pending and not before.outbox and not follow:
        told = {
            path for (path,) in world.client.rows("SELECT document FROM conflicts WHERE id > ?", (before.conflicts,))
        }
        moved = changed - told - world.stale
        require(not moved, f"only files were edited, and these were written: {sorted(moved)}")
    if before.keyed and not before.outbox and before.plain and not follow:
        _check_lines(world, before, after, changed)
        _check_shown(world, before, report)


def _check_lines(world: World, before: Before, after: Tree, changed: set[str]) -> None:
    """Only rows changed: lines that went or changed show those records, or derived values."""
    records = set(before.nets) | _children(world, before)
    for path in changed:
        keyed = before.keyed.get(path)
        if keyed is None or path not in after:
            continue
        allowed = _lines_of(keyed, records)
        old = keyed.document.text.split("\n")
        allowed |= _drawn(old, {key for table, key in records if table is Table.TASKS})
        new = after[path].decode().split("\n")
        last = max((n for n, line in enumerate(old) if line.strip()), default=0)
        kept = [(n, line) for n, line in enumerate(old) if n not in allowed and line.strip()]
        if kept and kept[-1][0] == last:
            kept[-1] = last, _as_ended(old[last], new)
        gone = _not_in(iter(kept), new)
        require(gone is None, f"{path}: a line moved, and no change asked for it: {gone}")
        crlf = old[0].endswith("\r") if len(old) > 1 else False
        if crlf and all(line.endswith("\r") for line in old[:-1]):
            odd = [line for line in new[:-1] if not line.endswith("\r")]
            require(not odd, f"{path}: line ends changed: {odd[:2]}")


def _as_ended(line: str, lines: Collection[str]) -> str:
    """The last line before the end of its document, with the break that it has in ``lines``: one may have come."""
    return line if line in lines else line.removesuffix("\r") if line.endswith("\r") else f"{line}\r"


def _drawn(lines: list[str], tasks: set[str]) -> set[int]:
    """Numbers of the lines that draw one of ``tasks`` in a graph or a fenced list: it follows them."""
    found, fenced = set(), False
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced and tasks & set(_NAME.findall(line)):
            found.add(number)
    return found


def _not_in(lines: Iterator[tuple[int, str]], new: list[str]) -> str | None:
    """The first of ``lines`` that does not stand in ``new``, in this order; None where all do."""
    position = 0
    for number, line in lines:
        while position < len(new) and new[position] != line:
            position += 1
        if position == len(new):
            return f"{number + 1}: {line!r}"
        position += 1
    return None


def _children(world: World, before: Before) -> set[Record]:
    """Records that go with those that changed: what stands below an entry, all places of a task."""
    found: set[Record] = {(Table.CACHE, "1")}
    entries = {key for table, key in before.nets if table is Table.ENTRIES}
    for keyed in before.keyed.values():
        entry = None
        for _, reading, key in keyed.readings():
            if reading.table is Table.ENTRIES:
                entry = key
            elif reading.table is Table.MODIFICATIONS and entry in entries:
                found.add((Table.MODIFICATIONS, key))
            elif reading.table is Table.SUBTASKS and (Table.TASKS, str(reading.value("task_id"))) in before.nets:
                found.add((Table.SUBTASKS, key))
    return found


def _lines_of(keyed: Keyed, records: set[Record]) -> set[int]:
    """Numbers of the lines that show one of ``records`` or something derived."""
    lines: set[int] = set()
    starts, line = [], 0
    for section in keyed.document.sections:
        starts.append(line)
        line += section.text.count("\n")
    for at, reading, key in keyed.readings():
        if (reading.table, key) not in records and reading.table not in (Table.HEADER, Table.COUNTS):
            continue
        text, first = keyed.document.sections[at.section].text, starts[at.section]
        untitled = reading.role is Role.OWN and "title" not in reading.fields
        heading = (Span(0, 0),) if untitled else ()  # where a title goes that was none
        for span in (reading.span, *heading, *(f.span for f in reading.fields.values())):
            start = first + text.count("\n", 0, span.start)
            lines.update(range(start, first + text.count("\n", 0, span.end) + 1))
        if reading.role is Role.CHUNK and reading.table is Table.ENTRIES and not reading.fields:
            front = keyed.document.text.split("\n")  # an entry without a line is told by the head of its chunk
            lines.update(n for n, line in enumerate(front) if line.startswith(("created_at:", "task_ids:")))
        if reading.table is Table.ENTRIES and not reading.span.start:  # what deeper headings open below it is its own
            level = keyed.document.sections[at.section].level
            for number, section in enumerate(keyed.document.sections[at.section + 1 :], at.section + 1):
                if section.level <= level or any(r.table is Table.ENTRIES for r in section.readings):
                    break
                lines.update(range(starts[number], starts[number] + section.text.count("\n") + 1))
    return lines


def _check_shown(world: World, before: Before, report: Report) -> None:
    """Only rows changed: every place that is brought along shows them now, or it was told why not."""
    state = BankState(world.client)
    held = {str(hold["path"]) for hold in report.holds} | set(report.pending)
    tasks = {number for (number,) in world.client.rows("SELECT id FROM tasks")}
    for path, keyed in _documents(state):
        if path in held:
            continue
        for at, reading, key in keyed.readings():
            names = before.nets.get((reading.table, key))
            if names is None or not reached(reading.table, Shown(path, at, reading)):
                continue
            row = row_of(world.client, reading.table, key)
            if row is None:
                gone = reading.value("task_id")
                if reading.table is Table.SUBTASKS and reading.role is Role.ARCHIVE and gone not in tasks:
                    continue  # the whole task went: its checklist is history there
                require(
                    told(report, reading.table, key) or held, f"{path}: {reading.table} {key} was deleted and stands"
                )
                continue
            for name in names & reading.fields.keys():
                new = reading.table is Table.TASKS and f"tasks/{key}.md" not in before.tree
                if name == "last_updated" and new and reading.value(name) is None:
                    continue  # a new document said when it was made, and this place is left open
                require(
                    plain(name, reading.value(name)) == plain(name, row.get(name)) or told(report, reading.table, key),
                    f"{path}: {reading.table} {key} {name} is {reading.value(name)!r}, its row {row.get(name)!r}",
                )
    for table, key in before.nets:
        row = row_of(world.client, table, key)
        if row is not None and any(v for v in row.values()):
            places = world.client.rows('SELECT 1 FROM readings WHERE "table" = ? AND key = ?', (table.value, key))
            require(
                places or told(report, table, key) or held, f"{table} {key} stands in no document and nobody was told"
            )


def told(report: Report, table: Table, key: str) -> bool:
    """Whether a sentence of the report is about this record."""
    return any(
        p.startswith((f"{table.value} {key} ", f"{table.value} {key}:")) for p in (*report.problems, *report.refused)
    )


def plain(name: str, value: Value) -> object:
    """A value without what makes no difference."""
    return (settled(name, value) or None) if name == "dependencies" else value or None


# -- when all was looked at ------------------------------------------------------------------------------------------


def check_rest(world: World, before: Before, report: Report) -> None:
    """After a converge of everything that nothing disturbed: both sides are one, or it says why not."""
    client, tree = world.client, world.tree
    state = BankState(client)
    held = {path for (path,) in client.rows("SELECT path FROM holds WHERE state = 'open'")}
    waiting = held | set(report.pending)
    removals = {path for (path,) in client.rows("SELECT path FROM holds WHERE state = 'open' AND kind = 'removal'")}
    if removals - state.rows.keys():  # a document was moved, and its record's row deleted: where it was waits too
        waiting |= state.rows.keys() - tree.keys()
    observe = world.engine.mode is Mode.OBSERVE
    for path in tree.keys() | state.rows.keys():
        base = history.current_text(client, path)
        require(base == tree.get(path) or path in waiting, f"{path}: its base is not its file, and nobody was told")
    told = waiting or any(": waits for " in refused for refused in report.refused)
    require(observe or told or not journal.has_pending(client), "rows are pending, and nobody was told")
    require(not client.value("SELECT count(*) FROM outbox") or waiting, "the outbox is not empty, and nobody was told")
    open_things = client.value("SELECT EXISTS (SELECT 1 FROM conflicts WHERE resolved_at IS NULL)") or held
    require(not open_things or report.state is State.ATTENTION, f"something waits and the state is {report.state}")
    _check_stored(world, state)
    _check_words(world, before, tree)
    _check_retrievable(world, before)
    if not observe and not waiting:
        _check_rows_stand(world, state)


def _documents(state: BankState) -> Iterator[tuple[str, Keyed]]:
    for path in state.rows:
        if (keyed := state.base(path)) is not None:
            yield path, keyed


def _check_stored(world: World, state: BankState) -> None:
    """What is stored of each document is its parse, and every reading has its row."""
    client = world.client
    found = client.rows(
        """SELECT d.path, s.id, r."table", r.key, r.role FROM documents AS d JOIN sections AS s ON s.document_id = d.id
        LEFT JOIN readings AS r ON r.section_id = s.id ORDER BY d.path, s.position, r.ordinal"""
    )
    stored: dict[str, dict[int, list[tuple[str, str, str]]]] = {}
    for path, section, table, key, role in found:
        rows = stored.setdefault(path, {}).setdefault(section, [])
        if table is not None:
            rows.append((table, key, role))
    pending = {key for (key,) in client.rows('SELECT key FROM row_changes WHERE "transaction" IS NULL')}
    keys = {table: {str(k) for (k,) in client.rows(f"SELECT id FROM {table.value}")} for table in ROWS}
    for table, ids in keys.items():  # a line that could not be taken out shows nothing once its number is another's
        if any(record.startswith(f"{table.value} ") for record in world.untaken):
            ids.add("")
    for path, keyed in _documents(state):
        document = parse(path, keyed.document.text)
        past = {(r.table.value, k) for at, r, k in keyed.readings() if not reached(r.table, Shown(path, at, r))}
        past |= {
            (r.table.value, k)
            for _, r, k in keyed.readings()
            if r.table is Table.SUBTASKS and r.role is Role.ARCHIVE and r.value("task_id") not in keys[Table.TASKS]
        }
        wanted = [[(r.table.value, r.role.value) for r in s.readings] for s in document.sections]
        have = [[(t, role) for t, _, role in rows] for rows in stored[path].values()]
        require(wanted == have or pending, f"{path}: the stored readings are not those of its text")
        for rows in stored[path].values():
            for table, key, _ in rows:
                if (
                    Table(table) in ROWS
                    and key not in pending
                    and (table, key) not in past
                    and f"{table} {key}" not in world.told
                ):
                    require(key in keys[Table(table)], f"{path}: {table} {key!r} has no row")


def _check_words(world: World, before: Before, tree: Tree) -> None:
    """Words that came since the last converge are where they were, or told as the side of a conflict that lost."""
    left = before.fresh - words_in(shown_text(tree)) - words_in(world.dump())
    left -= _taken_along(world) if left else set()
    require(not left, f"lost: {sorted(left)}")


def _taken_along(world: World) -> set[str]:
    """Words of documents that went with a yes: it was given to the text that they had."""
    found: set[str] = set()
    for (path,) in world.client.rows("SELECT path FROM holds WHERE kind = 'removal' AND state = 'accepted'"):
        for _, text in history.texts(world.client, path, 4):
            found |= words_in((text or b"").decode("utf-8", "replace"))
    return found


def _check_retrievable(world: World, before: Before) -> None:
    """The text that each file had can be shown."""
    for path, data in before.tree.items():
        if world.read(path) == data:
            continue
        known = world.client.value(
            "SELECT EXISTS (SELECT 1 FROM versions WHERE path = ? AND hash_after = ?)", (path, digest(data))
        )
        text = data.decode("utf-8", "replace")
        kept = known or world.client.value(
            "SELECT EXISTS (SELECT 1 FROM conflicts WHERE document = ? AND file = ?)", (path, text)
        )
        require(kept, f"{path}: the text that it had is in no history")


def _check_rows_stand(world: World, state: BankState) -> None:
    """A row says what at least one of its places says, unless it was told that no place could."""
    places: dict[Record, list[Shown]] = {}
    for path, keyed in _documents(state):
        for at, reading, key in keyed.readings():
            if reading.table in ROWS:
                places.setdefault((reading.table, key), []).append(Shown(path, at, reading))
    noted = overview.drift_noted(world.client).unshown()  # what `syncd status` counts
    for (table, key), shown in places.items():
        if f"{table.value} {key}" in world.told or (table.value, key) in noted:
            continue
        row = row_of(world.client, table, key)
        if row is None:
            continue
        for name in row:
            said = [s.reading.value(name) for s in shown if s.reading.shows(name)]
            if any(v not in (None, ()) for v in said) and plain(name, row[name]) not in [plain(name, v) for v in said]:
                raise Broken(f"{table} {key} {name} is {row[name]!r}, and its places say {said!r}")


def check_end(world: World, waiting: Collection[str]) -> None:
    """The database is sound, and gives every document as it stands."""
    require(not world.client.integrity(), f"integrity: {world.client.integrity()}")
    held = {path for (path,) in world.client.rows("SELECT path FROM holds WHERE state = 'open'")} | set(waiting)
    texts = history.paths_at(world.client, None)
    for path, data in world.tree.items():
        require(texts.get(path) == data or path in held, f"{path} cannot be exported as it stands")
    for path in texts:
        for _, text in history.texts(world.client, path):
            require(text is None or isinstance(text, bytes), path)
