"""An edit chunk tells one entry again; what its lines do not say, its head, its front matter and its name do."""

from __future__ import annotations

from parser.document import parse
from schema.records import Reading, Role, Table, Value

NAME = "edits/2026-06-25/061150-T21-cleaning.md"


def entries(text: str, path: str = NAME) -> list[Reading]:
    return [r for _, r in parse(path, text).readings() if r.table is Table.ENTRIES]


def tell(text: str, path: str = NAME) -> dict[str, Value]:
    """All values of the only entry."""
    (entry,) = entries(text, path)
    return entry.values()


def test_an_entry_takes_its_date_from_the_front_matter() -> None:
    """Before the folder, which may be of another day."""
    text = "---\ncreated_at: 2026-06-24 10:00 IST\ntask_ids: [T1]\n---\n\n#### 06:11:50 IST - T21: Done\n"
    (entry,) = entries(text)
    assert entry.inherited == {"date": "2026-06-24"}
    assert entry.role is Role.CHUNK
    assert entry.fields["task_id"].value == "T21"


def test_an_entry_takes_its_date_from_the_folder() -> None:
    """When nothing else tells it."""
    assert tell("#### 06:11 - T21: Done\n") == {
        "date": "2026-06-25", "time": "06:11", "task_id": "T21", "task_description": "Done",
    }  # fmt: skip


def test_a_date_heading_beats_them() -> None:
    """As in a history."""
    assert tell("# Edit History\n\n### 2026-02-16\n\n#### 05:27 - T3: x\n")["date"] == "2026-02-16"


def test_a_chunk_holds_several_entries() -> None:
    """In their order."""
    text = "#### 11:15 - T1: a\n- Created `a.md` - x\n\n#### 11:20 - T1: b\n- Created `b.md` - y\n"
    assert [entry.value("task_description") for entry in entries(text)] == ["a", "b"]


def test_work_done_describes_the_chunk() -> None:
    """The form with a title, ``## Task`` and ``### Work Done``: one entry, with the files below."""
    text = (
        "# Edit Chunk: 2026-06-24 06:11:50 IST\n\n## Task: T20\n\n### Work Done\n\nMade it work.\n\n"
        "### Files Modified\n\n- Created `a.ts` — new\n- Modified `b.ts` — more\n"
    )
    document = parse(NAME, text)
    assert tell(text) == {
        "date": "2026-06-24", "time": "06:11:50", "timezone": "IST", "task_id": "T20",
        "task_description": "Made it work.",
    }  # fmt: skip
    assert [r.table for _, r in document.readings()] == [Table.ENTRIES, Table.MODIFICATIONS, Table.MODIFICATIONS]


def test_lines_alone_belong_to_what_name_and_title_tell() -> None:
    """An entry with no line of its own: nothing of it is a field, all of it is inherited."""
    (entry,) = entries(
        "# T25: Requirements\n\n## Files Changed\n- Modified `r.txt` - names\n", "edits/2026-05-09/0446-T9-x.md"
    )
    assert not entry.fields
    assert entry.inherited == {
        "date": "2026-05-09", "time": "04:46", "task_id": "T25", "task_description": "Requirements",
    }  # fmt: skip


def test_names_tell_ids_in_small_letters_too() -> None:
    """``145046-t24.md`` is of T24; a name without a time gives none."""
    text = "### Work Done\n\nx\n"
    assert tell(text, "edits/2025-01-11/145046-t24b.md")["task_id"] == "T24b"
    assert tell(text, "edits/2025-01-11/notes.md") == {"date": "2025-01-11", "task_description": "x"}


def test_front_matter_with_a_misspelt_end_is_read() -> None:
    """``----`` closes no front matter; what it says still counts."""
    text = "---\ncreated_at: 2026-01-30 17:22:00 IST\ntask_ids: [T31, INIT]\n----\n\n- Created `a.md` - b\n"
    shown = tell(text, "edits/x.md")
    assert (shown["date"], shown["time"], shown["timezone"], shown["task_id"]) == (
        "2026-01-30",
        "17:22:00",
        "IST",
        "T31",
    )


def test_prose_is_no_entry() -> None:
    """A chunk that names no files and tells no work done shows nothing."""
    assert not entries("# A plan\n\n## Idea\n\nText.\n")


def test_an_underlined_title_says_what_another_says() -> None:
    """Moment, zone and words, also behind front matter."""
    for front in ("", "---\nkind: edit_chunk\n---\n\n"):
        words = "Edit Chunk: 2026-03-06 18:40:10 UTC - T3: Hover line"
        for title in (f"# {words}", f"{words}\n===="):
            text = f"{front}{title}\n\n- Modified `a.ts` - Line\n"
            (entry,) = [r for _, r in parse("edits/2026-03-06/note.md", text).readings() if r.table is Table.ENTRIES]
            told = {n: entry.value(n) for n in ("date", "time", "timezone", "task_id", "task_description")}
            assert told == {
                "date": "2026-03-06", "time": "18:40:10", "timezone": "UTC", "task_id": "T3",
                "task_description": "Hover line",
            }, title  # fmt: skip
