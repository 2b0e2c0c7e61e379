"""Rows as the daemon reads and writes them."""

from __future__ import annotations

import pytest

from schema import store
from schema.db import Database
from schema.errors import RowRefused


def save(db: Database, path: str, size: int = 1, problem: str | None = None) -> int:
    """A document as the daemon stores it."""
    return store.save_document(
        db, path, kind="prose", hash="00", size=size, mtime_ns=2, ctime_ns=3, inode=4, transaction=None, problem=problem
    )


def test_a_document_is_saved_by_its_path(db: Database) -> None:
    """The second time it is updated and keeps its id, and with it its sections."""
    first = save(db, "tasks.md")
    store.replace_sections(db, first, [], [store.NewSection("text", 0, "", ())])
    assert save(db, "tasks.md", size=9, problem="not UTF-8") == first
    assert store.document(db, "tasks.md") == store.DocumentRow(
        first, "tasks.md", "prose", "00", 9, 2, 3, 4, None, "not UTF-8"
    )
    assert [s.text for s in store.load_sections(db, first)] == ["text"]


def test_documents_are_found_by_path_in_order(db: Database) -> None:
    """All of them, or one, or none."""
    for path in ("b.md", "a.md", "tasks/T1.md"):
        save(db, path)
    assert list(store.documents(db)) == ["a.md", "b.md", "tasks/T1.md"]
    assert store.documents(db)["b.md"].path == "b.md"
    assert store.document(db, "c.md") is None


def test_touching_changes_only_what_stat_says(db: Database) -> None:
    """The hash stays."""
    number = save(db, "a.md")
    store.touch_document(db, number, size=5, mtime_ns=6, ctime_ns=7, inode=8)
    assert store.document(db, "a.md") == store.DocumentRow(
        number, "a.md", "prose", "00", 5, 6, 7, 8, None, None
    )


def test_a_dropped_document_takes_its_sections_and_readings(db: Database) -> None:
    """And no others."""
    for path in ("a.md", "b.md"):
        section = store.NewSection("x", 0, "", (store.ReadingRow("tasks", "T1", "own"),))
        store.replace_sections(db, save(db, path), [], [section])
    store.drop_document(db, "a.md")
    assert [where.path for where in store.readings_of(db, "tasks", "T1")] == ["b.md"]
    assert db.value("SELECT count(*) FROM readings") == 1


def test_readings_are_found_by_record(db: Database) -> None:
    """With path, section, place in the section, and role, in the order of the text."""
    task = store.ReadingRow("tasks", "T1", "registry")
    other = store.ReadingRow("edit_entries", "1", "history")
    sections = [store.NewSection("x", 0, "", (other, task)), store.NewSection("y", 0, "", (task,))]
    first, second = store.replace_sections(db, save(db, "b.md"), [], sections)
    (third,) = store.replace_sections(db, save(db, "a.md"), [], sections[1:])
    assert store.readings_of(db, "tasks", "T1") == [
        store.Where(path, section, ordinal, "registry")
        for path, section, ordinal in (("a.md", third, 0), ("b.md", first, 1), ("b.md", second, 0))
    ]


def test_a_task_comes_back_as_it_was_stored(db: Database) -> None:
    """Its dependencies are one of its values, in order of their ids."""
    values = {"id": "T1", "title": "One", "status": "pending", "dependencies": ("T9", "T2", "T9")}
    assert store.insert_record(db, "tasks", values) == "T1"
    found = store.fetch(db, "tasks", "T1")
    assert found is not None
    assert (found["title"], found["priority"], found["dependencies"]) == ("One", None, ("T2", "T9"))
    assert store.fetch_all(db, "tasks") == {"T1": found}
    assert store.fetch(db, "tasks", "T2") is None


def test_dependencies_change_by_what_differs(db: Database) -> None:
    """Those that stay are not written again."""
    store.insert_record(db, "tasks", {"id": "T1", "dependencies": ("T2", "T3")})
    db.run("DELETE FROM row_changes")
    store.update_record(db, "tasks", "T1", {"dependencies": ("T3", "T4")})
    assert db.rows("SELECT operation, key FROM row_changes ORDER BY id") == [("delete", "T1>T2"), ("insert", "T1>T4")]
    store.update_record(db, "tasks", "T1", {"dependencies": None, "title": "x"})
    assert store.fetch_all(db, "tasks")["T1"]["dependencies"] == ()


