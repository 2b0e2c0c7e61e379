"""The tables of tasks of a registry as they stand: what their columns mean, how their cells and rows are written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar, cast

from msgspec import Struct

from parser.document import Document
from parser.kinds import TASK_ID
from parser.kinds.registry import field_columns, heading_status, id_column, row_id
from parser.tables import Cell, Row, TableBlock, find_tables
from parser.values import ICON, is_nothing, read_date, read_ids, read_priority, read_status, render
from schema.patterns import pattern
from schema.records import Status, Value
from writer.canonical import shown
from writer.cells import RowStyle
from writer.edits import Edit
from writer.places import line_behind

_T = TypeVar("_T")
_DIGITS = pattern(r"\d+")
_LINK = pattern(r"\[[^\]]*\](?:\([^)]*\))?")
_STATUS_WORDS = (
    r"in[ _-]?progress|active|completed?|done|pending|todo|to do|not started|planned|queued|paused|blocked|cancell?ed"
)


class Place(Struct, frozen=True):
    """A table of tasks: where it stands, what its columns mean, the status that its section gives it."""

    section: int
    table: TableBlock
    ids: int
    columns: Mapping[str, int]
    given: Status | None

    @property
    def tells_status(self) -> bool:
        return "status" in self.columns

    def fits(self, status: Value) -> bool:
        """Whether a row here can have ``status``."""
        return self.tells_status or (self.given is not None and self.given == status)


class Tables:
    """The tables of tasks of a document. What is asked of one for many rows is worked out once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.places = _places(document)
        self._known: dict[object, Any] = {}

    def _once(self, name: str, place: Place, make: Callable[[], _T], more: object = None) -> _T:
        key = (name, id(place), more)
        if key not in self._known:
            self._known[key] = make()
        return cast(_T, self._known[key])

    def newest_first(self, place: Place) -> bool:
        """Whether the rows of a table go from new to old."""
        return self._once("newest", place, lambda: _newest_first(place))

    def nothing(self, place: Place) -> str:
        """How a table writes that there is no value."""
        return self._once("nothing", place, lambda: _nothing(place.table))

    def styled(self, place: Place, name: str, value: Value) -> str:
        """``value`` as the column ``name`` writes it."""
        if isinstance(value, tuple):
            return ", ".join(sorted(value, key=_natural))
        plain = value or ""
        if name in ("title", "details"):
            return plain
        return self._once("styled", place, lambda: self._styled(place, name, plain), (name, plain))

    def _styled(self, place: Place, name: str, value: str) -> str:
        """As most cells with the same value write it, else in the style of the others."""
        models = self._models(place, name) or [t for other in self.places for t in self._models(other, name)]
        same = [text for text in models if reads(name, text, value)]
        usual = Counter(same or models).most_common(1)
        text = render(name, usual[0][0], value) if usual else shown(name, value)
        return text if reads(name, text, value) else value

    def _models(self, place: Place, name: str) -> list[str]:
        return self._once("models", place, lambda: _models(place, name), name)

    def count(self, place: Place, status: Status) -> int:
        """The tasks of ``status`` in a table."""
        return self._once("statuses", place, lambda: _statuses(place))[status]

    def more(self, place: Place, task: str) -> list[str]:
        """What the newest rows have behind the last column: the link to the task's file, as one for ``task``."""
        return [text.replace(known, task) for known, text in self._once("more", place, lambda: _more(place))]

    def holds(self, place: Place, task: str) -> bool:
        """Whether a table has a row for ``task``."""
        return task in self._once("ids", place, lambda: {row_id(cell_text(row, place.ids)) for row in place.table.rows})

    def row_at(self, section: int, start: int) -> tuple[Place, Row] | None:
        """The row that starts at an offset of a section, with its table."""
        for place in self.places:
            if place.section == section:
                rows = self._once("rows", place, partial(_by_start, place))
                if start in rows:
                    return place, rows[start]
        return None

    def edit(self, place: Place, texts: list[str]) -> Edit | None:
        """The edit that puts in a row: on top of those that go from new to old, else below all."""
        section = self.document.sections[place.section]
        style = self._once("row", place, lambda: RowStyle(section.text, place.table, len(texts)), len(texts))
        row = style.row(texts)
        if row is None:
            return None
        delimiter = section.text.index("\n", place.table.header.line.start) + 1
        last = place.table.rows[-1].line.start if place.table.rows else delimiter
        return line_behind(self.document, place.section, delimiter if self.newest_first(place) else last, row)


