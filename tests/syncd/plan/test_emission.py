"""What the files must show because rows changed, and which record each place shows afterwards."""

from __future__ import annotations

from parser.document import At, parse
from schema.records import Reading, Role, Table, Value
from syncd.model import Keyed, Shown, Sides, Verdict
from syncd.plan import emission
from syncd.plan.carry import Birth
from syncd.plan.emission import DocumentChanges, Plan, plan_fields, plan_removal
from syncd.plan.reconcile import leaving
from writer.changes import Insert, Remove, SetFields

HISTORY = "edit_history.md"
LINE = "- Modified `src/curve.ts` - Curve\n"
TEXT = "# Edit History\n\n### 2026-03-06\n\n" + "\n".join(
    f"#### {head}\n{LINE}" for head in ("18:00 - T1: One", "17:00 - T1: Two", "16:00 - T1: Three")
)


def keyed(text: str = TEXT, path: str = HISTORY) -> Keyed:
    """The document with keys in order: e1, e2 for entries, m1, m2 for their lines, ids for tasks."""
    document = parse(path, text)
    counts: dict[str, int] = {}

    def key(reading: Reading) -> str:
        if reading.table in (Table.HEADER, Table.COUNTS):
            return ""
        if reading.table is Table.TASKS:
            return reading.key
        letter = "e" if reading.table is Table.ENTRIES else "m"
        counts[letter] = counts.get(letter, 0) + 1
        return f"{letter}{counts[letter]}"

    return Keyed(document, tuple(tuple(key(r) for r in s.readings) for s in document.sections))


def where(before: Keyed, *keys: str) -> list[At]:
    """The addresses of these records."""
    return [at for key in keys for at, _, k in before.readings() if k == key]


def make(before: Keyed, changes: DocumentChanges) -> Keyed:
    """The document with the changes, none of which is refused."""
    done = emission.make(before.document.path, before, changes, str)
    assert done.refused == ()
    return done.keyed


def names(document: Keyed) -> list[str]:
    return [key for _, _, key in document.readings() if key]


def test_of_twins_the_one_that_was_removed_is_gone() -> None:
    """Lines of the same words in three entries: the keys tell which are left."""
    before = keyed()
    for gone in (["m1"], ["m2"], ["m3"], ["m1", "m2"], ["m1", "m3"], ["m2", "m3"], ["m1", "m2", "m3"]):
        after = make(before, DocumentChanges(removes=[Remove(at) for at in where(before, *gone)]))
        assert names(after) == [key for key in names(before) if key not in gone], gone
        assert after.document.text.count(LINE.strip()) == 3 - len(gone)


def test_an_entry_takes_its_own_lines_along_and_no_others() -> None:
    """Also where another entry has a line of the same words."""
    before = keyed()
    for entry, line in (("e1", "m1"), ("e2", "m2"), ("e3", "m3")):
        after = make(before, DocumentChanges(removes=[Remove(at) for at in where(before, entry, line)]))
        assert names(after) == [key for key in names(before) if key not in (entry, line)]


def test_removals_find_their_records_after_values_were_changed() -> None:
    """A line that named two files was split before: the addresses have moved."""
    before = keyed(TEXT.replace("`src/curve.ts` - Curve", "`a.ts`, `b.ts` - Curve", 1))
    (first,) = where(before, "m1")
    changes = DocumentChanges([SetFields(first, {"description": "Only a"})], [Remove(at) for at in where(before, "m4")])
    after = make(before, changes)
    assert names(after) == ["e1", "m1", "m2", "e2", "m3", "e3"]
    shown = {key: r.value("description") for _, r, key in after.readings() if r.table is Table.MODIFICATIONS}
    assert shown == {"m1": "Only a", "m2": "Curve", "m3": "Curve"}


def test_a_value_of_one_twin_is_changed_in_that_twin() -> None:
    """The others keep theirs."""
    before = keyed()
    for number, key in enumerate(("m1", "m2", "m3")):
        (at,) = where(before, key)
        after = make(before, DocumentChanges([SetFields(at, {"description": "New words"})]))
        found = [k for _, r, k in after.readings() if r.value("description") == "New words"]
        assert found == [key], number
        assert names(after) == names(before)


