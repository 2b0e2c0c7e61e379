"""Whether git is in the middle of something around the bank."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.disk.git import git_busy, git_folder, git_unfinished


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    (tmp_path / "project" / ".git").mkdir(parents=True)
    (tmp_path / "project" / "docs" / "memory-bank").mkdir(parents=True)
    return tmp_path / "project" / "docs" / "memory-bank"


def test_a_quiet_repository_holds_nothing(bank: Path) -> None:
    """Nor does a bank outside any repository."""
    assert git_busy(bank) is None
    assert git_unfinished(bank) is None
    assert git_folder(bank) == bank.parents[1] / ".git"


@pytest.mark.parametrize("name", ["index.lock", "rebase-merge", "rebase-apply"])
def test_work_under_way_holds_everything(bank: Path, name: str) -> None:
    """A rebase passes through every commit in between; the reason names the file that says so."""
    (bank.parents[1] / ".git" / name).mkdir()
    reason = git_busy(bank)
    assert reason is not None
    assert name in reason
    assert git_unfinished(bank) is None


@pytest.mark.parametrize("name", ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"])
def test_a_merge_that_waits_for_a_person_holds_writing_only(bank: Path, name: str) -> None:
    """Their edits are absorbed meanwhile."""
    (bank.parents[1] / ".git" / name).write_text("0" * 40)
    assert git_busy(bank) is None
    reason = git_unfinished(bank)
    assert reason is not None
    assert name in reason


def test_the_nearest_repository_counts(bank: Path) -> None:
    """A bank that is a repository of its own, or a linked work tree, does not wait for the one around it."""
    (bank.parents[1] / ".git" / "index.lock").write_text("")
    real = bank.parents[1] / ".git" / "worktrees" / "w"
    real.mkdir(parents=True)
    (bank / ".git").write_text("gitdir: ../../.git/worktrees/w\n")
    assert git_busy(bank) is None
    (real / "index.lock").write_text("")
    assert git_busy(bank) is not None


def test_a_sign_that_leads_nowhere_holds_nothing(bank: Path) -> None:
    """A broken pointer is git's business."""
    for text in ("gitdir: nowhere\n", "nonsense", ""):
        (bank / ".git").write_text(text)
        assert git_busy(bank) is None