def _places(document: Document) -> list[Place]:
    """All tables of tasks, in the order of the text."""
    found: list[Place] = []
    above: list[tuple[int, Status | None]] = []
    for number, section in enumerate(document.sections):
        if section.level:
            above = [h for h in above if h[0] < section.level]
            above.append((section.level, heading_status(section.heading)))
        given = next((status for _, status in reversed(above) if status is not None), None)
        for table in find_tables(section.text):
            ids = id_column(table)
            if ids is not None:
                found.append(Place(number, table, ids, field_columns(table), given))
    return found


def _newest_first(place: Place) -> bool:
    """Whether the rows of a table go from new to old: by their dates, where these do not tell by their ids."""
    for name in ("completed", "started"):
        index = place.columns.get(name)
        if index is not None:
            dates = [read_date(cell_text(row, index)) or "" for row in place.table.rows]
            if direction := _direction([d for d in dates if d]):
                return direction < 0
    ids = [i for row in place.table.rows if (i := row_id(cell_text(row, place.ids)))]
    return _direction([_natural(i) for i in ids]) < 0


def _direction(values: Sequence[str]) -> int:
    """Positive where neighbours rise more often than they fall."""
    return sum((a < b) - (a > b) for a, b in pairwise(values))


def _natural(task: str) -> str:
    """An id as a text that sorts by its number."""
    return _DIGITS.sub(lambda match: match[0].zfill(8), task)


def cell_text(row: Row, index: int) -> str:
    """The text of a cell; none where the row is shorter."""
    return row.cells[index].text if index < len(row.cells) else ""


def _more(place: Place) -> list[tuple[str, str]]:
    """The cells behind the last column of the newest row that links to its task's file there, with its id.

    None unless most of the three newest rows have one.
    """
    newest = place.table.rows[:3] if _newest_first(place) else place.table.rows[:-4:-1]
    width = len(place.table.header.cells)
    found = []
    for row in newest:
        known, behind = row_id(cell_text(row, place.ids)), [cell.text for cell in row.cells[width:]]
        if known and len(behind) == 1 and _LINK.fullmatch(behind[0]) and f"/{known}." in behind[0]:
            found.append((known, behind[0]))
    return found[:1] if 2 * len(found) > len(newest) else []


def _by_start(place: Place) -> dict[int, Row]:
    return {row.line.start: row for row in place.table.rows}


def _statuses(place: Place) -> Counter[Status | None]:
    index = place.columns.get("status")
    if index is None:
        return Counter({place.given: len(place.table.rows)})
    return Counter(read_status(cell_text(row, index)) for row in place.table.rows)


def column_name(cell: Cell) -> str:
    """What a column is called, without emphasis and case."""
    return cell.text.strip("*_ ").casefold()


def _nothing(table: TableBlock) -> str:
    """How this table writes that there is no value."""
    seen = Counter(c.text for row in table.rows for c in row.cells if c.text and is_nothing(c.text))
    return seen.most_common(1)[0][0] if seen else "-"


def _models(place: Place, name: str) -> list[str]:
    index = place.columns.get(name)
    if index is None:
        return []
    texts = [cell_text(row, index) for row in place.table.rows]
    return [t for t in texts if not is_nothing(t) and _read(name, t) is not None]


def _read(name: str, text: str) -> Value:
    match name:
        case "status":
            return read_status(text)
        case "priority":
            return read_priority(text)
        case "dependencies":
            return read_ids(text)
        case "title" | "details":
            return text
    return read_date(text)


def reads(name: str, text: str, value: Value) -> bool:
    return _read(name, text) == value


def unread(name: str, text: str) -> bool:
    """Whether a cell has words that are no value of its column. A status is told by its table as well."""
    return name != "status" and not is_nothing(text) and _read(name, text) in (None, ())


def says_only(name: str, text: str) -> bool:
    """Whether a cell holds a value and no further words."""
    plain = text.strip("*_`~ ")
    match name:
        case "status":
            return re.fullmatch(rf"(?:{ICON})?[ *_]*(?:{_STATUS_WORDS})?[ *_]*", plain, re.I) is not None
        case "priority":
            return read_priority(text) is not None and re.fullmatch(r"\W*\w+", plain) is not None
        case "dependencies":
            return not re.search(r"\w", re.sub(TASK_ID, "", plain))
        case "started" | "completed" | "last_updated":
            return read_date(text) is not None and "(" not in text
        case "details":
            return _LINK.fullmatch(plain) is not None
    return False
