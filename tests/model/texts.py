"""Documents and edits of them from a seeded chance, in the spellings of `tests.laws.strategies`.

Everything that is put in has a word of its own (`word`), so that it can be looked for afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from parser.document import parse
from schema.records import FIELDS, Table
from tests.laws import strategies as s
from tests.laws.changing import new_value
from writer.changes import SetFields
from writer.put import put

PATHS = (*s.OF_KIND, "tasks/T1.md", "tasks/T20a.md", "notes/sub folder/über.md", "edits/2026-03-06/101500-T1-axis.md")
MARKERS = "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> branch\n"


class Words:
    """Words that occur nowhere else: ``w7q``, counted."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"w{self.count}q"


def title(chance: random.Random, word: Words) -> str:
    """A few words, one of them its own."""
    parts = [chance.choice(s.WORDS) for _ in range(chance.randint(0, 2))] + [word()]
    chance.shuffle(parts)
    return " ".join(parts).replace("\u2028", "").strip()


def _named(chance: random.Random, word: Words) -> tuple[str, str]:
    name, choices = chance.choice((
        ("Status", s.STATUSES), ("Status", s.STATUSES), ("Priority", s.PRIORITIES), ("Started", s.MOMENTS),
        ("Completed", s.MOMENTS), ("Last Updated", s.MOMENTS), ("Dependencies", s.NEEDS), ("Title", None),
        ("Focus Task", None), ("Focus", None), ("Description", None), ("Context", None), ("Last Active", s.MOMENTS),
    ))  # fmt: skip
    return name, chance.choice(choices) if choices else title(chance, word)


def field(chance: random.Random, word: Words) -> str:
    """One field on a line, or two."""
    if chance.random() < 0.2:
        (a, b), (c, d) = _named(chance, word), _named(chance, word)
        return f"**{a}**: {b}{chance.choice((' ', ' | ', '  '))}**{c}:** {d}\n"
    return chance.choice(s.FORMS).format(*_named(chance, word)) + "\n"


_COLUMNS = (
    "ID",
    "Title",
    "Status",
    "Priority",
    "Started",
    "Completed",
    "Dependencies",
    "Notes",
    "Last Updated",
    "Details",
)


def table(chance: random.Random, word: Words) -> str:
    """A table of tasks, its columns in any order, padded or not, now and then ragged."""
    names = chance.sample(_COLUMNS[1:], chance.randint(1, 5))
    names.insert(0 if chance.random() < 0.8 else len(names), "ID")
    values: dict[str, Callable[[], str]] = {
        "ID": lambda: chance.choice(s.IDS), "Status": lambda: chance.choice(s.STATUSES),
        "Priority": lambda: chance.choice(s.PRIORITIES), "Dependencies": lambda: chance.choice(s.NEEDS),
        "Started": lambda: chance.choice(s.MOMENTS), "Completed": lambda: chance.choice(s.MOMENTS),
        "Last Updated": lambda: chance.choice(s.MOMENTS),
        "Details": lambda: chance.choice(("[Details](tasks/T21.md) - more", "[tasks/T3.md] ✅P1", "plain", "")),
    }  # fmt: skip
    rows = []
    for _ in range(chance.randint(1, 4)):
        cells = [values.get(n, lambda: title(chance, word))().replace("|", r"\|") for n in names]
        ragged = chance.randrange(12)
        rows.append(cells[:-1] if ragged == 0 else [*cells, "note"] if ragged == 1 else cells)
    widths = [max([len(n), *(len(r[i]) for r in rows if i < len(r))]) for i, n in enumerate(names)]
    padded = chance.random() < 0.5

    def line(cells: list[str]) -> str:
        if padded:
            cells = [c.ljust(widths[i]) if i < len(widths) else c for i, c in enumerate(cells)]
        return f"| {' | '.join(cells)} |\n"

    rule = "|" + "|".join("-" * (w + 2) if padded else "---" for w in widths) + "|\n"
    return line(names) + rule + "".join(map(line, rows))


def checklist(chance: random.Random, word: Words) -> str:
    """Items of one to four lines."""
    boxes = ("✅", "🔄", "⬜", "[x]", "[ ]", "[X]", "⏸️", "❌", "")
    return "".join(
        f"{chance.choice(('', '  '))}{chance.choice(('-', '*', '1.'))} {chance.choice(boxes)} {title(chance, word)}\n"
        for _ in range(chance.randint(1, 4))
    )


