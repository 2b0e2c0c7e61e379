"""The line that opens an edit entry: date, time, zone, task ids and text, in all their spellings, with spans."""

from __future__ import annotations

import re
from datetime import date

from parser.values import read_date
from schema.patterns import pattern
from schema.records import NO_TASKS, OTHER_ID, Field, Span

_MONTH = (
    r"[A-Z][a-z]{2,8}\.?"  # whether it is a month is asked when the day is read: a list would be compiled six times
)
DAY = rf"\d{{4}}[-_/.]\d{{2}}[-_/.]\d{{2}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|\d{{1,2}} {_MONTH},? \d{{4}}"
CLOCK = (
    r"(?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?P<half>[ ]?[AaPp]\.?[Mm]\b\.?)?"
    r"(?:[ ]*[-–—][ ]*\d{1,2}:\d{2}(?::\d{2})?(?:[ ]?[AaPp]\.?[Mm]\b\.?)?)?"
    r"(?:[ ]*\(?(?P<zone>(?<=[ (])[A-Z]{2,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|(?<=[ (\d])\+\d{2}:?\d{2}|(?<=\d)Z)\)?)?"
)
_SEP = r"(?:\*\*)?(?:[ \t]*[-–—]+[ \t]+|[ \t]*:[ \t]+|[ \t]+\|[ \t]+)"
_USUAL = pattern(r"(\d{2}:\d{2}(?::\d{2})?)(?: (?!AM |PM )([A-Z]{2,5}))? - (?=[^\s\d])")
"""How most entries begin: whether `_ENTRY` fits, which takes long to compile, need not be asked then."""
_HAS_TIME = pattern(r"\d:\d\d")
_HAS_YEAR = pattern(r"\d{4}")
_ENTRY = pattern(rf"(?:(?P<date>{DAY})(?:T|,?[ ]+(?:at[ ]+)?))?{CLOCK}(?:{_SEP}(?P<text>\S.*)|[ \t]*$)")
ID = rf"(?:(?:META-?\d+|[A-Z]-?\d+)[a-z]*\d*(?:\.\d+)*|{OTHER_ID})"
_LONGEST = 10  # letters of a tracker's id
_LIKE_AN_ID = r"[A-Z]{1,10}-?\d+[a-z]*\d*(?:\.\d+)*"  # all ids are, and some words


def _of_ids(one: str) -> str:
    """The pattern of ids before a text."""
    return (
        rf"(?:[Tt]ask(?: ?ID)?:?[ ]+)?(?P<ids>{one}(?:(?:[ ]*[,/&+][ ]*(?:and[ ]+)?|[ ]+and[ ]+|[-–]){one})*)"
        r"(?:(?:\*\*)?:(?:\*\*)?[ \t]+(?=\S)|[ \t]+[-–—][ \t]+(?=\S)|:?$)"
    )


IDS = pattern(_of_ids(ID))
_LIKE_IDS = pattern(_of_ids(_LIKE_AN_ID))
_USUAL_IDS = pattern(r"(?P<ids>[A-Z]{1,10}-?\d+[a-z]?(?:(?:, ?| & )[A-Z]{1,10}-?\d+[a-z]?)*): (?=\S)")
_MAY_BE_IDS = pattern(r"[Tt]ask|[A-Z]{1,10}-?\d")
_ID_PARTS = pattern(r"([A-Z]+)(-?)\d+([a-z]*)(\d*(?:\.\d+)*)")
_DATED = pattern(rf"(?P<date>{DAY}){_SEP}(?P<text>{ID}\b.*)")
_BARE_DAY = len("2026-01-28")
_DATE_HEADING = pattern(rf"(?:Date:?[ ]+)?[^\w*]*(?:[A-Z][a-z]+day,?[ ]+)?(?P<date>{DAY})(?![\w-])")
STARTS_WITH_TIME = pattern(r"[~≈]?\d{1,2}:\d{2}")
_OPENING = pattern(r"(?:#{1,6}[ \t]+)?(?:\*\*)?")
_CLOSINGS = ("**:", ":**", "**")


def entry_fields(line: str, offset: int = 0, timeless: bool = False) -> dict[str, Field] | None:
    """The fields of the entry that a heading or a bold line opens, with spans from ``offset``. None: it opens none.

    With ``timeless``, task ids followed by a colon are an entry too.
    """
    opening = _OPENING.match(line)
    start = opening.end() if opening else 0
    stop = _end_of_words(line, start)
    usual = _USUAL.match(line, start, stop)
    if usual is not None and usual.end() < stop and (clock := read_clock(usual[1])):
        return _usual_fields(line, usual, clock, stop, offset)
    match = _ENTRY.fullmatch(line, start, stop) if _HAS_TIME.search(line, start, stop) else None
    if match is None and stop - start > _BARE_DAY and _HAS_YEAR.search(line, start, stop):
        match = _DATED.fullmatch(line, start, stop)
    if match is None:
        if timeless and (ids := _ids(line, start, stop)) and ":" in ids[0]:
            return text_fields(line, start, stop, offset)
        return None
    fields: dict[str, Field] = {}
    groups = match.groupdict()
    if groups["date"] is not None:
        day = read_day(groups["date"])
        if day is None:
            return None
        fields["date"] = _field(day, match, "date", offset)
    if groups.get("time") is not None:
        clock = read_clock(groups["time"], groups["half"])
        if clock is None:
            return None
        end = match.end("half") if groups["half"] else match.end("time")
        fields["time"] = Field(clock, Span(offset + match.start("time"), offset + end))
        if groups["zone"] is not None:
            fields["timezone"] = _field(groups["zone"], match, "zone", offset)
    if groups["text"] is not None:
        fields |= text_fields(line, match.start("text"), stop, offset)
    return fields


