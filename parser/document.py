"""A parsed document: its sections, each with the readings found in it.

Parsing is a fold: a grammar reads one section after the other and hands a small context value on. A section is a pure
function of its text and the context before it, so a section whose text and context did not change is taken over
from the document parsed before.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from parser.text import common_prefix, common_suffix, cut, heading, scan, slices
from schema.records import Problem, Reading


class At(NamedTuple):
    """Address of a reading: index of its section in the document, index of the reading in the section."""

    section: int
    reading: int


class Parsed(NamedTuple):
    """What a grammar found in one section, and the context for the next. Readings in the order of their text."""

    readings: tuple[Reading, ...]
    problems: tuple[Problem, ...]
    after: Hashable


class Grammar(Protocol):
    """How documents of one kind are read. Implementations live in `parser.kinds`, one module a kind."""

    def start(self, path: str) -> Hashable:
        """The context before the first section of the document at ``path``."""
        ...

    def read(self, text: str, level: int, title: str, context: Hashable) -> Parsed:
        """Read one section: its whole text, the level of its heading (0: none, the preamble) and its title."""
        ...


@dataclass(frozen=True, slots=True)
class Section:
    """One slice of a document, from a heading to the next, with what was found in it."""

    text: str
    level: int
    heading: str
    before: Hashable
    parsed: Parsed

    @property
    def readings(self) -> tuple[Reading, ...]:
        return self.parsed.readings


@dataclass(frozen=True, slots=True)
class Document:
    """A document as parsed: its path in the bank, its kind, and its sections, whose texts join to its text."""

    path: str
    kind: str
    sections: tuple[Section, ...]

    @property
    def text(self) -> str:
        return "".join(section.text for section in self.sections)

    def readings(self) -> Iterator[tuple[At, Reading]]:
        """All readings in the order of the text."""
        for number, section in enumerate(self.sections):
            for index, reading in enumerate(section.readings):
                yield At(number, index), reading

    def at(self, where: At) -> Reading:
        return self.sections[where.section].readings[where.reading]

    def problems(self) -> Iterator[tuple[int, str]]:
        """``(line counted from 1, reason)`` of everything that was not understood."""
        line = 1
        for section in self.sections:
            for problem in section.parsed.problems:
                yield line + problem.line, problem.reason
            line += section.text.count("\n")


def parse(path: str, text: str, base: Document | None = None) -> Document:
    """Parse ``text``; take over from ``base`` (an earlier parse of the same path) what did not change.

    Never raises on any text.
    """
    from parser.kinds import grammar_for, kind_of

    kind = kind_of(path)
    grammar = grammar_for(kind)
    base_sections = base.sections if base is not None and base.kind == kind and base.path == path else ()
    pieces = _pieces(text, base_sections)
    known = {(s.text, s.before): s for s in base_sections} if base_sections else {}
    context = grammar.start(path)
    sections = []
    for piece in pieces:
        section = known.get((piece, context))
        if section is None:
            level, title = heading(piece)
            section = Section(piece, level, title, context, grammar.read(piece, level, title, context))
        sections.append(section)
        context = section.parsed.after
    return Document(path, kind, tuple(sections))


def _pieces(text: str, base: Sequence[Section]) -> list[str]:
    """The section texts of ``text``; cuts only the window in which it differs from the base's sections."""
    if not base:
        return list(slices(text, cut(text)))
    old = "".join(section.text for section in base)
    prefix = common_prefix(old, text)
    suffix = common_suffix(old, text, min(len(old), len(text)) - prefix)
    starts, offset = [], 0
    for section in base:
        starts.append(offset)
        offset += len(section.text)
    # The section before the one that changed is cut again too: its end is where the change may begin.
    first = max(0, next((i for i, s in enumerate(starts) if s > prefix), len(starts)) - 2)
    shift = len(text) - len(old)
    shifted = {start + shift: number for number, start in enumerate(starts) if start > len(old) - suffix}
    head = [section.text for section in base[:first]]
    window = scan(text, starts[first])
    if not window.sure:
        return list(slices(text, cut(text)))
    middle: list[str] = []
    for start, end in zip(window.starts, [*window.starts[1:], len(text)], strict=True):
        if start in shifted:
            return [*head, *middle, *(section.text for section in base[shifted[start] :])]
        middle.append(text[start:end])
    return [*head, *middle]
