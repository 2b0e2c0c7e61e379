"""New documents of a task in the form of one that is there. Pure.

What is made is parsed again; a form that would not read back as the values is not used (None).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from parser.document import Document, parse
from parser.fields import Label, labels
from parser.kinds.task_fields import LABELS
from parser.lines import Line, lines
from parser.values import is_nothing, read_status, render
from schema.patterns import pattern
from schema.records import Role, Status, Table, Value
from writer.canonical import STATUS_WORDS
from writer.told import agrees, said, same

Values = Mapping[str, Value]
Stamp = Callable[[str], str | None]
"""The present moment in the form of a text that holds one; None where its zone is not known."""

_LABELS = {
    "title": "Title", "status": "Status", "priority": "Priority", "started": "Started", "completed": "Completed",
    "last_updated": "Last Updated", "dependencies": "Dependencies", "description": "Description",
}  # fmt: skip
_STAMPS = frozenset({"created", "last updated", "updated"})
_DATES = frozenset({"started", "completed"})
_NOTE = pattern(r"[ \t]*(?:\(|[-–—:][ \t]|\d).*$")
_LINK = pattern(r"\[[^\]]*\](?:\([^)]*\))?")
_EMPTY_TABLE = pattern(r"^\|[^\n]*\bDetails\b[^\n]*\|[ \t]*\r?$", re.M | re.I)


def head_like(text: str, old: str, task: str, values: Values) -> list[str]:
    """The lines of the section ``text`` about the task ``old`` as they would be about ``task``: its heading and the
    block of fields below, without what is not known of ``task``."""
    known = {name: value for name, value in values.items() if value not in (None, (), "")}
    made = [_title(text, old, task, known)]
    for line in _fields(lines(text)[1:], known, lambda _: None, None):
        if line or made[-1]:
            made.append(line)
    while not made[-1]:
        made.pop()
    return made


# -- a task's file ---------------------------------------------------------------------------------------------------


def task_like(model: Document, task: str, values: Values, stamp: Stamp) -> Document | None:
    """``tasks/<ID>.md`` with the header of ``model``, the file of another task, and nothing below it."""
    known = {name: value for name, value in values.items() if value not in (None, (), "") and name != "details"}
    made = list(_task_header(model, task, known, stamp))
    header = [line for number, line in enumerate(made) if line or (number and made[number - 1])]
    there = said(parse(f"tasks/{task}.md", "\n".join(header)), Table.TASKS)
    missing = [name for name in _LABELS if name in known and not same(there.get(name), known[name])]
    while header and not header[-1]:
        header.pop()
    status = next(
        (line for line in header for label in labels(_line(line)) if LABELS.get(label.name) == "status"), None
    )
    for name in missing:
        if name == "description":
            header.append("")
        header.append(_labelled(status or "**Status**: -", name, _rendered(name, "", known[name])))
    document = parse(f"tasks/{task}.md", "\n".join(header) + "\n")
    told = said(document, Table.TASKS)
    return (
        document if agrees(document, Table.TASKS, known) and all(same(told.get(n), known[n]) for n in known) else None
    )


def _line(text: str) -> Line:
    return Line(0, 0, len(text), text)


def _labelled(like: str, name: str, value: str) -> str:
    """A line for the field ``name`` with the bullet, emphasis and line end of the line ``like``."""
    label = labels(_line(like))[0]
    before = re.sub("status", _LABELS[name], like[: label.value_span.start], count=1, flags=re.I)
    closing = (
        "*" if like.lstrip("-+* ").startswith("Status") and "**" not in like and like.rstrip().endswith("*") else ""
    )
    return f"{before}{'' if before.endswith(' ') else ' '}{value}{closing}" + ("  " if like.endswith("  ") else "")


def _task_header(model: Document, task: str, known: Values, stamp: Stamp) -> Iterator[str]:
    """The lines of the model up to the end of its first block of fields, with other values."""
    old = model.path.rpartition("/")[2].removesuffix(".md")
    titled, nothing = False, _nothing(model)
    for section in model.sections:
        if not titled and (section.level == 0 or old not in section.heading):
            continue
        has_fields = any(r.table is Table.TASKS and "status" in r.fields for r in section.readings)
        if titled and not has_fields:
            return
        if titled:
            yield ""
        yield section.text.partition("\n")[0].rstrip("\r") if titled else _title(section.text, old, task, known)
        titled = True
        yield from _fields(lines(section.text)[1:], known, stamp, nothing)
        if has_fields:
            return


def _title(text: str, old: str, task: str, known: Values) -> str:
    line = text.partition("\n")[0].rstrip()
    before, _, behind = line.partition(old)
    found = re.match(r"\**[ \t]*[:\-–—][ \t]*(?=\S)", behind)
    if found is None or "title" not in known:
        return f"{before}{task}"
    return f"{before}{task}{found[0]}{known['title']}"


def _nothing(model: Document) -> str | None:
    """How the file says that a date of the task is not known yet; None where it has no such label without a value."""
    texts = (model.sections[at.section].text for at, r in model.readings() if r.table is Table.TASKS)
    found = (label for text in texts for line in lines(text) for label in labels(line))
    return next((x.value for x in found if LABELS.get(x.name) in _DATES and x.value and is_nothing(x.value)), None)


def _fields(body: Sequence[Line], known: Values, stamp: Stamp, nothing: str | None) -> Iterator[str]:
    for line in body:
        found = labels(line)
        if not line.text.strip():
            yield ""
        elif not found:
            return
        elif new := _field_line(line, found, known, stamp, nothing):
            yield new


def _field_line(
    line: Line, found: Sequence[Label], known: Values, stamp: Stamp, nothing: str | None
) -> str | None:
    """A line of the model with other values; None where one of them is missing, or the line is about something else."""
    text = line.text
    for label in reversed(found):
        start, end = label.value_span.start - line.start, label.value_span.end - line.start
        name = LABELS.get(label.name)
        new: str | None = None
        if name is not None and name in known:
            new = _rendered(name, label.value, known[name])
        elif label.name in _STAMPS and label.value:
            new = stamp(label.value)
        elif name is not None and is_nothing(label.value):
            new = label.value
        elif name in _DATES:
            new = nothing
        if new is None or "\n" in new:
            return None
        text = text[:start] + new + text[end:]
    return text


def _rendered(name: str, old: str, value: Value) -> str:
    """``value`` in the style of ``old``, without the note that stands behind that."""
    if name == "status":
        plain = _NOTE.sub("", old)
        old = plain if read_status(plain) is not None else old
        if is_nothing(old):
            return STATUS_WORDS.get(str(value), str(value))
        other = next(s for s in Status if s is not read_status(old))
        return render(name, render(name, old, other), value)  # the word that usually goes with the icon
    if name == "dependencies":
        return render(name, "", value)
    if name in ("started", "completed", "last_updated") and isinstance(value, str) and len(value) == 10:
        return value
    return render(name, old, value)


# -- what the registry says of a task's file -------------------------------------------------------------------------


def keeps_files(registry: Document, files: frozenset[str]) -> bool:
    """Whether most tasks of ``registry`` are among ``files``, the ids that have a file; an empty one links to them."""
    registered = {r.key for _, r in registry.readings() if r.role is Role.REGISTRY}
    if not registered:
        return _EMPTY_TABLE.search(registry.text) is not None
    return 2 * len(registered & files) > len(registered)


def link_like(registry: Document, task: str) -> str | None:
    """The link to a task's file as most rows that show details have it; None where they have none."""
    rows = [(r.key, str(d)) for _, r in registry.readings() if r.role is Role.REGISTRY and (d := r.value("details"))]
    links = [
        m[0].replace(key, task) for key, text in rows if (m := _LINK.match(text)) and re.search(rf"\b{key}\b", m[0])
    ]
    if not rows:
        empty = not any(r.role is Role.REGISTRY for _, r in registry.readings())
        return f"[Details](tasks/{task}.md)" if empty and _EMPTY_TABLE.search(registry.text) else None
    return links[-1] if 2 * len(links) > len(rows) else None
