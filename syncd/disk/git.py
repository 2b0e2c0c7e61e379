"""Whether git is in the middle of something in the repository around a bank. Looks at names only, runs nothing.

May import the standard library only.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
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
    folder = _found(root)
    if folder is None:
        return None
    return next((reason for name, reason in signs.items() if os.path.lexists(f"{folder}/{name}")), None)


def git_folder(root: Path) -> Path | None:
    """The ``.git`` folder of the nearest repository at or above ``root``, that of a linked work tree included."""
    found = _found(root)
    return None if found is None else Path(found)


def _found(root: Path) -> str | None:
    """As `git_folder`, without making paths: this is asked at each edit, and a path costs more than a stat."""
    for sign in _signs(root):
        try:
            mode = os.stat(sign).st_mode
        except OSError:
            continue
        if stat.S_ISDIR(mode):
            return sign
        if stat.S_ISREG(mode):
            return _pointed(sign)
    return None


@lru_cache(maxsize=256)
def _signs(root: Path) -> tuple[str, ...]:
    """Where a ``.git`` may be, nearest first."""
    return tuple(os.fspath(folder / ".git") for folder in (root, *root.parents))


def _pointed(sign: str) -> str | None:
    """Where a ``.git`` file leads; None where it cannot be read or leads nowhere."""
    try:
        with open(sign, "rb") as file:
            text = os.fsdecode(file.read(_LONGEST_POINTER))
    except OSError:
        return None
    if not text.startswith("gitdir: "):
        return None
    folder = os.path.join(os.path.dirname(sign), text.removeprefix("gitdir: ").rstrip("\n"))
    return folder if os.path.isdir(folder) else None
