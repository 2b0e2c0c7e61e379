"""The daemon's log on a terminal and elsewhere."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from syncd import log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_elsewhere_each_event_is_one_json_line() -> None:
    """A collector can read it."""
    stream = io.StringIO()
    log.configure("info", stream).info("converged", transaction=7, files=["a.md"])
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["transaction"], said["files"]) == ("converged", "info", 7, ["a.md"])
    assert "timestamp" in said


def test_a_bug_keeps_its_traceback_in_the_line() -> None:
    """What was raised stands in the event, escaped, still on one line."""
    stream = io.StringIO()
    logger = log.configure("info", stream)
    try:
        raise RuntimeError("odd")
    except RuntimeError:
        logger.exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert "RuntimeError: odd" in json.loads(line)["exception"]


def test_on_a_terminal_it_is_for_eyes() -> None:
    """No JSON, but the event and its values."""
    stream = Terminal()
    log.configure("info", stream).info("converged", transaction=7)
    assert "converged" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_what_is_below_the_level_is_left_out() -> None:
    """`log_level` holds."""
    stream = io.StringIO()
    logger = log.configure("warning", stream)
    logger.info("quiet")
    logger.warning("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]
