"""What it takes to undo transactions: the rows and texts that both sides would hold, and what stands in the way.

Reads the database, changes nothing. The transactions are taken back one by one, the newest first; each on what those
behind it left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from parser.document import parse
from schema import history, journal
from schema.columns import RECORD_COLUMNS
from schema.db import Database
from schema.journal import Net, RowChange
from schema.records import Action, Value
from syncd import numbers
from syncd.history.past import PARENTS, RowId, RowValues, leaves, stored_row
from syncd.history.takeback import counted, is_count, later_stands, take_back
from syncd.model import Keyed
from syncd.plan.identify import align
from syncd.state import BankState


class Inverse(Struct):
    """The outcome. ``rows`` and ``texts`` hold what is to be (None: no row, no document), where that differs from now.

    ``merged`` are documents that are not simply put back, because they changed since. ``blocked`` are sentences about
    what stands in the way, each with the number of the transaction where one is known.
    """

    rows: dict[RowId, RowValues | None] = field(default_factory=dict)
    texts: dict[str, bytes | None] = field(default_factory=dict)
    merged: set[str] = field(default_factory=set)
    blocked: list[str] = field(default_factory=list)
    by: set[int] = field(default_factory=set)


class Inverter:
    """Collects the inverse of ``targets``, numbers of transactions."""

    def __init__(self, db: Database, state: BankState, targets: Iterable[int]) -> None:
        self._db = db
        self._state = state
        self._targets = sorted(set(targets), reverse=True)
        self._now: dict[RowId, RowValues | None] = {}  # rows as they are in the database
        self._base: dict[str, bytes | None] = {}  # documents as they are
        self._later: dict[RowId, list[RowChange]] = {}
        self._renamed: dict[RowId, str] = {}  # rows whose number went to another record since: the one they get
        self._main = False  # whether there was a change of more than the session cache
        self._out = Inverse()

    def invert(self) -> Inverse:
        """Take all of them back. Where ``blocked`` says something, the rest is not to be used."""
        for number in self._targets:
            nets = journal.coalesce(journal.changes_of(self._db, number))
            for row, net in nets.items():
                self._main |= row[0] != "session_cache"
                if row[0] in RECORD_COLUMNS:
                    self._take_row_back(number, row, net)
            for path in dict.fromkeys(v.path for v in history.version_rows(self._db, transaction=number)):
                self._take_text_back(number, path)
        self._require_owners()
        self._require_leaves()
        out = self._out
        out.rows = {row: values for row, values in out.rows.items() if values != self._now[row]}
        out.texts = {path: text for path, text in out.texts.items() if text != self._base[path]}
        out.merged &= out.texts.keys()
        if self._main and not out.texts and all(table == "session_cache" for table, _ in out.rows):
            out.rows.clear()  # nothing is left of the change: its counts were taken back with it
        out.blocked = list(dict.fromkeys(out.blocked))
        return out

    def now(self, row: RowId) -> RowValues | None:
        """A row that was looked at, as it is in the database."""
        return self._now[row]

    # -- rows ----------------------------------------------------------------------------------------------------

    def _row(self, row: RowId) -> RowValues | None:
        if row not in self._out.rows:
            self._now[row] = self._out.rows[row] = stored_row(self._db, row)
        return self._out.rows[row]

    def _take_row_back(self, number: int, row: RowId, net: Net) -> None:
        now = self._row(row)
        match net.operation:
            case Action.INSERT:
                if now is None or self._same(row[0], now, net.after or {}):
                    self._out.rows[row] = None
                else:
                    self._block_row(number, row, "was changed")
            case Action.DELETE:
                self._bring_back(number, row, dict(net.before or {}), now)
            case Action.UPDATE if now is None:
                self._block_row(number, row, "was deleted")
            case _:
                assert now is not None
                self._take_fields_back(number, row, net, now)

    def _bring_back(self, number: int, row: RowId, before: RowValues, now: RowValues | None) -> None:
        if now is None:
            self._out.rows[row] = before
        elif self._same(row[0], now, before):
            return
        elif row[0] in ("tasks", "task_dependencies", "session_cache") or self._came_back(number, row):
            self._block_row(number, row, "is there again")
        else:  # the number went to another record since
            key = self._renamed[row] = self._free(row[0])
            self._out.rows[row[0], key] = {**before, "id": key}

    def _take_fields_back(self, number: int, row: RowId, net: Net, now: RowValues) -> None:
        before, after = net.before or {}, net.after or {}
        wanted = dict(now)
        for name, value in after.items():
            if now.get(name) == value:
                wanted[name] = before.get(name)
            elif is_count(row[0], name):
                wanted[name] = counted(value, now.get(name), before.get(name))
            elif now.get(name) == before.get(name):
                continue
            elif not later_stands(row[0], name):
                self._block_row(number, row, "was changed", name)
        self._out.rows[row] = wanted

    @staticmethod
    def _same(table: str, now: RowValues, then: Mapping[str, Value]) -> bool:
        return all(now.get(name) == value for name, value in then.items() if not later_stands(table, name))

    def _free(self, table: str) -> str:
        """The next number for a row of ``table``; None of this plan has it."""
        key = numbers.free(self._db, table, [int(key) for t, key in self._out.rows if t == table])
        self._now[table, key] = None
        return key

    def _changes_behind(self, number: int, row: RowId) -> list[RowChange]:
        if row not in self._later:
            self._later[row] = journal.changes_of_record(self._db, *row)
        return [
            c
            for c in self._later[row]
            if c.transaction is None or (c.transaction > number and c.transaction not in self._targets)
        ]

    def _came_back(self, number: int, row: RowId) -> bool:
        """Whether the row that has this key now is the same record, brought back."""
        numbers = {c.transaction for c in self._changes_behind(number, row) if c.operation is Action.INSERT}
        kinds = {journal.transaction(self._db, n).operation_type for n in numbers if n is not None}
        return bool(kinds & {"undo", "restore"})

    def _block_row(self, number: int, row: RowId, what: str, name: str | None = None) -> None:
        behind = self._changes_behind(number, row)
        about = [c for c in behind if name is None or c.operation is not Action.UPDATE or name in (c.after or {})]
        self._block(f"{':'.join(row)} {f'{name} ' if name else ''}{what}", {c.transaction for c in about or behind})

    def _block(self, what: str, numbers: Iterable[int | None]) -> None:
        known = sorted(n for n in numbers if n is not None)
        by = f" in transaction{'s' if len(known) > 1 else ''} {', '.join(map(str, known))}" if known else " since"
        self._out.blocked.append(f"{what}{by}")
        self._out.by.update(known)

    def _require_owners(self) -> None:
        """A row that comes back, or goes back to another owner, needs the one it belongs to."""
        for (table, key), values in list(self._out.rows.items()):
            if values is None or table not in PARENTS:
                continue
            column, owners = PARENTS[table]
            now = self._now[table, key]
            if now is not None and now.get(column) == values.get(column):
                continue
            owner = (owners, str(values.get(column)))
            if owner in self._renamed:
                self._out.rows[table, key] = {**values, column: self._renamed[owner]}
            elif self._row(owner) is None:
                self._block_row(min(self._targets), owner, "was deleted")

    def _require_leaves(self) -> None:
        """With a row go those that belong to it. One that came later is not to go unasked."""
        for (owners, key), values in list(self._out.rows.items()):
            if values is not None or self._now[owners, key] is None:
                continue
            for table in (t for t, (_, o) in PARENTS.items() if o == owners):
                for leaf in leaves(self._db, table, key):
                    left = self._row((table, leaf))
                    if left is not None and left.get(PARENTS[table][0]) == key:
                        self._block_row(min(self._targets), (table, leaf), "came")

    # -- texts ---------------------------------------------------------------------------------------------------

    def _text(self, path: str) -> bytes | None:
        if path not in self._out.texts:
            self._base[path] = self._out.texts[path] = history.current_text(self._db, path)
        return self._out.texts[path]

    def _take_text_back(self, number: int, path: str) -> None:
        first = min(v.id for v in history.version_rows(self._db, path, number))
        had, saved = history.text_at(self._db, path, number), history.text_before(self._db, first)
        now = self._text(path)
        if now == saved or had == saved:
            return
        if now == had:
            self._out.texts[path] = saved
        elif had is None:
            self._block_text(number, path, f"{path} is there again", ())
        elif now is None:
            self._block_text(number, path, f"{path} was removed", ())
        elif saved is None:
            self._block_text(number, path, f"{path} was changed", ())
        else:
            self._merge(number, path, had, now, saved)

    def _merge(self, number: int, path: str, had: bytes, now: bytes, saved: bytes) -> None:
        try:
            texts = [text.decode() for text in (had, now, saved)]
        except UnicodeDecodeError:
            self._block_text(number, path, f"{path}, which is no text, was changed", ())
            return
        done = take_back(texts[0], self._keyed(path, texts[1]), texts[2])
        if done.lost:
            line = done.lost[0].strip()
            shown = f"{line[:60]}…" if len(line) > 60 else line
            self._block_text(number, path, f"{path}: a line was changed ({shown})", done.lost)
        else:
            self._out.texts[path] = done.text.encode()
            self._out.merged.add(path)

    def _keyed(self, path: str, text: str) -> Keyed:
        base = self._state.base(path)
        if base is not None and base.document.text == text:
            return base
        return align(base, parse(path, text, base.document if base else None)).keyed("?")

    def _block_text(self, number: int, path: str, what: str, lines: Sequence[str]) -> None:
        behind = [
            v.transaction
            for v in history.version_rows(self._db, path)
            if v.transaction > number and v.transaction not in self._targets
        ]
        found = {n for n in behind if lines and self._touches(path, n, lines)}
        self._block(what, found or set(behind))

    def _touches(self, path: str, number: int, lines: Sequence[str]) -> bool:
        """Whether a transaction brought or took one of these lines."""
        first = min(v.id for v in history.version_rows(self._db, path, number))
        texts = (history.text_before(self._db, first), history.text_at(self._db, path, number))
        before, after = (Counter((text or b"").decode("utf-8", "replace").split("\n")) for text in texts)
        changed = (before - after) + (after - before)
        return any(line in changed for line in lines)
