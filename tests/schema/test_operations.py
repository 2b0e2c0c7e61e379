"""Operations write the rows that they say, once for a key, or refuse with one line and write nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from schema import operations, store
from schema.db import Database
from schema.operations import InvalidOperation
from schema.when import When, when

AT = datetime(2026, 3, 7, 18, 20, 5, tzinfo=UTC)
KOLKATA = AT.astimezone(ZoneInfo("Asia/Kolkata"))


@pytest.fixture
def filled(db: Database) -> Database:
    """Three tasks, of which T3 needs T2 and T2 needs T1."""
    db.run("INSERT INTO tasks(id, title, status) VALUES ('T1', 'One', 'completed'), ('T2', 'Two', 'pending')")
    db.run("INSERT INTO tasks(id, title, status) VALUES ('T3', 'Three', 'in_progress')")
    db.run("INSERT INTO task_dependencies VALUES ('T3', 'T2'), ('T2', 'T1')")
    return db


def _entry(db: Database, time: str, zone: str | None) -> None:
    store.insert_record(db, "edit_entries", {"date": "2026-03-06", "time": time, "timezone": zone})


def test_an_entry_has_its_moment_and_its_tasks(filled: Database) -> None:
    """Ids are written as histories do; a day, a time and a label are what the moment says."""
    number = operations.insert_edit_entry(filled, description="Pack format", task_ids=["T2", "T1", "T2"], moment=AT)
    row = store.fetch(filled, "edit_entries", str(number))
    assert row is not None
    assert (row["date"], row["time"], row["timezone"]) == ("2026-03-07", "18:20:05", "UTC")
    assert (row["task_id"], row["task_description"]) == ("T2, T1", "Pack format")


@pytest.mark.parametrize(
    ("shown", "moment", "expected"),
    [
        (("17:48:05", "IST"), KOLKATA, ("23:50:05", "IST")),
        (("17:48", "IST"), KOLKATA, ("23:50", "IST")),
        (("17:48", None), KOLKATA, ("23:50", None)),
        (("17:48", "IST"), AT, ("18:20", "UTC")),
        (("17:48", "IST"), AT.astimezone(timezone(timedelta(hours=-3))), ("15:20", "UTC-03:00")),
        (("17:48", "UTC"), AT.astimezone(ZoneInfo("Europe/Dublin")), ("18:20", "UTC")),
        (("17:48", "EST"), AT.astimezone(ZoneInfo("America/New_York")), ("13:20", "EST")),
    ],
)
def test_a_moment_is_written_as_the_bank_does(
    db: Database, shown: tuple[str, str | None], moment: datetime, expected: tuple[str, str | None]
) -> None:
    """As precise as the newest entries, with their label where it stands for the same offset."""
    _entry(db, *shown)
    assert when(db, moment) == When(f"{moment:%Y-%m-%d}", *expected)


def test_dublin_in_summer_is_not_called_by_the_label_of_kolkata(db: Database) -> None:
    """Both call themselves IST; the offset decides."""
    _entry(db, "17:48", "IST")
    assert when(db, datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Dublin"))).timezone == "UTC+01:00"


def test_a_moment_without_a_zone_is_refused(db: Database) -> None:
    """Nobody knows when it was."""
    with pytest.raises(InvalidOperation, match="must have a time zone"):
        when(db, datetime(2026, 3, 7))


Act = Callable[[Database], object]


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda db: operations.insert_edit_entry(db, description="x", task_ids=["T9"]), "no such task: T9"),
        (lambda db: operations.insert_edit_entry(db, description="x", task_ids=["a/b"]), "'a/b' is not a task id"),
        (lambda db: operations.insert_edit_entry(db, description="x", task_ids="T1"), "must be a list"),
        (lambda db: operations.insert_edit_entry(db, description="  "), "description must not be empty"),
        (lambda db: operations.insert_edit_entry(db, description="a\nb"), r"description must be one line .*\\n"),
        (lambda db: operations.insert_edit_entry(db, description="a\u2028b"), r"must be one line .*\\u2028"),
        (lambda db: operations.insert_edit_entry(db, description="a\ud800"), r"must be one line .*\\ud800"),
        (lambda db: operations.insert_edit_entry(db, description="x", date="2026-02-30"), "'2026-02-30' is no date"),
        (lambda db: operations.insert_edit_entry(db, description="x", date="7.3.2026"), "is no date"),
        (lambda db: operations.insert_edit_entry(db, description="x", date="2026-02-03", time="25:00"), "is no time"),
        (lambda db: operations.insert_edit_entry(db, description="x", timezone="UTC"), "says nothing"),
        (lambda db: operations.insert_edit_entry(db, description="x", date="2026-02-03", moment=AT), "either moment"),
        (lambda db: operations.insert_file_modification(db, 99, "Modified", "x.py"), "no row with the id 99"),
        (lambda db: operations.create_task(db, "T1", "Again"), "a task with this id already: T1"),
        (lambda db: operations.create_task(db, "tasks/T5", "Slash"), "is not a task id"),
        (lambda db: operations.create_task(db, "T5", "Loop", depends_on=["T5"]), "cycle: T5 → T5"),
        (lambda db: operations.create_task(db, "T5", "Odd", status="wild"), "status 'wild' is not known"),
        (lambda db: operations.add_dependency(db, "T1", "T3"), "cycle: T1 → T3 → T2 → T1"),
        (lambda db: operations.remove_dependency(db, "T1", "T3"), "T1 does not depend on T3"),
        (lambda db: operations.update_task_status(db, "T9", "paused"), "no such task"),
        (lambda db: operations.set_task_priority(db, "T1", "soon"), "one of CRITICAL, HIGH, MEDIUM, LOW"),
        (lambda db: operations.tick_subtask(db, 1), "no row with the id 1"),
        (lambda db: operations.create_session(db, period="../x"), "cannot be part of a file's name"),
        (lambda db: operations.update_session(db, 3, note="x"), "no row with the id 3"),
        (lambda db: operations.update_session_cache(db, clear=["focus"]), "has no focus to clear"),
        (lambda db: operations.insert_error_log(db, error_message=""), "error_message must not be empty"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(filled: Database, act: Act, says: str) -> None:
    """With the value that is wrong; nothing is written."""
    before = filled.value("SELECT max(id) FROM row_changes")
    with pytest.raises(InvalidOperation, match=says) as refused, filled.atomic():
        act(filled)
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert filled.value("SELECT max(id) FROM row_changes") == before


def test_an_unknown_file_mode_names_the_known_ones(filled: Database) -> None:
    """A known one may be given in any case."""
    entry = operations.insert_edit_entry(filled, description="x")
    with pytest.raises(InvalidOperation, match=r"file mode 'Smashed' is not known.*Created, Modified"):
        operations.insert_file_modification(filled, entry, "Smashed", "x.py")
    number = operations.insert_file_modification(filled, entry, "modified", "x.py", "What; DROP TABLE tasks; --")
    row = store.fetch(filled, "file_modifications", str(number))
    assert row is not None
    assert (row["action"], row["description"]) == ("Modified", "What; DROP TABLE tasks; --")


def test_a_status_brings_its_date(filled: Database) -> None:
    """Completed a completion date, in progress a start; a date that is there stays; reopening clears the completion."""
    operations.update_task_status(filled, "T2", "in_progress", moment=AT)
    operations.update_task_status(filled, "T2", "completed", moment=AT + timedelta(days=2))
    row = store.fetch(filled, "tasks", "T2")
    assert row is not None
    assert (row["started"], row["completed"]) == ("2026-03-07", "2026-03-09")
    operations.update_task_status(filled, "T2", "in_progress", moment=AT + timedelta(days=3))
    row = store.fetch(filled, "tasks", "T2")
    assert row is not None
    assert (row["started"], row["completed"]) == ("2026-03-07", None)


def test_a_task_that_goes_on_does_not_begin(filled: Database) -> None:
    """The day on which it began is not known; that on which it was taken up again is another."""
    for status in ("paused", "in_progress"):
        operations.update_task_status(filled, "T2", status, moment=AT)
    row = store.fetch(filled, "tasks", "T2")
    assert row is not None
    assert (row["status"], row["started"]) == ("in_progress", None)


def test_a_key_makes_an_operation_happen_once(filled: Database) -> None:
    """The second call answers as the first; a key of another operation is refused."""
    first = operations.insert_edit_entry(filled, description="Once", key="job-7")
    assert operations.insert_edit_entry(filled, description="Twice", key="job-7") == first
    assert filled.rows("SELECT task_description FROM edit_entries") == [("Once",)]
    assert operations.done(filled, "job-7") == str(first)
    assert operations.done(filled, "job-8") is None
    with pytest.raises(InvalidOperation, match="was used for another operation"):
        operations.insert_error_log(filled, error_message="x", key="job-7")


def test_a_key_of_an_operation_that_was_undone_is_free_again(filled: Database) -> None:
    """Key and row are one transaction."""

    def fail() -> None:
        with filled.atomic():
            operations.create_task(filled, "T7", "Seven", key="k")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert operations.done(filled, "k") is None
    assert operations.create_task(filled, "T7", "Seven", key="k") == "T7"


def test_dependencies_may_point_outside(filled: Database) -> None:
    """Adding one that is there changes nothing; removing takes it away."""
    operations.add_dependency(filled, "T3", "T900")
    operations.add_dependency(filled, "T3", "T900")
    row = store.fetch(filled, "tasks", "T3")
    assert row is not None
    assert row["dependencies"] == ("T2", "T900")
    operations.remove_dependency(filled, "T3", "T900")
    operations.remove_task(filled, "T1")
    assert filled.rows("SELECT * FROM task_dependencies") == [("T2", "T1"), ("T3", "T2")]


def test_a_session_is_begun_noted_and_ended(filled: Database) -> None:
    """Its period follows from the hour; notes of a session without a document go to its content."""
    number = operations.create_session(filled, focus_task="T3", moment=AT)
    operations.update_session(filled, number, note="First")
    operations.update_session(filled, number, note="Second", focus_task="T2")
    operations.complete_session(filled, number, moment=AT + timedelta(hours=1))
    row = store.fetch(filled, "sessions", str(number))
    assert row is not None
    assert (row["session_date"], row["session_period"], row["focus_task"]) == ("2026-03-07", "evening", "T2")
    assert (row["start_time"], row["end_time"]) == ("2026-03-07 18:20:05", "2026-03-07 19:20:05")
    assert (row["status"], row["content"]) == ("completed", "## Notes\n\n- First\n- Second\n")
