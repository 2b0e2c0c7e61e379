"""The session cache: the current session, its counts, and the tasks that it repeats.

Older caches are often left below the current one. From the second title or the second ``Current Session`` on, all is
history and gives no readings.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from parser.document import Parsed
from parser.fields import Label, labels
from parser.kinds.registry import field_columns, id_column, row_id
from parser.kinds.task_fields import cell_field, header_lines, read_block, whole_lines, why_unread
from parser.kinds.task_mentions import Mention, heading_mention, list_mention, mention_fields, said_again
from parser.lines import Line, lines, open_lines
from parser.tables import TableBlock, find_tables
from parser.values import is_nothing, read_date
from schema.patterns import pattern
from schema.records import Field, Problem, Reading, Role, Span, Table

_SESSION = pattern(r"(?:current|active) session(?:[ \t]*[(:–—-].*)?", re.I)
_TITLE = pattern(r"session[ _-]cache\b", re.I)
_OVERVIEW = pattern(r"(?:session |task )?(?:overview|counts|statistics|totals)\b", re.I)
_HISTORY = pattern(r"\b(?:history|histories|previous|earlier|next|notes|summary|accomplished)\b", re.I)
_TASKS = pattern(r"\b(?:tasks?|registry|completions?)\b", re.I)
_COUNT = pattern(
    r"(?<![\w-])(?P<name>active|paused|completed)(?:[ \t]+tasks?)?[ \t]*\*{0,2}:\*{0,2}[ \t]*\*{0,2}"
    r"(?P<number>\d{1,9})(?!\d)",
    re.I,
)
_ITEM = pattern(r"( {0,3})(?:[-*+]|\d{1,9}[.)])[ \t]")
_CODE = pattern(r"`([^`]+)`|\[[^\]]*\]\(([^)\s]+)\)|(\S+)")
_NO_TASK = pattern(r"(?:#{3,6}|[-*+])[ \t]+[*\[]*[A-Z]{1,5}-?\d+\w*\b")
_TASK_FIELDS = frozenset({"status", "priority", "started", "completed", "last_updated", "dependencies"})
_FOCUS = frozenset({"focus task", "focus tasks", "focus", "current focus", "current focus task", "current task"})
_FILE = frozenset({"session file", "session", "session id", "current session"})
_COUNTS = frozenset({"active_count", "paused_count", "completed_count"})
_UPDATED = frozenset({"last updated", "updated"})


class Area(StrEnum):
    """What a part of the cache holds."""

    TITLE = "title"
    SESSION = "session"
    OVERVIEW = "overview"
    TASKS = "tasks"
    PROSE = "prose"


class Context(Struct, frozen=True):
    """Where the next section stands.

    ``history``: in an older cache. ``known``: fields that were given. ``shown``: tasks that have had their section.
    """

    area: Area = Area.TITLE
    level: int = 0
    titled: bool = False
    history: bool = False
    known: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    inside: int = 0  # level of the task section above, 0 for none
    shift: int = 0  # how many levels further down than usual all headings stand


class CacheGrammar:
    """Reads ``session_cache.md``."""

    def start(self, path: str) -> Hashable:
        return Context()

    def read(self, text: str, level: int, title: str, context: Hashable) -> Parsed:
        assert isinstance(context, Context)
        if not context.titled and level > 1 and _TITLE.match(title):
            context = replace(context, shift=level - 1)
        level = max(1, level - context.shift) if level else 0
        here = _enter(context, level, title)
        if here.history:
            return Parsed((), (), here)
        readings: list[Reading] = []
        problems: list[Problem] = []
        fields, spans, unread = _session(text, here)
        problems += unread
        if fields:
            readings.append(Reading(Table.CACHE, "current", Role.CACHE, fields, whole_lines(text, spans)))
            here = replace(here, known=here.known | (fields.keys() - _COUNTS))
        if here.area is Area.TASKS and not 0 < here.inside < level:
            found, unread, here = _tasks(text, level, here)
            readings += found
            problems += unread
        readings.sort(key=lambda reading: reading.span)
        return Parsed(tuple(readings), tuple(problems), here)


def _enter(context: Context, level: int, title: str) -> Context:
    """The context inside a section with this heading."""
    if level == 0 or context.history:
        return context
    here = replace(context, inside=0) if level <= context.inside else context
    if level == 1:
        return replace(here, history=context.titled, titled=True, area=Area.TITLE, level=1)
    if here.area is not Area.TITLE and level > here.level > 1:
        return here
    if _SESSION.fullmatch(title):
        again = "session" in here.known or bool(here.known & {"current_focus_task", "current_session_id"})
        known = here.known | {"session"}
        return replace(here, history=again, known=known, area=Area.SESSION, level=level)
    return replace(here, area=_area(title), level=level)


def _area(title: str) -> Area:
    if _HISTORY.search(title):
        return Area.PROSE
    if _OVERVIEW.match(title):
        return Area.OVERVIEW
    return Area.TASKS if _TASKS.search(title) else Area.PROSE


def _session(text: str, here: Context) -> tuple[dict[str, Field], list[Span], list[Problem]]:
    """The fields of the cache itself, with their lines."""
    fields: dict[str, Field] = {}
    spans: list[Span] = []
    problems: list[Problem] = []
    own = here.area in (Area.TITLE, Area.SESSION, Area.OVERVIEW)
    for number, line in enumerate(line for line in open_lines(text) if line.text.strip()):
        if line.text.startswith("#"):
            continue
        found: list[tuple[str, Field]] = []
        # Below other headings, a date that does not stand first belongs to an older cache that follows.
        for label in labels(line) if own or (number == 1 and not here.inside) else ():
            if own or label.name in _UPDATED:
                found += _labelled(label, problems)
        if own:
            found += _counts(line)
        for name, field in found:
            if name not in fields and name not in here.known:
                fields[name] = field
                spans.append(Span(line.start, line.end))
    return fields, spans, problems


def _labelled(label: Label, problems: list[Problem]) -> Iterator[tuple[str, Field]]:
    if not label.value:
        return
    if label.name in _UPDATED:
        if value := read_date(label.value):
            yield "last_updated", Field(value, label.value_span)
        elif not is_nothing(label.value):
            problems.append(Problem(label.line.number, f"no date is readable in {label.name} {label.value[:60]!r}"))
    elif label.name in _FOCUS:
        yield "current_focus_task", Field(None if is_nothing(label.value) else label.value, label.value_span)
    elif label.name in _FILE:
        yield from _file(label)


def _file(label: Label) -> Iterator[tuple[str, Field]]:
    """The session that a value names: one path, name or id, as it stands inside code marks or a link."""
    if is_nothing(label.value):
        yield "current_session_id", Field(None, label.value_span)
    match = _CODE.fullmatch(label.value)
    if match is not None and match.lastindex is not None and not is_nothing(label.value):
        start = label.value_span.start
        span = Span(start + match.start(match.lastindex), start + match.end(match.lastindex))
        yield "current_session_id", Field(match[match.lastindex], span)


def _counts(line: Line) -> Iterator[tuple[str, Field]]:
    for match in _COUNT.finditer(line.text):
        span = Span(line.start + match.start("number"), line.start + match.end("number"))
        yield f"{match['name'].lower()}_count", Field(str(int(match["number"])), span)


def _tasks(text: str, level: int, here: Context) -> tuple[list[Reading], list[Problem], Context]:
    """The tasks of a section: the one of its heading, else those of its lists and tables."""
    held = lines(text)
    mention = heading_mention(held[0]) if level > here.level else None
    if mention is not None:
        if mention.id in here.shown:
            # A piece of a task, told again below "Completed": what it says is not what holds for the task.
            return [], [], replace(here, inside=level)
        block = read_block(header_lines(line for line in open_lines(text) if line.number > 0), _TASK_FIELDS)
        said = {name: field for name, field in block.fields.items() if field.span.start < field.span.end}
        own = _mentioned(text, mention, Span(0, len(text)), said)
        return own, block.problems, replace(here, inside=level, shown=here.shown | {mention.id})
    problems: list[Problem] = []
    if level > here.level and _NO_TASK.match(held[0].text):
        problems.append(Problem(0, f"{held[0].text.strip('# ')[:60]!r} is not one task"))
        return [], problems, replace(here, inside=level)
    readings: list[Reading] = []
    for table in find_tables(text):
        found, unread = _rows(table)
        readings += found
        problems += unread
    margin: int | None = None  # how far the items of the list are indented that is open
    for line in open_lines(text):
        if item := _ITEM.match(line.text):
            margin = len(item[1]) if margin is None else min(margin, len(item[1]))
        listed = list_mention(line)
        if listed is not None and listed.indent == margin:
            readings += _mentioned(text, listed, Span(line.start, line.end), {})
        elif _NO_TASK.match(line.text) and line.text[0] != "#":
            problems.append(Problem(line.number, f"{line.text.strip('-*+ ')[:60]!r} is not one task"))
    return readings, problems, here


def _mentioned(text: str, mention: Mention, span: Span, below: Mapping[str, Field]) -> list[Reading]:
    """The reading of a mention with the fields ``below`` it; one more for each further place that shows the status."""
    fields = mention_fields(text, mention, title=True)
    again = [said_again(text, mention)]
    if "status" in fields and "status" in below:
        again.append({"status": below["status"]})
    first = Reading(Table.TASKS, mention.id, Role.CACHE, {**below, **fields}, span)
    more = [Reading(Table.TASKS, mention.id, Role.CACHE, said, said["status"].span) for said in again if said]
    return [first, *more]


def _rows(table: TableBlock) -> tuple[list[Reading], list[Problem]]:
    index = id_column(table)
    readings: list[Reading] = []
    problems: list[Problem] = []
    for row in table.rows if index is not None else ():
        assert index is not None
        task = row_id(row.cells[index].text) if index < len(row.cells) else None
        if task is None:
            continue
        fields = {}
        for name, at in field_columns(table).items():
            if at >= len(row.cells) or name == "details":
                continue
            cell = row.cells[at]
            field = cell_field(name, cell.text, cell.span)
            if field is not None:
                fields[name] = field
            else:
                problems.append(Problem(row.line.number, why_unread(name, cell.text)))
        readings.append(Reading(Table.TASKS, task, Role.CACHE, fields, Span(row.line.start, row.line.end)))
    return readings, problems


GRAMMAR = CacheGrammar()
