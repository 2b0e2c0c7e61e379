"""The line that opens an entry, taken apart so that values can be put in and taken out in its own style."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from parser.kinds.entry_heads import entry_fields
from parser.values import render
from schema.patterns import pattern
from schema.records import Value

_RANGE = pattern(r"[ ]*[-–—][ ]*\d{1,2}:\d{2}(?::\d{2})?(?:[ ]?[AaPp]\.?[Mm]\b\.?)?")
_OPENING = pattern(r"(?:#{1,6}[ \t]+)?(?:\*\*)?")
NAMES = ("date", "time", "timezone", "task_id", "task_description")


class Head(Struct, frozen=True):
    """The pieces of an entry's line; they join to it. A piece that is missing is empty.

    ``joint`` stands between date and time, ``before_zone`` and ``after_zone`` around the zone, ``dash`` between the
    moment and the text, ``colon`` between the task ids and the description.
    """

    opening: str
    date: str = ""
    joint: str = " "
    clock: str = ""
    before_zone: str = " "
    zone: str = ""
    after_zone: str = ""
    dash: str = " - "
    ids: str = ""
    colon: str = ": "
    text: str = ""
    closing: str = ""

    def join(self) -> str:
        """The line."""
        moment = self.date + (self.joint if self.date and self.clock else "") + self.clock
        if self.zone:
            moment += self.before_zone + self.zone + self.after_zone
        words = self.ids + (self.colon if self.ids and self.text else "") + self.text
        return self.opening + moment + (self.dash if moment and words else "") + words + self.closing


def take_apart(line: str) -> Head | None:
    """The pieces of the line of an entry; None where it opens none."""
    fields = entry_fields(line, 0, timeless=True)
    if not fields:
        return None
    text = {name: line[field.span.start : field.span.end] for name, field in fields.items()}
    spans = {name: field.span for name, field in fields.items()}
    position = min(span.start for span in spans.values())
    head = Head(line[:position])
    if "date" in spans:
        head = replace(head, date=text["date"])
        position = spans["date"].end
    if "time" in spans:
        start, end = spans["time"]
        joint = line[position:start] if "date" in spans else " "
        dashed = line[end:].lstrip(" ").startswith(("-", "–", "—"))
        end = match.end() if dashed and (match := _RANGE.match(line, end)) else end
        head = replace(head, joint=joint, clock=line[start:end])
        position = end
    if "timezone" in spans:
        start, end = spans["timezone"]
        after = ")" if line[end : end + 1] == ")" else ""
        head = replace(head, before_zone=line[position:start], zone=text["timezone"], after_zone=after)
        position = end + len(after)
    if "task_id" in spans:
        if head.date or head.clock:
            head = replace(head, dash=line[position : spans["task_id"].start])
        head = replace(head, ids=text["task_id"])
        position = spans["task_id"].end
    if "task_description" in spans:
        between = line[position : spans["task_description"].start]
        head = replace(head, colon=between) if head.ids else replace(head, dash=between)
        head = replace(head, text=text["task_description"])
        position = spans["task_description"].end
    return replace(head, closing=line[position:])


def changed(head: Head, values: Mapping[str, Value]) -> Head:
    """``head`` with ``values`` put in; None takes a value out."""
    pieces = {"date": "date", "time": "clock", "timezone": "zone", "task_id": "ids", "task_description": "text"}
    for name, value in values.items():
        old = getattr(head, pieces[name])
        if value is None:
            new = ""
        elif name == "date" and old:
            new = render(name, old, value)
        elif name == "time" and (match := re.match(r"\d{1,2}:\d{2}(?::\d{2})?(?:[ ]?[AaPp]\.?[Mm]\b\.?)?", old)):
            new = str(value) + old[match.end() :]
        else:
            new = str(value)
        head = replace(head, **{pieces[name]: new})
    return head


def like(head: Head, values: Mapping[str, Value], dated: bool) -> Head:
    """The line of a new entry that shows ``values``, in the style of ``head``; with ``dated``, its date too."""
    opening = _OPENING.match(head.opening)
    plain = Head(
        opening[0] if opening else "",
        before_zone=head.before_zone,
        after_zone=head.after_zone,
        dash=head.dash if re.fullmatch(r"[ ]?[-–—]+[ ]|[ ]?[:|][ ]", head.dash) else " - ",
        colon=head.colon if re.fullmatch(r":[ ]|[ ][-–—][ ]", head.colon) else ": ",
        closing="**" if head.opening.endswith("**") else "",
    )
    plain = replace(plain, date=head.date, joint=head.joint if head.date else " ")
    shown = {name: values.get(name) for name in NAMES}
    return changed(plain, {**shown, "date": values.get("date") if dated else None})


def entry_line(opening: str, values: Mapping[str, Value], *, dated: bool) -> str:
    """The line that opens an entry where none is a model; with ``dated`` it shows its date too."""
    return like(Head(opening), values, dated).join()
