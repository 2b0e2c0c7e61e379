"""Dates and times: as people write them, and as a row holds them. Nothing is guessed; what is impossible is no date."""

from __future__ import annotations

import re
from datetime import date, time

from msgspec import Struct
from msgspec.structs import replace

from schema.patterns import pattern
from schema.records import Span

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MONTH_OF = {
    word: number for number, name in enumerate(_MONTHS, 1) for word in (name.lower(), name[:3].lower())
} | {"sept": 9}  # fmt: skip
_WORD = "[A-Za-z]{3,9}"  # whether it is a month is asked afterwards: their names take three times as long to compile
_ORDINAL = "(?:[Ss][Tt]|[NnRr][Dd]|[Tt][Hh])?"
_DAY = pattern(
    r"(?<![A-Za-z0-9])(?:"
    r"(?P<y>\d{4})(?P<sep>[-_/.])(?P<m>\d{2})(?P=sep)(?P<d>\d{2})(?!\d)"
    r"|(?P<cy>20\d\d)(?P<cm>0[1-9]|1[0-2])(?P<cd>0[1-9]|[12]\d|3[01])(?![0-9A-Za-z])"
    rf"|(?P<name>{_WORD})\.?[ ]+(?P<nd>\d{{1,2}}){_ORDINAL}(?P<comma>,?)[ ]+(?P<ny>\d{{4}})(?!\d)"
    rf"|(?P<dd>\d{{1,2}})[ ]+(?P<dname>{_WORD})\.?,?[ ]+(?P<dy>\d{{4}})(?!\d))"
)
_TIME = r"(?P<hh>\d{1,2}):(?P<mm>\d{2})(?::(?P<ss>\d{2})(?P<fraction>\.\d+)?)?(?![\d:])(?P<half>[ ]?[AaPp][Mm]\b)?"
_BEHIND_DAY = pattern(_TIME)
_CLOCK = pattern(r"(?<![\d:.A-Za-z])" + _TIME)
_JOIN = pattern(r"[Tt_]|,?[ ]+(?:at[ ]+)?")
_RANGE = pattern(r"[ ]*[-–—][ ]*\d{1,2}:\d{2}(?::\d{2})?")
_ZONES = frozenset({
    "UTC", "GMT", "ET", "CT", "MT", "PT", "EST", "CST", "MST", "PST", "EDT", "CDT", "MDT", "PDT", "CET", "EET", "MET",
    "WET", "CEST", "EEST", "MEST", "WEST", "IST", "BST", "MSK", "JST", "KST", "SGT", "HKT", "PKT", "NPT", "SAST",
    "AEST", "AEDT", "ACST", "ACDT", "AWST", "AWDT", "NZST", "NZDT",
})  # fmt: skip
_NO_ZONES = ("AM", "PM", "DONE", "TODO")
_ZONE = pattern(r"[ ]?(?P<zone>[+-]\d{2}:\d{2}|(?:UTC|GMT)[+-]\d{1,2}(?::?\d{2})?|[A-Z]{1,5})(?![A-Za-z0-9])")
_BEHIND_ZONE = pattern(r"\s*(?:$|[-–—*_)|,(])")
USUAL_MOMENT = pattern(r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}(?::\d{2})?)(?: (?![AP]M$)([A-Z]{2,5}))?")
"""How most moments are written: where it fits, the patterns for all others need not be compiled."""


class Moment(Struct, frozen=True):
    """A date, a time, or both. ``date`` is ``YYYY-MM-DD``, ``time`` ``HH:MM`` or ``HH:MM:SS``, as precise as written.

    ``zone`` is the label as written. ``span`` covers all of it; of a range of times it ends behind the first.
    """

    date: str | None
    time: str | None
    zone: str | None
    span: Span


class _Found(Struct, frozen=True):
    """A moment with the matches it was read from, which tell its spelling."""

    moment: Moment
    day: re.Match[str] | None
    join: str
    clock: re.Match[str] | None
    zone: str  # with the space before it, as written


def read_moment(text: str) -> Moment | None:
    """The first date or time in ``text``; a date takes the time and zone behind it along. None if it is impossible."""
    if usual := _usual(text):
        return usual
    found = _find(text)
    return found.moment if found else None


def read_date(text: str) -> str | None:
    """The first date in ``text``, with its time, as a row holds it: ``YYYY-MM-DD``, ``YYYY-MM-DD HH:MM[:SS]``."""
    if usual := _usual(text):
        return _plain(usual)
    day = _first_day(text)
    found = _dated(text, day) if day else None
    return _plain(found.moment) if found else None


def _usual(text: str) -> Moment | None:
    """The moment that ``text`` is, where it is written as most are."""
    match = USUAL_MOMENT.fullmatch(text)
    if match is None:
        return None
    written, clock, zone = match.groups()
    if zone is not None and zone not in _ZONES and zone.startswith(_NO_ZONES):
        return None
    hour, minute, *second = (int(part) for part in clock.split(":"))
    try:
        day = date(int(written[:4]), int(written[5:7]), int(written[8:])).isoformat()
        time(hour, minute, second[0] if second else 0)
    except ValueError:
        return None
    return Moment(day, ":".join(f"{part:02}" for part in (hour, minute, *second)), zone, Span(0, len(text)))


def _first_day(text: str) -> re.Match[str] | None:
    """The first match of `_DAY` whose word, where it has one, is a month."""
    day = _DAY.search(text)
    while day is not None and (word := day["name"] or day["dname"]) and word.lower() not in _MONTH_OF:
        day = _DAY.search(text, day.start() + 1)
    return day


