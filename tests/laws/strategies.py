"""Documents made of markdown's own pieces, in all the spellings in which banks write records.

Each strategy gives text; `documents` gives ``(path, text)``. What they give need not make sense: the laws hold for any
text, and those about records hold for whatever the parser finds in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

Text = st.SearchStrategy[str]

IDS = ("T1", "T2", "T3", "T3a", "T20a", "META-1")
DATES = ("2025-11-13", "2026-03-05", "2026-03-06")
WORDS = (
    "curve",
    "tide",
    "Fix the axis",
    "a|b",
    "päck",
    "`code`",
    "**bold**",
    "🙂",
    "Ã¼ber",
    "— dash",
    "\u2028",
    "(x)",
    "",
)
STATUSES = (
    "🔄", "🔄 IN PROGRESS", "🔄 **IN PROGRESS** (Phase 3)", "🔄 In Progress (85%)", "🔄 95% Complete", "IN_PROGRESS",
    "Active", "🚧 in progress", "✅", "✅ COMPLETED - Full Implementation", "✅ **COMPLETED** 2025-05-02", "DONE",
    "Complete", "⬜", "⬜ NOT STARTED", "📝 TODO", "⏳", "🆕", "📋 PLANNED", "Queued", "⏸️ PAUSED", "⏸️", "🛑 BLOCKED",
    "⛔", "❌ CANCELLED", "SUPERSEDED", "-", "", "who knows",
)  # fmt: skip
PRIORITIES = (
    "HIGH", "Medium", "low", "🔥 high", "⏺️ medium", "⬇️ low", "🔴 HIGH", "🟡 MEDIUM", "CRITICAL", "-", "urgent?",
)  # fmt: skip
MOMENTS = (
    "2025-11-13", "2025-05-19 19:30", "2025-11-10 18:27:15 IST", "April 15, 2025", "2026-06-26T13:21:04.144Z",
    "2025_05_02", "20250422", "-", "soon",
)  # fmt: skip
NEEDS = ("T1", "T1, T2", "T1,T2,T3", "-", "None", "T1 (Custom API), T3", "T2 (completed — long ago)", "META-1; T3a", "")
TIMES = ("17:48", "9:05", "16:59:56 IST", "06:15 UTC", "14:00-15:30", "23:59:59")
DASHES = (" - ", " — ", " – ", ": ")
VERBS = (
    "Modified", "Created", "Deleted", "Fixed", "**Updated**", "[Copied]", "Moved", "Examined",
)  # fmt: skip
PATHS = ("src/curve.ts", "memory-bank/tasks/T3.md", "a b.md", "x", "tests/t_*.py")

PIECES = (
    "# One\n", "## Two ##\n", "### Three\n", "#### Four\n", "##### Five\n", "###### Six\n", "#no\n", " # indented\n",
    "#\n", "Set\n===\n", "=======\n", "---\n", "word\n", "trailing  \n", "\n", "  \n", "\t\n", "> quote\n", "> # q\n",
    "    code\n", "```\n", "```py\n", "  ```\n", "~~~~\n", "````\n", "- item\n", "  - nested\n", "1. one\n", "* star\n",
    "<!-- # hidden\n", "-->\n", "<!-- whole -->\n", "<div>\n", "</div>\n", "<pre>\n", "</pre>\n", "[a]: /u 'one\n",
    "| a | b |\n", "|---|---|\n", "| a\\|b | `c|d` | e\n", "|\n", "no end",
    "\r\n", "\r", "\f", "\x00", "\u2028", "\x85",
    "\ufeff", "Ã©Â€\n", "🏳️‍🌈 e\u0301\n", "<<<<<<< HEAD\n", "[TASK ID]\n",
)  # fmt: skip


def pick(choices: Sequence[str]) -> Text:
    """One of ``choices``."""
    return st.sampled_from(choices)


ids, dates, words = pick(IDS), pick(DATES), pick(WORDS)
titles = st.lists(words, min_size=1, max_size=3).map(" ".join)
pieces = st.lists(pick(PIECES), max_size=3).map("".join)
headings = st.builds(lambda n, t: f"{'#' * n} {t}\n", st.integers(1, 6), titles)
fences = st.builds(
    lambda mark, inner, close: f"{mark}\n{inner}{mark if close else ''}\n",
    pick(("```", "~~~", "  ```", "````")),
    st.lists(
        pick(("# no heading\n", "| ID | Status |\n|---|---|\n| T1 | ✅ |\n", "- [x] no item\n", "x\n")), max_size=3
    ).map("".join),
    st.booleans(),
)
comments = st.builds("<!-- {}{}\n".format, titles, pick((" -->", "\n## hidden\n-->", "")))


def _field(form: str, name: str, value: str) -> str:
    return form.format(name, value) + "\n"


FORMS = (
    "**{}**: {}",
    "**{}:** {}",
    "*{}: {}*",
    "_{}: {}_",
    "- **{}**: {}",
    "- {}: {}",
    "{}: {}",
    "## {}: {}",
    "**{}**:{}  ",
)
_named = st.one_of(
    st.tuples(pick(("Status", "status")), pick(STATUSES)),
    st.tuples(st.just("Priority"), pick(PRIORITIES)),
    st.tuples(
        pick(("Started", "Completed", "Last Updated", "Last Active", "Created", "Updated", "Last", "Ended")),
        pick(MOMENTS),
    ),
    st.tuples(pick(("Dependencies", "Depends On")), pick(NEEDS)),
    st.tuples(pick(("Title", "Focus Task", "Focus", "Task", "Session File", "Description", "Context", "File")), titles),
)
fields = st.builds(lambda form, named: _field(form, *named), pick(FORMS), _named)
field_lines = st.builds(
    lambda a, b, joint: f"**{a[0]}**: {a[1]}{joint}**{b[0]}:** {b[1]}\n", _named, _named, pick((" ", " | ", "  "))
)

_COLUMNS = {
    "ID": ids, "Title": titles, "Status": pick(STATUSES), "Priority": pick(PRIORITIES), "Started": pick(MOMENTS),
    "Completed": pick(MOMENTS), "Dependencies": pick(NEEDS), "Notes": titles, "Last Updated": pick(MOMENTS),
    "Details": pick(("[Details](tasks/T21.md) - more", "[tasks/T3.md] ✅P1", "plain", "")), "Owner": words,
}  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table of tasks or of anything: columns in any order, padded or not, ragged, with escaped pipes."""
    names = draw(st.lists(st.sampled_from(sorted(_COLUMNS)), min_size=1, max_size=6, unique=True))
    if draw(st.integers(0, 3)):
        names = ["ID", *(n for n in names if n != "ID")]
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        cells = [draw(_COLUMNS[n]).replace("|", r"\|").replace("\u2028", "") for n in names]
        ragged = draw(st.integers(0, 9))
        rows.append(cells[:-1] if ragged == 0 else [*cells, "note"] if ragged == 1 else cells)
    widths = [max([len(n), *(len(r[i]) for r in rows if i < len(r))]) for i, n in enumerate(names)]
    padded = draw(st.booleans())

    def line(cells: Sequence[str]) -> str:
        if padded:
            cells = [c.ljust(widths[i]) if i < len(widths) else c for i, c in enumerate(cells)]
        return f"| {' | '.join(cells)} |\n"

    rule = "|" + "|".join("-" * (w + 2) if padded else "---" for w in widths) + "|\n"
    return line(names) + rule + "".join(map(line, rows))


