"""A new session's document has the header of the newest one, with its own values."""

from __future__ import annotations

import pytest

from parser.document import parse
from schema.records import Value
from writer.session_likeness import session_like

PATH = "sessions/2031-05-06-morning.md"
ROW: dict[str, Value] = {
    "session_date": "2031-05-06", "session_period": "morning", "focus_task": "T7: Pier Names",
    "start_time": "2031-05-06 09:05:10", "status": "in_progress", "content": None,
}  # fmt: skip


def _made(model: str, **values: Value) -> str | None:
    document = parse("sessions/2031-05-05-evening.md", model)
    made = session_like(
        document, PATH, {**ROW, **values}, lambda old: f"{old[:0]}2031-05-06 09:06", lambda zone: zone == "IST"
    )
    return None if made is None else made.text


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "# Session: 2031-05-05 Evening\n\n**Started**: 2031-05-05 18:00:00 IST\n**Focus Task**: T1\n"
            "**Status**: ✅ **COMPLETED**\n**Ended**: 2031-05-05 19:00:00 IST\n\n## Work Done\n- a\n",
            "# Session: 2031-05-06 Morning\n\n**Started**: 2031-05-06 09:05:10 IST\n**Focus Task**: T7: Pier Names\n"
            "**Status**: 🔄 **IN PROGRESS**\n",
        ),
        (
            "# Session 2031-05-05 - evening\n*Created: 2031-05-05 18:00*\n\n## Focus Task\n\nT1: One\n\n## Notes\n- b",
            "# Session 2031-05-06 - morning\n*Created: 2031-05-06 09:06*\n\n**Started**: 2031-05-06 09:05:10\n"
            "**Status**: 🔄 IN PROGRESS\n\n## Focus Task\n\nT7: Pier Names\n",
        ),
        (
            "# Session 2031-05-05\n\n- **Start**: 2031-05-05 18:00 UTC\n- **Status**: done\n- **Focus**: T1\n",
            "# Session 2031-05-06 - Morning\n\n- **Start**: 2031-05-06 09:05:10\n- **Status**: in progress\n"
            "- **Focus**: T7: Pier Names\n",
        ),
    ],
)
def test_the_header_is_that_of_the_model(model: str, expected: str) -> None:
    """A zone that is not the one of the moment is not claimed; what the model did not tell stands in the plain form."""
    assert _made(model) == expected


def test_a_text_of_its_own_stands_below_the_header() -> None:
    """As it is given."""
    made = _made("# Session 2031-05-05 - Evening\n\n**Started**: 2031-05-05 18:00\n", content="## Notes\n\n- first")
    assert made is not None
    assert made.endswith("\n\n## Notes\n\n- first\n")


@pytest.mark.parametrize("model", ["# What happened\n", "---\ntask: T1\n---\n# Session 2031-05-05\n", ""])
def test_a_document_without_such_a_header_is_no_model(model: str) -> None:
    """The plain form is used then."""
    assert _made(model) is None


def test_values_that_would_not_be_read_back_are_not_written_so() -> None:
    """They would be taken for something else."""
    assert (
        _made("# Session 2031-05-05 - Evening\n\n**Focus**: T1 **Status**: ✅\n", focus_task="T1 **Status**: ✅")
        is None
    )