def _plain(moment: Moment) -> str:
    return " ".join(part for part in (moment.date, moment.time) if part)


def _find(text: str) -> _Found | None:
    day, clock = _first_day(text), _CLOCK.search(text)
    if day is not None and (clock is None or day.start() <= clock.start()):
        return _dated(text, day)
    return _timed(text, clock) if clock is not None else None


def _dated(text: str, day: re.Match[str]) -> _Found | None:
    written = _day_of(day)
    if written is None:
        return None
    join = _JOIN.match(text, day.end())
    clock = _BEHIND_DAY.match(text, join.end()) if join else None
    if join is None or clock is None:
        zone = _zone_of_day(text, day.end())
        end = zone.end() if zone else day.end()
        moment = Moment(written, None, zone["zone"] if zone else None, Span(day.start(), end))
        return _Found(moment, day, "", None, zone[0] if zone else "")
    rest = _timed(text, clock)
    if rest is None:
        return None
    moment = replace(rest.moment, date=written, span=Span(day.start(), rest.moment.span.end))
    return replace(rest, moment=moment, day=day, join=join[0])


def _timed(text: str, clock: re.Match[str]) -> _Found | None:
    written = _time_of(clock)
    if written is None:
        return None
    dashed = text[clock.end() :].lstrip(" ").startswith(("-", "–", "—"))
    gap = _RANGE.match(text, clock.end()) if dashed else None
    zone = _zone(text, gap.end() if gap else clock.end())
    end = zone.end() if zone and not gap else clock.end()
    moment = Moment(None, written, zone["zone"] if zone else None, Span(clock.start(), end))
    return _Found(moment, None, "", clock, zone[0] if zone and not gap else "")


def _zone(text: str, at: int) -> re.Match[str] | None:
    """The zone behind a time. A label that nobody knows is one where nothing else follows that it could belong to."""
    zone = _ZONE.match(text, at)
    label = zone["zone"] if zone else ""
    if not label.isalpha() or label == "Z" or label in _ZONES:
        return zone
    alone = len(label) > 1 and not label.startswith(_NO_ZONES) and zone and _BEHIND_ZONE.match(text, zone.end())
    return zone if alone else None


def _zone_of_day(text: str, at: int) -> re.Match[str] | None:
    """The zone behind a date without a time: only a label that is known."""
    zone = _ZONE.match(text, at)
    if zone is None or zone[0][0] != " ":
        return None
    label = zone["zone"]
    return zone if label in _ZONES or (label[0] in "UG" and not label.isalpha()) else None


def _day_of(day: re.Match[str]) -> str | None:
    name = day["name"] or day["dname"]
    if name:
        parts = (int(day["ny"] or day["dy"]), _MONTH_OF[name.lower()], int(day["nd"] or day["dd"]))
    else:
        parts = (int(day["y"] or day["cy"]), int(day["m"] or day["cm"]), int(day["d"] or day["cd"]))
    try:
        return date(*parts).isoformat()
    except ValueError:  # the 45th of a 13th month is no date
        return None


def _time_of(clock: re.Match[str]) -> str | None:
    hour, minute, second = int(clock["hh"]), int(clock["mm"]), int(clock["ss"] or 0)
    half = (clock["half"] or "").strip().lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if clock["ss"] else "")


def render_date(old: str, value: str) -> str:
    """``old`` with its first moment replaced by ``value``, in its spelling: order, separator, month names, ``T``, zone.

    Seconds are written as precise as ``value`` has them. ``value`` itself where ``old`` holds no moment.
    """
    new, usual = read_moment(value), _usual(old)
    if usual is not None and new is not None and new.date and new.time and new.zone is None:
        return " ".join(part for part in (new.date, new.time, usual.zone) if part)
    found = _find(old)
    if new is None or found is None or (found.day is None and new.date) or (found.clock is None and not new.date):
        return value
    text = old[: found.moment.span.start] + _spelled(found, new) + old[found.moment.span.end :]
    back = read_moment(text)
    same = back is not None and back.time == new.time and back.date in (new.date or back.date, new.date)
    return text if same else value


def _spelled(found: _Found, new: Moment) -> str:
    day = ""
    if found.day is not None:
        day = found.day[0] if new.date is None else _day_like(found.day, new.date)
    if new.time is None:
        kept = found.zone if found.clock is None else ""
        return day + kept
    clock = _clock_like(found.clock, new.time)
    zone = found.zone
    if new.zone is not None:
        gap = "" if found.join in ("T", "t") else " "
        zone = gap + ("UTC" if gap and new.zone == "Z" else new.zone)
    return day + ((found.join or " ") if day else "") + clock + zone


def _day_like(day: re.Match[str], value: str) -> str:
    year, month, number = value.split("-")
    if day["y"]:
        return day["sep"].join((year, month, number))
    if day["cy"]:
        return year + month + number
    name = day["name"] or day["dname"]
    full = _MONTHS[int(month) - 1]
    written = full[:3] if len(name) <= 4 and name.lower() not in ("may", "june", "july") else full
    written = written.upper() if name.isupper() else written
    figure = day["nd"] or day["dd"]
    shown = number if figure.startswith("0") else str(int(number))
    return f"{written} {shown}{day['comma']} {year}" if day["nd"] else f"{shown} {written} {year}"


def _clock_like(clock: re.Match[str] | None, value: str) -> str:
    if clock is None:
        return value
    text = value.removeprefix("0") if len(clock["hh"]) == 1 and not clock["half"] else value
    fraction = clock["fraction"]
    return text + ("." + "0" * (len(fraction) - 1) if fraction and value.count(":") == 2 else "")
