"""A parsed document: its sections, each with the readings found in it.

Parsing is a fold: a grammar reads one section after the other and hands a small context value on. A section is a pure
function of its text and the context before it, so a section whose text and context did not change is taken over
from the document parsed before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Protocol

from msgspec import Struct

from parser.text import common_prefix, common_suffix, cut, front_matter_end, heading, scan, slices, starts_from
from schema.records import Problem, Reading


class At(Struct, frozen=True, order=True, gc=False):
    """Address of a reading: index of its section in the document, index of the reading in the section."""

    section: int
    reading: int


class Parsed(Struct, frozen=True):
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


class Section(Struct, frozen=True, gc=False):
    """One slice of a document, from a heading to the next, with what was found in it. ``size`` is in bytes of UTF-8."""

    text: str
    level: int
    heading: str
    before: Hashable
    parsed: Parsed
    size: int

    @property
    def readings(self) -> tuple[Reading, ...]:
        return self.parsed.readings


class Document(Struct, frozen=True, dict=True):
    """A document as parsed: its path in the bank, its kind, and its sections, whose texts join to its text."""

    path: str
    kind: str
    sections: tuple[Section, ...]

    @cached_property
    def starts(self) -> list[int]:
        """Where each section starts in the text as UTF-8, and where the last one ends."""
        return [0, *accumulate([section.size for section in self.sections])]

    @cached_property
    def has_arrows(self) -> bool:
        """Whether seven ``<`` stand in a row somewhere, as where git could not merge."""
        return _have_arrows(self.sections)

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
    old = base.sections if base is not None and base.path == path else ()
    return Document(path, kind, _fold(path, grammar_for(kind), old, *_pieces(text, old)))


def parse_bytes(path: str, data: bytes, base: Document, known: bytes) -> Document:
    """As ``parse(path, data.decode(), base)``, where ``known`` is what the text of ``base`` is encoded.

    Only the stretch in which the bytes differ is decoded and cut. Raises UnicodeDecodeError.
    """
    from parser.kinds import grammar_for

    found = _stretch(data, base, known) if base.path == path and data else None
    if found is None:
        return parse(path, data.decode(), base)
    document = Document(path, base.kind, _fold(path, grammar_for(base.kind), base.sections, *found))
    _, head, tail = found
    # What would need a look at all of a long document is told by that of its base and the sections between.
    vars(document)["starts"] = _moved_starts(base, document, head, tail, len(data) - len(known))
    if not base.has_arrows:
        vars(document)["has_arrows"] = _have_arrows(document.sections[head : len(document.sections) - tail])
    return document


def _have_arrows(sections: Sequence[Section]) -> bool:
    return any("<<<<<<<" in section.text for section in sections)


def _moved_starts(base: Document, new: Document, head: int, tail: int, shift: int) -> list[int]:
    """The ``starts`` of ``new``: those of ``base`` but for a few, without a look at all of its sections."""
    behind = len(new.sections) - tail
    starts = base.starts[: head + 1]
    starts += list(accumulate((s.size for s in new.sections[head:behind]), initial=starts.pop()))
    return starts + [start + shift for start in base.starts[len(base.sections) - tail + 1 :]]


def _fold(
    path: str, grammar: Grammar, old: Sequence[Section], pieces: Sequence[str], head: int, tail: int
) -> tuple[Section, ...]:
    """``pieces`` read between the first ``head`` and the last ``tail`` of the ``old`` sections."""
    sections = list(old[:head])
    context = sections[-1].parsed.after if sections else grammar.start(path)
    known = {(s.text, s.before): s for s in old[head : len(old) - tail]}
    for piece in pieces:
        section = known.get((piece, context)) or _read(grammar, piece, context)
        sections.append(section)
        context = section.parsed.after
    for number in range(len(old) - tail, len(old)):
        if old[number].before == context:  # from here on all is as it was
            sections += old[number:]
            break
        sections.append(_read(grammar, old[number].text, context))
        context = sections[-1].parsed.after
    return tuple(sections)


_RUN = 1000
_RUNS = tuple(sign * _RUN for sign in " \t\r\f\v\x85\xa0\u2028#`")
"""Signs that patterns look at again from each place of a run: what they cost grows with its square."""


def _read(grammar: Grammar, text: str, context: Hashable) -> Section:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if len(text) > _RUN and (line := _endless(text)) is not None:
        level, _ = heading(text[: text.find(" ") + 1])
        problem = Problem(line, f"not read: a line with {_RUN} signs of one kind in a row")
        return Section(text, level, "", context, Parsed((), (problem,), context), size)
    level, title = heading(text)
    return Section(text, level, title, context, grammar.read(text, level, title, context), size)


def _endless(text: str) -> int | None:
    """The number of a line with a run that no document has, the padding of tables apart; None where there is none."""
    for run in _RUNS:
        at = text.find(run)
        while at >= 0:
            start = text.rfind("\n", 0, at) + 1
            if not text.startswith("|", start) or not run.isspace():
                return text.count("\n", 0, at)
            end = text.find("\n", at)
            at = text.find(run, end) if end >= 0 else -1
    return None


def _pieces(text: str, base: Sequence[Section]) -> tuple[list[str], int, int]:
    """Section texts of ``text`` between the first and the last that are those of ``base``, and how many these are.

    Only the stretch in which the texts differ is cut. What a line at a section's start is depends on nothing before it,
    so sections are the same again from the first old start behind the change.
    """
    if not base:
        return list(slices(text, cut(text))), 0, 0
    starts = [0, *accumulate([len(section.text) for section in base])]
    prefix = _common_head(text, base, starts)
    if prefix == starts[-1] == len(text):
        return [], len(base), 0
    suffix = _common_tail(text, base, min(starts[-1], len(text)) - prefix)
    fronts = _front_of(base, starts), front_matter_end(text)
    if prefix <= max(fronts) and fronts[0] != fronts[1]:
        return list(slices(text, cut(text))), 0, 0
    # The section before the change is cut again too: the change may take its end away.
    first = max(0, bisect_right(starts, prefix, hi=len(base)) - 2)
    shift = len(text) - starts[-1]
    # A start counts as old only with the line break before it in the common end.
    later = bisect_right(starts, starts[-1] - suffix, hi=len(base))
    found = starts_from(text, starts[first], _Stops(starts, later, shift))
    if not found.stopped:
        return list(slices(text[starts[first] :], [s - starts[first] for s in found.starts])), first, 0
    bounds = found.starts
    pieces = [text[a:b] for a, b in pairwise(bounds)]
    return pieces, first, len(base) - bisect_left(starts, bounds[-1] - shift, hi=len(base))


_FRONTS = (b"---", b"\xef\xbb\xbf---")


def _stretch(data: bytes, document: Document, known: bytes) -> tuple[list[str], int, int] | None:
    """As `_pieces`, from bytes; None where more than the sections around the change has to be seen.

    The scanner sees the changed stretch and the first old section behind it. Where it stops at that section's start
    it would stop there as well if it saw the rest: whatever reaches further hides that start from it.
    """
    base, starts = document.sections, document.starts
    if starts[-1] != len(known) or data.startswith(_FRONTS) or known.startswith(_FRONTS):
        return None
    if data == known:
        return [], len(base), 0
    prefix = common_prefix(data, known)
    suffix = common_suffix(data, known, min(len(data), len(known)) - prefix)
    first = max(0, bisect_right(starts, prefix, hi=len(base)) - 2)
    later = bisect_right(starts, len(known) - suffix, hi=len(base))
    shift = len(data) - len(known)
    if later == len(base):  # the last section changed
        text = _decoded(data, starts[first], len(data))
        return list(slices(text, cut(text))), first, 0
    stop = starts[later] + shift
    text = _decoded(data, starts[first], stop)
    found = scan(text + base[later].text, 0, {len(text)})
    if not found.stopped:
        return None
    return [text[a:b] for a, b in pairwise(found.starts)], first, len(base) - later


def _decoded(data: bytes, start: int, end: int) -> str:
    try:
        return data[start:end].decode()
    except UnicodeDecodeError:
        return data.decode()[start:end]  # raises, and names the place in the whole


def _common_head(text: str, base: Sequence[Section], starts: Sequence[int]) -> int:
    """Length of the common start of ``text`` and the text of ``base``, compared section by section."""
    for section, start in zip(base, starts, strict=False):
        if not text.startswith(section.text, start):
            return start + common_prefix(section.text, text[start : start + len(section.text)])
    return starts[-1]


def _common_tail(text: str, base: Sequence[Section], limit: int) -> int:
    """Length of the common end of ``text`` and the text of ``base``, at most ``limit``."""
    length = 0
    for section in reversed(base):
        more = len(section.text)
        if length + more > limit or not text.startswith(section.text, len(text) - length - more):
            end = len(text) - length
            return length + common_suffix(section.text, text[max(end - more, 0) : end], min(more, limit - length))
        length += more
    return length


def _front_of(base: Sequence[Section], starts: Sequence[int]) -> int:
    """Where the front matter of ``base`` ends: it may reach over sections, but mostly there is none."""
    if not base[0].text.startswith(("---", "\ufeff---")):
        return 0
    end = front_matter_end(base[0].text)
    return end or front_matter_end("".join(section.text for section in base))


class _Stops:
    """The old section starts from number ``first`` on, moved by ``shift``; the end of the text is none."""

    def __init__(self, starts: Sequence[int], first: int, shift: int) -> None:
        self._starts, self._first, self._shift = starts, first, shift

    def __contains__(self, place: object) -> bool:
        assert isinstance(place, int)
        wanted, last = place - self._shift, len(self._starts) - 1
        number = bisect_left(self._starts, wanted, lo=min(self._first, last), hi=last)
        return number < last and self._starts[number] == wanted