checklists = st.lists(
    st.builds(
        lambda indent, mark, box, text: f"{indent}{mark} {box} {text}\n",
        pick(("", "", "  ", "    ")),
        pick(("-", "*", "1.", "12.")),
        pick(("✅", "🔄", "⬜", "[x]", "[ ]", "[X]", "⏸️", "❌", "")),
        titles,
    ),
    max_size=5,
).map("".join)

_tasks = st.lists(ids, min_size=1, max_size=3, unique=True)
_heads = st.builds(
    lambda time, dash, tasks, colon, title: f"{time}{dash}{tasks}{colon}{title}",
    pick(TIMES),
    pick((" - ", " — ", " – ")),
    st.one_of(_tasks.map(", ".join), _tasks.map("/".join), pick(("Afternoon Session", "T9"))),
    pick((": ", ":", " - ")),
    titles,
)
entry_heads = st.one_of(
    st.builds("{} {}\n".format, pick(("###", "####", "#####")), _heads),
    st.builds("**{}**\n".format, _heads),
    st.builds("#### {}: {}\n".format, _tasks.map("/".join), titles),
)
modifications = st.one_of(
    st.builds(
        "{}- {} `{}`{}{}\n".format, pick(("", "  ")), pick(VERBS), pick(PATHS), pick((*DASHES, " to ", "")), titles
    ),
    st.builds("- {} `{}`, `{}` - {}\n".format, pick(VERBS), pick(PATHS), pick(PATHS), titles),
    st.builds("- {} [name]({}) - {}\n".format, pick(VERBS), pick(PATHS), titles),
    st.builds("- {}\n".format, titles),
)
entries = st.builds(
    lambda date, head, lines, gap: (f"{date}\n" if date else "") + head + "".join(lines) + gap,
    st.one_of(st.none(), st.builds("{} {}\n".format, pick(("##", "###")), dates)),
    entry_heads,
    st.lists(modifications, min_size=1, max_size=4),
    pick(("", "\n", "\n\n")),
)
errors = st.builds(
    lambda moment, dash, task, title, body: f"## {moment}{dash}{task}{title}\n{''.join(body)}",
    pick(("2025-08-23 21:40", "2025-04-15 13:15 UTC", "2025-06-02", "soon")),
    pick((": ", " - ")),
    pick(("", "T5b - ", "T3: ")),
    titles,
    st.lists(
        st.one_of(
            st.builds(
                "**{}:** {}\n".format,
                pick(("File", "Error", "Cause", "Fix", "Changes", "Task", "Error Message")),
                titles,
            ),
            st.builds("**{}:**\n```\n{}\n```\n".format, pick(("Error", "Error Message")), titles),
            st.builds("**{}:**\n- `{}`\n".format, pick(("Files", "Affected Files", "Errors")), pick(PATHS)),
        ),
        max_size=4,
    ),
)
front_matters = st.builds(
    "---\ncreated_at: {}\ntask_ids: [{}]\nkind: edit_chunk\n---\n".format, pick(MOMENTS), _tasks.map(", ".join)
)
registry_lines = st.builds("- {}: {} - {}{}\n".format, ids, titles, pick(STATUSES), pick(("", " (NEW)")))
counts = pick(("- Active: 11 | Paused: 0 | Completed: 7\n", "- Active Tasks: 2\n", "- **Active**: 7\n", "- Total: x\n"))
task_heads = st.builds("{} {}{}{}\n".format, pick(("#", "##", "###")), ids, pick((": ", " - ")), titles)
task_blocks = st.builds(lambda head, body: head + "".join(body), task_heads, st.lists(fields | field_lines, max_size=4))
task_sections = pick((
    "## Active Tasks\n", "## Completed Tasks\n", "## Paused Tasks\n", "## Pending Tasks\n", "## Cancelled Tasks\n",
    "## Completion Criteria\n", "## Acceptance Criteria\n", "## Progress\n", "## Subtasks\n",
    "## Dependencies\n- T1\n- T2\n",
    "## Current Session\n", "## Overview\n", "## Task Registry\n",
    "## Session History\n1. `sessions/2026-03-05-evening.md` - x\n",
    "## Description\n", "## Current Focus\n", "# Session Cache\n", "# Edit History\n", "# Task Registry\n",
))  # fmt: skip
sessions = st.builds(
    lambda title, body: f"# {title}\n" + "".join(body),
    pick(("Session 2026-03-06 - Evening", "Session", "2026-03-06 notes")),
    st.lists(fields | field_lines | st.just("## Focus Task\n\nT3: Curve\n\n"), max_size=5),
)