def entry(chance: random.Random, word: Words) -> str:
    """An entry of the edit history with the files that it names."""
    date = f"{chance.choice(('##', '###'))} {chance.choice(s.DATES)}\n\n" if chance.random() < 0.4 else ""
    tasks = chance.choice((", ", "/")).join(chance.sample(s.IDS, chance.randint(1, 2)))
    head = f"{chance.choice(s.TIMES)}{chance.choice((' - ', ' — '))}{tasks}: {title(chance, word)}"
    head = f"**{head}**\n" if chance.random() < 0.15 else f"{chance.choice(('###', '####'))} {head}\n"
    lines = "".join(
        f"- {chance.choice(s.VERBS)} `{chance.choice(s.PATHS)}`{chance.choice(s.DASHES)}{title(chance, word)}\n"
        if chance.random() < 0.85
        else f"- {title(chance, word)}\n"
        for _ in range(chance.randint(0, 3))
    )
    return date + head + lines + chance.choice(("", "\n", "\n\n"))


def error(chance: random.Random, word: Words) -> str:
    """An entry of the error log."""
    body = "".join(
        f"**{name}:**\n```\n{title(chance, word)}\n```\n" if name == "Error" and chance.random() < 0.3
        else f"**{name}:** {title(chance, word)}\n"
        for name in chance.sample(("File", "Error", "Cause", "Fix", "Task"), chance.randint(1, 4))
    )  # fmt: skip
    when = chance.choice(("2025-08-23 21:40", "2025-04-15 13:15 UTC", "2025-06-02"))
    return f"## {when}: {chance.choice(('', 'T5b - ', 'T3: '))}{title(chance, word)}\n{body}\n"


def block(chance: random.Random, word: Words) -> str:
    """A task's section with fields."""
    opening = f"{chance.choice(('#', '##', '###'))} {chance.choice(s.IDS)}"
    head = f"{opening}{chance.choice((': ', ' - '))}{title(chance, word)}\n"
    return head + "".join(field(chance, word) for _ in range(chance.randint(0, 4)))


def _heading(chance: random.Random, word: Words) -> str:
    return f"{'#' * chance.randint(1, 5)} {title(chance, word)}\n"


def _line(chance: random.Random, word: Words) -> str:
    return f"- {chance.choice(s.IDS)}: {title(chance, word)} - {chance.choice(s.STATUSES)}\n"


_SECTIONS = (
    "## Active Tasks\n\n", "## Completed Tasks\n\n", "## Paused Tasks\n", "## Completion Criteria\n", "## Progress\n",
    "## Subtasks\n", "## Dependencies\n- T1\n- T2\n", "## Current Session\n", "## Overview\n", "## Task Registry\n",
    "## Description\n", "## Current Focus\n",
)  # fmt: skip
Maker = Callable[[random.Random, Words], str]
_COUNTS = ("- Active: 11 | Paused: 0 | Completed: 7\n", "- Active Tasks: 2\n", "- **Active**: 7\n")


def _section(chance: random.Random, word: Words) -> str:
    return chance.choice(_SECTIONS)


def _counts(chance: random.Random, word: Words) -> str:
    return chance.choice(_COUNTS)


def _prose(chance: random.Random, word: Words) -> str:
    return f"Some prose {word()}, and more.\n"


def _odd(chance: random.Random, word: Words) -> str:
    return chance.choice(s.PIECES)


def makers(path: str) -> tuple[Maker, ...]:
    """The pieces that a document at ``path`` is made of."""
    match path.split("/")[-1], path.split("/")[0]:
        case "tasks.md", _:
            return (table, _section, block)
        case _, "tasks":
            return (block, field, field, checklist, _section)
        case "edit_history.md" | "edit_history_2025.md", _:
            return (entry,)
        case _, "edits":
            return (entry, entry, field)
        case "session_cache.md" | "activeContext.md", _:
            return (_section, field, _counts, _line, block, table)
        case _, "sessions":
            return (field, field, _prose)
        case "errorLog.md", _:
            return (error,)
    return (_heading, checklist, table, _prose)


def piece(path: str, chance: random.Random, word: Words) -> str:
    """A piece of a document of the kind that ``path`` has, now and then one of another kind or an odd one."""
    if chance.random() < 0.75:
        return chance.choice(makers(path))(chance, word)
    return chance.choice((_heading, _prose, _prose, _odd, table, checklist, field, entry))(chance, word)


def document(path: str, chance: random.Random, word: Words, size: int = 8) -> bytes:
    """A whole document."""
    opening = chance.choice(s.OPENINGS.get(path, (f"# {title(chance, word)}\n\n", "")))
    body = "".join(piece(path, chance, word) + chance.choice(("", "\n")) for _ in range(chance.randint(1, size)))
    return finish(opening + body, chance)


def finish(text: str, chance: random.Random) -> bytes:
    """Bytes with either line end, with or without BOM and final newline."""
    if chance.random() < 0.15:
        text = text.removesuffix("\n")
    if chance.random() < 0.12:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return (b"\xef\xbb\xbf" if chance.random() < 0.06 else b"") + text.encode()


