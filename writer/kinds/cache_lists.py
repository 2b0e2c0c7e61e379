"""Which tasks a session cache lists, learnt from those that it does: lines of a registry, or sections of active tasks.

A list below a heading such as *Active Tasks* holds tasks of that status; a list that holds tasks of several, or is
called a registry, holds all open ones, and final ones if it holds such. A cache may have both a list and sections, if
most of the tasks of a status have one. Older caches in the same file are history.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from parser.document import At, Document
from parser.kinds.registry import heading_status
from parser.kinds.task_mentions import Mention, list_mention
from parser.lines import Line, lines
from parser.values import read_status, render_status
from schema.patterns import pattern
from schema.records import Reading, Role, Status, Table, Value
from writer.changes import Insert
from writer.edits import Edit
from writer.kinds.registry_tables import says_only
from writer.likeness import head_like
from writer.places import before_section, behind_section, line_before, line_behind

Values = Mapping[str, Value]

_FINAL = frozenset({Status.COMPLETED, Status.CANCELLED})
_DIGITS = pattern(r"\d+")


class Item(Struct, frozen=True):
    """A line of a list, or a section of its own, about one task."""

    task: str
    status: Value
    section: int
    line: Line | None = None
    mention: Mention | None = None


class Listing(Struct, frozen=True):
    """Items that stand together. ``given`` is the status that their heading names, ``whole`` that it says registry."""

    items: tuple[Item, ...]
    given: Status | None
    whole: bool

    def statuses(self) -> set[Value]:
        return {item.status for item in self.items}

    def tasks(self) -> set[str]:
        return {item.task for item in self.items}

    def takes(self, status: Value, *, entering: bool) -> bool:
        """Whether a task belongs here; ``entering``: one that was there before, and comes in by its new status."""
        if entering and self.items[0].line is None and status != Status.IN_PROGRESS:
            return False  # what is paused or done has no story to begin
        if self.given is not None:
            return status == self.given if entering else status == self.given or status in self.statuses()
        if entering:
            return self.statuses() == {status} and not self.whole
        mixed = self.whole or len(self.statuses()) > 1
        return status in self.statuses() or (mixed and status not in _FINAL)


def takes(
    document: Document, task: str, values: Values, *, entering: bool = False, begins: bool = True
) -> bool:
    """Whether the cache lists a task with ``values`` that it does not show, and can write it in its own way.

    ``entering`` and ``begins`` as in `writer.changes.Insert`.
    """
    from writer.put import put

    if not values.get("status") or not _wanting(document, task, values, entering, begins):
        return False
    return not put(document, [Insert(Table.TASKS, {**values, "id": task}, entering=entering, begins=begins)]).refused


def _wanting(document: Document, task: str, values: Values, entering: bool, begins: bool) -> list[Listing]:
    """The listings that take a task: of lists, where none shows it, and of sections, where it has none."""
    found = listings(document)
    lists = [listing for listing in found if listing.items[0].line is not None]
    heads = [listing for listing in found if listing.items[0].line is None]
    if not begins and (lists or entering):
        heads = []
    shown = {reading.key for _, reading in document.readings() if reading.table is Table.TASKS}
    wanting = [] if any(task in listing.tasks() for listing in lists) else lists
    if not any(task in listing.tasks() for listing in heads) and (lists or task not in shown):
        wanting = [*wanting, *heads]
    return [listing for listing in wanting if listing.takes(values.get("status"), entering=entering)]


def leaves(document: Document, at: At, status: Value) -> bool:
    """Whether the line at ``at`` goes as its task gets ``status``: its list is of another, and it says no more."""
    reading = document.at(at)
    for listing in listings(document):
        for item in listing.items:
            if item.line is None or (item.section, item.line.start) != (at.section, reading.span.start):
                continue
            alone = listing.given not in (None, status) and status not in listing.statuses()
            return alone and len(listing.items) > 1 and _plain(document, item, reading)
    return False


def _plain(document: Document, item: Item, reading: Reading) -> bool:
    """Whether a line says id, title and status, and no more."""
    text = document.sections[item.section].text
    return all(name in ("title", "status") for name in reading.fields) and all(
        says_only("status", text[slice(*span)]) for span in (item.mention.statuses if item.mention else ())
    )


def listings(document: Document) -> list[Listing]:
    """The lists of tasks in the current cache, then its sections of tasks, if it keeps them for those of a status."""
    lists: list[Listing] = []
    heads: dict[Status | None, list[Item]] = {}
    above: list[tuple[int, str]] = []
    for number, section in enumerate(document.sections):
        if section.level:
            above = [*(one for one in above if one[0] < section.level), (section.level, section.heading)]
        title = next((t for _, t in reversed(above) if heading_status(t) is not None), "")
        found = [r for r in section.readings if r.table is Table.TASKS and r.role is Role.CACHE]
        items = [item for line in lines(section.text) if (item := _listed(number, line, found)) is not None]
        if items:
            lists.append(Listing(tuple(items), heading_status(title), "registry" in above[-1][1].lower()))
        elif found and found[0].span.start == 0 and section.level:
            heads.setdefault(heading_status(title), []).append(Item(found[0].key, found[0].value("status"), number))
    sections = [Listing(tuple(items), given, False) for given, items in heads.items() if given is not None]
    return [*lists, *(one for one in sections if not lists or _most_have(one, lists))]


def _most_have(sections: Listing, lists: Sequence[Listing]) -> bool:
    """Whether most tasks that ``lists`` hold with the status of ``sections`` have one of them."""
    listed = {item.task for one in lists for item in one.items if item.status == sections.given}
    return 2 * len(listed & sections.tasks()) > len(listed)


def _listed(section: int, line: Line, found: Sequence[Reading]) -> Item | None:
    reading = next((r for r in found if (r.span.start, r.span.end) == (line.start, line.end)), None)
    mention = list_mention(line) if reading is not None else None
    if reading is None or mention is None or mention.title is None or not mention.statuses:
        return None
    return Item(reading.key, reading.value("status"), section, line, mention)


def places_for(
    document: Document, task: str, values: Values, *, entering: bool = False, begins: bool = True
) -> Iterator[list[Edit]]:
    """Ways to list a task, best first: where all of its listing are of its status, else in one of several.

    In a cache that has sections beside its list it gets both; if that does not do, one of them.
    """
    found = sorted(
        _wanting(document, task, values, entering, begins), key=lambda one: one.given != values.get("status")
    )
    lines = [edit for one in found if one.items[0].line is not None and (edit := _line(document, one, task, values))]
    heads = [_section(document, one, task, values) for one in found if one.items[0].line is None]
    yield from ([line, head] for line in lines for head in heads)
    yield from ([edit] for edit in (*lines, *heads))


def _newest_first(listing: Listing) -> bool:
    """Whether the ids fall more often than they rise; those of other series than most do not count."""
    ids = [i.task for i in listing.items if i.task.startswith("T")] or [i.task for i in listing.items]
    numbers = [_DIGITS.sub(lambda match: match[0].zfill(8), task) for task in ids]
    return sum((a < b) - (a > b) for a, b in pairwise(numbers)) < 0


def _line(document: Document, listing: Listing, task: str, values: Values) -> Edit | None:
    status = values.get("status")
    same = [item for item in listing.items if item.status == status]
    model = (same or listing.items)[-1]
    text = _like(document, model, [i for i in listing.items if i.status == status], task, values)
    if text is None:
        return None
    first = _newest_first(listing)
    beside = _neighbour(listing, status, first)
    assert beside.line is not None
    put = line_before if first else line_behind
    return put(document, beside.section, beside.line.start, text)


def _neighbour(listing: Listing, status: Value, first: bool) -> Item:
    """The item that a new one goes before or behind: of its status in a list that is grouped by status, the open ones
    before the final ones; else the first or the last."""
    items = listing.items if first else listing.items[::-1]
    runs = 1 + sum(a.status != b.status for a, b in pairwise(listing.items))
    same = [item for item in items if item.status == status]
    if same and runs == len(listing.statuses()):
        return same[0]
    final = [item.status in _FINAL for item in listing.items]
    if status not in _FINAL and any(final) and final == sorted(final) and not all(final):
        return next(item for item in items if item.status not in _FINAL)
    return items[0]


def _like(document: Document, model: Item, same: Sequence[Item], task: str, values: Values) -> str | None:
    """A line like that of ``model``, without the notes that it has."""
    title = values.get("title")
    if model.line is None or model.mention is None or model.mention.title is None or not isinstance(title, str):
        return None
    text, start = model.line.text, model.line.start
    status = Status(str(values.get("status")))
    parts = [(model.mention.title, title)]
    parts += [
        (span, _sign(document, model, same, number, status)) for number, span in enumerate(model.mention.statuses)
    ]
    for span, new in sorted(parts, reverse=True):
        text = text[: span.start - start] + new + text[span.end - start :]
    head, found, rest = text.partition(model.mention.id)
    return head + task + rest if found and "\n" not in text else None


def _sign(document: Document, model: Item, same: Sequence[Item], number: int, status: Status) -> str:
    """A status as most items of that status write it, else in the style of the model."""
    texts = Counter(
        document.sections[item.section].text[slice(*item.mention.statuses[number])]
        for item in same
        if item.mention is not None and number < len(item.mention.statuses)
    )
    plain = [text for text, _ in texts.most_common() if says_only("status", text)]
    if plain:
        return plain[0]
    assert model.mention is not None
    old = document.sections[model.section].text[slice(*model.mention.statuses[number])]
    bare = re.sub(r"[ \t]*(?:\([^()]*\)|\*\*[^*]*\*\*)[ \t]*$", "", old)
    return render_status(bare if read_status(bare) is not None else old, status)


def _section(document: Document, listing: Listing, task: str, values: Values) -> Edit:
    """A section like that of another task, with what is known of this one, beside the newest."""
    first = _newest_first(listing)
    beside = listing.items[0 if first else -1]
    model = next((item for item in (beside, *listing.items[::-1]) if item.status == values.get("status")), beside)
    block = "\n".join(head_like(document.sections[model.section].text, model.task, task, values))
    if first:
        return before_section(document, beside.section, block)
    level, last = document.sections[beside.section].level, beside.section
    while last + 1 < len(document.sections) and document.sections[last + 1].level > level:
        last += 1
    return behind_section(document, last, block)
