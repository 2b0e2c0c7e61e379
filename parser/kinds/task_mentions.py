"""Tasks as other documents mention them: headings and list lines that the session cache and the context share.

A mention counts only where it is of exactly one task: ``T21 Phase 1`` and ``T14-T19`` are not the task T21 or T14.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from parser.fields import header_moment
from parser.kinds import TASK_ID
from parser.lines import Line, open_lines
from parser.values import ICON, read_date, read_status
from schema.patterns import pattern
from schema.records import Field, Reading, Role, Span, Table

_SIGN = rf"(?:(?P<sign>{ICON}|\[[ xX]\])[ \t]*)?"
_CLOSE = r"[\]*_`]*"
_ID = rf"[*_`\[]*(?P<id>{TASK_ID})(?![\w-]){_CLOSE}(?:[ \t]*:{_CLOSE}[ \t]*|[ \t]+[-–—][ \t]+|(?=[ \t]*$))"
_HEAD = pattern(rf"#{{1,6}}[ \t]+(?:\d+[.)][ \t]+)?{_SIGN}{_ID}")
_LISTED = pattern(rf"(?P<indent>[ \t]*)(?:[-*+]|\d{{1,9}}[.)])[ \t]+{_SIGN}{_ID}")
_DASH = pattern(r"(?<=[ \t])[-–—][ \t]+")
_ICON = pattern(rf"[*_]*{ICON}")
_AT_END = pattern(
    rf"(?<=[ \t])(?P<status>{ICON}[ \t]*[*_]*(?:[A-Za-z][A-Za-z _-]{{2,12}})?[*_]*[ \t]*(?:\([^()]*\))?)$"
)
_WORDS = pattern(r"[*_]*([A-Za-z]+(?:[ _-][A-Za-z]+)?)")
_NOTE = pattern(r"[*_]*[ \t]*(?:[(\[].*|\d{4}-\d{2}.*)?")
_TWO_WORDS = frozenset({"IN PROGRESS", "NOT STARTED", "TO DO"})
_ONE_ID = pattern(rf"[*_`\[]*(?P<id>{TASK_ID})(?![\w-]){_CLOSE}(?:[ \t]*:.*|[ \t]+[-–—][ \t].*|[ \t]*\(.*)?")


class Mention(Struct, frozen=True):
    """A heading or a list line about one task. Spans are offsets into the section; None where nothing is said.

    ``statuses`` may be two: an icon before the id and a status behind the title.
    """

    id: str
    indent: int
    title: Span | None
    statuses: tuple[Span, ...]


def one_task(text: str) -> str | None:
    """The id that ``text`` begins with, if it is of exactly one task: ``T27 - Title``, ``T23 (Title)``, ``[T2]``."""
    match = _ONE_ID.fullmatch(text.strip())
    return match["id"] if match else None


def heading_mention(line: Line) -> Mention | None:
    """What a heading such as ``### 🔄 T22: Title`` says of its one task."""
    match = _HEAD.match(line.text)
    return _mention(line, match, 0) if match else None


def list_mention(line: Line) -> Mention | None:
    """What a list line such as ``- T21: Title - 🔄 (NEW)`` or ``1. **[T21]**: Title`` says of its one task."""
    match = _LISTED.match(line.text)
    return _mention(line, match, len(match["indent"].expandtabs(4))) if match else None


def _mention(line: Line, match: re.Match[str], indent: int) -> Mention:
    rest = line.text[match.end() :].rstrip(" \t#")
    behind = _status_behind(rest)
    title = rest
    if behind is not None:
        title = rest[: behind.start].rstrip()
        title = title[:-1].rstrip() if title.endswith(("-", "–", "—")) else title
    start = line.start + match.end()
    statuses = []
    if match["sign"]:
        statuses.append(Span(line.start + match.start("sign"), line.start + match.end("sign")))
    if behind is not None:
        statuses.append(Span(start + behind.start, start + behind.end))
    return Mention(match["id"], indent, Span(start, start + len(title)) if title else None, tuple(statuses))


def _status_behind(rest: str) -> Span | None:
    """Where a status stands behind a title: an icon behind a dash, a lone word behind one, an icon at the end."""
    dashes = [m.end() for m in _DASH.finditer(rest)]
    for start in [0, *dashes]:
        if _ICON.match(rest, start):
            return Span(start, len(rest))
    for start in reversed(dashes):
        if _is_word(rest, start):
            return Span(start, len(rest))
    match = _AT_END.search(rest)
    return Span(*match.span("status")) if match else None


def _is_word(text: str, start: int) -> bool:
    """Whether a status word with at most a note stands at ``start``: not ``Complete rewrite``."""
    words = _WORDS.match(text, start)
    if words is None or read_status(words[1]) is None or not _NOTE.fullmatch(text, words.end()):
        return False
    plain = re.sub("[_-]", " ", words[1]).upper()
    return " " not in plain or plain in _TWO_WORDS


def mention_fields(text: str, mention: Mention, title: bool) -> dict[str, Field]:
    """The fields that ``mention`` shows in the section ``text``; its title only if asked for."""
    fields: dict[str, Field] = {}
    if title and mention.title is not None:
        fields["title"] = Field(text[slice(*mention.title)], mention.title)
    if mention.statuses:
        fields |= _status(text, mention.statuses[0])
    return fields


def said_again(text: str, mention: Mention) -> dict[str, Field]:
    """The status that ``mention`` shows a second time."""
    return _status(text, mention.statuses[1]) if len(mention.statuses) > 1 else {}


def _status(text: str, span: Span) -> dict[str, Field]:
    status = read_status(text[slice(*span)])
    return {"status": Field(str(status), span)} if status is not None else {}


def header(text: str, role: Role) -> Iterator[Reading]:
    """The ``*Last Updated: …*`` line of a section as a header reading, if there is one."""
    for line in open_lines(text):
        if label := header_moment(line):
            fields = {"last_updated": Field(read_date(label.value), label.value_span)}
            yield Reading(Table.HEADER, "header", role, fields, Span(line.start, line.end))
            return
