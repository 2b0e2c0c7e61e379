"""What the session cache says of the current session in prose: when it began, its period, those before it. Pure.

What the cache's record holds (session, focus, counts) is written by the converge; these lines belong to no record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from parser.moments import render_date
from parser.values import ICON, read_status, render_status
from schema.patterns import pattern
from schema.records import Status
from syncd.plan.derive import stamp

PATH = "session_cache.md"


class Begun(Struct, frozen=True):
    """A session that began. ``before`` is the document of the one that was current; ``about`` what it is about."""

    path: str
    before: str | None
    period: str
    about: str | None
    moment: datetime


class Part(Struct, frozen=True):
    """A section of the cache."""

    id: int
    heading: str
    text: str


_STARTED = pattern(r"^([-*] )?\**Started:?\**:?[ \t]*(?P<value>[^\n|]*?\d[^\n|*]*?)[ \t]*\r?$", re.M)
_PERIOD = pattern(r"^(?:[-*] )?\**Current Period:?\**:?[ \t]*(?P<value>[\w-]+)[ \t]*\r?$", re.M)
_LAST = pattern(r"^(?:[-*] )?\**Last Session:?\**:?[ \t]*(?P<value>[^\n]*?)[ \t]*\r?$", re.M)
_STATUS = pattern(r"^(?:[-*] )?\**(?:Session )?Status:?\**:?[ \t]*(?P<value>[^\n]*?)[ \t]*\r?$", re.M)
_COUNTS = pattern(r"\b(?:active|paused|completed|pending)(?: tasks?)?: *\d", re.I)
_SAID = pattern(
    rf"(?P<head>[*_]*(?:{ICON})?[ *_]*(?:in[ _-]progress|active|completed?|done|paused|cancell?ed|pending)\b[*_]*"
    rf"|[*_]*{ICON}[*_]*)(?P<note>.*)", re.I
)  # fmt: skip
_ITEM = pattern(r"^(?P<mark>\d+\.|[-*])[ \t]+(?P<quote>`?)sessions/[^\s`]+\.md`?(?P<rest>[^\n]*)(?:\n|\Z)", re.M)


def shown(parts: Sequence[Part], begun: Begun) -> list[Part]:
    """The sections that change, with their new texts. A line that the cache does not have is not added."""
    changed: dict[int, Part] = {}
    end = _end_of_first(parts)
    _first(parts[: min(end, 3)], _STARTED, lambda old: _moment(old, begun), changed)
    _first([part for part in parts[: min(end, 3)] if _STARTED.search(part.text)], _STATUS, _open, changed)
    _first(parts[:end], _PERIOD, lambda old: _cased(old, begun.period), changed)
    _first(parts[:end], _LAST, lambda old: _last(old, begun), changed)
    for part in parts[:end]:
        if re.search("session history", part.heading, re.I) and (text := _listed(part.text, begun)):
            changed[part.id] = replace(part, text=text)
            break
    return list(changed.values())


def ended(parts: Sequence[Part]) -> list[Part]:
    """The section that changes as the current session ends, with its new text; its note stays."""
    changed: dict[int, Part] = {}
    block = [part for part in parts[: min(_end_of_first(parts), 3)] if _STARTED.search(part.text)]
    _first(block, _STATUS, lambda old: _as(old, Status.COMPLETED), changed)
    return list(changed.values())


def _end_of_first(parts: Sequence[Part]) -> int:
    """Where the first of several caches in one file ends."""
    told = False
    for number, part in enumerate(parts):
        if told and re.match("(session cache|current session)$", part.heading, re.I):
            return number
        told = told or _STARTED.search(part.text) is not None
    return len(parts)


def _first(
    parts: Sequence[Part], line: re.Pattern[str], new: Callable[[str], str | None], changed: dict[int, Part]
) -> None:
    """Replace the value of the first such line."""
    for part in parts:
        text = changed.get(part.id, part).text
        if (match := line.search(text)) is None:
            continue
        value = new(match["value"])
        if value is not None and value != match["value"]:
            start, end = match.span("value")
            changed[part.id] = replace(part, text=text[:start] + value + text[end:])
        return


def _open(old: str) -> str | None:
    """The status of a session that begins. What was noted of the last one goes, counts of tasks stay."""
    found = _SAID.match(old)
    if found is None or (_COUNTS.search(old) and ";" not in old):
        return None
    counts = f";{old.partition(';')[2]}" if _COUNTS.search(old.partition(";")[2]) else ""
    session = re.match(r" session\b", found["note"], re.I)
    head = found["head"].rstrip()
    head = _as(head, Status.IN_PROGRESS) or head
    if session is not None:
        head = re.sub(r"in[ _-]progress\b", lambda word: _cased(word[0], "active"), head, flags=re.I) + session[0]
    return head + counts


def _as(old: str, status: Status) -> str | None:
    """A status as another; None for one that is not readable, and for counts."""
    head, mark, rest = old.partition(";")
    if read_status(head) is None or _COUNTS.match(head.lstrip("*_ ").lstrip()) or _COUNTS.search(head):
        return None
    return render_status(head, status) + mark + rest


def _moment(old: str, begun: Begun) -> str | None:
    value = stamp(old, begun.moment)
    return None if value is None else render_date(old, value)


def _cased(old: str, new: str) -> str:
    return new.title() if old[:1].isupper() else new


def _last(old: str, begun: Begun) -> str | None:
    """Where it names a document, the one before; where it has only the day of the latest session, this one's."""
    if begun.before and (match := re.search(r"(?:sessions/)?[\w-]+\.md", old)):
        name = begun.before if match[0].startswith("sessions/") else begun.before.rpartition("/")[2]
        return old[: match.start()] + name + old[match.end() :]
    day = re.search(r"\d{4}-\d\d-\d\d", begun.path)
    return day[0] if day and re.fullmatch(r"\d{4}-\d\d-\d\d", old) else None


def _listed(text: str, begun: Begun) -> str | None:
    """The list with this session first; as long as it was, and numbered as it was."""
    items = list(_ITEM.finditer(text))
    apart = any(above.end() != below.start() for above, below in pairwise(items))
    if not items or apart or begun.path in items[0][0]:
        return None
    first = items[0]
    ends = "\r\n" if first[0].endswith("\r\n") else "\n"
    about = f" - {begun.about}" if begun.about and any(item["rest"].strip() for item in items) else ""
    new = f"{first['mark']} {first['quote']}{begun.path}{first['quote']}{about}{ends}"
    numbered = [item["mark"] for item in items] == [f"{number}." for number in range(1, len(items) + 1)]
    lines = [new, *(item[0] for item in items)]
    if re.search(r"\(last \d+\)", text.partition("\n")[0], re.I):
        lines = lines[: len(items)]
    if numbered:
        lines = [re.sub(r"^\d+", str(number), line) for number, line in enumerate(lines, 1)]
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += ends
    return text[: first.start()] + "".join(lines) + text[items[-1].end() :]
