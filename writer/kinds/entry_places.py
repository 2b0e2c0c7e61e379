"""Where a new entry goes in a history, and how its surroundings are written there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from parser.values import read_moment, render
from schema.records import Table
from writer.kinds.entry_heads import Head
from writer.kinds.entry_layout import Entry, Group, Layout, outward
from writer.places import line_end

_CANONICAL = Head("#### ")


class Spot(Struct, frozen=True):
    """A place: offset in a section, text to put before and behind the entry, and the entry to write like.

    ``dated``: the entry has to show its date itself. ``opens``: a new date heading stands in the text before it.
    """

    section: int
    offset: int
    before: str
    after: str
    like: Head
    dated: bool = False
    opens: bool = False


def spots(layout: Layout, day: str | None, time: str | None) -> Iterator[Spot]:
    """Places for an entry of ``day`` at ``time``, best first."""
    if day is None:
        yield from _undated(layout)
        return
    if layout.document.kind == "edit_chunk":
        if layout.last_day() == day:
            yield _behind(layout, len(layout.text))
        yield _behind(layout, len(layout.text), dated=True)
        return
    same = layout.days.get(day, [])
    for group in same if layout.newest_first else reversed(same):
        yield _in_group(layout, group, time or "")
    yield from _own_date(layout, day, time or "")
    yield from _new_group(layout, day)
    yield from _ends(layout, day)


def blanks_below(layout: Layout, offset: int) -> int:
    """Empty lines between an entry's line and the first file below it, as the entries near ``offset`` have them."""
    found: list[int] = []
    for number in outward(layout.entry_starts, offset):
        entry = layout.entries[number]
        readings = layout.document.sections[entry.at.section].readings
        following = readings[entry.at.reading + 1 : entry.at.reading + 2]
        if entry.has_line and following and following[0].table is Table.MODIFICATIONS:
            start = entry.start - entry.reading.span.start + following[0].fields["action"].span.start
            found.append(max(layout.text.count("\n", entry.start, start) - 1, 0))
        if len(found) == 3:
            break
    return _usual(found, 0)


def _usual(found: Iterable[int], default: int) -> int:
    """The number that occurs most often, the first of several such."""
    counts = Counter(found)
    return max(counts, key=counts.__getitem__, default=default)


def nearest(layout: Layout, offset: int) -> Entry | None:
    """The entry with a line of its own that is nearest to ``offset``."""
    own, starts = layout.own
    return next((own[number] for number in outward(starts, offset)), None)


def _like(layout: Layout, offset: int) -> Head:
    near = nearest(layout, offset)
    if near is not None and near.head is not None:
        return near.head
    levels = [len(group.heading) - len(group.heading.lstrip("#")) for group in layout.groups if group.heading]
    return Head("#" * (levels[-1] + 1) + " ") if levels else _CANONICAL


def gap(layout: Layout, offset: int) -> int:
    """Empty lines between entries near ``offset``."""
    near = islice(outward(layout.followers, offset), 5)
    return _usual((layout.blanks_before(layout.followers[number]) for number in near), 1)


def _before(layout: Layout, offset: int, lead: str = "", blanks: int | None = None, dated: bool = False) -> Spot:
    """Before the line at ``offset``."""
    section, inside = layout.place(offset)
    after = "\n" * ((gap(layout, offset) if blanks is None else blanks) + 1)
    return Spot(section, inside, lead, after, _like(layout, offset), dated)


def _behind(layout: Layout, offset: int, lead: str = "", blanks: int | None = None, dated: bool = False) -> Spot:
    """Behind the content that ends before ``offset``."""
    end = layout.content_end(offset)
    section, inside = layout.place(max(end - 1, 0))
    if end:
        inside += 1
    before = "\n" * ((gap(layout, offset) if blanks is None else blanks) + 1) if end else ""
    return Spot(
        section, inside, before + lead, "" if end < len(layout.text) or end else "\n", _like(layout, offset), dated
    )


def _in_group(layout: Layout, group: Group, time: str) -> Spot:
    """Below a date heading that is there: among its entries by time."""
    entries = group.entries
    if not entries:
        line = line_end(layout.text, group.start)
        section = layout.document.sections[group.section]
        if not section.text[len(group.heading) :].strip():
            return _behind(layout, line, blanks=_blanks_below_dates(layout))
        return _behind(layout, group.start + len(section.text), blanks=_blanks_below_dates(layout))
    if layout.newest_first:
        older = group.first_before(time)
        return _before(layout, older.start) if older else _behind(layout, entries[-1].end)
    newer = group.first_behind(time)
    return _before(layout, newer.start) if newer else _behind(layout, entries[-1].end)