# -- edits: text to text -----------------------------------------------------------------------------------------

Edit = Callable[[str, str, random.Random, Words], str]


def _lines(text: str) -> list[str]:
    return (
        text.splitlines(keepends=True)
        if "\f" not in text and "\u2028" not in text
        else [x + "\n" for x in text.split("\n")[:-1]] + [text.split("\n")[-1]]
    )


def _append(path: str, text: str, chance: random.Random, word: Words) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    return text + ("" if not text or text.endswith("\n") else end) + f"By hand {word()}.{end}"


def _insert(path: str, text: str, chance: random.Random, word: Words) -> str:
    lines = _lines(text)
    lines.insert(chance.randint(0, len(lines)), piece(path, chance, word))
    return "".join(lines)


def _delete(path: str, text: str, chance: random.Random, word: Words) -> str:
    lines = _lines(text)
    first = chance.randint(0, len(lines))
    del lines[first : first + chance.choice((1, 1, 1, 2, 5))]
    return "".join(lines)


def _move(path: str, text: str, chance: random.Random, word: Words) -> str:
    lines = _lines(text)
    first = chance.randint(0, len(lines))
    taken = lines[first : first + chance.randint(1, 6)]
    if chance.random() < 0.7:
        del lines[first : first + len(taken)]
    where = chance.randint(0, len(lines))
    lines[where:where] = taken
    return "".join(lines)


def _reword(path: str, text: str, chance: random.Random, word: Words) -> str:
    words = text.split(" ")
    number = chance.randrange(len(words))
    words[number] = chance.choice((word(), f"{words[number]}{word()}", ""))
    return " ".join(words)


def _field(path: str, text: str, chance: random.Random, word: Words) -> str:
    """A value is changed in one place, as somebody does who knows how this place writes it."""
    parsed = parse(path, text)
    readings = [(at, r) for at, r in parsed.readings() if any(n in FIELDS[r.table] for n in r.fields)]
    if not readings:
        return _append(path, text, chance, word)
    at, reading = chance.choice(readings)
    name = chance.choice([n for n in reading.fields if n in FIELDS[reading.table]])
    value = word_value(reading.table, name, chance, word)
    return put(parsed, [SetFields(at, {name: value})]).document.text


def word_value(table_: Table, name: str, chance: random.Random, word: Words) -> object:
    """A new value for a field; where it is free text, one with a word of its own."""
    free = ("title", "details", "description", "task_description", "text", "focus_task", "content", "cause",
            "error_message", "fix_applied", "section", "current_focus_task")  # fmt: skip
    if name in free and chance.random() < 0.85:
        return title(chance, word)
    return new_value(table_, name, chance)


def _ends(path: str, text: str, chance: random.Random, word: Words) -> str:
    plain = text.replace("\r\n", "\n")
    return plain if plain != text else plain.replace("\n", "\r\n")


def _bom(path: str, text: str, chance: random.Random, word: Words) -> str:
    return text.removeprefix("\ufeff") if text.startswith("\ufeff") else "\ufeff" + text


def _final(path: str, text: str, chance: random.Random, word: Words) -> str:
    return text.rstrip("\n") if text.endswith("\n") else text + "\n"


def _marked(path: str, text: str, chance: random.Random, word: Words) -> str:
    lines = _lines(text)
    lines.insert(chance.randint(0, len(lines)), MARKERS)
    return "".join(lines)


def _unmarked(path: str, text: str, chance: random.Random, word: Words) -> str:
    return text.replace(MARKERS, "")


def _half(path: str, text: str, chance: random.Random, word: Words) -> str:
    return text[: chance.randint(0, len(text))]


def _doubled(path: str, text: str, chance: random.Random, word: Words) -> str:
    return text + text


_EDITS: tuple[tuple[Edit, int], ...] = (
    (_append, 10), (_insert, 18), (_delete, 12), (_move, 6), (_reword, 14), (_field, 24), (_ends, 1), (_bom, 1),
    (_final, 1), (_marked, 1), (_unmarked, 2), (_half, 1), (_doubled, 1),
)  # fmt: skip


def edit(path: str, data: bytes, chance: random.Random, word: Words) -> tuple[str, bytes]:
    """The name of an edit and the document after it. One that is not UTF-8 gets its odd bytes removed."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "mended", data.decode("utf-8", "ignore").encode()
    if "<<<<<<< " in text and chance.random() < 0.5:
        return "_unmarked", text.replace(MARKERS, "").encode()
    chosen = chance.choices([e for e, _ in _EDITS], [n for _, n in _EDITS])[0]
    return chosen.__name__, chosen(path, text, chance, word).encode("utf-8", "replace")
