"""Keys for a batch of documents: across documents, and against the records that exist."""

from __future__ import annotations

from dataclasses import dataclass, field

from parser.document import parse
from schema.records import Reading, Table
from syncd.model import NEW, Keyed, Row
from syncd.plan.match import Edited, Matcher

HISTORY, ARCHIVE, CHUNK = "edit_history.md", "archive/edit_history_2026.md", "edits/2026-03-06/183510-T3-hover.md"
ENTRY = "#### 18:35:10 UTC - T3: Hover line on the curve\n" + (
    "- Created `src/input.ts` - Pointer\n- Modified `src/curve.ts` - Line\n"
)
OTHER = "#### 17:20:00 UTC - T3: Jump at midnight\n- Fixed `src/sample.ts` - Last sample\n"
DAY = "### 2026-03-06\n\n"


@dataclass
class Rows:
    """Records that exist: entries by key, their lines, sessions by path."""

    entries: dict[str, Row] = field(default_factory=dict)
    lines: dict[str, list[tuple[str, Row]]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)

    def entries_at(self, minute: str) -> list[tuple[str, Row]]:
        return [(key, row) for key, row in self.entries.items() if str(row["time"]).startswith(minute)]

    def lines_of(self, entry: str) -> list[tuple[str, Row]]:
        return self.lines.get(entry, [])

    def session_at(self, path: str) -> str | None:
        return self.sessions.get(path)


def keys(batch: list[Edited], rows: Rows | None = None) -> dict[str, list[str]]:
    """The keys of entries, lines and sessions of each document, in the order of the text."""
    found = Matcher(rows or Rows()).match(batch)
    return {
        path: [key for _, r, key in keyed.readings() if r.table in (Table.ENTRIES, Table.MODIFICATIONS, Table.SESSIONS)]
        for path, (keyed, _) in found.items()
    }


def stored(path: str, text: str, names: list[str]) -> Keyed:
    """A base whose entries and lines have these keys in their order."""
    document = parse(path, text)
    left = iter(names)

    def key(reading: Reading) -> str:
        return "" if reading.table in (Table.HEADER, Table.COUNTS) else next(left)

    return Keyed(document, tuple(tuple(key(r) for r in s.readings) for s in document.sections))


def new(path: str, text: str) -> Edited:
    return Edited(path, None, parse(path, text))


def edited(path: str, base: str, names: list[str], text: str | None) -> Edited:
    return Edited(path, stored(path, base, names), None if text is None else parse(path, text))


KNOWN: Row = {
    "date": "2026-03-06", "time": "18:35:10", "timezone": "UTC", "task_id": "T3",
    "task_description": "Hover line on the curve",
}  # fmt: skip
LINES: list[tuple[str, Row]] = [
    ("1", {"action": "Created", "file_path": "src/input.ts", "description": "Pointer"}),
    ("2", {"action": "Modified", "file_path": "src/curve.ts", "description": "Line"}),
]


def test_an_entry_in_the_history_and_in_its_chunk_is_one_record_on_first_import() -> None:
    """With its lines; whatever order they come in."""
    batch = [new(CHUNK, DAY + ENTRY), new(HISTORY, DAY + ENTRY + "\n" + OTHER)]
    found, turned = keys(batch), keys(batch[::-1])
    assert found == turned
    assert found[CHUNK] == found[HISTORY][:3]
    assert len(set(found[HISTORY])) == 5


def test_a_chunk_shows_the_record_that_the_history_made_before() -> None:
    """Its lines too."""
    rows = Rows({"7": KNOWN}, {"7": LINES})
    assert keys([new(CHUNK, DAY + ENTRY)], rows) == {CHUNK: ["7", "1", "2"]}


def test_a_chunk_whose_line_says_more_shows_the_line_of_that_file() -> None:
    """One line of the entry names the same file: that is it."""
    rows = Rows({"7": KNOWN}, {"7": LINES})
    text = DAY + ENTRY.replace("- Line", "- Draws the line")
    assert keys([new(CHUNK, text)], rows) == {CHUNK: ["7", "1", "2"]}


