"""A task file, ``tasks/<ID>.md`` or its archived copy: one task, its blocks of fields, its checklists.

Fields stand under the title, and in sections that are named for them (Task Information, Overview, Status, ...) as long
as no other section encloses those. Labels elsewhere are prose. A second block of fields is a second reading.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from parser.document import Parsed
from parser.fields import UNDERLINED, Item, checklist
from parser.kinds import TASK_ID
from parser.kinds.task_fields import Block, header_lines, read_block, read_value, title_field, whole_lines
from parser.lines import Line, open_lines
from parser.values import is_nothing, read_ids
from schema.patterns import pattern
from schema.records import Field, Place, Reading, Role, Span, Table

_FIELDS = frozenset({
    "title", "status", "priority", "started", "completed", "last_updated", "description", "dependencies",
})  # fmt: skip
_BLOCKS = frozenset({
    "task information", "task info", "task details", "task overview", "task metadata", "details", "overview",
    "metadata", "status", "current status", "task status", "status update", "priority", "dependencies",
    "task dependencies",
})  # fmt: skip
_LABEL_HEADING = pattern(r"(?:current |task )?(?:status|priority|dependencies|started|completed)\**[ \t]*:", re.I)
_CHECKLISTS = pattern(
    r"(?:\w+ )?(?:criteria|progress|subtasks|sub-tasks|checklist|task list|todo|to do|to-do)\b"
    r"|action items|deliverables|success metrics|implementation (?:plan|steps|phases)|phase \w+",
    re.I,
)
_BOX = pattern(r"\[[ xX]\]")
_TITLE = pattern(
    rf"\ufeff?#+[ \t]+(?:Task\b:?[ \t]*)?\**(?P<id>{TASK_ID})(?![\w-])\**[ \t]*(?:[:\-–—][ \t]*)?"
    r"(?P<title>(?!#+[ \t]*\r?(?:\n|$))\S.*?)?[ \t]*(?:#+[ \t]*)?\r?(?:\n|$)",
    re.I,
)
_NAMED = pattern(
    rf"(?:Task\b:?[ \t]*)?\**(?:{TASK_ID})(?![\w-])\**[ \t]*(?:[:\-–—][ \t]*)?(?P<title>\S.*)?", re.I
)
_BARE_TITLE = pattern(r"\ufeff?#[ \t]+(?P<title>\S.*?)[ \t]*(?:#+[ \t]*)?\r?(?:\n|$)")
_NO_TITLE = pattern(r"(?:task(?: (?:details?|information|file))?|untitled)[:\s]*", re.I)
_FRONT_MATTER = pattern(r"[\ufeff\s]*---[ \t]*\r?\n(?:[ \t]*[\w-]+:.*\n|[ \t]*-[ \t].*\n)*[ \t]*---\s*")
_DEPENDENCY = pattern(rf"[ \t]*(?:[-*+]|\d+[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(?P<ids>[*`\[]*{TASK_ID}(?![\w-])[^\n]*)")


class Around(Struct, frozen=True):
    """What a section of a task file has to know.

    ``open`` are the headings above it, each with whether it is part of the header; ``known`` the fields that have a
    value so far; ``first`` whether nothing was read yet, ``titled`` whether the title heading was met.
    """

    task: str
    role: Role
    open: tuple[tuple[int, str, bool], ...] = ()
    known: frozenset[str] = frozenset()
    first: bool = True
    titled: bool = False


class TaskGrammar:
    """Reads task files, the current ones and those in the archive."""

    def start(self, path: str) -> Hashable:
        task = path.rpartition("/")[2].removesuffix(".md")
        return Around(task, Role.ARCHIVE if path.startswith("archive/") else Role.OWN)

    def read(self, text: str, level: int, title: str, context: Hashable) -> Parsed:
        assert isinstance(context, Around)
        here = _enter(context, level, title)
        is_title = level > 0 and not context.titled
        if level == 0 and (underlined := UNDERLINED.match(text)):
            is_title, here = True, replace(here, titled=True)
            title = underlined["head"]
        block = Block()
        if not here.open or here.open[-1][2]:
            block = _header(text, level, title, is_title, context.known)
        readings = _tasks(here, block, text)
        known = here.known | {n for n, f in block.fields.items() if f.value not in (None, ())}
        first = here.first and not readings
        readings += _subtasks(text, here)
        readings.sort(key=lambda r: r.span.start)
        return Parsed(tuple(readings), tuple(block.problems), replace(here, known=known, first=first))


def _enter(context: Around, level: int, title: str) -> Around:
    """The context inside the section: its own heading is the last of the open ones."""
    if level == 0:
        return context
    kept = tuple(h for h in context.open if h[0] < level)
    is_header = all(h[2] for h in kept) and (not context.titled or _names_fields(title))
    return replace(context, open=(*kept, (level, title, is_header)), titled=True)


def _names_fields(title: str) -> bool:
    return title.strip("*_: ").casefold() in _BLOCKS or _LABEL_HEADING.match(title.lstrip("*_")) is not None


def _header(text: str, level: int, title: str, is_title: bool, known: frozenset[str]) -> Block:
    """The fields of a section that belongs to the task's header."""
    held = list(open_lines(text))
    if is_title:
        block = read_block(header_lines(held[1:]), _FIELDS, known)
        named = _title(text, block)
        block.again += [(name, block.fields.pop(name)) for name in named if name in block.fields]
        block.fields.update(named)
        return block
    is_label = level > 0 and _LABEL_HEADING.match(title.lstrip("*_")) is not None
    body = held if is_label or level == 0 else held[1:]
    plain = title.strip("*_: ").casefold()
    if plain.endswith("dependencies") and not is_label:
        block = Block()
        if found := _dependencies(held[1:]):
            block.add("dependencies", found)
            return block
    block = read_block(header_lines(body), _FIELDS, known)
    for name in ("status", "priority"):
        if plain.endswith(name) and name not in block.fields and (found := _first_line(name, held[1:])):
            block.fields[name] = found
    return block