def test_a_dependency_is_a_record_too(db: Database) -> None:
    """By the key that the journal gives it, so that a change of one can be taken back."""
    store.insert_record(db, "tasks", {"id": "T1"})
    assert store.insert_record(db, "task_dependencies", {"task_id": "T1", "depends_on": "T9"}) == "T1>T9"
    assert store.fetch(db, "task_dependencies", "T1>T9") == {"task_id": "T1", "depends_on": "T9"}
    assert list(store.fetch_all(db, "task_dependencies")) == ["T1>T9"]
    store.delete_record(db, "task_dependencies", "T1>T9")
    assert store.fetch(db, "task_dependencies", "T1>T9") is None


def test_counts_and_keys_are_text(db: Database) -> None:
    """As documents show them, so that they can be compared."""
    store.insert_record(db, "session_cache", {"active_count": "3", "current_session_id": None})
    entry = store.insert_record(db, "edit_entries", {})
    store.insert_record(db, "file_modifications", {"edit_entry_id": entry, "action": "Created"})
    cache, modification = store.fetch(db, "session_cache", "1"), store.fetch(db, "file_modifications", "1")
    assert cache is not None
    assert modification is not None
    assert (cache["active_count"], modification["edit_entry_id"]) == ("3", entry)
    assert db.value("SELECT active_count + 1 FROM session_cache") == 4


def test_an_entry_gets_its_timestamp_from_what_is_written(db: Database) -> None:
    """On insertion and when one of its parts changes; nothing is invented."""
    key = store.insert_record(db, "edit_entries", {"date": "2025-11-13", "time": "17:48", "timezone": "IST"})

    def timestamp() -> str | None:
        return db.value("SELECT timestamp FROM edit_entries WHERE id = ?", (key,))

    assert timestamp() == "2025-11-13T17:48+05:30"
    store.update_record(db, "edit_entries", key, {"time": "18:00:05"})
    assert timestamp() == "2025-11-13T18:00:05+05:30"
    store.update_record(db, "edit_entries", key, {"task_description": "x"})
    assert timestamp() == "2025-11-13T18:00:05+05:30"
    store.update_record(db, "edit_entries", key, {"date": None})
    assert timestamp() is None


@pytest.mark.parametrize(
    ("zone", "suffix"),
    [("IST", "+05:30"), ("UTC", "Z"), ("Z", "Z"), ("+02:00", "+02:00"), ("UTC-0330", "-03:30"), ("XYZ", ""), ("", "")],
)
def test_a_zone_that_cannot_be_resolved_gives_no_offset(zone: str, suffix: str) -> None:
    """Its label stays in its own column."""
    assert store.timestamp_of("2025-11-13", "17:48", zone) == f"2025-11-13T17:48{suffix}"
    assert store.timestamp_of(None, "17:48", zone) is None
    assert store.timestamp_of("2025-11-13", None, zone) is None


def test_deleting_a_record_takes_what_belongs_to_it(db: Database) -> None:
    """And is no error where there is none."""
    entry = store.insert_record(db, "edit_entries", {})
    store.insert_record(db, "file_modifications", {"edit_entry_id": entry})
    store.delete_record(db, "edit_entries", entry)
    store.delete_record(db, "edit_entries", entry)
    assert store.fetch_all(db, "file_modifications") == {}


def test_what_is_no_column_or_no_row_is_a_bug_and_loud(db: Database) -> None:
    """Never a silent no-op."""
    with pytest.raises(KeyError):
        store.update_record(db, "tasks", "T1", {"title": "x"})
    with pytest.raises(KeyError):
        store.update_record(db, "edit_entries", "1", {"date": "2025-01-01"})
    for table, values in (("tasks", {"id": "T1", "colour": "x"}), ("error_logs", {"cause": ("x",)})):
        with pytest.raises(KeyError):
            store.insert_record(db, table, values)
    with pytest.raises(RowRefused, match="status must be one of"):
        store.insert_record(db, "tasks", {"id": "T1", "status": "x"})


def test_single_values_are_kept_by_name(db: Database) -> None:
    """None removes one."""
    store.state_set(db, "mode", "observe")
    store.state_set(db, "mode", "coexist")
    store.state_set(db, "count", 3)
    assert [store.state_get(db, name) for name in ("mode", "count", "other")] == ["coexist", "3", None]
    store.state_set(db, "mode", None)
    assert store.state_get(db, "mode") is None