def test_an_undated_entry_shows_the_only_record_that_it_can_be() -> None:
    """The date is unknown, time, task and words agree."""
    rows = Rows({"7": KNOWN}, {"7": LINES})
    assert keys([new(HISTORY, ENTRY)], rows)[HISTORY][0] == "7"


def test_an_undated_entry_that_could_be_several_is_none_of_them() -> None:
    """Which it is would be a guess; it gets a record of its own."""
    twins: dict[str, Row] = {
        "7": {**KNOWN, "task_description": "Hover line on the curve, one"},
        "8": {**KNOWN, "date": "2026-03-05", "task_description": "Hover line on the curve, two"},
    }
    found = keys([new(HISTORY, ENTRY)], Rows(twins))[HISTORY]
    assert found[0].startswith(NEW)


def test_an_entry_that_stands_twice_is_one_record() -> None:
    """To the word the same, in one document."""
    found = keys([new(HISTORY, DAY + ENTRY + "\n" + OTHER + "\n" + ENTRY)])[HISTORY]
    assert found[:3] == found[5:]
    assert len(set(found)) == 5


def test_two_entries_of_one_minute_that_say_different_things_are_two_records() -> None:
    """Though date, time and task agree."""
    again = ENTRY.replace("Hover line on the curve", "Hover line on the curve of tomorrow")
    found = keys([new(HISTORY, DAY + ENTRY + "\n" + again)])[HISTORY]
    assert len(set(found)) == 6


def test_an_entry_moved_to_the_archive_keeps_its_record() -> None:
    """In one batch it went from one document and came in another; its lines with it."""
    base = DAY + ENTRY + "\n" + OTHER
    batch = [edited(HISTORY, base, ["7", "1", "2", "8", "3"], DAY + ENTRY), new(ARCHIVE, DAY + OTHER)]
    assert keys(batch) == {HISTORY: ["7", "1", "2"], ARCHIVE: ["8", "3"]}


def test_an_entry_reworded_on_its_way_to_the_archive_keeps_its_record() -> None:
    """Nearly all of it is the same."""
    base = DAY + ENTRY + "\n" + OTHER
    moved = DAY + OTHER.replace("Jump at midnight", "The jump at midnight")
    batch = [edited(HISTORY, base, ["7", "1", "2", "8", "3"], DAY + ENTRY), new(ARCHIVE, moved)]
    assert keys(batch)[ARCHIVE] == ["8", "3"]


def test_an_entry_that_another_document_still_shows_did_not_move() -> None:
    """A new one beside it, of another time, is new."""
    later = OTHER.replace("17:20:00", "09:00:00").replace("Jump at midnight", "Wholly other words here")
    batch = [edited(HISTORY, DAY + OTHER, ["8", "3"], DAY + OTHER), new(ARCHIVE, DAY + later)]
    found = keys(batch)
    assert found[HISTORY] == ["8", "3"]
    assert found[ARCHIVE][0].startswith(NEW)


def test_a_renamed_document_keeps_its_records() -> None:
    """The old path is gone, the new one shows the same."""
    batch = [edited(HISTORY, DAY + ENTRY, ["7", "1", "2"], None), new(ARCHIVE, DAY + ENTRY)]
    assert keys(batch) == {ARCHIVE: ["7", "1", "2"]}


def test_a_session_is_its_document() -> None:
    """However much of it was rewritten; and a renamed one is the same session."""
    path, text = "sessions/2026-03-06-evening.md", "# Session 2026-03-06 - Evening\n\n**Started**: 2026-03-06 17:00\n"
    assert set(keys([new(path, text)], Rows(sessions={path: "5"}))[path]) == {"5"}
    other = "sessions/2026-03-06-night.md"
    readings = [r for _, r in parse(path, text).readings() if r.table is Table.SESSIONS]
    batch = [edited(path, text, ["5"] * len(readings), None), new(other, text.replace("Evening", "Night"))]
    assert len(keys(batch)[other]) == len(readings)


def test_every_reading_of_a_batch_has_a_key() -> None:
    """New ones count on."""
    found = keys([new(HISTORY, DAY + ENTRY), new("edits/2026-03-06/172000-T3-jump.md", DAY + OTHER)])
    assert all(key.startswith(NEW) for names in found.values() for key in names)
    assert len({key for names in found.values() for key in names}) == 5