def _title(text: str, block: Block) -> dict[str, Field]:
    """The title that the first heading holds; it is none where it is the id again."""
    if underlined := UNDERLINED.match(text):
        match = _NAMED.match(text, underlined.start("head"), underlined.end("head"))
        found = title_field(match) if match else None
        return {"title": found} if found else {}
    match = _TITLE.match(text)
    if match is None:
        bare = _BARE_TITLE.match(text)
        if bare is None or _NO_TITLE.fullmatch(bare["title"]) or "title" in block.fields:
            return {}
        match = bare
    found = title_field(match)
    return {"title": found} if found else {}


def _first_line(name: str, lines: list[Line]) -> Field | None:
    """The value that the first line below a heading such as ``## Status`` gives."""
    for line in lines:
        text = line.text.strip()
        if not text:
            continue
        marker = re.match(r"(?:[-*+][ \t]+)?", text)
        begin = line.start + line.text.index(text) + (marker.end() if marker else 0)
        end = line.start + len(line.text.rstrip())
        value = read_value(name, text[marker.end() if marker else 0 :])
        return Field(value, Span(begin, end)) if isinstance(value, str) else None
    return None


def _dependencies(lines: list[Line]) -> Field | None:
    """The ids that a ``## Dependencies`` section lists, one or more a line; its span: from the first to the last."""
    held = [(line, ids) for line in lines if (ids := line_ids(line.text))]
    if held:
        ids = tuple(dict.fromkeys(i for _, found in held for i in found))
        return Field(ids, Span(held[0][0].start, held[-1][0].end), Place.BLOCK)
    for line in lines:
        text = line.text.strip().removeprefix("- ").strip()
        if not text:
            continue
        begin = line.start + line.text.index(text)
        if is_nothing(text):
            return Field((), Span(begin, begin + len(text)))
        ids = read_ids(text) if re.match(rf"[*`\[]*{TASK_ID}(?![\w-])", text) else ()
        return Field(ids, Span(begin, begin + len(text))) if ids else None
    return None


def line_ids(line: str) -> tuple[str, ...]:
    """The ids that a list line of a dependencies section begins with; what follows a colon or dash is a note."""
    match = _DEPENDENCY.match(line)
    return read_ids(re.split(r":|[ \t][-–—][ \t]", match["ids"], maxsplit=1)[0]) if match else ()


def _tasks(here: Around, block: Block, text: str) -> list[Reading]:
    """The task's readings of one section: its fields, and again each field whose label stands there twice.

    A file without any fields shows its task all the same; not in its front matter, which a title follows.
    """
    found: list[Reading] = []
    if block.fields or (here.first and not _FRONT_MATTER.fullmatch(text)):
        spans = [f.span for f in block.fields.values()]
        span = whole_lines(text, spans) if spans else Span(0, 0)
        found.append(Reading(Table.TASKS, here.task, here.role, block.fields, span))
    for name, field in block.again:
        found.append(Reading(Table.TASKS, here.task, here.role, {name: field}, whole_lines(text, [field.span])))
    return found


def _subtasks(text: str, here: Around) -> Iterator[Reading]:
    """Checklist items: with an icon or a box; below headings of other things only if one has a box."""
    section = here.open[-1][1] if here.open else ""
    items = [item for item in checklist(text) if item.status is not None and item.text]
    if not any(_CHECKLISTS.match(heading) for _, heading, _ in here.open) and not _boxed(text, items):
        return
    inherited = {"section": section, "task_id": here.task}
    for item in items:
        fields = {"text": Field(item.text, item.text_span), "status": Field(str(item.status), item.status_span)}
        yield Reading(Table.SUBTASKS, item.text, here.role, fields, whole_lines(text, [item.text_span]), inherited)


def _boxed(text: str, items: list[Item]) -> bool:
    return any(_BOX.fullmatch(text, *item.status_span) for item in items)


GRAMMAR = TaskGrammar()
