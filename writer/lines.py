"""Replacing values that stand in a line or in several lines below a label."""

from __future__ import annotations

import re

from parser.document import At, Document
from schema.patterns import pattern
from schema.records import Span
from writer.edits import Edit

_INDENT = pattern(r"\n([ \t]+)(?=\S)")


def newline_of(text: str) -> str:
    """The line break that ``text`` uses."""
    return "\r\n" if "\r\n" in text else "\n"


def replace_value(section: int, text: str, span: Span, value: str) -> Edit | None:
    """An edit that puts ``value`` at ``span`` of the section ``text``. None where the value needs more than a line."""
    if "\n" in value or "\r" in value:
        return None
    if span.start == span.end and value and not text[: span.start].endswith((" ", "\t", "\n")):
        return Edit(section, span, " " + value)
    return Edit(section, span, value)


def replace_block(section: int, text: str, span: Span, value: str) -> list[Edit]:
    """Edits, best first, that put ``value``, of any number of lines, at ``span``: indented as the old ones, or not."""
    value = value.replace("\r\n", "\n")
    line_break = newline_of(text)
    old = text[span.start : span.end]
    ways = [value]
    if (indent := _INDENT.search(old)) and "\n" in value:
        ways.insert(0, re.sub(r"\n(?=.)", "\n" + indent[1], value))
    space = " " if span.start == span.end and value and not text[: span.start].endswith((" ", "\t", "\n")) else ""
    return [Edit(section, span, space + way.replace("\n", line_break)) for way in ways]


def lines_below(document: Document, at: At) -> str:
    """What stands below the first line of a record's text, without the line break at its end; "" for nothing."""
    text, span = document.sections[at.section].text, document.at(at).span
    end = text.find("\n", span.start, span.end)
    return "" if end < 0 else text[end + 1 : span.end].replace("\r\n", "\n").rstrip()
