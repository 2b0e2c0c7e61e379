"""Values both ways: how status, priority, dates and ids are written, and what a row holds for them.

The law: reading what was rendered gives the value back. What cannot be read is None; nothing is guessed.
"""

from __future__ import annotations

import re

from msgspec import Struct

from parser.kinds import TASK_ID
from parser.moments import Moment, read_date, read_moment, render_date
from schema.patterns import pattern
from schema.records import Priority, Status, Value

__all__ = [
    "ICON", "Moment", "is_nothing", "read_date", "read_ids", "read_moment", "read_priority", "read_status", "render",
    "render_date", "render_ids", "render_priority", "render_status",
]  # fmt: skip


class _Spelling(Struct, frozen=True):
    """How a status is written. The first icon and the first word are those that are written anew."""

    icons: tuple[str, ...]
    words: tuple[str, ...]


_STATUS = {
    Status.PENDING: _Spelling(
        ("⬜", "📝", "⏳", "🆕", "📋"), ("PENDING", "TODO", "TO DO", "NOT STARTED", "PLANNED", "QUEUED")
    ),
    Status.IN_PROGRESS: _Spelling(("🔄", "🚧"), ("IN PROGRESS", "ACTIVE")),
    Status.COMPLETED: _Spelling(("✅",), ("COMPLETED", "COMPLETE", "DONE")),
    Status.PAUSED: _Spelling(("⏸️",), ("PAUSED",)),
    Status.BLOCKED: _Spelling(("🛑", "⛔"), ("BLOCKED",)),
    Status.CANCELLED: _Spelling(("❌",), ("CANCELLED", "CANCELED", "SUPERSEDED")),
}
_BARE = "\ufe0f"  # the selector that asks for the coloured form of a sign; written or not, the sign is the same
_BY_ICON = {icon.rstrip(_BARE): status for status, spelling in _STATUS.items() for icon in spelling.icons}
_BY_WORD = {word: status for status, spelling in _STATUS.items() for word in spelling.words}

ICON = rf"(?:{'|'.join(_BY_ICON)}){_BARE}?"
"""Pattern of the icons that stand for a status."""

_WORD = "|".join(re.escape(w).replace(r"\ ", r"[ _-]?") for w in sorted(_BY_WORD, key=len, reverse=True))
_STATUS_TEXT = pattern(
    rf"(?P<before>[\s*_]*)(?P<icon>{ICON})?(?P<gap>[\s*_(]*)(?:(?P<word>{_WORD})(?![^\W_]|-\w))?", re.I
)
_BOX = pattern(r"\[([ xX])\]")
_PAIRS = {"TODO": {Status.COMPLETED: "DONE"}, "DONE": {Status.PENDING: "TODO"}}

_PRIORITY_ICONS = (
    {Priority.CRITICAL: "🔥", Priority.HIGH: "🔥", Priority.MEDIUM: "⏺️", Priority.LOW: "⬇️"},
    {Priority.CRITICAL: "🔴", Priority.HIGH: "🔴", Priority.MEDIUM: "🟡", Priority.LOW: "🟢"},
)
# Of two priorities that share an icon, the milder is what the icon says when it stands alone.
_BY_PRIORITY_ICON = {icon.rstrip(_BARE): priority for family in _PRIORITY_ICONS for priority, icon in family.items()}
_PRIORITY_TEXT = pattern(
    rf"[\s*_]*(?P<icon>(?:{'|'.join(_BY_PRIORITY_ICON)}){_BARE}?)?[\s*_]*(?:(?P<word>CRITICAL|HIGH|MEDIUM|LOW)(?![^\W_]|-\w))?",
    re.I,
)

_NOTHING = frozenset({"", "-", "--", "—", "–", "none", "n/a", "na"})
_SEPARATOR = pattern(rf"\s*(?:[,;]\s*|(?:[/&+]|\band\b)\s*(?=[*_`\[\s]*{TASK_ID}(?![\w-])))")
_ITEM = pattern(rf"[*_`\[\s]*(?P<id>{TASK_ID})(?![\w-]|\s*(?:-|–|—|\.\.+|to|through)\s*{TASK_ID})")
_DATES = frozenset({
    "date", "started", "completed", "last_updated", "session_date", "timestamp", "time", "start_time", "end_time",
})  # fmt: skip


def is_nothing(text: str) -> bool:
    """Whether ``text`` says that there is no value: empty, a dash, ``None``, ``N/A``."""
    return text.strip("*_ \t\r\n").casefold() in _NOTHING


def read_status(text: str) -> Status | None:
    """The status that ``text`` begins with: its icon, else its first words, else a checklist's box."""
    if box := _BOX.match(text.strip("*_ \t")):
        return Status.PENDING if box[1] == " " else Status.COMPLETED
    match = _STATUS_TEXT.match(text)
    if match is None:
        return None
    if match["icon"]:
        return _BY_ICON[match["icon"].rstrip(_BARE)]
    return _by_word(match["word"]) if match["word"] and "(" not in match["gap"] else None


def _by_word(word: str) -> Status:
    plain = re.sub(r"[ _-]", "", word.upper())
    return next(status for known, status in _BY_WORD.items() if known.replace(" ", "") == plain)


