"""Fields that both sides changed to different values.

One value was kept, the other one is remembered here until `syncd resolve` takes one of them.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping

from syncd import bank as banks
from syncd import holds, inspect, output
from syncd.commands import common
from syncd.errors import Exit

_WIDE = 40


def add(parser: ArgumentParser) -> None:
    """The options of `syncd conflicts`."""
    parser.add_argument("--resolved", action="store_true", help="those that were settled, instead of the open ones")
    common(parser)


def run(bank: str | None, as_json: bool, resolved: bool) -> int:
    """List conflicts; the exit code is 1 where any is open."""
    with inspect.reading(banks.find(bank)) as db:
        found = holds.conflicts(db, resolved=resolved)
    if as_json:
        output.show_json(found)
    elif found:
        headers = ("id", "document", "record", "field", "base", "file", "db", "taken" if resolved else "kept")
        records = [{**c, "record": f"{c['table']}:{c['key']}" if c["table"] else ""} for c in found]
        output.show_table(headers, [[_shown(record, header) for header in headers] for record in records])
    else:
        output.say("no conflicts")
    return Exit.ATTENTION if found and not resolved else Exit.CONVERGED


def _shown(record: Mapping[str, object], name: str) -> object:
    """A cell: of a text of several lines its beginning; of a document that was deleted by hand, just that."""
    value = record[name]
    if name in ("base", "file", "db") and record["table"] == "documents" and value is None:
        return "deleted" if name == "file" else ""
    if not isinstance(value, str) or name not in ("base", "file", "db"):
        return value
    line = value.strip().partition("\n")[0]
    return line if line == value.strip() and len(line) <= _WIDE else f"{line[:_WIDE]}…"
