"""`syncd check --fix`: places that disagree with their record are brought to its value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Syncd = Callable[..., Any]


@pytest.fixture
def drifting(bank: Path, syncd: Syncd) -> Path:
    """A bank whose registry and cache said something else of two tasks than their own files, from the beginning."""
    for path, old, new in (
        ("tasks.md", "Tide Curve View         | 🔄 IN PROGRESS", "Tide Curve View         | ⏸️ PAUSED     "),
        ("session_cache.md", "- T4: Offline Station Packs - 🔄", "- T4: Station Packs - ⬜"),
    ):
        text = (bank / path).read_text(encoding="utf-8")
        assert old in text
        (bank / path).write_text(text.replace(old, new), encoding="utf-8")
    assert syncd("init", bank, "--json").json["drift"] == 3
    return bank


def _lines(bank: Path, path: str) -> list[str]:
    return (bank / path).read_text(encoding="utf-8").splitlines()


def test_a_dry_run_shows_the_difference_and_writes_nothing(syncd: Syncd, drifting: Path) -> None:
    """The drift is still told afterwards, and nothing was noted in between."""
    before = {path: path.read_bytes() for path in drifting.rglob("*.md")}
    ran = syncd("check", drifting, "--fix", "--dry-run")
    assert "+- T4: Offline Station Packs - 🔄" in ran.out
    assert "2 documents to align" in ran.out
    assert {path: path.read_bytes() for path in drifting.rglob("*.md")} == before
    assert syncd("sync", drifting).out == "converged, nothing to do\n"
    assert syncd("status", drifting, "--json").json["banks"][0]["drift"] == 3


def test_places_are_aligned_in_one_transaction(syncd: Syncd, drifting: Path) -> None:
    """The record's value stands everywhere, the difference is shown, and no other line moved."""
    before = {path: _lines(drifting, path) for path in ("tasks.md", "session_cache.md")}
    ran = syncd("check", drifting, "--fix")
    assert ran.code == 0, ran
    assert "-- T4: Station Packs - ⬜" in ran.out
    assert "- T4: Offline Station Packs - 🔄" in _lines(drifting, "session_cache.md")
    assert any(line.startswith("| T3 ") and "🔄 IN PROGRESS" in line for line in _lines(drifting, "tasks.md"))
    for path, old in before.items():
        changed = [b for a, b in zip(old, _lines(drifting, path), strict=True) if a != b]
        assert all("T3" in line or "T4" in line or "Last Updated" in line for line in changed)
    assert len(syncd("log", "--bank", drifting, "--json").json) == 2
    assert syncd("check", drifting).code == 0


def test_a_bank_without_drift_stays_as_it_is(syncd: Syncd, synced: Path) -> None:
    """No transaction is made."""
    ran = syncd("check", synced, "--fix", "--json")
    assert (ran.code, ran.json["transaction"], ran.json["emitted"]) == (0, None, [])


def test_an_edit_that_waits_is_absorbed_before(syncd: Syncd, drifting: Path) -> None:
    """Its value is the record's, and that is what the other places get."""
    file = drifting / "tasks" / "T4.md"
    file.write_text(file.read_text(encoding="utf-8").replace("🔄 IN PROGRESS", "🛑 BLOCKED"), encoding="utf-8")
    assert syncd("check", drifting, "--fix").code == 0
    assert "- T4: Offline Station Packs - 🛑" in _lines(drifting, "session_cache.md")


def test_a_dry_run_alone_is_refused(syncd: Syncd, synced: Path) -> None:
    """It means nothing without --fix."""
    assert syncd("check", synced, "--dry-run").code == 2