def _usual_fields(line: str, usual: re.Match[str], clock: str, stop: int, offset: int) -> dict[str, Field]:
    """What the long way finds in a line that begins with ``usual``."""
    fields = {"time": Field(clock, Span(offset + usual.start(1), offset + usual.end(1)))}
    if usual[2] is not None:
        fields["timezone"] = Field(usual[2], Span(offset + usual.start(2), offset + usual.end(2)))
    return fields | text_fields(line, usual.end(), stop, offset)


def _ids(text: str, start: int, stop: int) -> re.Match[str] | None:
    """As ``IDS.match``, which takes long to compile: it is asked only where an id and a word like one are together."""
    match = _USUAL_IDS.match(text, start, stop)
    if match is None and _MAY_BE_IDS.match(text, start, stop):
        match = _LIKE_IDS.match(text, start, stop)
    words = [_is_id(like) for like in _ID_PARTS.finditer(match["ids"])] if match else []
    if all(words):
        return match
    return IDS.match(text, start, stop) if words[0] else None


def is_id(word: str) -> bool:
    """Whether ``word`` is the id of one task and nothing else."""
    like = _ID_PARTS.fullmatch(word)
    return like is not None and _is_id(like)


def _is_id(like: re.Match[str]) -> bool:
    """Whether a word that is like an id is what `ID` matches."""
    letters, dash, small, rest = like.groups()
    if len(letters) == 1 or letters == "META":
        return True
    return bool(dash) and len(letters) <= _LONGEST and letters not in NO_TASKS and len(small) < 2 and not rest


def _field(value: str, match: re.Match[str], group: str, offset: int) -> Field:
    return Field(value, Span(offset + match.start(group), offset + match.end(group)))


def _end_of_words(line: str, start: int) -> int:
    """Where the text ends: before closing hashes, and before the mark that closes a bold line."""
    bold = line[:start].endswith("**") and line.count("**", start) % 2
    end = _end_without_hashes(line)
    mark = next((m for m in _CLOSINGS if line.endswith(m, start, end)), None) if bold else None
    return max(start, len(line[: end - len(mark)].rstrip(" \t")) if mark else end)


def _end_without_hashes(line: str) -> int:
    """Where a heading's text ends: by hand, because a pattern that is searched for looks at a run of blanks from each
    of its blanks on."""
    end = len(line.rstrip(" \t"))
    bare = line[:end].rstrip("#")
    return len(bare.rstrip(" \t")) if len(bare) < end and bare[-1:] in (" ", "\t") else end


def text_fields(line: str, start: int, stop: int, offset: int) -> dict[str, Field]:
    """Task ids and description of the text between ``start`` and ``stop``."""
    fields: dict[str, Field] = {}
    if ids := _ids(line, start, stop):
        fields["task_id"] = _field(ids["ids"], ids, "ids", offset)
        start = ids.end()
    if text := line[start:stop].rstrip():
        fields["task_description"] = Field(text, Span(offset + start, offset + start + len(text)))
    return fields


def read_clock(text: str, half: str | None = None) -> str | None:
    """``HH:MM`` or ``HH:MM:SS`` of a time, as precise as written, on 24 hours; None where there is no such time."""
    hour, *rest = (int(part) for part in text.split(":"))
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.strip().lower().startswith("p") else 0)
    if hour > 23 or any(part > 59 for part in rest):
        return None
    return ":".join(f"{part:02}" for part in (hour, *rest))


def read_day(text: str) -> str | None:
    """``YYYY-MM-DD`` of a date as headings write it; None where there is no such day."""
    if text[:4].isdigit() and text[4] == text[7]:
        try:
            return date(int(text[:4]), int(text[5:7]), int(text[8:10])).isoformat()
        except ValueError:
            return None
    found = read_date(text)
    return found[:10] if found else None


def date_of_heading(title: str) -> str | None:
    """The day of a date heading; None where the heading is another."""
    if len(title) == _BARE_DAY and title[4] == title[7] == "-" and title.replace("-", "").isdecimal():
        return read_day(title)
    match = _DATE_HEADING.match(title) if _HAS_YEAR.search(title) else None
    return read_day(match["date"]) if match else None
