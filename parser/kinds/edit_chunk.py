"""Edit chunks: ``edits/<date>/<time>-<id>-<slug>.md``, which tell an entry of the history again, one a file."""

from __future__ import annotations

from collections.abc import Hashable

from parser.kinds import TASK_ID
from parser.kinds.chunk_heads import Given
from parser.kinds.entries import EntryGrammar, State
from parser.kinds.entry_heads import read_clock, read_day
from schema.patterns import pattern
from schema.records import Role

_NAME = pattern(
    r"edits/(?:.*/)??(?:(?P<date>\d{4}[-_]\d{2}[-_]\d{2})/)?"
    r"(?:(?P<date2>\d{4}[-_]\d{2}[-_]\d{2})[-_T])?(?P<time>\d{6}|\d{4})?[-_]?(?P<name>[^/]*)\.md"
)
_USUAL_ID = pattern(r"(?:T|META-)\d+[a-z]?(?=$|[-_.](?![A-Z]))")  # of one task; what follows begins no other id
_IDS = pattern(rf"{TASK_ID}(?:[-_]{TASK_ID})*(?=[-_.]|$)|t\d+[a-z]?(?=[-_.]|$)")


class _ChunkGrammar(EntryGrammar):
    def start(self, path: str) -> Hashable:
        return State(Role.CHUNK, given=_from_name(path))


def _from_name(path: str) -> Given:
    """What folder and file name tell: ``edits/2026-06-25/061150-T21-….md``."""
    match = _NAME.fullmatch(path)
    if match is None:
        return Given()
    day = match["date2"] or match["date"]
    digits = match["time"] or ""
    clock = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    ids = _USUAL_ID.match(match["name"])
    if ids is None and (match["name"][:1].isupper() or match["name"].startswith("t")):
        ids = _IDS.match(match["name"])
    task = None if ids is None else ids[0].replace("_", "-")
    return Given(
        date=read_day(day) if day else None,
        time=read_clock(clock) if clock else None,
        task_id="T" + task[1:] if task is not None and task.startswith("t") else task,
    )


GRAMMAR = _ChunkGrammar()