def render_status(old: str, status: Status) -> str:
    """``old`` with its icon and its word replaced by those of ``status``, in their style; the rest stays.

    A text that has neither gets the icon before it. A ``[x]`` box stays a box as long as a box can say it.
    """
    if read_status(old) is status:
        return old
    icon = _STATUS[status].icons[0]
    if is_nothing(old):
        return icon
    if box := _BOX.search(old) if _BOX.match(old.strip("*_ \t")) else None:
        sign = {Status.COMPLETED: "[x]", Status.PENDING: "[ ]"}.get(status, icon)
        new = old[: box.start()] + sign + old[box.end() :]
    elif (match := _STATUS_TEXT.match(old)) and (match["icon"] or match["word"]):
        parts = [match["before"], icon if match["icon"] else "", match["gap"]]
        parts += [_word_like(match["word"], status) if match["word"] else "", old[match.end() :]]
        new = "".join(parts)
    else:
        new = f"{icon} {old.strip()}"
    return new if read_status(new) is status else icon


def _word_like(old: str, status: Status) -> str:
    """The word of ``status`` in the case and with the joiner of the word ``old``."""
    word = _PAIRS.get(old.upper(), {}).get(status, _STATUS[status].words[0])
    joiner = next((sign for sign in "_-" if sign in old), " ")
    return _case_like(old, word).replace(" ", joiner)


def _case_like(old: str, word: str) -> str:
    if old.isupper():
        return word.upper()
    if old.islower():
        return word.lower()
    return word.title() if all(part[:1].isupper() for part in re.split(r"[ _-]", old)) else word.capitalize()


def read_priority(text: str) -> Priority | None:
    """The priority that ``text`` begins with: its word, any case, behind a known icon or none; else an icon alone."""
    match = _PRIORITY_TEXT.match(text)
    if match is None:
        return None
    if match["word"]:
        return Priority(match["word"].upper())
    if match["icon"] and not text[match.end() :].strip("*_ \t"):
        return _BY_PRIORITY_ICON[match["icon"].rstrip(_BARE)]
    return None


def render_priority(old: str, priority: Priority) -> str:
    """``old`` with its icon and its word replaced by those of ``priority``, in their style; the rest stays."""
    if read_priority(old) is priority:
        return old
    match = _PRIORITY_TEXT.match(old)
    if match is None or not (match["icon"] or match["word"]):
        return priority.value if is_nothing(old) else f"{priority.value} ({old.strip()})"
    parts = []
    end = match.end()
    if match["word"]:
        end = match.end("word")
        parts = [_case_like(match["word"], priority.value)]
    if match["icon"]:
        family = next(f for f in _PRIORITY_ICONS if match["icon"].rstrip(_BARE) in "".join(f.values()))
        gap = old[match.end("icon") : match.start("word")] if match["word"] else ""
        parts = [old[: match.start("icon")], family[priority], gap, *parts]
    else:
        parts = [old[: match.start("word")], *parts]
    new = "".join([*parts, old[end:]])
    return new if read_priority(new) is priority else priority.value


class _Part(Struct, frozen=True):
    """One item of a list of ids as written, with the separator behind it. ``id`` is None for what is no id."""

    id: str | None
    text: str
    separator: str


def _parts(text: str) -> list[_Part]:
    """``text`` cut at its separators, those in brackets left out. The parts join to the text."""
    depth, parts, start, position = 0, [], 0, 0
    while position < len(text):
        depth += {"(": 1, ")": -1}.get(text[position], 0) if depth or text[position] == "(" else 0
        found = _SEPARATOR.match(text, position) if depth == 0 else None
        if found is not None:
            parts.append(_part(text[start:position], found[0]))
            start = position = found.end()
        else:
            position += 1
    return [*parts, _part(text[start:], "")]


def _part(text: str, separator: str) -> _Part:
    match = _ITEM.match(text)
    return _Part(match["id"] if match else None, text, separator)


def read_ids(text: str) -> tuple[str, ...]:
    """The task ids of a dependency text, in order and once each, without their notes. Ranges are not expanded."""
    if is_nothing(text):
        return ()
    return tuple(dict.fromkeys(part.id for part in _parts(text) if part.id is not None))


def render_ids(old: str, ids: tuple[str, ...]) -> str:
    """``old`` with ids taken out and added so that it reads as the set ``ids``; the others stay as they are."""
    have = read_ids(old)
    if set(have) == set(ids):
        return old
    parts = [] if is_nothing(old) else _parts(old)
    kept = [part for part in parts if part.id is None or part.id in ids]
    kept += [_Part(i, i, "") for i in dict.fromkeys(ids) if i not in have]
    usual = next((part.separator for part in parts if part.separator), ", ")
    texts = [part.text + (part.separator or usual) for part in kept[:-1]] + [part.text for part in kept[-1:]]
    new = "".join(texts).strip() or "-"
    return new if set(read_ids(new)) == set(ids) else ", ".join(ids) or "-"


def render(name: str, old: str, value: Value) -> str:
    """Text for the field ``name`` that shows ``value``, in the style of the text ``old`` that it replaces.

    A value that is not of the field's type is written as it is; whether it reads back is for the caller to check.
    """
    if isinstance(value, tuple):
        return render_ids(old, value)
    if value is None:
        return old if is_nothing(old) and old.strip() else "-"
    if name == "status" and value in set(Status):
        return render_status(old, Status(value))
    if name == "priority" and value.upper() in set(Priority):
        return render_priority(old, Priority(value.upper()))
    if name in _DATES and read_moment(value) is not None:
        return render_date(old, value)
    return value