def _new_group(layout: Layout, day: str) -> Iterator[Spot]:
    """Below a new date heading, in the order of those that are there."""
    groups = layout.groups[1:]
    if not groups:
        return
    if layout.newest_first:
        older = next((group for group in groups if group.day < day), None)
        if older:
            yield _group_before(layout, older, day)
        newer = next((group for group in reversed(groups) if group.day > day), groups[-1])
        yield _group_behind(layout, newer, day)
        return
    earlier = next((group for group in reversed(groups) if group.day <= day), None)
    if earlier:
        yield _group_behind(layout, earlier, day)
    later = next((group for group in groups if group.day > day), None)
    if later:
        yield _group_before(layout, later, day)


def _heading(layout: Layout, near: Group, day: str) -> str:
    """A date heading like that of ``near``, with the empty lines that stand below such headings."""
    match = re.match(r"(#{1,6}[ \t]+)", near.heading)
    written = render("date", date_text(near.heading), day)
    return f"{match[1] if match else '### '}{written}" + "\n" * (_blanks_below_dates(layout) + 1)


def date_text(heading: str) -> str:
    """The words of a date heading that are its date, as written."""
    moment = read_moment(heading)
    return heading[moment.span.start : moment.span.end] if moment else ""


def _blanks_below_dates(layout: Layout) -> int:
    return next((layout.blanks_behind(g.start, 1) for g in layout.groups if g.heading and g.entries), 1)


def _blanks_between_dates(layout: Layout, group: Group) -> int:
    if len(layout.groups) > 2 and group is layout.groups[1]:
        group = layout.groups[2]
    return layout.blanks_before(group.start)


def _group_before(layout: Layout, group: Group, day: str) -> Spot:
    lead = _heading(layout, group, day)
    return _opening(_before(layout, group.start, lead, _blanks_between_dates(layout, group)))


def _group_behind(layout: Layout, group: Group, day: str) -> Spot:
    end = group.entries[-1].end if group.entries else line_end(layout.text, group.start)
    lead = _heading(layout, group, day)
    return _opening(_behind(layout, end, lead, _blanks_between_dates(layout, group)))


def _opening(spot: Spot) -> Spot:
    return replace(spot, opens=True)


def _own_date(layout: Layout, day: str, time: str) -> Iterator[Spot]:
    """Among entries that show their dates themselves, by date and time."""
    dated, reached = layout.dated
    if not dated or len(dated) * 2 < len(layout.entries):
        return
    moment = (day, time)
    number = reached.first_before(moment) if layout.newest_first else reached.first_behind(moment)
    if number is None:
        yield _behind(layout, dated[-1].end, dated=True)
    else:
        yield _before(layout, dated[number].start, dated=True)


def _undated(layout: Layout) -> Iterator[Spot]:
    """Places where an entry has no date: above all date headings."""
    first = layout.groups[0].entries
    if first:
        yield _before(layout, first[0].start)
        yield _behind(layout, first[-1].end)
    if len(layout.groups) > 1:
        yield _before(layout, layout.groups[1].start)
    else:
        yield _behind(layout, len(layout.text))


def _ends(layout: Layout, day: str) -> Iterator[Spot]:
    """Below a new date heading at the top or at the end; else at the top with the date in the entry's own line."""
    entries = layout.entries
    first = entries[0].start if entries else None
    like = _like(layout, first or 0)
    level = len(like.opening) - len(like.opening.lstrip("#")) or 4
    heading = "#" * max(level - 1, 2) + f" {day}\n\n"
    if layout.groups[1:]:
        heading = _heading(layout, layout.groups[-1], day)
    if first is None:
        yield _opening(_behind(layout, len(layout.text), heading, 1))
        if layout.text.startswith("# "):  # where something that is not closed hides the end
            yield _opening(_behind(layout, line_end(layout.text, 0), heading, 1))
        return
    if layout.newest_first:
        yield _opening(_before(layout, first, heading))
        yield _before(layout, first, dated=True)
    yield _opening(_behind(layout, entries[-1].end, heading, 1))
    yield _behind(layout, entries[-1].end, dated=True)