OF_KIND = {
    "tasks.md": st.one_of(tables(), task_sections, task_blocks),
    "tasks/T3.md": st.one_of(task_heads, fields, field_lines, task_sections, checklists),
    "archive/tasks/T2.md": st.one_of(task_heads, fields, checklists),
    "edit_history.md": entries,
    "archive/edit_history_2025.md": entries,
    "edits/2026-03-05/174800-T3-curve.md": st.one_of(entries, front_matters),
    "session_cache.md": st.one_of(task_sections, fields, field_lines, counts, registry_lines, task_blocks, tables()),
    "sessions/2026-03-06-evening.md": st.one_of(sessions, fields),
    "sessions/session_2025_05_02.md": st.one_of(sessions, fields),
    "errorLog.md": errors,
    "activeContext.md": st.one_of(task_sections, fields, field_lines, registry_lines, task_blocks, tables()),
    "changelog.md": st.one_of(headings, checklists),
    "progress.md": st.one_of(headings, tables(), checklists),
    "templates/task.md": st.one_of(task_blocks, tables()),
}
"""For each path, and so for each kind of document, the pieces that its records are made of."""

OPENINGS = {
    "tasks.md": ("# Task Registry\n\n## Active Tasks\n\n", "## Completed Tasks\n", ""),
    "tasks/T3.md": ("# T3: Tide Curve\n\n", "# Task: T3\n", "# T3: T3\n*Created: 2026-01-01*\n\n", ""),
    "session_cache.md": ("# Session Cache\n\n## Current Session\n", "# Session Cache\n\n## Task Registry\n", ""),
    "activeContext.md": ("# Active Context\n\n## Current Focus\n", "# Active Context\n\n## Active Tasks\n\n"),
    "edit_history.md": ("# Edit History\n*Last Updated: 2026-03-06 18:35:10 UTC*\n\n### 2026-03-06\n\n", ""),
    "sessions/2026-03-06-evening.md": ("# Session 2026-03-06 - Evening\n\n", ""),
}
"""How documents of some kinds begin."""

