"""Whether git is in the middle of something in the repository around a bank. Looks at names only, runs nothing.

May import the standard library only.
"""

from __future__ import annotations

import os
from pathlib import Path

_WORKING = {
    "index.lock": "git is working here (.git/index.lock)",
    "rebase-merge": "a git rebase is under way (.git/rebase-merge)",
    "rebase-apply": "a git rebase or am is under way (.git/rebase-apply)",
}
_UNFINISHED = {
    "MERGE_HEAD": "a git merge is not committed yet (.git/MERGE_HEAD)",
    "CHERRY_PICK_HEAD": "a git cherry-pick is not committed yet (.git/CHERRY_PICK_HEAD)",
    "REVERT_HEAD": "a git revert is not committed yet (.git/REVERT_HEAD)",
}
_LONGEST_POINTER = 4096


def git_busy(root: Path) -> str | None:
    """Why nothing should be absorbed or written now: git is going through intermediate states. None if it is not."""
    return _first(root, _WORKING)


def git_unfinished(root: Path) -> str | None:
    """Why nothing should be written now, though edits may be absorbed: a person is at a merge. None if nobody is."""
    return _first(root, _UNFINISHED)


def _first(root: Path, signs: dict[str, str]) -> str | None:
    folder = git_folder(root)
    if folder is None:
        return None
    return next((reason for name, reason in signs.items() if os.path.lexists(folder / name)), None)


def git_folder(root: Path) -> Path | None:
    """The ``.git`` folder of the nearest repository at or above ``root``, that of a linked work tree included."""
    for folder in (root, *root.parents):
        sign = folder / ".git"
        if sign.is_dir():
            return sign
        if sign.is_file():
            return _pointed(sign)
    return None


def _pointed(sign: Path) -> Path | None:
    """Where a ``.git`` file leads; None where it cannot be read or leads nowhere."""
    try:
        with sign.open("rb") as file:
            text = os.fsdecode(file.read(_LONGEST_POINTER))
    except OSError:
        return None
    if not text.startswith("gitdir: "):
        return None
    folder = sign.parent / text.removeprefix("gitdir: ").rstrip("\n")
    return folder if folder.is_dir() else None
