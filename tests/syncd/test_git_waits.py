"""While a person is at a git merge, edits are absorbed and no document is written."""

from __future__ import annotations

from pathlib import Path

from schema import store
from syncd.config import Config
from syncd.engine import Engine
from syncd.model import Report, State
from syncd.writing import at_hand, writing

TASK = "# T1: One\n\n**Status**: 🔄 IN PROGRESS\n"


def test_rows_wait_while_a_merge_is_unfinished(tmp_path: Path) -> None:
    """A row stays pending with a reason, a saved file is absorbed, and the end of the merge lets the row through."""
    bank = tmp_path / "memory-bank"
    (bank / "tasks").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    document, sign = bank / "tasks" / "T1.md", tmp_path / ".git" / "MERGE_HEAD"
    document.write_text(TASK)
    engine = Engine.open(bank, create=True, config=Config(settle_seconds=0.0))
    try:
        engine.converge()
        sign.write_text("0" * 40)
        store.update_record(engine.db, "tasks", "T1", {"status": "completed"})
        waiting = engine.converge()
        assert (waiting.state, waiting.emitted, document.read_text()) == (State.PENDING, (), TASK)
        assert waiting.reason is not None
        assert "merge" in waiting.reason
        (bank / "notes.md").write_text("written during the merge\n")
        assert engine.converge().absorbed == ("notes.md",)
        sign.unlink()
        done = engine.converge()
        assert (done.state, done.emitted) == (State.CONVERGED, ("tasks/T1.md",))
        assert "✅ COMPLETED" in document.read_text()
    finally:
        engine.close()


def test_what_is_recorded_with_a_daemons_engine_waits_for_a_merge_that_began_since(tmp_path: Path) -> None:
    """The engine last looked at git before it began: it looks again before it writes."""
    bank = tmp_path / "memory-bank"
    (bank / "tasks").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    document, sign = bank / "tasks" / "T1.md", tmp_path / ".git" / "MERGE_HEAD"
    document.write_text(TASK)
    engine = Engine.open(bank, create=True, config=Config(settle_seconds=0.0))
    told: list[Report] = []
    try:
        engine.converge()
        sign.write_text("0" * 40)
        with at_hand(engine, told.append), writing(bank, engine.config, "mb", "task set") as made:
            store.update_record(made.db, "tasks", "T1", {"status": "completed"})
        assert (made.observes, document.read_text()) == (True, TASK)
        assert [report.state for report in told] == [State.PENDING]
        sign.unlink()
        assert engine.converge().emitted == ("tasks/T1.md",)
    finally:
        engine.close()
