"""Requests: done here under the lock, or handed to the process that has it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from schema.errors import SyncdError
from syncd import requests
from syncd.config import Config
from syncd.engine import Engine
from syncd.errors import BusyError, UsageError
from syncd.lock import BankLock, LockRole

LiveBank = Any
CONFIG = Config(settle_seconds=0.0)


def test_a_request_is_done_under_the_lock_and_lets_go_of_it(synced: Path) -> None:
    """The answer is the report, as JSON has it; the lock is free again."""
    answer = requests.perform(synced, "sync", {}, CONFIG)
    assert answer["state"] == "converged"
    json.dumps(answer)
    with BankLock(synced) as lock:
        assert lock.try_acquire(LockRole.COMMAND)


def test_the_daemon_answers_what_stands_in_the_table(live: LiveBank) -> None:
    """In the row itself; each once."""
    live.edit("tasks/T4.md", "**Priority**: MEDIUM", "**Priority**: HIGH")
    live.sql("INSERT INTO requests(kind, arguments) VALUES ('sync', '{}')")
    assert requests.serve(live.engine) == 1
    assert requests.serve(live.engine) == 0
    answer = json.loads(live.value("SELECT answer FROM requests"))
    assert (answer["state"], answer["absorbed"]) == ("converged", ["tasks/T4.md"])


def test_what_a_request_gets_wrong_is_answered_and_stops_nothing(live: LiveBank) -> None:
    """The error travels in the answer with its exit code; the next request is done."""
    live.sql("INSERT INTO requests(kind, arguments) VALUES ('accept', '{\"ids\": [7]}'), ('sync', '{}')")
    assert requests.serve(live.engine) == 2
    first, second = (json.loads(text) for (text,) in live.sql("SELECT answer FROM requests ORDER BY id"))
    assert first["error"]["exit"] == UsageError.exit_code
    assert second["state"] == "converged"


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("nonsense", "{}"), ("sync", "not json"), ("resolve", "{}"), ("mode", '{"mode": "odd"}'),
        ("accept", '{"ids": ["x"]}'),
    ],
)  # fmt: skip
def test_a_request_that_makes_no_sense_does_not_stop_the_daemon(live: LiveBank, kind: str, arguments: str) -> None:
    """Any client may write into the table: it gets an answer, and so does the next one."""
    live.sql("INSERT INTO requests(kind, arguments) VALUES (?, ?), ('sync', '{}')", kind, arguments)
    assert requests.serve(live.engine) == 2
    last = json.loads(live.sql("SELECT answer FROM requests ORDER BY id DESC LIMIT 1")[0][0])
    assert last["state"] == "converged"
    assert live.engine.mode.value == "coexist"


def test_a_request_that_was_broken_off_is_not_done_later(live: LiveBank) -> None:
    """Its yes was for what was held then."""
    live.write("errorLog.md", b"")
    assert len(live.sync().holds) == 1
    live.sql(
        "INSERT INTO requests(kind, arguments, created_at) VALUES ('accept', '{\"all\": true}', '2020-01-01T00:00:00Z')"
    )
    assert requests.serve(live.engine) == 1
    assert "error" in json.loads(live.value("SELECT answer FROM requests"))
    assert len(live.sync().holds) == 1


def test_a_request_is_handed_to_a_ready_daemon(synced: Path) -> None:
    """It is answered by whoever holds the lock, and leaves no row behind."""
    holder = BankLock(synced)
    assert holder.try_acquire(LockRole.DAEMON)
    engine = Engine.open(synced, create=False, config=CONFIG)
    holder.announce_ready()
    (synced / "tasks/T4.md").write_text((synced / "tasks/T4.md").read_text().replace("MEDIUM", "HIGH"))
    answers: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: answers.append(requests.perform(synced, "sync", {}, CONFIG)))
    asking.start()
    try:
        while asking.is_alive():
            requests.serve(engine)
        asking.join()
        assert answers[0]["absorbed"] == ["tasks/T4.md"]
        assert engine.db.value("SELECT count(*) FROM requests") == 0
    finally:
        engine.close()
        holder.release()


def test_a_daemon_that_stops_before_it_answers_is_told(synced: Path) -> None:
    """The row goes too, so that no later daemon does what nobody waits for."""
    holder = BankLock(synced)
    assert holder.try_acquire(LockRole.DAEMON)
    holder.announce_ready()
    threading.Timer(0.1, holder.release).start()
    with pytest.raises(BusyError, match="stopped before it answered"):
        requests.perform(synced, "sync", {}, CONFIG)
    engine = Engine.open(synced, create=False, config=CONFIG)
    try:
        assert engine.db.value("SELECT count(*) FROM requests") == 0
    finally:
        engine.close()


def test_another_command_is_waited_for_and_then_named(synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the time is up: one clear error."""
    monkeypatch.setattr(requests, "WAIT", 0.05)
    holder = BankLock(synced)
    assert holder.try_acquire(LockRole.COMMAND)
    try:
        with pytest.raises(SyncdError):
            requests.perform(synced, "sync", {}, CONFIG)
    finally:
        holder.release()