def test_what_was_born_has_its_key_and_nobody_else_has() -> None:
    """An entry with lines, put where it belongs by its time."""
    before = keyed()
    values: dict[str, Value] = {"date": "2026-03-06", "time": "17:30", "task_id": "T2", "task_description": "Born"}
    line: dict[str, Value] = {"action": "Modified", "file_path": "src/curve.ts", "description": "Curve"}
    birth = Birth(Insert(Table.ENTRIES, values, None, (line,)), Table.ENTRIES, "e9", None, ("m9",))
    after = make(before, DocumentChanges(births=[birth]))
    assert names(after) == ["e1", "m1", "e9", "m9", "e2", "m2", "e3", "m3"]


def test_a_line_born_below_an_entry_is_found_there() -> None:
    """Its parent is named by key, as addresses move."""
    before = keyed()
    line: dict[str, Value] = {"action": "Created", "file_path": "new.ts", "description": "Born"}
    birth = Birth(Insert(Table.MODIFICATIONS, line), Table.MODIFICATIONS, "m9", "e2")
    assert names(make(before, DocumentChanges(births=[birth]))) == ["e1", "m1", "e2", "m2", "m9", "e3", "m3"]


def test_what_cannot_be_made_is_told_and_the_rest_is_made() -> None:
    """In the words of the record and the document."""
    before = keyed()
    bad, good = where(before, "e1", "e2")
    changes = DocumentChanges(
        [SetFields(bad, {"task_description": "two\n\n# lines"}), SetFields(good, {"task_description": "New"})]
    )
    done = emission.make(HISTORY, before, changes, lambda at: f"record {before.keys[at.section][at.reading]}")
    assert len(done.refused) == 1
    assert done.refused[0].startswith(f"record e1 cannot be shown in {HISTORY}: ")
    assert "17:00 - T1: New" in done.keyed.document.text
    assert names(done.keyed) == names(before)


TASK = "# T3: Curve\n\n**Status**: 🔄\n"
CACHE = "# Session Cache\n\n## Task Registry\n\n- T3: Curve - 🔄\n"
ARCHIVED = "# T3: Curve\n\n**Status**: 🔄\n"


def shown(path: str, text: str) -> list[Shown]:
    return [Shown(path, at, r) for at, r in parse(path, text).readings() if (r.table, r.key) == (Table.TASKS, "T3")]


def sides() -> Sides:
    places = shown("tasks/T3.md", TASK) + shown("session_cache.md", CACHE) + shown("archive/T3.md", ARCHIVED)
    return Sides(Table.TASKS, "T3", None, None, (), tuple(places))


def test_current_places_are_asked_to_show_a_changed_row_and_archives_are_not() -> None:
    """Each that differs, in its own document."""
    plan: Plan = {}
    row: dict[str, Value] = {"status": "completed", "title": "Curve"}
    plan_fields(plan, Verdict(Table.TASKS, "T3", row), sides(), frozenset({"status", "title"}))
    asked = {path: [c.values for c in changes.sets] for path, changes in plan.items()}
    assert asked == {"tasks/T3.md": [{"status": "completed"}], "session_cache.md": [{"status": "completed"}]}


def test_a_value_that_no_place_shows_is_asked_of_the_tasks_own_document() -> None:
    """There is no other place for it."""
    plan: Plan = {}
    plan_fields(plan, Verdict(Table.TASKS, "T3", {"priority": "HIGH"}), sides(), frozenset({"priority"}))
    assert {path: [c.values for c in changes.sets] for path, changes in plan.items()} == {
        "tasks/T3.md": [{"priority": "HIGH"}]
    }


def test_a_deleted_row_is_taken_out_of_current_places_only() -> None:
    """What an archive says was so."""
    plan: Plan = {}
    plan_removal(plan, leaving(sides(), with_task=True))
    assert sorted(plan) == ["session_cache.md", "tasks/T3.md"]
    assert {s.role for s in sides().after} == {Role.OWN, Role.CACHE, Role.ARCHIVE}
