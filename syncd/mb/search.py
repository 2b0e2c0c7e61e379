"""`mb search`: full text search over all sections and records.

The index is made for each search, in memory: filling it costs a few hundredths of a second for a bank of two megabytes.
An index inside the database would need triggers, and those would refuse every write of a client whose SQLite was built
without FTS5.
"""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from schema.db import Database
from schema.sections import text_of
from syncd import bank as banks
from syncd import inspect, output
from syncd.commands import common, whole_number
from syncd.errors import Exit, UsageError

_INDEX = """
CREATE VIRTUAL TABLE temp.found USING fts5(
  place UNINDEXED, id UNINDEXED, text, tokenize = 'porter unicode61 remove_diacritics 2'
);
INSERT INTO temp.found(place, id, text) SELECT 'sections', id, text FROM sections WHERE typeof(text) = 'text';
INSERT INTO temp.found(place, id, text)
  SELECT 'tasks', id, concat_ws(char(10), id || ': ' || coalesce(title, ''), details, description) FROM tasks;
INSERT INTO temp.found(place, id, text) SELECT 'task_subtasks', id, text FROM task_subtasks;
INSERT INTO temp.found(place, id, text)
  SELECT 'edit_entries', id, concat_ws(': ', concat_ws(' ', date, task_id), task_description) FROM edit_entries;
INSERT INTO temp.found(place, id, text)
  SELECT 'file_modifications', id, concat_ws(' ', action, file_path) || coalesce(' - ' || description, '')
  FROM file_modifications;
INSERT INTO temp.found(place, id, text)
  SELECT 'sessions', id, concat_ws(' ', session_date, session_period, focus_task) FROM sessions;
INSERT INTO temp.found(place, id, text)
  SELECT 'error_logs', id,
    concat_ws(char(10), concat_ws(' ', timestamp, task_id), error_message, file_path, cause, fix_applied)
  FROM error_logs;
"""
PLACES = ("sections", "tasks", "task_subtasks", "edit_entries", "file_modifications", "sessions", "error_logs")
_FROM, _TO = "\x02", "\x03"
_WIDTH = 100


def add_search(parser: ArgumentParser) -> None:
    """The options of `mb search`."""
    parser.add_argument("words", nargs="*", metavar="WORDS", help='all of them; "two words" together; start* of a word')
    parser.add_argument("--in", dest="places", action="append", choices=PLACES, help="only there (may be repeated)")
    parser.add_argument(
        "--limit", metavar="N", type=whole_number, default=20, help="at most N places (default 20; 0: all)"
    )
    common(parser)


def search(words: Sequence[str], places: list[str] | None, limit: int, bank: str | None, as_json: bool) -> int:
    """Show where the words stand, the best place first. The exit code is 1 where there is none."""
    asked = match_of(words)
    with inspect.reading(banks.find(bank)) as db:
        hits, total = find(db, asked, places or PLACES, limit)
    if as_json:
        output.show_json(hits)
    elif not hits:
        output.say("nothing found")
    else:
        output.show_table(("place", "where", "text"), [_line(hit) for hit in hits])
        if total > len(hits):
            output.say(f"the best {len(hits)} of {total:,}: more with --limit N")
    return Exit.CONVERGED if hits else Exit.ATTENTION


def match_of(words: Sequence[str]) -> str:
    """FTS5's expression for ``words``: each argument is a phrase, and all have to be there. Raises `UsageError`."""
    phrases = [word for word in words if re.search(r"\w", word)]
    if not phrases:
        raise UsageError("no words to look for", hint="name some like `mb search tide curve`")
    return " AND ".join(_phrase(word) for word in phrases)


def _phrase(word: str) -> str:
    start = word.endswith("*")
    inner = word.rstrip("*").replace('"', '""').replace("\0", " ")
    return f'"{inner}"{"*" if start else ""}'


def find(db: Database, asked: str, places: Sequence[str], limit: int) -> tuple[list[dict[str, Any]], int]:
    """The best ``limit`` places (0: all) for FTS5's expression ``asked``, and how many there are."""
    db.run(_INDEX)
    marks = ", ".join("?" * len(places))
    where = f"FROM temp.found WHERE found MATCH ? AND place IN ({marks})"
    total = int(db.value(f"SELECT count(*) {where}", (asked, *places)))
    rows = db.rows(
        f"SELECT place, id, highlight(found, 2, ?, ?) {where} ORDER BY rank, rowid LIMIT ?",
        (_FROM, _TO, asked, *places, limit or -1),
    )
    return [_hit(db, place, str(number), text) for place, number, text in rows], total


def _hit(db: Database, place: str, number: str, marked: str) -> dict[str, Any]:
    """One place: the line that has the first word, and where it stands."""
    at = max(marked.find(_FROM), 0)
    first = marked.rfind("\n", 0, at) + 1
    line, _, _ = marked[first:].partition("\n")
    section = int(number) if place == "sections" else _section_of(db, place, number)
    inside = marked.count("\n", 0, at) if place == "sections" else 0
    document, heading, above = _where(db, section) if section else (None, None, 0)
    return {
        "place": place,
        "key": None if place == "sections" else number,
        "document": document,
        "line": 1 + above + inside if document else None,
        "heading": heading or None,
        "text": _excerpt(line),
    }


def _section_of(db: Database, table: str, key: str) -> int | None:
    found = db.value(
        """SELECT section_id FROM readings WHERE "table" = ? AND key = ?
        ORDER BY CASE role WHEN 'own' THEN 0 WHEN 'registry' THEN 1 WHEN 'history' THEN 2 ELSE 3 END, section_id""",
        (table, key),
    )
    return None if found is None else int(found)


def _where(db: Database, section: int) -> tuple[str, str, int]:
    """Document and heading of a section, and how many lines stand above it."""
    row = db.row(
        """SELECT d.path, s.heading, d.id, s.position FROM sections s
        JOIN documents d ON d.id = s.document_id WHERE s.id = ?""",
        (section,),
    )
    assert row is not None
    path, heading, document, position = row
    above = db.rows("SELECT text FROM sections WHERE document_id = ? AND position < ?", (document, position))
    return path, heading, sum(text_of(text).count("\n") for (text,) in above)


def _excerpt(line: str) -> str:
    """As much of a line as fits, with the first word that was found in it."""
    at = line.find(_FROM)
    plain = line.replace(_FROM, "").replace(_TO, "")
    start = max(0, at - _WIDTH // 3) if len(plain) > _WIDTH else 0
    cut = plain[start : start + _WIDTH].strip()
    return f"{'…' if start else ''}{cut}{'…' if start + _WIDTH < len(plain) else ''}"


def _line(hit: dict[str, Any]) -> tuple[str, str, str]:
    place = hit["place"] if hit["key"] is None else f"{hit['place']}:{hit['key']}"
    return place, f"{hit['document']}:{hit['line']}" if hit["document"] else "", hit["text"]