_anything = st.one_of(headings, fences, comments, tables(), fields, checklists, entries, pieces)


def _finished(text: str, ends: str, bom: bool, cut: bool) -> str:
    text = text.removesuffix("\n") if cut else text
    if ends != "\n":
        text = text.replace("\r\n", "\n").replace("\n", ends)
    return "\ufeff" + text if bom else text


def finished(body: Text) -> Text:
    """``body`` with either line end, with or without a BOM and a final newline."""
    usually_not = st.sampled_from((False, False, False, True))
    return st.builds(_finished, body, pick(("\n", "\n", "\n", "\r\n")), usually_not, usually_not)


def body_of(path: str, size: int = 10) -> Text:
    """A text for the document at ``path``: mostly pieces of its kind, with anything between them."""
    piece = st.one_of(*[OF_KIND[path]] * 6, pick(("\n", "\n\n", "Some prose.\n")), _anything)
    body = st.lists(piece, min_size=min(3, size), max_size=size).map("".join)
    return finished(st.builds("{}{}".format, pick(OPENINGS.get(path, ("",))), body))


texts = st.one_of(
    finished(st.lists(_anything, max_size=10).map("".join)), st.lists(pick(PIECES), max_size=14).map("".join), st.text()
)
"""Any text at all."""


@st.composite
def documents(draw: st.DrawFn, paths: Sequence[str] = tuple(OF_KIND), size: int = 10) -> tuple[str, str]:
    """``(path, text)`` of one document of any kind."""
    path = draw(st.sampled_from(paths))
    return path, draw(st.one_of(*[body_of(path, size)] * 6, texts))


WITH_RECORDS = tuple(path for path in OF_KIND if path not in ("changelog.md", "progress.md", "templates/task.md"))


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str, str]:
    """``(path, text, text after an edit)``: a stretch was taken out, put in, or replaced; or all is new."""
    path, text = draw(documents())
    if draw(st.integers(0, 9)) == 0:
        return path, text, draw(body_of(path))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 80)))
    new = draw(st.one_of(st.just(""), OF_KIND[path], pieces, st.text(max_size=5)))
    return path, text, text[:start] + new + text[end:]
