"""What the head of an edit chunk says about its entry: front matter, title, ``## Task: T21``."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from parser.kinds.entry_heads import CLOCK, DAY, ID, is_id, read_clock, read_day, text_fields
from parser.moments import USUAL_MOMENT
from schema.patterns import pattern

CREATED = pattern(r"^created_at:[ \t]*(.+?)[ \t]*\r?$", re.M)
TASKS = pattern(r"^task_ids:[ \t]*\[?(.*?)\]?[ \t]*\r?$", re.M)
MOMENT = pattern(rf"(?P<date>{DAY})(?:(?:T|,?[ ]+){CLOCK})?(?![\w-])")
TITLE = pattern(r"(?:Edit (?:Chunk|History)(?: Entry)?|Session|Date)?[ \t]*[:—–-]*[ \t]*")
TASK_HEADING = pattern(rf"(?:Task|Tasks|Task ID)[:\s]+(?P<ids>{ID}(?:[ ]*[,/&][ ]*{ID})*)")


class Given(Struct, frozen=True):
    """What a chunk's path, front matter and headings say about its implied entry."""

    date: str | None = None
    time: str | None = None
    timezone: str | None = None
    task_id: str | None = None
    task_description: str | None = None


def given_moment(given: Given, text: str, zone: str | None = None) -> Given:
    """``given`` with the date, time and zone at the start of ``text``, as far as they stand there."""
    if usual := USUAL_MOMENT.fullmatch(text):
        day, clock = read_day(usual[1]), read_clock(usual[2])
        if day is not None and clock is not None:
            return replace(given, date=day, time=clock, timezone=usual[3] or zone)
    match = MOMENT.match(text)
    day = read_day(match["date"]) if match else None
    if match is None or day is None:
        return given
    given = replace(given, date=day)
    clock = read_clock(match["time"], match["half"]) if match["time"] else None
    if clock is not None:
        given = replace(given, time=clock, timezone=match["zone"] or zone)
    return given


def front_matter(text: str, given: Given) -> Given:
    """``given`` with what the front matter of a chunk says; a block whose closing line is misspelt is read too."""
    if not text.lstrip("\ufeff").startswith("---"):
        return given
    if created := CREATED.search(text):
        given = given_moment(given, created[1].strip("\"'"))
    if tasks := TASKS.search(text):
        ids = [part.strip(" \"'") for part in tasks[1].split(",")]
        if known := [part for part in ids if is_id(part)]:
            given = replace(given, task_id=", ".join(known))
    return given


def chunk_heading(title: str, level: int, given: Given) -> Given:
    """``given`` with what a heading that opens no entry says: moment, task and, at level 1, the title."""
    if task := TASK_HEADING.match(title):
        return replace(given, task_id=task["ids"])
    prefix = TITLE.match(title)
    rest = title[prefix.end() if prefix else 0 :]
    if level == 1 or title.startswith("Date"):
        given = given_moment(given, rest)
    if level != 1 or title in ("Edit History", "Edit Chunk"):
        return given
    if moment := MOMENT.match(rest):
        dashed = re.match(r"[^—–-]*[—–-]+[ \t]+(.+)", rest[moment.end() :])
        rest = dashed[1] if dashed else ""
    fields = text_fields(rest, 0, len(rest), 0)
    ids, words = fields.get("task_id"), fields.get("task_description")
    return replace(
        given,
        task_id=str(ids.value) if ids else given.task_id,
        task_description=str(words.value) if words else given.task_description,
    )
