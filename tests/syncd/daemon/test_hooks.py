"""Commands of the user that are told of events."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.config import Config
from syncd.daemon.hooks import Hooks
from syncd.daemon.news import News
from tests.syncd.conftest import Live
from tests.syncd.daemons import until


class Log:
    """Remembers what was told, by event."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, level: str) -> Any:
        return lambda event, **values: self.said.append((event, values))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def hooks(log: Log) -> Iterator[Hooks]:
    made = Hooks(log)
    yield made
    made.close()


def test_the_event_is_json_on_standard_input(hooks: Hooks, log: Log, tmp_path: Path) -> None:
    """The setting is split as a shell would; no shell sees it."""
    out = tmp_path / "a file; $(touch evil)"
    hooks.tell("hold", f"tee {shlex.quote(str(out))}", 5.0, bank="/b", holds=[{"path": "a\nb.md"}])
    until(lambda: log.said, "done")
    assert json.loads(out.read_text()) == {"event": "hold", "bank": "/b", "holds": [{"path": "a\nb.md"}]}
    assert log.said == [("hook.done", {"hook": "hold"})]
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_one_that_takes_too_long_is_killed_with_all_that_it_started(hooks: Hooks, log: Log, tmp_path: Path) -> None:
    """And the next one is run; telling never waits."""
    script = f"sleep 1.5; touch {shlex.quote(str(tmp_path / 'late'))}"
    began = time.monotonic()
    hooks.tell("failed", f"sh -c {shlex.quote(f'({script}) & {script}')}", 0.2)
    hooks.tell("failed", "true", 5.0)
    assert time.monotonic() - began < 0.1
    until(lambda: len(log.said) == 2, "both over")
    assert [event for event, _ in log.said] == ["hook.killed", "hook.done"]
    time.sleep(1.6)
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize(
    ("command", "says"),
    [("/no/such/program", "No such file"), ("sh -c 'echo because >&2; exit 3'", "because"), ("''", "")],
)
def test_one_that_fails_is_logged_with_its_last_line(hooks: Hooks, log: Log, command: str, says: str) -> None:
    """Nothing else comes of it."""
    hooks.tell("conflict", command, 5.0)
    until(lambda: log.said, "told")
    event, values = log.said[0]
    assert event == "hook.failed"
    assert says in values["reason"]


def test_more_events_than_can_wait_are_dropped_and_told(hooks: Hooks, log: Log) -> None:
    """A bank that goes mad does not fill the memory."""
    for _ in range(150):
        hooks.tell("hold", "sleep 0.3", 5.0)
    assert [event for event, _ in log.said].count("hook.dropped") >= 48
    began = time.monotonic()
    hooks.close()
    assert time.monotonic() - began < 2.0


class Told:
    """Stands for the hooks."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def tell(self, event: str, command: str, seconds: float, **values: Any) -> None:
        self.events.append((event, values))


def test_only_what_is_new_is_told(live: Live) -> None:
    """A conflict and a hold once each, not again at the next converge or start; a failure the first time in a row."""
    told, config = Told(), Config()
    news = News("/b", told)  # type: ignore[arg-type]
    news.know(live.engine.db)
    live.edit("tasks/T5.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    live.sql("UPDATE tasks SET priority = 'LOW' WHERE id = 'T5'")
    live.write("errorLog.md", b"")
    for _ in range(2):
        report = live.sync()
        news.compare(report.conflicts, report.holds, config)
    assert [event for event, _ in told.events] == ["conflict", "hold"]
    assert told.events[0][1]["conflicts"][0]["key"] == "T5"
    assert told.events[1][1]["holds"][0]["path"] == "errorLog.md"
    again = News("/b", told)  # type: ignore[arg-type]
    again.know(live.engine.db)
    again.look(live.engine.db, config)
    assert len(told.events) == 2
    for failures in (1, 2, 3):
        news.failed(failures, "gone", config)
    assert told.events[2:] == [("failed", {"bank": "/b", "reason": "gone"})]
