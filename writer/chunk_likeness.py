"""A new edit chunk in the form of one that is there. Pure.

What is made is parsed again; a form that would not read back as the values is not used (None).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from parser.document import Document, parse
from schema.patterns import pattern
from schema.records import FIELDS, Reading, Table, Value
from writer.kinds.entry_heads import entry_line
from writer.kinds.modifications import style_near
from writer.told import same

Values = Mapping[str, Value]

_FRONT = pattern(r"(?P<key>[\w-]+):[ \t]*(?P<value>[^\n\r]*)")
_MINUTES = pattern(r"(?:\d{4}[-_]\d{2}[-_]\d{2}[-_T])?\d{4}(?=[-_])(?![-_]\d{2}[-_]\d{2}[-_T])")
_DATED_TITLE = pattern(r"(?P<words>#[^\d\n]*)\d{4}-\d{2}-\d{2}\b.*")


def chunk_like(model: Document, path: str, values: Values, rows: Sequence[Values]) -> Document | None:
    """The edit chunk of an entry in the form of ``model``: with front matter and a heading, or with sections."""
    for form in (_headed, _sectioned):
        if (text := form(model, path, values, rows)) is not None:
            document = parse(path, text)
            if _tells(document, values, rows):
                return document
    return None


def chunk_path(model: str, values: Values, number: int = 1) -> str | None:
    """Where the chunk of an entry goes, named as the one at ``model``; None for an entry without date and time."""
    day, time = values.get("date"), values.get("time")
    if not isinstance(day, str) or not isinstance(time, str):
        return None
    digits = time.replace(":", "")
    if _MINUTES.match(model.rpartition("/")[2]):
        digits = digits[:4]
    ids = re.sub(r"[^A-Za-z0-9.-]+", "-", str(values.get("task_id") or "")).strip("-.")
    words = re.findall(r"[a-z0-9]+", str(values.get("task_description") or "").lower())
    name = "-".join(part for part in (digits, ids, _slug(words), str(number) if number > 1 else "") if part)
    return f"edits/{day}/{name}.md" if model.count("/") > 1 else f"edits/{day}-{name}.md"


def _slug(words: Sequence[str]) -> str:
    """At most six words and forty letters."""
    slug = ""
    for word in words[:6]:
        if len(slug) + len(word) > 40:
            break
        slug += f"-{word}" if slug else word
    return slug


def _headed(model: Document, path: str, values: Values, rows: Sequence[Values]) -> str | None:
    at = next((at for at, r in model.readings() if r.table is Table.ENTRIES and "time" in r.fields), None)
    if at is None:
        return None
    heading = re.match(r"(?:#{1,6}[ \t]+)?(?:\*\*)?", model.sections[at.section].text[model.at(at).span.start :])
    assert heading is not None
    opening = heading[0] or "#### "
    style = style_near(model, at.section)
    block = "\n".join([entry_line(opening, values, dated="date" in model.at(at).fields), *map(style.line, rows)])
    front = "\n".join(_front(model, path, values))
    gap = "\n" if re.search(r"^---[ \t]*\r?\n[ \t]*\r?\n", model.text[3:], re.M) else ""
    return f"---\n{front}\n---\n{gap}{block}\n" if front else f"{block}\n"


def _front(model: Document, path: str, values: Values) -> Iterator[str]:
    """The lines of the model's front matter that are known for another entry."""
    if not model.text.startswith("---"):
        return
    stem, name = (p.rpartition("/")[2].removesuffix(".md") for p in (model.path, path))
    moment = " ".join(str(values[n]) for n in ("date", "time", "timezone") if values.get(n))
    for line in model.text.split("\n")[1:]:
        found = _FRONT.match(line)
        if line.startswith("---") or found is None:
            return
        key = found["key"]
        told = {
            "kind": found["value"].rstrip(),
            "id": name if found["value"].strip() == stem else "",
            "created_at": moment,
        }
        if key == "task_ids" and values.get("task_id"):
            ids = re.split(r"[\s,/&+]+", str(values["task_id"]))
            yield f"task_ids: [{', '.join(ids)}]"
        elif told.get(key):
            yield f"{key}: {told[key]}"


def _sectioned(model: Document, path: str, values: Values, rows: Sequence[Values]) -> str | None:
    """``# Edit Chunk: MOMENT``, ``## Task: ID``, ``### Work Done``, ``### Files Modified``."""
    title = _DATED_TITLE.match(model.text)
    if title is None or not any(section.heading == "Work Done" for section in model.sections):
        return None
    moment = " ".join(str(values[n]) for n in ("date", "time", "timezone") if values.get(n))
    parts = [f"{title['words']}{moment}"]
    if values.get("task_id"):
        parts.append(f"## Task: {values['task_id']}")
    parts.append(f"### Work Done\n\n{values.get('task_description') or ''}")
    if rows:
        style = style_near(model, len(model.sections) - 1)
        parts.append("### Files Modified\n\n" + "\n".join(style.line(row) for row in rows))
    return "\n\n".join(parts) + "\n"


def _tells(document: Document, values: Values, rows: Sequence[Values]) -> bool:
    """Whether a chunk shows exactly this entry with these lines."""
    found = [r for _, r in document.readings() if r.table is not Table.HEADER]
    wanted = [(Table.ENTRIES, values), *((Table.MODIFICATIONS, row) for row in rows)]
    return len(found) == len(wanted) and all(_shows(r, *w) for r, w in zip(found, wanted, strict=True))


def _shows(reading: Reading, table: Table, values: Values) -> bool:
    return reading.table is table and all(same(reading.value(name), values.get(name)) for name in FIELDS[table])
