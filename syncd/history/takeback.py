"""Take a change of one text back where the text has moved on since. Pure.

``had`` is the text after the change, ``saved`` the text before it, ``now`` what stands today: the three-way merge of a
stale save, but what cannot be merged is told and nothing is made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from parser.document import At, Document, parse
from schema.records import Reading, Table, Value
from syncd.model import Clash, Keyed, Side
from syncd.plan.identify import align
from syncd.plan.merge import LineClash, merge_texts
from syncd.plan.rebase import places, rebase
from writer.changes import SetFields
from writer.put import put

_DERIVED = (Table.HEADER, Table.COUNTS)


class TakenBack(Struct, frozen=True):
    """The text without the change. ``lost`` are the lines of now that stand in its way: then it is not to be used."""

    text: str
    lost: tuple[str, ...] = ()


def later_stands(table: str, name: str) -> bool:
    """Whether a field only follows other changes: a stamp, a count, the session at hand. Its value of now stands."""
    return table == Table.CACHE.value or (table, name) in {
        (Table.TASKS.value, "last_updated"),
        (Table.SUBTASKS.value, "position"),
        (Table.ENTRIES.value, "timestamp"),
        (Table.ENTRIES.value, "created_at"),
    }


def is_count(table: str, name: str) -> bool:
    """Whether a column counts: a change takes its own part back from it, whoever counted since."""
    return table == Table.CACHE.value and name.endswith("_count")


def counted(after: Value, now: Value, before: Value) -> Value:
    """A value that was changed since: a count without what the change added to it, else what it is now."""
    if all(isinstance(value, str) and value.isdigit() for value in (after, now, before)):
        return str(max(0, int(str(now)) - int(str(after)) + int(str(before))))
    return now


def take_back(had: str, now: Keyed, saved: str) -> TakenBack:
    """``now`` without what turned ``saved`` into ``had``."""
    text = now.document.text
    if text in (had, saved):
        return TakenBack(saved)
    path = now.document.path
    documents = [parse(path, each) for each in (had, text, saved)]
    # A stamp is in nobody's way: what stands beside it is merged as if all texts had that of now.
    had, saved = (_with_derived_of(documents[1], each) for each in (documents[0], documents[2]))
    done = rebase(had, now, saved, tell=False)
    shown = _only_values(documents)
    lost = list(_fields_lost(done.clashes, now, shown))
    for clash in merge_texts(had, saved, text).clashes:
        lost += _prose_lost(clash, shown)
    lost += _missing(had, text, saved, done.text, shown)
    if lost:
        return TakenBack(text, tuple(dict.fromkeys(lost)))
    document = parse(path, done.text, now.document)
    document = put(document, list(_standing(document, done.clashes, now))).document
    if put(document, list(_derived(document, documents, _of_now))).document.text == text:
        return TakenBack(text)  # nothing is left of the change: its counts were taken back with it
    return TakenBack(put(document, list(_derived(document, documents, _merged))).document.text)


def _fields_lost(clashes: Iterable[Clash], now: Keyed, shown: set[str]) -> Iterator[str]:
    """The lines of now whose fields were changed since, too; and lines that found no place."""
    for clash in clashes:
        if clash.table == "sections":
            base = str(clash.base).split("\n")
            yield from (n for n in str(clash.db).split("\n") if n.strip() and n not in base and n not in shown)
        elif clash.field is not None and clash.kept is Side.FILE and not later_stands(clash.table, clash.field):
            lines = list(_lines_showing(now, clash.table, clash.key, clash.field))
            yield from lines or [f"{clash.table} {clash.key}"]


def _missing(had: str, now: str, saved: str, merged: str, shown: set[str]) -> Iterator[str]:
    """Lines that came since and are fewer than they should be: equal lines elsewhere do not stand for them."""
    base, there, old, found = (Counter(each.split("\n")) for each in (had, now, saved, merged))
    for line, count in (there - base).items():
        if line.strip() and line not in shown and found[line] < min(there[line], old[line] + count):
            yield line


def _lines_showing(keyed: Keyed, table: str, key: str, name: str) -> Iterator[str]:
    for at, reading, known in keyed.readings():
        if known == key and reading.table.value == table and name in reading.fields:
            yield from _span_lines(keyed.document.sections[at.section].text, reading, (name,))


def _prose_lost(clash: LineClash, shown: set[str]) -> Iterator[str]:
    """Lines outside of fields that were taken out since, where the change would bring something in their place."""
    base, file, now = (clash.base.split("\n"), clash.file.split("\n"), clash.db.split("\n"))
    gone = [line for line in base if line not in now and line not in shown and line.strip()]
    back = [line for line in file if line not in base and line not in shown and line.strip()]
    yield from (line for line in gone if line in file)
    if back:
        yield from (line for line in gone if line not in file)


def _only_values(documents: list[Document]) -> set[str]:
    """Lines that are another line of these texts with other values in its fields: the values are settled one by one."""
    masks: dict[str, set[int]] = {}
    lines: list[dict[str, str]] = []
    for number, document in enumerate(documents):
        lines.append(_masked(document))
        for mask in lines[-1].values():
            masks.setdefault(mask, set()).add(number)
    return {line for found in lines for line, mask in found.items() if len(masks[mask]) > 1}


def _masked(document: Document) -> dict[str, str]:
    """Each line that shows fields, with what stands around their values."""
    found: dict[str, str] = {}
    for section in document.sections:
        spans = sorted({field.span for reading in section.readings for field in reading.fields.values()}, reverse=True)
        text = section.text
        for start, end in spans:
            text = text[:start] + "\0" + "\0\n" * section.text.count("\n", start, end) + text[end:]
        for line, mask in zip(section.text.split("\n"), text.split("\n"), strict=False):
            if "\0" in mask:
                found[line] = " ".join(mask.split())
    return found


def _span_lines(text: str, reading: Reading, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        span = reading.fields[name].span
        end = text.find("\n", span.end)
        yield from text[text.rfind("\n", 0, span.start) + 1 : end if end >= 0 else len(text)].split("\n")


def _derived(
    document: Document, others: list[Document], value_of: Callable[[Value, Value, Value], Value]
) -> Iterator[SetFields]:
    """Stamps and counts, where all texts have the same of them. ``value_of`` is given those after, now and before."""
    had, now, saved = (_derived_readings(each) for each in others)
    there = _derived_readings(document)
    if not len(there) == len(had) == len(now) == len(saved):
        return
    for (at, shown), (_, after), (_, today), (_, before) in zip(there, had, now, saved, strict=True):
        wanted = {n: value_of(after.value(n), today.value(n), before.value(n)) for n in shown.fields}
        values = {name: value for name, value in wanted.items() if value != shown.value(name)}
        if values:
            yield SetFields(at, values)


def _with_derived_of(now: Document, document: Document) -> str:
    """The text of ``document`` with the stamps and counts of ``now``, where both have the same of them."""
    return put(document, list(_derived(document, [document, now, document], _of_now))).document.text


def _of_now(after: Value, now: Value, before: Value) -> Value:
    return now


def _merged(after: Value, now: Value, before: Value) -> Value:
    """A stamp goes back only if it is still the change's own."""
    return before if now == after else counted(after, now, before)


def _derived_readings(document: Document) -> list[tuple[At, Reading]]:
    return [(at, reading) for at, reading in document.readings() if reading.table in _DERIVED]


def _standing(document: Document, clashes: Iterable[Clash], now: Keyed) -> Iterator[SetFields]:
    """Fields that only follow other changes get their value of now again."""
    values = {(c.table, c.key, c.field): c for c in clashes if c.field and later_stands(c.table, c.field)}
    if not values:
        return
    there = places(align(now, document).keyed("?"))
    for (table, key, _, _), (at, reading) in there.items():
        wanted: Mapping[str, Value] = {
            name: counted(clash.base, clash.db, clash.file)
            for (t, k, name), clash in values.items()
            if (t, k) == (table.value, key) and name in reading.fields
        }
        if wanted:
            yield SetFields(at, wanted)
